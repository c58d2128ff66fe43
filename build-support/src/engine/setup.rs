//! How an embedded engine is set up: which compiler, where instances live, whether instructions are
//! counted. In one place, because a precompiled file fits only an engine that is set up as the one
//! that made it.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

/// The engine and its version, as a precompiled file's record names it.
pub const ENGINE: &str = "wasmtime 48.0.8";

/// How many instances a pool has room for. The measurements hold one at a time; a component has
/// several core modules, and each may have tables.
const POOL: u32 = 16;

/// How much of a memory a pool resets by writing instead of by giving its pages back, in bytes:
/// what the agent touches in a message or two. Pages that are given back have to be faulted in
/// again by the next instance.
const RESIDENT: usize = 512 * 1024;

/// What turns wasm into machine code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compiler {
    /// Wasmtime's optimising compiler.
    Cranelift,
    /// Wasmtime's baseline compiler: one pass, quick to compile, slower code.
    Winch,
}

/// Where instances live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Instances {
    /// In memory that is asked of the system for each.
    OnDemand,
    /// In slots that are reserved once and used again; a memory's first contents are a
    /// copy-on-write image.
    Pooled,
}

/// An engine's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Setup {
    /// The compiler.
    pub compiler: Compiler,
    /// Where instances live.
    pub instances: Instances,
    /// Whether instructions are counted (wasmtime's fuel, about one for each).
    pub fuel: bool,
}

impl Setup {
    /// That compiler, with instances on demand and nothing counted.
    pub fn new(compiler: Compiler) -> Self {
        Self {
            compiler,
            instances: Instances::OnDemand,
            fuel: false,
        }
    }

    /// Cranelift with instructions counted: for calls that are to come to an end, see
    /// [`Program::bounded`].
    ///
    /// [`Program::bounded`]: super::program::Program::bounded
    pub fn counted() -> Self {
        Self {
            fuel: true,
            ..Self::new(Compiler::Cranelift)
        }
    }

    /// An engine set up so. Compilation is on one thread: wasmtime is built without the feature for
    /// more.
    ///
    /// # Errors
    /// [`Error::Toolchain`] where the compiler knows no code for this machine, or the system has no
    /// room for the pool.
    pub fn engine(self) -> Result<Engine> {
        let mut config = Config::new();
        config.strategy(match self.compiler {
            Compiler::Cranelift => Strategy::Cranelift,
            Compiler::Winch => Strategy::Winch,
        });
        config.consume_fuel(self.fuel);
        if self.fuel {
            // Whatever can be run is counted.
            config.wasm_custom_page_sizes(true);
            config.wasm_wide_arithmetic(true);
        }
        // Wasmtime's default; warm figures rest on it, so it is written out.
        config.memory_init_cow(true);
        if self.instances == Instances::Pooled {
            config.allocation_strategy(pool());
        }
        Engine::new(&config).map_err(|error| {
            Error::toolchain(
                format!("wasmtime with {self}: {error:#}"),
                "use a machine that wasmtime supports, and do not limit its address space (ulimit -v)",
            )
        })
    }
}

fn pool() -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(POOL)
        .total_core_instances(POOL * 4)
        .total_memories(POOL)
        .total_tables(POOL * 4)
        .linear_memory_keep_resident(RESIDENT)
        .table_keep_resident(RESIDENT);
    InstanceAllocationStrategy::Pooling(pool)
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cranelift => "Cranelift",
            Self::Winch => "Winch",
        })
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.compiler)?;
        if self.instances == Instances::Pooled {
            f.write_str(", pooled instances")?;
        }
        if self.fuel {
            f.write_str(", instructions counted")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Compiler, ENGINE, Instances, Setup};
    use std::path::Path;

    /// Protects the record of a precompiled file: wasmtime does not say its version, so it stands
    /// here a second time.
    #[test]
    fn the_version_is_the_one_that_is_linked() {
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        let lock = std::fs::read_to_string(lock).unwrap();
        let version = ENGINE.strip_prefix("wasmtime ").unwrap();
        let entry = format!("name = \"wasmtime\"\nversion = \"{version}\"\n");
        assert!(lock.contains(&entry), "{ENGINE} is not in Cargo.lock");
    }

    #[test]
    fn every_setup_gives_an_engine() {
        for compiler in [Compiler::Cranelift, Compiler::Winch] {
            for instances in [Instances::OnDemand, Instances::Pooled] {
                for fuel in [false, true] {
                    let setup = Setup {
                        compiler,
                        instances,
                        fuel,
                    };
                    setup.engine().unwrap_or_else(|e| panic!("{setup}: {e}"));
                }
            }
        }
    }
}
