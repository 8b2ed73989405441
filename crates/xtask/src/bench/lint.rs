//! `-t` of large configurations, beside keepalived: how long it takes, and how much memory.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use rk_lab::{Lab, Node, Which};

use super::{BOTH, Table, median};
use crate::{Verdict, need, tool};

/// Interfaces with VLANs each, and instances on each of those: 65,024.
const LANS: u32 = 8;
const VLANS: u32 = 32;
const IDS: u32 = 254;
/// Virtual servers with real servers each, in about 10 MB.
const SERVERS: u32 = 16_000;
const REALS: u32 = 4;
/// How often the quick ones run; the middle counts.
const ROUNDS: usize = 5;
/// Seconds after which keepalived is stopped: it needs many minutes for the sequence.
const PATIENCE: u32 = 60;

/// What one check cost.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    /// Peak of the resident memory.
    megabytes: f64,
    /// Stopped before its end: it needs more than that.
    stopped: bool,
}

pub(crate) fn run() -> Result<Verdict> {
    need::packages(&[need::LAB, need::TIME])?;
    need::enter_lab()?;
    let program = tool::rkeepalived("release")?;
    let lab = Lab::new("bench")?.offer(&program);
    let node = lab.node("one");
    node.sh(&links());
    node.write("/run/offset", "0\n");
    node.write("/run/sequence.conf", sequence());
    let servers = servers();
    let size = servers.len() as f64 / 1e6;
    node.write("/run/servers.conf", servers);

    let [ours, theirs] = BOTH.map(Which::program);
    let mut table = Table::default();

    table.head(&format!("{} instances by ~SEQ", LANS * VLANS * IDS));
    let [own, other] = [
        check(&node, ours, "sequence", ROUNDS)?,
        check(&node, theirs, "sequence", 1)?,
    ];
    let more = if other.stopped {
        " (stopped there)"
    } else {
        ""
    };
    let limit = Some(f64::min(0.7, other.seconds / 50.0));
    table.line(
        &format!("seconds{more}"),
        own.seconds,
        Some(other.seconds),
        limit,
        "s",
    );
    table.line(
        "memory",
        own.megabytes,
        Some(other.megabytes),
        Some(250.0),
        "MB",
    );

    table.head(&format!("{SERVERS} virtual servers, {size:.0} MB"));
    let [own, other] = [
        check(&node, ours, "servers", ROUNDS)?,
        check(&node, theirs, "servers", ROUNDS)?,
    ];
    let limit = Some(other.seconds / 4.0);
    table.line("seconds", own.seconds, Some(other.seconds), limit, "s");
    table.line(
        "memory",
        own.megabytes,
        Some(other.megabytes),
        Some(150.0),
        "MB",
    );
    Ok(table.end())
}

/// The interfaces of the sequence.
fn links() -> String {
    let mut batch = String::new();
    for lan in 0..LANS {
        for vlan in 0..VLANS {
            let _ = writeln!(batch, "link add lan{lan}.{vlan} type bridge");
        }
    }
    format!("ip -batch - <<'END'\n{batch}END")
}

/// One definition of many lines, and three sequences that repeat it.
fn sequence() -> String {
    format!(
        r#"$ROUTER= \
track_file offset.${{LAN}}.${{VLAN}}.${{ID}} {{ \
    file "/run/offset" \
    weight -100 \
}} \
vrrp_instance router.${{LAN}}.${{VLAN}}.${{ID}} {{ \
    interface lan${{LAN}}.${{VLAN}} \
    use_vmac vrrp.${{LAN}}.${{VLAN}}.${{ID}} \
    virtual_router_id ${{ID}} \
    priority 130 \
    virtual_ipaddress {{ \
        10.${{LAN}}.${{VLAN}}.${{ID}}/24 \
    }} \
    track_file {{ \
        offset.${{LAN}}.${{VLAN}}.${{ID}} \
    }} \
}}
~SEQ(LAN, 0, {}) ~SEQ(VLAN, 0, {}) ~SEQ(ID, 1, {IDS}) $ROUTER
"#,
        LANS - 1,
        VLANS - 1
    )
}

fn servers() -> String {
    let mut text = String::new();
    for number in 0..SERVERS {
        let (high, low) = (number / 250, number % 250 + 1);
        let _ = write!(
            text,
            "virtual_server 10.10.{high}.{low} 80 {{\n    delay_loop 10\n    lvs_sched rr\n    \
             lvs_method NAT\n    protocol TCP\n"
        );
        for real in 0..REALS {
            let _ = write!(
                text,
                "    real_server 10.{}.{high}.{low} 80 {{\n        weight 1\n        \
                 TCP_CHECK {{\n            connect_timeout 3\n            retry 2\n        }}\n    \
                 }}\n",
                20 + real
            );
        }
        text.push_str("}\n");
    }
    text
}

/// Runs `-t` some times.
fn check(node: &Node, program: &str, name: &str, rounds: usize) -> Result<Cost> {
    let mut costs = Vec::new();
    for _ in 0..rounds {
        costs.push(check_once(node, program, name)?);
    }
    Ok(Cost {
        seconds: median(costs.iter().map(|cost| cost.seconds).collect()),
        megabytes: median(costs.iter().map(|cost| cost.megabytes).collect()),
        stopped: costs.iter().any(|cost| cost.stopped),
    })
}

fn check_once(node: &Node, program: &str, name: &str) -> Result<Cost> {
    let script = format!(
        "timeout --foreground {PATIENCE} /usr/bin/time -q -o /run/cost -f '%e %M' \
         {program} -t -f /run/{name}.conf > /run/said 2>&1; echo $?"
    );
    let status = node.sh(&script);
    let stopped = status.trim() == "124";
    if !(stopped || status.trim() == "0") {
        let said = node.read("/run/said").unwrap_or_default();
        let first: Vec<&str> = said.lines().take(5).collect();
        bail!(
            "{program} ended with {} for {name}:\n{}",
            status.trim(),
            first.join("\n")
        );
    }
    if stopped {
        return Ok(Cost {
            seconds: f64::from(PATIENCE),
            megabytes: 0.0,
            stopped,
        });
    }
    let cost = node.read("/run/cost").context("time wrote nothing")?;
    let mut words = cost.split_whitespace().map(str::parse::<f64>);
    let (Some(Ok(seconds)), Some(Ok(kilobytes))) = (words.next(), words.next()) else {
        bail!("time wrote {cost}");
    };
    Ok(Cost {
        seconds,
        megabytes: kilobytes / 1000.0,
        stopped,
    })
}
