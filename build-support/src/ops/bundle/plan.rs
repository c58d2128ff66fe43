//! The manifest and everything it names, brought together: the files of a bundle, in memory.

use super::audit::{PAGE, PLAIN, PLAN, SERVICE_WORKER};
use super::contents::Contents;
use super::manifest::{self, Asset, Manifest, Module, There};
use super::{memory, pack};
use crate::config::bundle::Bundle;
use crate::config::mistakes::suggestion;
use crate::error::{Error, Result};
use crate::system::digest;
use crate::wasm::artifact::{Artifact, FileKind};
use std::path::Path;

/// The manifest's name in the page's folder.
pub(super) const MANIFEST: &str = "manifest.json";
/// Where the page itself is there.
const WWW: &str = "www";

/// Makes of a module, which came from a file, one that has its configuration, JSON, already.
pub type Configure<'a> = &'a dyn Fn(&Path, &Artifact, &str) -> Result<Artifact>;

/// What a bundle is made of.
pub(super) struct Plan {
    /// The checked manifest, with what was found of modules and files.
    pub manifest: Manifest,
    /// The files of the root, as templates.
    pub root: Contents,
    /// All others, the plan among them.
    pub files: Contents,
}

/// Reads the manifest and the page; of the examples those that are `wanted`, all where none is.
///
/// # Errors
/// [`Error::Manifest`], [`Error::Io`], and [`Error::Input`] where there is no page.
pub(super) fn read(settings: &Bundle, wanted: &[String]) -> Result<Plan> {
    let folder = &settings.folder;
    let mut files = pack::read(&folder.join(WWW))?;
    let mut root = Contents::new();
    for name in [PAGE, SERVICE_WORKER] {
        if let Some(bytes) = files.remove(name) {
            root.insert(name.to_owned(), bytes);
        }
    }
    if !root.contains_key(PAGE) {
        return Err(Error::input(
            &folder.join(WWW),
            format!("it has no {PAGE}"),
            "a bundle begins with a page",
        ));
    }
    let file = folder.join(MANIFEST);
    let source = std::fs::read(&file).map_err(Error::io("reading", &file))?;
    let source = String::from_utf8(source).map_err(|error| Error::Input {
        file: file.clone(),
        offset: Some(error.utf8_error().valid_up_to() as u64),
        message: "the manifest is not UTF-8".into(),
        help: "save the file as UTF-8".into(),
    })?;
    let mut manifest = manifest::parse(&file, &source, &|what, path| match what {
        There::Folder => folder.join(path).is_dir(),
        There::Module => files.contains_key(path),
    })?;
    choose(&mut manifest, wanted)?;
    let plan = Plan {
        manifest,
        root,
        files,
    };
    free(&plan, &folder.join(WWW))?;
    Ok(plan)
}

/// Leaves the examples that are wanted.
fn choose(manifest: &mut Manifest, wanted: &[String]) -> Result<()> {
    let names: Vec<_> = manifest
        .examples
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Error::input(
            &manifest.file,
            format!("no example is called `{unknown}`"),
            suggestion(unknown, &names, "examples"),
        ));
    }
    if !wanted.is_empty() {
        manifest.examples.retain(|one| wanted.contains(&one.name));
    }
    let has_default = manifest
        .examples
        .iter()
        .any(|one| one.name == manifest.default);
    if let (false, Some(first)) = (has_default, manifest.examples.first()) {
        manifest.default.clone_from(&first.name);
    }
    Ok(())
}

/// No file of the page may be called as one that is made.
fn free(plan: &Plan, www: &Path) -> Result<()> {
    let examples = plan.manifest.examples.iter();
    let names = examples.flat_map(|one| [own_module(&one.name), format!("{}.tar", one.name)]);
    let mut made = names.chain([PLAIN.to_owned(), PLAN.to_owned()]);
    match made.find(|name| plan.files.contains_key(name)) {
        Some(name) => Err(Error::input(
            &www.join(&name),
            "the bundle makes a file of this name",
            "call this one otherwise",
        )),
        None => Ok(()),
    }
}

fn own_module(example: &str) -> String {
    format!("agent-{example}.wasm")
}

/// With the module in `file`, plain and configured, the packed folders, and the plan itself.
///
/// # Errors
/// [`Error::Input`] where the module is not what the package says, and as `configure`.
pub(super) fn fill(
    mut plan: Plan,
    settings: &Bundle,
    file: &Path,
    configure: Configure<'_>,
) -> Result<Plan> {
    let plain = Artifact::read(file)?;
    if plain.kind() != FileKind::Core {
        return Err(Error::input(
            file,
            "it is a component, and a page runs core modules",
            "name another `target` in [package.metadata.bundle]",
        ));
    }
    let plain = match settings.memory_maximum {
        Some(most) => memory::limited(file, &plain, most)?,
        None => plain,
    };
    let declared = declared(file, &plain, settings)?;
    let mut needs_plain = false;
    for example in &mut plan.manifest.examples {
        let preinit = example.optimizations.preinit;
        let (path, bytes) = if preinit {
            let config = example.config.to_string();
            let ready = configure(file, &plain, &config)?;
            (own_module(&example.name), ready.bytes().to_vec())
        } else {
            needs_plain = true;
            (PLAIN.to_owned(), plain.bytes().to_vec())
        };
        example.module = Module {
            path: path.clone(),
            bytes: bytes.len() as u64,
            sha256: digest::digest(&bytes),
            preinit,
        };
        plan.files.insert(path, bytes);
        let most = &mut example.optimizations.memory_maximum;
        *most = most.or(declared);
        if let Some(rootfs) = &example.rootfs {
            let folder = settings.folder.join(rootfs);
            let (files, archive) = pack::pack(&example.name, &pack::read(&folder)?, &folder)?;
            plan.files.insert(files.path.clone(), archive);
            example.files = Some(files);
        }
    }
    // What spawns, or restores an image of another configuration, begins with the plain one.
    if !needs_plain {
        plan.files.insert(PLAIN.to_owned(), plain.bytes().to_vec());
    }
    let assets = plan.files.iter().map(|(path, bytes)| Asset {
        path: path.clone(),
        bytes: bytes.len() as u64,
    });
    plan.manifest.assets = assets.collect();
    plan.files.insert(PLAN.to_owned(), text(&plan.manifest)?);
    Ok(plan)
}

/// The plan as it is written.
fn text(manifest: &Manifest) -> Result<Vec<u8>> {
    let text = serde_json::to_string(manifest).map_err(|why| {
        Error::input(
            &manifest.file,
            why.to_string(),
            "this is a mistake of the tool",
        )
    })?;
    Ok((text + "\n").into_bytes())
}

/// The most bytes of the module's memory, if it says so; with a look at whether it is the one that
/// the package speaks of.
fn declared(file: &Path, plain: &Artifact, settings: &Bundle) -> Result<Option<u64>> {
    let module = super::audit::inspect(file, plain.bytes())?;
    let init = std::slice::from_ref(&settings.init);
    let lacks: Vec<_> = module.lacks(init);
    if !lacks.is_empty() {
        return Err(Error::input(
            file,
            format!("it does not export `{}`", settings.init),
            "[package.metadata.bundle] has `init`, the export that takes the configuration",
        ));
    }
    Ok(module.most_bytes())
}
