//! The gated sizes: raw, gzip -9, brotli -q 11, in bytes.

use crate::report::{Codecs, Metric, Size, Sizes};
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;

/// The codec, its version and level, of [`Sizes::gzip`].
pub const GZIP: &str = "zlib of libz-sys 1.1.31, level 9";

/// The same of [`Sizes::brotli`].
pub const BROTLI: &str = "brotli 9.1.1, quality 11, window of 22 bits";

/// The quality that is shipped.
const BEST_BROTLI: i32 = 11;
/// See [`near_weights`].
const NEAR_BROTLI: i32 = 5;

/// See [`soon`], in bytes.
const SOON: usize = 4 << 20;

/// Measures `bytes`. The codecs are built from source, so the figures are the same on every
/// machine.
pub fn run(bytes: &[u8]) -> Sizes {
    Sizes::default().map(|size| of(bytes, size))
}

/// One of the sizes: compressing takes its time, so that who compares asks for no more than needed.
pub fn of(bytes: &[u8], size: Size) -> u64 {
    match size {
        Size::Raw => bytes.len() as u64,
        _ => compressed(bytes, size).len() as u64,
    }
}

/// The bytes that are counted: what a server gives to who takes such.
pub fn compressed(bytes: &[u8], size: Size) -> Vec<u8> {
    match size {
        Size::Raw => bytes.to_vec(),
        Size::Gzip => gzip(bytes),
        Size::Brotli => brotli(bytes, BEST_BROTLI),
    }
}

/// The sizes that count, the one that is to be small first.
pub fn weights(metric: &Metric, bytes: &[u8]) -> Vec<u64> {
    counting(metric).map(|size| of(bytes, size)).collect()
}

/// Nearly the same in a fraction of the time, to compare many files that differ little: brotli at a
/// quality that takes no longer than gzip.
pub fn near_weights(metric: &Metric, bytes: &[u8]) -> Vec<u64> {
    let near = |size| match size {
        Size::Brotli => brotli(bytes, NEAR_BROTLI).len() as u64,
        _ => of(bytes, size),
    };
    counting(metric).map(near).collect()
}

fn counting(metric: &Metric) -> impl Iterator<Item = Size> + '_ {
    let minimized = metric.minimized();
    let others = metric.held().iter().copied();
    [minimized]
        .into_iter()
        .chain(others.filter(move |size| *size != minimized))
}

/// The same for what is compressed in a few seconds, and nothing for larger files.
pub fn soon(bytes: &[u8]) -> Option<Sizes> {
    (bytes.len() <= SOON).then(|| run(bytes))
}

/// What [`run`] compresses with.
pub fn codecs() -> Codecs {
    Codecs {
        gzip: GZIP.to_owned(),
        brotli: BROTLI.to_owned(),
    }
}

/// zlib's deflate at level 9 in a gzip frame without name and time (RFC 1952). GNU gzip has a
/// deflate of its own, which differs by a fraction of a per cent.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// Window of 22 bits (RFC 7932), the default of the `brotli` command.
fn brotli(bytes: &[u8], quality: i32) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams {
        quality,
        lgwin: 22,
        ..Default::default()
    };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut out, &params).expect("writing to memory");
    out
}

#[cfg(test)]
mod tests {
    use super::{BROTLI, GZIP};

    /// Protects compressed sizes from changing with a codec whose version nobody was told.
    #[test]
    fn codecs_are_those_of_the_lock_file() {
        let lock = include_str!("../../../Cargo.lock");
        for (codec, name) in [(GZIP, "libz-sys"), (BROTLI, "brotli")] {
            let (_, rest) = codec.split_once(&format!("{name} ")).unwrap();
            let version = rest.split(',').next().unwrap();
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"");
            assert!(lock.contains(&entry), "{codec}");
        }
    }
}
