//! Reading the wire: every frame of one interface, with the kernel's time stamp.

use std::io::IoSliceMut;
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType,
    recvmsg, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeSpec, TimeVal, TimeValLike as _};

use crate::frame::{Frame, Vrrp};
use crate::node::Node;
use crate::process::locked;

/// A frame the machine itself sends (`PACKET_OUTGOING`).
const OUTGOING: u8 = 4;
/// Room for the largest burst of a bench: thousands of gratuitous ARPs.
const RECEIVE_BUFFER: usize = 32 << 20;

/// Frames so far, and the bell that rings for each.
type Frames = Arc<(Mutex<Vec<Frame>>, Condvar)>;

/// A running capture on one interface; both directions. Stops on drop.
#[derive(Debug)]
pub struct Capture {
    name: String,
    frames: Frames,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    /// How many frames the `next` calls have gone past.
    seen: usize,
}

impl Capture {
    #[track_caller]
    pub(crate) fn start(node: &Node, dev: &str) -> Self {
        let name = format!("{}:{dev}", node.name());
        let opened = node.in_net(|| {
            let index = nix::net::if_::if_nametoindex(dev)?;
            let flags = SockFlag::SOCK_CLOEXEC;
            let fd = socket(
                AddressFamily::Packet,
                SockType::Raw,
                flags,
                SockProtocol::EthAll,
            )?;
            setsockopt(&fd, sockopt::ReceiveTimestampns, &true)?;
            // Beyond the system's limit only root may go; a user namespace gets what is allowed.
            if setsockopt(&fd, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
                setsockopt(&fd, sockopt::RcvBuf, &RECEIVE_BUFFER)?;
            }
            setsockopt(&fd, sockopt::ReceiveTimeout, &TimeVal::milliseconds(20))?;
            Ok::<_, nix::Error>((fd, index))
        });
        let (fd, index) = match opened {
            Ok(opened) => opened,
            Err(error) => panic!("{name}: cannot capture: {error}"),
        };
        let frames = Frames::default();
        let stop = Arc::new(AtomicBool::new(false));
        let reader = std::thread::spawn({
            let (frames, stop) = (Arc::clone(&frames), Arc::clone(&stop));
            move || {
                let mut buffer = vec![0; 65536];
                let mut control = nix::cmsg_space!(TimeSpec);
                while !stop.load(Ordering::Relaxed) {
                    let mut parts = [IoSliceMut::new(&mut buffer)];
                    let received = recvmsg::<LinkAddr>(
                        fd.as_raw_fd(),
                        &mut parts,
                        Some(&mut control),
                        MsgFlags::empty(),
                    );
                    let Ok(received) = received else { continue };
                    let Some(link) = received.address else {
                        continue;
                    };
                    if usize::try_from(index) != Ok(link.ifindex()) {
                        continue;
                    }
                    let at = received
                        .cmsgs()
                        .ok()
                        .and_then(|mut all| all.find_map(stamp));
                    let (length, sent) = (received.bytes, link.pkttype() == OUTGOING);
                    let at = at.unwrap_or_default();
                    if let Some(frame) = Frame::read(at, sent, &buffer[..length]) {
                        locked(&frames.0).push(frame);
                        frames.1.notify_all();
                    }
                }
            }
        });
        Self {
            name,
            frames,
            stop,
            reader: Some(reader),
            seen: 0,
        }
    }

    /// Every frame so far.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        locked(&self.frames.0).clone()
    }

    /// How many frames there are so far: a mark for [`Self::since`].
    #[must_use]
    pub fn mark(&self) -> usize {
        locked(&self.frames.0).len()
    }

    /// The frames behind a mark.
    #[must_use]
    pub fn since(&self, mark: usize) -> Vec<Frame> {
        locked(&self.frames.0)[mark..].to_vec()
    }

    /// Forgets the frames so far: the `next` calls then look at new ones only.
    pub fn skip(&mut self) {
        self.seen = self.mark();
    }

    /// Waits for a frame that `wanted` accepts and returns it. Frames are consumed: the next call
    /// looks only behind the frame that this one found, so calls in sequence assert an order.
    ///
    /// # Panics
    /// With the last frames, when the deadline passes first.
    #[track_caller]
    pub fn next(
        &mut self,
        what: &str,
        deadline: Duration,
        wanted: impl Fn(&Frame) -> bool,
    ) -> Frame {
        let until = Instant::now() + deadline;
        let mut frames = locked(&self.frames.0);
        let mut looked = self.seen;
        loop {
            if let Some(at) = frames[looked..].iter().position(&wanted) {
                self.seen = looked + at + 1;
                return frames[self.seen - 1].clone();
            }
            looked = frames.len();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let last = frames.len().saturating_sub(30);
                let list: String = frames[last..].iter().map(|f| format!("  {f}\n")).collect();
                drop(frames);
                panic!(
                    "{}: not within {deadline:?}: {what}; the last frames:\n{list}",
                    self.name
                );
            }
            frames = self
                .frames
                .1
                .wait_timeout(frames, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(frames, _)| frames);
        }
    }

    /// As [`Self::next`], for an advertisement.
    ///
    /// # Panics
    /// With the last frames, when the deadline passes first.
    #[track_caller]
    pub fn next_advert(
        &mut self,
        what: &str,
        deadline: Duration,
        wanted: impl Fn(&Vrrp) -> bool,
    ) -> Vrrp {
        let found = self.next(what, deadline, |frame| frame.vrrp().is_some_and(&wanted));
        match found.vrrp() {
            Some(advert) => advert.clone(),
            None => unreachable!("`next` only returns what was wanted"),
        }
    }

    /// The advertisements so far, with their time stamps.
    #[must_use]
    pub fn adverts(&self) -> Vec<(Duration, Vrrp)> {
        let frames = locked(&self.frames.0);
        frames
            .iter()
            .filter_map(|frame| Some((frame.at, frame.vrrp()?.clone())))
            .collect()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            reader.join().ok();
        }
        if std::thread::panicking() {
            #[expect(
                clippy::print_stderr,
                reason = "a failed test shows what went over the wire"
            )]
            {
                let frames = self.frames();
                eprintln!(
                    "---- {} saw {} frames, of VRRP the last:",
                    self.name,
                    frames.len()
                );
                let adverts: Vec<_> = frames.iter().filter(|f| f.vrrp().is_some()).collect();
                for frame in &adverts[adverts.len().saturating_sub(30)..] {
                    eprintln!("  {frame}");
                }
                eprintln!("----");
            }
        }
    }
}

/// The kernel's time stamp in a control message.
#[expect(clippy::needless_pass_by_value, reason = "the iterator yields values")]
fn stamp(control: ControlMessageOwned) -> Option<Duration> {
    match control {
        ControlMessageOwned::ScmTimestampns(time) => {
            let nanos = u32::try_from(time.tv_nsec()).ok()?;
            Some(Duration::new(u64::try_from(time.tv_sec()).ok()?, nanos))
        }
        _ => None,
    }
}
