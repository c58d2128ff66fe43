//! Ctrl-C: the first cancels the turn that runs, the second ends the program, as does one between
//! turns. What the store holds is whole turns at any moment.

use crate::driver::Input;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::Sender;

/// The exit code of a program that was ended so.
const INTERRUPTED: i32 = 1;

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const CANCELLED: u8 = 2;

/// What Ctrl-C does next.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicU8>);

impl Interrupt {
    /// Takes Ctrl-C over; a turn is cancelled by a message to `driver`.
    ///
    /// # Errors
    /// What the system says.
    #[cfg(unix)]
    pub fn install(driver: Sender<Input>) -> std::io::Result<Interrupt> {
        let interrupt = Interrupt::default();
        let state = Arc::clone(&interrupt.0);
        let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT])?;
        std::thread::Builder::new()
            .name("weft-ctrl-c".to_owned())
            .spawn(move || {
                for _ in signals.forever() {
                    let (now, next) = (Ordering::SeqCst, Ordering::SeqCst);
                    let turn = state.compare_exchange(RUNNING, CANCELLED, now, next);
                    if turn.is_err() || driver.send(Input::Interrupt).is_err() {
                        std::process::exit(INTERRUPTED);
                    }
                }
            })?;
        Ok(interrupt)
    }

    /// Leaves Ctrl-C to the system, which ends the program.
    ///
    /// # Errors
    /// None.
    #[cfg(not(unix))]
    pub fn install(_: Sender<Input>) -> std::io::Result<Interrupt> {
        Ok(Interrupt::default())
    }

    /// A turn runs from now on.
    pub fn begin(&self) {
        self.0.store(RUNNING, Ordering::SeqCst);
    }

    /// No turn runs any more.
    pub fn end(&self) {
        self.0.store(IDLE, Ordering::SeqCst);
    }
}
