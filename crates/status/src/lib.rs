//! What answers a question about the state: the dump files that tools and people already read.
//!
//! The daemon fills a [`VrrpView`] from the cores at the moment somebody asks; [`data`] renders it as
//! `keepalived.data`, [`stats`] as `keepalived.stats`, [`json`] as `keepalived.json`. A
//! [`checker_view::CheckerView`] becomes `keepalived_check.data` in [`checker`]. Nothing here
//! reads a clock, a socket or a file, so each format is tested as text. Secrets never enter a view
//! (V2A-4): an authentication is shown by its kind only.
#![forbid(unsafe_code)]

pub mod checker;
pub mod checker_view;
pub mod data;
pub mod json;
pub mod stats;
mod view;

pub use view::{
    AddressView, Authentication, Counters, InstanceView, InterfaceView, NotifyView, Role,
    ScriptProgress, ScriptView, SocketView, TrackedNames, TrackedView, UnicastView, VrrpView,
    WallTime,
};
