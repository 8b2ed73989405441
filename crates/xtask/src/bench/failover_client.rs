//! A client that pings an address every millisecond and keeps when each answer came.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, recv, sendto, socket,
};
use rk_lab::{Node, internet_checksum, pause};

/// A running client. Stops on drop.
pub(crate) struct Pinger {
    /// Instants of answers, since the epoch as in a capture, in order.
    answers: Arc<Mutex<Vec<Duration>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Pinger {
    /// Pings `address` from inside `node`.
    pub(crate) fn start(node: &Node, address: IpAddr) -> Result<Self> {
        let IpAddr::V4(address) = address else {
            bail!("the bench pings over IPv4")
        };
        let open = || {
            let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
            socket(
                AddressFamily::Inet,
                SockType::Raw,
                flags,
                SockProtocol::Icmp,
            )
        };
        let fd = Arc::new(node.in_net(open).context("a raw ICMP socket")?);
        let answers = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let sender = std::thread::spawn({
            let (fd, stop) = (Arc::clone(&fd), Arc::clone(&stop));
            move || {
                let to = SockaddrIn::from(SocketAddrV4::new(address, 0));
                while !stop.load(Ordering::Relaxed) {
                    // Nobody there, or no buffer: the next one is due in a millisecond anyway.
                    sendto(fd.as_raw_fd(), &echo_request(), &to, MsgFlags::empty()).ok();
                    pause(Duration::from_millis(1));
                }
            }
        });
        let receiver = std::thread::spawn({
            let (answers, stop) = (Arc::clone(&answers), Arc::clone(&stop));
            move || {
                let mut buffer = [0; 1500];
                while !stop.load(Ordering::Relaxed) {
                    match recv(fd.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                        Ok(length) if is_answer(&buffer[..length], address) => {
                            let now = SystemTime::now().duration_since(UNIX_EPOCH);
                            let mut answers =
                                answers.lock().unwrap_or_else(PoisonError::into_inner);
                            answers.push(now.unwrap_or_default());
                        }
                        Ok(_) => {}
                        Err(_) => pause(Duration::from_micros(200)),
                    }
                }
            }
        });
        Ok(Self {
            answers,
            stop,
            threads: vec![sender, receiver],
        })
    }

    /// When the last answer came.
    pub(crate) fn last(&self) -> Option<Duration> {
        self.answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last()
            .copied()
    }

    /// The last answer before an instant and the first behind it, once there is one.
    pub(crate) fn around(&self, instant: Duration) -> Option<(Duration, Duration)> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let at = answers.iter().position(|answer| *answer > instant)?;
        Some((*answers.get(at.checked_sub(1)?)?, answers[at]))
    }
}

impl Drop for Pinger {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

/// An ICMP echo request without payload.
fn echo_request() -> [u8; 8] {
    let mut message = [8, 0, 0, 0, 0x52, 0x4b, 0, 1];
    let sum = internet_checksum(&message).to_be_bytes();
    message[2..4].copy_from_slice(&sum);
    message
}

/// Whether an IPv4 packet is an echo reply from `address`.
fn is_answer(packet: &[u8], address: Ipv4Addr) -> bool {
    let header = packet
        .first()
        .map_or(0, |first| usize::from(first & 15) * 4);
    packet.get(12..16) == Some(&address.octets()[..]) && packet.get(header) == Some(&0)
}
