//! How functions of an object program panic: the shapes that compilers give it, and the functions
//! and data that only a panic needs.

use crate::generated::object_code::Code;
use crate::generated::object_code::op;
use crate::generated::object_data::Cell;
use crate::generated::object_function::{FRAME, SUM, Writer};
use crate::generated::object_program::{BINARY, PANICS, SINK};

impl Writer<'_> {
    /// `cold_N`: panics, and perhaps does something before.
    pub fn cold(mut self, number: usize) -> Code {
        // It may be called by any function.
        self.first = self.draft.ordinary;
        self.first_cold = number + 1;
        if self.chance(20) {
            // Not inevitably.
            self.code
                .get(0)
                .number(1)
                .op(&[op::AND, op::IF, op::NOTHING, op::RETURN, op::END]);
        }
        self.panic();
        self.code
    }

    /// `format_N`: what a panic needs to show a value; it may be called by others too.
    pub fn format(mut self, number: usize) -> Code {
        self.first = self.draft.ordinary;
        self.code.number(number as i32).set(SUM);
        for _ in 0..self.below(3) + 1 {
            self.read();
            self.code.get(SUM).op(&[op::XOR]).set(SUM);
        }
        self.code.get(SUM);
        self.code
    }

    /// A panic function: it tells the host, formats, tells where, and traps. Parameters: pieces,
    /// format function, value; and place.
    pub fn panic_entry(mut self) -> Code {
        let code = &mut self.code;
        code.number(0).number(0).call("panic_message");
        code.get(0)
            .memory(op::LOAD, 0)
            .get(0)
            .memory(op::LOAD, 4)
            .call("panic_message");
        code.get(0)
            .memory(op::LOAD, 12)
            .number(1)
            .get(0)
            .memory(op::LOAD, 8)
            .call_slot(BINARY);
        code.get(1)
            .memory(op::LOAD, 0)
            .get(1)
            .memory(op::LOAD, 4)
            .call("sum")
            .op(&[op::ADD]);
        code.number(0).call("panic_message").op(&[op::UNREACHABLE]);
        self.code
    }

    /// `if condition { panic }`.
    pub fn check(&mut self) {
        self.condition();
        self.code.op(&[op::IF, op::NOTHING]);
        self.panic();
        self.code.op(&[op::END]);
    }

    /// `block { block { condition; br_if 0; work; br 1 } panic }`.
    pub fn tail_panic(&mut self) {
        self.code
            .op(&[op::BLOCK, op::NOTHING, op::BLOCK, op::NOTHING]);
        self.condition();
        self.code.op(&[op::BR_IF, 0]);
        self.expression(1);
        self.code.set(SUM).op(&[op::BR, 1, op::END]);
        self.panic();
        self.code.op(&[op::END]);
    }

    /// Rarely true.
    pub fn condition(&mut self) {
        self.expression(2);
        let bound = self.below(60) as i32 + 4;
        match self.below(3) {
            0 => self.code.number(bound).op(&[op::REM_U, op::EQZ]),
            1 => self.code.number(bound).op(&[op::EQ]),
            _ => self
                .code
                .number(63)
                .op(&[op::AND])
                .number(3)
                .op(&[op::LT_U]),
        };
    }

    /// Ends in a panic, after which nothing comes.
    pub fn panic(&mut self) {
        while self.chance(35) {
            match self.below(4) {
                0 => self.store(),
                1 => {
                    self.read();
                    self.code.call("log");
                }
                2 if self.first < self.draft.ordinary => {
                    self.call(1);
                    self.code.op(&[op::DROP]);
                }
                _ => self.frame(),
            }
        }
        let colder = self.draft.cold - self.first_cold.min(self.draft.cold);
        if colder > 0 && self.chance(35) {
            let name = format!("cold_{}", self.first_cold + self.below(colder));
            self.read();
            self.read();
            if self.chance(25) {
                self.code.slot(&name).call_slot(SINK);
            } else {
                self.code.call(&name);
            }
            // Some of them return after all.
            self.code.op(&[op::UNREACHABLE]);
            return;
        }
        let entry = *self.draft.random.pick(&PANICS);
        let place = self.place();
        let place = self.address(place, 0, 12);
        if self.chance(40) {
            self.arguments_in_frame();
        } else {
            let arguments = self.arguments();
            let address = self.address(arguments, 0, 16);
            self.code.address(address);
        }
        self.code.address(place).call(entry).op(&[op::UNREACHABLE]);
    }

    /// What is to be said, as data.
    pub fn arguments(&mut self) -> usize {
        let cells = self.argument_cells();
        self.exact(cells)
    }

    pub fn argument_cells(&mut self) -> Vec<Cell> {
        let slice = self.text();
        let format = format!("format_{}", self.below(self.draft.formats));
        let seen = self.draft.data.seen_from(self.file, |datum| datum.size > 0);
        let to = *self.draft.random.pick(&seen);
        let room = self.draft.data.all[to].size;
        vec![
            slice,
            Cell::Function(format),
            Cell::Pointer { to, at: 0, room },
        ]
    }

    /// What is to be said, written to the stack just before the call, as compilers do.
    pub fn arguments_in_frame(&mut self) {
        let cells = self.argument_cells();
        self.code
            .get_stack()
            .number(32)
            .op(&[op::SUB])
            .set(FRAME)
            .get(FRAME)
            .set_stack();
        for (cell, offset) in cells.into_iter().zip([0, 8, 12]) {
            self.code.get(FRAME);
            match cell {
                Cell::Slice { to, range } => {
                    let address = self.address(to, range.start, range.len());
                    self.code.address(address).memory(op::STORE, offset);
                    self.code
                        .get(FRAME)
                        .number(range.len() as i32)
                        .memory(op::STORE, offset + 4);
                }
                Cell::Function(name) => {
                    self.code.slot(&name).memory(op::STORE, offset);
                }
                Cell::Pointer { to, .. } => {
                    let address = self.address(to, 0, 1);
                    self.code.address(address).memory(op::STORE, offset);
                }
                _ => unreachable!("arguments are of these kinds"),
            }
        }
        self.code.get(FRAME);
    }

    /// Where it happens: a file's name and a line.
    pub fn place(&mut self) -> usize {
        let file = self.text();
        self.exact(vec![file])
    }

    pub fn text(&mut self) -> Cell {
        let texts = self
            .draft
            .data
            .seen_from(self.file, |datum| datum.cells.is_empty() && datum.size > 0);
        let to = *self.draft.random.pick(&texts);
        Cell::Slice {
            to,
            range: 0..self.draft.data.all[to].size,
        }
    }

    /// Data that begins with `cells`.
    pub fn exact(&mut self, cells: Vec<Cell>) -> usize {
        loop {
            let datum =
                self.draft
                    .data
                    .add(self.file, false, cells.clone(), &mut self.draft.random);
            let added = &self.draft.data.all[datum];
            if added.cells[0].0 == 0 && added.size >= 12 {
                return datum;
            }
        }
    }
}
