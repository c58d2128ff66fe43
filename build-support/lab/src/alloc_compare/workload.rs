//! What the allocators are made to do. All but the transcript are in the fixture
//! (`fixtures/allocators/src/workload.rs`), which knows them by number.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// Small blocks that replace each other.
    Small,
    /// Many blocks of mixed sizes with random frees.
    Mixed,
    /// A conversation of 50 messages.
    Json50,
    /// A conversation of 200 messages.
    Json200,
    /// The agent's own transcript.
    Transcript,
    /// Embeddings.
    Vectors,
    /// One large buffer.
    Growth,
    /// Given back, the last first.
    Reverse,
    /// Given back, the first first.
    Forward,
    /// Given back in random order.
    Random,
}

impl Workload {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 10] = [
        Self::Small,
        Self::Mixed,
        Self::Json50,
        Self::Json200,
        Self::Transcript,
        Self::Vectors,
        Self::Growth,
        Self::Reverse,
        Self::Forward,
        Self::Random,
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Mixed => "mixed",
            Self::Json50 => "json50",
            Self::Json200 => "json200",
            Self::Transcript => "transcript",
            Self::Vectors => "vectors",
            Self::Growth => "growth",
            Self::Reverse => "reverse",
            Self::Forward => "forward",
            Self::Random => "random",
        }
    }

    /// Its number in the fixture; none of what the host plays to the agent.
    pub fn number(self) -> Option<u32> {
        match self {
            Self::Small => Some(0),
            Self::Mixed => Some(1),
            Self::Json50 => Some(2),
            Self::Json200 => Some(3),
            Self::Transcript => None,
            Self::Vectors => Some(4),
            Self::Growth => Some(5),
            Self::Reverse => Some(6),
            Self::Forward => Some(7),
            Self::Random => Some(8),
        }
    }

    /// What is done.
    pub fn about(self) -> &'static str {
        match self {
            Self::Small => "blocks of 8 to 128 bytes, each replacing a random one of 256",
            Self::Mixed => {
                "10,000 blocks of 16 to 4,096 bytes, most of them small as with JSON; after each, with one \
                 chance in two, a random one is freed"
            }
            Self::Json50 => {
                "a conversation of 50 messages parsed by serde_json, changed and written"
            }
            Self::Json200 => "the same with 200 messages",
            Self::Transcript => "the agent's own transcript, 100 times, with its files in a folder",
            Self::Vectors => {
                "embeddings of 128, 384 and 1,024 f32: one is made, compared with a kept one by its cosine, \
                 and replaces one of 96"
            }
            Self::Growth => "one buffer that grows to 4 MiB, 1 KiB at a time, as Vec grows",
            Self::Reverse => "1,000 blocks of sizes as in mixed, then freed, the last one first",
            Self::Forward => "the same, the first one first",
            Self::Random => "the same, in random order",
        }
    }

    /// What an operation is.
    pub fn operation(self) -> &'static str {
        match self {
            Self::Small | Self::Mixed => "a block",
            Self::Json50 | Self::Json200 => "a conversation",
            Self::Transcript => "a message",
            Self::Vectors => "an embedding",
            Self::Growth => "1 KiB",
            Self::Reverse | Self::Forward | Self::Random => "a block and its free",
        }
    }

    /// Whether everything is given back at its end, so that a second run could do with the memory
    /// of the first. The agent keeps its sessions.
    pub fn gives_back(self) -> bool {
        self != Self::Transcript
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
