use super::{Inlined, run};
use crate::attribution::of_file;
use crate::wasm::Module;
use crate::wasm::artifact::Artifact;
use std::path::Path;

/// DWARF 4, written by hand: each function of the unit with its range, and what is inlined in it.
#[derive(Default)]
struct Unit {
    entries: Vec<u8>,
}

/// Its length, version, and the rest of a unit's header, and the entry of the unit itself.
const BEFORE: usize = 4 + 2 + 4 + 1 + 1;

impl Unit {
    /// A function that stands nowhere by itself; gives its place in the unit.
    fn written(&mut self, symbol: &str) -> u32 {
        let at = BEFORE + self.entries.len();
        self.entries.push(2);
        self.text(symbol);
        at as u32
    }

    /// A function that stands in the file; what is inlined comes until [`Unit::end`].
    fn begin(&mut self, symbol: &str, [from, to]: [u32; 2]) {
        self.entries.push(3);
        self.text(symbol);
        self.range(from, to);
    }

    /// What is inlined here, and may have more inlined in itself until [`Unit::end`].
    fn inline(&mut self, written: u32, [from, to]: [u32; 2]) {
        self.entries.push(4);
        self.entries.extend(written.to_le_bytes());
        self.range(from, to);
    }

    fn end(&mut self) {
        self.entries.push(0);
    }

    fn text(&mut self, text: &str) {
        self.entries.extend(text.bytes().chain([0]));
    }

    fn range(&mut self, from: u32, to: u32) {
        self.entries.extend(from.to_le_bytes());
        self.entries.extend((to - from).to_le_bytes());
    }

    /// The sections as text that wat reads.
    fn sections(&self) -> String {
        let (linkage, origin, low, high) = (0x6e, 0x31, 0x11, 0x12);
        let (string, reference, address, number) = (0x08, 0x13, 0x01, 0x06);
        #[rustfmt::skip]
        let abbreviations = [
            1, 0x11, 1, 0, 0,
            2, 0x2e, 0, linkage, string, 0, 0,
            3, 0x2e, 1, linkage, string, low, address, high, number, 0, 0,
            4, 0x1d, 1, origin, reference, low, address, high, number, 0, 0,
            0,
        ];
        let rest = [&[4, 0, 0, 0, 0, 0, 4, 1][..], &self.entries, &[0]].concat();
        let info = [&(rest.len() as u32).to_le_bytes()[..], &rest].concat();
        let section = |name: &str, bytes: &[u8]| {
            let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
            format!("(@custom \"{name}\" \"{bytes}\")")
        };
        let abbreviations = section(".debug_abbrev", &abbreviations);
        format!("{abbreviations} {}", section(".debug_info", &info))
    }
}

fn inlined(body: &str, unit: &Unit) -> Inlined {
    let text = format!("(module {body} {})", unit.sections());
    let file = Path::new("linked.wasm");
    let artifact = Artifact::new(wat::parse_str(text).unwrap(), file).unwrap();
    let module = Module::read(artifact.bytes()).unwrap();
    let attribution = of_file(file, &artifact).unwrap();
    let inlined = run(file, &module, &attribution).unwrap();
    let code: u64 = module.function_bytes().sum();
    assert_eq!(inlined.bytes, code, "every byte of code, and no other");
    assert_eq!(
        inlined.parts.iter().map(|part| part.bytes).sum::<u64>(),
        code
    );
    inlined
}

/// Protects the account of a large function: each byte is the innermost function's, and what
/// nothing is said of the function's own.
#[test]
fn every_byte_is_of_the_innermost_function() {
    // Count, then: length, no locals, ten times nop, end.
    let body = format!(
        "(func $\"app:a/b#run\" {}) (func $app::other (nop))",
        "(nop)".repeat(10)
    );
    let mut unit = Unit::default();
    let push = unit.written("_ZN5alloc3vec4push17h0123456789abcdefE");
    let grow = unit.written("_ZN5alloc7raw_vec4grow17h0123456789abcdefE");
    unit.begin("app:a/b#run", [2, 14]);
    unit.inline(push, [4, 10]);
    unit.inline(grow, [5, 8]);
    unit.end();
    unit.end();
    unit.inline(grow, [12, 13]);
    unit.end();
    unit.end();
    // Dropped by the linker.
    unit.begin(
        "_ZN3app4gone17h0123456789abcdefE",
        [0xffff_fff0, 0xffff_ffff],
    );
    unit.end();
    let all = inlined(&body, &unit);
    let parts: Vec<_> = all
        .parts
        .iter()
        .map(|p| {
            (
                p.function.as_str(),
                p.source.as_str(),
                p.krate.as_str(),
                p.bytes,
            )
        })
        .collect();
    let run = "app:a/b#run";
    assert_eq!(
        parts,
        [
            (run, run, "[no crate]", 13 - 3 - 4),
            ("app::other", "app::other", "app", 4),
            (run, "alloc::raw_vec::grow", "alloc", 4),
            (run, "alloc::vec::push", "alloc", 3),
        ]
    );
    assert_eq!(
        all.by(|part| &part.krate),
        [("alloc", 7, 7), ("[no crate]", 6, 0), ("app", 4, 0)]
    );
}

/// Protects against hostile and useless debug information: it is refused, or said not to be there.
#[test]
fn debug_information_is_there_and_whole() {
    let told = |sections: &str| {
        let text = format!("(module (func (nop)) {sections})");
        let file = Path::new("linked.wasm");
        let artifact = Artifact::new(wat::parse_str(text).unwrap(), file).unwrap();
        let module = Module::read(artifact.bytes()).unwrap();
        let attribution = of_file(file, &artifact).unwrap();
        run(file, &module, &attribution).unwrap_err().to_string()
    };
    assert!(told("").contains("no debug information"));
    let cut = r#"(@custom ".debug_info" "\ff\00\00\00\04")"#;
    assert!(told(cut).contains("cannot be read"), "{}", told(cut));
}
