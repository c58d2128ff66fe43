//! Short times as people read them.

use build_support::report::units::bytes;

/// A short time for reading, with three digits or more: `41.3 µs`, `812 µs`, `5.67 ms`, `27.1 ms`,
/// `1,234 ms`.
pub fn text(nanos: u64) -> String {
    match nanos {
        n if n < 99_950 => format!("{:.1} µs", n as f64 / 1e3),
        n if n < 999_500 => format!("{:.0} µs", n as f64 / 1e3),
        n if n < 9_995_000 => format!("{:.2} ms", n as f64 / 1e6),
        n if n < 99_950_000 => format!("{:.1} ms", n as f64 / 1e6),
        n => format!("{} ms", bytes((n + 500_000) / 1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn durations_keep_three_digits() {
        let texts = [
            0,
            41_349,
            99_949,
            99_950,
            999_499,
            999_500,
            27_060_000,
            1_234_499_999,
        ];
        assert_eq!(
            texts.map(text),
            [
                "0.0 µs", "41.3 µs", "99.9 µs", "100 µs", "999 µs", "1.00 ms", "27.1 ms",
                "1,234 ms"
            ]
        );
    }
}
