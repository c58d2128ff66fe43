//! The programs that are measured: those in the folder `fixtures` of the workspace, and the package
//! with a budget.

use build_support::config::Config;
use build_support::error::{Error, Result};
use build_support::project::package::Package;

/// Where the programs are, in the workspace's root.
const FOLDER: &str = "fixtures";

/// A program for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    /// What it is called in tables.
    pub name: String,
    /// The package.
    pub package: Package,
    /// Its settings for the target.
    pub config: Config,
    /// Whether it uses the standard library, so that it matters how that was built.
    pub uses_std: bool,
}

/// Every fixture of the workspace that `agent` is in, and `agent` itself for each of its targets,
/// or the one called `wanted`.
///
/// # Errors
/// [`Error::Toolchain`] where there is no such folder or fixture, [`Error::Config`] for mistakes in
/// a manifest.
pub fn find(agent: &Package, wanted: Option<&str>) -> Result<Vec<Fixture>> {
    let mut fixtures = of(agent, "agent", false)?;
    for package in packages(agent)? {
        let name = package.name.clone();
        fixtures.extend(of(&package, &name, true)?);
    }
    let Some(wanted) = wanted else {
        return Ok(fixtures);
    };
    let names: Vec<_> = fixtures.iter().map(|f| f.name.clone()).collect();
    fixtures.retain(|fixture| fixture.name == wanted);
    if fixtures.is_empty() {
        return Err(Error::Toolchain {
            message: format!("no fixture is called `{wanted}`"),
            help: format!("there are {}", names.join(", ")),
        });
    }
    Ok(fixtures)
}

/// The packages in the folder `fixtures` of the workspace that `agent` is in.
///
/// # Errors
/// [`Error::Toolchain`] where there is no such folder.
pub fn packages(agent: &Package) -> Result<Vec<Package>> {
    let mut packages = Package::members(&agent.root.join(FOLDER))?;
    for package in &mut packages {
        // In the workspace's own folder: `cargo clean` and caches know that one.
        package.target_dir = agent.target_dir.join(FOLDER);
    }
    Ok(packages)
}

/// One for each target of `package`; the target is in the name where there are several.
fn of(package: &Package, name: &str, uses_std: bool) -> Result<Vec<Fixture>> {
    let one = |target: &String| {
        let short = target.rsplit('-').next().unwrap_or(target);
        Ok(Fixture {
            name: match package.targets.len() {
                1 => name.to_owned(),
                _ => format!("{name}-{short}"),
            },
            package: package.clone(),
            config: package.config(Some(target))?,
            uses_std,
        })
    };
    package.targets.iter().map(one).collect()
}
