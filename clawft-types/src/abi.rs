//! The numbers of the C ABI (wasip1), for the module that exports it and for hosts in Rust.
//!
//! A call returns [`OK`] or a negative number: `-code`, with `code` from [`ErrorCode::number`].

use crate::error::ErrorCode;

/// The version of the C ABI. Version 2 has turns in steps besides; what version 1 has stays.
pub const VERSION: u32 = 2;

/// What a call of a turn in steps returns when it waits for the host.
pub const WAITING: i32 = 1;

/// What a call returns when all went well.
pub const OK: i32 = 0;

/// What a call returns for an error of this code.
pub fn status(code: ErrorCode) -> i32 {
    -i32::from(code.number())
}

/// The code behind what a call returned; `None` for [`OK`] and for numbers that are none.
pub fn code(status: i32) -> Option<ErrorCode> {
    let number = status.checked_neg()?.checked_sub(1)?;
    ErrorCode::ALL.get(usize::try_from(number).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for known in ErrorCode::ALL {
            assert_eq!(code(status(*known)), Some(*known));
        }
        for unknown in [OK, 1, -100, i32::MIN, i32::MAX] {
            assert_eq!(code(unknown), None);
        }
    }
}
