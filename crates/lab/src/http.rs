//! A web server for tests: answers well, wrongly, slowly, rudely or not at all, as it is told
//! while it runs, and keeps what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};

use crate::node::Node;
use crate::process::locked;

/// The longest request head that is read, in bytes.
const LONGEST_HEAD: u64 = 64 * 1024;
/// How long a rude server keeps a connection that says nothing.
const KEPT: Duration = Duration::from_mins(10);
/// Between two bytes of a slow answer, and between two lines of `/drip`.
const BEAT: Duration = Duration::from_millis(100);

/// How a server behaves, from its next connection on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpManners {
    /// 200 with the page that was asked for, 404 for one it has not.
    Good,
    /// The right page with this status.
    Status(u16),
    /// 200 with another page.
    WrongPage,
    /// Accepts, reads the request, never answers.
    Hang,
    /// Resets the connection as soon as it is there.
    Reset,
    /// Answers something that is not HTTP.
    Garbage,
    /// A good answer, a byte every 100 ms.
    Loris,
    /// Half of what Content-Length promises, then the end.
    HalfClosed,
    /// 200 with so many bytes of body.
    Body(u64),
    /// 200 behind so many bytes of header fields.
    Headers(u64),
    /// Sends everybody to the same page again.
    RedirectLoop,
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// When its head was complete, or the connection accepted where nobody read it.
    pub at: Instant,
    /// Who asked.
    pub from: SocketAddr,
    /// `GET`, or empty where nothing was read.
    pub method: String,
    /// The path, such as `/check?a=b`; the page is found by what is before the question mark.
    pub path: String,
    /// The version, such as `HTTP/1.1`.
    pub version: String,
    /// Header fields in order, names as they were written.
    pub headers: Vec<(String, String)>,
}

impl HttpRequest {
    /// The value of a header field, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(one, _)| one.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Debug)]
struct Shared {
    manners: Mutex<HttpManners>,
    pages: Mutex<BTreeMap<String, String>>,
    requests: Mutex<Vec<HttpRequest>>,
    /// Open connections by number, to end them with the server.
    open: Mutex<BTreeMap<u64, TcpStream>>,
}

/// A server in a node's network namespace. Its end, by [`Drop`], is that of a killed one: the
/// port is closed and so is every connection.
#[derive(Debug)]
pub struct Http {
    shared: Arc<Shared>,
    listener: Arc<TcpListener>,
    server: Option<JoinHandle<()>>,
}

impl Http {
    /// Listens on `address` (such as `0.0.0.0:80`) inside `node`. Its page `/` is `name` and a
    /// line end; `/drip` is a line every 100 ms until the client has enough.
    ///
    /// # Panics
    /// If the address is taken.
    #[track_caller]
    #[must_use]
    pub fn start(node: &Node, address: &str, name: &str) -> Self {
        match node.in_net(|| TcpListener::bind(address)) {
            Ok(listener) => Self::on(listener, name),
            Err(error) => panic!("{}: cannot listen on {address}: {error}", node.name()),
        }
    }

    /// As [`Self::start`], on a socket that listens already.
    #[must_use]
    pub fn on(listener: TcpListener, name: &str) -> Self {
        let shared = Arc::new(Shared {
            manners: Mutex::new(HttpManners::Good),
            pages: Mutex::new(BTreeMap::from([("/".to_owned(), format!("{name}\n"))])),
            requests: Mutex::default(),
            open: Mutex::default(),
        });
        let listener = Arc::new(listener);
        let server = std::thread::spawn({
            let (shared, listener) = (Arc::clone(&shared), Arc::clone(&listener));
            move || accept(&shared, &listener)
        });
        Self {
            shared,
            listener,
            server: Some(server),
        }
    }

    /// Adds or replaces a page.
    pub fn set_page(&self, path: &str, body: &str) {
        locked(&self.shared.pages).insert(path.to_owned(), body.to_owned());
    }

    /// Takes a page away: 404 from here on.
    pub fn remove_page(&self, path: &str) {
        locked(&self.shared.pages).remove(path);
    }

