//! The names inside a component by which its own core modules find each other, shortened: what they
//! import and export, and what the component says of that. One name becomes one other, everywhere,
//! and no two the same. What WIT says stays.
//!
//! A component that takes core modules from outside, or gives some away, is left alone: others
//! know their names.

use crate::error::Result;
use crate::passes::compact::rewrite::PASS;
use crate::wasm::artifact::{self, Artifact, FileKind};
use crate::wasm::{ReadError, sections};
use std::collections::BTreeMap;
use wasm_encoder::reencode::{Reencode as _, RoundtripReencoder};
use wasm_encoder::{Alias, ComponentAliasSection, ExportSection, ImportSection, InstanceSection};
use wasmparser::{
    BinaryReader, BinaryReaderError, ComponentAlias, ComponentAliasSectionReader,
    ComponentExportSectionReader, ComponentExternalKind, ComponentImportSectionReader,
    ComponentInstance, ComponentInstanceSectionReader, ComponentType, ComponentTypeDeclaration,
    ComponentTypeRef, ComponentTypeSectionReader, ExportSectionReader, ImportSectionReader,
    Imports, Instance, InstanceSectionReader, InstanceTypeDeclaration,
};

/// Shortens them; gives a file that is no component as it is, and one whose names others know.
///
/// # Errors
/// [`Error::InvalidOutput`](crate::Error::InvalidOutput) where sections cannot be read.
pub fn run(artifact: Artifact) -> Result<Artifact> {
    if artifact.kind() == FileKind::Core {
        return Ok(artifact);
    }
    let mut names = Names::default();
    component(artifact.bytes(), &mut names)?;
    if names.are_known {
        return Ok(artifact);
    }
    names.shorten();
    let bytes = component(artifact.bytes(), &mut names)?;
    Artifact::from_pass(bytes, PASS)
}

/// The names of core modules.
#[derive(Default)]
struct Names {
    /// How often each is written.
    uses: BTreeMap<String, u64>,
    /// What each becomes.
    short: BTreeMap<String, String>,
    /// Whether others know them.
    are_known: bool,
}

impl Names {
    fn name(&mut self, name: &str) -> String {
        *self.uses.entry(name.to_owned()).or_default() += 1;
        self.short.get(name).map_or(name, |short| short).to_owned()
    }

    /// The most used get the shortest.
    fn shorten(&mut self) {
        let mut by_use: Vec<_> = self.uses.iter().map(|(name, uses)| (*uses, name)).collect();
        by_use.sort_by(|one, other| (other.0, one.1).cmp(&(one.0, other.1)));
        let short = by_use.into_iter().enumerate();
        self.short = short
            .map(|(number, (_, name))| (name.clone(), short_name(number)))
            .collect();
    }
}

/// The texts of letters in order, from the empty one on.
fn short_name(mut number: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut name = String::new();
    while number > 0 {
        number -= 1;
        name.push(LETTERS[number % LETTERS.len()] as char);
        number /= LETTERS.len();
    }
    name
}

/// A component with its names as they are to be.
fn component(bytes: &[u8], names: &mut Names) -> Result<Vec<u8>> {
    artifact::rebuild(bytes, PASS, |id, data| {
        if id == sections::COMPONENT {
            return component(data, names).map(Some);
        }
        if id == sections::CORE_MODULE {
            return module(data, names).map(Some);
        }
        let done = match id {
            sections::CORE_INSTANCE => instances(data, names).map(Some),
            sections::COMPONENT_ALIAS => aliases(data, names).map(Some),
            _ => meets_others(id, data).map(|meets| {
                names.are_known |= meets;
                None
            }),
        };
        let done = done.map_err(|error| ReadError::output(PASS)(error.into()))?;
        Ok(Some(done.unwrap_or_else(|| data.to_vec())))
    })
}

fn module(bytes: &[u8], names: &mut Names) -> Result<Vec<u8>> {
    artifact::rebuild(bytes, PASS, |id, data| {
        let done = match id {
            sections::IMPORT => imports(data, names),
            sections::EXPORT => exports(data, names),
            _ => return Ok(Some(data.to_vec())),
        };
        done.map(Some)
            .map_err(|error| ReadError::output(PASS)(error.into()))
    })
}

