//! The steps on a core module, one after the other, each kept only where what counts gets less. For
//! outlining that is decided at the end of the road: what it costs a compressor the next steps may
//! bring back.

use crate::error::Result;
use crate::passes::compact::outline::{self, Found, Outline};
use crate::passes::compact::rewrite::PASS;
use crate::passes::compact::weight::{Weigh, Weight};
use crate::passes::compact::{constants, locals, order};
use crate::passes::origin::Rewritten;
use crate::wasm::ReadError;

/// What a step gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gave {
    /// The step.
    pub step: &'static str,
    /// What counted before it.
    pub before: Weight,
    /// What counts after it; the same where the step was not kept.
    pub after: Weight,
}

/// A module at the end of the road.
#[derive(Clone)]
pub struct Compacted {
    /// The module, and where its functions come from.
    pub rewritten: Rewritten,
    /// What of it counts.
    pub weight: Weight,
    /// What each step gave, in order.
    pub gave: Vec<Gave>,
}

/// Trials in all by which pieces are left out, where all of them together are too much.
const TRIALS: usize = 24;
/// The bytes of a module from which on there are fewer: weighing takes its time.
const LARGE: usize = 400_000;
/// So many there.
const FEW_TRIALS: usize = 4;
/// How often what outlining left is outlined.
const ROUNDS: usize = 3;

/// Takes a module along; nothing that counts is larger at the end. `weigh` says what that is.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read or written.
pub fn run(module: &[u8], outline: Outline, weigh: &Weigh<'_>) -> Result<Compacted> {
    let rewritten = Rewritten::untouched(module.to_vec()).map_err(ReadError::output(PASS))?;
    let start = Road {
        weigh,
        done: Compacted {
            rewritten,
            weight: weigh(module),
            gave: Vec::new(),
        },
    };
    let mut begun = start.clone();
    begun.step("order by use", order::by_use)?;
    let mut best = begun.clone().finish()?;
    if outline == Outline::Off {
        return Ok(best);
    }
    // By each of the sizes that count, and without regard to any.
    let sizes = (0..start.done.weight.0.len()).map(Some);
    let mut tried = Vec::<Vec<u8>>::new();
    for size in sizes.chain([None]) {
        let mut road = begun.clone();
        road.outline(outline, size)?;
        if tried.contains(&road.done.rewritten.bytes) {
            continue;
        }
        tried.push(road.done.rewritten.bytes.clone());
        let end = road.finish()?;
        if end.weight.is_within(&start.done.weight) && end.weight.0[0] < best.weight.0[0] {
            best = end;
        }
    }
    Ok(best)
}

#[derive(Clone)]
struct Road<'w> {
    weigh: &'w Weigh<'w>,
    done: Compacted,
}

