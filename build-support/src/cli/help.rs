//! The command line read, and what is said of it: with the names that the program was called by,
//! and no wider than the terminal.

use crate::cli::terminal;
use crate::system::{calling, streams};
use clap::{Command, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io::Write as _;

/// How far a comment on an example stands from the edge at most.
const WIDEST_EXAMPLE: usize = 40;

/// What the commands are called in texts.
const HERE: &str = "build-support ";

/// Reads the command line, or ends the program with what there is to say about it.
pub fn parse<T: CommandFactory + FromArgMatches>(arguments: Vec<OsString>) -> T {
    let mut command = T::command();
    let read = command.try_get_matches_from_mut(arguments);
    let error = match read.and_then(|matches| T::from_arg_matches(&matches)) {
        Ok(read) => return read,
        Err(error) => error.format(&mut command),
    };
    let names: Vec<_> = command.get_subcommands().map(|c| c.get_name()).collect();
    let mut said = named(&error.render().ansi().to_string(), &names, calling::call);
    for own in ["init", "check"] {
        let there = calling::budget(own);
        said = said.replace(&format!("cargo budget {own}"), &there);
    }
    let said = laid_out(&said, terminal::columns(error.use_stderr()));
    // Nothing is left to do where the stream is gone.
    let _ = if error.use_stderr() {
        streams::stderr().write_all(said.as_bytes())
    } else {
        streams::stdout().write_all(said.as_bytes())
    };
    std::process::exit(error.exit_code());
}

/// The command with the texts of its subcommands naming it as `root`.
pub fn renamed(command: Command, root: &str) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut command = command;
    for name in &names {
        command = command.mut_subcommand(name, |own| {
            let Some(text) = own.get_after_help().map(ToString::to_string) else {
                return own;
            };
            own.after_help(named(&text, &known, |word| format!("{root} {word}")))
        });
    }
    command
}

/// The text with the commands in it as `call` has them.
fn named(text: &str, subcommands: &[&str], call: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(HERE) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        rest = &after[HERE.len()..];
        let plain = rest
            .split(|c: char| !(c.is_alphanumeric() || c == '-'))
            .next();
        match plain.filter(|word| subcommands.contains(word)) {
            Some(word) => {
                out.push_str(&call(word));
                rest = &rest[word.len()..];
            }
            None => out.push_str(HERE),
        }
    }
    out + rest
}

/// The text in so many columns: paragraphs, examples with what is said of each, and lists.
fn laid_out(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut lines = joined(text).into_iter().peekable();
    while let Some(line) = lines.next() {
        for piece in folded(&line, columns) {
            out.push_str(&piece);
            out.push('\n');
        }
        if line == "Examples:" {
            let mut block = Vec::new();
            while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
                block.push(line);
            }
            out.push_str(&examples(&block, columns));
        }
    }
    out
}

/// The lines, those that were only broken for whoever reads the source put together.
fn joined(text: &str) -> Vec<String> {
    const BROKEN: usize = 92;
    let mut lines: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        // These begin something new.
        goes_on &= line != "Examples:" && !line.starts_with("Exit codes:");
        match lines
            .last_mut()
            .filter(|_| goes_on && !line.starts_with(' '))
        {
            Some(last) => {
                last.push(' ');
                last.push_str(line);
            }
            None => lines.push(line.to_owned()),
        }
        goes_on = !line.starts_with(' ') && width(line) > BROKEN;
    }
    lines
}

/// Commands, each with what is said of it beside or below it.
fn examples(block: &[String], columns: usize) -> String {
    let mut all: Vec<(String, String)> = Vec::new();
    for line in block {
        let (command, comment) = match line.strip_prefix("      ") {
            // What is said of the command above, which was too long to have it beside it.
            Some(comment) => ("", comment.trim()),
            None => line.trim().split_once("   ").unwrap_or((line.trim(), "")),
        };
        match all.last_mut().filter(|_| command.is_empty()) {
            Some((_, last)) => *last = format!("{last} {}", comment.trim()).trim().to_owned(),
            None => all.push((command.trim().to_owned(), comment.trim().to_owned())),
        }
    }
    let widths = all.iter().map(|(command, _)| width(command) + 4);
    let column = widths
        .filter(|width| *width <= WIDEST_EXAMPLE)
        .max()
        .unwrap_or(6);
    let mut out = String::new();
    for (command, comment) in all {
        let mut line = format!("  {command}");
        if !comment.is_empty() {
            let beside = width(&line) + 2 <= column;
            if beside {
                line += &" ".repeat(column - width(&line));
            } else {
                out.push_str(&shell(&line, columns));
                line = " ".repeat(column);
            }
            line += &comment;
            out.push_str(&(hanging(&line, columns, column).join("\n") + "\n"));
        } else {
            out.push_str(&shell(&line, columns));
        }
    }
    out
}

/// A command, which goes on behind a backslash where it is too long.
fn shell(line: &str, columns: usize) -> String {
    hanging(line, columns.saturating_sub(2), 6).join(" \\\n") + "\n"
}

/// A line in so many columns. What goes on stands below the text of an entry of a list.
fn folded(line: &str, columns: usize) -> Vec<String> {
    let indent = width(line) - width(line.trim_start());
    let entry = (indent > 0).then(|| {
        let text = plain(line);
        let gap = text[indent..].find("  ")? + indent;
        let description = text[gap..].trim_start();
        Some(text[..text.len() - description.len()].chars().count())
    });
    hanging(line, columns, entry.flatten().unwrap_or(indent))
}

/// Breaks `line` between words; all pieces but the first are indented.
fn hanging(line: &str, columns: usize, indent: usize) -> Vec<String> {
    if width(line) <= columns {
        return vec![line.to_owned()];
    }
    let start = line.len() - line.trim_start().len();
    let mut pieces = Vec::new();
    let mut piece = line[..start].to_owned();
    let mut is_empty = true;
    for word in line[start..].split(' ') {
        if !is_empty && width(&piece) + 1 + width(word) > columns && !word.is_empty() {
            pieces.push(piece.trim_end().to_owned());
            piece = " ".repeat(indent);
            is_empty = true;
        }
        if !is_empty {
            piece.push(' ');
        }
        piece.push_str(word);
        is_empty = false;
    }
    pieces.push(piece.trim_end().to_owned());
    pieces
}

fn width(text: &str) -> usize {
    plain(text).chars().count()
}

/// The text without what colours it.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::{laid_out, width};

    /// Protects whoever has a terminal of 80 columns: nothing is lost, and nothing wraps.
    #[test]
    fn help_is_laid_out_for_the_terminal() {
        let text = "\
This is a paragraph that whoever wrote it has broken where the source ends, and not where a terminal does, so that
it is put together first, with a long line at its end, which is not put together with what begins below it.
Examples:
  tool do this        what it does
  tool do something with very many arguments --and another --and one more
                      what it does, and more words than there is room for
Options:
  -l, --long <LONG>   what this option does, in more words than a line of this terminal can have
";
        let laid = laid_out(text, 60);
        assert!(laid.lines().all(|line| width(line) <= 60), "{laid}");
        assert_eq!(
            laid,
            "\
This is a paragraph that whoever wrote it has broken where
the source ends, and not where a terminal does, so that it
is put together first, with a long line at its end, which is
not put together with what begins below it.
Examples:
  tool do this  what it does
  tool do something with very many arguments --and another \\
      --and one more
                what it does, and more words than there is
                room for
Options:
  -l, --long <LONG>   what this option does, in more words
                      than a line of this terminal can have
"
        );
    }
}
