//! A user's home with `weft` in it: a folder for the agent, a configuration, and no environment but
//! what a user has.

use build_support::error::{Error, Result};
use build_support::system::process;
use mock_provider::scenario::Form;
use mock_provider::{Mock, Scenario};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A key that no provider has.
const KEY: &str = "sk-of-nobody";

/// A home, which is removed when this is dropped.
#[derive(Debug)]
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    /// One whose configuration is `text`.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be written.
    pub fn new(text: &str) -> Result<Self> {
        let temp = std::env::temp_dir();
        let folder = tempfile::tempdir().map_err(Error::io("creating folder in", &temp))?;
        let home = Self { folder };
        fs::create_dir(home.root()).map_err(Error::io("creating", &home.root()))?;
        home.write("config.toml", text)?;
        Ok(home)
    }

    /// One with the files of `scenario`, whose only provider is the mock at `mock`.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be written.
    pub fn of(scenario: &Scenario, form: Form, mock: &Mock) -> Result<Self> {
        let path = if form.kind() == "openai" { "/v1" } else { "" };
        let home = Self::new(&format!(
            "model = \"m\"\n[[providers]]\nkind = \"{}\"\nbase_url = \"{}/first{path}\"\n\
             stream = {}\nkey_env = \"WEFT_KEY\"\n",
            form.kind(),
            mock.url(),
            form.is_stream()
        ))?;
        for (name, text) in &scenario.files {
            home.write(&format!("root/{name}"), text)?;
        }
        Ok(home)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.path().join(name);
        fs::write(&path, text).map_err(Error::io("writing", &path))
    }

    /// The agent's folder.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// `program`, which is `weft` or runs it, at home here; what follows are its own words.
    pub fn command(&self, mut program: Command) -> Command {
        program.env_clear();
        program.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        program.env("HOME", self.folder.path());
        program.env("WEFT_KEY", KEY);
        program
            .arg("--config")
            .arg(self.folder.path().join("config.toml"));
        program.arg("--root").arg(self.root());
        program
    }

    /// The program in `file`, at home here.
    pub fn weft(&self, file: &Path) -> Command {
        self.command(process::command(file))
    }

    /// A file of this home with `lines` for a program to read.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be written or read.
    pub fn input(&self, lines: &str) -> Result<fs::File> {
        self.write("input", lines)?;
        let path = self.folder.path().join("input");
        fs::File::open(&path).map_err(Error::io("reading", &path))
    }
}