    /// Changes how it behaves.
    pub fn set(&self, manners: HttpManners) {
        *locked(&self.shared.manners) = manners;
    }

    /// What it was asked so far.
    #[must_use]
    pub fn requests(&self) -> Vec<HttpRequest> {
        locked(&self.shared.requests).clone()
    }

    /// Forgets what it was asked.
    pub fn forget(&self) {
        locked(&self.shared.requests).clear();
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        // On Linux this wakes whoever waits in accept.
        nix::sys::socket::shutdown(self.listener.as_raw_fd(), nix::sys::socket::Shutdown::Both)
            .ok();
        if let Some(server) = self.server.take() {
            server.join().ok();
        }
        for connection in locked(&self.shared.open).values() {
            connection.shutdown(Shutdown::Both).ok();
        }
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    let mut number = 0;
    while let Ok((client, from)) = listener.accept() {
        number += 1;
        let Ok(kept) = client.try_clone() else {
            continue;
        };
        locked(&shared.open).insert(number, kept);
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            serve(&shared, &client, from).ok();
            locked(&shared.open).remove(&number);
        });
    }
}

/// One connection: one request, one answer.
fn serve(shared: &Shared, client: &TcpStream, from: SocketAddr) -> std::io::Result<()> {
    let manners = *locked(&shared.manners);
    if manners == HttpManners::Reset {
        record(shared, from, "");
        let at_once = nix::libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        setsockopt(client, sockopt::Linger, &at_once)?;
        // The socket is reset when its last descriptor closes.
        locked(&shared.open).retain(|_, one| one.peer_addr().ok() != Some(from));
        return Ok(());
    }
    client.set_read_timeout(Some(KEPT))?;
    let mut head = String::new();
    let mut lines = BufReader::new(client.take(LONGEST_HEAD));
    while lines.read_line(&mut head)? > 0 && !head.ends_with("\n\r\n") && !head.ends_with("\n\n") {}
    let path = record(shared, from, &head);
    if path.is_empty() {
        return Ok(());
    }
    answer(shared, client, manners, &path)
}

/// Notes a request and returns its path.
fn record(shared: &Shared, from: SocketAddr, head: &str) -> String {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or("").split_whitespace();
    let mut word = || words.next().unwrap_or("").to_owned();
    let (method, path, version) = (word(), word(), word());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    locked(&shared.requests).push(HttpRequest {
        at: Instant::now(),
        from,
        method,
        path: path.clone(),
        version,
        headers,
    });
    path
}

fn answer(
    shared: &Shared,
    mut client: &TcpStream,
    manners: HttpManners,
    path: &str,
) -> std::io::Result<()> {
    let file = path.split('?').next().unwrap_or(path);
    let page = locked(&shared.pages).get(file).cloned();
    let found = if page.is_some() { 200 } else { 404 };
    let page = page.unwrap_or_else(|| "there is no such page\n".to_owned());
    let ok = |body: &str| whole(200, body);
    match manners {
        HttpManners::Good if path == "/drip" => {
            client.write_all(head(200, None, "").as_bytes())?;
            for number in 0_u64.. {
                client.write_all(format!("{number}\n").as_bytes())?;
                crate::pause(BEAT);
            }
            Ok(())
        }
        HttpManners::Good => client.write_all(whole(found, &page).as_bytes()),
        HttpManners::Status(status) => client.write_all(whole(status, &page).as_bytes()),
        HttpManners::WrongPage => client.write_all(ok("under construction\n").as_bytes()),
        HttpManners::Hang => {
            // Until the client, or this server, has enough.
            let mut one = [0];
            while let Ok(1..) = client.read(&mut one) {}
            Ok(())
        }
        HttpManners::Reset => Ok(()),
        HttpManners::Garbage => client.write_all(&[0xff; 10_000]),
        HttpManners::Loris => {
            for byte in ok(&page).bytes() {
                client.write_all(&[byte])?;
                crate::pause(BEAT);
            }
            Ok(())
        }
        HttpManners::HalfClosed => {
            let length = page.len() as u64 * 2;
            client.write_all(head(200, Some(length), "").as_bytes())?;
            client.write_all(page.as_bytes())?;
            client.shutdown(Shutdown::Write)
        }
        HttpManners::Body(length) => {
            client.write_all(head(200, Some(length), "").as_bytes())?;
            repeat(client, length)
        }
        HttpManners::Headers(length) => {
            client.write_all(b"HTTP/1.1 200 OK\r\nX-Long: ")?;
            repeat(client, length)?;
            client.write_all(b"\r\n\r\n")?;
            client.write_all(page.as_bytes())
        }
        HttpManners::RedirectLoop => {
            let there = format!("Location: {path}\r\n");
            client.write_all(head(302, Some(0), &there).as_bytes())
        }
    }
}

