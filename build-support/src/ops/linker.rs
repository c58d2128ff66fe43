//! This tool as the linker of a target, inside cargo's own build. rustc calls it as it calls its
//! own linker, and it links with that. What a package with a budget ships, built with the budget's
//! profile, then goes through the same steps as with `cargo wasm`, and rustc gets the shipped
//! bytes; everything else is left exactly as the real linker made it.
//!
//! `cargo wasm` compiles through cargo, too, and would come by here: it sets [`LINK_PLAINLY`], and
//! nothing is done twice.

mod arguments;
mod place;
mod product;
mod program;

use crate::attribution::definers::Definers;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ops::build::{self, Road};
use crate::ops::ship::Shipped;
use crate::passes::compact::low_memory;
use crate::project::compile::{self, Linked};
use crate::project::definers;
use crate::project::listener::Silent;
use crate::report;
use crate::system::{files, process};
use crate::wasm::artifact::Artifact;
use crate::wasm::layout::spare;
use crate::wasm::{ReadError, symbols};
use arguments::Arguments;
use place::Place;
use product::Product;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use wasm_metadata::Producers;

/// What rustc's calls of a linker for wasm begin with.
const FLAVOR: &str = "-flavor";

/// The name of this step in messages.
const STEP: &str = "link";

/// How a call ended.
pub enum Outcome {
    /// The real linker had the last word, good or bad.
    Linked(ExitStatus),
    /// A package was shipped, or would have been but for its size.
    Shipped(Box<Judged>),
}

/// A package that went through them.
pub struct Judged {
    /// Its settings.
    pub config: Config,
    /// What came of it.
    pub shipped: Shipped,
    /// Whether cargo left LTO out because the library is more than a `cdylib`.
    pub lacks_lto: bool,
}

/// Whether a command line, the program's name left out, is a compiler's call of a linker.
pub fn is_call(arguments: &[OsString]) -> bool {
    arguments.first().is_some_and(|first| first == FLAVOR)
}

/// Links as asked by the command line `given`, the program's name left out.
///
/// # Errors
/// [`Error::Toolchain`] where there is no linker, [`Error::Config`] for a mistake in the budget,
/// and what any step of [`Package::ship`](crate::project::package::Package::ship) reports.
pub fn run(given: Vec<OsString>) -> Result<Outcome> {
    let arguments = Arguments::read(given)?;
    let place = arguments.output().and_then(Place::of);
    let target = match &place {
        Some(place) => Some(place.target.clone()),
        None => arguments.target(),
    };
    let target = target.unwrap_or_default();
    if std::env::var_os(compile::LINK_PLAINLY).is_none()
        && let Some(product) = Product::find(&arguments, place.as_ref())?
        && let Some(outcome) = product_of(&product, &arguments, &target)?
    {
        return Ok(outcome);
    }
    let spare = match std::env::var_os(compile::SPARE_STACK) {
        Some(_) => Spare::of(&arguments),
        None => None,
    };
    let linker = match std::env::var_os(compile::REAL_LINKER) {
        Some(linker) => linker.into(),
        None => program::find(compile::Linker::of_target(&target))?,
    };
    let more = spare.iter().flat_map(Spare::arguments);
    let call = arguments.given().iter().cloned().chain(more);
    let status = process::status(process::command(linker).args(call))?;
    if let Some((spare, output)) = spare.zip(arguments.output()).filter(|_| status.success()) {
        let mut bytes = std::fs::read(output).map_err(Error::io("reading", output))?;
        spare.mark(&mut bytes);
        files::write_atomic(output, &bytes)?;
    }
    Ok(Outcome::Linked(status))
}

/// A stack that is larger than was asked for, by what Binaryen takes for unused.
#[derive(Clone, Copy)]
struct Spare {
    stack: u64,
}

impl Spare {
    /// That of a call that says how large the stack is to be.
    fn of(arguments: &Arguments) -> Option<Self> {
        let stack = arguments.stack_size()?.checked_add(low_memory::BOUND)?;
        Some(Self { stack })
    }

