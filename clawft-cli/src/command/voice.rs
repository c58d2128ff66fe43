//! What is said to people on standard error: colours only where a terminal wants them (`NO_COLOR`,
//! `CLICOLOR`), nothing in the way of what the program answers.

use std::io::Write as _;

const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[1;33m";
const PLAIN: &str = "\u{1b}[0m";

/// Something went wrong.
pub fn complain(message: &str) {
    say(&format!("{RED}error:{PLAIN} {message}"));
}

/// Something should be known.
pub fn warn(message: &str) {
    say(&format!("{YELLOW}warning:{PLAIN} {message}"));
}

/// A line for people.
pub fn note(message: &str) {
    say(message);
}

fn say(line: &str) {
    // There is nobody left to tell.
    drop(writeln!(anstream::stderr(), "{line}"));
}
