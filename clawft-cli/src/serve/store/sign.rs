//! Signature Version 4 of requests to object stores: "Authenticating Requests (AWS Signature
//! Version 4)" in the reference of Amazon S3. Pure: request and time in, headers out.

use sha2::{Digest as _, Sha256};
use std::time::{Duration, SystemTime};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Bytes of a block of SHA-256, by which HMAC goes (RFC 2104).
const BLOCK: usize = 64;
const DAY: u64 = 24 * 60 * 60;

/// Who asks.
#[derive(Clone)]
pub struct Keys {
    /// The name of the key, which is no secret.
    pub access: String,
    /// The key.
    pub secret: String,
    /// What goes with keys that end.
    pub session: Option<String>,
}

/// What is signed of a request.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// `GET`, `PUT`, …
    pub method: &'r str,
    /// The path as it is sent, with its percent signs.
    pub path: &'r str,
    /// Parameters in the order of their names, encoded by [`encode`].
    pub query: &'r str,
    /// Names in small letters, with `host`; in any order.
    pub headers: &'r [(&'r str, &'r str)],
    /// The body.
    pub body: &'r [u8],
}

/// The headers that `asked` is to have besides its own, for `region` at `now`.
pub fn sign(
    asked: &Asked<'_>,
    keys: &Keys,
    region: &str,
    now: SystemTime,
) -> Vec<(&'static str, String)> {
    let (date, time) = stamp(now);
    let hash = hex(&Sha256::digest(asked.body));
    let mut added = vec![
        ("x-amz-content-sha256", hash.clone()),
        ("x-amz-date", time.clone()),
    ];
    added.extend(
        keys.session
            .clone()
            .map(|token| ("x-amz-security-token", token)),
    );
    let mut headers: Vec<(&str, &str)> = asked.headers.to_vec();
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    let canonical = [asked.method, asked.path, asked.query, &lines, &names, &hash].join("\n");
    let scope = format!("{date}/{region}/s3/aws4_request");
    let digest = hex(&Sha256::digest(canonical));
    let text = [ALGORITHM, &time, &scope, &digest].join("\n");
    let first = format!("AWS4{}", keys.secret).into_bytes();
    let key = [&date, region, "s3", "aws4_request"]
        .iter()
        .fold(first, |key, part| hmac(&key, part.as_bytes()).to_vec());
    let signature = hex(&hmac(&key, text.as_bytes()));
    let access = &keys.access;
    let proof = format!(
        "{ALGORITHM} Credential={access}/{scope},SignedHeaders={names},Signature={signature}"
    );
    added.push(("authorization", proof));
    added
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let with = |pad: u8| Sha256::new().chain_update(block.map(|byte| byte ^ pad));
    let inner = with(0x36).chain_update(text).finalize();
    with(0x5c).chain_update(inner).finalize().into()
}

/// The day, and the time of it, as `20130524` and `20130524T000000Z`.
fn stamp(now: SystemTime) -> (String, String) {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = seconds.unwrap_or_default().as_secs();
    let (year, month, day) = date_of(seconds / DAY);
    let of_day = seconds % DAY;
    let date = format!("{year:04}{month:02}{day:02}");
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let time = format!("{date}T{hour:02}{minute:02}{second:02}Z");
    (date, time)
}

/// Year, month and day, so many days after 1970-01-01: `civil_from_days` of Howard Hinnant's
/// "chrono-Compatible Low-Level Date Algorithms", for what is not before 1970.
fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

/// The time that `2009-10-12T17:50:30.000Z` means; its fractions are left out.
pub fn time_of(text: &str) -> Option<SystemTime> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if year < 1970 || !(1..=12).contains(&month) || !text.ends_with('Z') {
        return None;
    }
    let (shifted, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, of_era) = (shifted / 400, shifted % 400);
    let of_year = (153 * month + 2) / 5 + day.checked_sub(1)?;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    let seconds = days.checked_sub(719_468)? * DAY + hour * 3600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Text as it stands in a query, and with `/` left alone in a path.
pub fn encode(text: &str, is_path: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            b'/' if is_path => encoded.push('/'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Asked, Keys, date_of, encode, hex, hmac, sign, stamp, time_of};
    use std::time::{Duration, SystemTime};

    /// The first test of RFC 4231, and that of a key longer than a block.
    #[test]
    fn hmac_is_that_of_the_rfc() {
        assert_eq!(
            hex(&hmac(&[0x0b; 20], b"Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hex(&hmac(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            )),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    /// The examples of the reference, "Signature Calculations for the Authorization Header".
    #[test]
    fn signatures_are_those_of_the_reference() {
        let keys = Keys {
            access: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            session: None,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        let host = ("host", "examplebucket.s3.amazonaws.com");
        let get = Asked {
            method: "GET",
            path: "/test.txt",
            query: "",
            headers: &[host, ("range", "bytes=0-9")],
            body: b"",
        };
        let put = Asked {
            method: "PUT",
            path: "/test%24file.text",
            query: "",
            headers: &[
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                host,
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ],
            body: b"Welcome to Amazon S3.",
        };
        let list = Asked {
            method: "GET",
            path: "/",
            query: "max-keys=2&prefix=J",
            headers: &[host],
            body: b"",
        };
        for (asked, signature) in [
            (
                get,
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                put,
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            (
                list,
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            let added = sign(&asked, &keys, "us-east-1", now);
            let (name, proof) = added.last().unwrap();
            assert_eq!(*name, "authorization");
            assert!(proof.ends_with(signature), "{}: {proof}", asked.path);
        }
    }

    #[test]
    fn times_go_there_and_back() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (1_709_251_199, "20240229T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(stamp(time).1, text);
            let (d, t) = (&text[..8], &text[9..]);
            let long = format!(
                "{}-{}-{}T{}:{}:{}.000Z",
                &d[..4],
                &d[4..6],
                &d[6..],
                &t[..2],
                &t[2..4],
                &t[4..6]
            );
            assert_eq!(time_of(&long), Some(time), "{long}");
        }
        for day in 0..60_000 {
            let (year, month, date) = date_of(day);
            let text = format!("{year:04}-{month:02}-{date:02}T00:00:00Z");
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400);
            assert_eq!(time_of(&text), Some(time), "{text}");
        }
        for text in [
            "",
            "2024-13-01T00:00:00Z",
            "yesterday",
            "1969-01-01T00:00:00Z",
        ] {
            assert_eq!(time_of(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_letter_is_encoded() {
        assert_eq!(encode("a/b c+é~", true), "a/b%20c%2B%C3%A9~");
        assert_eq!(encode("a/b=", false), "a%2Fb%3D");
    }
}
