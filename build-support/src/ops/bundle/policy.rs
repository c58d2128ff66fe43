//! The content security policy of a bundle, computed from what its examples are granted.

use super::manifest::Manifest;
use std::collections::BTreeSet;

/// The policy in its two places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// For `meta`, where `frame-ancestors` is not read.
    pub meta: String,
    /// For the header.
    pub header: String,
}

/// The policy of a bundle: what it is served from, and the origins that any example may request.
pub fn of(manifest: &Manifest) -> Policy {
    let fetch = manifest
        .examples
        .iter()
        .filter_map(|one| one.grants.fetch.as_ref());
    let origins: BTreeSet<&str> = fetch
        .flat_map(|fetch| fetch.origins.iter().map(String::as_str))
        .collect();
    let connect: Vec<_> = std::iter::once("'self'").chain(origins).collect();
    let meta = [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        &format!("connect-src {}", connect.join(" ")),
        "style-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types clawft",
    ]
    .join("; ");
    let header = format!("{meta}; frame-ancestors 'none'");
    Policy { meta, header }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::ops::bundle::manifest::{Example, Fetch, Grants, Manifest};

    fn granted(origins: &[&str]) -> Example {
        let fetch = Fetch {
            origins: origins.iter().map(|one| (*one).to_owned()).collect(),
            methods: Vec::new(),
            max_response: 1,
            redirects: false,
            idempotency_header: false,
        };
        Example {
            grants: Grants {
                fetch: Some(fetch),
                ..Grants::default()
            },
            ..Example::default()
        }
    }

    /// Protects from a policy that is wider, or narrower, than what is granted.
    #[test]
    fn what_is_granted_may_be_reached_and_nothing_else() {
        let policy = |examples| {
            of(&Manifest {
                examples,
                ..Manifest::default()
            })
        };
        let both = vec![
            granted(&["https://b.example", "https://a.example"]),
            Example::default(),
            granted(&["https://a.example"]),
        ];
        let some = policy(both);
        assert!(
            some.meta
                .contains("; connect-src 'self' https://a.example https://b.example; ")
        );
        let none = policy(vec![Example::default()]);
        assert!(none.meta.contains("; connect-src 'self'; "));
        assert!(
            none.meta
                .starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; ")
        );
        assert!(!none.meta.contains("frame-ancestors"));
        assert_eq!(
            none.header,
            format!("{}; frame-ancestors 'none'", none.meta)
        );
    }
}
