//! The files of a bundle in memory, what they weigh, and the id of them.

use crate::measure::sizes;
use crate::report::{Size, Sizes};
use crate::system::digest;
use std::collections::{BTreeMap, BTreeSet};

/// What is replaced by the build id in the files of the root.
const BUILD: &str = "__BUILD__";
/// What is replaced by the policy there.
const POLICY: &str = "__POLICY__";
/// How many digits of the digest are the build id.
const DIGITS: usize = 16;

/// Files by their paths.
pub type Contents = BTreeMap<String, Vec<u8>>;

/// A file and its compressed forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// As it is.
    pub raw: Vec<u8>,
    /// Smaller; none where that is not.
    pub gzip: Option<Vec<u8>>,
    /// The same with brotli.
    pub brotli: Option<Vec<u8>>,
}

impl Served {
    /// Compresses it.
    pub fn new(raw: Vec<u8>) -> Self {
        let smaller = |size| {
            let bytes = sizes::compressed(&raw, size);
            (bytes.len() < raw.len()).then_some(bytes)
        };
        Self {
            gzip: smaller(Size::Gzip),
            brotli: smaller(Size::Brotli),
            raw,
        }
    }

    /// What it takes over the network, by what the browser takes.
    pub fn sizes(&self) -> Sizes {
        let least = |form: &Option<Vec<u8>>| form.as_ref().unwrap_or(&self.raw).len() as u64;
        Sizes {
            raw: self.raw.len() as u64,
            gzip: least(&self.gzip),
            brotli: least(&self.brotli),
        }
    }
}

/// 16 digits of the SHA-256 of the files and of the templates, whatever their order was.
pub fn build_id(templates: &Contents, files: &Contents) -> String {
    let mut key = digest::Key::start();
    for (path, bytes) in templates.iter().chain(files) {
        key = key.with(path).with(bytes);
    }
    let mut id = key.finish();
    id.truncate(DIGITS);
    id
}

/// A template filled in.
pub fn filled(template: &str, build: &str, policy: &str) -> String {
    template.replace(BUILD, build).replace(POLICY, policy)
}

/// Its template again.
pub fn emptied(file: &str, build: &str, policy: &str) -> String {
    file.replace(build, BUILD).replace(policy, POLICY)
}

/// The files that are loaded with `start`, itself among them: whatever a script or page imports, or
/// hands to something by name; what `import()` takes loads later.
pub fn loaded(files: &Contents, start: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![start.to_owned()];
    while let Some(path) = open.pop() {
        let Some(bytes) = files.get(&path) else {
            continue;
        };
        if found.insert(path.clone()) && is_text(&path) {
            open.extend(named(&String::from_utf8_lossy(bytes)));
        }
    }
    found
}

fn is_text(path: &str) -> bool {
    [".html", ".js", ".css"]
        .iter()
        .any(|end| path.ends_with(end))
}

/// What stands in quotes and may be a path.
fn named(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, quote) in text.char_indices().filter(|(_, c)| matches!(c, '"' | '\'')) {
        let rest = &text[at + 1..];
        let Some(end) = rest.find(['"', '\'', '\n', ' ']) else {
            continue;
        };
        let is_whole = rest[end..].starts_with(quote);
        let before = text[..at].trim_end();
        let is_taken = ["from", "import", "(", "="]
            .iter()
            .any(|end| before.ends_with(end));
        if is_whole && is_taken && !before.ends_with("import(") {
            let path = rest[..end].trim_start_matches("./");
            let path = path.strip_prefix(BUILD).unwrap_or(path);
            found.push(path.trim_start_matches('/').to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Contents, Served, build_id, emptied, filled, loaded};

    fn files(all: &[(&str, &str)]) -> Contents {
        let all = all.iter();
        all.map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn the_id_is_of_names_and_bytes() {
        let id = |all: &[(&str, &str)]| build_id(&files(&[("index.html", "i")]), &files(all));
        let one = id(&[("a", "1"), ("b", "2")]);
        assert_eq!(one.len(), 16);
        assert_eq!(one, id(&[("b", "2"), ("a", "1")]));
        for other in [
            id(&[("a", "1"), ("b", "3")]),
            id(&[("a", "1"), ("c", "2")]),
            id(&[("a", "12"), ("b", "")]),
            id(&[("a", "1")]),
        ] {
            assert_ne!(one, other);
        }
        assert_ne!(
            one,
            build_id(
                &files(&[("index.html", "j")]),
                &files(&[("a", "1"), ("b", "2")])
            )
        );
    }

    #[test]
    fn templates_are_filled_and_emptied() {
        let template = "<script src=\"__BUILD__/a.js\"> __POLICY__ __BUILD__";
        let file = filled(template, "0123456789abcdef", "default-src 'none'");
        assert_eq!(
            file,
            "<script src=\"0123456789abcdef/a.js\"> default-src 'none' 0123456789abcdef"
        );
        assert_eq!(
            emptied(&file, "0123456789abcdef", "default-src 'none'"),
            template
        );
    }

    #[test]
    fn what_is_loaded_is_followed() {
        let files = files(&[
            (
                "index.html",
                "<link href='__BUILD__/style.css'><script type=module src=\"__BUILD__/page.js\">",
            ),
            (
                "page.js",
                "const later = { a: './later.js' }; import { a } from \"./a.js\"; new URL('./worker.js', import.meta.url)",
            ),
            (
                "a.js",
                "import './page.js'; const s = \"it's not ./later.js\"",
            ),
            (
                "worker.js",
                "const later = await import(\"./later.js\"); fetch(\"plan.json\")",
            ),
            ("later.js", "x"),
            ("style.css", "x"),
            ("plan.json", "\"later.js\""),
        ]);
        let found: Vec<_> = loaded(&files, "index.html").into_iter().collect();
        let expected = [
            "a.js",
            "index.html",
            "page.js",
            "plan.json",
            "style.css",
            "worker.js",
        ];
        assert_eq!(found, expected);
        assert_eq!(loaded(&files, "later.js").len(), 1);
        assert!(loaded(&files, "missing.js").is_empty());
    }

    /// Protects who serves it: a compressed form that is larger is none.
    #[test]
    fn compressed_forms_are_smaller() {
        let short = Served::new(b"x".to_vec());
        assert_eq!((&short.gzip, &short.brotli), (&None, &None));
        assert_eq!(short.sizes().brotli, 1);
        let long = Served::new(b"again and ".repeat(100));
        let sizes = long.sizes();
        assert_eq!(sizes.raw, 1_000);
        assert!(sizes.brotli < sizes.gzip && sizes.gzip < 100, "{sizes:?}");
    }
}
