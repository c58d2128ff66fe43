//! Fails the build where the dependency graph breaks the rules in
//! `[package.metadata.budget.graph]`, makes constants of the sizes in
//! `[package.metadata.budget.constants]`, and settles two things for wasm: the size of the stack,
//! and which allocator the features choose.

/// The allocators of `src/alloc.rs`. The feature of each is its name after `alloc-`.
const ALLOCATORS: [&str; 5] = [DEFAULT, "talc", "talc-small", "lol", "lol-free"];

/// Yields to any other: features only add up, and default ones are hard to take off.
const DEFAULT: &str = "dlmalloc";

fn main() {
    build_guard::guard::check();
    let constants = build_guard::guard::constants();
    let wasm = std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm");
    // The linker puts the stack before the data, so that running over it traps, and its default of
    // 1 MiB puts the data just where an address begins to take four bytes instead of three. The
    // deepest hostile input needs less than 12 KiB in the shipped file; an unoptimised build needs
    // several times that.
    if let Some(stack) = constants.get("stack").filter(|_| wasm) {
        println!("cargo::rustc-link-arg-cdylib=-z");
        println!("cargo::rustc-link-arg-cdylib=stack-size={stack}");
    }
    // What `alloc.rs` may ask for, and what the answer is.
    let values = ALLOCATORS.map(|name| format!("\"{name}\"")).join(", ");
    println!("cargo::rustc-check-cfg=cfg(allocator, values({values}))");
    match allocator() {
        Ok(Some(name)) => println!("cargo::rustc-cfg=allocator=\"{name}\""),
        Ok(None) if wasm => println!(
            "cargo::error=clawft-wasm needs an allocator on wasm: enable one of the features {}",
            features(&ALLOCATORS, ", ")
        ),
        Ok(None) => {}
        Err(several) => println!(
            "cargo::error=features {} exclude each other: enable one of them, or none for {DEFAULT}",
            features(&several, " and ")
        ),
    }
}

/// The allocator that the features in force choose, if they do; where they choose several, those.
fn allocator() -> Result<Option<&'static str>, Vec<&'static str>> {
    let on: Vec<_> = ALLOCATORS.into_iter().filter(is_on).collect();
    match on.as_slice() {
        [] => Ok(None),
        [name] | [DEFAULT, name] => Ok(Some(name)),
        [DEFAULT, several @ ..] | several => Err(several.to_vec()),
    }
}

/// Whether the feature of the allocator `name` is in force.
fn is_on(name: &&str) -> bool {
    let feature = name.to_uppercase().replace('-', "_");
    std::env::var_os(format!("CARGO_FEATURE_ALLOC_{feature}")).is_some()
}

/// The features of allocators, as a list.
fn features(names: &[&str], between: &str) -> String {
    let features: Vec<_> = names.iter().map(|name| format!("`alloc-{name}`")).collect();
    features.join(between)
}
