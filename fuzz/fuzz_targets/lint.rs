//! Any bytes through the lints, alone and as the file of two nodes: nothing panics, nothing hangs,
//! every finding is in the text, and two nodes with one file differ in nothing but what must.
#![no_main]

#[path = "world/mod.rs"]
mod world;

use libfuzzer_sys::fuzz_target;
use rk_config::lint::cluster::{self, Node};
use rk_config::lint::{Addresses, Subject, check};
use world::Bare;

fuzz_target!(|data: &[u8]| {
    let (_, _, loaded) = world::read(data);
    let networks = ["192.0.2.2/24", "2001:db8::2/64"];
    let networks = networks.map(|n| n.parse().expect("a network"));
    let addresses = Addresses::from([("eth0".to_owned(), networks.to_vec())]);
    let found = check(&Subject {
        config: &loaded.config,
        files: &loaded.files,
        host: &Bare,
        addresses: data.first().is_some_and(|mode| mode & 4 != 0).then_some(&addresses),
    });
    for diagnostic in &found {
        let labels = diagnostic.labels.iter().map(|label| &label.place);
        for place in diagnostic.place.iter().chain(labels) {
            assert!(place.line <= loaded.files.line_count(place.file).max(1));
            let line = loaded.files.line(place.file, place.line);
            assert!((place.column as usize) <= line.len());
        }
    }
    let node = |name| Node {
        name,
        config: &loaded.config,
    };
    let _ = cluster::check(&[node("one"), node("two")]);
});
