//! The verdict of keepalived itself on configurations with one mistake each, beside ours.
//!
//! Where keepalived 2.2.7 is installed: a good configuration is changed in one place, and both
//! programs test it in the same network and mount namespace. The exit statuses must be the same,
//! and every line that keepalived has something to say about must be among ours.
//!
//! `RKEEPALIVED_DIFFERENTIAL=COUNT[:SEED]` runs more than the few of the suite, and others.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::bed::{lab, skipped};
use crate::parity::{Said, WORLD, run_all, world};

/// keepalived, as the world sees it.
const PEER: &str = "/run/keepalived-peer";
const OURS: &str = "/run/rkeepalived";

/// The configurations that are changed; both programs accept them.
const BASES: [&str; 4] = [
    "global_defs {
 router_id here
 notification_email {
  a@example.org
 }
 smtp_server 192.0.2.25 25
 smtp_connect_timeout 10
 vrrp_garp_master_delay 2
 vrrp_garp_interval 0.001
 vrrp_version 2
 vrrp_mcast_group4 224.0.0.18
 enable_script_security
 script_user root
 max_auto_priority 50
 vrrp_rt_priority 50
 dynamic_interfaces
}
vrrp_instance V {
 interface eth0
 virtual_router_id 5
 virtual_ipaddress {
  192.0.2.5/24
 }
}
",
    "global_defs {
 enable_script_security
 script_user root
}
vrrp_script S {
 script \"/usr/bin/true\"
 fall 2
 rise 2
 weight 5
}
track_group T {
 group {
  V
 }
}
vrrp_instance V {
 state BACKUP
 interface eth0
 virtual_router_id 5
 priority 100
 advert_int 1
 nopreempt
 garp_master_delay 2
 mcast_src_ip 192.0.2.1
 authentication {
  auth_type PASS
  auth_pass 1234
 }
 track_interface {
  eth1 weight 10
 }
 track_script {
  S weight 3
 }
 virtual_ipaddress {
  192.0.2.5/24 brd 192.0.2.255 dev eth0 label eth0:1
  192.0.2.6/32
 }
 virtual_ipaddress_excluded {
  192.0.2.7/24 dev eth1
 }
 notify_master \"/usr/bin/true master\" root
}
vrrp_instance W {
 interface eth1
 virtual_router_id 6
 unicast_src_ip 203.0.113.1
 unicast_peer {
  203.0.113.2
  203.0.113.3 min_ttl 10 max_ttl 255
 }
 virtual_ipaddress {
  203.0.113.5/24
 }
}
vrrp_sync_group G {
 group {
  V
  W
 }
 smtp_alert on
}
",
    "vrrp_instance V {
 interface eth0
 virtual_router_id 7
 version 3
 advert_int 0.5
 preempt_delay 5
 native_ipv6
 virtual_ipaddress {
  fe80::5/64
  2001:db8::5/64
 }
}
static_ipaddress {
 192.0.2.9/24 dev eth0
}
garp_group {
 garp_interval 0.1
 gna_interval 0.1
 interfaces {
  eth0
  eth1
 }
}
",
    "virtual_server_group VG {
 192.0.2.20 80
 192.0.2.21-25 80
}
virtual_server 192.0.2.10 80 {
 delay_loop 6
 lb_algo wrr
 lb_kind NAT
 persistence_timeout 50
 protocol TCP
 quorum 1
 hysteresis 0
 sorry_server 192.0.2.99 80
 real_server 192.0.2.30 80 {
  weight 1
  uthreshold 50
  TCP_CHECK {
   connect_port 80
   connect_timeout 3
   retry 3
   delay_before_retry 3
  }
 }
 real_server 192.0.2.31 80 {
  weight 2
  HTTP_GET {
   url {
    status_code 200
   }
   connect_timeout 3
  }
 }
}
virtual_server group VG {
 lb_algo rr
 lb_kind DR
 real_server 192.0.2.40 80 {
  PING_CHECK {
   retry 2
  }
 }
}
",
];

/// What is put in the place of a word.
const WORDS: [&str; 52] = [
    "",
    "0",
    "1",
    "-1",
    "+1",
    "255",
    "256",
    "300",
    "65535",
    "65536",
    "4294967296",
    "x",
    "1x",
    "0x10",
    "1.5",
    ".5",
    "99999999999999999999",
    "\"\"",
    "\"",
    "\"a b\"",
    "{{ x }}",
    "${X}",
    "$X",
    "<X>",
    "on",
    "maybe",
    "no",
    "eth0",
    "eth1",
    "eth0:1",
    "nosuch",
    "192.0.2.5",
    "192.0.2.5/33",
    "192.0.2.300",
    "192.0.2.5:80",
    "2001:db8::7",
    "fe80::7",
    "224.0.0.5",
    "0.0.0.0",
    "::",
    "MASTER",
    "master",
    "PASS",
    "pass",
    "rr",
    "NAT",
    "TCP",
    "/usr/bin/true",
    "/nonexistent",
    "weight",
    "root",
    "\\#",
];

/// Lines that are put between two others.
const LINES: [&str; 20] = [
    "bogus 1",
    "bogus {",
    "}",
    "{",
    "};",
    "priority 50",
    "192.0.2.77",
    "...",
    "//x",
    "\"",
    "interface eth1",
    "global_defs {",
    "include ./none.inc",
    "@other x",
    "$X=5",
    "$X",
    "virtual_ipaddress {",
    "state MASTER",
    "weight 300",
    "nopreempt \\",
];

