//! `build-support report`: what a build found, for whoever was not at its terminal: Markdown for a
//! pull request, a page for a browser, JSON. What `cargo make report` is.

use crate::attribution::groups::{self, Grouping};
use crate::cli::ended::Ended;
use crate::cli::terminal::{self, colour_on_stdout};
use crate::cli::verdict;
use crate::ops::inlined;
use crate::ops::ship::Files;
use crate::output::progress::Progress;
use crate::output::text::{self, size_by};
use crate::output::view::View;
use crate::output::{html, json, markdown, svg};
use crate::project::package::Package;
use crate::report::subject::{self, Subject};
use crate::system::calling;
use crate::system::files;
use crate::system::streams;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Write what builds found as Markdown for a pull request, as a page or a picture with a treemap,
/// as JSON or as text
#[derive(Args)]
#[command(after_help = "\
SUBJECT and OLD are report.json of builds, core modules or components. Without SUBJECT they are the reports of the
package's last builds, of every target that has one. An OLD is compared with the SUBJECT of its package and target,
or with the only one.
Exit codes: 0 written, whatever the verdict in it; 2 error.
Examples:
  build-support report -o report.html -o report.md       both pages of the last builds
  build-support report --against before.json -o report.html
  build-support report app.wasm -o treemap.svg           a picture for a README
  build-support report app.wasm --against old.wasm --format markdown
  build-support report --inlined -o report.html          with where the code was written")]
pub struct Opts {
    /// A report.json, a core module or a component; several make one page
    subject: Vec<PathBuf>,
    /// What to compare with; may be repeated, once for each SUBJECT at most
    #[arg(long, value_name = "OLD")]
    against: Vec<PathBuf>,
    /// What to write; told by the name of the output where this is not given, and text where there
    /// is neither
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where to write it; stdout, which `-` is, where this is not given; may be repeated
    #[arg(long, short, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Add where the code was written, by crate and function, before it was inlined: the package is
    /// linked once more for it, and the figures are of that file
    #[arg(long, conflicts_with_all = ["subject", "against"])]
    inlined: bool,
}

/// What can be written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a comment on a pull request, or a job's summary
    Markdown,
    /// A page that needs nothing but a browser
    Html,
    /// For programs
    Json,
    /// The treemap as a picture, of the first SUBJECT
    Svg,
    /// For a terminal
    Text,
}

/// Runs the subcommand.
pub fn run(opts: &Opts) -> anyhow::Result<Ended> {
    let outputs: Vec<_> = opts.output.iter().map(PathBuf::as_path).collect();
    terminal::written_once(&outputs, false)?;
    let read = opts.subject.iter().chain(&opts.against);
    terminal::read_once(read.map(PathBuf::as_path))?;
    let mut views = views(opts)?;
    if opts.inlined {
        add_inlined(&mut views)?;
    }
    let stdout = [PathBuf::from("-")];
    let outputs = match opts.output.as_slice() {
        [] => &stdout[..],
        given => given,
    };
    for file in outputs {
        if files::is_stdout(file) {
            let format = opts.format.unwrap_or(Format::Text);
            let text = draw(&views, format, colour_on_stdout())?;
            let mut stdout = streams::stdout();
            stdout.write_all(text.as_bytes())?;
            stdout.flush()?;
            continue;
        }
        let format = opts.format.map_or_else(|| by_name(file), Ok)?;
        let text = draw(&views, format, false)?;
        files::write_atomic(file, text.as_bytes())?;
        streams::say(&format!("wrote {}", file.display()));
    }
    Ok(Ended::Well)
}

fn by_name(file: &Path) -> anyhow::Result<Format> {
    match file.extension().and_then(|e| e.to_str()) {
        Some("md") => Ok(Format::Markdown),
        Some("html" | "htm") => Ok(Format::Html),
        Some("json") => Ok(Format::Json),
        Some("svg") => Ok(Format::Svg),
        Some("txt") => Ok(Format::Text),
        _ => anyhow::bail!(
            "{}: its name says no format; end it in .md, .html, .svg, .json or .txt, or give --format",
            file.display()
        ),
    }
}

