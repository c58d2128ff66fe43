//! What a core module was between the steps of a pass that has several.

/// A step that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// The module after it.
    pub module: Vec<u8>,
}

/// What a core module was between the steps.
pub struct Steps {
    /// Before the first one.
    pub first: Vec<u8>,
    /// After each that was kept.
    pub all: Vec<Step>,
}
