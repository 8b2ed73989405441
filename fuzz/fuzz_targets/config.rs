//! Any bytes as a configuration: nothing panics, nothing hangs, memory stays in proportion to the
//! text, and every place that a message points at is in the text.
#![no_main]

#[path = "world/mod.rs"]
mod world;

use libfuzzer_sys::fuzz_target;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How much memory the text may take: so many times its size, with what was made of it.
const TIMES: usize = 100;
/// Memory that is there whatever the text: tables that are made once, the messages that are kept.
const BASE: usize = 8 << 20;

fuzz_target!(|data: &[u8]| {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let (_, _, loaded) = world::read(data);
    let took = MEMORY.peak_usage().saturating_sub(before);
    let size = usize::try_from(loaded.size).expect("as much as was read");
    assert!(took <= TIMES * size + BASE, "{took} bytes for {size}");
    assert!(matches!(loaded.exit_status(), 0 | 2 | 4 | 5 | 6));
    for diagnostic in &loaded.diagnostics {
        let places = diagnostic.place.iter().chain(diagnostic.via.iter().map(|v| &v.place));
        for place in places {
            assert!(place.line <= loaded.files.line_count(place.file).max(1));
            let line = loaded.files.line(place.file, place.line);
            assert!((place.column as usize) <= line.len());
        }
    }
});
