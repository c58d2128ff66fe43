use super::*;

const MANIFEST: &str = "\
[package]
name = \"app\"
[package.metadata.budget.sweep]
enabled = false
[package.metadata.budget.graph]
banned-crates = [\"big-runtime\"]
";

/// Ships a module; says what is left in the folder when that fails.
fn ship(wat: &str, machine_paths: &[String]) -> Result<Shipped> {
    let folder = tempfile::tempdir().unwrap();
    let file = Path::new("app.linked.wasm");
    let config = crate::config::parse(Path::new("Cargo.toml"), MANIFEST, "wasm32-wasip1")?;
    let input = Input {
        config: &config,
        name: "app",
        file,
        linked: wat::parse_str(wat).unwrap(),
        toolchain: Toolchain::default(),
        definers: &Definers::default(),
        wants_component: false,
        newer_wasm_opt: None,
        bindgen: None,
        identity: "test",
        machine_paths,
    };
    let shipped = run(&input, folder.path(), &mut |_| {});
    let exists = folder.path().join("app.wasm").exists();
    assert_eq!(
        exists,
        shipped.is_ok(),
        "a refused file must not be shipped"
    );
    shipped
}

/// Protects FR-10 where the graph could not: what was linked, by its names.
#[test]
fn a_banned_crate_in_the_linked_file_is_refused_by_name() {
    let module = |krate: &str| {
        let name = format!("_ZN{}{krate}5spawn17h0123456789abcdefE", krate.len());
        format!("(module (func ${name} (export \"f\") (nop)))")
    };
    let Err(Error::Banned(broken)) = ship(&module("big_runtime"), &[]) else {
        panic!("it is not refused");
    };
    assert_eq!(broken.len(), 1);
    assert!(broken[0].notes[0].starts_with("big_runtime::spawn"));
    assert!(broken[0].help[0].starts_with("`cargo tree --target"));
    assert!(
        ship(&module("big_runtimes"), &[]).is_ok(),
        "another crate is fine"
    );
}

/// Protects privacy and determinism: no folder of the machine gets out.
#[test]
fn a_folder_of_this_machine_in_the_shipped_file_is_refused() {
    let module =
        r#"(module (memory (export "m") 1) (data (i32.const 8) "/home/me/project/src/lib.rs"))"#;
    let error = ship(module, &["/home/me/project".to_owned()])
        .err()
        .expect("it is named");
    assert!(
        error.to_string().contains("/home/me/project/src/lib.rs"),
        "{error}"
    );
    assert!(ship(module, &["/home/you".to_owned()]).is_ok());
}

/// Protects whoever has a trace and two builds: the id is measured, attributed, in the map, and of
/// the contents.
#[test]
fn a_build_id_is_part_of_what_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let module = r#"(module (@custom "build_id" "\04link") (func $app::run (export "run") (nop)))"#;
    let run = |manifest: &str, module: &str| {
        let target = "wasm32-wasip1";
        let config = crate::config::parse(Path::new("Cargo.toml"), manifest, target).unwrap();
        let input = Input {
            config: &config,
            name: "app",
            file: Path::new("app.linked.wasm"),
            linked: wat::parse_str(module).unwrap(),
            toolchain: Toolchain::default(),
            definers: &Definers::default(),
            wants_component: false,
            newer_wasm_opt: None,
            bindgen: None,
            identity: "test",
            machine_paths: &[],
        };
        let shipped = super::run(&input, folder.path(), &mut |_| {}).unwrap();
        let map = SymbolMap::read(&shipped.files.symbols).unwrap();
        assert_eq!(map.sha256, digest::digest(&shipped.bytes));
        assert_eq!(map.modules[0].functions[0].name, "app::run");
        (shipped, map.build_id)
    };
    let with = MANIFEST.replace(
        "[package.metadata.budget.sweep]",
        "[package.metadata.budget]\nbuild-id = true\n[package.metadata.budget.sweep]",
    );
    let (plain, none) = run(MANIFEST, module);
    let (stamped, id) = run(&with, module);
    assert_eq!(
        (none, stamped.unchanged),
        (None, false),
        "the key is in the cache's"
    );
    assert_eq!(stamped.report.sizes.raw, plain.report.sizes.raw + 28);
    let rows = &stamped.report.attribution.rows;
    assert!(
        rows.iter()
            .any(|row| row.name == "build_id" && row.bytes == 28)
    );
    assert_eq!(stamped.report.stages[7].name, "build id");
    assert_eq!(stamped.report.stages[7].note, id.clone().unwrap());
    assert!(run(&with, module).0.unchanged);
    std::fs::remove_file(&stamped.files.symbols).unwrap();
    assert_eq!(
        (run(&with, module).1, stamped.files.symbols.exists()),
        (id.clone(), true)
    );
    let (_, other) = run(&with, r#"(module (func $app::run (export "go") (nop)))"#);
    assert_ne!(other, id);
}

/// Protects the loop's promise: what no engine takes is no product.
#[test]
fn what_does_not_validate_is_refused_with_the_offset() {
    let error =
        Artifact::new(b"\0asm\x01\0\0\0\x01\xff".to_vec(), Path::new("x.wasm")).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Input {
                offset: Some(_),
                ..
            }
        ),
        "{error}"
    );
}

/// Protects the limits of crates: who else defines what has no crate in its name is another report,
/// even of the same bytes.
#[test]
fn what_a_library_defines_is_part_of_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let module = r#"(module (func $run (export "run") (nop)))"#;
    let crates = |definers: &Definers| {
        let manifest = Path::new("Cargo.toml");
        let config = crate::config::parse(manifest, MANIFEST, "wasm32-wasip1").unwrap();
        let input = Input {
            config: &config,
            name: "app",
            file: Path::new("app.linked.wasm"),
            linked: wat::parse_str(module).unwrap(),
            toolchain: Toolchain::default(),
            definers,
            wants_component: false,
            newer_wasm_opt: None,
            bindgen: None,
            identity: "test",
            machine_paths: &[],
        };
        let shipped = super::run(&input, folder.path(), &mut |_| {}).unwrap();
        let rows = shipped.report.attribution.rows.into_iter();
        let of = rows.filter(|row| row.name == "run").map(|row| row.krate);
        (shipped.unchanged, of.collect::<Vec<_>>())
    };
    let mut definers = Definers::new("app");
    assert_eq!(crates(&definers), (false, vec![Some("app".to_owned())]));
    assert!(crates(&definers).0, "nothing has changed");
    definers.add("run", Some("library"));
    assert_eq!(crates(&definers), (false, vec![Some("library".to_owned())]));
}
