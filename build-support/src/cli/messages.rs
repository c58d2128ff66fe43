//! How diagnostics leave the command: drawn for people on stderr, or as cargo's own JSON messages
//! on stdout, for editors.

use crate::cli::ended::Ended;
use crate::cli::terminal::{colour_on_stderr, here};
use crate::diagnostic::Diagnostic;
use crate::error::Error;
use crate::output::{diagnostic, message};
use crate::project::package::Package;
use crate::system::streams;
use clap::ValueEnum;
use std::io::Write as _;

/// The forms of diagnostics, as cargo spells them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// Drawn as rustc draws its own
    #[default]
    Human,
    /// One line each
    Short,
    /// Cargo's own JSON messages on stdout, one line each, the compiler's among them
    Json,
}

/// Shows diagnostics in the form that was asked for.
pub struct Messages<'a> {
    format: MessageFormat,
    package: Option<&'a Package>,
}

impl<'a> Messages<'a> {
    /// Messages for people.
    pub fn drawn() -> Self {
        Self::new(MessageFormat::Human, None)
    }

    /// Messages about `package`, where one is known.
    pub fn new(format: MessageFormat, package: Option<&'a Package>) -> Self {
        Self { format, package }
    }

    /// Shows all of them.
    pub fn show(&self, diagnostics: &[Diagnostic]) -> anyhow::Result<()> {
        let mut stderr = streams::stderr();
        match (self.format, self.package) {
            (MessageFormat::Json, Some(package)) => {
                let mut stdout = streams::stdout();
                for diagnostic in diagnostics {
                    let origin = package.origin();
                    let line = message::compiler_message(diagnostic, &origin, &package.root);
                    writeln!(stdout, "{line}")?;
                }
            }
            (MessageFormat::Short, _) => {
                for diagnostic in diagnostics {
                    writeln!(stderr, "{}", message::short(diagnostic, &here()))?;
                }
            }
            (MessageFormat::Human | MessageFormat::Json, _) => {
                let colour = colour_on_stderr();
                let drawn = diagnostic::draw_all(diagnostics, &here(), colour);
                write!(stderr, "{drawn}")?;
            }
        }
        Ok(())
    }

    /// Ends a run: mistakes in the manifest become messages like any other, and JSON gets its last
    /// line.
    pub fn finish(&self, ended: anyhow::Result<Ended>) -> anyhow::Result<Ended> {
        let ended = match ended {
            Err(error) if self.format != MessageFormat::Human => match error.downcast_ref() {
                Some(
                    Error::Config(mistakes) | Error::Manifest(mistakes) | Error::Banned(mistakes),
                ) => {
                    self.show(mistakes)?;
                    // Shown: what is left to say is how many there are.
                    Err(anyhow::anyhow!("{error}"))
                }
                _ => Err(error),
            },
            ended => ended,
        };
        if self.format == MessageFormat::Json {
            let success = matches!(ended, Ok(Ended::Well));
            writeln!(streams::stdout(), "{}", message::build_finished(success))?;
        }
        ended
    }
}
