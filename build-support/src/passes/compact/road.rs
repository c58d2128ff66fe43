//! The steps on a core module, one after the other, each kept only where what counts gets less. For
//! outlining that is decided at the end of the road: what it costs a compressor the next steps may
//! bring back.
//!
//! On the way sizes are weighed nearly, at the end exactly: of all the time most is compressing.

use crate::error::Result;
use crate::passes::compact::outline::{self, Found, Outline};
use crate::passes::compact::rewrite::PASS;
use crate::passes::compact::weight::{Scales, Weigh, Weight};
use crate::passes::compact::{constants, locals, order};
use crate::passes::origin::Rewritten;
use crate::passes::steps::Step;
use crate::report::Size;
use crate::wasm::ReadError;

/// A module at the end of the road.
#[derive(Debug, Clone)]
pub struct Compacted {
    /// The module, and where its functions come from.
    pub rewritten: Rewritten,
    /// What of it counts.
    pub weight: Weight,
    /// The steps that led there, in order.
    pub steps: Vec<Step>,
}

/// Trials in all by which pieces are left out, where all of them together are too much.
const TRIALS: std::ops::RangeInclusive<usize> = 4..=24;
/// The bytes of all trials together.
const TRIED: usize = 1 << 20;
/// How often what outlining left is outlined.
const ROUNDS: usize = 3;

/// What a compressed byte may cost in raw ones, where both count.
const PRICE: u64 = 4;

/// What pieces and steps are chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// No piece is.
    Nothing,
    /// What they save as they stand.
    Raw,
    /// The same, where compressed sizes do not grow by more than a part of it: what the steps after
    /// outlining save of those pays for it.
    Balanced,
    /// What they save of the compressed sizes that count.
    Compressed,
}

/// Takes a module along; nothing that counts is larger at the end.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read or written.
pub fn run(module: &[u8], outline: Outline, scales: &Scales<'_>) -> Result<Compacted> {
    let rewritten = Rewritten::untouched(module.to_vec()).map_err(ReadError::output(PASS))?;
    let start = Road {
        near: scales.near,
        by: By::Nothing,
        weight: (scales.near)(module),
        rewritten,
        steps: Vec::new(),
    };
    let ways: &[By] = match (outline, start.is_compressed(), scales.minimized) {
        (Outline::Off, ..) => &[By::Nothing],
        (_, false, _) => &[By::Raw],
        (_, true, Size::Raw) => &[By::Raw, By::Balanced, By::Compressed, By::Nothing],
        (_, true, _) => &[By::Compressed, By::Nothing],
    };
    let found = match outline {
        Outline::Off => None,
        _ => Some(outline::find(module, outline)?),
    };
    let roads = at_once(ways, |by| {
        let mut road = Road {
            by: *by,
            ..start.clone()
        };
        if let Some(found) = &found {
            road.outline(found, outline)?;
        }
        road.step("order by use", order::by_use)?;
        road.finish()?;
        Ok(road)
    });
    let mut all = vec![start];
    for road in roads {
        all.push(road?);
    }
    // Several ways may lead to the same.
    all.dedup_by(|next, last| next.rewritten.bytes == last.rewritten.bytes);
    let weights = at_once(&all, |road| (scales.exact)(&road.rewritten.bytes));
    let ends = weights.iter().enumerate();
    let allowed = ends.filter(|(_, weight)| weight.is_within(&weights[0]));
    let best = allowed.min_by_key(|(_, weight)| weight.0[0]);
    let best = best.map_or(0, |(best, _)| best);
    let Road {
        rewritten, steps, ..
    } = all.swap_remove(best);
    Ok(Compacted {
        rewritten,
        weight: weights[best].clone(),
        steps,
    })
}

/// Does the same with each of a few things, each in a thread of its own.
pub fn at_once<T: Sync, U: Send>(things: &[T], run: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let run = &run;
    std::thread::scope(|scope| {
        let spawn = |thing| scope.spawn(move || run(thing));
        let threads: Vec<_> = things.iter().map(spawn).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, U>| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        threads.into_iter().map(join).collect()
    })
}

