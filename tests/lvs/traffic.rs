//! One director: who gets the requests, while servers fail in every way and come back.

use std::time::Duration;

use rk_lab::{Daemon, Guest, HttpManners, Which};

use crate::bed::SOON;
use crate::lvs::bed::{CHECK, Cluster, DIGEST, Method};

/// The longest a failure may go unnoticed by the configuration: the check below comes every
/// second, waits one second for an answer, and asks once more a second later.
const CONFIGURED: Duration = Duration::from_secs(4);
/// The same in a guest, whose programs and timers are slow.
pub(crate) const NOTICED: Duration = CONFIGURED.saturating_add(Duration::from_secs(5));

/// The guest for a whole cluster.
fn guest() -> Guest {
    Guest::new()
        .memory(512)
        .deadline(Duration::from_mins(4))
        .modules(&["ip_vs", "ipip"])
}

/// A check that reads the page, every second.
pub(crate) fn check() -> String {
    format!(
        "HTTP_GET {{
            url {{
                path {}
                digest {DIGEST}
                status_code 200
            }}
            connect_timeout 1
            retry 1
            delay_before_retry 1
        }}",
        CHECK.0
    )
}

/// All four serve in turn; three fail in ways of their own and the fourth serves alone; all serve
/// again; three fail in other ways; the daemon stops and leaves nothing.
fn balance(which: Which, method: Method) {
    let cluster = Cluster::new(method, 1);
    let (director, servers) = (&cluster.directors[0], &cluster.servers);
    let configuration = cluster.configuration("delay_loop 1", &check());
    let mut daemon = Daemon::start(director, which, &configuration);
    cluster.wait_servers(director, &[1, 2, 3, 4], SOON);
    all_in_turn(&cluster);

    servers[0].kill();
    servers[1].tell(HttpManners::Hang);
    servers[2].tell(HttpManners::Status(500));
    cluster.wait_servers(director, &[4], NOTICED);
    only_the_fourth(&cluster);
    servers[0].start();
    servers[1].tell(HttpManners::Good);
    servers[2].tell(HttpManners::Good);
    cluster.wait_servers(director, &[1, 2, 3, 4], NOTICED);
    all_in_turn(&cluster);

    servers[0].tell(HttpManners::WrongPage);
    servers[1].tell(HttpManners::Reset);
    servers[2].drop_packets();
    cluster.wait_servers(director, &[4], NOTICED);
    only_the_fourth(&cluster);
    servers[0].tell(HttpManners::Good);
    servers[1].tell(HttpManners::Good);
    servers[2].keep_packets();
    cluster.wait_servers(director, &[1, 2, 3, 4], NOTICED);

    daemon.stop();
    let left = director.ipvs();
    assert!(left.is_empty(), "{left}");
}

#[track_caller]
fn all_in_turn(cluster: &Cluster) {
    let answers = cluster.ask(40);
    let each = cluster.servers.iter().map(|one| (one.name.clone(), 10));
    assert_eq!(answers.by, each.collect());
    assert_eq!(answers.lost, 0);
}

#[track_caller]
fn only_the_fourth(cluster: &Cluster) {
    let answers = cluster.ask(8);
    assert_eq!(answers.by, [("server4".to_owned(), 8)].into());
    assert_eq!(answers.lost, 0);
}

#[test]
fn keepalived_balances_by_nat() {
    guest().run(|| balance(Which::Keepalived, Method::Nat));
}

#[test]
fn keepalived_balances_by_direct_routing() {
    guest().run(|| balance(Which::Keepalived, Method::Dr));
}

#[test]
fn keepalived_balances_through_tunnels() {
    guest().run(|| balance(Which::Keepalived, Method::Tun));
}

#[test]
fn rkeepalived_balances_by_nat() {
    guest().run(|| balance(Which::Rkeepalived, Method::Nat));
}

#[test]
fn rkeepalived_balances_by_direct_routing() {
    guest().run(|| balance(Which::Rkeepalived, Method::Dr));
}

#[test]
fn rkeepalived_balances_through_tunnels() {
    guest().run(|| balance(Which::Rkeepalived, Method::Tun));
}
