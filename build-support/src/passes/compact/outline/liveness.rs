//! Which locals may be read before they are written, at each place of a function: exact, to a
//! fixpoint over its loops.

use crate::passes::compact::code;
use wasmparser::Operator;

/// Words of 64 locals for a function, above which it is left alone.
const MOST_WORDS: usize = 1 << 23;

/// A set of locals for each place, the end included.
pub struct Live {
    words: usize,
    sets: Vec<u64>,
}

impl Live {
    /// Whether a local may be read from `place` on before it is written.
    pub fn contains(&self, place: usize, local: u32) -> bool {
        let word = self.sets[place * self.words + local as usize / 64];
        word >> (local % 64) & 1 == 1
    }

    fn row(&self, place: usize) -> std::ops::Range<usize> {
        place * self.words..(place + 1) * self.words
    }
}

/// Where control goes.
enum Next {
    /// To the next operator.
    On,
    /// To these places.
    To(Vec<usize>),
}

/// Finds them; nothing for a function that is too large.
pub fn run(operators: &[Operator<'_>], locals: usize) -> Option<Live> {
    let words = locals.div_ceil(64).max(1);
    let places = operators.len() + 1;
    if words.checked_mul(places)? > MOST_WORDS {
        return None;
    }
    let mut live = Live {
        words,
        sets: vec![0; words * places],
    };
    let next = successors(operators);
    let has_loops = operators
        .iter()
        .any(|operator| matches!(operator, Operator::Loop { .. }));
    let mut set = vec![0; words];
    loop {
        let mut changed = false;
        for (place, operator) in operators.iter().enumerate().rev() {
            match &next[place] {
                Next::On => set.copy_from_slice(&live.sets[live.row(place + 1)]),
                Next::To(places) => {
                    set.fill(0);
                    for place in places {
                        for (word, more) in set.iter_mut().zip(&live.sets[live.row(*place)]) {
                            *word |= more;
                        }
                    }
                }
            }
            if let Some(local) = code::local(operator) {
                let (word, bit) = (local as usize / 64, 1 << (local % 64));
                match operator {
                    Operator::LocalGet { .. } => set[word] |= bit,
                    _ => set[word] &= !bit,
                }
            }
            let row = live.row(place);
            if live.sets[row.clone()] != set {
                live.sets[row].copy_from_slice(&set);
                changed = true;
            }
        }
        if !changed || !has_loops {
            return Some(live);
        }
    }
}

/// Where control goes from each operator.
fn successors(operators: &[Operator<'_>]) -> Vec<Next> {
    let exit = operators.len();
    let ends = ends(operators);
    let mut blocks = Vec::<usize>::new();
    let mut successors = Vec::with_capacity(operators.len());
    for (place, operator) in operators.iter().enumerate() {
        // Where a branch to the block at `depth` leads.
        let target = |depth: u32| match blocks.iter().rev().nth(depth as usize) {
            Some(block) if matches!(operators[*block], Operator::Loop { .. }) => block + 1,
            Some(block) => ends[*block].1 + 1,
            None => exit,
        };
        successors.push(match operator {
            Operator::Br { relative_depth } => Next::To(vec![target(*relative_depth)]),
            Operator::BrIf { relative_depth } => Next::To(vec![target(*relative_depth), place + 1]),
            Operator::BrTable { targets } => {
                let all = targets.targets().flatten().chain([targets.default()]);
                let mut all: Vec<_> = all.map(target).collect();
                all.sort_unstable();
                all.dedup();
                Next::To(all)
            }
            Operator::If { .. } => Next::To(vec![place + 1, ends[place].0 + 1]),
            // The first branch of an `if` ends here.
            Operator::Else => match blocks.last() {
                Some(block) => Next::To(vec![ends[*block].1 + 1]),
                None => Next::To(vec![exit]),
            },
            Operator::Unreachable
            | Operator::Return
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. } => Next::To(Vec::new()),
            _ => Next::On,
        });
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                blocks.push(place);
            }
            Operator::End => {
                blocks.pop();
            }
            _ => {}
        }
    }
    successors
}

/// For the operator that opens a block: where its `else` is, or its `end` without one, and its
/// `end`.
fn ends(operators: &[Operator<'_>]) -> Vec<(usize, usize)> {
    let mut ends = vec![(0, 0); operators.len()];
    let mut blocks = Vec::<(usize, Option<usize>)>::new();
    for (place, operator) in operators.iter().enumerate() {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                blocks.push((place, None));
            }
            Operator::Else => {
                if let Some((_, other)) = blocks.last_mut() {
                    *other = Some(place);
                }
            }
            Operator::End => {
                if let Some((block, other)) = blocks.pop() {
                    ends[block] = (other.unwrap_or(place), place);
                }
            }
            _ => {}
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use crate::wasm::Module;

    /// Says for each operator of a function of one parameter and three locals, all i32, which are
    /// live before it.
    fn live(code: &str) -> Vec<String> {
        let text = format!("(module (func (param i32) (local i32 i32) {code}))");
        let bytes = wat::parse_str(text).unwrap();
        let module = Module::read(&bytes).unwrap();
        let reader = module.bodies[0].get_operators_reader().unwrap();
        let operators: Vec<_> = reader.into_iter().map(Result::unwrap).collect();
        let live = super::run(&operators, 3).unwrap();
        let at = |place| {
            let locals = (0..3).filter(|local| live.contains(place, *local));
            locals.map(|local| local.to_string()).collect()
        };
        (0..operators.len()).map(at).collect()
    }

    /// Protects what outlining rests on: nothing that is read later is called dead.
    #[test]
    fn what_is_read_later_is_live() {
        let sets = |code| live(code).join(",");
        assert_eq!(sets("local.get 0 local.set 1 local.get 1 drop"), "0,,1,,");
        // Either branch, and none.
        assert_eq!(
            sets("local.get 0 if local.get 1 drop else local.get 2 drop end"),
            "012,12,1,,,2,,,"
        );
        assert_eq!(
            sets("local.get 0 if local.get 1 drop end local.get 2 drop"),
            "012,12,12,2,2,2,,"
        );
        // Round a loop: what is written behind the read is read again.
        assert_eq!(
            sets("loop local.get 1 drop i32.const 0 local.set 1 local.get 0 br_if 0 end"),
            "01,01,0,0,0,01,01,,"
        );
        // A way out passes by what would be written.
        assert_eq!(
            sets("block local.get 0 br_if 0 i32.const 0 local.set 1 end local.get 1 drop"),
            "01,01,1,,,1,1,,"
        );
        assert_eq!(
            sets("block local.get 0 br_table 0 1 end local.get 2 drop"),
            "02,02,2,2,2,,"
        );
        assert_eq!(
            sets("local.get 0 if return end local.get 2 drop"),
            "02,2,,2,2,,"
        );
        assert_eq!(
            sets("local.get 0 local.tee 1 drop local.get 1 drop unreachable"),
            "0,,1,1,,,"
        );
    }
}
