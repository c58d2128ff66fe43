//! Origins, as pages see them.

/// Whether `text` is an origin, as pages see it: a scheme, a host, and a port where it is not the
/// scheme's own.
///
/// # Errors
/// What of it is not.
pub fn check(text: &str) -> Result<(), &'static str> {
    if text.contains('*') {
        return Err("`*` would grant what nobody has looked at");
    }
    let (scheme, rest) = text
        .split_once("://")
        .ok_or("it has no scheme, such as https://")?;
    if !matches!(scheme, "http" | "https") {
        return Err("requests go by https, or by http to this machine");
    }
    if rest.contains(['/', '?', '#']) {
        return Err("it has a path, and a grant is for all of an origin");
    }
    if rest.contains('@') {
        return Err("it has a user's name");
    }
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (rest, None),
    };
    if let Some(port) = port {
        let number: u16 = port.parse().map_err(|_| "its port is no number")?;
        if number.to_string() != port || number == 0 {
            return Err("its port is not written as browsers write it");
        }
        if (scheme, number) == ("https", 443) || (scheme, number) == ("http", 80) {
            return Err("its port is the usual one, which browsers leave out");
        }
    }
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if scheme == "http" && !is_here {
        return Err("http is for this machine alone");
    }
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_label = |label: &str| !label.is_empty() && label.chars().all(is_plain);
    if !is_here && !host.split('.').all(is_label) {
        return Err(
            "its host is not written as browsers write it: small letters, `xn--` for others",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn origins_are_what_browsers_call_so() {
        for good in [
            "https://api.example.com",
            "https://xn--bcher-kva.example:8443",
            "http://localhost:8080",
            "http://127.0.0.1:9",
            "http://[::1]:8080",
            "http://[::1]",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("https://*.example.com", "`*`"),
            ("*", "`*`"),
            ("api.example.com", "no scheme"),
            ("ftp://example.com", "https"),
            ("https://example.com/", "a path"),
            ("https://example.com/v1", "a path"),
            ("https://example.com?x", "a path"),
            ("https://me@example.com", "a user's name"),
            ("https://example.com:443", "the usual one"),
            ("https://example.com:0443", "as browsers write it"),
            ("https://example.com:x", "no number"),
            ("http://example.com", "this machine alone"),
            ("https://Example.com", "small letters"),
            ("https://", "small letters"),
            ("https://a..b", "small letters"),
            ("https://a'; script-src 'unsafe-inline", "small letters"),
            ("https://a b", "small letters"),
        ] {
            let said = check(bad).expect_err(bad);
            assert!(said.contains(why), "{bad}: {said}");
        }
    }
}
