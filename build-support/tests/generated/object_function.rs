//! The bodies of the functions of an object program.

use crate::generated::object_code::{Code, op};
use crate::generated::object_data::Cell;
use crate::generated::object_program::{BINARY, Draft};

/// What the locals of a function are for: two parameters, then these.
pub const SUM: u32 = 2;
const COUNT: u32 = 3;
const POINTER: u32 = 4;
pub const FRAME: u32 = 5;

/// How deep expressions are nested.
const DEPTH: usize = 3;

/// Writes the body of one function.
pub struct Writer<'a> {
    /// The program.
    pub draft: &'a mut Draft,
    /// The object file the function is in.
    pub file: usize,
    /// Its code.
    pub code: Code,
    /// Only functions from this number on may be called.
    pub first: usize,
    /// And of the functions that panic, only those from this one on.
    pub first_cold: usize,
}

impl<'a> Writer<'a> {
    /// Begins a function in `file`.
    pub fn new(draft: &'a mut Draft, file: usize) -> Self {
        Self {
            draft,
            file,
            code: Code::default(),
            first: 0,
            first_cold: 0,
        }
    }

    /// `function_N`: some statements, then the sum of what they gave.
    pub fn ordinary(mut self, number: usize) -> Code {
        self.first = number + 1;
        self.spend();
        self.code.number(number as i32).set(SUM);
        for _ in 0..self.below(7) + 1 {
            self.statement(2);
        }
        if self.chance(10) {
            // The last block may end in a panic.
            self.code
                .get(SUM)
                .number(3)
                .op(&[op::AND, op::IF, op::NOTHING])
                .get(SUM)
                .op(&[op::RETURN, op::END]);
            self.panic();
        } else {
            self.code.get(SUM);
        }
        self.code
    }

    /// A constructor: it writes.
    pub fn constructor(mut self) -> Code {
        self.first = self.draft.ordinary;
        for _ in 0..3 {
            self.store();
        }
        self.code
    }

    /// Takes one from the fuel; gives 0 where there is none left.
    pub fn spend(&mut self) {
        let fuel = self.draft.fuel;
        if self.draft.data.all[fuel].local && self.draft.data.all[fuel].file != self.file {
            // Out of sight: the functions it calls take more.
            return;
        }
        let mut address = || self.draft.data.address(fuel, 0, 4, &mut self.draft.random);
        let (one, two, three) = (address(), address(), address());
        self.code
            .address(one)
            .address(two)
            .memory(op::LOAD, 0)
            .number(1)
            .op(&[op::SUB]);
        self.code.memory(op::STORE, 0);
        self.code
            .number(0)
            .memory_at(op::LOAD, three)
            .number(0)
            .op(&[op::LT_S, op::IF, op::NOTHING]);
        self.code.number(0).op(&[op::RETURN, op::END]);
    }

    pub fn statement(&mut self, depth: usize) {
        match self.below(14) {
            0..4 => {
                self.code.get(SUM).number(33).op(&[op::MUL]);
                self.expression(DEPTH);
                self.code.op(&[op::XOR]).set(SUM);
            }
            4 => {
                self.expression(1);
                self.code.call("log");
            }
            5 => self.store(),
            6 => self.store_pointer(),
            7..9 => self.check(),
            9 => self.tail_panic(),
            10 if depth > 0 => self.switch(depth),
            11 if depth > 0 => {
                self.expression(1);
                self.code.number(1).op(&[op::AND, op::IF, op::NOTHING]);
                self.statement(depth - 1);
                self.code.op(&[op::ELSE]);
                self.statement(depth - 1);
                self.code.op(&[op::END]);
            }
            12 if depth == 2 => self.repeat(),
            _ => self.frame(),
        }
    }

    /// `for COUNT in 0..3 { statement }`, with no loop inside.
    pub fn repeat(&mut self) {
        self.code.number(3).set(COUNT).op(&[op::LOOP, op::NOTHING]);
        self.statement(1);
        self.code
            .get(COUNT)
            .number(1)
            .op(&[op::SUB])
            .set(COUNT)
            .get(COUNT)
            .op(&[op::BR_IF, 0, op::END]);
    }

    /// A `br_table`, some of whose arms may panic.
    pub fn switch(&mut self, depth: usize) {
        let arms = self.below(4) + 2;
        self.code.op(&[op::BLOCK, op::NOTHING]);
        for _ in 0..arms {
            self.code.op(&[op::BLOCK, op::NOTHING]);
        }
        self.expression(1);
        self.code
            .number(7)
            .op(&[op::AND, op::BR_TABLE, arms as u8 - 1]);
        for arm in 0..arms {
            self.code.op(&[arm as u8]);
        }
        for arm in 0..arms {
            self.code.op(&[op::END]);
            if self.chance(15) {
                self.panic();
            } else {
                self.statement(depth - 1);
                self.code.op(&[op::BR, (arms - 1 - arm) as u8]);
            }
        }
        self.code.op(&[op::END]);
    }

