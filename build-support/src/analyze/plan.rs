//! The plan: which functions of the linked bytes are to be snipped. Made before anything is
//! rewritten, so that its indices are those of the linked file; `passes::snip` carries it out.

use crate::analyze::families::Family;
use crate::analyze::sweep::Sweep;
use crate::wasm::names::Piece;
use crate::wasm::path::RustPath;
use crate::wasm::symbols::Symbols;

/// What to replace by traps, as demangled paths; `::*` at the end stands for everything below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnipRules {
    /// Whether anything is snipped at all. On for a package, off for a lone file.
    pub enabled: bool,
    /// The names of the built-in families that are snipped; all of them where there are none.
    pub families: Vec<String>,
    /// Never snipped.
    pub allow: Vec<String>,
    /// Snipped besides the built-in families.
    pub deny: Vec<String>,
}

/// What is to be done with one core module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepPlan {
    /// The functions to replace by a trap, in index order.
    pub snip: Vec<Snip>,
    /// Functions a family names but whose code can return, so that they are left alone.
    pub spared: Vec<String>,
    /// What is dead besides, where it was asked for.
    pub sweep: Option<Sweep>,
    /// Why it is not swept although that was asked for: what the sweep does not cover.
    pub unswept: Option<String>,
    /// What lies where in memory, by the linked file: shipped data is named by its address.
    pub data: Vec<Piece>,
    /// Patterns of the allow and deny lists that name no function of this module.
    pub unmatched: Vec<String>,
    /// Whether the module has no names to choose by.
    pub unnamed: bool,
}

/// A function to replace by a trap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snip {
    /// Index in the linked module.
    pub index: u32,
    /// Demangled name.
    pub function: String,
    /// The rule that chose it.
    pub family: &'static str,
    /// Size of its body in bytes.
    pub bytes: u64,
}

/// The name of the rule for functions of the manifest's deny list.
pub const DENY_LIST: &str = "deny list";

/// Chooses what to snip. A built-in family takes only functions that cannot return; the allow list
/// wins over every rule; the deny list takes what it names, whatever it does.
pub fn run(symbols: &Symbols, rules: &SnipRules) -> SweepPlan {
    let mut plan = SweepPlan {
        unnamed: symbols.unnamed,
        ..SweepPlan::default()
    };
    let mut hit = vec![false; rules.allow.len() + rules.deny.len()];
    for function in &symbols.functions {
        let Some(name) = &function.name else { continue };
        let path = RustPath::parse(name);
        let full = path.to_string();
        let allowed = note_hits(&rules.allow, name, &full, &mut hit[..rules.allow.len()]);
        let denied = note_hits(&rules.deny, name, &full, &mut hit[rules.allow.len()..]);
        if allowed || !rules.enabled {
            continue;
        }
        let family = match Family::of(&path).filter(|family| rules.wants(family)) {
            _ if denied => DENY_LIST,
            Some(_) if !function.diverges => {
                plan.spared.push(name.clone());
                continue;
            }
            Some(family) => family.name,
            None => continue,
        };
        plan.snip.push(Snip {
            index: function.index,
            function: name.clone(),
            family,
            bytes: function.bytes,
        });
    }
    let patterns = rules.allow.iter().chain(&rules.deny);
    plan.unmatched = patterns
        .zip(hit)
        .filter(|(_, hit)| !hit)
        .map(|(p, _)| p.clone())
        .collect();
    plan
}

impl SweepPlan {
    /// The indices of the functions to replace by a trap, in order.
    pub fn snipped(&self) -> Vec<u32> {
        self.snip.iter().map(|snip| snip.index).collect()
    }

    /// What is snipped and swept, in bytes of the linked file.
    pub fn taken(&self) -> u64 {
        let snipped = self.snip.iter().map(|snip| snip.bytes);
        let swept = self.sweep.iter().flat_map(|sweep| &sweep.removed);
        let swept = swept.map(|removed| removed.bytes);
        snipped.chain(swept).fold(0, u64::saturating_add)
    }
}

impl SnipRules {
    fn wants(&self, family: &Family) -> bool {
        self.families.is_empty() || self.families.iter().any(|name| name == family.name)
    }
}

