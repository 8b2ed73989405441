//! What a client sees while something happens: many short requests, or one long answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rk_lab::Node;

use crate::lvs::bed::VIP;

/// How long a request may take before it counts as lost, and an answer may pause before it counts
/// as broken off.
const PATIENCE: Duration = Duration::from_secs(10);

fn connect(path: &str) -> std::io::Result<TcpStream> {
    let service = SocketAddr::new(VIP.parse().expect("a literal"), 80);
    let mut stream = TcpStream::connect_timeout(&service, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {VIP}\r\n\r\n").as_bytes())?;
    Ok(stream)
}

/// The body of one answer with status 200, without its line end.
fn request() -> std::io::Result<String> {
    let mut answer = String::new();
    connect("/")?.read_to_string(&mut answer)?;
    let bad = || std::io::Error::other(answer.lines().next().unwrap_or("nothing").to_owned());
    let body = answer
        .strip_prefix("HTTP/1.1 200 ")
        .and_then(|rest| rest.split_once("\r\n\r\n"));
    Ok(body.ok_or_else(bad)?.1.trim_end().to_owned())
}

/// A client that asks one request after the other until it is told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    answers: Arc<Mutex<Vec<Result<String, String>>>>,
    thread: JoinHandle<()>,
}

impl Load {
    pub(crate) fn start(client: &Node) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answers = Arc::new(Mutex::new(Vec::new()));
        let net = client.net();
        let thread = std::thread::spawn({
            let (stop, answers) = (Arc::clone(&stop), Arc::clone(&answers));
            move || {
                net.enter().expect("the client's network");
                while !stop.load(Ordering::Relaxed) {
                    let answer = request().map_err(|error| error.to_string());
                    let mut answers = answers.lock().expect("nobody panics with it");
                    answers.push(answer);
                }
            }
        });
        Self {
            stop,
            answers,
            thread,
        }
    }

    /// The answers so far, each the name of a server or what went wrong.
    pub(crate) fn answers(&self) -> Vec<Result<String, String>> {
        self.answers.lock().expect("nobody panics with it").clone()
    }

    /// Waits for `count` more answers than there are now.
    #[track_caller]
    pub(crate) fn wait_more(&self, count: usize) {
        let wanted = self.answers().len() + count;
        rk_lab::eventually(Duration::from_secs(30), "more answers", || {
            (self.answers().len() >= wanted).then_some(())
        });
    }

    /// Ends it; all answers.
    pub(crate) fn stop(self) -> Vec<Result<String, String>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the client");
        let answers = self.answers.lock().expect("nobody panics with it");
        answers.clone()
    }
}

/// A client with one long answer: a line every tenth of a second.
pub(crate) struct Drip {
    stream: TcpStream,
    lines: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drip {
    /// Connects and waits for the first lines.
    #[track_caller]
    pub(crate) fn start(client: &Node) -> Self {
        let stream = client.in_net(|| connect("/drip")).expect("a connection");
        let (lines, ended) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let thread = std::thread::spawn({
            let (lines, ended) = (Arc::clone(&lines), Arc::clone(&ended));
            let stream = stream.try_clone().expect("a second descriptor");
            move || {
                for line in BufReader::new(stream).lines() {
                    if line.is_err() {
                        break;
                    }
                    lines.fetch_add(1, Ordering::Relaxed);
                }
                ended.store(true, Ordering::Relaxed);
            }
        });
        let drip = Self {
            stream,
            lines,
            ended,
            thread: Some(thread),
        };
        assert!(drip.goes_on(), "the first lines");
        drip
    }

    /// Waits until five more lines have come, or the connection has ended: whether they came.
    pub(crate) fn goes_on(&self) -> bool {
        let wanted = self.lines.load(Ordering::Relaxed) + 5;
        rk_lab::eventually(PATIENCE * 3, "five lines or the end", || {
            let came = self.lines.load(Ordering::Relaxed) >= wanted;
            (came || self.ended.load(Ordering::Relaxed)).then_some(came)
        })
    }

    /// The client's end of the connection.
    pub(crate) fn local(&self) -> SocketAddr {
        self.stream.local_addr().expect("a connected socket")
    }
}

impl Drop for Drip {
    fn drop(&mut self) {
        self.stream.shutdown(std::net::Shutdown::Both).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
