//! The sections of a native program, as llvm-size tells them.

use crate::llvm::Compiler;
use build_support::error::{Error, Result};
use build_support::system::process;
use std::collections::BTreeMap;
use std::path::Path;

/// Sections that only unwinding needs.
pub const UNWINDING: [&str; 3] = [".eh_frame", ".eh_frame_hdr", ".gcc_except_table"];

/// Bytes of each section of `program`, by name.
///
/// # Errors
/// [`Error::Toolchain`] where llvm-size is missing, [`Error::Input`] where it names no section.
pub fn read(compiler: &Compiler, program: &Path) -> Result<BTreeMap<String, u64>> {
    let size = compiler.tool("llvm-size")?;
    let said = process::output(process::command(size).arg("--format=sysv").arg(program))?;
    let sections = parse(&said);
    if sections.is_empty() {
        let help = "run `llvm-size --format=sysv` on it by hand";
        return Err(Error::input(program, "llvm-size names no section", help));
    }
    Ok(sections)
}

/// Lines of `name size address`; heads and the total have no three of that kind.
fn parse(said: &str) -> BTreeMap<String, u64> {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, bytes, address) = (words.next()?, words.next()?, words.next()?);
        address.parse::<u64>().ok()?;
        Some((name.to_owned(), bytes.parse().ok()?))
    };
    said.lines().filter_map(row).collect()
}

/// Takes the sections of unwinding out of a copy of `program`, at `copy`.
///
/// # Errors
/// [`Error::Toolchain`] where llvm-objcopy is missing, [`Error::Process`] where it fails.
pub fn without_unwinding(compiler: &Compiler, program: &Path, copy: &Path) -> Result<()> {
    let mut objcopy = process::command(compiler.tool("llvm-objcopy")?);
    for name in UNWINDING {
        objcopy.args(["--remove-section", name]);
    }
    process::output(objcopy.arg(program).arg(copy)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sections_are_read() {
        let said = "weft  :\nsection     size     addr\n.text       1234     4096\n\
                    .eh_frame     56     9000\n.comment      10        0\nTotal       1300\n\n";
        let sections = parse(said);
        assert_eq!(sections.len(), 3);
        assert_eq!((sections[".text"], sections[".comment"]), (1234, 10));
    }
}
