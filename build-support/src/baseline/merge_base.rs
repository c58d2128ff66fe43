//! Which baseline counts: in a git repository that of the merge base with the default branch, so
//! that a change cannot loosen what it is measured against.

use crate::baseline::file::{self, File};
use crate::config::Tolerance;
use crate::error::{Error, Result};
use crate::gate::entries::{Entries, fingerprint};
use crate::gate::entry::Entry;
use crate::gate::succession::{self, Weakened};
use crate::report::{Raise, Report};
use crate::system::process;
use std::path::Path;

/// What stands for the default branch where nobody names one, in the order it is tried.
const DEFAULT: [&str; 5] = [
    "origin/HEAD",
    "origin/main",
    "origin/master",
    "main",
    "master",
];

/// A file, and where it is from.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Where it is from, in words: `the merge base with origin/main`.
    pub from: String,
    /// The commit; none for the working tree.
    pub commit: Option<String>,
    /// Its text; none where there is no such file there.
    pub text: Option<String>,
    /// What it says.
    pub file: File,
}

/// The two files a change is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Both {
    /// The working tree's.
    pub work: Found,
    /// The merge base's; none outside of git.
    pub base: Option<Found>,
    /// Why the base is none, or not the merge base with a default branch; empty where all is as it
    /// should be.
    pub note: String,
}

/// What counts for one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen<'b> {
    /// The entry of its toolchain, or else the one that is most like it; none where there is none
    /// yet.
    pub entry: Option<&'b Entry>,
    /// Whose that is.
    pub found: &'b Found,
    /// What the change began with, where it has changed that entry.
    pub base: Option<(&'b Entry, &'b Found)>,
    /// Raises that the change brings.
    pub raises: &'b [Raise],
    /// What is wrong with the working tree's.
    pub fault: Option<Fault>,
}

/// An entry of the working tree that cannot have come from the merge base's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The fingerprint of its toolchain.
    pub key: String,
    /// Why not.
    pub why: Weakened,
}

/// Reads the file of the working tree in `root`, and that of the merge base with `wanted` or the
/// default branch.
///
/// # Errors
/// [`Error::Input`] where one of them is no baseline, [`Error::Process`] where `wanted` is no
/// commit.
pub fn read(root: &Path, wanted: Option<&str>) -> Result<Both> {
    let path = root.join(File::NAME);
    let text = file::text(&path)?;
    let file = text.as_ref().map(|text| File::parse(&path, text));
    let work = Found {
        from: "the working tree".to_owned(),
        commit: None,
        file: file.transpose()?.unwrap_or_default(),
        text,
    };
    let (base, note) = match merge_base(root, wanted)? {
        Base::At { from, commit, note } => (Some(at(root, &path, from, commit)?), note),
        Base::None(note) => (None, note),
    };
    Ok(Both { work, base, note })
}

impl Both {
    /// What counts for the file that `report` is of. The working tree's entry of its toolchain,
    /// where it can have come from the base's: it is then tighter, taken over, or raised for a
    /// reason that is shown. Otherwise the base's.
    pub fn choose(&self, report: &Report, tolerance: &Tolerance) -> Chosen<'_> {
        let none = Entries::default();
        let own = fingerprint(&report.toolchain);
        let after = self.work.entries(report);
        let chosen = |found, entry| Chosen {
            entry,
            found,
            base: None,
            raises: &[],
            fault: None,
        };
        let base = self
            .base
            .as_ref()
            .and_then(|base| Some((base, base.entries(report)?)));
        let Some((base, before)) = base.filter(|(_, before)| !before.is_empty()) else {
            let nearest = after.and_then(|after| after.nearest(report));
            return chosen(&self.work, nearest);
        };
        let from_base = chosen(base, before.nearest(report));
        let entry = after.and_then(|after| after.get(&own));
        if entry.is_none() && before.get(&own).is_some() {
            let (key, why) = (own, Weakened::Gone);
            let fault = Some(Fault { key, why });
            return Chosen { fault, ..from_base };
        }
        let fault = succession::first_fault(before, after.unwrap_or(&none), tolerance);
        let fault = fault.map(|(key, why)| Fault { key, why });
        // Where nothing was changed, it is the base's that is named.
        let changed = entry.filter(|entry| before.get(&own) != Some(entry));
        let is_own = fault.as_ref().is_some_and(|fault| fault.key == own);
        let Some(entry) = changed.filter(|_| !is_own) else {
            return Chosen { fault, ..from_base };
        };
        let came = from_base
            .entry
            .map(|before| succession::succeeds(before, entry, tolerance));
        Chosen {
            base: from_base.entry.map(|before| (before, base)),
            raises: came.and_then(Result::ok).unwrap_or_default(),
            fault,
            ..chosen(&self.work, Some(entry))
        }
    }
}

