//! When checks ask, beside Debian's keepalived: what is asked, in which order, and how long after
//! the time before. Servers answer by the number of the question, so both see the same failures
//! at the same points of their courses.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rk_lab::{Daemon, Guest, Node, Which};
use socket2::{Domain, Socket, Type};

/// How far apart the two may be: a guest under load, and keepalived's own lateness.
const SLACK: Duration = Duration::from_millis(800);
const PATIENCE: Duration = Duration::from_secs(90);

/// What was asked, and when.
type Asked = Arc<Mutex<Vec<(String, Instant)>>>;

/// A server of one kind, with a port of its own.
#[derive(Clone, Copy)]
enum Server {
    Http,
    Smtp,
    Dns,
    Udp,
    /// Listens, or does not.
    Tcp,
    /// The host itself, which answers or ignores.
    Ping,
    /// A script.
    Misc,
}

/// A check, and which of the questions get a bad answer.
struct Case {
    what: &'static str,
    server: Server,
    check: &'static str,
    /// Inside the virtual server.
    around: &'static str,
    bad: std::ops::Range<usize>,
}

/// How many questions are compared.
const QUESTIONS: usize = 14;

const CASES: &[Case] = &[
    Case {
        what: "two pages",
        server: Server::Http,
        check: "HTTP_GET {
            url { \n path /a \n }
            url { \n path /b \n }
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "",
        bad: 3..8,
    },
    Case {
        what: "two pages in a hurry",
        server: Server::Http,
        check: "HTTP_GET {
            fast_recovery
            url { \n path /a \n }
            url { \n path /b \n }
            delay_loop 2 \n retry 1 \n delay_before_retry 1
        }",
        around: "",
        bad: 2..6,
    },
    Case {
        what: "retries that take longer than rounds",
        server: Server::Http,
        check: "HTTP_GET {
            url { \n path /a \n }
            delay_loop 1 \n retry 1 \n delay_before_retry 2
        }",
        around: "",
        bad: 2..6,
    },
    Case {
        what: "alpha",
        server: Server::Http,
        check: "HTTP_GET {
            url { \n path /a \n }
            url { \n path /b \n }
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "alpha",
        bad: 0..3,
    },
    Case {
        what: "wrong from the start, and another failure on the way up",
        server: Server::Http,
        check: "HTTP_GET {
            url { \n path /a \n }
            url { \n path /b \n }
            url { \n path /c \n }
            delay_loop 1 \n retry 3 \n delay_before_retry 2
        }",
        around: "",
        bad: 0..1,
    },
    Case {
        what: "mail",
        server: Server::Smtp,
        check: "SMTP_CHECK {
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "",
        bad: 2..7,
    },
    Case {
        what: "names",
        server: Server::Dns,
        check: "DNS_CHECK {
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "",
        bad: 2..7,
    },
    Case {
        what: "names by the defaults",
        server: Server::Dns,
        check: "DNS_CHECK {
            delay_loop 1
        }",
        around: "",
        bad: 2..9,
    },
    Case {
        what: "datagrams",
        server: Server::Udp,
        check: "UDP_CHECK {
            payload 41 \n require_reply 41
            delay_loop 2 \n retry 1 \n delay_before_retry 1
        }",
        around: "",
        bad: 2..6,
    },
    Case {
        what: "connections",
        server: Server::Tcp,
        check: "TCP_CHECK {
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "",
        bad: 2..7,
    },
    Case {
        what: "connections that fail from the start",
        server: Server::Tcp,
        check: "TCP_CHECK {
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "",
        bad: 0..6,
    },
    Case {
        what: "mail that fails from the start",
        server: Server::Smtp,
        check: "SMTP_CHECK {
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "",
        bad: 0..6,
    },
    Case {
        what: "names that fail from the start",
        server: Server::Dns,
        check: "DNS_CHECK {
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "",
        bad: 0..6,
    },
    Case {
        what: "datagrams that fail from the start",
        server: Server::Udp,
        check: "UDP_CHECK {
            payload 41 \n require_reply 41
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "",
        bad: 0..6,
    },
    Case {
        what: "scripts that fail from the start",
        server: Server::Misc,
        check: "MISC_CHECK {
            misc_path /run/checkPORT
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "",
        bad: 0..6,
    },
    Case {
        what: "pings",
        server: Server::Ping,
        check: "PING_CHECK {
            connect_timeout 1
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "",
        bad: 2..7,
    },
    Case {
        what: "scripts",
        server: Server::Misc,
        check: "MISC_CHECK {
            misc_path /run/checkPORT
            delay_loop 2 \n retry 2 \n delay_before_retry 1
        }",
        around: "",
        bad: 2..7,
    },
];

