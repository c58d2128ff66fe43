//! The dependency graph of one package on one target, read from what `cargo tree` prints.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

/// The `--format` that [`Graph::parse`] reads, with `--prefix depth` before it: package, then
/// features.
pub(super) const FORMAT: &str = "|{p}|{f}|";

/// A crate in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The features it gets, in cargo's order.
    pub features: Vec<String>,
    /// Its folder, for a crate that comes from none but this machine.
    pub folder: Option<String>,
}

/// A package and everything it needs. The package itself comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    crates: Vec<Crate>,
    /// What each needs, by place in `crates`.
    needs: Vec<Vec<usize>>,
}

impl Graph {
    /// Reads the graph; `None` where the text is not of the expected form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut graph = Self {
            crates: Vec::new(),
            needs: Vec::new(),
        };
        let mut known = BTreeMap::new();
        // The way from the package to the line before, by place.
        let mut way: Vec<usize> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (depth, rest) = line.split_once('|')?;
            let depth: usize = depth.parse().ok()?;
            let krate = read_crate(rest)?;
            let at = *known
                .entry((
                    krate.name.clone(),
                    krate.version.clone(),
                    krate.features.clone(),
                ))
                .or_insert_with(|| {
                    graph.crates.push(krate);
                    graph.needs.push(Vec::new());
                    graph.crates.len() - 1
                });
            if depth > way.len() || (depth == 0) != way.is_empty() {
                return None;
            }
            way.truncate(depth);
            if let Some(&parent) = way.last()
                && !graph.needs[parent].contains(&at)
            {
                graph.needs[parent].push(at);
            }
            way.push(at);
        }
        (!graph.crates.is_empty()).then_some(graph)
    }

    /// All crates, the package itself first.
    pub fn crates(&self) -> &[Crate] {
        &self.crates
    }

    /// The shortest way from the package to the crate in place `to`, both included.
    pub fn chain(&self, to: usize) -> Vec<&Crate> {
        let mut from = vec![None; self.crates.len()];
        let mut queue = VecDeque::from([0]);
        while let Some(at) = queue.pop_front() {
            for &next in &self.needs[at] {
                if next != 0 && from[next].is_none() {
                    from[next] = Some(at);
                    queue.push_back(next);
                }
            }
        }
        let mut chain: Vec<_> = std::iter::successors(Some(to), |&at| from[at])
            .map(|at| &self.crates[at])
            .collect();
        chain.reverse();
        chain
    }

    /// The folders of the crates that come from this machine.
    pub fn local_folders(&self) -> impl Iterator<Item = &Path> {
        self.crates
            .iter()
            .filter_map(|krate| krate.folder.as_deref().map(Path::new))
    }
}

/// `name v1.2.3 (/folder)|feature,feature| (*)`; the mark says that what it needs was listed
/// before.
fn read_crate(text: &str) -> Option<Crate> {
    let (text, _mark) = text.rsplit_once('|')?;
    let (package, features) = text.rsplit_once('|')?;
    let (name, rest) = package.split_once(" v")?;
    let (version, origin) = rest.split_once(' ').unwrap_or((rest, ""));
    let origin = origin
        .strip_prefix('(')
        .and_then(|origin| origin.strip_suffix(')'));
    Some(Crate {
        name: name.to_owned(),
        version: version.to_owned(),
        features: features
            .split(',')
            .filter(|feature| !feature.is_empty())
            .map(str::to_owned)
            .collect(),
        folder: origin
            .filter(|origin| Path::new(origin).is_absolute())
            .map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects the reading of repeated crates (`(*)`), folders with odd names, and the shortest
    /// chain.
    #[test]
    fn a_tree_is_read() {
        let text = "0|app v0.1.0 (/my code|x)|default|\n1|a v1.0.0||\n2|b v2.0.0+build|std,rt|\n3|c v0.1.0||\n1|c v0.1.0|| (*)\n";
        let graph = Graph::parse(text).unwrap();
        let names: Vec<_> = graph
            .crates()
            .iter()
            .map(|krate| krate.name.as_str())
            .collect();
        assert_eq!(names, ["app", "a", "b", "c"]);
        assert_eq!(graph.crates()[2].features, ["std", "rt"]);
        assert_eq!(graph.crates()[2].version, "2.0.0+build");
        assert_eq!(
            graph.local_folders().collect::<Vec<_>>(),
            [Path::new("/my code|x")]
        );
        let chain: Vec<_> = graph
            .chain(3)
            .iter()
            .map(|krate| krate.name.as_str())
            .collect();
        assert_eq!(chain, ["app", "c"]);
    }

    /// Protects against taking an unknown format for an empty graph: nothing would be banned then.
    #[test]
    fn what_is_not_a_tree_is_refused() {
        for text in [
            "",
            "warning: x",
            "1|a v1.0.0||",
            "0|a v1.0.0||\n2|b v1.0.0||",
            "0|a v1.0.0||\n0|b v1.0.0||",
            "0|a||",
        ] {
            assert_eq!(Graph::parse(text), None, "{text:?}");
        }
    }
}
