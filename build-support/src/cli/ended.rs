//! How a subcommand ends: its exit code, and the error that is told first.

use crate::cli::terminal::{colour_on_stderr, here};
use crate::error::Error;
use crate::output::diagnostic;
use crate::report::units;
use crate::system::streams;
use std::io::Write as _;
use std::process::ExitCode;

/// How a subcommand ended when it did not fail.
pub enum Ended {
    /// Everything is as it should be.
    Well,
    /// The budget is exceeded.
    OverBudget,
    /// Something is missing; the messages are out.
    Badly,
}

/// The exit code; an error is told first.
pub fn exit(ended: anyhow::Result<Ended>) -> ExitCode {
    match ended {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::OverBudget) => ExitCode::from(1),
        Ok(Ended::Badly) => ExitCode::from(2),
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

/// Tells the error on stderr.
pub fn complain(error: &anyhow::Error) {
    // The last words are cargo's own.
    if let Some(Error::Told) = error.downcast_ref() {
        return;
    }
    let mut stderr = streams::stderr();
    // Nothing is left to do where stderr itself is gone.
    if let Some(Error::Config(mistakes) | Error::Manifest(mistakes) | Error::Banned(mistakes)) =
        error.downcast_ref()
    {
        let drawn = diagnostic::draw_all(mistakes, &here(), colour_on_stderr());
        let _ = writeln!(stderr, "{drawn}");
    }
    let bold = anstyle::Style::new().bold();
    let red = bold.fg_color(Some(anstyle::AnsiColor::Red.into()));
    let error = format!("{error:#}");
    let lines = error.lines();
    let lines: Vec<_> = lines
        .map(|line| units::shorten(line, units::LONGEST_LINE))
        .collect();
    let error = lines.join("\n");
    let _ = writeln!(stderr, "{red}error{red:#}{bold}:{bold:#} {error}");
}

#[cfg(test)]
mod tests {
    use crate::Error;
    use std::path::Path;

    /// Protects readers: a cause that a message says is no link of the chain, where it would be
    /// said again.
    #[test]
    fn no_error_says_its_cause_twice() {
        let text = || "why".to_owned();
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let (offset, pass) = (None, "sweep");
        let (message, help) = (text(), text());
        for error in [
            Error::io("reading", Path::new("a.wasm"))(missing),
            Error::Input {
                file: "a.wasm".into(),
                offset,
                message: text(),
                help: text(),
            },
            Error::Pass {
                pass,
                message: text(),
            },
            Error::InvalidOutput {
                pass,
                offset,
                message: text(),
            },
            Error::toolchain(message, help),
            Error::Process {
                command: text(),
                status: text(),
                stderr: text(),
            },
            Error::Told,
            Error::Config(Vec::new()),
            Error::Manifest(Vec::new()),
            Error::Banned(Vec::new()),
        ] {
            let said = error.to_string();
            assert_eq!(format!("{:#}", anyhow::Error::from(error)), said);
        }
    }
}
