//! Calls of libraries that may panic on input they do not expect: the panic ends there, and says
//! nothing.

use std::panic;
use std::sync::Once;
use std::thread;

/// What the threads are called whose panics are not told.
const NAME: &str = "contained";

/// Runs `call` on a thread with a stack of `stack` bytes; none where it panics.
///
/// # Errors
/// The system's, where it has no room for the thread.
pub fn contain<T: Send>(
    stack: usize,
    call: impl FnOnce() -> T + Send,
) -> std::io::Result<Option<T>> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if thread::current().name() != Some(NAME) {
                tell(panic);
            }
        }));
    });
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(NAME.to_owned());
        let thread = thread.stack_size(stack).spawn_scoped(scope, call)?;
        Ok(thread.join().ok())
    })
}

#[cfg(test)]
mod tests {
    use super::contain;

    /// Protects the run from what a library did not expect.
    #[test]
    fn a_panic_ends_where_it_began() {
        assert_eq!(contain(1 << 20, || 1).unwrap(), Some(1));
        let nothing: Vec<u8> = Vec::new();
        assert_eq!(contain(1 << 20, || nothing[0]).unwrap(), None);
    }
}
