//! Every branch of the decision, from facts alone: no network, no process, nothing installed.

use build_support::project::toolchain::{
    Apt, Compiler, Decision, Machine, Rustup, SourceTree, Std, decide, decide_sources,
};
use std::path::PathBuf;

const TARGET: &str = "wasm32-wasip2";

fn compiler(sysroot: &str, release: &str) -> Compiler {
    Compiler {
        rustc: format!("{sysroot}/bin/rustc").into(),
        cargo: Some(format!("{sysroot}/bin/cargo").into()),
        version: format!("rustc {release}"),
        release: release.to_owned(),
        host: "x86_64-unknown-linux-gnu".to_owned(),
        sysroot: sysroot.into(),
        has_target: false,
        sources: None,
        libc: None,
    }
}

fn sources(release: Option<&str>) -> Option<SourceTree> {
    Some(SourceTree {
        library: "/src/library".into(),
        release: release.map(str::to_owned),
    })
}

/// A user's machine: rustup, its linker, nothing else.
fn bare() -> Machine {
    Machine {
        target: TARGET.to_owned(),
        active: Some(compiler("/rustup/toolchains/stable", "1.95.0")),
        rustup: Rustup::Ready {
            program: "/bin/rustup".into(),
            toolchain: "stable".to_owned(),
        },
        distribution: None,
        libc: None,
        linker: Some("/rustup/rust-lld".into()),
        apt: Apt::Absent,
    }
}

/// The same with the distribution's packages, and rustup told to install nothing.
fn with_packages() -> Machine {
    let distribution = Compiler {
        sources: sources(Some("1.96.0")),
        ..compiler("/usr", "1.96.0")
    };
    Machine {
        rustup: Rustup::Off,
        distribution: Some(distribution),
        libc: Some("/usr/lib/wasm32-wasi".into()),
        apt: Apt::Ready,
        ..bare()
    }
}

fn used(machine: &Machine) -> (PathBuf, Std) {
    match decide(machine) {
        Ok(Decision::Use(toolchain)) => (toolchain.rustc, toolchain.std),
        other => panic!("expected a toolchain, got {other:?}"),
    }
}

fn refused(machine: &Machine) -> String {
    decide(machine)
        .expect_err("nothing to use and nothing to install")
        .to_string()
}

/// Protects the first branch: what is installed is used, whatever else there is.
#[test]
fn an_installed_std_comes_first() {
    for machine in [bare(), with_packages()] {
        let active = machine.active.clone().map(|active| Compiler {
            has_target: true,
            ..active
        });
        let (rustc, std) = used(&Machine { active, ..machine });
        assert_eq!(
            (rustc, std),
            ("/rustup/toolchains/stable/bin/rustc".into(), Std::Installed)
        );
    }
}

/// Protects the second branch: rustup is asked before sources are compiled.
#[test]
fn rustup_is_asked_where_it_may_be() {
    let expected = Decision::AddTarget {
        rustup: "/bin/rustup".into(),
        toolchain: "stable".to_owned(),
    };
    assert_eq!(decide(&bare()).unwrap(), expected);
    assert_eq!(
        decide(&Machine {
            rustup: bare().rustup,
            ..with_packages()
        })
        .unwrap(),
        expected
    );
}

/// Protects the reference of `size-bench`: it is built from sources even where a library stands
/// ready, with the C library that is the compiler's own where it has one.
#[test]
fn sources_alone_can_be_asked_for() {
    let machine = with_packages();
    let active = machine.active.clone().map(|active| Compiler {
        has_target: true,
        sources: sources(None),
        libc: Some("/rustup/self-contained".into()),
        ..active
    });
    let with_sources = Machine { active, ..machine };
    let Ok(Decision::Use(toolchain)) = decide_sources(&with_sources) else {
        panic!("{:?}", decide_sources(&with_sources))
    };
    let Std::Sources(found) = toolchain.std else {
        panic!("{:?}", toolchain.std)
    };
    assert_eq!(found.libc, Some("/rustup/self-contained".into()));

    let message = decide_sources(&bare()).unwrap_err().to_string();
    assert!(
        message.contains("there are no sources to build it from")
            && message.contains("help: rustup component add rust-src"),
        "{message}"
    );
    let off = Machine {
        rustup: Rustup::Off,
        apt: Apt::Ready,
        ..bare()
    };
    assert!(matches!(
        decide_sources(&off),
        Ok(Decision::InstallPackages(_))
    ));
}

/// Protects the user's word: with `RUSTUP_AUTO_INSTALL=0` rustup is not asked, whatever is missing.
#[test]
fn rustup_is_never_asked_against_the_users_word() {
    let off = |machine: Machine| Machine {
        rustup: Rustup::Off,
        ..machine
    };
    assert!(matches!(used(&off(with_packages())).1, Std::Sources(_)));
    for apt in [Apt::Absent, Apt::NotRoot, Apt::Failed("offline".to_owned())] {
        let message = refused(&off(Machine { apt, ..bare() }));
        assert!(message.contains("RUSTUP_AUTO_INSTALL=0"), "{message}");
        assert!(
            message.contains("help: rustup target add wasm32-wasip2"),
            "{message}"
        );
    }
}

