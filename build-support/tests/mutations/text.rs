//! Damage to text; where it is JSON mostly to a value in it, so that it is JSON still and something
//! else than it should be.

use crate::generated::random::Random;
use serde_json::{Value, json};

/// `bytes` damaged.
pub fn damage(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    if random.chance(60)
        && let Ok(mut value) = serde_json::from_slice::<Value>(bytes)
    {
        for _ in 0..random.between(1, 3) {
            one_value(&mut value, random);
        }
        return value.to_string().into_bytes();
    }
    for _ in 0..random.between(1, 4) {
        if damaged.is_empty() {
            break;
        }
        let at = random.below(damaged.len());
        let end = (at + random.between(1, 40)).min(damaged.len());
        match random.below(5) {
            0 => damaged.truncate(at),
            1 => drop(damaged.drain(at..end)),
            2 => {
                let again = damaged[at..end].to_vec();
                damaged.splice(at..at, again);
            }
            3 => {
                const TEXTS: [&str; 8] = [
                    "{", "[[[[[[[[", "\"", "1e999", "-", "\\ud800", "\u{feff}", "null,",
                ];
                damaged.splice(at..end, random.pick(&TEXTS).bytes());
            }
            _ => damaged[at] ^= 1 << random.below(8),
        }
    }
    damaged
}

/// Goes down to some value and makes another of it.
fn one_value(value: &mut Value, random: &mut Random) {
    if random.chance(85) {
        match value {
            Value::Object(all) if !all.is_empty() => {
                let key = all
                    .keys()
                    .nth(random.below(all.len()))
                    .cloned()
                    .unwrap_or_default();
                if random.chance(8) {
                    all.remove(&key);
                } else if let Some(inside) = all.get_mut(&key) {
                    one_value(inside, random);
                }
                return;
            }
            Value::Array(all) if !all.is_empty() => {
                let at = random.below(all.len());
                match random.below(12) {
                    0 => drop(all.remove(at)),
                    1 => all.push(all[at].clone()),
                    _ => one_value(&mut all[at], random),
                }
                return;
            }
            _ => {}
        }
    }
    *value = random
        .pick(&[
            Value::Null,
            json!(true),
            json!(0),
            json!(-1),
            json!(u64::MAX),
            json!(u64::MAX / 2),
            json!(i64::MIN),
            json!(1.5e300),
            json!(""),
            json!("\u{0}\u{202e}<script>|`\n"),
            json!("x".repeat(20_000)),
            json!([]),
            json!({}),
            json!([[[[[[[[1]]]]]]]]),
        ])
        .clone();
}
