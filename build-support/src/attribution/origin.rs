//! Where an item comes from, read from its name alone, so that rows that were kept in a report say
//! as much as those of a file: its crate, its module path, and the generic item it is an instance
//! of.
//!
//! A method belongs to the crate and module of the type it is a method of, whatever trait it is of;
//! a closure to those of the item it stands in.

use super::rows::{Row, RowKind};
use crate::wasm::path::{self, RustPath};

/// For what Rust's paths say nothing of: C, assembler, what the linker made.
pub const NO_CRATE: &str = "[no crate]";
/// For functions that the file names nowhere.
pub const UNNAMED: &str = "[unnamed]";
/// For sections that no engine reads.
pub const CUSTOM: &str = "[custom sections]";
/// For constants and what nothing names in data.
pub const DATA: &str = "[data]";

impl Row {
    /// The crate, or in brackets what stands for it.
    pub fn krate(&self) -> String {
        self.part_of_path(|path| path.krate().to_owned())
    }

    /// The module path: `a::b` for `a::b::f`, `a::b::T` for what is implemented for that type.
    pub fn module(&self) -> String {
        self.part_of_path(RustPath::module)
    }

    /// The generic item: the name with every list of generic arguments left out. Constants are
    /// together by kind.
    pub fn family(&self) -> String {
        match self.kind {
            RowKind::Function if self.is_unnamed() => UNNAMED.to_owned(),
            RowKind::Function => path::without_arguments(&self.name),
            RowKind::Data if self.name.starts_with('"') => "[texts]".to_owned(),
            RowKind::Data if self.name.starts_with(path::VTABLE) => "[vtables]".to_owned(),
            RowKind::Data if self.name.starts_with(path::SWITCH_TABLE) => {
                "[switch tables]".to_owned()
            }
            RowKind::Data if self.name.starts_with(path::ANONYMOUS) => {
                "[other constants]".to_owned()
            }
            RowKind::Data => path::without_arguments(&self.name),
            RowKind::Custom | RowKind::Section | RowKind::Component => self.item(),
        }
    }

    /// The item's name, told apart from that of a function or of data.
    pub fn item(&self) -> String {
        match self.kind {
            RowKind::Custom => format!("[custom section {}]", self.name),
            _ => self.name.clone(),
        }
    }

    /// The section: what a function or a piece of data is in is `code`, `data`.
    pub fn section(&self) -> String {
        match self.kind {
            RowKind::Function => "code".to_owned(),
            RowKind::Data => "data".to_owned(),
            RowKind::Custom => format!("custom {}", self.name),
            RowKind::Section | RowKind::Component => {
                let inside = self.name.trim_start_matches('[');
                let inside = inside.split(']').next().unwrap_or_default();
                inside.strip_suffix(" section").unwrap_or(inside).to_owned()
            }
        }
    }

    fn is_unnamed(&self) -> bool {
        self.name.starts_with('[')
    }

    fn part_of_path(&self, part: impl Fn(&RustPath) -> String) -> String {
        match (self.path(), &self.krate) {
            (_, Some(krate)) => krate.clone(),
            (Some(name), _) => part(&RustPath::parse(name)),
            (None, _) => self.outside_crates().to_owned(),
        }
    }

    /// The part of the name that is a Rust path, where there is one.
    fn path(&self) -> Option<&str> {
        let name = match self.kind {
            RowKind::Function => path::outlined_from(&self.name).unwrap_or(&self.name),
            RowKind::Data if self.name.starts_with('"') => return None,
            RowKind::Data => {
                let name = self.name.as_str();
                let vtable = name.strip_prefix(path::VTABLE);
                let inside = vtable.or_else(|| name.strip_prefix(path::SWITCH_TABLE));
                inside.unwrap_or(name)
            }
            RowKind::Custom | RowKind::Section | RowKind::Component => return None,
        };
        path::is_rust(name).then_some(name)
    }

    fn outside_crates(&self) -> &'static str {
        match self.kind {
            RowKind::Function if self.is_unnamed() => UNNAMED,
            RowKind::Function => NO_CRATE,
            RowKind::Data => DATA,
            RowKind::Custom => CUSTOM,
            RowKind::Section => "[sections]",
            RowKind::Component => "[component]",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, RowKind};
    use crate::wasm::path::demangle;

