//! How far above the present size a limit is set.

/// A share of a size, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Margin(u64);

impl Default for Margin {
    fn default() -> Self {
        Self(30)
    }
}

impl std::str::FromStr for Margin {
    type Err = String;

    /// `3%`, `2.5%` or `3`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no margin: write a percentage from 0% to 1000%, such as 3% or 2.5%"
            )
        };
        let number = text.trim().trim_end_matches('%').trim_end();
        let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |digits: &str, most| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|d| d.is_ascii_digit())
        };
        if !is_number(whole, 4) || !is_number(tenth, 1) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let tenth: u64 = tenth.parse().map_err(|_| wrong())?;
        let thousandths = whole * 10 + tenth;
        (thousandths <= 10_000)
            .then_some(Self(thousandths))
            .ok_or_else(wrong)
    }
}

impl std::fmt::Display for Margin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{}%", self.0 / 10),
            tenth => write!(f, "{}.{tenth}%", self.0 / 10),
        }
    }
}

impl Margin {
    /// The limit for something of that many bytes, rounded up.
    pub fn above(self, bytes: u64) -> u64 {
        let more = u128::from(bytes) * u128::from(self.0);
        bytes
            .saturating_add(u64::try_from(more.div_ceil(1000)).unwrap_or(u64::MAX))
            .max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::Margin;

    /// Protects the limits that are written: a margin is what it says, and never rounds a limit
    /// below the size.
    #[test]
    fn a_margin_is_a_percentage() {
        let cases = [
            ("3%", 1_000, 1_030),
            ("3", 1_001, 1_032),
            ("2.5 %", 1_000, 1_025),
            ("0%", 7, 7),
            ("1000%", 2, 22),
        ];
        for (text, bytes, limit) in cases {
            assert_eq!(
                text.parse::<Margin>().unwrap().above(bytes),
                limit,
                "{text}"
            );
        }
        assert_eq!(Margin::default().to_string(), "3%");
        assert_eq!("2.5%".parse::<Margin>().unwrap().to_string(), "2.5%");
        assert_eq!(Margin::default().above(u64::MAX), u64::MAX);
        for text in [
            "",
            "%",
            "-3%",
            "3.25%",
            "1001%",
            "three",
            "99999999999999999999%",
            "3.%",
        ] {
            assert!(text.parse::<Margin>().is_err(), "{text}");
        }
    }
}