    /// A frame on the stack in memory, with a range in it, read through its address.
    pub fn frame(&mut self) {
        let Some((datum, at, count)) = self.some_bytes() else {
            return;
        };
        let address = self
            .draft
            .data
            .address(datum, at, count, &mut self.draft.random);
        self.code
            .get_stack()
            .number(16)
            .op(&[op::SUB])
            .set(FRAME)
            .get(FRAME)
            .set_stack();
        self.code.get(FRAME).address(address).memory(op::STORE, 8);
        self.code
            .get(FRAME)
            .number(count as i32)
            .memory(op::STORE, 12);
        self.code
            .get(FRAME)
            .memory(op::LOAD, 8)
            .get(FRAME)
            .memory(op::LOAD, 12)
            .call("sum");
        self.code.get(SUM).op(&[op::ADD]).set(SUM);
        self.code.get(FRAME).number(16).op(&[op::ADD]).set_stack();
    }

    /// Leaves a number on the stack.
    pub fn expression(&mut self, depth: usize) {
        match self.below(if depth == 0 { 4 } else { 14 }) {
            0 => {
                let number = self.draft.random.argument();
                self.code.number(number);
            }
            1 => {
                let local = self.below(3) as u32;
                self.code.get(local);
            }
            2..5 => self.read(),
            5 | 6 => {
                self.expression(depth - 1);
                self.expression(depth - 1);
                let operator = *self.draft.random.pick(&[
                    op::ADD,
                    op::SUB,
                    op::MUL,
                    op::XOR,
                    op::AND,
                    op::OR,
                    op::SHL,
                ]);
                self.code.op(&[operator]);
            }
            7 | 8 => self.call(depth),
            9 => self.follow(),
            10..13 => self.call_cell(depth),
            _ => match self.below(3) {
                0 => self.compare_pointers(),
                1 => {
                    // A trap that is no panic.
                    self.expression(depth - 1);
                    self.expression(depth - 1);
                    self.code.number(127).op(&[op::AND, op::DIV_S]);
                }
                _ => {
                    self.expression(depth - 1);
                    self.expression(depth - 1);
                    self.expression(depth - 1);
                    self.code.op(&[op::SELECT]);
                }
            },
        }
    }

    /// Reads data at an address that stands in the code.
    pub fn read(&mut self) {
        let Some((datum, at, count)) = self.some_bytes() else {
            self.code.number(5);
            return;
        };
        match self.below(4) {
            0 if count >= 4 => {
                let back = self.below(at + 1).min(8);
                let address = self.address(datum, at - back, count + back);
                self.code.address(address).memory(op::LOAD, back);
            }
            1 => {
                // An index that is masked to what is there.
                let mask = (count + 1).next_power_of_two() / 2 - 1;
                let address = self.address(datum, at, count);
                self.code
                    .get(0)
                    .number(mask as i32)
                    .op(&[op::AND])
                    .memory_at(op::LOAD8, address);
            }
            2 => {
                let address = self.address(datum, at, count);
                self.code.address(address).number(count as i32).call("sum");
            }
            _ => {
                let tail = self.draft.data.all[datum].tail;
                let at = if tail > 0 && self.chance(50) {
                    self.draft.data.all[datum].size + self.below(tail)
                } else {
                    at
                };
                let address = self.address(datum, at, 1);
                self.code.address(address).memory(op::LOAD8, 0);
            }
        }
    }

    /// A call of a function with a higher number, by name or by a slot that stands in the code.
    pub fn call(&mut self, depth: usize) {
        self.expression(depth - 1);
        self.expression(depth - 1);
        let callable = self.draft.ordinary - self.first.min(self.draft.ordinary);
        let name = match callable {
            0 => format!("format_{}", self.below(self.draft.formats)),
            count => format!("function_{}", self.first + self.below(count)),
        };
        if self.first >= self.draft.ordinary {
            // Formats and cold functions call nothing that could call them.
            self.code.op(&[op::ADD]);
        } else if self.chance(45) {
            self.code.slot(&name).call_slot(BINARY);
        } else {
            self.code.call(&name);
        }
    }

