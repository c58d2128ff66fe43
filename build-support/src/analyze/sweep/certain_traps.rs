//! Where code is certain to trap: a call of a snipped function, and everything before it from which
//! no path leads anywhere else and nothing can be seen from outside. A function that is certain to
//! trap from its first instruction on is a trap for its callers, and so on until nothing changes.
//!
//! What is cut away is what builds a panic's message: arguments, stores to the stack, their
//! addresses. Host calls, calls through the table, growing memory, and anything that may run for
//! ever are never cut.

mod control_flow;

pub use control_flow::{Body, bodies};

use crate::wasm::linked::module::LinkedModule;
use control_flow::Kind;

/// What was found.
#[derive(Default)]
pub struct CertainTraps {
    /// For each function, whether calling it is certain to trap.
    pub functions: Vec<bool>,
    /// Where to cut, by place.
    pub cuts: Vec<Cut>,
}

/// From here to the end of the enclosing block, code is certain to trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The first byte that is replaced, by `unreachable`.
    pub start: usize,
    /// The `end` or `else` that stays.
    pub end: usize,
}

/// Finds the certain traps. `snipped` functions trap whatever their bodies say; a call through the
/// table traps where `possible`, by class of type, says that no slot can answer it.
pub fn run(
    linked: &LinkedModule<'_>,
    bodies: &[Body],
    snipped: &[u32],
    possible: &[bool],
) -> CertainTraps {
    let facts = Facts::fixpoint(linked, bodies, snipped, possible);
    let mut cuts = Vec::new();
    let mut points = Vec::new();
    for (position, body) in bodies.iter().enumerate() {
        let function = linked.module.imported as usize + position;
        if facts.traps[function] {
            continue;
        }
        body.points(&facts, possible, &mut points);
        body.cuts(linked, &points, &mut cuts);
    }
    CertainTraps {
        functions: facts.traps,
        cuts,
    }
}

/// What calls of each function do.
struct Facts {
    /// Certain to trap.
    traps: Vec<bool>,
    /// Certain to come back or trap, having done nothing that is seen outside.
    quiet: Vec<bool>,
}

impl Facts {
    fn fixpoint(
        linked: &LinkedModule<'_>,
        bodies: &[Body],
        snipped: &[u32],
        possible: &[bool],
    ) -> Facts {
        let count = linked.module.functions.len();
        let mut facts = Facts {
            traps: vec![false; count],
            quiet: vec![false; count],
        };
        for function in snipped {
            facts.traps[*function as usize] = true;
        }
        let callers = callers(linked, bodies);
        let mut queue: Vec<u32> = (linked.module.imported..count as u32).rev().collect();
        let mut waits = vec![true; count];
        let mut points = Vec::new();
        while let Some(function) = queue.pop() {
            let at = function as usize;
            waits[at] = false;
            let body = function.checked_sub(linked.module.imported);
            let Some(body) = body.and_then(|position| bodies.get(position as usize)) else {
                continue;
            };
            let trap = facts.traps[at] || {
                body.points(&facts, possible, &mut points);
                points[0]
            };
            let quiet = facts.quiet[at] || body.is_quiet(&facts);
            if (trap, quiet) == (facts.traps[at], facts.quiet[at]) {
                continue;
            }
            facts.traps[at] = trap;
            facts.quiet[at] = quiet;
            for caller in &callers[at] {
                if !std::mem::replace(&mut waits[*caller as usize], true) {
                    queue.push(*caller);
                }
            }
        }
        facts
    }
}

/// The callers of each function, directly, once for each call.
fn callers(linked: &LinkedModule<'_>, bodies: &[Body]) -> Vec<Vec<u32>> {
    let mut callers = vec![Vec::new(); linked.module.functions.len()];
    for (caller, body) in (linked.module.imported..).zip(bodies) {
        for event in &body.events {
            if let Kind::Call(callee) = event.kind {
                callers[callee as usize].push(caller);
            }
        }
    }
    callers
}

