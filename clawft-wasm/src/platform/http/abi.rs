//! What `platform::http` calls of a host, as the canonical ABI has it.
#![allow(missing_docs, reason = "`wit/deps` says what they are")]

use core::mem::MaybeUninit;

use core_alloc::vec::Vec;

/// Where a function leaves what it returns. What it does not write is nothing, not even zeros.
#[repr(C, align(8))]
pub struct Returned(MaybeUninit<[u32; 16]>);

macro_rules! imports {
    ($module:literal: $($text:literal $name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?;)+) => {
        #[link(wasm_import_module = $module)]
        unsafe extern "C" {
            $(#[link_name = $text] pub safe fn $name($($argument: $kind),*) $(-> $result)?;)+
        }
    };
}

// Handles are numbers of the component's own table: a wrong one traps, and nothing else. The
// functions with pointers are unsafe, below.
imports! { "wasi:http/types@0.2.0":
    "[constructor]outgoing-request" new_request(headers: u32) -> u32;
    "[constructor]request-options" new_options() -> u32;
    "[method]request-options.set-connect-timeout" set_connect(options: u32, some: u32, ns: u64) -> u32;
    "[method]request-options.set-first-byte-timeout" set_first_byte(options: u32, some: u32, ns: u64) -> u32;
    "[method]request-options.set-between-bytes-timeout" set_between(options: u32, some: u32, ns: u64) -> u32;
    "[method]incoming-response.status" status(response: u32) -> u32;
    "[method]incoming-response.headers" headers(response: u32) -> u32;
    "[method]future-incoming-response.subscribe" subscribe(future: u32) -> u32;
    "[resource-drop]fields" drop_fields(handle: u32);
    "[resource-drop]incoming-response" drop_response(handle: u32);
    "[resource-drop]incoming-body" drop_incoming(handle: u32);
    "[resource-drop]future-incoming-response" drop_future(handle: u32);
}
imports! { "wasi:io/streams@0.2.0":
    "[resource-drop]input-stream" drop_input(handle: u32);
    "[resource-drop]output-stream" drop_output(handle: u32);
}
imports! { "wasi:io/poll@0.2.0":
    "[method]pollable.block" block(pollable: u32);
    "[resource-drop]pollable" drop_pollable(handle: u32);
}
imports! { "wasi:clocks/monotonic-clock@0.2.0":
    "subscribe-duration" subscribe_duration(ns: u64) -> u32;
}

#[link(wasm_import_module = "wasi:http/types@0.2.0")]
unsafe extern "C" {
    #[link_name = "[static]fields.from-list"]
    pub fn from_list(entries: *const Entry, count: usize, to: *mut Returned);
    #[link_name = "[method]fields.get"]
    pub fn get_field(fields: u32, name: *const u8, length: usize, to: *mut Returned);
    #[link_name = "[method]outgoing-request.set-method"]
    pub fn set_method(request: u32, case: u32, name: *const u8, length: usize) -> u32;
    #[link_name = "[method]outgoing-request.set-scheme"]
    pub fn set_scheme(request: u32, some: u32, case: u32, name: *const u8, length: usize) -> u32;
    #[link_name = "[method]outgoing-request.set-authority"]
    pub fn set_authority(request: u32, some: u32, text: *const u8, length: usize) -> u32;
    #[link_name = "[method]outgoing-request.set-path-with-query"]
    pub fn set_path(request: u32, some: u32, text: *const u8, length: usize) -> u32;
    #[link_name = "[method]outgoing-request.body"]
    pub fn body(request: u32, to: *mut Returned);
    #[link_name = "[method]outgoing-body.write"]
    pub fn write(body: u32, to: *mut Returned);
    #[link_name = "[static]outgoing-body.finish"]
    pub fn finish(body: u32, some: u32, trailers: u32, to: *mut Returned);
    #[link_name = "[method]future-incoming-response.get"]
    pub fn get_response(future: u32, to: *mut Returned);
    #[link_name = "[method]incoming-response.consume"]
    pub fn consume(response: u32, to: *mut Returned);
    #[link_name = "[method]incoming-body.stream"]
    pub fn stream(body: u32, to: *mut Returned);
}
#[link(wasm_import_module = "wasi:http/outgoing-handler@0.2.0")]
unsafe extern "C" {
    #[link_name = "handle"]
    pub fn handle(request: u32, some: u32, options: u32, to: *mut Returned);
}
#[link(wasm_import_module = "wasi:io/streams@0.2.0")]
unsafe extern "C" {
    #[link_name = "[method]output-stream.blocking-write-and-flush"]
    pub fn write_and_flush(stream: u32, bytes: *const u8, length: usize, to: *mut Returned);
    #[link_name = "[method]input-stream.blocking-read"]
    pub fn blocking_read(stream: u32, length: u64, to: *mut Returned);
}
#[link(wasm_import_module = "wasi:filesystem/preopens@0.2.0")]
unsafe extern "C" {
    #[link_name = "get-directories"]
    pub fn get_directories(to: *mut Returned);
}
#[link(wasm_import_module = "wasi:cli/environment@0.2.0")]
unsafe extern "C" {
    #[link_name = "get-environment"]
    pub fn get_environment(to: *mut Returned);
}

/// A header as `from-list` takes it.
#[repr(C)]
pub struct Entry {
    pub name: *const u8,
    pub name_length: usize,
    pub value: *const u8,
    pub value_length: usize,
}

impl Returned {
    /// What `call` leaves.
    pub fn by(call: impl FnOnce(*mut Returned)) -> Self {
        let mut returned = Returned(MaybeUninit::uninit());
        call(&raw mut returned);
        returned
    }

    /// The word at this offset, in words.
    pub fn at(&self, at: usize) -> u32 {
        assert!(at < 16);
        // SAFETY: it is one of the words; who asks for one knows from the case that the host has
        // written it.
        unsafe { self.0.as_ptr().cast::<u32>().add(at).read() }
    }

    /// The case of a variant, which is one byte.
    pub fn case(&self, at: usize) -> u32 {
        assert!(at < 16);
        // SAFETY: as above, of the byte.
        u32::from(unsafe { self.0.as_ptr().cast::<u32>().add(at).cast::<u8>().read() })
    }

    /// The handle of a `result<handle, _>` whose parts begin at multiples of `words`.
    pub fn handle(&self, words: usize) -> Option<u32> {
        (self.case(0) == 0).then(|| self.at(words))
    }

    /// The handle of a `result<handle>` that is never an error here; 0, which traps, if it is one.
    pub fn only(&self) -> u32 {
        self.handle(1).unwrap_or_default()
    }

    /// The list of `T` whose pointer and length stand here.
    ///
    /// # Safety
    ///
    /// The function that left it returns such a list there, and it is taken once.
    pub unsafe fn list<T>(&self, at: usize) -> Vec<T> {
        // SAFETY: handed on.
        unsafe { list(self.at(at), self.at(at + 1)) }
    }
}

/// The list of `T` with this pointer and length.
///
/// # Safety
///
/// The host left it, and it is taken once.
pub unsafe fn list<T>(pointer: u32, length: u32) -> Vec<T> {
    let (pointer, length) = (pointer as usize, length as usize);
    if length == 0 {
        return Vec::new();
    }
    // SAFETY: by the contract it is a block from `cabi_realloc`, which is the global allocator's,
    // with room for exactly so many items.
    unsafe {
        Vec::from_raw_parts(
            core::ptr::with_exposed_provenance_mut(pointer),
            length,
            length,
        )
    }
}
