//! A bundle on disk: written whole, and read again by whoever does not trust it.

use super::audit::{self, About, PAGE, PLAN, SERVICE_WORKER};
use super::contents::{self, Contents, Served};
use super::manifest::Manifest;
use super::{pack, policy};
use crate::error::{Error, Result};
use crate::report::bundle::{FirstAnswer, Row, SCHEMA};
use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The audit's name.
const AUDIT: &str = "audit.json";
/// The ends of compressed forms.
const FORMS: [&str; 2] = [".br", ".gz"];
/// How folders begin that are not there yet, or no longer.
const TEMPORARY: &str = ".build-support-bundle-";
/// The most bytes that a compressed form may stand for.
const MOST: u64 = 1 << 30;

/// `audit.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// [`SCHEMA`].
    pub version: u32,
    /// The id of the contents, which is the folder's name.
    pub build: String,
    /// The policy, for the header.
    pub policy: String,
    /// What the package said.
    pub about: About,
    /// What each example takes over the network before it answers.
    pub first_answer: Vec<FirstAnswer>,
    /// The table.
    pub rows: Vec<Row>,
}

/// What was found in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audited {
    /// The id of the contents.
    pub build: String,
    /// The examples in their order.
    pub examples: Vec<String>,
    /// The table as it is found now.
    pub rows: Vec<Row>,
    /// What is said and not so, a line each.
    pub faults: Vec<String>,
}

/// Writes the bundle to `folder` whole; gives whether it was there already, as it is.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] where there is a folder that has something else in it. What was
/// there stays then.
pub(super) fn write(
    folder: &Path,
    served: &BTreeMap<String, Served>,
    audit: &Audit,
) -> Result<bool> {
    let mut all: BTreeMap<String, &[u8]> = BTreeMap::new();
    for (path, served) in served {
        all.insert(path.clone(), &served.raw);
        let forms = [(".br", &served.brotli), (".gz", &served.gzip)];
        for (end, form) in forms {
            all.extend(form.as_deref().map(|bytes| (format!("{path}{end}"), bytes)));
        }
    }
    let text = serde_json::to_string_pretty(audit)
        .map_err(|why| Error::input(folder, why.to_string(), "this is a mistake of the tool"))?;
    let text = text + "\n";
    all.insert(AUDIT.to_owned(), text.as_bytes());
    // A link stays one.
    let folder = &folder.canonicalize().unwrap_or(folder.to_owned());
    let parent = folder.parent().unwrap_or(Path::new("."));
    remove_leftovers(parent)?;
    if folder.exists() {
        let there = pack::read(folder)?;
        let same = there.iter().map(|(path, bytes)| (path, bytes.as_slice()));
        if same.eq(all.iter().map(|(path, bytes)| (path, *bytes))) {
            return Ok(true);
        }
        refuse_others(folder, &there)?;
    }
    let made = temporary(parent)?;
    for (path, bytes) in &all {
        let path = made.path().join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io("creating folder", folder))?;
        }
        std::fs::write(&path, bytes).map_err(Error::io("writing", &path))?;
    }
    let before = temporary(parent)?;
    if folder.exists() {
        let old = before.path().join("old");
        std::fs::rename(folder, &old).map_err(Error::io("renaming", folder))?;
    }
    let moved = std::fs::rename(made.path(), folder).map_err(Error::io("renaming to", folder));
    if moved.is_err() {
        // What was there comes back.
        let _ = std::fs::rename(before.path().join("old"), folder);
    } else {
        // It is no temporary folder any more.
        let _ = made.keep();
    }
    moved.map(|()| false)
}

fn temporary(parent: &Path) -> Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
    builder
        .tempdir_in(parent)
        .map_err(Error::io("creating a folder in", parent))
}

/// What killed runs left; whoever calls holds the lock.
fn remove_leftovers(parent: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            std::fs::remove_dir_all(&path).map_err(Error::io("removing", &path))?;
        }
    }
    Ok(())
}

/// A folder that is replaced must be a bundle, and nothing else.
fn refuse_others(folder: &Path, there: &Contents) -> Result<()> {
    let own = [PAGE, SERVICE_WORKER, AUDIT];
    let is_build = |name: &str| name.len() == 16 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let is_own = |path: &str| {
        let bare = bare(path);
        own.contains(&bare) || path.split_once('/').is_some_and(|(name, _)| is_build(name))
    };
    let other = there.keys().find(|path| !is_own(path));
    let other = other.map(|path| folder.join(path));
    match other.or(hidden(folder)?) {
        Some(other) => Err(Error::input(
            &other,
            "it is of no bundle, and the folder is replaced as a whole",
            "move it elsewhere, or give another folder with --out-dir",
        )),
        None => Ok(()),
    }
}

/// A file or folder that begins with a dot: no bundle has one.
fn hidden(folder: &Path) -> Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder).map_err(Error::io("listing", folder))? {
        let entry = entry.map_err(Error::io("listing", folder))?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            return Ok(Some(path));
        }
        let kind = entry.file_type().map_err(Error::io("reading", &path))?;
        if kind.is_dir() {
            let found = hidden(&path)?;
            if found.is_some() {
                return Ok(found);
            }
        }
    }
    Ok(None)
}

/// The path of a file without the end of a compressed form.
fn bare(path: &str) -> &str {
    let ends = FORMS.iter().find_map(|end| path.strip_suffix(end));
    ends.unwrap_or(path)
}