/// Answers on a port, badly to the questions in `bad`.
fn serve(node: &Node, case: &Case, port: u16) -> Asked {
    let asked = Asked::default();
    let (all, bad) = (Arc::clone(&asked), case.bad.clone());
    // Notes the question; whether its answer is to be good.
    let note = move |what: String| {
        let mut all = all.lock().expect("nobody panics with it");
        all.push((what, Instant::now()));
        !bad.contains(&(all.len() - 1))
    };
    let address = (Ipv4Addr::LOCALHOST, port);
    if matches!(case.server, Server::Tcp | Server::Ping | Server::Misc) {
        watch(node, case, port, Box::new(note));
        return asked;
    }
    if matches!(case.server, Server::Dns | Server::Udp) {
        let socket = node.in_net(|| UdpSocket::bind(address)).expect("a socket");
        let dns = matches!(case.server, Server::Dns);
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let good = note(String::new());
                let answer = match (dns, good) {
                    (true, true) => [&buffer[..2], b"\x81\x80", &buffer[4..length]].concat(),
                    (true, false) => [&buffer[..2], b"\x81\x82", &buffer[4..length]].concat(),
                    (false, true) => b"A".to_vec(),
                    (false, false) => b"B".to_vec(),
                };
                socket.send_to(&answer, from).ok();
            }
        });
        return asked;
    }
    let listener = node
        .in_net(|| TcpListener::bind(address))
        .expect("a listener");
    let http = matches!(case.server, Server::Http);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            if !http {
                let greeting: &[u8] = if note(String::new()) {
                    b"220 hi\r\n"
                } else {
                    b"554 no\r\n"
                };
                stream.write_all(greeting).ok();
                std::thread::spawn(move || {
                    let mut buffer = [0; 512];
                    for answer in [&b"250 ok\r\n"[..], b"221 bye\r\n"] {
                        if !matches!(stream.read(&mut buffer), Ok(1..)) {
                            break;
                        }
                        stream.write_all(answer).ok();
                    }
                });
                continue;
            }
            let mut head = Vec::new();
            let mut octet = [0];
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut octet), Ok(1)) {
                head.push(octet[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let path = head.split(' ').nth(1).unwrap_or("").to_owned();
            let status = if note(path) { "200" } else { "500" };
            write!(stream, "HTTP/1.0 {status} X\r\nContent-Length: 2\r\n\r\nok").ok();
        }
    });
    asked
}

