//! The checked-in bindings are those of the header of this machine. Needs libclang and
//! linux-libc-dev; says so and passes where libclang is missing.
//!
//! `BLESS=1 cargo test -p rk-ipvs-sys` writes the file anew.

use std::fs;
use std::io::Write;

include!("../generate.rs");

const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bindings.rs");

#[test]
fn the_checked_in_bindings_are_current() {
    let Some(made) = generate() else {
        let _ = writeln!(std::io::stderr(), "skipped: no libclang");
        return;
    };
    if std::env::var_os("BLESS").is_some() {
        fs::write(CHECKED_IN, &made).expect("src/ can be written");
    }
    let have = fs::read_to_string(CHECKED_IN).expect("src/bindings.rs");
    let different = have.lines().zip(made.lines()).find(|(a, b)| a != b);
    assert!(
        have == made,
        "src/bindings.rs is not what <linux/ip_vs.h> of this machine gives (first difference: \
         {different:?}); if that header is the newer one, `BLESS=1` takes it over"
    );
}
