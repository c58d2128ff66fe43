//! wasm-bindgen's own command, on the road from the linked file to what is shipped: the file is
//! swept and snipped before it, which goes by relocations and names, and made small after it.

use crate::config::{Config, WasmBindgen};
use crate::error::{Error, Result};
use crate::passes::pipeline::{self, PASSES, Product};
use crate::passes::{Job, Part};
use crate::project::choice::UNKNOWN;
use crate::report::Stage;
use crate::system::{digest, files, process};
use crate::wasm::artifact::Artifact;
use crate::wasm::bindgen;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The command, and its stage.
const NAME: &str = "wasm-bindgen";

/// wasm-bindgen's command, of the version that the library has.
#[derive(Debug, Clone)]
pub struct Found {
    path: PathBuf,
    version: String,
    options: WasmBindgen,
    linked: String,
}

/// Files beside the wasm file, by their paths from its folder.
pub type Beside = BTreeMap<String, Vec<u8>>;

/// What became of a file.
pub struct Bound {
    /// All that was done to it.
    pub product: Product,
    /// The features its code uses.
    pub features: Vec<String>,
    /// The JavaScript, and what else is beside it.
    pub beside: Beside,
}

/// What can be said against `config` before minutes go into a build in the workspace at `root`.
///
/// # Errors
/// As [`find`], as far as it is known without a lock file.
pub fn look(config: &Config, root: &Path) -> Result<()> {
    if config.wasm_bindgen.is_some() {
        is_for(&config.target)?;
        if root.join("Cargo.lock").exists() {
            find(config, root, "")?;
        }
    }
    Ok(())
}

/// It would take every export of another target's file away.
fn is_for(target: &str) -> Result<()> {
    if target == UNKNOWN {
        return Ok(());
    }
    Err(Error::toolchain(
        format!("wasm-bindgen is for {UNKNOWN}, and this is a build for {target}"),
        "take [package.metadata.budget.wasm-bindgen] out of the manifest, or that target",
    ))
}

/// The command for what `config` asks for, in the workspace at `root`, for a file of the stem
/// `linked`; none where nothing is asked.
///
/// # Errors
/// [`Error::Toolchain`] where the target is not for it, and where there is none of the version in
/// Cargo.lock, with the line that installs it.
pub fn find(config: &Config, root: &Path, linked: &str) -> Result<Option<Found>> {
    let Some(options) = config.wasm_bindgen.clone() else {
        return Ok(None);
    };
    is_for(&config.target)?;
    let version = locked(root)?.ok_or_else(|| {
        Error::toolchain(
            format!("{} depends on no wasm-bindgen", config.package),
            "take [package.metadata.budget.wasm-bindgen] out of its manifest, or depend on it",
        )
    })?;
    let install = format!("cargo install wasm-bindgen-cli --version {version}");
    let path = process::on_path(NAME).ok_or_else(|| {
        Error::toolchain(
            format!("there is no {NAME} on PATH, which makes the JavaScript"),
            format!("install the version of Cargo.lock: {install}"),
        )
    })?;
    let said = process::capture(&path, &["--version"])?;
    let said = said.trim();
    if said.strip_prefix("wasm-bindgen ") != Some(&version) {
        return Err(Error::toolchain(
            format!(
                "{} says that it is `{said}`, and the library is of version {version}: they go together in one version only",
                path.display()
            ),
            format!("install the version of Cargo.lock: {install}"),
        ));
    }
    Ok(Some(Found {
        path,
        version,
        options,
        linked: linked.to_owned(),
    }))
}

/// The version in the lock file of the workspace at `root`; none where nothing depends on it.
///
/// # Errors
/// [`Error::Io`], and [`Error::Input`] where it cannot be read.
fn locked(root: &Path) -> Result<Option<String>> {
    #[derive(serde::Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<Locked>,
    }
    #[derive(serde::Deserialize)]
    struct Locked {
        name: String,
        version: String,
    }

    let file = root.join("Cargo.lock");
    let text = std::fs::read_to_string(&file).map_err(Error::io("reading", &file))?;
    let lock: Lock = toml::from_str(&text)
        .map_err(|error| Error::input(&file, error.message().to_owned(), "let cargo write it"))?;
    let mut packages = lock.package.into_iter();
    Ok(packages
        .find(|package| package.name == NAME)
        .map(|package| package.version))
}

impl Found {
    /// What decides the bytes besides the linked file.
    pub fn identity(&self) -> String {
        format!("{} {:?}", self.version, self.options)
    }