impl Body {
    /// Whether a call comes back or traps, and nothing outside changes before it does. No loops, so
    /// that it is certain to come back; recursion never becomes quiet.
    fn is_quiet(&self, facts: &Facts) -> bool {
        self.events.iter().all(|event| match event.kind {
            Kind::Loop | Kind::Indirect(_) | Kind::Outside => false,
            Kind::Call(callee) => facts.quiet[callee as usize] || facts.traps[callee as usize],
            _ => true,
        })
    }

    /// Whether a trap is certain before each event, and behind the last, into `points`.
    fn points(&self, facts: &Facts, possible: &[bool], points: &mut Vec<bool>) {
        points.clear();
        points.resize(self.events.len() + 1, false);
        // Open blocks, seen from their ends: what a branch to each meets, and what its `then` arm
        // ends in.
        struct Open {
            target: bool,
            after: bool,
            other_arm: Option<bool>,
        }
        let mut open: Vec<Open> = Vec::new();
        let closed = self.closed();
        let mut certain = false;
        for (i, event) in self.events.iter().enumerate().rev() {
            let target = |depth: u32, open: &[Open]| {
                let inner = open.len().checked_sub(1 + depth as usize);
                inner.is_some_and(|at| open[at].target)
            };
            certain = match event.kind {
                Kind::End => {
                    // The function's own end, or a block's: a branch to a loop goes back, which
                    // proves nothing.
                    let target = certain && !matches!(closed[i], Some(Kind::Loop));
                    open.push(Open {
                        target,
                        after: certain,
                        other_arm: None,
                    });
                    certain
                }
                Kind::Else => {
                    let block = open.last_mut().expect("validated");
                    block.other_arm = Some(certain);
                    block.after
                }
                Kind::If => {
                    let block = open.pop().expect("validated");
                    certain && block.other_arm.unwrap_or(block.after)
                }
                Kind::Block | Kind::Loop => {
                    open.pop();
                    certain
                }
                Kind::Br(depth) => target(depth, &open),
                Kind::BrIf(depth) => certain && target(depth, &open),
                Kind::BrTable { first, count } => {
                    let targets = &self.targets[first as usize..(first + count) as usize];
                    targets.iter().all(|depth| target(*depth, &open))
                }
                Kind::Return | Kind::Outside => false,
                Kind::Trap => true,
                Kind::Call(callee) if facts.traps[callee as usize] => true,
                Kind::Call(callee) => certain && facts.quiet[callee as usize],
                Kind::Indirect(class) => !possible[class as usize],
            };
            points[i] = certain;
        }
    }

    /// The first certain point of each straight run of code, where there is something to cut.
    fn cuts(&self, linked: &LinkedModule<'_>, points: &[bool], cuts: &mut Vec<Cut>) {
        let mut start = self.start;
        // Up to the end of the block, how deep below it: a cut, from its start on, or code that is
        // dead already because it is behind a branch.
        let mut rest: Option<(Option<usize>, u32)> = None;
        for (event, certain) in self.events.iter().zip(points) {
            let ends = matches!(event.kind, Kind::End | Kind::Else);
            if rest.is_none() && *certain && !ends {
                rest = Some((Some(start), 0));
            }
            match (&mut rest, event.kind) {
                (Some((_, depth)), Kind::Block | Kind::Loop | Kind::If) => *depth += 1,
                (Some((from, 0)), _) if ends => {
                    if let Some(start) = from.filter(|at| linked.module.bytes[*at] != UNREACHABLE) {
                        // `end` and `else` are one byte long.
                        let end = event.end - 1;
                        cuts.push(Cut { start, end });
                    }
                    rest = None;
                }
                (Some((_, depth)), Kind::End) => *depth -= 1,
                (None, Kind::Br(_) | Kind::BrTable { .. } | Kind::Return | Kind::Trap) => {
                    rest = Some((None, 0));
                }
                _ => {}
            }
            start = event.end;
        }
    }
}

/// The operator `unreachable` (core specification, binary format).
const UNREACHABLE: u8 = 0x00;
