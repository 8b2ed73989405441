//! The published guide about two directors in front of two web servers, its files unedited: real
//! requests, and the same table as under Debian's keepalived.

use std::time::Duration;

use rk_lab::{Cable, Daemon, Guest, Http, Lab, Node, Which};

use crate::bed::{DEV, SOON};
use crate::guides::guide;

/// The guide's addresses.
const VIP: &str = "192.168.4.15";
const WEB: [&str; 2] = ["192.168.4.100", "192.168.4.200"];
const SERVICE: &str = "-t 192.168.4.15:80";
/// Every six seconds a check that waits three, once more three seconds later, in a slow guest.
const NOTICED: Duration = Duration::from_secs(40);

/// The hosts of the guide, and a client.
struct Site {
    _lab: Lab,
    client: Node,
    directors: [Node; 2],
    cable: Cable,
    web: [Node; 2],
}

impl Site {
    #[track_caller]
    fn new() -> Self {
        let lab = crate::bed::lab("guide").expect("a guest can make namespaces");
        lab.bridge("lan");
        let host = |name: &str, address: &str| {
            let node = lab.node(name);
            let cable = lab.link("lan", &node, DEV, &[&format!("{address}/24")]);
            (node, cable)
        };
        let (client, _) = host("client", "192.168.4.9");
        let (one, cable) = host("lvs1", "192.168.4.5");
        let (two, _) = host("lvs2", "192.168.4.6");
        let web = [("web1", WEB[0]), ("web2", WEB[1])].map(|(name, address)| {
            let (node, _) = host(name, address);
            // What the guide does on the web servers, so that only a director answers for it.
            node.sh(&format!(
                "for what in all lo; do
                    echo 1 > /proc/sys/net/ipv4/conf/$what/arp_ignore
                    echo 2 > /proc/sys/net/ipv4/conf/$what/arp_announce
                done
                ip address add {VIP}/32 dev lo"
            ));
            node
        });
        Self {
            _lab: lab,
            client,
            directors: [one, two],
            cable,
            web,
        }
    }

    /// Asks `count` times; the names of who answered, in order.
    #[track_caller]
    fn ask(&self, count: usize) -> Vec<String> {
        let url = format!("curl -s --max-time 3 'http://{VIP}/?[1-{count}]'");
        let output = self.client.try_sh(&url);
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines().map(str::to_owned).collect()
    }

    /// Both answer in turn, and nothing is lost.
    #[track_caller]
    fn both_answer(&self) {
        let mut answers = self.ask(12);
        assert!(
            answers.windows(2).all(|two| two[0] != two[1]),
            "{answers:?}"
        );
        answers.sort();
        let wanted = [["web1"; 6], ["web2"; 6]].concat();
        assert_eq!(answers, wanted);
    }

    /// Waits until exactly `servers` of [`WEB`] are in the tables of `directors`; what
    /// `ipvsadm -Ln` prints there, without the numbers of connections.
    #[track_caller]
    fn tables(&self, directors: &[Node], servers: &[usize]) -> Vec<String> {
        let wanted: Vec<String> = servers
            .iter()
            .map(|&number| format!("{}:80", WEB[number]))
            .collect();
        let what = format!("servers {wanted:?} in the table");
        let table = |director: &Node| {
            director.wait_ipvs(&what, NOTICED, |table| {
                let all = table.destinations(SERVICE);
                let addresses = all.iter().map(|line| line.split(' ').next().unwrap_or(""));
                addresses.eq(wanted.iter().map(String::as_str))
            });
            let text = director.ipvsadm(&["-Ln"]);
            let lines = text.lines().map(|line| {
                let words: Vec<_> = line.split_whitespace().collect();
                let kept = if words[0] == "->" { 4 } else { words.len() };
                words[..kept.min(words.len())].join(" ") + "\n"
            });
            lines.collect()
        };
        directors.iter().map(table).collect()
    }
}

/// The deployment from start to stop, on `files`: what the tables were at each step.
fn deployment(which: Which, files: &[String; 2]) -> Vec<String> {
    let site = Site::new();
    let [one, two] = &site.directors;
    let mut http = site.web.each_ref().map(|node| {
        let name = node.name();
        Some(Http::start(node, "0.0.0.0:80", name))
    });
    let mut first = Daemon::start(one, which, &files[0]);
    let mut second = Daemon::start(two, which, &files[1]);
    first.wait_state("VI_1", "MASTER", SOON);
    one.wait_address(DEV, VIP, true, SOON);
    let mut seen = site.tables(&site.directors, &[0, 1]);
    site.both_answer();

    http[0].take();
    seen.extend(site.tables(&site.directors, &[1]));
    assert_eq!(site.ask(4), ["web2"; 4]);
    http[0] = Some(Http::start(&site.web[0], "0.0.0.0:80", "web1"));
    seen.extend(site.tables(&site.directors, &[0, 1]));
    site.both_answer();

    // The other director takes over; the first sees no server any more.
    site.cable.pull();
    second.wait_state("VI_1", "MASTER", SOON);
    two.wait_address(DEV, VIP, true, SOON);
    seen.extend(site.tables(&site.directors[1..], &[0, 1]));
    site.both_answer();
    seen.extend(site.tables(&site.directors[..1], &[]));

    second.stop();
    first.stop();
    for director in &site.directors {
        let left = director.ipvs();
        assert!(left.is_empty(), "{left}");
    }
    seen
}

#[test]
fn two_directors_in_front_of_two_web_servers() {
    let files = ["lvs-dr-1.conf", "lvs-dr-2.conf"].map(guide);
    let [Some(one), Some(two)] = files else {
        return;
    };
    let files = [one, two];
    let guest = Guest::new().memory(512).deadline(Duration::from_mins(5));
    guest.run(move || {
        let reference = deployment(Which::Keepalived, &files);
        let ours = deployment(Which::Rkeepalived, &files);
        assert_eq!(ours, reference);
    });
}
