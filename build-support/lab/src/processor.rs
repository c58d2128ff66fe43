//! What this process has taken of the machine, as Linux tells it: processor time, which a busy
//! machine does not change as it does the clock's, and memory.

use std::time::Duration;

/// The kernel's unit in `/proc`, whatever the processor's is (man 5 proc, `USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// What `run` gives, and the processor time of all threads meanwhile, in milliseconds; 0 where the
/// system does not say.
pub fn timed<T>(run: impl FnOnce() -> T) -> (T, u64) {
    measured(run, 2)
}

/// The same with the time of the processes that were started and have ended meanwhile, and of
/// theirs.
pub fn timed_with_children<T>(run: impl FnOnce() -> T) -> (T, u64) {
    measured(run, 4)
}

fn measured<T>(run: impl FnOnce() -> T, fields: usize) -> (T, u64) {
    let before = ticks(fields);
    let made = run();
    let ticks = ticks(fields).saturating_sub(before);
    (made, ticks * TICK.as_millis() as u64)
}

/// User and system time, the 14th and 15th field, and those of the children that were waited for,
/// the 16th and 17th; the second may have blanks and brackets.
fn ticks(fields: usize) -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = behind_name.split_whitespace().skip(11).take(fields);
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
    use build_support::system::process;

    /// Protects ratios from a clock that stands still, or that counts what others do.
    #[test]
    fn work_takes_time_and_waiting_does_not() {
        let work = || {
            let mut state = 1_u64;
            while super::ticks(2) < 5 {
                for _ in 0..1_000_000 {
                    state = std::hint::black_box(state.wrapping_mul(3));
                }
            }
        };
        work();
        assert!(super::ticks(2) >= 5 && super::peak().unwrap() > 0);
        let spin = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        let shell = || process::output(process::command("sh").args(["-c", spin])).unwrap();
        let (_, with_children) = super::timed_with_children(shell);
        assert!(with_children > 0);
    }
}
