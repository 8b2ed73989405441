//! A cluster in a guest: a client, directors, four real servers that answer with their names.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use rk_lab::{Cable, Http, HttpManners, Lab, Node};

use crate::bed::DEV;

/// The service everybody asks for.
pub(crate) const VIP: &str = "192.0.2.80";
/// Its name in the table.
pub(crate) const SERVICE: &str = "-t 192.0.2.80:80";
/// What the servers are checked by: path, body, and its MD5 digest.
pub(crate) const CHECK: (&str, &str) = ("/check", "alive\n");
pub(crate) const DIGEST: &str = "4e5dc3caa06fa07c79bc3ba5e62ff86b";

/// How requests reach the real servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// The servers are in a network behind the director, which translates both ways.
    Nat,
    /// The servers are beside the director and have the virtual address themselves.
    Dr,
    /// As DR, with the requests in IPIP.
    Tun,
}

impl Method {
    fn keyword(self) -> &'static str {
        match self {
            Self::Nat => "NAT",
            Self::Dr => "DR",
            Self::Tun => "TUN",
        }
    }

    /// The address of real server `number`, from 1.
    pub(crate) fn server(self, number: usize) -> String {
        let network = if self == Self::Nat {
            "10.0.0"
        } else {
            "192.0.2"
        };
        format!("{network}.{}", 10 + number)
    }
}

/// A real server: its host, and its web server while that runs.
pub(crate) struct Server {
    pub(crate) node: Node,
    pub(crate) name: String,
    pub(crate) address: String,
    http: RefCell<Option<Http>>,
}

impl Server {
    /// Starts its web server, with the best manners.
    #[track_caller]
    pub(crate) fn start(&self) {
        self.kill();
        let http = Http::start(&self.node, "0.0.0.0:80", &self.name);
        http.set_page(CHECK.0, CHECK.1);
        self.http.replace(Some(http));
    }

    /// Kills its web server: refused connections from here on.
    pub(crate) fn kill(&self) {
        self.http.take();
    }

    /// Tells its web server how to behave.
    #[track_caller]
    pub(crate) fn tell(&self, manners: HttpManners) {
        let http = self.http.borrow();
        http.as_ref().expect("a running web server").set(manners);
    }

    /// Takes the page away that it is checked by; it goes on serving.
    #[track_caller]
    pub(crate) fn fail_check(&self) {
        let http = self.http.borrow();
        http.as_ref()
            .expect("a running web server")
            .remove_page(CHECK.0);
    }

    /// Ends [`Self::fail_check`].
    #[track_caller]
    pub(crate) fn pass_check(&self) {
        let http = self.http.borrow();
        http.as_ref()
            .expect("a running web server")
            .set_page(CHECK.0, CHECK.1);
    }

    /// Lets all that it sends vanish.
    #[track_caller]
    pub(crate) fn drop_packets(&self) {
        self.node
            .sh(&format!("tc qdisc add dev {DEV} root netem loss 100%"));
    }

    /// Ends [`Self::drop_packets`].
    #[track_caller]
    pub(crate) fn keep_packets(&self) {
        self.node.sh(&format!("tc qdisc del dev {DEV} root"));
    }
}

/// Who answered how often, and how many requests nobody answered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) by: BTreeMap<String, usize>,
    pub(crate) lost: usize,
}

/// 192.0.2.0/24: the client .9, the directors .1 and .2; with DR and TUN the servers .11 to .14,
/// with NAT these are 10.0.0.11 to .14 behind the first director.
pub(crate) struct Cluster {
    _lab: Lab,
    pub(crate) client: Node,
    pub(crate) directors: Vec<Node>,
    pub(crate) servers: Vec<Server>,
    /// Of the directors, to the front.
    pub(crate) cables: Vec<Cable>,
    pub(crate) method: Method,
}

