//! Fails the build where the dependency graph breaks the rules in `[package.metadata.budget.graph]`.

fn main() {
    build_support::guard::check();
}
