//! Server-sent events (HTML Living Standard, 9.2.6), bit by bit.
//!
//! Lines end with LF, CR or both, wherever the bytes are cut; a byte order mark before the first is
//! dropped; comments and fields other than `data` are passed over. The data lines of an event are
//! handed out together at the empty line behind them.

use core_alloc::vec::Vec;

/// Bytes of a line, and of the data of an event.
const MAX_BYTES: usize = 1024 * 1024;

/// A reader of events.
#[derive(Debug, Default)]
pub struct Sse {
    /// What has come of the line that has not ended.
    line: Vec<u8>,
    /// The data of the event that has not ended, each line with its end.
    data: Vec<u8>,
    /// Whether the last byte was CR: an LF behind it is of the same end.
    after_cr: bool,
    /// Whether the first line is through.
    is_begun: bool,
}

/// A line or an event has more than 1 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

impl Sse {
    /// Reads on; hands the data of each event that ends in `bytes` to `take`.
    ///
    /// # Errors
    ///
    /// [`TooLong`].
    pub fn push(&mut self, bytes: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<(), TooLong> {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if core::mem::take(&mut self.after_cr) && *first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
            if self.line.len() + part.len() + self.data.len() > MAX_BYTES {
                return Err(TooLong);
            }
            self.line.extend_from_slice(part);
            rest = after;
            if let Some(ending) = rest.first() {
                self.after_cr = *ending == b'\r';
                rest = rest.get(1..).unwrap_or_default();
                self.end_line(take);
            }
        }
        Ok(())
    }

    fn end_line(&mut self, take: &mut dyn FnMut(&[u8])) {
        let mut line = self.line.as_slice();
        if !core::mem::replace(&mut self.is_begun, true) {
            line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        }
        if line.is_empty() {
            if let Some((_, data)) = self.data.split_last() {
                take(data);
            }
            self.data.clear();
        } else if let Some(value) = line.strip_prefix(b"data") {
            if let Some(value) = value.strip_prefix(b":") {
                let value = value.strip_prefix(b" ").unwrap_or(value);
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            } else if value.is_empty() {
                self.data.push(b'\n');
            }
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core_alloc::string::String;

    fn events(parts: &[&[u8]]) -> Vec<String> {
        let mut sse = Sse::default();
        let mut events = Vec::new();
        for part in parts {
            let taken = sse.push(part, &mut |data| {
                events.push(String::from_utf8(data.to_vec()).unwrap());
            });
            taken.unwrap();
        }
        events
    }

    #[test]
    fn what_a_stream_may_look_like() {
        for (text, want) in [
            ("data: a\n\ndata: b\n\n", &["a", "b"][..]),
            ("data:a\r\rdata:b\r\n\r\n", &["a", "b"]),
            ("\u{feff}data: a\n\n", &["a"]),
            (": ping\n\nevent: x\ndata: a\nid: 7\nretry: 9\n\n", &["a"]),
            ("data: a\ndata:  b\ndata\ndata:\n\n", &["a\n b\n\n"]),
            ("data\n\n", &[""]),
            ("database: x\n\n\n\n", &[]),
            ("data: é😀\n\n", &["é😀"]),
            ("data: not ended", &[]),
            ("data: not ended\n", &[]),
        ] {
            assert_eq!(events(&[text.as_bytes()]), want, "{text:?}");
            for cut in 0..=text.len() {
                let (one, two) = text.as_bytes().split_at(cut);
                assert_eq!(events(&[one, two]), want, "{text:?} at {cut}");
            }
            let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(events(&single), want, "{text:?}");
        }
    }

    #[test]
    fn lines_and_events_have_an_end() {
        let mut sse = Sse::default();
        let long = vec![b'x'; MAX_BYTES];
        assert_eq!(sse.push(&long, &mut |_| ()), Ok(()));
        assert_eq!(sse.push(b"x", &mut |_| ()), Err(TooLong));
        let mut sse = Sse::default();
        let line = [b"data: ", vec![b'x'; MAX_BYTES / 2].as_slice(), b"\n"].concat();
        assert_eq!(sse.push(&line, &mut |_| ()), Ok(()));
        assert_eq!(sse.push(&line, &mut |_| ()), Err(TooLong));
    }
}
