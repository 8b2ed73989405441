//! What the parent and a child say to each other.
//!
//! Each child holds one end of a `SOCK_SEQPACKET` socket pair: one packet is one message, so no
//! framing is needed and a message is read whole or not at all. A message is JSON (small, and
//! readable in `strace`); a configuration travels beside it as a sealed memory file, because it
//! can be many megabytes and the reader must be able to trust that it stays as it is. It is in
//! the binary form of postcard, a seventh of its JSON and read in a fraction of the time.
//!
//! ```text
//!   parent                                   child
//!   Link::send(ToChild::Reload, snapshot) ->  ChildLink::recv() -> Command::Reload(Snapshot)
//!   Link::recv() -> FromChild::ReloadDone <-  ChildLink::send(FromChild::ReloadDone)
//! ```

use std::io::{self, BufWriter, IntoInnerError, IoSlice, IoSliceMut, Read, Seek};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::cmsg_space;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, socketpair,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::Config;
use crate::cli::Options;
use crate::sys;

/// The longest message either side may send; a longer one is an error, never cut off.
const MAX_MESSAGE: usize = 64 * 1024;

/// How much of a snapshot is written at once.
const PIECE: usize = 64 * 1024;

/// What the parent asks of a child. The configuration of a reload travels as a [`Snapshot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToChild {
    /// Take over the configuration in the snapshot that comes with this message.
    Reload,
    /// Write the data dump (`keepalived.data`).
    DumpData,
    /// Write the statistics (`keepalived.stats`).
    DumpStats,
    /// Write the statistics, then set every counter to zero.
    DumpStatsAndClear,
    /// Write `keepalived.json`.
    DumpJson,
}

/// A message from the parent, as the child receives it.
#[derive(Debug)]
pub(crate) enum Command {
    /// Take over this configuration, and answer [`FromChild::ReloadDone`].
    Reload(Snapshot),
    /// Write the data dump.
    DumpData,
    /// Write the statistics.
    DumpStats,
    /// Write the statistics, then set every counter to zero.
    DumpStatsAndClear,
    /// Write the JSON.
    DumpJson,
}

/// What a child tells the parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FromChild {
    /// The configuration is read and the work has begun: sent once, after the start.
    Ready,
    /// The configuration of the last [`Command::Reload`] is in force.
    ReloadDone,
    /// One line on the state of affairs, shown by `systemctl status`.
    Status(String),
}

/// Everything a child starts with.
#[derive(Debug)]
pub(crate) struct ChildStart {
    /// The configuration, as the parent read it.
    pub(crate) config: Arc<Config>,
    /// The command line.
    pub(crate) options: Options,
    /// What `ps` is to show.
    pub(crate) process_name: Option<String>,
    /// The way to the parent; [`LinkFd::connect`] it inside the runtime.
    pub(crate) link: LinkFd,
}

/// What the snapshot handed to a new child holds.
#[derive(Serialize)]
struct StartOut<'a> {
    config: &'a Config,
    options: &'a Options,
    process_name: Option<&'a str>,
}

/// [`StartOut`], as the child reads it.
#[derive(Deserialize)]
struct StartIn {
    config: Config,
    options: Options,
    process_name: Option<String>,
}

impl ChildStart {
    /// Reads what the parent left in `snapshot`.
    ///
    /// # Errors
    /// The memory file cannot be read, or was written by another version of this program.
    pub(crate) fn read(snapshot: Snapshot, link: LinkFd) -> io::Result<Self> {
        let StartIn {
            config,
            options,
            process_name,
        } = snapshot.read_as()?;
        Ok(Self {
            config: Arc::new(config),
            options,
            process_name,
            link,
        })
    }
}

//----------- Snapshot ---------------------------------------------------------------------------

/// A configuration in a sealed memory file: nobody can change it any more.
#[derive(Debug)]
pub(crate) struct Snapshot(OwnedFd);

impl Snapshot {
    /// Freezes what a new child needs.
    ///
    /// # Errors
    /// No memory, or the kernel has no memory files.
    pub(crate) fn of_start(
        config: &Config,
        options: &Options,
        process_name: Option<&str>,
    ) -> io::Result<Self> {
        Self::of(&StartOut {
            config,
            options,
            process_name,
        })
    }

    /// Freezes a configuration for a reload.
    ///
    /// # Errors
    /// As for [`Snapshot::of_start`].
    pub(crate) fn of_config(config: &Config) -> io::Result<Self> {
        Self::of(config)
    }