/// A module on its way.
#[derive(Clone)]
struct Road<'w> {
    near: &'w Weigh<'w>,
    /// What steps and pieces are kept by.
    by: By,
    rewritten: Rewritten,
    /// What nearly counts of it.
    weight: Weight,
    steps: Vec<Step>,
}

impl Road<'_> {
    /// Whether more than the raw size counts.
    fn is_compressed(&self) -> bool {
        self.weight.0.len() > 1
    }

    /// The steps after outlining.
    fn finish(&mut self) -> Result<()> {
        self.step("constants", |module| {
            let shared = constants::run(module)?;
            Ok(shared.then(order::by_use(&shared.bytes)?))
        })?;
        // Of the raw size these change nothing.
        if self.is_compressed() {
            self.step("locals and order", locals::run)?;
            let size = |module: &[u8]| (self.near)(module).0.iter().sum();
            let alike = order::by_likeness(&self.rewritten.bytes, &size)?;
            self.take("locals and order", alike);
            self.step("locals and order", locals::run)?;
        }
        Ok(())
    }

    fn step(&mut self, name: &'static str, run: impl Fn(&[u8]) -> Result<Rewritten>) -> Result<()> {
        let next = run(&self.rewritten.bytes)?;
        self.take(name, next);
        Ok(())
    }

    /// Keeps what a step made, if that is less.
    fn take(&mut self, name: &'static str, next: Rewritten) {
        if next.bytes == self.rewritten.bytes {
            return;
        }
        let weight = (self.near)(&next.bytes);
        let size = |bytes: &[u8], weight: &Weight| self.by.size(bytes, weight);
        let is_less = match self.by {
            By::Nothing | By::Compressed => weight.is_less(&self.weight),
            // What another size loses by one step it may get back by the next.
            By::Raw | By::Balanced => {
                size(&next.bytes, &weight) < size(&self.rewritten.bytes, &self.weight)
                    || weight.is_less(&self.weight)
            }
        };
        if is_less {
            self.go_on(name, next, weight);
        }
    }

    fn go_on(&mut self, name: &'static str, next: Rewritten, weight: Weight) {
        let module = next.bytes.clone();
        self.rewritten = self.rewritten.then(next);
        self.weight = weight;
        match self.steps.last_mut() {
            Some(last) if last.name == name => last.module = module,
            _ => self.steps.push(Step { name, module }),
        }
    }

    /// Outlines what makes a size less, beginning with what was `found`.
    fn outline(&mut self, found: &Found, outline: Outline) -> Result<()> {
        if self.by == By::Nothing {
            return Ok(());
        }
        let bytes = self.rewritten.bytes.len().max(1);
        let mut trials = (TRIED / bytes).clamp(*TRIALS.start(), *TRIALS.end());
        let mut next = self.best_of(found, &mut trials)?;
        for round in 1..=ROUNDS {
            let Some((made, weight)) = next.take() else {
                break;
            };
            if round < ROUNDS {
                let found = outline::find_again(&made, outline)?;
                self.go_on("outlining", made, weight);
                next = self.best_of(&found, &mut trials)?;
            } else {
                self.go_on("outlining", made, weight);
            }
        }
        Ok(())
    }

    /// All pieces, or those halves and quarters of them that are of use.
    fn best_of(&self, found: &Found, trials: &mut usize) -> Result<Option<(Rewritten, Weight)>> {
        let module = &self.rewritten.bytes;
        let mut to_try = vec![found.pieces.clone()];
        let mut accepted = Vec::new();
        let by = self.by;
        let mut least = by.size(module, &self.weight);
        let mut best = None;
        while let Some(mut some) = to_try.pop().filter(|some| !some.is_empty() && *trials > 0) {
            *trials -= 1;
            let pieces: Vec<_> = accepted.iter().chain(&some).cloned().collect();
            let made = outline::write(module, &found.places, &pieces)?;
            let weight = (self.near)(&made.bytes);
            let size = by.size(&made.bytes, &weight);
            if size < least {
                (accepted, least) = (pieces, size);
                best = Some((made, weight));
            } else if some.len() > 1 {
                let rest = some.split_off(some.len() / 2);
                // Those that save most were chosen first.
                to_try.extend([rest, some]);
            }
        }
        Ok(best)
    }
}

