//! The functions in another order: those used most get the numbers of one byte, and those that are
//! alike stand beside each other, where compressors find what they share. Types and globals get
//! theirs by use as well.

mod likeness;
mod numbers;

use crate::error::Result;
use crate::passes::compact::rewrite::{Edit, PASS};
use crate::passes::compact::weight::Size;
use crate::passes::origin::Rewritten;
use crate::wasm::{Module, ReadError, constant};
use likeness::Likeness;
use wasmparser::Operator;

/// Functions below these have numbers of one byte, and of two.
const SHORT_NUMBERS: [u32; 2] = [128, 16_384];

/// How many functions, the largest, an order by likeness is tried from, at most.
const STARTS: usize = 4;
/// The bytes of code up to which more than one is, taken together: compressing takes its time.
const TRIED: usize = 400_000;

/// Puts the functions, types and globals that are used most where numbers are short. Where length
/// does not count, they stay in their order.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read or written.
pub fn by_use(module: &[u8]) -> Result<Rewritten> {
    let module = Module::read(module).map_err(ReadError::output(PASS))?;
    let mut edit = Edit::new(&module).map_err(ReadError::output(PASS))?;
    sort_by_use(&module, &mut edit)?;
    edit.write()
}

/// The same where a module is written anyway.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read.
pub fn sort_by_use(module: &Module<'_>, edit: &mut Edit<'_, '_>) -> Result<()> {
    edit.order = classes(&uses(module, edit)?, module.imported).concat();
    edit.type_order = numbers::of_types(module, edit);
    edit.global_order = numbers::of_globals(module, edit);
    Ok(())
}

/// Puts functions that are alike beside each other: the order of least `size` among several that
/// begin with a large function, and the one there is. None of them makes a number longer.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read or written.
pub fn by_likeness(module: &[u8], size: &Size<'_>) -> Result<Rewritten> {
    let mut best = Rewritten::untouched(module.to_vec()).map_err(ReadError::output(PASS))?;
    let mut least = size(module);
    let module = Module::read(module).map_err(ReadError::output(PASS))?;
    let edit = Edit::new(&module).map_err(ReadError::output(PASS))?;
    let classes = classes(&uses(&module, &edit)?, module.imported);
    drop(edit);
    let bodies: Vec<&[u8]> = module.bodies.iter().map(|body| body.as_bytes()).collect();
    let likeness = Likeness::new(&bodies);
    let starts = (TRIED / module.code().len().max(1)).clamp(1, STARTS);
    let mut largest = classes.first().cloned().unwrap_or_default();
    largest.sort_by_key(|function| std::cmp::Reverse(bodies[*function as usize].len()));
    for start in largest.into_iter().take(starts) {
        let mut edit = Edit::new(&module).map_err(ReadError::output(PASS))?;
        edit.order = likeness.order(start, &classes);
        let candidate = edit.write()?;
        let bytes = size(&candidate.bytes);
        if bytes < least {
            (best, least) = (candidate, bytes);
        }
    }
    Ok(best)
}

/// How often the least used of the functions is that are worth a number of one byte; never, where
/// there is room for more.
///
/// # Errors
/// [`Error`](crate::Error) where the module cannot be read.
pub fn displaced(module: &Module<'_>, edit: &Edit<'_, '_>) -> Result<u32> {
    let mut uses = uses(module, edit)?;
    uses.sort_unstable_by(|one, other| other.cmp(one));
    let short = SHORT_NUMBERS[0].saturating_sub(module.imported);
    let least = short
        .checked_sub(1)
        .and_then(|last| uses.get(last as usize));
    Ok(least.copied().unwrap_or(0))
}

