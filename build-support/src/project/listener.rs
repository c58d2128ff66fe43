//! Who is told what is going on while cargo and the passes work.

/// Who is told what is going on.
pub trait Listener {
    /// A line for the user, e.g. which standard library was taken.
    fn say(&mut self, line: &str);
    /// The name of the stage that begins.
    fn stage(&mut self, name: &str);
    /// Whether cargo's own messages are wanted, which then come to [`Listener::message`] instead of
    /// being drawn.
    fn wants_messages(&self) -> bool {
        false
    }
    /// A line of JSON, as cargo wrote it.
    fn message(&mut self, _line: &str) {}
}

/// Is told and tells nobody.
pub struct Silent;

impl Listener for Silent {
    fn say(&mut self, _line: &str) {}
    fn stage(&mut self, _name: &str) {}
}
