//! What scripts, readers of the FIFO, people with a mailbox and readers of the log are told about
//! real servers and quorums, beside Debian's keepalived: word for word.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rk_lab::{Daemon, Guest, Lab, Manners, Node, Process, Smtp, Which};

use crate::lvs::failures::{Doors, FIRST};

/// For how long keepalived has nothing more to say: checks come every second.
const CALM: Duration = Duration::from_millis(2500);
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Writes down how it was started, in one piece and with nothing but the shell itself: in a guest
/// starting programs takes long.
const SCRIPT: &str = r#"#!/bin/sh
read -r _ _ _ _ group _ < /proc/$$/stat
[ "$group" = $$ ] && group=own
while read -r name value; do
    case $name in Uid:|Gid:) who="$who $value";; esac
done < /proc/$$/status
for fd in 0 1 2; do
    [ /proc/$$/fd/$fd -ef /dev/null ] && io="$io null"
done
environment=$(export -p)
all="$# <$1|$2|$3> as$who in $PWD umask $(umask) group $group io$io with $environment"
printf '%s\n\n' "$all" >> /run/seen
"#;

/// A real server whose check is the door of this number, and which tells its script.
fn server(service: &str, number: u16, more: &str) -> String {
    format!(
        "real_server 10.0.0.{} 80 {{
            {more}
            notify_up \"/run/tell up {service} '{number} or so'\"
            notify_down \"/run/tell down {service} {number}\"
            TCP_CHECK {{
                connect_ip 127.0.0.1
                connect_port {}
                connect_timeout 2
                retry 0
            }}
        }}\n",
        number + 1,
        FIRST + number
    )
}

/// A service over the servers behind the first doors.
fn service(name: &str, address: &str, more: &str, of_servers: &[&str]) -> String {
    let mut all = format!(
        "virtual_server {address} {{
            lvs_sched rr
            lvs_method NAT
            protocol TCP
            delay_loop 1
            warmup 0
            smtp_alert
            quorum_up \"/run/tell quorum-up {name}\"
            quorum_down \"/run/tell quorum-down {name}\"
            {more}\n"
    );
    for (number, more) in (0u16..).zip(of_servers) {
        all += &server(name, number, more);
    }
    all + "}\n"
}

fn configuration(global: &str, services: &str) -> String {
    format!(
        "global_defs {{
            script_user nobody nogroup
            router_id LVS1
            notification_email {{
                ops@example.org
            }}
            notification_email_from ka@example.org
            smtp_server 127.0.0.1
            lvs_notify_fifo /run/lvs.fifo
            {global}
        }}
        virtual_server_group G {{
            192.0.2.40-41 80
            fwmark 7
        }}
        {services}"
    )
}

/// Services of which each takes another way through the states.
fn services() -> String {
    let sorry = "sorry_server 10.0.0.99 80";
    let all = [
        service("plain", "192.0.2.1 80", "", &["", ""]),
        service("sorry", "192.0.2.2 80", sorry, &["", "weight 2", ""]),
        service(
            "band",
            "192.0.2.3 80",
            &format!("quorum 3\nhysteresis 1\n{sorry}\nsorry_server_inhibit"),
            &["weight 2", "", "weight 2"],
        ),
        service(
            "greek",
            "192.0.2.4 80",
            &format!("alpha\nomega\nquorum 2\n{sorry}"),
            &["", "", ""],
        ),
        service(
            "beta",
            "192.0.2.5 80",
            "alpha\ninhibit_on_failure",
            &["", "", ""],
        ),
        service("group", "group G", "omega", &["inhibit_on_failure", ""]),
        service("mark", "fwmark 9", "quorum 2", &["", "", ""]),
    ];
    all.concat()
}

/// One of the two, and those who listen to it.
struct Told<'a> {
    daemon: Daemon<'a>,
    doors: Doors<'a>,
    fifo: Process,
    mail: Smtp,
}

/// All that was told so far.
#[derive(Clone, Debug, Default, PartialEq)]
struct Words {
    /// By virtual server, in order.
    fifo: BTreeMap<String, Vec<String>>,
    /// Scripts overlap, mails too, and so do the log lines of several checks: by the alphabet.
    scripts: Vec<String>,
    mails: Vec<String>,
    log: Vec<String>,
}

impl<'a> Told<'a> {
    #[track_caller]
    fn start(node: &'a Node, which: Which, configuration: &str, open: &[u16]) -> Self {
        // A FIFO that keepalived makes is another one behind a reload; this one stays.
        node.sh(
            "ip link set lo up; : > /run/seen; chmod 666 /run/seen; mkfifo -m 600 /run/lvs.fifo",
        );
        node.script("/run/tell", SCRIPT);
        let mail = Smtp::start(node, "127.0.0.1:25", Manners::Good);
        let mut doors = Doors::of(node);
        doors.set(8, |door| open.contains(&door));
        let fifo = node.spawn("sh", &["-c", "exec cat 0<>/run/lvs.fifo"]);
        let daemon = Daemon::start(node, which, configuration);
        Self {
            daemon,
            doors,
            fifo,
            mail,
        }
    }

