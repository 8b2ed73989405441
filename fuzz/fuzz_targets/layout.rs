//! Any bytes through the formatter: what can be laid out is laid out for good, and means the same.
#![no_main]

#[path = "world/mod.rs"]
mod world;

use libfuzzer_sys::fuzz_target;
use rk_config::fmt::format;
use rk_config::{Loaded, load};
use world::{Bare, OneFile};

/// The code of a definition that is not put in because the line would be too long.
const FULL: &str = "RK0205";

fuzz_target!(|data: &[u8]| {
    let text = data.get(1..).unwrap_or_default();
    let Ok(first) = format(text) else {
        return;
    };
    let second = format(&first.text).expect("what is laid out stays in order");
    assert!(second.text == first.text);
    let (_, options, loaded) = world::read(data);
    // It means the same, but for a line that is so long that indentation decides whether a
    // definition still fits.
    let again = load("main.conf", &options, &OneFile(&first.text), &Bare);
    // Where braces do not pair the messages are in the order of their lines, and braces move.
    let told = |l: &Loaded| -> Vec<_> {
        let mut told: Vec<_> = l
            .diagnostics
            .iter()
            .map(|d| (d.code.to_string(), format!("{:?}", d.class)))
            .collect();
        told.sort();
        told
    };
    let (before, after) = (told(&loaded), told(&again));
    let full = |codes: &[(String, _)]| codes.iter().any(|(code, _)| code == FULL);
    assert!(before == after || full(&before) || full(&after), "{before:?} {after:?}");
});