    fn of<T: Serialize>(value: &T) -> io::Result<Self> {
        let fd = memfd_create(
            c"keepalived-config",
            MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING,
        )?;
        // Piece by piece: it can be many megabytes, and the file holds them already.
        let pieces = BufWriter::with_capacity(PIECE, std::fs::File::from(fd));
        let pieces = postcard::to_io(value, pieces).map_err(io::Error::other)?;
        let fd = OwnedFd::from(pieces.into_inner().map_err(IntoInnerError::into_error)?);
        let seals = SealFlag::F_SEAL_WRITE
            | SealFlag::F_SEAL_SHRINK
            | SealFlag::F_SEAL_GROW
            | SealFlag::F_SEAL_SEAL;
        fcntl(&fd, FcntlArg::F_ADD_SEALS(seals))?;
        Ok(Self(fd))
    }

    /// Takes a descriptor that the parent passed on.
    pub(crate) fn from_fd(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// The configuration of a reload. Reading a very large one takes a while: a process with
    /// deadlines to keep calls this on a thread of its own.
    ///
    /// # Errors
    /// The memory file cannot be read, or was written by another version of this program.
    pub(crate) fn read_config(self) -> io::Result<Config> {
        self.read_as()
    }

    fn read_as<T: DeserializeOwned>(self) -> io::Result<T> {
        let mut file = std::fs::File::from(self.0);
        // The offset is shared with whoever wrote the file.
        file.rewind()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        postcard::from_bytes(&bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
    }
}

impl AsFd for Snapshot {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

//----------- LinkFd -----------------------------------------------------------------------------

/// One end of a link that no runtime knows of yet.
#[derive(Debug)]
pub(crate) struct LinkFd(OwnedFd);

impl LinkFd {
    /// Both ends of a new link: the parent's and the child's. Neither survives an `exec` by
    /// itself.
    ///
    /// # Errors
    /// No descriptors left.
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let (parent, child) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        Ok((Self(parent), Self(child)))
    }

    /// Takes a descriptor that the parent passed on.
    pub(crate) fn from_fd(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Registers the child's end with the current tokio runtime.
    ///
    /// # Errors
    /// The runtime cannot watch the descriptor.
    pub(crate) fn connect(self) -> io::Result<ChildLink> {
        Ok(ChildLink(Link::new(self)?))
    }
}

impl AsFd for LinkFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

//----------- ChildLink --------------------------------------------------------------------------

/// The child's end of the link.
#[derive(Debug)]
pub(crate) struct ChildLink(Link);

impl ChildLink {
    /// The next command; `None` when the parent is gone. Cancelling loses nothing.
    ///
    /// # Errors
    /// The parent sent what this version does not understand; the link stays usable.
    pub(crate) async fn recv(&self) -> io::Result<Option<Command>> {
        let Some((message, fd)) = self.0.recv::<ToChild>().await? else {
            return Ok(None);
        };
        Ok(Some(match message {
            ToChild::Reload => Command::Reload(Snapshot(fd.ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a reload without its configuration",
                )
            })?)),
            ToChild::DumpData => Command::DumpData,
            ToChild::DumpStats => Command::DumpStats,
            ToChild::DumpStatsAndClear => Command::DumpStatsAndClear,
            ToChild::DumpJson => Command::DumpJson,
        }))
    }

    /// Tells the parent something, without ever waiting for it.
    ///
    /// # Errors
    /// `WouldBlock` when the parent does not read, `BrokenPipe` when it is gone.
    pub(crate) fn send(&self, message: &FromChild) -> io::Result<()> {
        self.0.try_send(message, None)
    }
}

//----------- Link -------------------------------------------------------------------------------

/// An end of the link inside a runtime; the parent uses it as it is.
#[derive(Debug)]
pub(crate) struct Link(AsyncFd<OwnedFd>);

impl Link {
    /// Registers `fd` with the current tokio runtime.
    ///
    /// # Errors
    /// The runtime cannot watch the descriptor.
    pub(crate) fn new(fd: LinkFd) -> io::Result<Self> {
        Ok(Self(sys::watch(fd.0)?))
    }

