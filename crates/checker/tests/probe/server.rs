//! Servers made here, which behave as told, and real ones started for one test.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use socket2::SockRef;

/// How long anything may take before a test fails.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A loopback address that no other test has: ports on it can be chosen freely.
pub(crate) fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let pid = std::process::id();
    let [_, high, middle, low] = pid.to_be_bytes();
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    // 16 bits of the process's number, and which address of the process this is.
    Ipv4Addr::new(127, middle ^ high.wrapping_mul(16), low, next)
}

/// What was received, piece by piece.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<(Mutex<Vec<Vec<u8>>>, Condvar)>);

impl Seen {
    pub(crate) fn add(&self, octets: &[u8]) {
        self.0.0.lock().unwrap().push(octets.to_vec());
        self.0.1.notify_all();
    }

    /// The first piece, once there is one.
    #[track_caller]
    pub(crate) fn first(&self) -> Vec<u8> {
        self.nth(0)
    }

    #[track_caller]
    pub(crate) fn nth(&self, n: usize) -> Vec<u8> {
        let deadline = Instant::now() + LIMIT;
        let mut seen = self.0.0.lock().unwrap();
        loop {
            if let Some(piece) = seen.get(n) {
                return piece.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "nothing came");
            seen = self.0.1.wait_timeout(seen, left).unwrap().0;
        }
    }
}

/// One connection to a server made here.
pub(crate) struct Visit {
    pub(crate) stream: TcpStream,
    pub(crate) seen: Seen,
}

impl Visit {
    /// Reads an HTTP request, up to its empty line, or whatever comes before the end.
    pub(crate) fn request(&mut self) {
        let mut request = Vec::new();
        let mut octet = [0];
        while !request.ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut octet) {
                Ok(1) => request.push(octet[0]),
                _ => break,
            }
        }
        self.seen.add(&request);
    }

    /// Sends, and does not mind if nobody listens any more.
    pub(crate) fn say(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).ok();
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        let linger = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        linger.unwrap();
    }

    /// Says nothing more until the other side hangs up, and notes that it has.
    pub(crate) fn hold(&mut self) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).ok();
        self.seen.add(b"gone");
    }
}

/// Serves every connection with `serve`, on a thread each; gives the address and what was seen.
pub(crate) fn tcp(serve: impl Fn(Visit) + Send + Sync + 'static) -> (SocketAddr, Seen) {
    tcp_at(IpAddr::V4(Ipv4Addr::LOCALHOST), serve)
}

pub(crate) fn tcp_at(
    address: IpAddr,
    serve: impl Fn(Visit) + Send + Sync + 'static,
) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let (serve, all) = (Arc::new(serve), seen.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Some are gone before they are taken.
            let Ok(stream) = stream else { continue };
            let (serve, seen) = (Arc::clone(&serve), all.clone());
            std::thread::spawn(move || serve(Visit { stream, seen }));
        }
    });
    (address, seen)
}

/// Answers every request with `octets` and hangs up.
pub(crate) fn web(octets: impl Into<Vec<u8>>) -> (SocketAddr, Seen) {
    let octets = octets.into();
    tcp(move |mut visit| {
        visit.request();
        visit.say(&octets);
    })
}

/// Answers every datagram with what `answer` makes of it.
pub(crate) fn udp(
    answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static,
) -> (SocketAddr, Seen) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    let seen = Seen::default();
    let all = seen.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 65536];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            all.add(&buffer[..length]);
            if let Some(answer) = answer(&buffer[..length]) {
                socket.send_to(&answer, from).unwrap();
            }
        }
    });
    (address, seen)
}

/// An address at which nobody listens.
pub(crate) fn nobody() -> SocketAddr {
    SocketAddr::from((own_address(), 9))
}

/// An address at which connections are neither taken nor refused: the queue is full.
pub(crate) struct Full {
    pub(crate) address: SocketAddr,
    _queue: Vec<socket2::Socket>,
    _listener: socket2::Socket,
}

impl Full {
    pub(crate) fn new() -> Self {
        let new = || {
            let kind = socket2::Type::STREAM.nonblocking();
            socket2::Socket::new(socket2::Domain::IPV4, kind, None).unwrap()
        };
        let listener = new();
        listener
            .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
            .unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let queue = (0..4)
            .map(|_| {
                let one = new();
                one.connect(&address.into()).ok();
                one
            })
            .collect();
        Self {
            address,
            _queue: queue,
            _listener: listener,
        }
    }
}

/// A real server, ended when dropped.
pub(crate) struct Daemon(Child);

impl Daemon {
    /// Starts `command` and waits until it takes connections at `address`.
    #[track_caller]
    pub(crate) fn start(command: &mut Command, address: SocketAddr) -> Self {
        let mut daemon = Self::spawn(command);
        rk_lab::eventually(
            LIMIT,
            &format!("{command:?} to listen on {address}"),
            || {
                assert!(daemon.is_running(), "{command:?} has ended");
                TcpStream::connect(address).ok()
            },
        );
        daemon
    }

    #[track_caller]
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Whether `program` is installed; says that the test is skipped if not.
pub(crate) fn installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let found = path
        .split(':')
        .chain(["/usr/sbin", "/usr/bin"])
        .any(|directory| std::path::Path::new(directory).join(program).exists());
    if !found {
        skipped(&format!("{program} is not installed"));
    }
    found
}

/// Says that a test could not run.
#[expect(clippy::print_stderr, reason = "whoever runs the tests wants to know")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
