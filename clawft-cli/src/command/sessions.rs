//! `weft sessions`: what was said, from the files that the agent keeps.

use super::{Place, Result, say, voice};
use clawft_types::{Message, Role, Session, time};
use std::fs;
use std::path::{Path, PathBuf};

/// Below the root.
const FOLDER: &str = ".clawft/sessions";

#[derive(clap::Subcommand)]
pub enum Command {
    /// Every session: name, turns, messages, last used.
    List,
    /// Prints a conversation.
    Show {
        /// The session.
        name: String,
    },
    /// Deletes sessions for good.
    Rm {
        /// The sessions.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Prints a session as it is kept: a line of JSON for each turn.
    Export {
        /// The session.
        name: String,
    },
}

/// Runs the command; gives whether what was asked for is there.
pub fn run(command: &Command, place: &Place) -> Result<bool> {
    let folder = place.root(&place.settings()?)?.join(FOLDER);
    match command {
        Command::List => list(&folder),
        Command::Show { name } => {
            let Some(text) = text_of(&folder, name)? else {
                return Ok(false);
            };
            let session = read(&text)?;
            for message in &session.messages {
                say(&worded(message))?;
            }
            Ok(true)
        }
        Command::Export { name } => match text_of(&folder, name)? {
            Some(text) => Ok(say(&text).map(|()| true)?),
            None => Ok(false),
        },
        Command::Rm { names } => {
            let mut all = true;
            for name in names {
                let path = path(&folder, name)?;
                match fs::remove_file(&path) {
                    Ok(()) => {}
                    Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                        voice::complain(&format!("there is no session {name}"));
                        all = false;
                    }
                    Err(why) => return Err(format!("{}: {why}", path.display()).into()),
                }
            }
            Ok(all)
        }
    }
}

fn path(folder: &Path, name: &str) -> Result<PathBuf> {
    Session::check_name(name).map_err(|error| error.message)?;
    Ok(folder.join(Session::file_name(name)))
}

/// The file of a session, if there is one.
fn text_of(folder: &Path, name: &str) -> Result<Option<String>> {
    let path = path(folder, name)?;
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            voice::complain(&format!(
                "there is no session {name}; see weft sessions list"
            ));
            Ok(None)
        }
        Err(why) => Err(format!("{}: {why}", path.display()).into()),
    }
}

/// The session in a file. A last line without its end is of a turn that nobody was told of.
fn read(text: &str) -> Result<Box<Session>> {
    let mut lines = text.split_inclusive('\n');
    let head = lines.next().unwrap_or_default();
    let (mut session, _) = Session::begin(head).map_err(|error| error.message)?;
    for line in lines.filter(|line| line.ends_with('\n')) {
        session.add_turn(line).map_err(|error| error.message)?;
    }
    Ok(session)
}

fn list(folder: &Path) -> Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // Nothing has been said yet.
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(why) => return Err(format!("{}: {why}", folder.display()).into()),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            paths.push(path);
        }
    }
    paths.sort();
    let mut fine = true;
    for path in paths {
        let session = fs::read_to_string(&path).map_err(Into::into);
        match session.and_then(|text| read(&text)) {
            Ok(session) => {
                let last = session.messages.last();
                let last = last.map_or(String::new(), |last| time::rfc3339(last.timestamp_ms));
                let (name, messages) = (&session.name, session.messages.len());
                let turns = session.turns;
                say(&format!(
                    "{name}\t{turns} turns\t{messages} messages\t{last}\n"
                ))?;
            }
            Err(why) => {
                voice::complain(&format!("{}: {why}", path.display()));
                fine = false;
            }
        }
    }
    Ok(fine)
}

/// A message for people.
fn worded(message: &Message) -> String {
    let mut text = String::new();
    if !message.content.is_empty() {
        let who = match message.role {
            Role::Tool => format!("tool {}", message.call_id),
            role => role.as_str().to_owned(),
        };
        text = format!("{who}: {}\n", message.content.trim_end());
    }
    for call in &message.tool_calls {
        text += &format!("call {}: {} {}\n", call.id, call.name, call.arguments);
    }
    text
}
