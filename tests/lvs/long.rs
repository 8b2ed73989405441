//! Many rounds of checks, good and bad, leave nothing behind. No kernel with IPVS is needed.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::time::Duration;

use rk_lab::{Daemon, Http, Node, Which};

/// How long all rounds may take.
const PATIENCE: Duration = Duration::from_secs(150);
/// Services; each has a server with five checks.
const SERVICES: usize = 100;
/// Rounds of all checks together until everything is as it stays, and until the end.
const WARM: u64 = 5_000;
const ENOUGH: u64 = 20_000;

/// What a process holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    descriptors: usize,
    threads: u64,
    children: usize,
    /// kB.
    memory: u64,
}

impl Held {
    fn by(node: &Node, pid: i32) -> Self {
        let proc = format!("/proc/{pid}");
        let status = node.sh(&format!("cat {proc}/status"));
        let field = |name: &str| -> u64 {
            let line = status.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_whitespace().nth(1));
            value
                .and_then(|value| value.parse().ok())
                .expect("a number")
        };
        let lines = |command: String| node.sh(&command).lines().count();
        Self {
            descriptors: lines(format!("ls {proc}/fd")),
            threads: field("Threads:"),
            children: lines(format!(
                "cat {proc}/task/*/children | tr ' ' '\\n' | grep . || true"
            )),
            memory: field("VmRSS:"),
        }
    }
}

#[test]
fn twenty_thousand_rounds_leave_nothing_behind() {
    let Some(lab) = crate::bed::lab("long") else {
        return;
    };
    let node = lab.node("one");
    node.sh("ip link set lo up");
    let good = Http::start(&node, "127.0.0.1:8001", "page");
    // A name server: every answer is the question with the bit that makes an answer of it.
    let dns = node
        .in_net(|| UdpSocket::bind("127.0.0.1:5353"))
        .expect("a socket");
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = dns.recv_from(&mut buffer) {
            buffer[2..4].copy_from_slice(b"\x81\x80");
            dns.send_to(&buffer[..length], from).ok();
        }
    });
    // Port 9 refuses: a check that fails every time, and a page that is not there.
    let services: String = (0..SERVICES)
        .map(|n| {
            format!(
                "virtual_server 10.9.{}.{} 80 {{
                    lvs_sched rr
                    lvs_method NAT
                    protocol TCP
                    delay_loop 1
                    warmup 1
                    connect_timeout 2
                    real_server 127.0.0.1 8001 {{
                        TCP_CHECK {{
                        }}
                        HTTP_GET {{
                            url {{
                                path /
                            }}
                        }}
                        DNS_CHECK {{
                            connect_port 5353
                        }}
                        SMTP_CHECK {{
                            connect_port 9
                        }}
                        HTTP_GET {{
                            url {{
                                path /none
                                regex \"page\"
                            }}
                            delay_before_retry 1
                        }}
                    }}
                }}\n",
                n / 250,
                n % 250 + 1
            )
        })
        .collect();
    let mut daemon = Daemon::start(&node, Which::Rkeepalived, &services);
    let pid = daemon.checker_pid();
    // Of five checks of a server two ask for a page; one asks for each.
    let rounds = |asked: u64| asked / 2 * 5;
    let mut asked: BTreeMap<&str, u64> = BTreeMap::new();
    let mut wait = |wanted: u64| {
        rk_lab::eventually(PATIENCE, "rounds of checks", || {
            *asked.entry("pages").or_default() += good.requests().len() as u64;
            good.forget();
            (rounds(asked["pages"]) >= wanted).then_some(())
        });
    };
    wait(WARM);
    let before = Held::by(&node, pid);
    wait(ENOUGH);
    let after = Held::by(&node, pid);
    eprintln!("{before:?} {after:?}");
    assert_eq!(after.threads, before.threads);
    assert_eq!([before.children, after.children], [0, 0]);
    // Whatever is under way just now.
    let most = before.descriptors + 5 * SERVICES / 4;
    assert!(after.descriptors <= most, "{before:?} {after:?}");
    assert!(after.memory < before.memory + 1024, "{before:?} {after:?}");
    assert!(daemon.stop().success());
}
