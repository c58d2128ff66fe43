//! The gated sizes: raw, gzip -9, brotli -q 11, in bytes.

use crate::report::Sizes;
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;

/// Measures `bytes`. The codecs are built from source, so the figures are the same on every machine.
pub fn run(bytes: &[u8]) -> Sizes {
    Sizes {
        raw: bytes.len() as u64,
        gzip: gzip(bytes),
        brotli: brotli(bytes),
    }
}

/// zlib's deflate at level 9 in a gzip frame without name and time (RFC 1952). GNU gzip has a deflate of its
/// own, which differs by a fraction of a per cent.
fn gzip(bytes: &[u8]) -> u64 {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory").len() as u64
}

/// Quality 11, window 22 bits (RFC 7932), the defaults of the `brotli` command.
fn brotli(bytes: &[u8]) -> u64 {
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut out, &params).expect("writing to memory");
    out.len() as u64
}
