//! The constants and structures of `<linux/ip_vs.h>`, made by bindgen, and nothing else.
//!
//! `bindings.rs` is checked in, so that a build needs neither libclang nor the header. With the
//! feature `regenerate` the build reads the header of its machine instead.
#![forbid(unsafe_code)]
#![allow(
    non_camel_case_types,
    missing_docs,
    reason = "names and layout are the kernel's, documented there"
)]

#[cfg(not(regenerated))]
#[rustfmt::skip]
mod bindings;

#[cfg(regenerated)]
mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use bindings::*;
