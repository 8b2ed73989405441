//! `cargo xtask demo`: HAProxy dies on the active node, and the address moves.
//!
//! ```text
//!   active .1 ----.
//!                  lan, 192.0.2.0/24 ---- client .9
//!   standby .2 ---'        service: 192.0.2.100:80
//! ```
//!
//! Both nodes run HAProxy and rkeepalived from `conf-samples/haproxy-pair/`; each has its own
//! processes and its own /etc/keepalived. The client asks for a page over and over.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rk_lab::{Daemon, Lab, Manners, Node, Process, Smtp, Which, eventually, pause};

use crate::{Verdict, need, tool};

/// Where the service is.
const SERVICE: &str = "192.0.2.100:80";
const ADDRESS: &str = "192.0.2.100";
/// How often the client asks, and how long it waits for an answer.
const ASK_EVERY: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_millis(250);
/// How long any step may take.
const SOON: Duration = Duration::from_secs(30);

pub(crate) fn run(which: Which) -> Result<Verdict> {
    need::packages(&[need::LAB, need::DEMO])?;
    need::enter_lab()?;
    let mut lab = Lab::new("demo")?;
    if which == Which::Rkeepalived {
        lab = lab.offer(&tool::rkeepalived("debug")?);
    }
    lab.bridge("lan");
    let (active, standby, client) = (lab.node("active"), lab.node("standby"), lab.node("client"));
    lab.link("lan", &active, "eth0", &["192.0.2.1/24"]);
    lab.link("lan", &standby, "eth0", &["192.0.2.2/24"]);
    lab.link("lan", &client, "eth0", &["192.0.2.9/24"]);
    println!("two nodes and a client on one wire; the service is http://{ADDRESS}/\n");

    let mut active = Host::start(&active, which)?;
    let mut standby = Host::start(&standby, which)?;
    active.daemon.wait_state("web", "MASTER", SOON);
    let asking = Client::start(&client);
    let started = Instant::now();
    asking.wait_for_answer("active");
    tell(
        started,
        &format!("{} is master, and answers the client", active.name()),
    );

    let stage = Stage {
        started,
        asking: &asking,
    };
    stage.play(
        "HAProxy is killed on the active node",
        &mut standby,
        &mut active,
        |_, old| {
            old.node.sh("killall -KILL haproxy");
        },
    );
    stage.play(
        "HAProxy is started again on the active node",
        &mut active,
        &mut standby,
        |new, _| {
            new.haproxy = haproxy(new.node);
        },
    );
    println!("\nNothing is left behind: the namespaces go with this command.");
    Ok(Verdict::Good)
}

/// A node with everything that runs on it.
struct Host<'a> {
    node: &'a Node,
    daemon: Daemon<'a>,
    mail: Smtp,
    haproxy: Process,
    /// How many mails, diary lines and log lines have been shown.
    shown: (usize, usize, usize),
}

impl<'a> Host<'a> {
    fn start(node: &'a Node, which: Which) -> Result<Self> {
        let samples = tool::root().join("conf-samples/haproxy-pair");
        let sample = |name: &str| {
            let path = samples.join(name);
            std::fs::read_to_string(&path).with_context(|| path.display().to_string())
        };
        node.write("/etc/keepalived/haproxy.cfg", sample("haproxy.cfg")?);
        node.script("/etc/keepalived/notify.sh", &sample("notify.sh")?);
        let mail = Smtp::start(node, "127.0.0.1:25", Manners::Good);
        let haproxy = haproxy(node);
        let configuration = sample(&format!("{}.conf", node.name()))?;
        let daemon = Daemon::start(node, which, &configuration);
        Ok(Self {
            node,
            daemon,
            mail,
            haproxy,
            shown: (0, 0, 0),
        })
    }

    fn name(&self) -> &str {
        self.node.name()
    }

    /// What the log says about the instance, the diary, and the mails, since last shown.
    fn show_news(&mut self) {
        let log: Vec<_> = self.daemon.process().lines();
        let news = log
            .iter()
            .skip(self.shown.2)
            .map(|line| without_date(&line.text));
        let mut before = "";
        for text in news.filter(|text| is_about_web(text)) {
            // The same word about every advert is said once here.
            if text != before {
                println!("    {} log     {text}", self.node.name());
            }
            before = text;
        }
        let diary = self.node.read("/run/notify.log").unwrap_or_default();
        for line in diary.lines().skip(self.shown.1) {
            println!("    {} script  {line}", self.node.name());
        }
        let mails = self.mail.sessions();
        for mail in mails.iter().skip(self.shown.0) {
            let subject = mail.header("Subject").unwrap_or_default();
            println!("    {} mail    {subject}", self.node.name());
            for line in mail
                .body()
                .unwrap_or_default()
                .lines()
                .filter(|line| !line.is_empty())
            {
                println!(
                    "    {}           {line}",
                    " ".repeat(self.node.name().len())
                );
            }
        }
        self.shown = (mails.len(), diary.lines().count(), log.len());
    }
}