    fn words(&self) -> Words {
        let mut words = Words::default();
        for line in self.fifo.text().lines() {
            let parts: Vec<&str> = line.split(' ').collect();
            // `VS <name> UP`, `RS <server> <name> UP`; a mark's name has a blank.
            let name = match parts[0] {
                "VS" => parts[1..parts.len() - 1].join(" "),
                _ => parts[2..parts.len() - 1].join(" "),
            };
            words.fifo.entry(name).or_default().push(line.to_owned());
        }
        let seen = self.daemon.node().read("/run/seen").unwrap_or_default();
        words.scripts = seen.split_terminator("\n\n").map(str::to_owned).collect();
        words.mails = self
            .mail
            .sessions()
            .iter()
            .filter_map(|one| {
                let body = one.body()?.trim().lines().next()?;
                Some(format!("{} {}", one.header("Subject")?, straight(body)))
            })
            .collect();
        let log = self.daemon.log();
        words.log = log.lines().filter_map(about_servers).collect();
        words.scripts.sort();
        words.mails.sort();
        words.log.sort();
        words
    }
}

/// A line of the log without its time, if it is about virtual or real servers; not those that only
/// ours has: why something happened, and what became of scripts.
fn about_servers(line: &str) -> Option<String> {
    // `Sat Nov 21 03:31:57 2026: words`
    let (_, words) = line.split_once(" 20")?.1.split_once(": ")?;
    let about = ["service", " VS ", "uorum", "TCP connection", "sorry server"];
    let beside = [" UP: ", " DOWN: ", "/run/tell", "IPVS", "IP_VS"];
    let is_about = about.iter().any(|part| words.contains(part))
        && !beside.iter().any(|part| words.contains(part));
    is_about.then(|| straight(words))
}

/// Words about a quorum that is missing as they should be: keepalived says `2-1=3 > 2` where it
/// starts without, and `2+1=3 <= 2` or the like in mails.
fn straight(words: &str) -> String {
    let down = words.contains("Lost quorum") || words.contains("quorum down");
    let sum = |word: &str| word.contains('=') && !word.starts_with('=');
    let parts: Vec<&str> = words.split(' ').collect();
    let Some(at) = parts.iter().position(|word| sum(word)).filter(|_| down) else {
        return words.to_owned();
    };
    let sign = if words.contains("Lost") { "-" } else { "+" };
    let mut parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
    parts[at] = parts[at].replace(['+', '-'], sign);
    parts[at + 1] = ">".into();
    let (sides, _) = parts[at].split_once('=').expect("a sum");
    let numbers: Vec<u32> = sides.split(sign).filter_map(|n| n.parse().ok()).collect();
    let total = if sign == "-" {
        numbers[0] - numbers[1]
    } else {
        numbers[0] + numbers[1]
    };
    parts[at] = format!("{sides}={total}");
    parts.join(" ")
}

/// Both of them, one beside the other.
struct Both<'a> {
    theirs: Told<'a>,
    ours: Told<'a>,
    /// What keepalived had said before.
    before: Words,
}

