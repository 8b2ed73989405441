//! Requests without a pause while reload after reload takes a server away and brings another back.
//!
//! IPVS has no place for packets of a connection whose server is not in the table any more: it
//! drops them, unless `expire_nodest_conn` says to forget the connection. So a connection that is
//! under way to a server at the moment that server is removed may be lost, whoever removes it. No
//! other may be: each one that is lost is looked up in the director's list of connections.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rk_lab::{Daemon, Guest, Node, Which, eventually};
use socket2::{Domain, Socket, Type};

use crate::bed::SOON;
use crate::lvs::bed::{Cluster, Method, VIP};

/// How many clients ask at once.
const CLIENTS: u16 = 3;
/// How long a request may take: time for two packets that are sent again.
const PATIENCE: Duration = Duration::from_secs(4);
/// The first port of the first client. Every request has a port of its own, so that its connection
/// can be told from all others.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 10_000;

/// A request that was not answered.
struct Lost {
    began: Instant,
    ended: Instant,
    why: String,
    /// The server that the director has for the connection.
    server: Option<Ipv4Addr>,
}

/// What the clients share.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    answers: [AtomicUsize; CLIENTS as usize],
    lost: Mutex<Vec<Lost>>,
}

/// The body of an answer over a connection from this port.
fn ask(port: u16) -> std::io::Result<String> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
    let service = SocketAddr::new(VIP.parse().expect("a literal"), 80);
    socket.connect_timeout(&service.into(), PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut stream: std::net::TcpStream = socket.into();
    stream.write_all(format!("GET / HTTP/1.0\r\nHost: {VIP}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.strip_prefix("HTTP/1.1 200 ") {
        Some(rest) => Ok(rest.to_owned()),
        None => Err(std::io::Error::other(format!("{answer:?}"))),
    }
}

/// The server of the connection from this port, in the director's list: all words are hexadecimal.
fn server_of(list: &str, port: u16) -> Option<Ipv4Addr> {
    let text = std::fs::read_to_string(list).expect("a list of connections");
    let port = format!("{port:04X}");
    let line = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|words| words.first() == Some(&"TCP") && words.get(2) == Some(&port.as_str()))?;
    Some(u32::from_str_radix(line[5], 16).ok()?.into())
}