fn repeat(mut client: &TcpStream, length: u64) -> std::io::Result<()> {
    let some = [b'x'; 16 * 1024];
    let mut left = length;
    while left > 0 {
        let now = left.min(some.len() as u64);
        client.write_all(&some[..usize::try_from(now).unwrap_or(some.len())])?;
        left -= now;
    }
    Ok(())
}

fn whole(status: u16, body: &str) -> String {
    head(status, Some(body.len() as u64), "") + body
}

fn head(status: u16, length: Option<u64>, more: &str) -> String {
    let reason = match status {
        200 => "OK",
        302 => "Found",
        404 => "Not Found",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "So",
    };
    let length = length.map_or(String::new(), |n| format!("Content-Length: {n}\r\n"));
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\n{length}{more}\
         Connection: close\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> (Http, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (Http::on(listener, "one"), address)
    }

    fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
        let mut client = TcpStream::connect(address)?;
        client.set_read_timeout(Some(Duration::from_secs(10)))?;
        client.write_all(format!("GET {path} HTTP/1.0\r\nHost: x\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    #[test]
    fn it_answers_and_remembers() {
        let (server, address) = server();
        let answer = ask(address, "/").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\none\n"), "{answer}");
        assert!(ask(address, "/nothing").unwrap().contains(" 404 "));
        let asked = server.requests();
        assert_eq!(asked.len(), 2);
        assert_eq!(
            (asked[1].method.as_str(), asked[1].path.as_str()),
            ("GET", "/nothing")
        );
        assert_eq!(asked[0].header("HOST"), Some("x"));
    }

    #[test]
    fn it_is_as_rude_as_it_is_told() {
        let (server, address) = server();
        server.set_page("/check", "alive\n");
        server.set(HttpManners::Status(500));
        assert!(ask(address, "/check").unwrap().starts_with("HTTP/1.1 500 "));
        server.set(HttpManners::WrongPage);
        assert!(!ask(address, "/check").unwrap().contains("alive"));
        server.set(HttpManners::Reset);
        let error = ask(address, "/check").unwrap_err().kind();
        assert!(
            matches!(
                error,
                std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe
            ),
            "{error}"
        );
        server.set(HttpManners::Body(100_000));
        assert!(ask(address, "/check").unwrap().len() > 100_000);
        server.set(HttpManners::Headers(100_000));
        assert!(ask(address, "/check").unwrap().ends_with("alive\n"));
        server.set(HttpManners::HalfClosed);
        let half = ask(address, "/check").unwrap();
        assert!(half.contains("Content-Length: 12") && half.ends_with("\r\nalive\n"));
        server.set(HttpManners::RedirectLoop);
        assert!(ask(address, "/check").unwrap().contains("Location: /check"));
    }

    #[test]
    fn its_end_closes_the_port_and_every_connection() {
        let (server, address) = server();
        server.set(HttpManners::Hang);
        let hanging = std::thread::spawn(move || ask(address, "/"));
        crate::eventually(Duration::from_secs(10), "the request", || {
            (!server.requests().is_empty()).then_some(())
        });
        drop(server);
        assert_eq!(hanging.join().unwrap().unwrap_or_default(), "");
        let refused = TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    }
}
