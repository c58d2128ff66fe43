//! LLVM's tools of profiles, in the version that the compiler has: an older one does not read what
//! that writes.

use build_support::error::{Error, Result};
use build_support::system::process;
use std::path::{Path, PathBuf};

/// The compiler, and where its tools may be.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// `rustc -V`.
    pub version: String,
    /// This machine's target.
    pub host: String,
    /// The major version of LLVM.
    llvm: u32,
    sysroot: PathBuf,
}

impl Compiler {
    /// The one that cargo takes here.
    ///
    /// # Errors
    /// [`Error::Process`] where it does not run, [`Error::Toolchain`] where it does not say its
    /// version of LLVM.
    pub fn here() -> Result<Self> {
        let rustc = Path::new("rustc");
        let said = process::capture(rustc, &["-vV"])?;
        let sysroot = process::capture(rustc, &["--print", "sysroot"])?;
        Self::of(&said, Path::new(sysroot.trim()))
    }

    /// The one that said this for `-vV`.
    fn of(said: &str, sysroot: &Path) -> Result<Self> {
        let field = |key: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap_or_default().trim()
        };
        let llvm = major(field("LLVM version:")).ok_or_else(|| {
            Error::toolchain(
                "`rustc -vV` does not say which LLVM it has",
                "take a compiler with LLVM: `rustup default stable`",
            )
        })?;
        Ok(Self {
            version: said.lines().next().unwrap_or_default().to_owned(),
            host: field("host:").to_owned(),
            llvm,
            sysroot: sysroot.to_owned(),
        })
    }

    /// The program `name` of its LLVM: the toolchain's own, the distribution's of that version, or
    /// the one on `PATH` if it is no older.
    ///
    /// # Errors
    /// [`Error::Toolchain`] where there is none, with what to install.
    pub fn tool(&self, name: &str) -> Result<PathBuf> {
        let own = self
            .sysroot
            .join("lib/rustlib")
            .join(&self.host)
            .join("bin");
        let distributed = format!("/usr/lib/llvm-{}/bin", self.llvm);
        process::in_folder(&own, name)
            .or_else(|| process::on_path(&format!("{name}-{}", self.llvm)))
            .or_else(|| process::in_folder(Path::new(&distributed), name))
            .or_else(|| process::on_path(name).filter(|program| self.can_be_read_by(program)))
            .ok_or_else(|| self.missing(name))
    }

    /// Whether `program` reads the profiles of this compiler: it is of its version, or newer.
    fn can_be_read_by(&self, program: &Path) -> bool {
        let said = process::capture(program, &["--version"]).unwrap_or_default();
        let version = said.split("LLVM version").nth(1).and_then(major);
        version.is_some_and(|version| version >= self.llvm)
    }

    fn missing(&self, name: &str) -> Error {
        let llvm = self.llvm;
        Error::toolchain(
            format!(
                "there is no {name} of LLVM {llvm}, which {} has",
                self.version
            ),
            format!("rustup component add llvm-tools, or on Debian: apt-get install llvm-{llvm}"),
        )
    }
}

/// `22` of ` 22.1.2`.
fn major(version: &str) -> Option<u32> {
    let digits = version.trim_start().split(|c: char| !c.is_ascii_digit());
    digits.into_iter().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::Compiler;
    use build_support::system::process;
    use std::path::Path;

    const SAID: &str = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.2\n";

    /// Protects whoever has no tools: what is missing is named, with what to install.
    #[test]
    fn a_tool_that_is_missing_is_named() {
        let compiler = Compiler::of(SAID, Path::new("/nowhere")).unwrap();
        let error = compiler.tool("llvm-nothing").unwrap_err().to_string();
        for words in [
            "llvm-nothing of LLVM 22",
            "llvm-tools",
            "apt-get install llvm-22",
        ] {
            assert!(error.contains(words), "{error}");
        }
        assert!(Compiler::of("rustc 1.95.0\n", Path::new("/")).is_err());
    }

    /// The toolchain's own goes before any other; an older one on `PATH` does not do.
    #[cfg(unix)]
    #[test]
    fn the_compilers_own_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder
            .path()
            .join("lib/rustlib/x86_64-unknown-linux-gnu/bin");
        std::fs::create_dir_all(&bin).unwrap();
        let executable = |program: &Path, text: &str| {
            std::fs::write(program, text).unwrap();
            process::output(process::command("chmod").arg("+x").arg(program)).unwrap();
        };
        executable(&bin.join("llvm-cov"), "");
        let compiler = Compiler::of(SAID, folder.path()).unwrap();
        assert_eq!(compiler.tool("llvm-cov").unwrap(), bin.join("llvm-cov"));
        for (version, fits) in [
            ("14.0.6", false),
            ("22.1.8", true),
            ("23.0.0", true),
            ("", false),
        ] {
            let program = folder.path().join("program");
            let script = format!("#!/bin/sh\necho 'Debian LLVM version {version}'\n");
            executable(&program, &script);
            assert_eq!(compiler.can_be_read_by(&program), fits, "{version}");
        }
    }
}
