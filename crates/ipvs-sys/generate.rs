// What of <linux/ip_vs.h> becomes Rust, for `build.rs` and for the test that compares. Included by
// both.

/// The header, as a program in C would include it.
const HEADER: &str = "#include <linux/ip_vs.h>\n";

/// Begins every generated file.
const HEAD: &str = "// Generated from <linux/ip_vs.h>. `BLESS=1 cargo test -p rk-ipvs-sys` writes \
                    it anew.\n";

/// The constants and the structures of the header as Rust source. Nothing without libclang.
fn generate() -> Option<String> {
    let made = std::panic::catch_unwind(|| {
        // No `(?i)` in these: bindgen's regular expressions are built without case folding, and an
        // expression that does not compile silently allows nothing.
        bindgen::Builder::default()
            .header_contents("ip_vs.h", HEADER)
            .allowlist_var("IPVS_.*|IP_VS_.*")
            .allowlist_type("ip_vs_.*")
            // The two replies of the old socket options that end in a flexible array need unsafe
            // code to read. Generic netlink has no use for them.
            .blocklist_type("ip_vs_get_(dests|services)")
            .default_enum_style(bindgen::EnumVariation::Consts)
            .prepend_enum_name(false)
            .use_core()
            .disable_header_comment()
            .formatter(bindgen::Formatter::Prettyplease)
            .generate()
    });
    match made {
        Ok(Ok(bindings)) => Some(format!("{HEAD}{bindings}")),
        Ok(Err(error)) => panic!("<linux/ip_vs.h> (package linux-libc-dev): {error}"),
        // bindgen panics when it finds no libclang.
        Err(_) => None,
    }
}
