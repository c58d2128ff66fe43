//! Bases: a device that has written all there is once more, as segments of its own, says so by a
//! file beside them, `<space>/<device>/<last of them>.base`, which names what they cover. Thirty
//! days later what they cover may go: who has not been here for so long reads the base instead.

use super::{TOKEN, is_device, is_segment};
use crate::serve::store::{Entry, Store};
use clawft_types::json::{self, Value};
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, SystemTime};

/// How the name of such a file ends.
const ENDING: &str = ".base";
/// How long what is covered stays.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The number of the segment that a file is the base of, by its name.
pub(super) fn number(name: &str) -> Option<&str> {
    name.strip_suffix(ENDING)
        .filter(|number| is_segment(number))
}

/// The name of the file for the base that ends with segment `number`.
pub(super) fn name(number: &str) -> String {
    format!("{number}{ENDING}")
}

/// The last segment of each device that is covered, of the file's JSON
/// (`{"covers": {"<device>": "<segment>"}}`); none where it is no such file.
pub(super) fn covers(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let value = json::parse(text).ok()?;
    let Some(Value::Object(members)) = value.get("covers") else {
        return None;
    };
    let member = |(device, last): &(String, Value)| {
        let last = last.as_str().filter(|last| is_segment(last))?;
        is_device(device).then(|| (device.clone(), last.to_owned()))
    };
    members.iter().map(member).collect()
}

/// Removes from `space` what is covered by a base that has been there for long enough at `now`.
/// Those of a base itself come after what it covers of its device, and stay.
///
/// # Errors
/// What the store says.
pub(super) fn clear(store: &Store, space: &str, now: SystemTime) -> io::Result<usize> {
    let entries = store.list(space)?;
    let mut covered: BTreeMap<String, String> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| number(&entry.name).is_some()) {
        let made = store.modified(space, entry)?;
        if now.duration_since(made).unwrap_or_default() < KEPT {
            continue;
        }
        let bytes = store.read(&[space, &entry.folder, &entry.name])?;
        for (device, last) in bytes.as_deref().and_then(covers).unwrap_or_default() {
            let known = covered.entry(device).or_default();
            *known = last.max(std::mem::take(known));
        }
    }
    let gone = |entry: &&Entry| {
        let number = number(&entry.name).unwrap_or(&entry.name);
        let last = covered.get(&entry.folder);
        entry.name != TOKEN && is_segment(number) && last.is_some_and(|last| number <= &**last)
    };
    let gone: Vec<_> = entries.iter().filter(gone).collect();
    for entry in &gone {
        store.remove(&[space, &entry.folder, &entry.name])?;
    }
    Ok(gone.len())
}

#[cfg(test)]
mod tests {
    use super::{KEPT, clear, covers, name, number};
    use crate::serve::store::Store;
    use std::time::{Duration, SystemTime};

    const SPACE: &str = "00112233445566778899aabbccddeeff";

    fn segment(number: u64) -> String {
        format!("{number:016x}")
    }

    /// Protects what devices have said: nothing goes that no base covers, nor before its time, nor
    /// the base itself.
    #[test]
    fn what_is_covered_goes_after_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file:{}", folder.path().display())).unwrap();
        for (device, last) in [("a", 5), ("b", 3), ("c", 1)] {
            for at in 1..=last {
                store.create(&[SPACE, device, &segment(at)], b"x").unwrap();
            }
        }
        // The base is a's 4 and 5, and covers what is before.
        let base = format!(
            "{{\"covers\":{{\"a\":\"{}\",\"b\":\"{}\"}}}}",
            segment(3),
            segment(2)
        );
        let file = name(&segment(5));
        store.create(&[SPACE, "a", &file], base.as_bytes()).unwrap();
        let left = || {
            let entries = store.list(SPACE).unwrap();
            let names = entries
                .into_iter()
                .map(|one| format!("{} {}", one.folder, one.name));
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        };
        let all = left();
        let now = SystemTime::now();
        assert_eq!(clear(&store, SPACE, now).unwrap(), 0);
        assert_eq!(
            clear(&store, SPACE, now + KEPT - Duration::from_secs(60)).unwrap(),
            0
        );
        assert_eq!(left(), all);
        let later = now + KEPT + Duration::from_secs(60);
        assert_eq!(clear(&store, SPACE, later).unwrap(), 5);
        let rest =
            [("a", 4), ("a", 5), ("b", 3), ("c", 1)].map(|(d, n)| format!("{d} {}", segment(n)));
        let mut rest: Vec<_> = rest.into_iter().chain([format!("a {file}")]).collect();
        rest.sort();
        assert_eq!(left(), rest);
        assert_eq!(clear(&store, SPACE, later).unwrap(), 0, "once");
    }

    #[test]
    fn what_is_a_base() {
        assert_eq!(number("0000000000000001.base"), Some("0000000000000001"));
        for other in ["0000000000000001", "1.base", ".base", "token"] {
            assert_eq!(number(other), None, "{other}");
        }
        let one = covers(b"{\"covers\":{\"a\":\"0000000000000001\"},\"from\":1}").unwrap();
        assert_eq!(one, [("a".to_owned(), segment(1))].into());
        for other in [
            &b"{}"[..],
            b"\xff",
            b"{\"covers\":[]}",
            b"{\"covers\":{\"a\":\"1\"}}",
            b"{\"covers\":{\"..\":\"0000000000000001\"}}",
            b"{\"covers\":{\"token\":\"0000000000000001\"}}",
        ] {
            assert_eq!(covers(other), None, "{}", String::from_utf8_lossy(other));
        }
    }
}