    /// The next message and the descriptor that came with it; `None` at the end.
    ///
    /// # Errors
    /// The message is not understood.
    pub(crate) async fn recv<T: DeserializeOwned>(
        &self,
    ) -> io::Result<Option<(T, Option<OwnedFd>)>> {
        let received = self
            .0
            .async_io(Interest::READABLE, |fd| receive(fd.as_fd()))
            .await;
        let (bytes, fd) = match received {
            Ok(received) => received,
            // The peer died with unread messages in its queue.
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            Err(e) => return Err(e),
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        Ok(Some((serde_json::from_slice(&bytes)?, fd)))
    }

    /// Sends `message`, with `fd` beside it, if the socket takes it at once.
    ///
    /// # Errors
    /// `WouldBlock` when the peer does not read, `BrokenPipe` when it is gone.
    pub(crate) fn try_send<T: Serialize>(
        &self,
        message: &T,
        fd: Option<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        let bytes = serde_json::to_vec(message)?;
        if bytes.len() > MAX_MESSAGE {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "message too long",
            ));
        }
        // Straight to the socket and not through the runtime's idea of its readiness, which only
        // learns of room when someone waits for it.
        transmit(self.0.as_fd(), &bytes, fd)
    }

    /// Waits until the peer may take another message.
    ///
    /// # Errors
    /// The runtime is going down.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.0.writable().await?.clear_ready();
        Ok(())
    }
}

/// One packet out.
fn transmit(socket: BorrowedFd<'_>, bytes: &[u8], fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let fds: Vec<_> = fd.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&fds)];
    let control = if fds.is_empty() {
        &rights[..0]
    } else {
        &rights[..]
    };
    sendmsg::<()>(
        socket.as_raw_fd(),
        &[IoSlice::new(bytes)],
        control,
        MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT,
        None,
    )?;
    Ok(())
}

/// One packet in; an empty one is the end.
fn receive(socket: BorrowedFd<'_>) -> io::Result<(Vec<u8>, Option<OwnedFd>)> {
    let mut buffer = vec![0; MAX_MESSAGE];
    let mut space = cmsg_space!([std::os::fd::RawFd; 1]);
    let mut iov = [IoSliceMut::new(&mut buffer)];
    let message = recvmsg::<()>(
        socket.as_raw_fd(),
        &mut iov,
        Some(&mut space),
        MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT,
    )?;
    let mut fds = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(raw) = control {
            fds.extend(raw.into_iter().map(sys::adopt_fd));
        }
    }
    let cut = message
        .flags
        .intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC);
    let len = message.bytes;
    if cut {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "message too long",
        ));
    }
    buffer.truncate(len);
    Ok((buffer, fds.pop()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn run<F: Future>(test: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(test)
    }

    #[test]
    fn a_reload_carries_its_configuration() {
        run(async {
            let (ours, theirs) = LinkFd::pair().unwrap();
            let (parent, child) = (Link::new(ours).unwrap(), theirs.connect().unwrap());
            let config = Config::default();
            let snapshot = Snapshot::of_config(&config).unwrap();
            parent
                .try_send(&ToChild::Reload, Some(snapshot.as_fd()))
                .unwrap();
            parent.try_send(&ToChild::DumpJson, None).unwrap();
            let Some(Command::Reload(received)) = child.recv().await.unwrap() else {
                panic!("expected a reload")
            };
            let received = received.read_config().unwrap();
            assert_eq!(
                serde_json::to_string(&received).unwrap(),
                serde_json::to_string(&config).unwrap()
            );
            assert!(matches!(
                child.recv().await.unwrap(),
                Some(Command::DumpJson)
            ));
            child.send(&FromChild::ReloadDone).unwrap();
            let (answer, fd) = parent.recv::<FromChild>().await.unwrap().unwrap();
            assert_eq!(answer, FromChild::ReloadDone);
            assert!(fd.is_none());
        });
    }

    #[test]
    fn the_end_of_one_side_ends_the_other() {
        run(async {
            let (ours, theirs) = LinkFd::pair().unwrap();
            let child = theirs.connect().unwrap();
            drop(ours);
            assert!(child.recv().await.unwrap().is_none());
            assert_eq!(
                child.send(&FromChild::Ready).unwrap_err().kind(),
                io::ErrorKind::BrokenPipe
            );
        });
    }

    #[test]
    fn a_reader_that_sleeps_holds_nobody_up() {
        run(async {
            let (ours, theirs) = LinkFd::pair().unwrap();
            let parent = Link::new(ours).unwrap();
            let refused = (0..100_000)
                .find_map(|_| parent.try_send(&ToChild::DumpData, None).err())
                .expect("a socket's queue is finite");
            assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
            let child = theirs.connect().unwrap();
            let mut read = 0;
            while parent.try_send(&ToChild::DumpData, None).is_err() {
                child.recv().await.unwrap().unwrap();
                read += 1;
            }
            assert!(read > 0);
        });
    }

    #[test]
    fn a_snapshot_cannot_be_changed() {
        let snapshot = Snapshot::of_config(&Config::default()).unwrap();
        let mut file = std::fs::File::from(snapshot.0);
        assert_eq!(
            file.write(b"x").unwrap_err().kind(),
            io::ErrorKind::PermissionDenied
        );
    }
}
