//! The few system calls that no crate offers in a safe form: the only `unsafe` of this crate.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::unistd::{ForkResult, Pid};
use tokio::io::unix::AsyncFd;

/// Takes over a descriptor that the kernel has just handed to this process.
///
/// Only for numbers that nothing else owns: what `SCM_RIGHTS` delivered, or what the parent left
/// open across `exec` for this very purpose.
pub(crate) fn adopt_fd(fd: RawFd) -> OwnedFd {
    // SAFETY: by the contract above `fd` is open and has no other owner in this process.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Takes over descriptor `fd`, which the parent left open across `exec`; closed by the next one.
///
/// # Errors
/// It is not open.
pub(crate) fn inherit_fd(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_SETFD takes numbers; a descriptor that is not open is refused.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(adopt_fd(fd))
}

/// Has the current tokio runtime watch `fd`.
pub(crate) fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open, and stays the same one while the `AsyncFd` owns it.
    Ok(unsafe { AsyncFd::register(fd) }?)
}

/// Gives memory that nothing uses back to the system. An allocator keeps what was freed between
/// things that are still there, and a reload holds two configurations for a while.
pub(crate) fn release_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes a number and touches nothing that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Prepares the allocator for a daemon, before there are threads: what one step of the start frees
/// is used by the next, and by every thread. Each page that is touched for the first time is a
/// fault, and the start of a large configuration is mostly that. What is left over at the end of
/// the start or of a reload goes with [`release_memory`].
pub(crate) fn keep_memory() {
    #[cfg(target_env = "gnu")]
    {
        /// Larger things are mapped apart, and their pages go when they do.
        const PART: libc::c_int = 4 << 20;
        /// How much the heap grows at once.
        const STEP: libc::c_int = 1 << 20;
        // SAFETY: mallopt takes numbers, and no other thread uses the allocator yet.
        unsafe {
            // A thread that has a heap of its own asks the kernel for each of its pages.
            libc::mallopt(libc::M_ARENA_MAX, 1);
            libc::mallopt(libc::M_MMAP_THRESHOLD, PART);
            libc::mallopt(libc::M_TRIM_THRESHOLD, PART);
            libc::mallopt(libc::M_TOP_PAD, STEP);
        }
    }
}

/// Lets memory that is taken from now on come in large pages, as far as the kernel gives them:
/// reading a large configuration touches tens of megabytes once, and the faults for small pages
/// are a fifth of its time. For a process that ends soon; what is not touched costs nothing.
pub(crate) fn prefer_large_pages() {
    #[cfg(target_env = "gnu")]
    {
        /// A heap with room for the largest configurations.
        const ROOM: libc::c_int = 256 << 20;
        /// The largest thing that may be part of it; larger ones are mapped apart.
        const PART: libc::c_int = 32 << 20;
        // SAFETY: mallopt takes numbers, and only changes how much the heap grows at once.
        unsafe {
            libc::mallopt(libc::M_TOP_PAD, ROOM);
            libc::mallopt(libc::M_MMAP_THRESHOLD, PART);
        }
        // Makes the heap grow; without the room it is as it was before.
        if Vec::<u8>::new().try_reserve_exact(1 << 20).is_err() {
            // SAFETY: as above.
            unsafe { libc::mallopt(libc::M_TOP_PAD, 0) };
            return;
        }
        // SAFETY: sbrk(0) only tells where the heap ends, and the range is inside of it: it has
        // just grown by as much. Advice about page sizes changes no byte.
        unsafe {
            let end = libc::sbrk(0);
            let room = ROOM as usize;
            libc::madvise(end.sub(room), room & !0xfff, libc::MADV_HUGEPAGE);
        }
    }
}

//----------- Signals ----------------------------------------------------------------------------

/// The set of these signals, real-time ones included (nix's set cannot hold those).
fn signal_set(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the whole set.
    let mut set = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    };
    for signal in signals {
        // SAFETY: the set is initialised; a number that is no signal is refused, not used.
        unsafe { libc::sigaddset(&raw mut set, *signal) };
    }
    set
}

/// Blocks exactly these signals in this thread and in those it starts from now on.
pub(crate) fn hold_signals(signals: &[i32]) -> io::Result<()> {
    let set = signal_set(signals);
    // SAFETY: the set is initialised, and no old mask is asked for.
    let errno =
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()) };
    if errno == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(errno))
    }
}

/// A descriptor that delivers these signals while they are held.
pub(crate) fn signal_fd(signals: &[i32]) -> io::Result<OwnedFd> {
    let set = signal_set(signals);
    // SAFETY: the set is initialised; -1 asks for a new descriptor.
    let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    if fd < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(adopt_fd(fd))
    }
}

/// Sends signal `signal` (any number, real-time ones too) to `pid`.
pub(crate) fn kill(pid: Pid, signal: i32) -> io::Result<()> {
    // SAFETY: kill takes numbers only.
    if unsafe { libc::kill(pid.as_raw(), signal) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

//----------- Processes --------------------------------------------------------------------------

/// `fork` for a process that has one thread: the caller must not have started any.
pub(crate) fn fork() -> nix::Result<ForkResult> {
    // SAFETY: there is one thread, so the child's copy of every lock is unlocked and it may go on
    // as an ordinary process.
    unsafe { nix::unistd::fork() }
}

/// Gives this process a nice value.
pub(crate) fn set_nice(nice: i32) -> io::Result<()> {
    // SAFETY: setpriority takes numbers only.
    if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Schedules this process in real time (round robin); what it starts is scheduled normally.
pub(crate) fn set_realtime(priority: i32) -> io::Result<()> {
    let param = libc::sched_param {
        sched_priority: priority,
    };
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // SAFETY: the parameter is initialised and outlives the call.
    if unsafe { libc::sched_setscheduler(0, policy, &raw const param) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Lets this process run on these CPUs only.
pub(crate) fn set_affinity(cpus: &[u32]) -> io::Result<()> {
    let mut set = nix::sched::CpuSet::new();
    for cpu in cpus {
        set.set(usize::try_from(*cpu).unwrap_or(usize::MAX))?;
    }
    nix::sched::sched_setaffinity(Pid::from_raw(0), &set)?;
    Ok(())
}

//----------- Time -------------------------------------------------------------------------------

/// Takes over the environment's way to write dates. Call it before there are threads.
pub(crate) fn use_locale_for_time() {
    // SAFETY: the name is a C string, and no other thread reads the locale yet.
    unsafe { libc::setlocale(libc::LC_TIME, c"".as_ptr()) };
}

/// `seconds` since the epoch in local time, as `strftime` writes it with `format`; empty when
/// that takes more than 255 bytes.
pub(crate) fn local_time(seconds: i64, format: &CStr) -> String {
    let mut tm = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid; the result is zeroed memory even if the call fails, which
    // is a valid `tm` (all numbers, and a null pointer for the zone).
    let tm = unsafe {
        libc::localtime_r(&raw const seconds, tm.as_mut_ptr());
        tm.assume_init()
    };
    let mut text = [0_u8; 256];
    // SAFETY: the buffer has the length that is given, `tm` is initialised, `format` is a C string.
    let len = unsafe {
        libc::strftime(
            text.as_mut_ptr().cast(),
            text.len(),
            format.as_ptr(),
            &raw const tm,
        )
    };
    String::from_utf8_lossy(&text[..len.min(text.len())]).into_owned()
}

/// Sends a signal to the calling thread.
#[cfg(test)]
pub(crate) fn raise_here(signal: i32) {
    // SAFETY: raise takes a number; in a program with threads it is for the calling one.
    unsafe { libc::raise(signal) };
}