    /// What asks the linker for it, after all that others ask for.
    fn arguments(&self) -> [OsString; 2] {
        ["-z".into(), format!("stack-size={}", self.stack).into()]
    }

    /// Says so in what was linked, where that is a core module.
    fn mark(self, bytes: &mut Vec<u8>) {
        if wasmparser::Parser::is_core_wasm(bytes) {
            spare::mark(bytes, low_memory::BOUND as u32);
        }
    }
}

/// Links what a budget is for and ships it; nothing where it turns out to be something else.
fn product_of(product: &Product, arguments: &Arguments, target: &str) -> Result<Option<Outcome>> {
    let done = attempt(product, arguments, target);
    let within =
        matches!(&done, Ok(Some(Outcome::Shipped(judged))) if judged.shipped.verdict.within());
    if !within {
        // What lies there is the linked file: nobody is to take it for the product.
        let _ = std::fs::remove_file(&product.output);
    }
    done
}

fn attempt(product: &Product, arguments: &Arguments, target: &str) -> Result<Option<Outcome>> {
    let config = product.package.config(Some(target))?;
    let (linker, program) = linker(target)?;
    let libc = arguments
        .folders()
        .find(|folder| folder.join(compile::REACTOR_STARTUP).is_file());
    let mut ours = compile::linker_arguments(linker, &product.kind, libc);
    let spare = compile::wants_spare_stack(&config).then(|| Spare::of(arguments));
    let spare = spare.flatten();
    ours.extend(spare.iter().flat_map(Spare::arguments));
    let (_response, call) = arguments.without_strip_and_with(&ours)?;
    let status = process::status(process::command(program).args(call))?;
    if !status.success() {
        return Ok(Some(Outcome::Linked(status)));
    }
    let output = &product.output;
    let mut bytes = std::fs::read(output).map_err(Error::io("reading", output))?;
    if let Some(spare) = spare {
        spare.mark(&mut bytes);
    }
    let artifact = Artifact::new(bytes.clone(), output)?;
    if is_test_harness(&artifact)? {
        return Ok(None);
    }
    let linked = Linked {
        path: output.clone(),
        kind: product.kind.clone(),
        toolchain: toolchain(&artifact, arguments.target().is_some()),
        machine_paths: machine_paths(product, arguments),
        definers: definers(arguments, &bytes),
        bytes,
    };
    let folder = product.target_dir.join("budget").join(target);
    let package = &product.package;
    let road = Road::new(package, &config, &folder);
    let shipped = build::ship(&road, linked, &mut Silent)?;
    if shipped.verdict.within() {
        files::write_atomic(output, &shipped.bytes)?;
        watch_manifest(output, &package.manifest)?;
    }
    Ok(Some(Outcome::Shipped(Box::new(Judged {
        config,
        shipped,
        lacks_lto: product.is_library_of_several_kinds() && arguments.has_std_apart(),
    }))))
}

/// rustc's linker for `target`; where the one that makes components is missing, LLVM's serves as
/// well: the component is made here.
fn linker(target: &str) -> Result<(compile::Linker, PathBuf)> {
    let linker = compile::Linker::of_target(target);
    program::find(linker).map_or_else(
        |_| program::find(compile::Linker::Lld).map(|program| (compile::Linker::Lld, program)),
        |program| Ok((linker, program)),
    )
}

