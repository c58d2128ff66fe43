//! Options that several subcommands have.

use crate::attribution::groups::Grouping;
use crate::config::{LowMemory, Outline};
use crate::project::package::{CrateKind, Package, Wanted};
use crate::report::Size;
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
    /// The sizes of crates and items alone.
    pub fn by_crate() -> Self {
        Self {
            by: vec![Grouping::Crate, Grouping::Item],
            code: false,
            json: false,
        }
    }

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
    Outline::named(name).ok_or_else(|| format!("one of {}", Outline::NAMES.join(", ")))
}

/// What is taken for granted of low memory, by its name.
///
/// # Errors
/// The names there are.
pub fn low_memory(name: &str) -> Result<LowMemory, String> {
    LowMemory::named(name).ok_or_else(|| format!("one of {}", LowMemory::NAMES.join(", ")))
}

/// A size by its name.
///
/// # Errors
/// The names there are.
pub fn size(name: &str) -> Result<Size, String> {
    Size::named(name).ok_or_else(|| format!("one of {}", Size::ALL.map(Size::name).join(", ")))
}

/// What is built.
#[derive(Args)]
pub struct Selection {
    /// The package; the only one with a budget where this is not given
    #[arg(long, short)]
    package: Option<String>,
    #[command(flatten)]
    build: Build,
}

/// How it is built, as cargo takes it.
#[derive(Args)]
pub struct Build {
    #[command(flatten)]
    features: Features,
    /// The program that is shipped, where the package has several or a library, too
    #[arg(long, value_name = "NAME", conflicts_with = "lib")]
    bin: Option<String>,
    /// The library is shipped, as a cdylib
    #[arg(long)]
    lib: bool,
    /// A setting of cargo's configuration, or a file with some; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    config: Vec<String>,
}

/// The features alone.
#[derive(Args)]
pub struct Features {
    /// Features to switch on, besides those of the budget
    #[arg(long, short = 'F', value_delimiter = ',', value_name = "FEATURES")]
    features: Vec<String>,
    /// Switch all features on
    #[arg(long)]
    all_features: bool,
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

    /// How it is built.
    pub fn wanted(&self) -> Wanted {
        self.build.wanted()
    }
}

impl Build {
    /// The same without the command line.
    pub fn wanted(&self) -> Wanted {
        let program = self.bin.clone().map(CrateKind::Command);
        let settings = self.config.iter();
        Wanted {
            product: program.or(self.lib.then_some(CrateKind::Reactor)),
            settings: settings.map(|setting| absolute(setting)).collect(),
            ..self.features.wanted()
        }
    }
}

impl Features {
    /// The same without the command line.
    pub fn wanted(&self) -> Wanted {
        // As cargo has it, spaces part them, too.
        let features = self
            .features
            .iter()
            .flat_map(|some| some.split_whitespace());
        Wanted {
            features: features.map(str::to_owned).collect(),
            all_features: self.all_features,
            no_default_features: self.no_default_features,
            ..Wanted::default()
        }
    }
}

/// A file is named from here, and cargo is started where the package is.
fn absolute(setting: &str) -> String {
    let file = std::path::absolute(setting).ok();
    let file = file.filter(|file| file.is_file());
    file.map_or_else(|| setting.to_owned(), |file| file.display().to_string())
}