    /// Reads along a pointer in data.
    pub fn follow(&mut self) {
        let Some((datum, at, cell)) = self.some_cell(|cell| !matches!(cell, Cell::Function(_)))
        else {
            self.code.number(6);
            return;
        };
        let address = self.address(datum, at, 4 * cell.words());
        match cell {
            Cell::Pointer { room: 0, .. } => self.code.address(address).memory(op::LOAD, 0),
            Cell::Pointer { room, .. } => {
                let inner = self.below(room);
                self.code
                    .number(0)
                    .memory_at(op::LOAD, address)
                    .memory(op::LOAD8, inner)
            }
            Cell::Bounds { .. } => self
                .code
                .address(address.clone())
                .memory(op::LOAD, 0)
                .address(address.clone())
                .memory(op::LOAD, 4)
                .address(address)
                .memory(op::LOAD, 0)
                .op(&[op::SUB])
                .call("sum"),
            Cell::Slice { .. } => self
                .code
                .address(address.clone())
                .memory(op::LOAD, 0)
                .address(address)
                .memory(op::LOAD, 4)
                .call("sum"),
            Cell::Variable(_) => {
                // if POINTER = *variable { *POINTER } else { 9 }
                self.code.address(address).memory(op::LOAD, 0).set(POINTER);
                self.code
                    .get(POINTER)
                    .op(&[op::IF, op::I32])
                    .get(POINTER)
                    .memory(op::LOAD, 0);
                self.code.op(&[op::ELSE]).number(9).op(&[op::END])
            }
            Cell::Function(_) => unreachable!("none was asked for"),
        };
    }

    /// A call through a pointer in data.
    pub fn call_cell(&mut self, depth: usize) {
        let (first, first_cold) = (self.first, self.first_cold);
        let callable = move |cell: &Cell| match cell {
            Cell::Function(name) => match name.rsplit_once('_') {
                Some(("function", number)) => number.parse::<usize>().unwrap() >= first,
                Some(("format", _)) => first_cold == 0,
                _ => false,
            },
            _ => false,
        };
        match self.some_cell(callable) {
            Some((datum, at, _)) if self.first < self.draft.ordinary => {
                self.expression(depth - 1);
                self.expression(depth - 1);
                let address = self.address(datum, at, 4);
                self.code
                    .address(address)
                    .memory(op::LOAD, 0)
                    .call_slot(BINARY);
            }
            _ => self.read(),
        }
    }

    /// Whether the function in a cell is this one.
    pub fn compare_pointers(&mut self) {
        match self.some_cell(|cell| matches!(cell, Cell::Function(_))) {
            Some((datum, at, Cell::Function(name))) => {
                let address = self.address(datum, at, 4);
                let other = match self.chance(50) {
                    true => name,
                    false => format!("function_{}", self.below(self.draft.ordinary)),
                };
                self.code
                    .address(address)
                    .memory(op::LOAD, 0)
                    .slot(&other)
                    .op(&[op::EQ]);
            }
            _ => self.read(),
        }
    }

    /// Writes to data.
    pub fn store(&mut self) {
        let written = self
            .draft
            .data
            .seen_from(self.file, |datum| datum.writable && !datum.raw.is_empty());
        if written.is_empty() {
            return;
        }
        let datum = *self.draft.random.pick(&written);
        let raw = self.draft.data.all[datum].raw.clone();
        let at = raw.start + self.below(raw.len());
        let address = self.address(datum, at, 1);
        if self.first < self.draft.ordinary && self.chance(50) {
            self.code.address(address);
            self.expression(1);
            self.code.memory(op::STORE8, 0);
        } else {
            self.code
                .number(0)
                .number(77)
                .memory_at(op::STORE8, address);
        }
    }

    /// Stores the address of data in a variable.
    pub fn store_pointer(&mut self) {
        if let Some((datum, at, Cell::Variable(candidates))) =
            self.some_cell(|cell| matches!(cell, Cell::Variable(list) if !list.is_empty()))
        {
            let seen: Vec<_> = candidates
                .into_iter()
                .filter(|to| {
                    let to = &self.draft.data.all[*to];
                    !to.local || to.file == self.file
                })
                .collect();
            if !seen.is_empty() {
                let to = *self.draft.random.pick(&seen);
                let (variable, value) = (self.address(datum, at, 4), self.address(to, 0, 4));
                self.code
                    .address(variable)
                    .address(value)
                    .memory(op::STORE, 0);
            }
        }
    }

    pub fn address(
        &mut self,
        datum: usize,
        at: usize,
        count: usize,
    ) -> crate::generated::object::Target {
        self.draft
            .data
            .address(datum, at, count, &mut self.draft.random)
    }

    /// Some bytes that may be read: datum, first, count (at least one).
    pub fn some_bytes(&mut self) -> Option<(usize, usize, usize)> {
        let seen = self.draft.data.seen_from(self.file, |datum| datum.size > 0);
        if seen.is_empty() {
            return None;
        }
        let datum = *self.draft.random.pick(&seen);
        let size = self.draft.data.all[datum].size;
        let at = self.below(size);
        Some((datum, at, self.below(size - at) + 1))
    }

    pub fn some_cell(&mut self, wanted: impl Fn(&Cell) -> bool) -> Option<(usize, usize, Cell)> {
        let mut cells = Vec::new();
        for datum in self.draft.data.seen_from(self.file, |_| true) {
            for (at, cell) in &self.draft.data.all[datum].cells {
                if wanted(cell) {
                    cells.push((datum, *at, cell.clone()));
                }
            }
        }
        (!cells.is_empty()).then(|| self.draft.random.pick(&cells).clone())
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.draft.random.below(end)
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.draft.random.chance(percent)
    }
}
