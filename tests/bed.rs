//! What the scenarios share: which daemon is "ours", the usual two nodes with a client, waiting.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use rk_lab::{Cable, Capture, Lab, Node, Which};

/// How long anything may take that should happen now. Generous, because it only ever costs time
/// when something is broken.
pub(crate) const SOON: Duration = Duration::from_secs(15);

/// The interface of every node.
pub(crate) const DEV: &str = "eth0";

/// The daemon under test.
pub(crate) fn ours() -> Which {
    match std::env::var("RKEEPALIVED_TEST_OURS").as_deref() {
        Ok("keepalived") => Which::Keepalived,
        _ => Which::Rkeepalived,
    }
}

/// A laboratory whose nodes have the daemon under test, or `None` where namespaces may not be
/// made and nobody insists on them.
pub(crate) fn lab(name: &str) -> Option<Lab> {
    match Lab::new(name) {
        Ok(lab) => Some(lab.offer(Path::new(env!("CARGO_BIN_EXE_rkeepalived")))),
        Err(error) if std::env::var_os("RKEEPALIVED_TEST_LAB").is_none() => {
            skipped(&format!(
                "{error:#} (`cargo xtask test` enters a user namespace)"
            ));
            None
        }
        Err(error) => panic!("{error:#}"),
    }
}

/// Says that a test could not run, where the caller of the suite counts it.
pub(crate) fn skipped(why: &str) {
    let line = format!(
        "skipped: {}: {why}\n",
        std::thread::current().name().unwrap_or("?")
    );
    eprint!("{line}");
    if let Some(file) = std::env::var_os("RKEEPALIVED_TEST_SKIPS") {
        let opened = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(file);
        opened
            .expect("the list of skipped tests")
            .write_all(line.as_bytes())
            .expect("its line");
    }
}

/// Two nodes and a client on one bridge: 10.77.0.1, .2 and .9, fd77::1, ::2 and ::9, all on `eth0`.
pub(crate) struct Bed {
    /// The lab; nodes can be added to its bridge `lan`.
    pub(crate) lab: Lab,
    /// 10.77.0.1.
    pub(crate) one: Node,
    /// 10.77.0.2.
    pub(crate) two: Node,
    /// 10.77.0.9.
    pub(crate) client: Node,
    /// The cable of node one.
    pub(crate) cable_one: Cable,
    /// The cable of node two, which nobody pulls.
    _cable_two: Cable,
}

impl Bed {
    /// The bed, or `None` where no namespaces can be made.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let lab = lab(name)?;
        lab.bridge("lan");
        let (one, two, client) = (lab.node("one"), lab.node("two"), lab.node("client"));
        let cable_one = lab.link("lan", &one, DEV, &["10.77.0.1/24", "fd77::1/64"]);
        let cable_two = lab.link("lan", &two, DEV, &["10.77.0.2/24", "fd77::2/64"]);
        lab.link("lan", &client, DEV, &["10.77.0.9/24", "fd77::9/64"]);
        let bed = Self {
            lab,
            one,
            two,
            client,
            cable_one,
            _cable_two: cable_two,
        };
        for node in [&bed.one, &bed.two] {
            link_local(node);
        }
        Some(bed)
    }
}

/// The link-local address of `eth0`, once the kernel has given it; never a virtual one (those of
/// the tests lie in `fe80::77:0/112`).
pub(crate) fn link_local(node: &Node) -> std::net::Ipv6Addr {
    rk_lab::eventually(
        SOON,
        &format!("a link-local address on {}", node.name()),
        || {
            node.addresses(DEV)
                .into_iter()
                .find_map(|address| match address {
                    IpAddr::V6(v6) if v6.is_unicast_link_local() && v6.segments()[6] != 0x77 => {
                        Some(v6)
                    }
                    _ => None,
                })
        },
    )
}

/// Waits until the capture's node heard that `owner` has `address` now: the newest announcement
/// since the last `skip` is what counts.
#[track_caller]
pub(crate) fn announced(at: &mut Capture, owner: &Node, address: IpAddr) {
    let mac = owner.ip_json(&format!("link show {DEV}"))[0]["address"].clone();
    let mac = mac.as_str().expect("a MAC address").to_owned();
    let what = format!("{address} announced at {mac}");
    at.next(&what, SOON, |f| {
        f.announces() == Some(address) && f.source.to_string() == mac
    });
}

/// An instance of VRRP at 0.2 s; `more` goes into its block.
pub(crate) fn instance(priority: u8, more: &str) -> String {
    format!(
        "vrrp_instance VI_1 {{
            interface {DEV}
            virtual_router_id 51
            priority {priority}
            version 3
            advert_int 0.2
            virtual_ipaddress {{
                10.77.0.100/24
            }}
            {more}
        }}\n"
    )
}

/// Whether anything at `address` answers the client (refusing a connection is an answer).
pub(crate) fn answers(client: &Node, address: &str) -> bool {
    let to = SocketAddr::new(address.parse::<IpAddr>().expect("a literal"), 9);
    let result = client.in_net(|| TcpStream::connect_timeout(&to, Duration::from_secs(1)));
    !matches!(result, Err(error) if error.kind() == std::io::ErrorKind::TimedOut
        || error.raw_os_error() == Some(113))
}
