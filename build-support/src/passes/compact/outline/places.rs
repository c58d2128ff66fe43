//! The operators of a whole module in one row, each with what a search for repeats has to know.

use super::flow::{Before, Flow};
use crate::passes::compact::code::{self, Body};
use crate::passes::compact::hash;
use wasmparser::{Operator, ValType};

/// What an operator is to a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It reads a local.
    Get,
    /// It writes one, or does that and more.
    Set,
    /// An integer constant: it may differ from one repeat to the next.
    Constant,
    /// It opens a block.
    Open,
    /// The other branch of a block begins.
    Else,
    /// A block ends.
    End,
    /// It may leave as many blocks, and one more.
    Branch(u32),
    /// It always traps.
    Trap,
    /// It leaves the function, or cannot be followed.
    Leave,
    /// Anything else.
    Plain,
}

/// An operator.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// What it is.
    pub kind: Kind,
    /// All of it, but for a local the operator alone.
    pub hash: u64,
    /// The same without the value of a constant.
    pub shape: u64,
    /// The local that it names.
    pub local: u32,
    /// Where the same local was named before in the function; the place itself where it was not.
    pub previous: u32,
    /// The encoded bytes of all before it.
    pub bytes: u32,
    /// The stack before it.
    pub before: Before,
}

/// All of them.
pub struct Places {
    /// In the order of the module; behind each function stands one more place, its end.
    pub all: Vec<Place>,
    /// The first place of each function.
    pub first: Vec<u32>,
    /// What is known of each function.
    pub flows: Vec<Option<Flow>>,
}

impl Places {
    /// Those of a module.
    pub fn new(bodies: &[Body<'_>], flows: Vec<Option<Flow>>) -> Self {
        let mut places = Self {
            all: Vec::new(),
            first: Vec::new(),
            flows: Vec::new(),
        };
        for (body, flow) in bodies.iter().zip(&flows) {
            places.first.push(places.all.len() as u32);
            places.add(body, flow.as_ref());
        }
        places.flows = flows;
        places
    }

    fn add(&mut self, body: &Body<'_>, flow: Option<&Flow>) {
        let first = self.all.len();
        let last = self.all.last();
        let mut bytes = last.map_or(0, |place| place.bytes);
        let mut encoded = Vec::new();
        let mut named = vec![None; flow.map_or(0, |flow| flow.locals.len())];
        for (number, operator) in body.operators.iter().enumerate() {
            let at = (first + number) as u32;
            encoded.clear();
            code::encode(operator, &mut encoded);
            let local = code::local(operator).unwrap_or(0);
            let kind = match flow {
                Some(_) => kind(operator),
                None => Kind::Leave,
            };
            let mut previous = at;
            let mut hash = hash::of(&encoded);
            if matches!(kind, Kind::Get | Kind::Set) {
                hash = u64::from(encoded[0]);
                previous = named[local as usize].replace(at).unwrap_or(at);
            }
            self.all.push(Place {
                kind,
                hash,
                shape: match kind {
                    Kind::Constant => u64::from(encoded[0]),
                    _ => hash,
                },
                local,
                previous,
                bytes,
                before: flow.map_or(NOWHERE, |flow| flow.before[number]),
            });
            bytes += encoded.len() as u32;
        }
        self.all.push(Place {
            kind: Kind::Leave,
            hash: 0,
            shape: 0,
            local: 0,
            previous: 0,
            bytes,
            before: NOWHERE,
        });
        // Its last `end` ends the function.
        if let [.., end, _] = &mut self.all[first..] {
            end.kind = Kind::Leave;
        }
    }

    /// The function that a place is in.
    pub fn function(&self, place: u32) -> usize {
        self.first.partition_point(|first| *first <= place) - 1
    }

    /// The type of the local that a place names.
    pub fn local_type(&self, function: usize, local: u32) -> Option<ValType> {
        self.flows[function]
            .as_ref()?
            .locals
            .get(local as usize)
            .copied()
    }

    /// The bytes of the operators from one place to before another.
    pub fn bytes(&self, from: u32, to: u32) -> u32 {
        self.all[to as usize].bytes - self.all[from as usize].bytes
    }
}

/// A place of which nothing is known.
const NOWHERE: Before = Before {
    reachable: false,
    height: 0,
    low: 0,
    operands: [None; super::flow::OPERANDS],
    loops: 0,
};

fn kind(operator: &Operator<'_>) -> Kind {
    match operator {
        Operator::LocalGet { .. } => Kind::Get,
        Operator::LocalSet { .. } | Operator::LocalTee { .. } => Kind::Set,
        Operator::I32Const { .. } | Operator::I64Const { .. } => Kind::Constant,
        Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => Kind::Open,
        Operator::Else => Kind::Else,
        Operator::End => Kind::End,
        Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
            Kind::Branch(*relative_depth)
        }
        Operator::BrTable { targets } => {
            let furthest = targets.targets().flatten().max().unwrap_or(0);
            Kind::Branch(furthest.max(targets.default()))
        }
        Operator::Unreachable => Kind::Trap,
        Operator::Return | Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. } => {
            Kind::Leave
        }
        _ => Kind::Plain,
    }
}
