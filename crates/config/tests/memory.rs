//! Memory while reading stays in proportion to the text, whatever the text is.
//!
//! One test, so that nothing else takes memory meanwhile.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use peak_alloc::PeakAlloc;
use rk_config::{Options, load};
use support::{Disk, Machine};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How much memory a text may take: so many times its size, with what was made of it.
const TIMES: u64 = 100;
/// Memory that is there whatever the text: tables that are made once, the messages that are kept.
const BASE: u64 = 8 << 20;
/// How many things there are of each kind.
const MANY: u32 = 20_000;

/// What the text takes beyond what it may, if it does.
fn beyond(name: &str, text: String) -> Option<String> {
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    let disk = Disk::default().with("main.conf", text);
    let machine = Machine::default();
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let loaded = load("main.conf", &options, &disk, &machine);
    let took = MEMORY.peak_usage().saturating_sub(before) as u64;
    let size = loaded.size;
    (took > TIMES * size + BASE).then(|| format!("{name}: {took} bytes for {size}"))
}

/// A heading, so many lines, and the closing braces.
fn block(heading: &str, line: impl Fn(u32) -> String) -> String {
    let lines: String = (0..MANY).map(|n| line(n) + "\n").collect();
    let open = heading.matches('{').count();
    format!("{heading}\n{lines}{}", "}\n".repeat(open))
}

#[test]
fn memory_is_at_most_a_hundred_times_the_text() {
    let lists: &[(&str, &str, &str)] = &[
        ("addresses", "static_ipaddress {", "192.0.2.1 dev eth0"),
        (
            "virtual addresses",
            "vrrp_instance V {\nvirtual_ipaddress {",
            "192.0.2.1/24",
        ),
        ("routes", "static_routes {", "192.0.2.0/24 via 192.0.2.1"),
        ("rules", "static_rules {", "from 192.0.2.1 table 5"),
        ("peers", "vrrp_instance V {\nunicast_peer {", "192.0.2.1"),
        (
            "recipients",
            "global_defs {\nnotification_email {",
            "admin@example.org",
        ),
        (
            "lines of a group",
            "virtual_server_group G {",
            "192.0.2.1 80",
        ),
        (
            "TCP_CHECK",
            "virtual_server fwmark 1 {\nreal_server 192.0.2.1 {",
            "TCP_CHECK {\n}",
        ),
        (
            "DNS_CHECK",
            "virtual_server fwmark 1 {\nreal_server 192.0.2.1 {",
            "DNS_CHECK {\n}",
        ),
        (
            "url",
            "virtual_server fwmark 1 {\nreal_server 192.0.2.1 {\nHTTP_GET {",
            "url {\npath /\n}",
        ),
        ("unknown words", "", "x y"),
        ("a brace too many", "", "} }"),
        ("openings", "", "a { b {"),
        ("quotes", "", "\"a\" \"b\""),
        ("blank lines", "", ""),
    ];
    let mut wrong: Vec<String> = lists
        .iter()
        .filter_map(|(name, heading, line)| beyond(name, block(heading, |_| (*line).to_owned())))
        .collect();
    let made: &[(&str, String)] = &[
        (
            "instances",
            block("", |n| {
                format!(
                    "vrrp_instance V{n} {{\ninterface eth0\nvirtual_router_id 1\n\
                     virtual_ipaddress {{\n192.0.2.1\n}}\n}}"
                )
            }),
        ),
        (
            "virtual servers",
            block("", |n| {
                format!(
                    "virtual_server fwmark {n} {{\nlb_algo rr\nlb_kind DR\n\
                     real_server 192.0.2.1 {{\n}}\n}}"
                )
            }),
        ),
        (
            "scripts",
            block("", |n| format!("vrrp_script s{n} {{\nscript /bin/true\n}}")),
        ),
        ("definitions", block("", |n| format!("$NAME{n}=value"))),
        (
            "a long definition",
            format!("$A=\\\n{}\n", "a b \\\n".repeat(MANY as usize)),
        ),
        (
            "a definition of definitions",
            "$A=$B$B\n$B=$C$C\n$C=$D$D\n$D=$E$E\n$E=xxxx\n$A $A $A\n".repeat(1000),
        ),
        (
            "a definition without end",
            "$A=$B\n$B=$A\n$A\n".repeat(MANY as usize / 10),
        ),
        (
            "a sequence of instances",
            "$V=\\\nvrrp_instance V$n { \\\ninterface eth0 \\\nvirtual_router_id 1 \\\n\
             virtual_ipaddress { \\\n192.0.2.1 \\\n} \\\n}\n~SEQ(n, 1, 20000) $V\n"
                .to_owned(),
        ),
        (
            "a sequence of unknown words",
            format!("~SEQ(n, 1, 20000) bogus $n {}\n", "b".repeat(900)),
        ),
        (
            "a sequence in a sequence",
            "~SEQ(a, 1, 1000) ~SEQ(b, 1, 1000) @nobody x\n".to_owned(),
        ),
        (
            "a sequence that is too long",
            "~SEQ(n, 1, 1000000000000) x\n".to_owned(),
        ),
        (
            "a megabyte in a line",
            format!("x {}\n", "y".repeat(1 << 20)),
        ),
        (
            "inclusions of itself",
            "include main.conf\n".repeat(MANY as usize),
        ),
    ];
    wrong.extend(
        made.iter()
            .filter_map(|(name, text)| beyond(name, text.clone())),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