impl By {
    /// What is to be small of a module that weighs as much. The raw size always counts.
    fn size(self, module: &[u8], weight: &Weight) -> u64 {
        let raw = module.len() as u64;
        let compressed = weight.0.iter().sum::<u64>().saturating_sub(raw);
        match self {
            By::Nothing | By::Raw => raw,
            By::Balanced => raw + PRICE * compressed,
            By::Compressed => compressed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Compacted, Outline, Scales, Weight, run};
    use crate::report::Size;
    use crate::wasm::artifact;

    /// A module with two functions that share a piece, and a long constant.
    fn module() -> Vec<u8> {
        let piece = |a: u32, b: u32, constant: u32| {
            format!(
                "local.get {a} i32.const {constant} i32.mul local.get {b} i32.xor
                 i32.load offset=16 local.tee {a} i32.const 7 i32.add i32.load8_u offset=3
                 local.get {a} i32.const 5 i32.rotl i32.store offset=900"
            )
        };
        // No two of its operators stand together twice.
        let long = ["neg", "add", "mul", "div"].map(|f| format!("f64.const 0.1 f64.{f} "));
        let long = format!("{} drop ", long.concat());
        let one = piece(0, 1, 1_000).replace("i32.load8_u", "i32.const 3 i32.xor i32.load8_u");
        let other = piece(1, 0, 77).replace("i32.load8_u", "i32.const 3 i32.xor i32.load8_u");
        wat::parse_str(format!(
            "(module (memory 1)
               (func (export \"a\") (param i32 i32) {one} i32.const 0 {long} drop)
               (func (export \"b\") (param i32 i32) {other} nop {other}))"
        ))
        .unwrap()
    }

    fn raw(module: &[u8], outline: Outline) -> Compacted {
        let scales = Scales {
            minimized: Size::Raw,
            exact: &Weight::raw,
            near: &Weight::raw,
        };
        run(module, outline, &scales).unwrap()
    }

    /// Protects the promise: nothing that counts grows, and each step is one that made it less.
    #[test]
    fn what_is_kept_is_less() {
        let module = module();
        let whole = raw(&module, Outline::All);
        artifact::validate(&whole.rewritten.bytes).unwrap();
        assert_eq!(whole.weight, Weight::raw(&whole.rewritten.bytes));
        let steps: Vec<_> = whole.steps.iter().map(|step| step.name).collect();
        assert!(
            steps.contains(&"outlining") && steps.contains(&"constants"),
            "{steps:?}"
        );
        let mut last = &module;
        for step in &whole.steps {
            assert!(step.module.len() < last.len(), "{}", step.name);
            last = &step.module;
        }
        assert_eq!(last, &whole.rewritten.bytes);
        assert!(whole.weight.is_less(&raw(&module, Outline::Off).weight));
    }

    /// Protects the same from what is only nearly so: where it grows when weighed exactly, the
    /// module is the one that there was.
    #[test]
    fn what_counts_in_the_end_is_exact() {
        let module = module();
        let first = module.clone();
        let exact = |bytes: &[u8]| Weight(vec![u64::from(bytes != first); 2]);
        let near = |bytes: &[u8]| Weight(vec![bytes.len() as u64; 2]);
        let scales = |exact| Scales {
            minimized: Size::Gzip,
            exact,
            near: &near,
        };
        let kept = run(&module, Outline::All, &scales(&near)).unwrap();
        assert!(kept.rewritten.bytes.len() < module.len());
        let none = run(&module, Outline::All, &scales(&exact)).unwrap();
        assert_eq!(none.rewritten.bytes, module);
        assert!(none.steps.is_empty());
    }
}
