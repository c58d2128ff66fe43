//! The flow of control in each function: where blocks open and end, branches, calls, traps, and
//! what can be seen from outside. Everything else is passed over.

use crate::wasm::linked::module::LinkedModule;
use crate::wasm::linked::operators::{self, Effect};
use crate::wasm::linked::refusal::Refusal;
use wasmparser::{FunctionBody, Operator};

/// Decodes every body once.
///
/// # Errors
/// [`Refusal::Unsupported`] for operators that the analysis does not know.
pub fn bodies(linked: &LinkedModule<'_>) -> Result<Vec<Body>, Refusal> {
    let bodies = linked.module.bodies.iter();
    bodies.map(|body| decode(linked, body)).collect()
}

fn decode(linked: &LinkedModule<'_>, body: &FunctionBody<'_>) -> Result<Body, Refusal> {
    let mut operators = body.get_operators_reader()?;
    let mut body = Body {
        start: operators.original_position() as usize,
        ..Body::default()
    };
    while !operators.eof() {
        let at = operators.original_position();
        let operator = operators.read()?;
        let kind = match &operator {
            Operator::Block { .. } => Kind::Block,
            Operator::Loop { .. } => Kind::Loop,
            Operator::If { .. } => Kind::If,
            Operator::Else => Kind::Else,
            Operator::End => Kind::End,
            Operator::Br { relative_depth } => Kind::Br(*relative_depth),
            Operator::BrIf { relative_depth } => Kind::BrIf(*relative_depth),
            Operator::BrTable { targets } => {
                let first = body.targets.len() as u32;
                for target in targets.targets() {
                    body.targets.push(target?);
                }
                body.targets.push(targets.default());
                Kind::BrTable {
                    first,
                    count: targets.len() + 1,
                }
            }
            Operator::Return => Kind::Return,
            Operator::Unreachable => Kind::Trap,
            Operator::Call { function_index } => Kind::Call(*function_index),
            Operator::CallIndirect { type_index, .. } => {
                Kind::Indirect(linked.classes[*type_index as usize])
            }
            // A call that never comes back here; what it does is seen outside.
            Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. } => Kind::Return,
            Operator::RefFunc { .. } | Operator::TypedSelectMulti { .. } => continue,
            other => match operators::plain(other) {
                Some(plain) if plain.effect == Effect::Outside => Kind::Outside,
                Some(_) => continue,
                None => return Err(Refusal::operator(other, at)),
            },
        };
        body.events.push(Event {
            kind,
            end: operators.original_position() as usize,
        });
    }
    Ok(body)
}

/// One function's flow of control.
#[derive(Default)]
pub struct Body {
    /// The first byte of its code.
    pub(super) start: usize,
    pub(super) events: Vec<Event>,
    /// The targets of its branch tables, one after another.
    pub(super) targets: Vec<u32>,
}

/// An operator that matters.
pub(super) struct Event {
    pub(super) kind: Kind,
    /// The byte behind it.
    pub(super) end: usize,
}

/// What an operator does to the flow of control.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Block,
    Loop,
    If,
    Else,
    End,
    /// Branches, with how many blocks they lead out of.
    Br(u32),
    BrIf(u32),
    /// A range of [`Body::targets`].
    BrTable {
        first: u32,
        count: u32,
    },
    Return,
    Trap,
    Call(u32),
    /// A call through the table of a type, by its class.
    Indirect(u32),
    Outside,
}

impl Body {
    /// For each `end`, what it closes; `None` for the function's own.
    pub(super) fn closed(&self) -> Vec<Option<Kind>> {
        let mut open = Vec::new();
        let closed = self.events.iter().map(|event| match event.kind {
            Kind::Block | Kind::Loop | Kind::If => {
                open.push(event.kind);
                None
            }
            Kind::End => open.pop(),
            _ => None,
        });
        closed.collect()
    }
}