/// Starts HAProxy and waits until it listens.
fn haproxy(node: &Node) -> Process {
    let process = node.spawn("haproxy", &["-db", "-f", "/etc/keepalived/haproxy.cfg"]);
    let open = || node.in_net(|| TcpStream::connect(("127.0.0.1", 80)).ok());
    eventually(
        SOON,
        &format!("HAProxy on {}: {}", node.name(), process.text()),
        open,
    );
    process
}

/// What is the same for both acts.
struct Stage<'a> {
    started: Instant,
    asking: &'a Client,
}

impl Stage<'_> {
    /// Something happens, `new` takes over from `old`, and everybody says why.
    fn play<'a>(
        &self,
        what: &str,
        new: &mut Host<'a>,
        old: &mut Host<'a>,
        happens: impl FnOnce(&mut Host<'a>, &mut Host<'a>),
    ) {
        // News of the time before is not this act's.
        pause(Duration::from_secs(1));
        for host in [&mut *new, &mut *old] {
            let log = host.daemon.process().lines().len();
            let diary = host
                .node
                .read("/run/notify.log")
                .unwrap_or_default()
                .lines()
                .count();
            host.shown = (host.mail.sessions().len(), diary, log);
            host.daemon.process().skip_lines();
        }
        self.asking.forget();
        println!();
        tell(self.started, what);
        let happened = Instant::now();
        happens(&mut *new, &mut *old);
        new.daemon.wait_state("web", "MASTER", SOON);
        let took = happened.elapsed();
        old.daemon.wait_state("web", "BACKUP", SOON);
        self.asking.wait_for_answer(new.name());
        tell(
            self.started,
            &format!(
                "{} is master, {:.2} s later",
                new.name(),
                took.as_secs_f64()
            ),
        );
        let outage = self.asking.longest_silence();
        tell(
            self.started,
            &format!(
                "the client was without an answer for {:.2} s",
                outage.as_secs_f64()
            ),
        );
        let announced = |host: &Host<'_>| host.mail.sessions().len() > host.shown.0;
        eventually(SOON, "the mails of both nodes", || {
            (announced(new) && announced(old)).then_some(())
        });
        println!("  what was said, and why:");
        old.show_news();
        new.show_news();
    }
}

/// Asks for the page over and over.
struct Client {
    answers: Arc<Mutex<Answers>>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What came back.
struct Answers {
    /// Who answered last.
    from: String,
    /// When.
    last: Instant,
    /// The longest time between two answers since asked to forget.
    longest: Duration,
}

impl Client {
    fn start(node: &Node) -> Self {
        let now = Instant::now();
        let answers = Answers {
            from: String::new(),
            last: now,
            longest: Duration::ZERO,
        };
        let answers = Arc::new(Mutex::new(answers));
        let stop = Arc::new(AtomicBool::new(false));
        let net = node.net();
        let thread = std::thread::spawn({
            let (answers, stop) = (Arc::clone(&answers), Arc::clone(&stop));
            move || {
                if net.enter().is_err() {
                    return;
                }
                while !stop.load(Ordering::Relaxed) {
                    if let Ok(from) = ask() {
                        let mut answers = locked(&answers);
                        let now = Instant::now();
                        answers.longest = answers.longest.max(now - answers.last);
                        answers.last = now;
                        answers.from = from;
                    }
                    pause(ASK_EVERY);
                }
            }
        });
        Self {
            answers,
            stop,
            thread: Some(thread),
        }
    }

    fn wait_for_answer(&self, from: &str) {
        let what = format!("an answer of {from} to the client");
        eventually(SOON, &what, || {
            (locked(&self.answers).from == from).then_some(())
        });
    }

    fn longest_silence(&self) -> Duration {
        locked(&self.answers).longest
    }

    fn forget(&self) {
        locked(&self.answers).longest = Duration::ZERO;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// One request; the answer is the name of the node.
fn ask() -> Result<String> {
    let service: SocketAddr = SERVICE.parse()?;
    let mut connection = TcpStream::connect_timeout(&service, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("an HTTP answer")?;
    Ok(body.trim().to_owned())
}

fn tell(started: Instant, what: &str) {
    println!("{:6.2} s  {what}", started.elapsed().as_secs_f64());
}

fn locked(answers: &Mutex<Answers>) -> MutexGuard<'_, Answers> {
    answers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lines about the instance or its script, without those about single packets.
fn is_about_web(line: &str) -> bool {
    (line.contains("(web)") || line.to_ascii_lowercase().contains("script"))
        && !line.contains("gratuitous ARP")
}

/// A line of the console log without its date: the demo tells its own time.
fn without_date(line: &str) -> &str {
    // `Sat Nov 21 04:21:11 2026: text`
    line.split_once(": ")
        .filter(|(date, _)| date.len() == 24)
        .map_or(line, |(_, text)| text)
}
