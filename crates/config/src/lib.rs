//! The configuration language: text in, a typed [`Config`] and diagnostics out.
//!
//! The text goes through these layers, each of which keeps for every word where it came from:
//! physical lines, comments and conditions, definitions and sequences and includes, words and
//! braces, keywords of the one table, typed values. Nothing here reads a file, a clock or the
//! machine: [`Source`] and [`Host`] are handed in.
#![forbid(unsafe_code)]

mod advice;
mod build;
mod cascade;
mod code;
mod diagnostic;
pub mod fmt;
mod interfaces;
pub mod lint;
mod load;
pub mod manual;
pub mod model;
mod pass;
mod place;
mod report;
mod source;
pub mod table;
mod text;
mod tree;
mod unknown;

pub use code::Code;
pub use diagnostic::{Class, Diagnostic, How, Label, Replacement, Severity, Unsupported, Via};
pub use load::{Loaded, Options, Outcome, load};
pub use model::Config;
pub use place::{FileId, Place, SourceMap};
pub use source::{
    FileKind, Host, NameTable, NetworkFile, PatternError, ReadError, Source, Stat, TlsFile,
    TlsFileError, User,
};
