//! What this process has taken of the machine, as Linux tells it: processor time, which a busy
//! machine does not change as it does the clock's, and memory.

use std::time::Duration;

/// The kernel's unit in `/proc`, whatever the processor's is (man 5 proc, `USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// What `run` gives, and the processor time of all threads meanwhile, in milliseconds; 0 where the
/// system does not say.
pub fn timed<T>(run: impl FnOnce() -> T) -> (T, u64) {
    let before = ticks();
    let made = run();
    let ticks = ticks().saturating_sub(before);
    (made, ticks * TICK.as_millis() as u64)
}

/// User and system time, the 14th and 15th field; the second may have blanks and brackets.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = behind_name.split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// The highest resident memory so far, in bytes.
pub fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    /// Protects ratios from a clock that stands still, or that counts what others do.
    #[test]
    fn work_takes_time_and_waiting_does_not() {
        let work = || {
            let mut state = 1_u64;
            while super::ticks() < 5 {
                for _ in 0..1_000_000 {
                    state = std::hint::black_box(state.wrapping_mul(3));
                }
            }
        };
        work();
        assert!(super::ticks() >= 5 && super::peak().unwrap() > 0);
    }
}
