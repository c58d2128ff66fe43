// What every generated program begins with. The host is told of a panic before its message is made,
// so that what making it does is not counted.
#![no_std]
#![allow(warnings)]
extern crate alloc;

use alloc::{boxed::Box, collections::BTreeMap, format, rc::Rc, string::String, string::ToString, vec, vec::Vec};
use core::cell::{Cell, RefCell};
use core::fmt::{self, Debug, Display, Write};
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering::SeqCst};

mod host {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        pub fn log(number: i32);
        pub fn panic_message(text: *const u8, length: usize);
    }
}

fn log(number: i32) {
    unsafe { host::log(number) }
}

struct Buffer {
    bytes: [u8; 160],
    length: usize,
}

impl Buffer {
    const fn new() -> Self {
        Self { bytes: [0; 160], length: 0 }
    }
    fn hash(&self) -> i32 {
        hash(&self.bytes[..self.length])
    }
}

impl Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = byte;
                self.length += 1;
            }
        }
        Ok(())
    }
}

#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo<'_>) -> ! {
    unsafe { host::panic_message(core::ptr::null(), 0) };
    let mut buffer = Buffer::new();
    let _ = write!(buffer, "{info}");
    unsafe { host::panic_message(buffer.bytes.as_ptr(), buffer.length) };
    core::arch::wasm32::unreachable()
}

struct Bump;
const HEAP: usize = 64 * 1024;
#[repr(align(16))]
struct Heap(core::cell::UnsafeCell<[u8; HEAP]>);
unsafe impl Sync for Heap {}
static MEMORY: Heap = Heap(core::cell::UnsafeCell::new([0; HEAP]));
static NEXT: AtomicUsize = AtomicUsize::new(0);

unsafe impl core::alloc::GlobalAlloc for Bump {
    #[inline(never)]
    unsafe fn alloc(&self, layout: core::alloc::Layout) -> *mut u8 {
        let at = (NEXT.load(SeqCst) + layout.align() - 1) & !(layout.align() - 1);
        if layout.size() > HEAP - at.min(HEAP) {
            return core::ptr::null_mut();
        }
        NEXT.store(at + layout.size(), SeqCst);
        core::hint::black_box(unsafe { MEMORY.0.get().cast::<u8>().add(at) })
    }
    unsafe fn dealloc(&self, _: *mut u8, _: core::alloc::Layout) {}
}

#[global_allocator]
static ALLOCATOR: Bump = Bump;

struct Single<T>(T);
unsafe impl<T> Sync for Single<T> {}

#[inline(never)]
fn hash(bytes: &[u8]) -> i32 {
    bytes.iter().fold(7i32, |sum, byte| sum.wrapping_mul(31).wrapping_add(i32::from(*byte)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Small(i32),
    Large { by: u32, of: &'static str },
    Odd,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        log(-77);
        match self {
            Fault::Small(by) => write!(f, "too small by {by}"),
            Fault::Large { by, of } => write!(f, "{of} too large by {by:#06x}"),
            Fault::Odd => f.pad("odd"),
        }
    }
}

fn checked(number: i32) -> Result<i32, Fault> {
    match number {
        ..-40 => Err(Fault::Small(number)),
        13 => Err(Fault::Odd),
        1_000.. => Err(Fault::Large { by: number as u32, of: "number" }),
        _ => Ok(number.wrapping_add(1)),
    }
}

struct Noisy(i32);
impl Drop for Noisy {
    fn drop(&mut self) {
        log(self.0);
    }
}