/// Whether any pattern names the function; each that does is marked.
fn note_hits(patterns: &[String], name: &str, path: &str, hit: &mut [bool]) -> bool {
    let mut any = false;
    for (pattern, hit) in patterns.iter().zip(hit) {
        if names(pattern, name) || names(pattern, path) {
            *hit = true;
            any = true;
        }
    }
    any
}

/// `a::b::f` names that path alone, `a::b::*` everything below `a::b`.
fn names(pattern: &str, path: &str) -> bool {
    // With the `::` in front of the star, which is not part of the path.
    match pattern
        .strip_suffix('*')
        .filter(|module| module.ends_with("::"))
    {
        Some(module) => path.starts_with(module),
        None => pattern == path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::symbols::Function;

    fn function(index: u32, name: &str, diverges: bool) -> Function {
        Function {
            index,
            name: Some(name.into()),
            bytes: 10,
            diverges,
        }
    }

    fn plan(names: &[(&str, bool)], allow: &[&str], deny: &[&str]) -> SweepPlan {
        let functions = names
            .iter()
            .enumerate()
            .map(|(i, (n, d))| function(i as u32, n, *d))
            .collect();
        let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
        run(
            &Symbols {
                functions,
                unnamed: false,
            },
            &SnipRules {
                enabled: true,
                families: Vec::new(),
                allow: strings(allow),
                deny: strings(deny),
            },
        )
    }

    fn snipped(names: &[(&str, bool)], allow: &[&str], deny: &[&str]) -> Vec<u32> {
        plan(names, allow, deny).snipped()
    }

    /// Protects code that only looks like a panic entry point.
    #[test]
    fn families_match_structure() {
        let names = [
            ("core::panicking::panic_fmt", true),
            ("core::option::unwrap_failed", true),
            ("alloc::raw_vec::handle_error", true),
            ("<alloc::vec::Vec<T>>::swap_remove::assert_failed", true),
            ("core::slice::index::slice_index_fail", true),
            ("__rustc::rust_begin_unwind", true),
            ("std::panicking::panic_with_hook", true),
            ("<app::panicking::E as core::fmt::Display>::fmt", true),
            ("app::core::panicking::panic_fmt", true),
            ("app::unwrap_failed", true),
            ("std::panicking::set_hook", true),
            ("std::panicking::panic_count::increase", true),
            ("core::panicking::panic_fmt::{closure#0}", true),
        ];
        assert_eq!(snipped(&names, &[], &[]), [0, 1, 2, 3, 4, 5, 6]);
    }

    /// Protects functions that a future standard library might make return.
    #[test]
    fn what_can_return_is_spared() {
        let plan = plan(&[("core::panicking::is_quiet", false)], &[], &[]);
        assert_eq!(plan.snip, []);
        assert_eq!(plan.spared, ["core::panicking::is_quiet"]);
    }

    /// Protects the lists of the manifest.
    #[test]
    fn allow_wins_deny_adds_and_typos_show() {
        let names = [
            ("core::panicking::panic_fmt", true),
            ("core::panicking::panic", true),
            ("app::log::say", false),
            ("app::logger", false),
        ];
        assert_eq!(
            snipped(&names, &["core::panicking::panic"], &["app::log::*"]),
            [0, 2]
        );
        assert_eq!(
            snipped(&names, &["core::panicking::*"], &["core::panicking::panic"]),
            Vec::<u32>::new()
        );
        assert_eq!(
            plan(&names, &["app::typo"], &["app::logger"]).unmatched,
            ["app::typo"]
        );
    }

    /// Protects the choice of families: what is not listed keeps its message.
    #[test]
    fn only_listed_families_are_snipped() {
        let functions = vec![
            function(0, "core::panicking::panic_fmt", true),
            function(1, "core::option::unwrap_failed", true),
        ];
        let rules = SnipRules {
            enabled: true,
            families: vec!["unwrap and expect".into()],
            ..SnipRules::default()
        };
        let symbols = Symbols {
            functions,
            unnamed: false,
        };
        assert_eq!(run(&symbols, &rules).snipped(), [1]);
    }
}