impl Road<'_> {
    /// The steps after outlining.
    fn finish(mut self) -> Result<Compacted> {
        self.step("constants", |module| {
            let shared = constants::run(module)?;
            Ok(shared.then(order::by_use(&shared.bytes)?))
        })?;
        // Of the raw size these two change nothing.
        if self.done.weight.0.len() > 1 {
            self.step("locals", locals::run)?;
            let size = |module: &[u8]| (self.weigh)(module).0.iter().sum();
            let alike = order::by_likeness(&self.done.rewritten.bytes, &size)?;
            self.take("order by likeness", alike);
            self.step("locals again", locals::run)?;
        }
        Ok(self.done)
    }

    fn step(&mut self, step: &'static str, run: impl Fn(&[u8]) -> Result<Rewritten>) -> Result<()> {
        let next = run(&self.done.rewritten.bytes)?;
        self.take(step, next);
        Ok(())
    }

    /// Keeps what a step made, if that is less.
    fn take(&mut self, step: &'static str, next: Rewritten) {
        let weight = (self.weigh)(&next.bytes);
        if weight.is_less(&self.done.weight) {
            self.go_on(step, next, weight);
        } else {
            let before = self.done.weight.clone();
            let after = before.clone();
            self.done.gave.push(Gave {
                step,
                before,
                after,
            });
        }
    }

    fn go_on(&mut self, step: &'static str, next: Rewritten, after: Weight) {
        self.done.rewritten = self.done.rewritten.then(next);
        let before = std::mem::replace(&mut self.done.weight, after.clone());
        self.done.gave.push(Gave {
            step,
            before,
            after,
        });
    }

    /// Outlines what makes one of the sizes less, or everything.
    fn outline(&mut self, outline: Outline, size: Option<usize>) -> Result<()> {
        let mut trials = match self.done.rewritten.bytes.len() {
            LARGE.. => FEW_TRIALS,
            _ => TRIALS,
        };
        for _ in 0..ROUNDS {
            let found = outline::find(&self.done.rewritten.bytes, outline)?;
            let Some((next, weight)) = self.best_of(found, size, &mut trials)? else {
                break;
            };
            self.go_on("outlining", next, weight);
        }
        Ok(())
    }

    /// All pieces, or those halves and quarters of them that are of use.
    fn best_of(
        &self,
        found: Found,
        size: Option<usize>,
        trials: &mut usize,
    ) -> Result<Option<(Rewritten, Weight)>> {
        let module = &self.done.rewritten.bytes;
        let mut to_try = vec![found.pieces];
        let mut with = Found {
            places: found.places,
            pieces: Vec::new(),
        };
        let mut accepted = Vec::new();
        let mut best: Option<(Rewritten, Weight)> = None;
        while let Some(mut some) = to_try.pop().filter(|some| !some.is_empty() && *trials > 0) {
            *trials -= 1;
            with.pieces = accepted.iter().chain(&some).cloned().collect();
            let made = outline::write(module, &with)?;
            let made = made.then(order::by_use(&made.bytes)?);
            let weight = (self.weigh)(&made.bytes);
            let before = best
                .as_ref()
                .map_or(&self.done.weight, |(_, weight)| weight);
            if size.is_none_or(|size| weight.0[size] < before.0[size]) {
                accepted = std::mem::take(&mut with.pieces);
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

#[cfg(test)]
mod tests {
    use super::{Outline, run};
    use crate::passes::compact::weight::Weight;
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
        let long = "f64.const 0.1 drop ".repeat(4);
        let one = piece(0, 1, 1_000).replace("i32.load8_u", "i32.const 3 i32.xor i32.load8_u");
        let other = piece(1, 0, 77).replace("i32.load8_u", "i32.const 3 i32.xor i32.load8_u");
        wat::parse_str(format!(
            "(module (memory 1)
               (func (export \"a\") (param i32 i32) {one} i32.const 0 {long} drop)
               (func (export \"b\") (param i32 i32) {other} nop {other}))"
        ))
        .unwrap()
    }

    /// Protects the promise: nothing that counts grows, and each step says what it gave.
    #[test]
    fn what_is_kept_is_less() {
        let module = module();
        let whole = run(&module, Outline::All, &Weight::raw).unwrap();
        artifact::validate(&whole.rewritten.bytes).unwrap();
        assert_eq!(whole.weight, Weight::raw(&whole.rewritten.bytes));
        let steps: Vec<_> = whole.gave.iter().map(|gave| gave.step).collect();
        assert!(
            steps.contains(&"outlining") && steps.contains(&"constants"),
            "{steps:?}"
        );
        let mut last = Weight::raw(&module);
        for gave in &whole.gave {
            assert_eq!(gave.before, last);
            assert!(gave.after.is_within(&gave.before));
            last = gave.after.clone();
        }
        assert_eq!(last, whole.weight);
        let without = run(&module, Outline::Off, &Weight::raw).unwrap();
        assert!(whole.weight.is_less(&without.weight));
        // Where everything counts as more, the module is the one that there was.
        let first = module.clone();
        let strict = |bytes: &[u8]| Weight(vec![u64::from(bytes != first); 2]);
        let none = run(&module, Outline::All, &strict).unwrap();
        assert_eq!(none.rewritten.bytes, module);
    }
}