type Read<T> = Result<T, BinaryReaderError>;

fn imports(data: &[u8], names: &mut Names) -> Read<Vec<u8>> {
    let mut imports = ImportSection::new();
    for group in ImportSectionReader::new(BinaryReader::new(data, 0))? {
        let Imports::Single(_, import) = group? else {
            // A newer form, in which several share a name.
            names.are_known = true;
            return Ok(data.to_vec());
        };
        let Ok(ty) = RoundtripReencoder.entity_type(import.ty) else {
            names.are_known = true;
            return Ok(data.to_vec());
        };
        let (module, name) = (names.name(import.module), names.name(import.name));
        imports.import(&module, &name, ty);
    }
    Ok(sections::contents(&imports))
}

fn exports(data: &[u8], names: &mut Names) -> Read<Vec<u8>> {
    let mut exports = ExportSection::new();
    for export in ExportSectionReader::new(BinaryReader::new(data, 0))? {
        let export = export?;
        exports.export(&names.name(export.name), export.kind.into(), export.index);
    }
    Ok(sections::contents(&exports))
}

fn instances(data: &[u8], names: &mut Names) -> Read<Vec<u8>> {
    let mut instances = InstanceSection::new();
    for instance in InstanceSectionReader::new(BinaryReader::new(data, 0))? {
        match instance? {
            Instance::Instantiate { module_index, args } => {
                let args: Vec<_> = args
                    .iter()
                    .map(|arg| {
                        let instance = wasm_encoder::ModuleArg::Instance(arg.index);
                        (names.name(arg.name), instance)
                    })
                    .collect();
                instances.instantiate(module_index, args);
            }
            Instance::FromExports(exports) => {
                let exports: Vec<_> = exports
                    .iter()
                    .map(|export| (names.name(export.name), export.kind.into(), export.index))
                    .collect();
                instances.export_items(exports);
            }
        }
    }
    Ok(sections::contents(&instances))
}

fn aliases(data: &[u8], names: &mut Names) -> Read<Vec<u8>> {
    let mut aliases = ComponentAliasSection::new();
    for alias in ComponentAliasSectionReader::new(BinaryReader::new(data, 0))? {
        match alias? {
            ComponentAlias::InstanceExport {
                kind,
                instance_index: instance,
                name,
            } => {
                names.are_known |= kind == ComponentExternalKind::Module;
                let kind = kind.into();
                aliases.alias(Alias::InstanceExport {
                    instance,
                    kind,
                    name,
                });
            }
            ComponentAlias::CoreInstanceExport {
                kind,
                instance_index: instance,
                name,
            } => {
                aliases.alias(Alias::CoreInstanceExport {
                    instance,
                    kind: kind.into(),
                    name: &names.name(name),
                });
            }
            ComponentAlias::Outer { kind, count, index } => {
                aliases.alias(Alias::Outer {
                    kind: kind.into(),
                    count,
                    index,
                });
            }
        }
    }
    Ok(sections::contents(&aliases))
}

/// Whether a section of a component speaks of core modules that others give or get.
fn meets_others(id: u8, data: &[u8]) -> Read<bool> {
    let reader = BinaryReader::new(data, 0);
    let is_module = |ty: &ComponentTypeRef| matches!(ty, ComponentTypeRef::Module(_));
    let mut meets = false;
    match id {
        sections::CORE_TYPE => meets = true,
        sections::COMPONENT_IMPORT => {
            for import in ComponentImportSectionReader::new(reader)? {
                meets |= is_module(&import?.ty);
            }
        }
        sections::COMPONENT_EXPORT => {
            for export in ComponentExportSectionReader::new(reader)? {
                meets |= export?.kind == ComponentExternalKind::Module;
            }
        }
        sections::COMPONENT_INSTANCE => {
            for instance in ComponentInstanceSectionReader::new(reader)? {
                let is_module = |kind: ComponentExternalKind| kind == ComponentExternalKind::Module;
                meets |= match instance? {
                    ComponentInstance::Instantiate { args, .. } => {
                        args.iter().any(|arg| is_module(arg.kind))
                    }
                    ComponentInstance::FromExports(exports) => {
                        exports.iter().any(|export| is_module(export.kind))
                    }
                };
            }
        }
        sections::COMPONENT_TYPE => {
            for ty in ComponentTypeSectionReader::new(reader)? {
                meets |= has_modules(&ty?);
            }
        }
        _ => {}
    }
    Ok(meets)
}