impl Both {
    /// The working tree's entries of `report`'s file; what was changed by hand is as in the base.
    pub fn mended(&self, report: &Report, tolerance: &Tolerance) -> Entries {
        let entries = self.work.entries(report).cloned().unwrap_or_default();
        let base = self.base.as_ref().and_then(|base| base.entries(report));
        let Some(base) = base.filter(|base| !base.is_empty()) else {
            return entries;
        };
        if entries.is_empty() {
            return base.clone();
        }
        let mut mended = entries;
        let own = fingerprint(&report.toolchain);
        if mended.get(&own).is_none() {
            mended.restore(&own, base.get(&own));
        }
        while let Some((key, _)) = succession::first_fault(base, &mended, tolerance) {
            mended.restore(&key, base.get(&key));
        }
        mended
    }
}

impl Both {
    /// The raises that the change brings to an entry of `report`'s file, each with the fingerprint
    /// of that entry; those of one, for the others have them carried over.
    pub fn raises(&self, report: &Report, tolerance: &Tolerance) -> Vec<(&str, &Raise)> {
        let base = self.base.as_ref().and_then(|base| base.entries(report));
        let (Some(before), Some(after)) = (base, self.work.entries(report)) else {
            return Vec::new();
        };
        let of = |(key, entry)| {
            let raises = succession::succeeds(before.get(key)?, entry, tolerance).ok()?;
            let own = raises.iter().filter(|raise| raise.carried.is_none());
            let own: Vec<_> = own.map(|raise| (key, raise)).collect();
            (!own.is_empty()).then_some(own)
        };
        after.iter().find_map(of).unwrap_or_default()
    }
}

impl Found {
    /// The entries of `report`'s package and target.
    pub fn entries(&self, report: &Report) -> Option<&Entries> {
        self.file.entries(&report.package, &report.target)
    }
}

/// The commit that is checked out in `folder`; empty where git does not say.
pub fn commit(folder: &Path) -> String {
    git(folder, &["rev-parse", "--short=12", "HEAD"]).unwrap_or_default()
}

enum Base {
    At {
        from: String,
        commit: String,
        note: String,
    },
    None(String),
}

fn merge_base(root: &Path, wanted: Option<&str>) -> Result<Base> {
    let exists = |name: &str| {
        let commit = format!("{name}^{{commit}}");
        git(root, &["rev-parse", "--verify", "--quiet", &commit])
    };
    let head = match exists("HEAD") {
        Ok(head) => head,
        Err(error) if wanted.is_some() => return Err(error),
        Err(error) => return Ok(Base::None(no_repository(&error))),
    };
    let branch = match wanted {
        Some(name) => {
            exists(name).map_err(|_| {
                Error::toolchain(
                    format!("--base {name}: git knows no such commit here"),
                    "fetch it first, or name another; a shallow clone has little more than HEAD",
                )
            })?;
            Some(name)
        }
        None => DEFAULT.into_iter().find(|name| exists(name).is_ok()),
    };
    let Some(branch) = branch else {
        return Ok(Base::At {
            from: "HEAD".to_owned(),
            commit: head,
            note: "git knows no default branch here, so that what HEAD itself changes counts: name one with --base"
                .to_owned(),
        });
    };
    Ok(match git(root, &["merge-base", "HEAD", branch]) {
        Ok(commit) if !commit.is_empty() => Base::At {
            from: format!("the merge base with {branch}"),
            commit,
            note: String::new(),
        },
        _ => Base::None(format!(
            "HEAD and {branch} have no merge base here: is the clone shallow? `git fetch --unshallow` mends that"
        )),
    })
}

/// Why there is no repository: as a rule because there is none, which git need not say; sometimes
/// because git will not look.
fn no_repository(error: &Error) -> String {
    let said = match error {
        Error::Process { stderr, .. } if stderr.starts_with("fatal: not a git repository") => None,
        Error::Process { status, stderr, .. } if stderr.is_empty() => {
            Some(status.as_str()).filter(|status| !status.starts_with("exit"))
        }
        Error::Process { stderr, .. } => stderr.lines().next(),
        _ => None,
    };
    let none = "no git repository with a commit here";
    match said.unwrap_or_default() {
        "" => none.to_owned(),
        said => format!("{none}, as far as git says ({said})"),
    }
}

/// The file as it is in `commit`.
fn at(root: &Path, path: &Path, from: String, commit: String) -> Result<Found> {
    let listed = git(root, &["ls-tree", "--name-only", &commit, "--", File::NAME])?;
    let object = format!("{commit}:./{}", File::NAME);
    let shown = (!listed.is_empty()).then(|| git_raw(root, &["show", &object]));
    let text = shown.transpose()?;
    let file = match &text {
        Some(text) => File::parse(path, text)?,
        None => File::default(),
    };
    Ok(Found {
        from,
        commit: Some(commit),
        text,
        file,
    })
}

fn git(folder: &Path, args: &[&str]) -> Result<String> {
    git_raw(folder, args).map(|said| said.trim().to_owned())
}

fn git_raw(folder: &Path, args: &[&str]) -> Result<String> {
    let mut git = process::command("git");
    process::output(git.arg("-C").arg(folder).args(args))
}
