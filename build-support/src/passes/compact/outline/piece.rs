//! A piece of code that stands in several places, but for the numbers of its locals and some of
//! its constants: what becomes a function, and what calls it.

use super::places::{Kind, Place, Places};
use wasmparser::ValType;

/// Locals whose value a piece needs, at most.
const MOST_PARAMETERS: usize = 6;
/// Locals of a piece that are read after it, at most.
const MOST_RESULTS: usize = 2;

/// A piece and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins in the row of all places, in ascending order.
    pub sites: Vec<u32>,
    /// The locals of each site, in the order in which it names them; of a piece that was chosen.
    pub locals: Vec<Vec<u32>>,
    /// How many operators it has.
    pub length: u32,
    /// What its locals are to it; the same at every site.
    pub roles: Roles,
    /// The types of the operands that lie on the stack already, the lowest first.
    pub operands: Vec<ValType>,
    /// The type of the value that it leaves there, if it leaves one.
    pub value: Option<ValType>,
    /// Which constants are passed on, by their places in the piece: those of one parameter have one
    /// value at each site.
    pub constants: Vec<Vec<u32>>,
}

/// What locals are to a piece, by the order in which it names them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Roles {
    /// Their types.
    pub types: Vec<ValType>,
    /// Those whose value it needs.
    pub parameters: Vec<usize>,
    /// Those that it writes, and that are read after it.
    pub results: Vec<usize>,
}

/// The locals that are named from `from` to before `to`, in the order in which they are.
pub fn locals(places: &[Place], from: u32, to: u32) -> Vec<u32> {
    let mut locals = Vec::new();
    for place in &places[from as usize..to as usize] {
        if matches!(place.kind, Kind::Get | Kind::Set)
            && (place.previous < from || !locals.contains(&place.local))
        {
            locals.push(place.local);
        }
    }
    locals
}

/// What locals are to the operators from `from` to before `to`; nothing where there are too many of
/// a kind, or of a type that a function cannot be given.
pub fn roles(places: &Places, function: usize, from: u32, to: u32) -> Option<Roles> {
    let flow = places.flows[function].as_ref()?;
    let locals = locals(&places.all, from, to);
    let mut uses = vec![Use::default(); locals.len()];
    let mut depth = 0;
    for place in &places.all[from as usize..to as usize] {
        match place.kind {
            Kind::Open => depth += 1,
            Kind::End => depth -= 1,
            Kind::Get | Kind::Set => {
                let number = locals.iter().position(|local| *local == place.local)?;
                let used = &mut uses[number];
                if place.kind == Kind::Set {
                    used.written = true;
                    // In a block it may be passed by.
                    used.surely_written |= depth == 0;
                } else {
                    used.needed |= !used.surely_written;
                }
            }
            _ => {}
        }
    }
    let behind = (to - places.first[function]) as usize;
    let mut roles = Roles {
        types: Vec::new(),
        parameters: Vec::new(),
        results: Vec::new(),
    };
    for (number, (local, used)) in locals.iter().zip(&uses).enumerate() {
        let ty = flow.locals[*local as usize];
        if !super::flow::is_simple(&ty) {
            return None;
        }
        roles.types.push(ty);
        let is_result = used.written && flow.live.contains(behind, *local);
        if is_result {
            roles.results.push(number);
        }
        if used.needed || (is_result && !used.surely_written) {
            roles.parameters.push(number);
        }
    }
    let fits = roles.parameters.len() <= MOST_PARAMETERS && roles.results.len() <= MOST_RESULTS;
    fits.then_some(roles)
}

#[derive(Debug, Clone, Default)]
struct Use {
    needed: bool,
    written: bool,
    surely_written: bool,
}

impl Piece {
    /// The types of what the function takes: operands, locals, constants.
    pub fn parameter_types(&self, places: &Places) -> Vec<ValType> {
        let locals = self.roles.parameters.iter();
        let constants = self.constants.iter().map(|column| {
            // The operator of an integer constant (core specification): 0x41 or 0x42.
            match places.all[(self.sites[0] + column[0]) as usize].shape {
                0x41 => ValType::I32,
                _ => ValType::I64,
            }
        });
        let types = self.operands.iter().copied();
        types
            .chain(locals.map(|number| self.roles.types[*number]))
            .chain(constants)
            .collect()
    }

    /// The types of what it gives: what it leaves on the stack, then locals.
    pub fn result_types(&self) -> Vec<ValType> {
        let locals = self.roles.results.iter();
        let locals = locals.map(|number| self.roles.types[*number]);
        self.value.into_iter().chain(locals).collect()
    }
}