    /// Carries a file on that was only swept and snipped: through wasm-bindgen, and then through
    /// every other pass. `job` is the one it was made with.
    ///
    /// # Errors
    /// [`Error::Process`] where wasm-bindgen fails, and as [`pipeline::run`].
    pub fn carry_on(
        &self,
        job: &Job<'_>,
        reduced: Product,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Bound> {
        progress(NAME);
        let start = Instant::now();
        let (wasm, beside) = self.run(reduced.artifact.bytes())?;
        let bound = Artifact::new(wasm, job.file).map_err(|error| {
            self.failed(format!("wrote a wasm file that is none: {error}"), &beside)
        })?;
        let stage = Stage {
            name: NAME.to_owned(),
            bytes: bound.len(),
            millis: start.elapsed().as_secs_f64() * 1e3,
            note: format!(
                "{}, for {}; {} beside it",
                self.version,
                self.options.target,
                beside.keys().cloned().collect::<Vec<_>>().join(", ")
            ),
            steps: Vec::new(),
        };
        let analysis = pipeline::analyze(&<_>::default(), false, job.file, &bound)?;
        let job = Job {
            plans: analysis.plans,
            metric: job.metric.clone(),
            snips: false,
            poison: false,
            second_roads: None,
            ..*job
        };
        let last = pipeline::run(&job, bound, progress)?;
        let mut stages = reduced.stages;
        stages.push(stage);
        // Its first is what it was given, and there was nothing to reduce.
        let is_over = |stage: &Stage| {
            let mut passes = PASSES.iter().filter(|pass| pass.part == Part::Reduce);
            passes.any(|pass| pass.name == stage.name)
        };
        stages.extend(
            last.stages
                .into_iter()
                .skip(1)
                .filter(|stage| !is_over(stage)),
        );
        Ok(Bound {
            product: Product {
                stages,
                reduced: reduced.reduced,
                ..last
            },
            features: analysis.features,
            beside,
        })
    }

    /// The wasm file, and what is beside it.
    fn run(&self, module: &[u8]) -> Result<(Vec<u8>, Beside)> {
        let folder = tempfile::tempdir().map_err(Error::io("making", Path::new("a folder")))?;
        let input = folder.path().join(format!("{}.wasm", self.linked));
        files::write_atomic(&input, module)?;
        let out = folder.path().join("out");
        std::fs::create_dir(&out).map_err(Error::io("making", &out))?;
        let mut command = process::command(&self.path);
        command
            .arg(&input)
            .arg(format!("--out-dir={}", out.display()))
            .args(self.options.arguments(&self.linked));
        // What it says is for the user, whether it fails or not.
        process::run(&mut command)?;
        let mut beside = Beside::new();
        collect(&out, "", &mut beside)?;
        let wasm = format!("{}.wasm", self.options.wasm_stem(&self.linked));
        match beside.remove(&wasm) {
            Some(wasm) => Ok((wasm, beside)),
            None => Err(self.failed(format!("wrote no {wasm}"), &beside)),
        }
    }

    fn failed(&self, how: String, beside: &Beside) -> Error {
        let names: Vec<_> = beside.keys().cloned().collect();
        Error::Process {
            command: self.path.display().to_string(),
            status: how,
            stderr: format!("what it wrote: {}", names.join(", ")),
        }
    }
}

/// Makes the folders of the pieces in `folder`, before anything is written: a piece that cannot be
/// would leave some of two builds.
///
/// # Errors
/// [`Error::Io`] where something else is in the way of one.
pub fn prepare(beside: &Beside, folder: &Path) -> Result<()> {
    for name in beside.keys() {
        let file = folder.join(name);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io("making", folder))?;
        }
        if file.is_dir() {
            let why = std::io::ErrorKind::IsADirectory.into();
            return Err(Error::io("writing", &file)(why));
        }
    }
    Ok(())
}

/// Writes them into `folder`, and takes away what the run before left there, which `last` says, and
/// this one does not. What they are, by digest.
///
/// # Errors
/// [`Error::Io`].
pub fn write(
    beside: &Beside,
    folder: &Path,
    last: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    for (name, bytes) in beside {
        files::write_atomic(&folder.join(name), bytes)?;
    }
    for (name, digest) in last.iter().filter(|(name, _)| !beside.contains_key(*name)) {
        let file = folder.join(name);
        // What somebody changed is theirs.
        let is_ours = std::fs::read(&file).is_ok_and(|bytes| digest::digest(&bytes) == *digest);
        if is_ours {
            std::fs::remove_file(&file).map_err(Error::io("removing", &file))?;
        }
    }
    let digests = beside.iter();
    Ok(digests
        .map(|(name, bytes)| (name.clone(), digest::digest(bytes)))
        .collect())
}

/// Adds every file below `folder`, which is called `at`.
fn collect(folder: &Path, at: &str, into: &mut Beside) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("reading", folder))?;
    for entry in entries {
        let entry = entry.map_err(Error::io("reading", folder))?;
        let path = entry.path();
        let name = format!("{at}{}", entry.file_name().to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), into)?;
        } else {
            let bytes = std::fs::read(&path).map_err(Error::io("reading", &path))?;
            into.insert(name, bytes);
        }
    }
    Ok(())
}

/// Whether `file` still has to go through it and nothing here does that.
pub fn is_left(config: &Config, file: &[u8]) -> bool {
    config.wasm_bindgen.is_none() && bindgen::is_input(file)
}