fn draw(views: &[View], format: Format, colour: bool) -> anyhow::Result<String> {
    Ok(match format {
        Format::Markdown => markdown::draw(views)?,
        Format::Html => html::draw(views),
        Format::Json => json::views(views)?,
        Format::Svg => svg::draw(views),
        Format::Text => {
            let texts: Result<Vec<String>, _> =
                views.iter().map(|view| as_text(view, colour)).collect();
            texts?.join("\n")
        }
    })
}

fn as_text(view: &View, colour: bool) -> anyhow::Result<String> {
    const NO_FILES: [&str; 0] = [];
    const TOP: usize = 15;
    let mut text = match &view.report {
        Some(report) => text::draw(report, &NO_FILES, colour),
        None => {
            let groups = groups::run(&view.attribution, Grouping::Crate);
            size_by::groups(&view.title, &groups, view.attribution.bytes, TOP, colour)
        }
    };
    let by = [Grouping::Crate, Grouping::Family, Grouping::Item];
    if let Some(inlined) = &view.inlined {
        let tables = text::inlined::draw(inlined, TOP, colour);
        text.push_str(&format!(
            "\nwhere the code of the linked file was written\n{tables}"
        ));
    }
    if let (Some(diff), Some(old)) = (view.changes(&by)?, view.versus()) {
        let diff = size_by::diff(&diff, &[old, view.title.clone()], None, TOP, colour);
        text.push_str(&format!("\n{diff}"));
    }
    Ok(text)
}

fn views(opts: &Opts) -> anyhow::Result<Vec<View>> {
    let files = if opts.subject.is_empty() {
        last_reports()?
    } else {
        opts.subject.clone()
    };
    let mut subjects = Vec::new();
    for file in files {
        let subject = subject::read(&file)?;
        verdict::remark_on_subject(&file, &subject);
        subjects.push((file, subject, None));
    }
    for file in &opts.against {
        let old = subject::read(file)?;
        verdict::remark_on_subject(file, &old);
        let only = subjects.len() == 1;
        let place = subjects
            .iter_mut()
            .find(|(_, subject, taken)| taken.is_none() && (only || same(subject, &old)));
        let (_, _, place) = place.with_context(|| {
            format!(
                "{}: no SUBJECT is of its package and target, or one has something to be compared with already; \
                 name one SUBJECT, or give the report.json of each",
                file.display()
            )
        })?;
        *place = Some((file, old));
    }
    let views = subjects.into_iter().map(|(file, subject, old)| {
        View::new(&file, subject, old.map(|(file, old)| (file.as_path(), old)))
    });
    Ok(views.collect())
}

/// Links the package here for the target of each view once more, with debug information.
fn add_inlined(views: &mut [View]) -> anyhow::Result<()> {
    let package = Package::find(None)?;
    let mut progress = Progress::start(false);
    for view in views {
        if let Some(target) = &view.target {
            let account = inlined::of_package(&package, target, &mut progress)?;
            view.inlined = Some(account.inlined);
        }
    }
    Ok(())
}

fn same(a: &Subject, b: &Subject) -> bool {
    a.report
        .as_ref()
        .zip(b.report.as_ref())
        .is_some_and(|(a, b)| (&a.package, &a.target) == (&b.package, &b.target))
}

/// The reports that the last builds of the package left, in the order of its targets; where its
/// manifest names none, of whatever it was built for.
fn last_reports() -> anyhow::Result<Vec<PathBuf>> {
    let package = Package::find(None)?;
    let mut targets = package.targets.clone();
    if targets.is_empty()
        && let Ok(folders) = std::fs::read_dir(package.outputs(""))
    {
        let names = folders.filter_map(|folder| folder.ok()?.file_name().into_string().ok());
        targets.extend(names);
        targets.sort();
    }
    let found: Vec<_> = targets
        .iter()
        .map(|target| Files::last(&package, target).report)
        .filter(|file| file.is_file())
        .collect();
    anyhow::ensure!(
        !found.is_empty(),
        "no build of {} has left a report in {}: build it with `{}`, or name a SUBJECT",
        package.name,
        package.target_dir.join("budget").display(),
        calling::call("build")
    );
    Ok(found)
}
