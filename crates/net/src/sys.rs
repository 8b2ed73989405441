//! The only `unsafe` of this crate: four system calls that no safe crate offers as needed, and
//! handing a descriptor to the runtime.
//!
//! Socket addresses and control messages are plain byte arrays here, built and read by safe code
//! elsewhere; no pointer leaves this file.
#![allow(
    unsafe_code,
    reason = "raw system calls live here and nowhere else in this crate"
)]

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use nix::sys::epoll::Epoll;
use nix::sys::timerfd::TimerFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// How many messages one call moves at most.
pub(crate) const BATCH: usize = 64;

/// A socket address as the kernel lays it out; 28 bytes hold `sockaddr_in6`, the largest we use.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Name {
    pub(crate) bytes: [u8; 28],
    pub(crate) len: u8,
}

/// Room for the control messages of one packet.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Control<const N: usize>(pub(crate) [u8; N]);

/// Where one received message lands.
pub(crate) struct RecvSlot {
    pub(crate) data: Box<[u8]>,
    pub(crate) name: Name,
    pub(crate) control: Control<192>,
    pub(crate) control_len: usize,
    pub(crate) len: usize,
    pub(crate) flags: i32,
}

impl RecvSlot {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            data: vec![0; size].into_boxed_slice(),
            name: Name {
                bytes: [0; 28],
                len: 28,
            },
            control: Control([0; 192]),
            control_len: 0,
            len: 0,
            flags: 0,
        }
    }
}

/// One message to send: to whom, with which control messages, and what.
#[derive(Clone, Copy)]
pub(crate) struct SendSlot<'a> {
    pub(crate) name: Name,
    pub(crate) control: Control<64>,
    pub(crate) control_len: usize,
    pub(crate) data: &'a [u8],
}

const EMPTY_IOV: libc::iovec = libc::iovec {
    iov_base: std::ptr::null_mut(),
    iov_len: 0,
};

fn empty_headers() -> [libc::mmsghdr; BATCH] {
    // SAFETY: mmsghdr holds integers and pointers only; all-zero bytes are a valid value (null).
    unsafe { mem::zeroed() }
}

/// Receives up to [`BATCH`] messages without waiting; the slots used come first.
pub(crate) fn recvmmsg(fd: BorrowedFd<'_>, slots: &mut [RecvSlot]) -> io::Result<usize> {
    let mut iovs = [EMPTY_IOV; BATCH];
    let mut headers = empty_headers();
    let count = slots.len().min(BATCH);
    for ((slot, iov), header) in slots.iter_mut().zip(&mut iovs).zip(&mut headers) {
        *iov = libc::iovec {
            iov_base: slot.data.as_mut_ptr().cast(),
            iov_len: slot.data.len(),
        };
        let h = &mut header.msg_hdr;
        h.msg_name = slot.name.bytes.as_mut_ptr().cast();
        h.msg_namelen = 28;
        h.msg_iov = iov;
        h.msg_iovlen = 1;
        h.msg_control = slot.control.0.as_mut_ptr().cast();
        h.msg_controllen = slot.control.0.len() as _;
    }
    // SAFETY: the first `count` headers point at live, exclusively borrowed buffers of the lengths
    // given (the slots, and `iovs` on this stack), which outlive the call; no timeout is passed.
    let n = unsafe {
        libc::recvmmsg(
            fd.as_raw_fd(),
            headers.as_mut_ptr(),
            count as _,
            libc::MSG_DONTWAIT as _,
            std::ptr::null_mut(),
        )
    };
    let n = usize::try_from(n).map_err(|_| io::Error::last_os_error())?;
    for (slot, header) in slots.iter_mut().zip(&headers).take(n) {
        slot.len = (header.msg_len as usize).min(slot.data.len());
        slot.name.len = u8::try_from(header.msg_hdr.msg_namelen.min(28)).unwrap_or(28);
        // A size_t with glibc, a socklen_t with musl.
        #[allow(clippy::unnecessary_cast, reason = "its type depends on the C library")]
        let control_len = header.msg_hdr.msg_controllen as usize;
        slot.control_len = control_len.min(slot.control.0.len());
        slot.flags = header.msg_hdr.msg_flags;
    }
    Ok(n)
}