/// Whether the file runs a package's unit tests. Cargo and rustc tell a linker nothing that differs
/// from the program itself, but the crate that runs tests is in it.
fn is_test_harness(linked: &Artifact) -> Result<bool> {
    for module in linked.modules().map_err(ReadError::output(STEP))? {
        let symbols = symbols::run(&module).map_err(ReadError::output(STEP))?;
        let names: Vec<_> = symbols
            .functions
            .iter()
            .filter_map(|f| f.name.as_deref())
            .collect();
        let has = |start: &str| names.iter().any(|name| name.starts_with(start));
        if has("test::run_tests") && has("test::test_main") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the file itself says of its compiler; that is what `rustc -V` says.
fn toolchain(linked: &Artifact, is_installed: bool) -> report::Toolchain {
    let rustc = linked.core_modules().find_map(|module| {
        let producers = Producers::from_wasm(module).ok()??;
        producers.get("processed-by")?.get("rustc").cloned()
    });
    let rustc = rustc.unwrap_or_default();
    let std = if is_installed {
        "installed".to_owned()
    } else {
        let release = rustc.split(' ').next().unwrap_or_default();
        format!("built from sources ({release})")
    };
    report::Toolchain {
        rustc: format!("rustc {rustc}"),
        std,
        ..report::Toolchain::default()
    }
}

/// By the libraries in the folders on the line: with LTO they are not on it themselves.
fn definers(arguments: &Arguments, linked: &[u8]) -> Definers {
    let krate = std::env::var("CARGO_CRATE_NAME").unwrap_or_default();
    let libraries = arguments.folders().flat_map(definers::in_folder);
    definers::read(&krate, libraries, linked)
}

fn machine_paths(product: &Product, arguments: &Arguments) -> Vec<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let tools: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // rustc puts its own tools in front of the path, and its own libraries on the line.
    let of_rustc = tools.iter().map(PathBuf::as_path).chain(arguments.paths());
    let mut sysroots: Vec<PathBuf> = of_rustc.filter_map(place::sysroot).collect();
    sysroots.sort();
    sysroots.dedup();
    let folders = vec![product.package.root.clone(), product.target_dir.clone()];
    compile::nameless(folders, &sysroots)
}

/// Adds the manifest to what cargo knows the file is made of, so that a changed limit is judged:
/// cargo itself does not look at `[package.metadata]`. It reads rustc's list of sources, a rule of
/// a makefile beside the output, once rustc is done. Where there is no such list, a changed limit
/// waits for the next link.
fn watch_manifest(output: &Path, manifest: &Path) -> Result<()> {
    let list = output.with_extension("d");
    let Ok(text) = std::fs::read_to_string(&list) else {
        return Ok(());
    };
    let Some((rule, rest)) = text.split_once('\n') else {
        return Ok(());
    };
    let manifest = manifest.display().to_string().replace(' ', "\\ ");
    if !rule.contains(": ") || rule.ends_with(&manifest) {
        return Ok(());
    }
    files::write_atomic(&list, format!("{rule} {manifest}\n{rest}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects unit tests from being judged as the program they are of.
    #[test]
    fn unit_tests_are_told_from_the_program() {
        let linked = |names: [&str; 2]| {
            let [one, other] = names;
            let text = format!("(module (func $\"{one}\") (func $\"{other}\"))");
            Artifact::new(wat::parse_str(text).unwrap(), Path::new("app.wasm")).unwrap()
        };
        let harness = linked(["test::run_tests::<f>", "test::test_main_static"]);
        assert!(is_test_harness(&harness).unwrap());
        for program in [
            ["app::main", "test::run_tests"],
            ["app::test::run_tests", "latest::test_main"],
        ] {
            assert!(!is_test_harness(&linked(program)).unwrap(), "{program:?}");
        }
    }

    /// Protects what rustc wrote: one more source in the rule that cargo reads, once, and all the
    /// rest as it was.
    #[test]
    fn the_manifest_joins_the_sources() {
        let folder = tempfile::tempdir().unwrap();
        let (output, list) = (folder.path().join("a.wasm"), folder.path().join("a.d"));
        let manifest = Path::new("/my app/Cargo.toml");
        watch_manifest(&output, manifest).unwrap();
        assert!(!list.exists(), "there is nothing to add to");
        std::fs::write(
            &list,
            "a.d: src/lib.rs\n\na.wasm: src/lib.rs\n\nsrc/lib.rs:\n",
        )
        .unwrap();
        for _ in 0..2 {
            watch_manifest(&output, manifest).unwrap();
            assert_eq!(
                std::fs::read_to_string(&list).unwrap(),
                "a.d: src/lib.rs /my\\ app/Cargo.toml\n\na.wasm: src/lib.rs\n\nsrc/lib.rs:\n"
            );
        }
    }
}
