//! What people and tools see of the diagnostics: rendered text with the line and a caret, one
//! plain line each, JSON, SARIF; and what `explain` says about a code or a keyword.
//!
//! [`Item`] is a diagnostic or a cluster finding with its places looked up, so that every format
//! reads the same thing; only [`text`] draws from the diagnostic itself. Nothing here reads a
//! file or the environment.
#![forbid(unsafe_code)]

pub mod explain;
mod format;
mod item;
mod json;
mod plain;
mod sarif;
pub mod text;

pub use format::{Format, UnknownFormat};
pub use item::{Item, Location, Remark};
pub use json::json;
pub use plain::plain;
pub use sarif::sarif;