    fn row(kind: RowKind, name: &str) -> Row {
        Row::new(kind, demangle(name), 1)
    }

    /// Protects the groups: instances of one item are together, whatever mangled them, and nothing
    /// else is.
    #[test]
    fn instances_of_one_item_are_a_family() {
        let family = |name: &str| row(RowKind::Function, name).family();
        let v0 = [
            "_RINvNtCs3Ks1mVPDHNs_4core3ptr13drop_in_placemEB4_",
            "_RINvNtCs3Ks1mVPDHNs_4core3ptr13drop_in_placehEB4_",
        ];
        assert_ne!(demangle(v0[0]), demangle(v0[1]));
        for name in v0
            .into_iter()
            .chain(["_ZN4core3ptr42drop_in_place$LT$alloc..string..String$GT$17h0123456789abcdefE"])
        {
            assert_eq!(family(name), "core::ptr::drop_in_place", "{name}");
        }
        let cases = [
            ("<alloc::vec::Vec<u8>>::push", "<alloc::vec::Vec>::push"),
            (
                "<alloc::vec::Vec<app::A<fn(u8) -> u8>, B>>::push",
                "<alloc::vec::Vec>::push",
            ),
            (
                "<app::A<u8> as app::T<u16>>::f::<u32>",
                "<app::A as app::T>::f",
            ),
            (
                "core::slice::<impl [T]>::sort::<u8>",
                "core::slice::<impl [T]>::sort",
            ),
            ("<app::A<fn() -> u8> as app::T>::f", "<app::A as app::T>::f"),
            ("app::run::<u8>::{closure#0}", "app::run::{closure#0}"),
            (
                "<<app::A<u8> as app::T>::O as app::U>::f",
                "<<app::A as app::T>::O as app::U>::f",
            ),
            ("app::a<", "app::a"),
            ("<", "<"),
            ("app[1a2b]::run::<u8>", "app::run"),
            (
                "app::operator<<(std::ostream&)",
                "app::operator<<(std::ostream&)",
            ),
        ];
        for (name, expected) in cases {
            assert_eq!(family(name), expected);
        }
    }

    #[test]
    fn crates_and_modules() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let cases = [
            (RowKind::Function, "app::a::f", pair("app", "app::a")),
            (
                RowKind::Function,
                "app::a::f::{closure#0}",
                pair("app", "app::a"),
            ),
            (
                RowKind::Function,
                "<alloc::vec::Vec<u8>>::push",
                pair("alloc", "alloc::vec::Vec"),
            ),
            (
                RowKind::Function,
                "<&mut app::W as core::fmt::Write>::write_str",
                pair("app", "app::W"),
            ),
            (
                RowKind::Function,
                "<[u8] as app::T>::f",
                pair("core", "core"),
            ),
            (
                RowKind::Function,
                "outlined from app::a::f::<u8, u16>, core::g and 3 more",
                pair("app", "app::a"),
            ),
            (
                RowKind::Function,
                "outlined from <app::W as core::fmt::Write>::write_str and memcpy",
                pair("app", "app::W"),
            ),
            (
                RowKind::Function,
                "memcpy",
                pair("[no crate]", "[no crate]"),
            ),
            (
                RowKind::Function,
                "std::f(int)",
                pair("[no crate]", "[no crate]"),
            ),
            (
                RowKind::Function,
                "app::A::f(int) const",
                pair("[no crate]", "[no crate]"),
            ),
            (RowKind::Function, "app[1a2b]::a::f", pair("app", "app::a")),
            (
                RowKind::Function,
                "[function 3]",
                pair("[unnamed]", "[unnamed]"),
            ),
            (RowKind::Data, "app::a::TABLE", pair("app", "app::a")),
            (RowKind::Data, "\"app::x\"", pair("[data]", "[data]")),
            (
                RowKind::Data,
                "vtable with app::a::f",
                pair("app", "app::a"),
            ),
            (
                RowKind::Section,
                "[type section]",
                pair("[sections]", "[sections]"),
            ),
        ];
        for (kind, name, expected) in cases {
            let row = row(kind, name);
            assert_eq!((row.krate(), row.module()), expected, "{name}");
        }
        assert_eq!(
            row(RowKind::Section, "[data section] segment headers").section(),
            "data"
        );
        assert_eq!(row(RowKind::Section, "[type section]").section(), "type");
    }
}