/// What 2.4 reads otherwise than the 2.2.7 at hand: lines with these are left as they are.
const NEWER: [&str; 6] = [
    "vrrp_strict",
    "umask",
    "virtualhost",
    "notification_email_from",
    "use_vmac",
    "status_code",
];

/// A small generator (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let pick = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(pick).unwrap() % limit
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// One of the bases with one mistake.
fn mutant(random: &mut Random) -> String {
    let base = random.of(&BASES);
    let mut lines: Vec<String> = base.lines().map(str::to_owned).collect();
    let n = random.below(lines.len());
    // A quote glued to a keyword of commands is read in a way of its own.
    if NEWER.iter().any(|newer| lines[n].contains(newer)) || lines[n].contains('"') {
        return base.to_owned();
    }
    let mut words: Vec<String> = lines[n].split(' ').map(str::to_owned).collect();
    let word = random.below(words.len());
    match random.below(14) {
        0..=5 => {
            // Mostly values, now and then the keyword.
            let word = word
                .max(usize::from(random.below(8) > 0) * 2)
                .min(words.len() - 1);
            words[word] = random.of(&WORDS).to_owned();
            lines[n] = words.join(" ");
        }
        6 => drop(lines.remove(n)),
        7 => lines.insert(n, lines[n].clone()),
        8 => lines.insert(n, random.of(&LINES).to_owned()),
        9 => {
            let extra = random.of(&["x", "5", "{", "}", "# c", "\\", "\"a", ";"]);
            write!(lines[n], " {extra}").unwrap();
        }
        10 => {
            words.truncate(2);
            lines[n] = words.join(" ");
        }
        11 => {
            let other = lines[random.below(lines.len())].clone();
            lines.insert(n, other);
        }
        12 => {
            let next = random.below(lines.len());
            lines.swap(n, next);
        }
        _ => lines[n] = lines[n].replace([' ', '{'], ""),
    }
    lines.join("\n") + "\n"
}

/// keepalived's lines without what only 2.2.7 says.
fn theirs(said: &Said) -> Said {
    let text = said.text.lines();
    let text = text.filter(|line| !line.contains("cannot track route"));
    Said {
        status: said.status,
        text: text.collect::<Vec<_>>().join("\n"),
    }
}

/// The lines that messages are about, whatever the file is called.
fn lines(said: &Said) -> BTreeSet<u32> {
    said.places().into_iter().map(|(_, line)| line).collect()
}

#[test]
fn one_mistake_each() {
    let Some(lab) = lab("differential") else {
        return;
    };
    let wanted = std::env::var("RKEEPALIVED_DIFFERENTIAL").unwrap_or_default();
    let (count, seed) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    let count: usize = count.parse().unwrap_or(100);
    let node = world(
        &lab,
        "set -e
        ip link set lo up
        for i in 0 1; do
            ip link add eth$i type veth peer name eth${i}p
            ip link set eth$i up
            ip link set eth${i}p up
        done
        ip address add 192.0.2.1/24 dev eth0
        ip address add 203.0.113.1/24 dev eth1
        ip -6 address add 2001:db8::1/64 dev eth0 nodad",
    );
    let Ok(keepalived) = std::fs::read("/usr/sbin/keepalived") else {
        return skipped("keepalived is not here");
    };
    node.write(&format!("{WORLD}{PEER}"), keepalived);
    node.sh(&format!("chmod 755 {WORLD}{PEER}"));
    let version = node.sh(&format!("chroot {WORLD} {PEER} -v 2>&1"));
    if !version.contains("v2.2.7") {
        return skipped("keepalived is not 2.2.7");
    }
    let mut random = Random(
        seed.parse::<u64>()
            .unwrap_or(1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15),
    );
    let mut files = Vec::new();
    let mut texts = Vec::new();
    for text in BASES.map(str::to_owned) {
        texts.push(text);
    }
    while texts.len() < count {
        texts.push(mutant(&mut random));
    }
    for (n, text) in texts.iter().enumerate() {
        let file = format!("/run/mutants/{n}/main.conf");
        node.write(&format!("{WORLD}{file}"), text);
        files.push(file);
    }
    let peer = run_all(&node, PEER, &files);
    let ours = run_all(&node, OURS, &files);
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (file, text) in files.iter().zip(&texts) {
        let (theirs, ours) = (theirs(&peer[file]), &ours[file]);
        let ended = ours.status.is_some_and(|status| status <= 6);
        // keepalived crashes or hangs now and then, or takes a word for the name of the file; ours
        // may not.
        let theirs_ended = theirs.status.is_some_and(|status| status <= 6)
            && theirs
                .places()
                .iter()
                .all(|(name, _)| name.is_empty() || name == file);
        compared += usize::from(theirs_ended);
        let missing: Vec<_> = lines(&theirs).difference(&lines(ours)).copied().collect();
        let same = theirs.status == ours.status && missing.is_empty();
        if !ended || (theirs_ended && !same) {
            wrong.push(format!(
                "--- {file}\n{text}--- keepalived {:?}\n{}\n--- here {:?}, nothing about the \
                 lines {missing:?}\n{}",
                theirs.status, theirs.text, ours.status, ours.text
            ));
        }
    }
    assert!(
        compared > count / 2,
        "{compared} of {count} can be compared"
    );
    assert!(
        wrong.is_empty(),
        "{} of {compared} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
