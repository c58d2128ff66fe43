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
use numbers::{SHORT_NUMBERS, classes};
use wasmparser::Operator;

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

    /// A module with 140 types and 140 globals, of which the last are used a hundred times each; a
    /// global is made of another where that is asked for.
    fn crowded(is_of_another: bool) -> Vec<u8> {
        let params = |n: usize| {
            let types = (0..8).map(|bit| ["i32 ", "i64 "][n >> bit & 1]);
            types.collect::<String>()
        };
        let types: String = (0..140)
            .map(|n| format!("(type (func (param {})))", params(n)))
            .collect();
        let globals: String = (1..140)
            .map(|n| format!("(global i32 (i32.const {n}))"))
            .collect();
        let last = match is_of_another {
            true => "(global i32 (global.get 0))",
            false => "(global i32 (i32.const 139))",
        };
        let reads = "global.get 139 drop ".repeat(100);
        let arguments: String = (0..8)
            .map(|bit| ["i32.const 1 ", "i64.const 1 "][139 >> bit & 1])
            .collect();
        let calls = format!("{arguments} i32.const 0 call_indirect (type 139) ").repeat(100);
        wat::parse_str(format!(
            "(module {types} (import \"a\" \"b\" (func (type 3))) (table 1 funcref)
               {globals} {last}
               (export \"g\" (global 139))
               (func (export \"f\") {reads} {calls}))"
        ))
        .unwrap()
    }

    /// Protects the numbers: what is used most gets a short one, wherever it is named.
    #[test]
    fn types_and_globals_used_most_get_short_numbers() {
        let before = crowded(false);
        let made = super::by_use(&before).unwrap().bytes;
        artifact::validate(&made).unwrap();
        // A byte for each use of either, for the export, and for the type of the function, which
        // was the last.
        assert_eq!(before.len() - made.len(), 100 + 100 + 1 + 1);
        let text = wasmprinter::print_bytes(&made).unwrap();
        assert!(text.contains("i32.const 139)"), "{text}");
        assert_eq!(super::by_use(&made).unwrap().bytes, made);
    }

    /// Protects globals whose values are those of others: they must stand behind them.
    #[test]
    fn globals_that_are_made_of_others_stay() {
        let before = crowded(true);
        let made = super::by_use(&before).unwrap().bytes;
        artifact::validate(&made).unwrap();
        assert_eq!(before.len() - made.len(), 100 + 1);
    }
}
