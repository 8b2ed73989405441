//! `PING_CHECK`: an ICMP echo request and its reply.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     Type      |     Code      |          Checksum             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           Identifier          |        Sequence Number        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     Data, 128 octets: "keepalived check - " over and over     |
//! ```
//!
//! The socket is the kernel's own for echo requests, which needs no rights but those of
//! `net.ipv4.ping_group_range`; where that is refused, a raw one. The system sets Don't Fragment.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use socket2::{Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::socket::{NoConnection, set_up, text};
use super::udp::hear_errors;
use super::{Endpoint, Report};

/// RFC 792, RFC 4443 §4.1.
const ECHO_REQUEST: u8 = 8;
const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;

/// Octets before the data.
const HEADER: usize = 8;
/// Octets of data.
const DATA: usize = 128;
/// What the data repeat.
const MOTTO: &[u8] = b"keepalived check - ";
/// An IPv4 header with options, and the message.
const LONGEST: usize = 60 + HEADER + DATA + 1;

/// Who chose the identifier, and what the socket delivers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// The kernel, which gives us only replies to ours, without an IP header.
    Echo,
    /// We; the socket gives a copy of every ICMP message, for IPv4 behind the IP header.
    Raw,
}

/// The echo request; the kernel fills in the checksum, except that of [`Kind::Raw`] for IPv4.
fn request(to: IpAddr, identifier: u16, sequence: u16) -> Vec<u8> {
    let kind = if to.is_ipv4() {
        ECHO_REQUEST
    } else {
        ECHO_REQUEST_V6
    };
    let mut message = vec![kind, 0, 0, 0];
    message.extend(identifier.to_be_bytes());
    message.extend(sequence.to_be_bytes());
    message.extend(MOTTO.iter().copied().cycle().take(DATA));
    if to.is_ipv4() {
        let sum = checksum(&message);
        message.splice(2..4, sum.to_be_bytes());
    }
    message
}

/// RFC 1071.
fn checksum(message: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in message.chunks(2) {
        let high = pair.first().copied().unwrap_or(0);
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([high, low]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// Whether `received` is the reply to `request`.
fn answers(received: &[u8], kind: Kind, to: IpAddr, request: &[u8]) -> bool {
    let message = match (kind, to) {
        (Kind::Raw, IpAddr::V4(_)) => {
            let words = received.first().map_or(0, |first| usize::from(first & 0xf));
            received.get(words * 4..).unwrap_or_default()
        }
        _ => received,
    };
    let reply = if to.is_ipv4() {
        ECHO_REPLY
    } else {
        ECHO_REPLY_V6
    };
    let identifier = match kind {
        // The kernel has replaced ours, and compared.
        Kind::Echo => true,
        Kind::Raw => message.get(4..6) == request.get(4..6),
    };
    message.get(..2) == Some(&[reply, 0]) && identifier && message.get(6..) == request.get(6..)
}

/// A connected socket for echo requests.
fn connect(endpoint: &Endpoint) -> Result<(Socket, Kind), NoConnection> {
    let protocol = if endpoint.addr.is_ipv4() {
        Protocol::ICMPV4
    } else {
        Protocol::ICMPV6
    };
    let open = |kind: Type| {
        let domain = socket2::Domain::for_address(endpoint.addr);
        Socket::new(domain, kind.nonblocking().cloexec(), Some(protocol))
    };
    let (socket, kind) = match open(Type::DGRAM) {
        Ok(socket) => (Ok(socket), Kind::Echo),
        Err(error) if error.raw_os_error() == Some(libc::EACCES) => (open(Type::RAW), Kind::Raw),
        Err(error) => (Err(error), Kind::Echo),
    };
    let socket = socket.map_err(|error| {
        NoConnection::Unable(format!(
            "Checker can't create an ICMP socket: {}",
            text(&error)
        ))
    })?;
    set_up(endpoint, &socket, Type::RAW).map_err(NoConnection::Unable)?;
    hear_errors(endpoint, &socket).map_err(NoConnection::Unable)?;
    let mut to = endpoint.addr;
    to.set_port(0);
    socket.connect(&to.into()).map_err(NoConnection::from_io)?;
    Ok((socket, kind))
}

pub(super) async fn attempt(endpoint: &Endpoint, number: u64) -> Report {
    let service = &endpoint.service;
    let failed = |error| match error {
        NoConnection::Unable(because) => {
            Report::unable(because, "ICMP socket bind failed. Rescheduling.")
        }
        _ => Report::failure(format!("ICMP connection to {service} failed.")),
    };
    let (socket, kind) = match connect(endpoint) {
        Ok(connected) => connected,
        Err(error) => return failed(error),
    };
    let mut identifier = [0; 2];
    if kind == Kind::Raw && openssl::rand::rand_bytes(&mut identifier).is_err() {
        return failed(NoConnection::Unable("Checker has no random numbers".into()));
    }
    let to = endpoint.addr.ip();
    let sequence = u16::try_from(number & 0xffff).unwrap_or(0);
    let request = request(to, u16::from_be_bytes(identifier), sequence);
    match timeout(
        endpoint.connect_timeout,
        exchange(socket, kind, to, &request),
    )
    .await
    {
        Ok(Ok(())) => Report::success(),
        Ok(Err(error)) => failed(NoConnection::from_io(error)),
        Err(_) => Report::failure(format!("ICMP connection to address {service} timeout.")),
    }
}

/// Sends `request` and waits for its reply.
async fn exchange(socket: Socket, kind: Kind, to: IpAddr, request: &[u8]) -> io::Result<()> {
    // No UDP, but connected and of datagrams, which is all that is used of the type.
    let socket = UdpSocket::from_std(std::net::UdpSocket::from(socket))?;
    socket.send(request).await?;
    let mut buffer = [0; LONGEST];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let received = buffer.get(..length).unwrap_or_default();
        if answers(received, kind, to, request) {
            return Ok(());
        }
    }
}

/// Where the kernel says which groups may send echo requests.
const SYSCTL: &str = "/proc/sys/net/ipv4/ping_group_range";

/// `net.ipv4.ping_group_range`, widened so that this process's group is in it, until dropped.
///
/// Only a process that may open neither an echo nor a raw socket needs it.
#[derive(Debug)]
pub struct PingGroupRange {
    path: PathBuf,
    before: String,
}

impl PingGroupRange {
    /// Widens the range of this network namespace if it has to be; `None` if it had not.
    ///
    /// # Errors
    /// The setting could not be read, understood or written.
    pub fn widen() -> io::Result<Option<Self>> {
        Self::widen_in(Path::new(SYSCTL), nix::unistd::getegid().as_raw())
    }

    fn widen_in(path: &Path, group: u32) -> io::Result<Option<Self>> {
        let before = fs::read_to_string(path)?;
        let numbers: Option<Vec<u32>> = before
            .split_whitespace()
            .map(|word| word.parse().ok())
            .collect();
        let Some(&[low, high]) = numbers.as_deref() else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, before));
        };
        let (wider_low, wider_high) = if low > high {
            // An empty range is written as 1 0.
            (group, group)
        } else {
            (low.min(group), high.max(group))
        };
        if (wider_low, wider_high) == (low, high) {
            return Ok(None);
        }
        fs::write(path, format!("{wider_low}\t{wider_high}\n"))?;
        Ok(Some(Self {
            path: path.to_owned(),
            before,
        }))
    }
}

