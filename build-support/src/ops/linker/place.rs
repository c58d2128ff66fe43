//! What the place of a file that cargo has rustc make says of it. Cargo tells the compiler neither
//! target nor profile by name; both are folders: `<build folder>/<target>/<profile>/deps/…`, since
//! cargo 1.91 the build folder being the target folder unless configured, and
//! `…/<profile>/build/<package>/…` in the layout that is to come.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// What stands below a profile's folder.
const BELOW_PROFILE: [&str; 3] = ["deps", "build", "examples"];

/// Where cargo puts a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder for all that cargo builds.
    pub build_dir: PathBuf,
    /// The target triple.
    pub target: String,
    /// The profile's folder, which has the profile's name but for cargo's own profiles.
    pub profile_folder: String,
}

impl Place {
    /// The place of `output`; none where it is not cargo's.
    pub fn of(output: &Path) -> Option<Self> {
        let output = std::path::absolute(output).ok()?;
        let parts: Vec<Component> = output.components().collect();
        let name = |part: &Component| part.as_os_str().to_str().map(str::to_owned);
        // The last one counts: the folders above may be called anything.
        let at = (0..parts.len().saturating_sub(3)).rev().find(|&at| {
            let below = name(&parts[at + 2]);
            name(&parts[at]).is_some_and(|part| is_wasm(&part))
                && below.is_some_and(|below| BELOW_PROFILE.contains(&&*below))
        })?;
        Some(Self {
            build_dir: parts[..at].iter().collect(),
            target: name(&parts[at])?,
            profile_folder: name(&parts[at + 1])?,
        })
    }

    /// Whether it is the place of what is built with `profile` (the Cargo book, "Build cache").
    pub fn is_of_profile(&self, profile: &str) -> bool {
        let folder = match profile {
            "dev" | "test" => "debug",
            "bench" => "release",
            own => own,
        };
        self.profile_folder == folder
    }
}

fn is_wasm(target: &str) -> bool {
    target.starts_with("wasm32") || target.starts_with("wasm64")
}

/// The sysroot that `path` lies in, if it lies in one: what stands before `lib/rustlib`.
pub fn sysroot(path: &Path) -> Option<PathBuf> {
    let library = Path::new("lib/rustlib");
    let mut folders = path.ancestors();
    let rustlib = folders.find(|folder| folder.ends_with(library))?;
    rustlib.parent()?.parent().map(Path::to_owned)
}

/// The target whose standard library `path` is a crate of:
/// `<sysroot>/lib/rustlib/<target>/lib/….rlib`.
pub fn target_of_library(path: &Path) -> Option<String> {
    path.extension().filter(|extension| *extension == "rlib")?;
    let below = path.strip_prefix(sysroot(path)?.join("lib/rustlib")).ok()?;
    let mut parts = below.iter().map(OsStr::to_str);
    let target = parts.next()??;
    (is_wasm(target) && parts.next()?? == "lib").then(|| target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects the one way to tell a profile: a folder that is read wrongly would be a gate that
    /// never closes.
    #[test]
    fn cargo_says_target_and_profile_by_folders() {
        let place = |path: &str| {
            let place = Place::of(Path::new(path))?;
            Some((
                place.build_dir.display().to_string(),
                place.target,
                place.profile_folder,
            ))
        };
        let expected = |folder: &str| {
            Some((
                folder.to_owned(),
                "wasm32-wasip2".to_owned(),
                "release-wasm".to_owned(),
            ))
        };
        for output in [
            "/app/target/wasm32-wasip2/release-wasm/deps/app.wasm",
            "/app/target/wasm32-wasip2/release-wasm/examples/app-0123456789abcdef.wasm",
            "/app/target/wasm32-wasip2/release-wasm/build/app/0123456789abcdef/out/app.wasm",
            "/app/target/wasm32-wasip2/release-wasm/build/wasm32-app/0123/out/app.wasm",
        ] {
            assert_eq!(place(output), expected("/app/target"), "{output}");
        }
        let nested = "/wasm32-things/release/deps/wasm32-wasip2/release-wasm/deps/app.wasm";
        assert_eq!(place(nested), expected("/wasm32-things/release/deps"));
        for output in ["/app/app.wasm", "/app/target/release/deps/app", "app.wasm"] {
            assert_eq!(place(output), None, "{output}");
        }
    }

    #[test]
    fn cargos_own_profiles_have_folders_of_other_names() {
        let in_folder = |profile_folder: &str| Place {
            build_dir: "/app/target".into(),
            target: "wasm32-wasip1".to_owned(),
            profile_folder: profile_folder.to_owned(),
        };
        assert!(in_folder("debug").is_of_profile("dev"));
        assert!(in_folder("release").is_of_profile("bench"));
        assert!(in_folder("release-wasm").is_of_profile("release-wasm"));
        assert!(!in_folder("release").is_of_profile("release-wasm"));
        assert!(!in_folder("debug").is_of_profile("release"));
    }

    #[test]
    fn a_ready_made_library_says_its_target() {
        let library =
            "/home/me/.rustup/toolchains/stable/lib/rustlib/wasm32-wasip1/lib/libcore-1.rlib";
        assert_eq!(
            target_of_library(Path::new(library)).as_deref(),
            Some("wasm32-wasip1")
        );
        assert_eq!(
            sysroot(Path::new(library)),
            Some("/home/me/.rustup/toolchains/stable".into())
        );
        for other in [
            "/usr/lib/rustlib/x86_64-unknown-linux-gnu/lib/libcore-1.rlib",
            "/usr/lib/rustlib/wasm32-wasip1/lib/self-contained",
            "/app/target/wasm32-wasip1/release/deps/libcore-1.rlib",
            "--no-entry",
        ] {
            assert_eq!(target_of_library(Path::new(other)), None, "{other}");
        }
    }
}
