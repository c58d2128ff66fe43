//! `build-support analyze --inlined`: where code was written, of the linked file.

use crate::cli::ended::Ended;
use crate::cli::terminal::{colour_on_stdout, print, shown};
use crate::ops::inlined::{self, Account};
use crate::output::progress::Progress;
use crate::output::text;
use crate::project::package::Package;
use crate::report::units;
use std::path::Path;

/// Prints the account of `file`, or of the package here for its first target.
pub fn run(file: Option<&Path>, top: usize, json: bool) -> anyhow::Result<Ended> {
    let account = match file {
        Some(file) => inlined::of_file(file)?,
        None => {
            let package = Package::find(None)?;
            let target = package.config(None)?.target;
            let mut progress = Progress::start(json);
            inlined::of_package(&package, &target, &mut progress)?
        }
    };
    print(json, &account, || {
        let tables = text::inlined::draw(&account.inlined, top, colour_on_stdout());
        format!("{}\n{tables}", heading(&account))
    })?;
    Ok(Ended::Well)
}

fn heading(account: &Account) -> String {
    let file = shown(&account.file).display();
    let code = units::counted(account.inlined.bytes);
    let mut text = format!("{file}: code {code}, of the linked file\n");
    match account.is_code_of_shipped {
        Some(true) => text.push_str("it is, byte for byte, the code that the shipped file is made from\n"),
        Some(false) => text.push_str(
            "the shipped file is made from other code: with debug information the compiler gave this\n",
        ),
        None => {}
    }
    if let Some(survives) = account.survives {
        let share = units::share(survives.linked, account.inlined.bytes);
        let [linked, shipped] = [survives.linked, survives.shipped].map(units::bytes);
        text.push_str(&format!(
            "{linked} bytes of it ({}) are in functions that are shipped, where they take {shipped}\n",
            share.trim()
        ));
    }
    text
}
