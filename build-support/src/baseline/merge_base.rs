//! Which baseline counts: in a git repository that of the merge base with the default branch, so
//! that a change cannot loosen what it is measured against.

use crate::baseline::file::{self, File, SCHEMA, schema};
use crate::config::Tolerance;
use crate::error::{Error, Result};
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

/// What counts for one package and target.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen<'b> {
    /// The entry; none where there is none yet.
    pub entry: Option<&'b Entry>,
    /// Whose that is.
    pub found: &'b Found,
    /// Raises that the change brings.
    pub raises: &'b [Raise],
    /// What is wrong with the working tree's.
    pub fault: Option<Weakened>,
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
    /// What counts for the file that `report` is of. The working tree's record, where it can have
    /// come from the base's: it is then tighter, or raised for a reason that is shown. Otherwise
    /// the base's. And the base's as well where this file was made by the base's toolchain and the
    /// working tree's record is of another.
    pub fn choose(&self, report: &Report, tolerance: &Tolerance) -> Chosen<'_> {
        let work = Chosen {
            entry: entry_of(&self.work, report),
            found: &self.work,
            raises: &[],
            fault: None,
        };
        let Some(base) = &self.base else {
            return work;
        };
        let Some(before) = entry_of(base, report) else {
            return work;
        };
        let from_base = |fault| Chosen {
            entry: Some(before),
            found: base,
            raises: &[],
            fault,
        };
        let Some(after) = work.entry else {
            return from_base(Some(Weakened::Gone));
        };
        match succession::succeeds(before, after, tolerance) {
            Err(weakened) => from_base(Some(weakened)),
            Ok(_)
                if after.toolchain != report.toolchain && before.toolchain == report.toolchain =>
            {
                from_base(None)
            }
            // Where nothing was changed, it is the base's that is named.
            Ok(_) if before == after => from_base(None),
            Ok(raises) => Chosen { raises, ..work },
        }
    }
}

fn entry_of<'f>(found: &'f Found, report: &Report) -> Option<&'f Entry> {
    found.file.entry(&report.package, &report.target)
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

/// The file as it is in `commit`. One of an older layout has no entry yet.
fn at(root: &Path, path: &Path, from: String, commit: String) -> Result<Found> {
    let listed = git(root, &["ls-tree", "--name-only", &commit, "--", File::NAME])?;
    let object = format!("{commit}:./{}", File::NAME);
    let shown = (!listed.is_empty()).then(|| git_raw(root, &["show", &object]));
    let text = shown.transpose()?;
    let file = match &text {
        Some(text) if schema(text).is_ok_and(|version| version < SCHEMA) => File::default(),
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
