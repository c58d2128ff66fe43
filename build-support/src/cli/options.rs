//! Options that several subcommands have.

use crate::attribution::groups::Grouping;
use crate::passes::{LowMemory, Outline};
use crate::project::package::{self, Package};
use clap::Args;

/// What a file is shown by.
#[derive(Args)]
pub struct Tables {
    /// Only this table: section, crate, module, family or item; may be repeated
    #[arg(long, value_name = "GROUPING", value_parser = grouping)]
    by: Vec<Grouping>,
    /// The code alone: neither data nor what else is in the file
    #[arg(long)]
    pub code: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Tables {
    /// Whether no table was asked for.
    pub fn is_default(&self) -> bool {
        self.by.is_empty()
    }

    /// The tables to show.
    pub fn groupings(&self) -> &[Grouping] {
        const DEFAULT: [Grouping; 4] = [
            Grouping::Section,
            Grouping::Crate,
            Grouping::Family,
            Grouping::Item,
        ];
        if self.by.is_empty() {
            &DEFAULT
        } else {
            &self.by
        }
    }
}

fn grouping(name: &str) -> Result<Grouping, String> {
    let mut all = Grouping::ALL.into_iter();
    all.find(|by| name == by.name()).ok_or_else(|| {
        let names = Grouping::ALL.map(|by| by.name());
        format!("one of {}", names.join(", "))
    })
}

/// Where code may become a function, by its name.
///
/// # Errors
/// The names there are.
pub fn outline(name: &str) -> Result<Outline, String> {
    match name {
        "off" => Ok(Outline::Off),
        "cold" => Ok(Outline::Cold),
        "outside-loops" => Ok(Outline::OutsideLoops),
        "all" => Ok(Outline::All),
        _ => Err("one of off, cold, outside-loops, all".to_owned()),
    }
}

/// What is taken for granted of low memory, by its name.
///
/// # Errors
/// The names there are.
pub fn low_memory(name: &str) -> Result<LowMemory, String> {
    match name {
        "auto" => Ok(LowMemory::Auto),
        "used" => Ok(LowMemory::Used),
        "unused" => Ok(LowMemory::Unused),
        _ => Err("one of auto, used, unused".to_owned()),
    }
}

/// What is built.
#[derive(Args)]
pub struct Selection {
    /// The package; the only one with a budget where this is not given
    #[arg(long, short)]
    package: Option<String>,
    /// Features to switch on, as cargo takes them
    #[arg(long, short = 'F', value_delimiter = ',')]
    features: Vec<String>,
    /// Leave the default features off
    #[arg(long)]
    no_default_features: bool,
}

impl Selection {
    /// The package.
    ///
    /// # Errors
    /// As [`Package::find`].
    pub fn package(&self) -> crate::Result<Package> {
        Package::find(self.package.as_deref())
    }

    /// Its features.
    pub fn features(&self) -> package::Features {
        package::Features {
            features: self.features.clone(),
            no_default: self.no_default_features,
        }
    }
}
