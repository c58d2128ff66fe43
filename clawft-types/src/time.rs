//! Timestamps: milliseconds since the Unix epoch, and RFC 3339 for people.

use alloc::string::String;

/// `milliseconds` since 1970-01-01T00:00:00Z as RFC 3339 in UTC: `2026-11-21T04:53:22.007Z`.
///
/// Years beyond 9999 are written with as many digits as they need.
pub fn rfc3339(milliseconds: u64) -> String {
    let (days, rest) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    // Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days: the year is
    // taken to begin in March, so that the leap day is its last.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);

    let mut out = String::new();
    let parts = [
        (year, 4, "-"),
        (month, 2, "-"),
        (day, 2, "T"),
        (rest / 3_600_000, 2, ":"),
        (rest / 60_000 % 60, 2, ":"),
        (rest / 1_000 % 60, 2, "."),
        (rest % 1_000, 3, "Z"),
    ];
    for (value, width, after) in parts {
        let digits = crate::json::decimal(value);
        for _ in digits.len()..width {
            out.push('0');
        }
        out.push_str(&digits);
        out.push_str(after);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn known_instants() {
        for (milliseconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_000_000_000_000, "2001-09-09T01:46:40.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(milliseconds), text);
        }
        assert!(rfc3339(u64::MAX).ends_with('Z'));
    }
}
