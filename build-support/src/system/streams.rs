//! Standard output and error of a command whose reader may have gone: what is written then is not
//! wanted, and the command goes on to its exit code.

use std::io::{Error, ErrorKind, Result, Write};

/// A stream, and what it is called where it fails.
pub struct Stream<W>(W, &'static str);

/// Standard output.
pub fn stdout() -> Stream<anstream::Stdout> {
    Stream(anstream::stdout(), "standard output")
}

/// Standard error.
pub fn stderr() -> Stream<anstream::Stderr> {
    Stream(anstream::stderr(), "standard error")
}

/// Says `line` on standard error; where that fails there is nobody to tell.
pub fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

impl<W> Stream<W> {
    fn wanted<T>(&self, done: Result<T>, unread: T) -> Result<T> {
        done.or_else(|error| match error.kind() {
            ErrorKind::BrokenPipe => Ok(unread),
            kind => Err(Error::new(kind, format!("writing to {}: {error}", self.1))),
        })
    }
}

impl<W: Write> Write for Stream<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let done = self.0.write(bytes);
        self.wanted(done, bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        let done = self.0.flush();
        self.wanted(done, ())
    }
}