/// How often each function that the module defines is named by number.
fn uses(module: &Module<'_>, edit: &Edit<'_, '_>) -> Result<Vec<u32>> {
    let mut named: Vec<u32> = edit
        .bodies
        .iter()
        .flat_map(|body| &body.operators)
        .filter_map(|operator| match operator {
            Operator::Call { function_index }
            | Operator::ReturnCall { function_index }
            | Operator::RefFunc { function_index } => Some(*function_index),
            _ => None,
        })
        .collect();
    let values = module.entries().map_err(ReadError::output(PASS))?;
    named.extend(values);
    for element in &module.elements {
        named.extend(constant::in_element(element).map_err(ReadError::output(PASS))?);
    }
    let mut uses = vec![0; edit.bodies.len()];
    for position in named.iter().filter_map(|f| f.checked_sub(module.imported)) {
        uses[position as usize] += 1;
    }
    Ok(uses)
}

/// The functions by the length of the number that they are worth, each class in its old order.
fn classes(uses: &[u32], imported: u32) -> Vec<Vec<u32>> {
    let mut by_use: Vec<u32> = (0..uses.len() as u32).collect();
    by_use.sort_by_key(|function| std::cmp::Reverse(uses[*function as usize]));
    let mut classes = Vec::new();
    let mut rest = by_use.as_slice();
    let mut taken = imported;
    for end in SHORT_NUMBERS {
        let room = (end.saturating_sub(taken) as usize).min(rest.len());
        let (class, others) = rest.split_at(room);
        classes.push(class.to_vec());
        (rest, taken) = (others, taken.max(end));
    }
    classes.push(rest.to_vec());
    for class in &mut classes {
        class.sort_unstable();
    }
    classes.retain(|class| !class.is_empty());
    classes
}

#[cfg(test)]
mod tests {
    use crate::wasm::{Module, artifact};

    /// A module whose last function is called 200 times.
    fn module() -> Vec<u8> {
        let few: String = (0..200).map(|_| "(func)").collect();
        let calls = "call 201 ".repeat(200);
        wat::parse_str(format!(
            "(module (func (export \"first\") {calls}) {few} (func nop nop)
               (table 1 funcref) (elem (i32.const 0) 201) (start 201))"
        ))
        .unwrap()
    }

    /// Protects the numbers: what is used most gets a short one, everywhere it is named.
    #[test]
    fn what_is_used_most_gets_a_short_number() {
        let before = module();
        let made = super::by_use(&before).unwrap();
        artifact::validate(&made.bytes).unwrap();
        assert_eq!(before.len() - made.bytes.len(), 200 + 2);
        let after = Module::read(&made.bytes).unwrap();
        let often = after.start.unwrap();
        assert!(often < 128);
        assert_eq!(
            made.origins[often as usize],
            crate::passes::origin::Origin::Kept(201)
        );
        let again = super::by_use(&made.bytes).unwrap();
        assert_eq!(again.bytes, made.bytes);
    }

    /// Protects the aim: functions that are alike come together, and nothing gets longer.
    #[test]
    fn what_is_alike_comes_together() {
        let kind = |n: usize, k: usize| {
            let ops = ["i32.add", "i32.xor", "i32.mul"];
            let op = format!(
                "i32.const {} {} i32.const {} {} ",
                70 + k,
                ops[k],
                900 + k,
                ops[k]
            );
            format!(
                "(func (param i32) (result i32) local.get 0 {} i32.const {n} i32.or)",
                op.repeat(9)
            )
        };
        let all: String = (0..30).map(|n| kind(n, n % 3)).collect();
        let before = wat::parse_str(format!("(module {all})")).unwrap();
        // What a compressor with a window of one function would see.
        let size = |bytes: &[u8]| {
            let module = Module::read(bytes).unwrap();
            let bodies: Vec<_> = module.bodies.iter().map(|b| b.as_bytes()).collect();
            let pairs = bodies.windows(2);
            let alike = pairs.filter(|pair| pair[0][..20] == pair[1][..20]);
            (100 - alike.count()) as u64
        };
        let made = super::by_likeness(&before, &size).unwrap();
        artifact::validate(&made.bytes).unwrap();
        assert_eq!((size(&before), size(&made.bytes)), (100, 73));
        assert_eq!(before.len(), made.bytes.len());
    }
}