/// Clients that ask one request after the other.
struct Clients {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Clients {
    fn start(client: &Node, director: &Node) -> Self {
        let shared = Arc::new(Shared::default());
        let list = format!("/proc/{}/net/ip_vs_conn", director.pid());
        let threads = (0..CLIENTS).map(|number| {
            let (shared, net, list) = (Arc::clone(&shared), client.net(), list.clone());
            std::thread::spawn(move || {
                net.enter().expect("the client's network");
                let first = FIRST_PORT + number * PORTS;
                for port in (first..first + PORTS).cycle() {
                    if shared.stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let began = Instant::now();
                    if let Err(error) = ask(port) {
                        let lost = Lost {
                            began,
                            ended: Instant::now(),
                            why: error.to_string(),
                            server: server_of(&list, port),
                        };
                        let mut all = shared.lost.lock().expect("nobody panics with it");
                        all.push(lost);
                    }
                    shared.answers[usize::from(number)].fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let threads = threads.collect();
        Self { shared, threads }
    }

    fn counts(&self) -> Vec<usize> {
        let all = self.shared.answers.iter();
        all.map(|one| one.load(Ordering::Relaxed)).collect()
    }

    /// Waits until each of them has ended what is under way, and asked once more.
    #[track_caller]
    fn wait_round(&self) {
        let before = self.counts();
        eventually(PATIENCE * 4, "a round of all clients", || {
            let now = self.counts();
            let done = before
                .iter()
                .zip(now)
                .all(|(before, now)| now >= before + 2);
            done.then_some(())
        });
    }

    /// Ends them: how many requests there were, and those that were lost.
    fn stop(self) -> (usize, Vec<Lost>) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a client");
        }
        let all = self.shared.answers.iter();
        let count = all.map(|one| one.load(Ordering::Relaxed)).sum();
        let mut lost = self.shared.lost.lock().expect("nobody panics with it");
        (count, std::mem::take(&mut lost))
    }
}

/// `reloads` times all servers but one, in turn.
fn servers_come_and_go(which: Which, method: Method, reloads: usize) {
    let cluster = Cluster::new(method, 1);
    let director = &cluster.directors[0];
    let full = cluster.configuration("", "");
    let address =
        |number: usize| -> Ipv4Addr { method.server(number).parse().expect("an address") };
    let mut daemon = Daemon::start(director, which, &full);
    cluster.wait_servers(director, &[1, 2, 3, 4], SOON);
    let clients = Clients::start(&cluster.client, director);
    clients.wait_round();

    let table = format!("/proc/{}/net/ip_vs", director.pid());
    let mut removed: BTreeMap<Ipv4Addr, Vec<[Instant; 2]>> = BTreeMap::new();
    for reload in 0..reloads {
        let gone = reload % 4 + 1;
        let block = format!("real_server {} 80 {{\n\n}}\n", method.server(gone));
        assert!(full.contains(&block), "{full}");
        let asked = Instant::now();
        daemon.reload(&full.replace(&block, ""));
        let wanted: Vec<String> = (1..=4)
            .filter(|number| *number != gone)
            .map(|number| format!("{:08X}:0050", u32::from(address(number))))
            .collect();
        eventually(SOON, "the servers after a reload", || {
            let text = std::fs::read_to_string(&table).expect("a table");
            let servers = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("-> "));
            let mut here: Vec<&str> = servers
                .filter(|line| !line.starts_with("Remote"))
                .filter_map(|line| line.split_whitespace().next())
                .collect();
            here.sort_unstable();
            (here == wanted).then_some(())
        });
        let times = removed.entry(address(gone)).or_default();
        times.push([asked, Instant::now()]);
        clients.wait_round();
    }
    let (count, lost) = clients.stop();
    let in_flight = |one: &Lost| {
        let times = one.server.and_then(|server| removed.get(&server));
        times.is_some_and(|times| {
            let mut times = times.iter();
            times.any(|[asked, seen]| one.began < *seen && *asked < one.ended)
        })
    };
    eprintln!(
        "{which:?}, {method:?}: {reloads} reloads, {count} requests, {} lost with their server",
        lost.len()
    );
    let others = lost.iter().filter(|one| !in_flight(one));
    let others: Vec<_> = others.map(|one| (&one.why, one.server)).collect();
    assert!(
        others.is_empty(),
        "lost, and not because their server was removed: {others:?}"
    );
    assert!(
        count > reloads * usize::from(CLIENTS) * 2,
        "{count} requests"
    );
    daemon.stop();
}

/// How many reloads: `RKEEPALIVED_TEST_RELOADS`, or a few.
fn reloads() -> usize {
    let wanted = std::env::var("RKEEPALIVED_TEST_RELOADS").ok();
    wanted.and_then(|count| count.parse().ok()).unwrap_or(8)
}

fn churn(which: Which, method: Method) {
    Guest::new()
        .memory(512)
        .deadline(Duration::from_mins(8))
        .modules(&["ip_vs"])
        .run(move || servers_come_and_go(which, method, reloads()));
}

#[test]
fn keepalived_loses_only_what_is_in_flight_by_nat() {
    churn(Which::Keepalived, Method::Nat);
}

#[test]
fn keepalived_loses_only_what_is_in_flight_by_direct_routing() {
    churn(Which::Keepalived, Method::Dr);
}

#[test]
fn rkeepalived_loses_only_what_is_in_flight_by_nat() {
    churn(Which::Rkeepalived, Method::Nat);
}

#[test]
fn rkeepalived_loses_only_what_is_in_flight_by_direct_routing() {
    churn(Which::Rkeepalived, Method::Dr);
}