/// For servers that are no program: the next question is told from the number of the last.
fn watch(node: &Node, case: &Case, port: u16, mut note: Box<dyn FnMut(String) -> bool + Send>) {
    let bad = case.bad.clone();
    if matches!(case.server, Server::Misc) {
        node.sh(&format!("echo 0 > /run/number{port}"));
        let (first, end) = (bad.start, bad.end);
        node.script(
            &format!("/run/check{port}"),
            &format!(
                "#!/bin/sh
                read -r n < /run/number{port}
                echo $((n + 1)) > /run/number{port}
                [ $n -lt {first} ] || [ $n -ge {end} ]\n"
            ),
        );
        let path = node.path(&format!("/run/number{port}"));
        std::thread::spawn(move || {
            let mut seen = 0;
            // Until the node is gone.
            while let Ok(text) = std::fs::read_to_string(&path) {
                if text.trim().parse().is_ok_and(|now: u32| now > seen) {
                    seen += 1;
                    note(String::new());
                }
                rk_lab::pause(Duration::from_millis(10));
            }
        });
        return;
    }
    let ping = matches!(case.server, Server::Ping);
    let net = node.net();
    std::thread::spawn(move || {
        net.enter().expect("the node's network");
        // Every IPv4 packet that arrives on any interface (packet(7)).
        let every = i32::from(u16::from_ne_bytes([8, 0]));
        let protocol = Some(socket2::Protocol::from(every));
        let mut wire = Socket::new(Domain::PACKET, Type::RAW, protocol).expect("a packet socket");
        let open = || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok();
        let mut door = if ping || bad.contains(&0) {
            None
        } else {
            open()
        };
        let mut asked = 0;
        let mut buffer = [0; 2048];
        loop {
            let length = wire.read(&mut buffer).expect("a packet");
            if length < 48 {
                continue;
            }
            let frame = &buffer[..length];
            let is_question = match frame[23] {
                1 => ping && frame[34] == 8,
                // A SYN alone.
                6 => !ping && frame[36..38] == port.to_be_bytes() && frame[47] == 2,
                _ => false,
            };
            if !is_question {
                continue;
            }
            note(String::new());
            asked += 1;
            let good = !bad.contains(&asked);
            // Whoever asked has seen what became of it.
            rk_lab::pause(Duration::from_millis(300));
            if ping {
                let ignore = if good { "0" } else { "1" };
                std::fs::write("/proc/sys/net/ipv4/icmp_echo_ignore_all", ignore).ok();
            } else if good != door.is_some() {
                door = if good { open() } else { None };
            }
        }
    });
}

fn configuration() -> String {
    let services = (1u16..).zip(CASES).map(|(number, case)| {
        format!(
            "virtual_server 192.0.2.{number} 80 {{
                lvs_sched rr
                lvs_method NAT
                protocol TCP
                warmup 0
                {}
                real_server 127.0.0.1 {} {{
                    {}
                }}
            }}\n",
            case.around,
            9000 + number,
            case.check.replace("PORT", &(9000 + number).to_string())
        )
    });
    services.collect()
}

/// The questions with the milliseconds since the one before.
fn course(asked: &Asked) -> Vec<(String, u128)> {
    let all = asked.lock().expect("nobody panics with it");
    let times: Vec<Instant> = all.iter().map(|(_, at)| *at).collect();
    let before = times.first().into_iter().chain(&times);
    all.iter()
        .zip(before)
        .map(|((what, at), before)| (what.clone(), at.duration_since(*before).as_millis()))
        .take(QUESTIONS)
        .collect()
}

#[test]
fn questions_come_in_the_same_order_at_the_same_times() {
    Guest::new().deadline(Duration::from_mins(4)).run(|| {
        let lab = crate::bed::lab("rhythm").expect("a guest can make namespaces");
        let nodes = ["one", "two"].map(|name| {
            let node = lab.node(name);
            node.sh("ip link set lo up; modprobe ip_vs");
            node
        });
        let asked = nodes.each_ref().map(|node| {
            let each = (1u16..).zip(CASES);
            each.map(|(number, case)| serve(node, case, 9000 + number))
                .collect::<Vec<_>>()
        });
        let mut theirs = Daemon::start(&nodes[0], Which::Keepalived, &configuration());
        let mut ours = Daemon::start(&nodes[1], Which::Rkeepalived, &configuration());
        let enough = || {
            let all = asked.iter().flatten();
            all.map(course)
                .all(|one| one.len() == QUESTIONS)
                .then_some(())
        };
        rk_lab::eventually(PATIENCE, "all questions", enough);
        let mut wrong = String::new();
        for (number, case) in CASES.iter().enumerate() {
            let [a, b] = [0, 1].map(|side| course(&asked[side][number]));
            let alike = a.iter().zip(&b).all(|((what, x), (other, y))| {
                what == other && x.abs_diff(*y) <= SLACK.as_millis()
            });
            if !alike {
                wrong += &format!("{}:\nkeepalived {a:?}\nours       {b:?}\n", case.what);
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
        theirs.stop();
        ours.stop();
    });
}
