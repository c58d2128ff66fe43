//! Fails the build where the dependency graph breaks the rules in `[package.metadata.budget.graph]`, and
//! sets the size of the wasm stack.

/// Bytes of stack. The linker puts the stack before the data, so that running over it traps, and its default
/// of 1 MiB puts the data just where an address begins to take four bytes instead of three. The deepest
/// hostile input needs less than 12 KiB in the shipped file; an unoptimised build needs several times that.
const STACK: u32 = 256 * 1024;

fn main() {
    build_support::guard::check();
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=-z");
        println!("cargo::rustc-link-arg-cdylib=stack-size={STACK}");
    }
}
