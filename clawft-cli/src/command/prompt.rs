//! A conversation in a terminal. With the feature `editor` lines can be edited and come back from a
//! history; without, they are what the terminal makes of them.

use super::Result;
use super::agent::Talk;

const PROMPT: &str = "> ";

/// Talks until the end of the input.
#[cfg(feature = "editor")]
pub fn run(talk: &mut Talk) -> Result<bool> {
    use rustyline::DefaultEditor;
    use rustyline::error::ReadlineError;

    let mut editor = DefaultEditor::new()?;
    let history = history();
    if let Some(path) = &history {
        // The first time there is none.
        drop(editor.load_history(path));
    }
    let mut fine = true;
    let mut leaving = false;
    loop {
        match editor.readline(PROMPT) {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => {
                editor.add_history_entry(&line)?;
                if let Some(path) = &history
                    && let Err(why) = editor.append_history(path)
                {
                    super::voice::warn(&format!("{}: {why}", path.display()));
                }
                leaving = false;
                fine &= talk.answer(&line)?;
            }
            Err(ReadlineError::Interrupted) if leaving => return Ok(fine),
            Err(ReadlineError::Interrupted) => {
                leaving = true;
                super::voice::note("Ctrl-C once more, or Ctrl-D, ends it");
            }
            Err(ReadlineError::Eof) => return Ok(fine),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The file of the lines that were typed, in `XDG_STATE_HOME` or `~/.local/state`.
#[cfg(feature = "editor")]
fn history() -> Option<std::path::PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(std::path::PathBuf::from);
    let state = folder("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let state = state.or_else(|| folder("HOME").map(|home| home.join(".local/state")))?;
    let folder = state.join("clawft");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

/// Talks until the end of the input.
#[cfg(not(feature = "editor"))]
pub fn run(talk: &mut Talk) -> Result<bool> {
    let mut fine = true;
    loop {
        super::say(PROMPT)?;
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line)? == 0 {
            super::say("\n")?;
            return Ok(fine);
        }
        if !line.trim().is_empty() {
            fine &= talk.answer(line.trim_end_matches(['\n', '\r']))?;
        }
    }
}