impl Drop for PingGroupRange {
    fn drop(&mut self) {
        // Nothing can be done about a failure, and the widened range is harmless.
        fs::write(&self.path, &self.before).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    #[test]
    fn the_request_as_keepalived_makes_it() {
        let message = request(V4, 0x1234, 7);
        assert_eq!(message.len(), 136);
        assert_eq!(message[..2], [8, 0]);
        assert_eq!(message[4..8], [0x12, 0x34, 0, 7]);
        assert_eq!(message[8..48], *b"keepalived check - keepalived check - ke");
        // A message with its checksum sums up to nothing.
        assert_eq!(checksum(&message), 0);
        assert_eq!(request(V6, 0, 0)[..4], [128, 0, 0, 0]);
    }

    #[test]
    fn only_the_reply_to_this_very_request_counts() {
        let asked = request(V4, 0x1234, 7);
        let mut reply = asked.clone();
        reply[0] = ECHO_REPLY;
        assert!(answers(&reply, Kind::Echo, V4, &asked));
        assert!(
            !answers(&asked, Kind::Echo, V4, &asked),
            "the request itself"
        );
        let behind_header = [&[0x45; 20][..], &reply].concat();
        assert!(answers(&behind_header, Kind::Raw, V4, &asked));
        let with_options = [&[0x46; 24][..], &reply].concat();
        assert!(answers(&with_options, Kind::Raw, V4, &asked));
        for spoiled in 4..reply.len() {
            let mut other = behind_header.clone();
            other[20 + spoiled] ^= 1;
            assert!(!answers(&other, Kind::Raw, V4, &asked), "{spoiled}");
        }
        for length in 0..reply.len() {
            assert!(
                !answers(&reply[..length], Kind::Echo, V4, &asked),
                "{length}"
            );
            assert!(
                !answers(&behind_header[..length], Kind::Raw, V4, &asked),
                "{length}"
            );
        }
        let asked = request(V6, 1, 2);
        let mut reply = asked.clone();
        reply[0] = ECHO_REPLY_V6;
        assert!(answers(&reply, Kind::Raw, V6, &asked));
    }

    #[test]
    fn the_range_is_widened_and_put_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("range");
        for (before, group, during) in [
            ("1\t0\n", 0, Some("0\t0\n")),
            ("5\t9\n", 0, Some("0\t9\n")),
            ("5\t9\n", 12, Some("5\t12\n")),
            ("0\t2147483647\n", 0, None),
        ] {
            fs::write(&path, before).unwrap();
            let guard = PingGroupRange::widen_in(&path, group).unwrap();
            assert_eq!(guard.is_some(), during.is_some());
            let found = fs::read_to_string(&path).unwrap();
            assert_eq!(found, during.unwrap_or(before));
            drop(guard);
            assert_eq!(fs::read_to_string(&path).unwrap(), before);
        }
        fs::write(&path, "what?").unwrap();
        assert!(PingGroupRange::widen_in(&path, 0).is_err());
        assert!(PingGroupRange::widen_in(&directory.path().join("none"), 0).is_err());
    }
}