/// Looks at a bundle that is there, believing nothing of it.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] where it is no bundle.
pub fn audit(folder: &Path) -> Result<Audited> {
    let mut there = pack::read(folder)?;
    let stated: Audit = json(folder, &mut there, AUDIT)?;
    let (build, mut faults) = (stated.build.clone(), Vec::new());
    let (mut files, mut root) = (Contents::new(), Contents::new());
    for (path, bytes) in there {
        match path.strip_prefix(&format!("{build}/")) {
            Some(path) => files.insert(path.to_owned(), bytes),
            None => root.insert(path, bytes),
        };
    }
    for contents in [&mut files, &mut root] {
        faults.extend(forms(contents));
    }
    let plan: Manifest = json(folder, &mut files.clone(), PLAN)?;
    let page = root.get(PAGE).cloned().unwrap_or_default();
    let known = [(PAGE.to_owned(), Served::new(page).sizes())].into();
    faults.extend(other_head(&stated, &plan, &mut root, &files));
    faults.extend(audit::differences(&plan, &files));
    let rows = audit::run(&audit::Input {
        plan: &plan,
        root: &root,
        files: &files,
        known: &known,
        about: &stated.about,
    })?;
    faults.extend(other_cells(&stated.rows, &rows));
    for (row, example) in audit::false_claims(&rows) {
        let evidence = &row.cells[example].evidence;
        faults.push(format!(
            "{example}: {} is claimed, and not found: {evidence}",
            row.name
        ));
    }
    Ok(Audited {
        build,
        examples: plan.examples.iter().map(|one| one.name.clone()).collect(),
        rows,
        faults,
    })
}

/// Takes a file of a bundle out, and reads it.
fn json<T: DeserializeOwned>(folder: &Path, there: &mut Contents, name: &str) -> Result<T> {
    let bytes = there.remove(name).ok_or("it is not there".to_owned());
    let read =
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|why| why.to_string()));
    read.map_err(|why| {
        Error::input(
            &folder.join(name),
            format!("it is not what a bundle has: {why}"),
            "`cargo bundle` makes one",
        )
    })
}

/// What is said otherwise of version, policy and build; the files of the root become templates.
fn other_head(
    stated: &Audit,
    plan: &Manifest,
    root: &mut Contents,
    files: &Contents,
) -> Vec<String> {
    let (build, policy) = (&stated.build, policy::of(plan));
    let mut faults = Vec::new();
    let page = root.get(PAGE).map(|page| String::from_utf8_lossy(page));
    if !page.is_some_and(|page| page.contains(&policy.meta)) {
        faults.push(format!(
            "{PAGE} has another policy than its examples ask for"
        ));
    }
    if policy.header != stated.policy {
        faults.push(format!(
            "{AUDIT} has another policy than its examples ask for"
        ));
    }
    for bytes in root.values_mut() {
        let text = String::from_utf8_lossy(bytes);
        *bytes = contents::emptied(&text, build, &policy.meta).into_bytes();
    }
    let is = contents::build_id(root, files);
    if is != *build {
        faults.push(format!("the contents are {is}, and {AUDIT} says {build}"));
    }
    if stated.version != SCHEMA {
        let version = stated.version;
        faults.push(format!(
            "{AUDIT} has version {version}, this tool reads {SCHEMA}"
        ));
    }
    faults
}

/// Takes the compressed forms out, and says which are of something else.
fn forms(contents: &mut Contents) -> Vec<String> {
    let ends = |path: &String| FORMS.iter().any(|end| path.ends_with(end));
    let paths: Vec<_> = contents.keys().filter(|path| ends(path)).cloned().collect();
    let mut faults = Vec::new();
    for path in paths {
        let Some(bytes) = contents.remove(&path) else {
            continue;
        };
        let mut raw = Vec::new();
        let read = if path.ends_with(".gz") {
            GzDecoder::new(bytes.as_slice())
                .take(MOST)
                .read_to_end(&mut raw)
        } else {
            let decoder = brotli::Decompressor::new(bytes.as_slice(), 4_096);
            decoder.take(MOST).read_to_end(&mut raw)
        };
        if read.is_err() || contents.get(bare(&path)) != Some(&raw) {
            faults.push(format!("{path} is another file than {}", bare(&path)));
        }
    }
    faults
}

/// What the table that is there says otherwise.
fn other_cells(stated: &[Row], found: &[Row]) -> Vec<String> {
    let cell = |rows: &[Row], name: &str, example: &str| {
        let row = rows.iter().find(|row| row.name == name)?;
        row.cells.get(example).cloned()
    };
    let mut faults = Vec::new();
    for row in found {
        for (example, is) in &row.cells {
            let said = cell(stated, &row.name, example);
            if said.as_ref() != Some(is) {
                let said = said.map_or("nothing".to_owned(), |one| {
                    format!("{}, {}: {}", one.built, one.bundle, one.evidence)
                });
                faults.push(format!(
                    "{example}: {}: {AUDIT} says {said}; found is {}, {}: {}",
                    row.name, is.built, is.bundle, is.evidence
                ));
            }
        }
    }
    for row in stated {
        for example in row.cells.keys() {
            if cell(found, &row.name, example).is_none() {
                faults.push(format!("{example}: {}: nobody knows such a row", row.name));
            }
        }
    }
    faults
}