impl Cluster {
    /// Everything but a daemon. With one director it has the virtual address already; two are to
    /// agree about it.
    #[track_caller]
    pub(crate) fn new(method: Method, directors: usize) -> Self {
        let lab = crate::bed::lab("lvs").expect("a guest can make namespaces");
        lab.bridge("front");
        let client = lab.node("client");
        lab.link("front", &client, DEV, &["192.0.2.9/24"]);
        let (directors, cables): (Vec<Node>, Vec<Cable>) = (1..=directors)
            .map(|number| {
                let node = lab.node(&format!("director{number}"));
                let cable = lab.link("front", &node, DEV, &[&format!("192.0.2.{number}/24")]);
                (node, cable)
            })
            .unzip();
        let inner = if method == Method::Nat {
            "back"
        } else {
            "front"
        };
        if method == Method::Nat {
            lab.bridge("back");
            lab.link("back", &directors[0], "eth1", &["10.0.0.1/24"]);
            directors[0].sh("echo 1 > /proc/sys/net/ipv4/ip_forward");
        }
        let servers = (1..=4).map(|number| {
            let name = format!("server{number}");
            let (node, address) = (lab.node(&name), method.server(number));
            lab.link(inner, &node, DEV, &[&format!("{address}/24")]);
            // Never answers for the virtual address, nor names it when it asks itself.
            let silent = "for what in all eth0; do
                    echo 1 > /proc/sys/net/ipv4/conf/$what/arp_ignore
                    echo 2 > /proc/sys/net/ipv4/conf/$what/arp_announce
                done";
            match method {
                Method::Nat => node.sh("ip route add default via 10.0.0.1"),
                Method::Dr => node.sh(&format!("{silent}; ip address add {VIP}/32 dev lo")),
                Method::Tun => node.sh(&format!(
                    "{silent}
                     ip link set tunl0 up && ip address add {VIP}/32 dev tunl0
                     for what in all default tunl0 eth0; do
                         echo 0 > /proc/sys/net/ipv4/conf/$what/rp_filter
                     done"
                )),
            };
            let server = Server {
                node,
                name,
                address,
                http: RefCell::new(None),
            };
            server.start();
            server
        });
        let servers = servers.collect();
        if let [only] = &directors[..] {
            only.sh(&format!("ip address add {VIP}/32 dev {DEV}"));
        }
        Self {
            _lab: lab,
            client,
            directors,
            servers,
            cables,
            method,
        }
    }

    /// The service over all four servers; `more` goes into it, `check` into each of them.
    pub(crate) fn configuration(&self, more: &str, check: &str) -> String {
        let servers: String = self
            .servers
            .iter()
            .map(|server| format!("real_server {} 80 {{\n{check}\n}}\n", server.address))
            .collect();
        format!(
            "virtual_server {VIP} 80 {{
                lb_algo rr
                lb_kind {}
                protocol TCP
                {more}
                {servers}
            }}\n",
            self.method.keyword()
        )
    }

    /// Asks the service `count` times, one after the other, with curl.
    #[track_caller]
    pub(crate) fn ask(&self, count: usize) -> Answers {
        let url = format!("curl -s --max-time 3 'http://{VIP}/?[1-{count}]'");
        let output = self.client.try_sh(&url);
        let mut answers = Answers::default();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            *answers.by.entry(line.to_owned()).or_default() += 1;
        }
        answers.lost = count - answers.by.values().sum::<usize>();
        answers
    }

    /// Waits until exactly these servers (by number, from 1) are in the table of a director with
    /// a weight above zero.
    #[track_caller]
    pub(crate) fn wait_servers(&self, director: &Node, numbers: &[usize], deadline: Duration) {
        let mut wanted: Vec<String> = numbers
            .iter()
            .map(|&number| format!("{}:80", self.method.server(number)))
            .collect();
        wanted.sort();
        let what = format!("servers {numbers:?} in the table");
        director.wait_ipvs(&what, deadline, |table| {
            let all = table.destinations(SERVICE);
            let serving = all.iter().filter(|line| !line.contains(" -w 0"));
            let addresses = serving.map(|line| line.split(' ').next().unwrap_or(""));
            addresses.eq(wanted.iter().map(String::as_str))
        });
    }
}