/// Sends up to [`BATCH`] messages without waiting and says how many went; an error means that the
/// very first was refused.
pub(crate) fn sendmmsg(fd: BorrowedFd<'_>, slots: &[SendSlot<'_>]) -> io::Result<usize> {
    let mut iovs = [EMPTY_IOV; BATCH];
    let mut headers = empty_headers();
    let count = slots.len().min(BATCH);
    for ((slot, iov), header) in slots.iter().zip(&mut iovs).zip(&mut headers) {
        *iov = libc::iovec {
            iov_base: slot.data.as_ptr().cast_mut().cast(),
            iov_len: slot.data.len(),
        };
        let h = &mut header.msg_hdr;
        h.msg_name = slot.name.bytes.as_ptr().cast_mut().cast();
        h.msg_namelen = slot.name.len.into();
        h.msg_iov = iov;
        h.msg_iovlen = 1;
        if slot.control_len > 0 {
            h.msg_control = slot.control.0.as_ptr().cast_mut().cast();
            h.msg_controllen = slot.control_len.min(slot.control.0.len()) as _;
        }
    }
    // SAFETY: the first `count` headers point at live buffers of the lengths given, which the
    // kernel only reads for sendmmsg; `iovs` lives on this stack until after the call.
    let n = unsafe {
        libc::sendmmsg(
            fd.as_raw_fd(),
            headers.as_mut_ptr(),
            count as _,
            (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
        )
    };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// Sets a socket option to `value`, byte for byte.
pub(crate) fn setsockopt(
    fd: BorrowedFd<'_>,
    level: i32,
    name: i32,
    value: &[u8],
) -> io::Result<()> {
    // SAFETY: `value` is a live slice and its true length is given; the kernel copies it.
    let r = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            value.as_ptr().cast(),
            libc::socklen_t::try_from(value.len()).unwrap_or(0),
        )
    };
    if r == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Reads a socket option into `value` and says how many bytes the kernel wrote.
pub(crate) fn getsockopt(
    fd: BorrowedFd<'_>,
    level: i32,
    name: i32,
    value: &mut [u8],
) -> io::Result<usize> {
    let mut len = libc::socklen_t::try_from(value.len()).unwrap_or(0);
    // SAFETY: the kernel writes at most `len` bytes, the true length of the exclusively borrowed
    // slice, and the written length into `len`.
    let r = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            level,
            name,
            value.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if r == 0 {
        Ok(len as usize)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// [`setsockopt`] with an `int`.
pub(crate) fn setsockopt_int(
    fd: BorrowedFd<'_>,
    level: i32,
    name: i32,
    value: i32,
) -> io::Result<()> {
    setsockopt(fd, level, name, &value.to_ne_bytes())
}

/// A type that owns one descriptor from its creation to its drop.
pub(crate) trait OwnsFd {
    fn fd(&self) -> BorrowedFd<'_>;
}

impl OwnsFd for TimerFd {
    fn fd(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

impl OwnsFd for Epoll {
    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl OwnsFd for netlink_sys::Socket {
    fn fd(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

/// The owner of a descriptor, as the runtime wants to see it. Never moved out nor replaced: the
/// field is private and given out by shared reference only.
#[derive(Debug)]
pub(crate) struct Owned<T>(T);

impl<T> Owned<T> {
    pub(crate) fn get(&self) -> &T {
        &self.0
    }
}

impl<T: OwnsFd> AsRawFd for Owned<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.fd().as_raw_fd()
    }
}

/// Has the runtime watch `inner` for something to read.
pub(crate) fn watch<T: OwnsFd>(inner: T) -> io::Result<AsyncFd<Owned<T>>> {
    // SAFETY: the three implementors of `OwnsFd` hold one open descriptor each, always return that
    // one, and close it only when dropped; `Owned` gives no way to replace them meanwhile.
    let fd = unsafe { AsyncFd::register_with_interest(Owned(inner), Interest::READABLE) };
    fd.map_err(io::Error::from)
}
