//! A reload while requests are under way: what did not change is not touched.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rk_lab::{Daemon, Guest, Node, Which, pause};

use crate::bed::SOON;
use crate::lvs::bed::{Cluster, Method, SERVICE, VIP};
use crate::lvs::client::{Drip, Load};
use crate::lvs::traffic::{NOTICED, check};

/// The service in the kernel's own list.
const KERNELS_NAME: &str = "TCP  C0000250:0050";

/// Looks at a director's table again and again, in the kernel's own list.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<BTreeSet<String>>>,
}

impl Watch {
    fn start(director: &Node) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let file = format!("/proc/{}/net/ip_vs", director.pid());
        let ended = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut seen: Vec<BTreeSet<String>> = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                let table = std::fs::read_to_string(&file).expect("a table");
                let lines = table
                    .lines()
                    .skip_while(|line| !line.starts_with(KERNELS_NAME));
                let service = lines.skip(1).take_while(|line| line.starts_with("  ->"));
                let words = service.filter_map(|line| line.split_whitespace().nth(1));
                let now: BTreeSet<String> = words.map(str::to_owned).collect();
                if seen.last() != Some(&now) {
                    seen.push(now);
                }
                pause(Duration::from_millis(2));
            }
            seen
        });
        Self { stop, thread }
    }

    /// The real servers of the service, once for each time that they changed.
    fn end(self) -> Vec<BTreeSet<String>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("a table to look at")
    }
}

/// Which server answers, from 1: the director knows.
fn server_of(cluster: &Cluster, drip: &Drip) -> usize {
    let all = cluster.directors[0].ipvsadm(&["-Lnc"]);
    let local = drip.local().to_string();
    let line = all.lines().find(|line| line.contains(&local));
    let server = line.and_then(|line| line.split_whitespace().last());
    let number = (1..=4).find(|&number| {
        let address = format!("{}:80", cluster.method.server(number));
        server == Some(address.as_str())
    });
    number.unwrap_or_else(|| panic!("nobody has {local}:\n{all}"))
}

/// One of four servers is down, each of the others has a long answer to give; then weight,
/// thresholds, checks and services change.
fn changes_only_what_changed(which: Which, method: Method) {
    let cluster = Cluster::new(method, 1);
    let (director, servers) = (&cluster.directors[0], &cluster.servers);
    let before = cluster.configuration("delay_loop 1", &check());
    let mut daemon = Daemon::start(director, which, &before);
    cluster.wait_servers(director, &[1, 2, 3, 4], SOON);
    let mut drips: Vec<(usize, Drip)> = (0..4)
        .map(|_| {
            let drip = Drip::start(&cluster.client);
            (server_of(&cluster, &drip), drip)
        })
        .collect();
    drips.sort_by_key(|(server, _)| *server);
    assert!(
        drips.iter().map(|(server, _)| *server).eq(1..=4),
        "one each"
    );
    servers[1].kill();
    cluster.wait_servers(director, &[1, 3, 4], NOTICED);
    let go_on = |wanted: &[usize]| {
        let mut chosen = drips.iter().filter(|(server, _)| wanted.contains(server));
        chosen.all(|(_, drip)| drip.goes_on())
    };
    assert!(go_on(&[1, 3, 4]));

    let load = Load::start(&cluster.client);
    let watch = Watch::start(director);
    load.wait_more(8);
    let line = |number: usize| format!("real_server {} 80 {{\n", servers[number - 1].address);
    let after = before
        .replace(&line(3), &format!("{}weight 5\n", line(3)))
        .replace(&line(4), &format!("{}uthreshold 1000\n", line(4)));
    let more = format!(
        "virtual_server {VIP} 8080 {{
            lb_algo rr
            lb_kind DR
            protocol TCP
            real_server 192.0.2.11 8080 {{
            }}
        }}"
    );
    daemon.reload(&(after.clone() + &more));
    director.wait_ipvs("the new weight and the new service", SOON, |table| {
        let new = format!("-t {VIP}:8080");
        let all = table.destinations(SERVICE);
        all.iter().any(|line| line.contains("-w 5")) && table.destinations(&new).len() == 1
    });
    load.wait_more(12);
    assert!(go_on(&[1, 3, 4]), "connections through the reload");
    let wanted: BTreeSet<String> = [11, 13, 14]
        .iter()
        .map(|last| match method {
            Method::Nat => format!("0A0000{last:02X}:0050"),
            Method::Dr | Method::Tun => format!("C00002{last:02X}:0050"),
        })
        .collect();
    assert_eq!(watch.end(), [wanted], "the servers all the while");
    let lost: Vec<_> = load.stop().into_iter().filter_map(Result::err).collect();
    assert!(lost.is_empty(), "{lost:?}");

    // Back it comes; and one goes with its own connections only.
    servers[1].start();
    cluster.wait_servers(director, &[1, 2, 3, 4], NOTICED);
    let (start, _) = after.split_once(&line(4)).expect("the fourth server");
    daemon.reload(&format!("{start}}}\n"));
    cluster.wait_servers(director, &[1, 2, 3], SOON);
    assert!(go_on(&[1, 3]), "connections of the servers that stay");
    let table = director.ipvs();
    assert!(
        table.destinations(&format!("-t {VIP}:8080")).is_empty(),
        "{table}"
    );
    let answers = cluster.ask(9);
    assert_eq!((answers.by.len(), answers.lost), (3, 0), "{answers:?}");
    daemon.stop();
}

/// The guest for a whole cluster.
fn guest() -> Guest {
    Guest::new()
        .memory(512)
        .deadline(Duration::from_mins(4))
        .modules(&["ip_vs", "ipip"])
}

#[test]
fn keepalived_reloads_by_direct_routing() {
    guest().run(|| changes_only_what_changed(Which::Keepalived, Method::Dr));
}

#[test]
fn rkeepalived_reloads_by_direct_routing() {
    guest().run(|| changes_only_what_changed(Which::Rkeepalived, Method::Dr));
}

#[test]
fn rkeepalived_reloads_by_nat() {
    guest().run(|| changes_only_what_changed(Which::Rkeepalived, Method::Nat));
}
