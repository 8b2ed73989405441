//! `UDP_CHECK`: a datagram that nothing complains about, or that is answered.

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::socket::{NoConnection, open};
use super::{Endpoint, Report};

/// What keepalived sends when it has no `payload`.
const DEFAULT_PAYLOAD: &[u8; 32] = b"keepalived check - keepalived ch";

/// The settings of a `UDP_CHECK`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UdpProbe {
    /// The datagram; empty for keepalived's own.
    pub payload: Vec<u8>,
    /// `require_reply`: what must come back. Without it silence is good, too, but only when
    /// `connect_timeout` is over.
    pub reply: Option<Reply>,
}

/// What a reply must look like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// Bytes and which of their bits count; a reply or pattern that goes on longer than the other
    /// is not compared there.
    pub pattern: Vec<(u8, u8)>,
    /// `min_reply_length`, in bytes.
    pub min_length: u16,
    /// `max_reply_length`, in bytes.
    pub max_length: u16,
}

/// Any reply of up to 255 bytes.
impl Default for Reply {
    fn default() -> Self {
        Self {
            pattern: Vec::new(),
            min_length: 0,
            max_length: 255,
        }
    }
}

impl Reply {
    /// Whether `reply` is as required.
    #[must_use]
    pub fn accepts(&self, reply: &[u8]) -> bool {
        (usize::from(self.min_length)..=usize::from(self.max_length)).contains(&reply.len())
            && self
                .pattern
                .iter()
                .zip(reply)
                .all(|((byte, mask), got)| (byte ^ got) & mask == 0)
    }
}

/// The bytes that `payload` spells: two hexadecimal digits each, or one at the end of a word
/// (`Ab12f 3` is AB 12 0F 03).
#[must_use]
pub fn hex(text: &str) -> Option<Vec<u8>> {
    let bytes = hex_pattern(text)?;
    bytes
        .into_iter()
        .map(|(byte, mask)| (mask == 0xff).then_some(byte))
        .collect()
}

/// Like [`hex`], for `require_reply`: byte and mask, where `x` stands for four bits that do not
/// count.
#[must_use]
pub fn hex_pattern(text: &str) -> Option<Vec<(u8, u8)>> {
    let nibble = |digit: &u8| match digit {
        b'x' | b'X' => Some((0, 0)),
        digit => {
            let value = char::from(*digit).to_digit(16)?;
            Some((u8::try_from(value).ok()?, 0xf))
        }
    };
    let mut bytes = Vec::new();
    for word in text.split_ascii_whitespace() {
        for pair in word.as_bytes().chunks(2) {
            bytes.push(match pair {
                [high, low] => {
                    let ((high, high_mask), (low, low_mask)) = (nibble(high)?, nibble(low)?);
                    (high << 4 | low, high_mask << 4 | low_mask)
                }
                [low] => {
                    let (low, mask) = nibble(low)?;
                    (low, 0xf0 | mask)
                }
                _ => return None,
            });
        }
    }
    Some(bytes)
}

/// A connected datagram socket that hears of every ICMP error, not only of refused ports.
pub(super) fn connect(endpoint: &Endpoint) -> Result<UdpSocket, NoConnection> {
    let unable = NoConnection::Unable;
    let socket = open(endpoint, Type::DGRAM, Some(Protocol::UDP)).map_err(unable)?;
    hear_errors(endpoint, &socket).map_err(unable)?;
    socket
        .connect(&endpoint.addr.into())
        .map_err(NoConnection::from_io)?;
    UdpSocket::from_std(std::net::UdpSocket::from(socket))
        .map_err(|error| NoConnection::Unable(format!("Checker can't register: {error}")))
}

/// Turns on that the socket reports ICMP errors (ip(7), IP_RECVERR).
pub(super) fn hear_errors(endpoint: &Endpoint, socket: &Socket) -> Result<(), String> {
    let result = if endpoint.addr.is_ipv4() {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)
    };
    result.map_err(|errno| format!("Checker can't ask for ICMP errors: {}", errno.desc()))
}

pub(super) async fn attempt(endpoint: &Endpoint, probe: &UdpProbe) -> Report {
    let failed = || Report::failure(format!("UDP connection to {} failed.", endpoint.service));
    let socket = match connect(endpoint) {
        Ok(socket) => socket,
        Err(NoConnection::Unable(because)) => {
            return Report::unable(because, "UDP socket bind failed. Rescheduling.");
        }
        Err(_) => return failed(),
    };
    let payload = if probe.payload.is_empty() {
        &DEFAULT_PAYLOAD[..]
    } else {
        &probe.payload
    };
    let longest = probe.reply.as_ref().map_or(0, |reply| reply.max_length);
    // One more than allowed: the system cuts what is longer.
    let mut buffer = vec![0; usize::from(longest) + 1];
    let exchange = async {
        socket.send(payload).await?;
        socket.recv(&mut buffer).await
    };
    match (
        timeout(endpoint.connect_timeout, exchange).await,
        &probe.reply,
    ) {
        (Ok(Ok(_)), None) | (Err(_), None) => Report::success(),
        (Ok(Ok(length)), Some(wanted)) => {
            if wanted.accepts(buffer.get(..length).unwrap_or_default()) {
                Report::success()
            } else {
                let service = &endpoint.service;
                Report::failure(format!("UDP check to {service} reply data mismatch."))
            }
        }
        (Ok(Err(error)), _) => match NoConnection::from_io(error) {
            NoConnection::Unable(because) => {
                Report::unable(because, "UDP socket send failed. Rescheduling.")
            }
            _ => failed(),
        },
        (Err(_), Some(_)) => failed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_words() {
        assert_eq!(
            hex("Ab12f 3 456 546443123").unwrap(),
            [0xab, 0x12, 0x0f, 3, 0x45, 6, 0x54, 0x64, 0x43, 0x12, 3]
        );
        assert_eq!(hex(""), Some(vec![]));
        assert_eq!(hex("4g"), None);
        assert_eq!(hex("4x"), None);
        assert_eq!(
            hex_pattern("4x X1 x").unwrap(),
            [(0x40, 0xf0), (1, 0x0f), (0, 0xf0)]
        );
    }

    #[test]
    fn a_reply_is_compared_as_far_as_both_go() {
        let reply = |pattern, min_length, max_length| Reply {
            pattern: hex_pattern(pattern).unwrap(),
            min_length,
            max_length,
        };
        assert!(reply("41424344", 0, 255).accepts(b"AB"));
        assert!(reply("4142", 0, 255).accepts(b"ABzz"));
        assert!(reply("4x42", 0, 255).accepts(b"JB"));
        assert!(!reply("4x42", 0, 255).accepts(b"JC"));
        assert!(!reply("4142", 3, 255).accepts(b"AB"));
        assert!(!reply("4142", 0, 3).accepts(b"ABCD"));
        assert!(reply("", 0, 0).accepts(b""));
    }
}