/// Whether core modules are part of a type.
fn has_modules(ty: &ComponentType<'_>) -> bool {
    let is_module = |ty: &ComponentTypeRef| matches!(ty, ComponentTypeRef::Module(_));
    match ty {
        ComponentType::Component(parts) => parts.iter().any(|part| match part {
            ComponentTypeDeclaration::CoreType(_) => true,
            ComponentTypeDeclaration::Type(ty) => has_modules(ty),
            ComponentTypeDeclaration::Export { ty, .. } => is_module(ty),
            ComponentTypeDeclaration::Import(import) => is_module(&import.ty),
            ComponentTypeDeclaration::Alias(_) => false,
        }),
        ComponentType::Instance(parts) => parts.iter().any(|part| match part {
            InstanceTypeDeclaration::CoreType(_) => true,
            InstanceTypeDeclaration::Type(ty) => has_modules(ty),
            InstanceTypeDeclaration::Export { ty, .. } => is_module(ty),
            InstanceTypeDeclaration::Alias(_) => false,
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{run, short_name};
    use crate::wasm::artifact::Artifact;
    use std::path::Path;

    fn shortened(text: &str) -> (Artifact, Artifact) {
        let bytes = wat::parse_str(text).unwrap();
        let before = Artifact::new(bytes, Path::new("a.wasm")).unwrap();
        (before.clone(), run(before).unwrap())
    }

    /// Two modules, one of which calls the other, and a function for outside.
    const PAIR: &str = r#"
        (core module $callee (func (export "the-callee") (result i32) i32.const 7)
          (memory (export "memory") 1))
        (core module $caller (import "the-callees-module" "the-callee" (func (result i32)))
          (export "the-callers-function" (func 0)))
        (core instance $callee (instantiate $callee))
        (core instance $renamed (export "the-callee" (func $callee "the-callee")))
        (core instance $caller (instantiate $caller (with "the-callees-module" (instance $renamed))))
        (func (export "run") (result u32) (canon lift (core func $caller "the-callers-function")))"#;

    /// Protects what is outside: only what core modules call each other changes.
    #[test]
    fn names_of_core_modules_are_short() {
        let (before, after) = shortened(&format!("(component {PAIR})"));
        assert!(
            before.len() - after.len() > 100,
            "{} {}",
            before.len(),
            after.len()
        );
        let text = wasmprinter::print_bytes(after.bytes()).unwrap();
        assert!(!text.contains("the-calle"), "{text}");
        assert!(text.contains("(export (;1;) \"run\""), "{text}");
        assert!(text.contains("(import \"a\" \"\""), "{text}");
        let again = run(after.clone()).unwrap();
        assert_eq!(again.bytes().len(), after.bytes().len());
    }

    /// Protects a component in a component: one name is one name at any depth.
    #[test]
    fn nested_components_are_shortened_together() {
        let (before, after) = shortened(&format!(
            "(component (component $inner {PAIR}) (instance $i (instantiate $inner))
               (export \"i\" (instance $i)))"
        ));
        assert!(before.len() - after.len() > 100);
    }

    /// Protects those who know the names: core modules that come from outside, and such that go
    /// there.
    #[test]
    fn modules_that_others_know_keep_theirs() {
        for other in [
            "(core module (export \"given\") (func (export \"f\")))",
            "(import \"m\" (core module (export \"f\" (func))))",
            "(type (instance (export \"m\" (core module))))",
        ] {
            let (before, after) = shortened(&format!("(component {PAIR} {other})"));
            assert_eq!(before, after, "{other}");
        }
        let (before, after) = shortened("(module (func (export \"a-long-name\")))");
        assert_eq!(before, after);
    }

    #[test]
    fn short_names_are_all_different() {
        let names: std::collections::HashSet<_> = (0..3_000).map(short_name).collect();
        assert_eq!(names.len(), 3_000);
        assert_eq!([0, 1, 52, 53].map(short_name), ["", "a", "Z", "aa"]);
    }
}