impl<'a> Both<'a> {
    #[track_caller]
    fn start(nodes: [&'a Node; 2], configuration: &str, open: &[u16]) -> Self {
        Self {
            theirs: Told::start(nodes[0], Which::Keepalived, configuration, open),
            ours: Told::start(nodes[1], Which::Rkeepalived, configuration, open),
            before: Words::default(),
        }
    }

    /// Opens exactly these doors on both sides.
    fn open(&mut self, open: &[u16]) {
        for told in [&mut self.theirs, &mut self.ours] {
            told.doors.set(8, |door| open.contains(&door));
        }
    }

    /// Waits until keepalived has said all it has to say, and ours the same.
    #[track_caller]
    fn same(&mut self, moment: &str) {
        self.alike(moment, |_| {});
    }

    /// The same without what `drop` drops.
    #[track_caller]
    fn alike(&mut self, moment: &str, drop: fn(&mut Words)) {
        let (mut seen, mut since) = (self.theirs.words(), Instant::now());
        let until = Instant::now() + PATIENCE;
        loop {
            let now = self.theirs.words();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
            let (mut theirs, mut ours) = (seen.clone(), self.ours.words());
            drop(&mut theirs);
            drop(&mut ours);
            if since.elapsed() > CALM && seen != self.before && theirs == ours {
                self.before = seen;
                return;
            }
            assert!(
                Instant::now() < until,
                "{moment}:\n{}",
                difference(&theirs, &ours)
            );
            rk_lab::pause(LOOK_EVERY);
        }
    }
}

/// Which words are said oftener by one of them.
fn difference(theirs: &Words, ours: &Words) -> String {
    let count = |words: &Words| {
        let fifo = words.fifo.values().flatten();
        let others = [&words.scripts, &words.mails, &words.log];
        let mut all: BTreeMap<String, usize> = BTreeMap::new();
        for line in fifo.chain(others.into_iter().flatten()) {
            *all.entry(line.clone()).or_default() += 1;
        }
        all
    };
    let (theirs_by_line, ours_by_line) = (count(theirs), count(ours));
    let mut text = String::new();
    for line in theirs_by_line.keys().chain(ours_by_line.keys()) {
        let [a, b] = [&theirs_by_line, &ours_by_line].map(|all| all.get(line).copied());
        if a != b {
            writeln!(text, "{a:?} times by keepalived, {b:?} by ours: {line}").expect("a string");
        }
    }
    if text.is_empty() {
        // The same lines in another order.
        writeln!(text, "{:#?}\n{:#?}", theirs.fifo, ours.fifo).expect("a string");
    }
    text
}

fn nodes(lab: &Lab) -> [Node; 2] {
    ["one", "two"].map(|name| {
        let node = lab.node(name);
        node.sh("modprobe ip_vs");
        node
    })
}

#[test]
fn everybody_hears_the_same() {
    Guest::new().deadline(Duration::from_mins(5)).run(|| {
        let lab = crate::bed::lab("told").expect("a guest can make namespaces");
        let nodes = nodes(&lab);
        let conf = configuration("", &services());
        let mut both = Both::start([&nodes[0], &nodes[1]], &conf, &[0, 1]);
        both.same("start without the third");
        for (moment, open) in [
            ("the third comes", &[0, 1, 2][..]),
            ("the first goes", &[1, 2]),
            ("the second goes", &[2]),
            ("the last goes", &[]),
            ("the second is back", &[1]),
            ("the first is back", &[0, 1]),
            ("all are back", &[0, 1, 2]),
            ("the last goes again", &[0, 1]),
        ] {
            both.open(open);
            both.same(moment);
        }
        // Nothing that leaves it at the end gets anywhere under keepalived, but it is logged.
        both.theirs.daemon.stop();
        both.ours.daemon.stop();
        both.alike("stop", |words| {
            words.mails.clear();
            words.scripts.clear();
        });
        let mails = both.ours.words().mails;
        let goodbyes = mails.iter().filter(|m| m.ends_with("=> Shutting down <="));
        // Of the two services with `omega`: two servers of each, and themselves.
        assert_eq!(goodbyes.count(), 6, "{mails:#?}");
    });
}

#[test]
fn everybody_hears_the_same_of_a_reload() {
    Guest::new().deadline(Duration::from_mins(4)).run(|| {
        let lab = crate::bed::lab("told").expect("a guest can make namespaces");
        let nodes = nodes(&lab);
        // Up is told at the start, mails only of servers that change, and none of quorums.
        let global = "rs_init_notifies\nno_checker_emails\nsmtp_alert_checker on";
        let sorry = "sorry_server 10.0.0.99 80";
        let services = |first: &[&str], second: &[&str], more: &str| {
            let all = service("one", "192.0.2.1 80", sorry, first)
                + &service("two", "192.0.2.2 80", "omega", second)
                + more;
            configuration(global, &all.replace("            smtp_alert\n", ""))
        };
        let more = service("three", "192.0.2.3 80", "quorum 2", &["", "", ""])
            + &service("four", "192.0.2.4 80", "omega\nsmtp_alert", &["", "", ""]);
        let conf = services(&["", "", ""], &["", "smtp_alert off", ""], &more);
        let mut both = Both::start([&nodes[0], &nodes[1]], &conf, &[0, 1]);
        both.same("start without the third");
        // What is said of checks that go on differs, see doc/compatibility.md.
        let but_the_log: fn(&mut Words) = |words| words.log.clear();
        let without = services(&["", ""], &["", "smtp_alert off"], "");
        for (moment, conf) in [
            ("the third server and two services go", &without),
            ("they are back", &conf),
        ] {
            for told in [&both.theirs, &both.ours] {
                told.daemon.reload(conf);
            }
            both.alike(moment, but_the_log);
        }
        let heavier = services(&["weight 3", "", ""], &["", "smtp_alert off", ""], &more);
        for told in [&both.theirs, &both.ours] {
            told.daemon.reload(&heavier);
        }
        both.open(&[0, 1, 2]);
        both.alike("the third comes", but_the_log);
        both.open(&[1, 2]);
        both.alike("the first goes", but_the_log);
        both.theirs.daemon.stop();
        both.ours.daemon.stop();
    });
}
