//! The treemap as a picture, for a README or a wiki: by crate, and within each by item. Areas are
//! bytes; what is too small to be seen is together in one piece. The page has the same to walk
//! around in.

use crate::attribution::Attribution;
use crate::attribution::groups::{self, Grouping};
use crate::output::view::View;
use crate::report::{names, units};
use std::fmt::Write as _;

/// The picture, in pixels.
const SIZE: (f64, f64) = (840.0, 400.0);
/// The line with what a crate is called.
const HEAD: f64 = 15.0;
/// A letter of the labels.
const LETTER: f64 = 6.2;
/// The least area of a piece that is shown by itself, in square pixels.
const LEAST: f64 = 220.0;

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

/// The picture of the first of `views`.
pub fn draw(views: &[View]) -> String {
    let (w, h) = SIZE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" font-family=\"monospace\" font-size=\"10\">\n"
    );
    if let Some(view) = views.first() {
        let title = format!(
            "{}: {} bytes",
            view.title,
            units::bytes(view.attribution.bytes)
        );
        let _ = writeln!(out, "<title>{}</title>", escaped(&title));
        crates(&view.attribution, &mut out);
    }
    out + "</svg>\n"
}

fn crates(all: &Attribution, out: &mut String) {
    let (w, h) = SIZE;
    let whole = Place {
        x: 0.0,
        y: 0.0,
        w,
        h,
    };
    let found = groups::run(all, Grouping::Crate);
    let pieces = found.iter().map(|group| (group.name.clone(), group.bytes));
    for (hue, (name, bytes, place)) in (0..).zip(laid(pieces.collect(), whole)) {
        // Turned so that neighbours differ.
        let hue = hue * 137 % 360;
        piece(out, place, hue, 72, &label(&name, bytes), Some(&name));
        let inner = Place {
            x: place.x + 1.0,
            y: place.y + HEAD,
            w: place.w - 2.0,
            h: place.h - HEAD - 1.0,
        };
        if inner.w < 24.0 || inner.h < 12.0 {
            continue;
        }
        let own = Attribution {
            bytes,
            rows: all
                .rows
                .iter()
                .filter(|row| row.krate() == name)
                .cloned()
                .collect(),
        };
        let items = groups::run(&own, Grouping::Item);
        let items = items.into_iter().map(|item| (item.name, item.bytes));
        for (item, bytes, place) in laid(items.collect(), inner) {
            piece(out, place, hue, 86, &label(&item, bytes), short(&item));
        }
    }
}

fn label(name: &str, bytes: u64) -> String {
    format!("{name}: {} bytes", units::bytes(bytes))
}

/// What of a path fits a small piece: its last name.
fn short(name: &str) -> Option<&str> {
    name.rsplit("::").next()
}

fn piece(out: &mut String, place: Place, hue: u32, light: u32, title: &str, name: Option<&str>) {
    let Place { x, y, w, h } = place;
    let _ = write!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" fill=\"hsl({hue},45%,{light}%)\" stroke=\"#fff\"><title>{}</title></rect>",
        escaped(title)
    );
    let room = ((w - 4.0) / LETTER).max(0.0) as usize;
    if let Some(name) = name.filter(|_| h >= 12.0 && room >= 4) {
        let name = units::shorten(name, room);
        let (x, y) = (x + 3.0, y + 11.0);
        let _ = write!(
            out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
            escaped(&name)
        );
    }
    out.push('\n');
}

/// Names come from files that anybody can make.
fn escaped(text: &str) -> String {
    let text = names::visible(text);
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

/// Each with its place, as square as they come (Bruls, Huizing, van Wijk, "Squarified Treemaps",
/// 2000); those that would not be seen are one, the last.
fn laid(mut all: Vec<(String, u64)>, place: Place) -> Vec<(String, u64, Place)> {
    all.retain(|(_, bytes)| *bytes > 0);
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let whole: u64 = all.iter().map(|(_, bytes)| bytes).sum();
    let scale = place.w * place.h / (whole as f64).max(1.0);
    let seen = all
        .iter()
        .filter(|(_, bytes)| *bytes as f64 * scale >= LEAST);
    let seen = seen.count().max(1);
    if all.len() > seen + 1 {
        let rest = all.split_off(seen);
        let bytes = rest.iter().map(|(_, bytes)| bytes).sum();
        all.push((format!("{} more", rest.len()), bytes));
    }
    let mut rest = place;
    let mut out = Vec::new();
    let mut left = all.as_slice();
    while !left.is_empty() {
        let count = row(left, rest, scale);
        let (now, later) = left.split_at(count);
        left = later;
        strip(now, &mut rest, scale, left.is_empty(), &mut out);
    }
    out
}

/// How many of the next make a row whose pieces are as square as can be.
fn row(left: &[(String, u64)], place: Place, scale: f64) -> usize {
    let side = place.w.min(place.h).max(1.0);
    let (mut sum, mut worst) = (0.0, f64::INFINITY);
    for (at, (_, bytes)) in left.iter().enumerate() {
        let more = sum + *bytes as f64 * scale;
        let thick = more / side;
        let ratios = [left[0].1, *bytes].map(|bytes| {
            let along = bytes as f64 * scale / thick;
            (along / thick).max(thick / along)
        });
        let ratio = ratios[0].max(ratios[1]);
        if ratio > worst {
            return at;
        }
        (sum, worst) = (more, ratio);
    }
    left.len()
}

/// Puts a row at the longer edge, and takes its room off.
fn strip(
    now: &[(String, u64)],
    rest: &mut Place,
    scale: f64,
    is_last: bool,
    out: &mut Vec<(String, u64, Place)>,
) {
    let sum: f64 = now.iter().map(|(_, bytes)| *bytes as f64 * scale).sum();
    let is_wide = rest.w >= rest.h;
    let side = if is_wide { rest.h } else { rest.w };
    let most = if is_wide { rest.w } else { rest.h };
    let thick = if is_last {
        most
    } else {
        (sum / side.max(1.0)).min(most)
    };
    let mut along = 0.0;
    for (name, bytes) in now {
        let length = *bytes as f64 * scale / sum * side;
        let place = if is_wide {
            Place {
                x: rest.x,
                y: rest.y + along,
                w: thick,
                h: length,
            }
        } else {
            Place {
                x: rest.x + along,
                y: rest.y,
                w: length,
                h: thick,
            }
        };
        out.push((name.clone(), *bytes, place));
        along += length;
    }
    if is_wide {
        rest.x += thick;
        rest.w -= thick;
    } else {
        rest.y += thick;
        rest.h -= thick;
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, laid};

    /// Protects the picture: areas are bytes, nothing overlaps the edge, and what is too small is
    /// there all the same.
    #[test]
    fn areas_are_bytes() {
        let place = Place {
            x: 0.0,
            y: 0.0,
            w: 200.0,
            h: 100.0,
        };
        let sizes = [6_000, 3_000, 800, 100, 50, 30, 20];
        let all = sizes.iter().map(|bytes| (bytes.to_string(), *bytes));
        let laid = laid(all.collect(), place);
        let names: Vec<_> = laid.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["6000", "3000", "800", "4 more"]);
        assert_eq!(laid.iter().map(|(_, bytes, _)| bytes).sum::<u64>(), 10_000);
        for (name, bytes, place) in &laid {
            let area = place.w * place.h;
            assert!((area - *bytes as f64 * 2.0).abs() < 1.0, "{name}: {area}");
            assert!(
                place.x + place.w < 200.1 && place.y + place.h < 100.1,
                "{name}: {place:?}"
            );
        }
    }
}