/// Protects the third branch: a compiler, sources of its own version, a C library, a linker.
#[test]
fn sources_are_compiled_by_their_own_compiler() {
    let (rustc, std) = used(&with_packages());
    assert_eq!(rustc, PathBuf::from("/usr/bin/rustc"));
    let Std::Sources(found) = std else {
        panic!("{std:?}")
    };
    assert_eq!(found.release, "1.96.0");
    assert_eq!(found.libc, Some("/usr/lib/wasm32-wasi".into()));
    assert_eq!(found.linker, PathBuf::from("/rustup/rust-lld"));
}

/// Protects the order inside the third branch: the active toolchain's `rust-src`, which says no
/// version.
#[test]
fn the_active_toolchains_sources_come_before_the_distributions() {
    let machine = with_packages();
    let active = machine.active.clone().map(|active| Compiler {
        sources: sources(None),
        ..active
    });
    assert_eq!(
        used(&Machine { active, ..machine }).0,
        PathBuf::from("/rustup/toolchains/stable/bin/rustc")
    );
}

/// Protects against sources that another version's compiler cannot compile: they count as missing.
#[test]
fn sources_of_another_version_are_not_taken() {
    let machine = with_packages();
    let distribution = machine.distribution.clone().map(|d| Compiler {
        sources: sources(Some("1.85.0")),
        ..d
    });
    let machine = Machine {
        distribution,
        ..machine
    };
    assert!(matches!(decide(&machine), Ok(Decision::InstallPackages(_))));
    let message = refused(&Machine {
        apt: Apt::NotRoot,
        ..machine
    });
    assert!(
        message.contains(
            "the sources in /src/library are of 1.85.0, the compiler /usr/bin/rustc is 1.96.0"
        ),
        "{message}"
    );
}

/// Protects the set-up on a bare machine of the distribution: root installs what is missing, the
/// linker too.
#[test]
fn root_installs_packages() {
    let install = |machine: &Machine| match decide(machine) {
        Ok(Decision::InstallPackages(packages)) => packages.join(" "),
        other => panic!("{other:?}"),
    };
    let off = Machine {
        rustup: Rustup::Off,
        apt: Apt::Ready,
        ..bare()
    };
    assert_eq!(install(&off), "rustc-web cargo-web rust-web-src wasi-libc");
    assert_eq!(
        install(&Machine {
            libc: None,
            ..with_packages()
        }),
        "rustc-web cargo-web rust-web-src wasi-libc"
    );
    assert_eq!(
        install(&Machine {
            active: None,
            rustup: Rustup::Absent,
            linker: None,
            ..off
        }),
        "rustc-web cargo-web rust-web-src wasi-libc lld-22"
    );
}

/// Protects the rest: who is not root is told the commands.
#[test]
fn others_are_told_the_commands() {
    let message = refused(&Machine {
        rustup: Rustup::Absent,
        apt: Apt::NotRoot,
        ..bare()
    });
    assert_eq!(
        message,
        "no standard library for wasm32-wasip2: rustc 1.95.0 has none in its sysroot; there are no sources to build it from\n  \
         help: sudo apt-get update && sudo apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src wasi-libc"
    );
    let message = refused(&Machine {
        active: None,
        rustup: Rustup::Absent,
        ..bare()
    });
    assert!(message.contains("there is no rustc on PATH"), "{message}");
    assert!(
        message.contains("install rustup, then `rustup target add wasm32-wasip2`"),
        "{message}"
    );
}

/// Protects against asking for ever: what failed is not tried again, and its reason is told.
#[test]
fn an_attempt_is_made_once() {
    let failed = Rustup::Failed("no network".to_owned());
    assert!(matches!(
        used(&Machine {
            rustup: failed.clone(),
            ..with_packages()
        })
        .1,
        Std::Sources(_)
    ));
    let message = refused(&Machine {
        rustup: failed,
        apt: Apt::Failed("no mirror".to_owned()),
        ..bare()
    });
    assert!(
        message.contains("rustup could not add it: no network"),
        "{message}"
    );
    assert!(
        message.contains("the packages could not be installed: no mirror"),
        "{message}"
    );
}

/// Protects targets without a C library: they need none.
#[test]
fn only_wasi_needs_a_c_library() {
    let machine = Machine {
        libc: None,
        apt: Apt::Absent,
        ..with_packages()
    };
    assert!(refused(&machine).contains("no C library for WASI"));
    let (_, std) = used(&Machine {
        target: "wasm32-unknown-unknown".to_owned(),
        ..machine
    });
    assert!(matches!(std, Std::Sources(sources) if sources.libc.is_none()));
}
