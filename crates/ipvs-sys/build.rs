//! With the feature `regenerate`, and where libclang is found: makes the bindings from the header
//! of this machine. Otherwise the checked-in ones are used.

#[cfg(feature = "regenerate")]
include!("generate.rs");

fn main() {
    println!("cargo::rustc-check-cfg=cfg(regenerated)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=generate.rs");
    #[cfg(feature = "regenerate")]
    match generate() {
        Some(bindings) => {
            let directory = std::env::var_os("OUT_DIR").expect("cargo sets it");
            let file = std::path::Path::new(&directory).join("bindings.rs");
            std::fs::write(file, bindings).expect("OUT_DIR can be written");
            println!("cargo::rustc-cfg=regenerated");
        }
        None => println!("cargo::warning=no libclang: using the checked-in bindings"),
    }
}
