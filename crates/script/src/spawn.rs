//! Fork and exec, in the environment that keepalived's scripts know: the only unsafe code here.
//!
//! ```text
//!   runtime thread                     spawner thread                child
//!   spawn(&Command) ── Prepared ─────> fork ───────────────────────> own process group
//!        │                              │ waits for exec             scheduling, groups, user,
//!        │ <──── Child or SpawnError ── │ <──── errno, if any ────── signals, close-on-exec, execve
//! ```
//!
//! The standard library's spawn waits until the file is being executed, and a file on a dead NFS
//! mount lets it wait for ever: hence the thread. It lives as long as the process, because the
//! kernel ties "tell me when my parent dies" to the thread that forked. All that needs memory is
//! prepared before the fork: after it, only async-signal-safe calls are made.

use std::convert::Infallible;
use std::ffi::{CString, OsStr, c_char};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::mpsc;

use tokio::process::Child;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::command::Command;

/// Variables of the daemon that no script inherits: they change what a program loads or how a
/// shell splits words.
const WITHHELD: [&str; 3] = ["IFS", "LD_PRELOAD", "LD_LIBRARY_PATH"];

/// Size of the kernel's signal set.
const SIGSET_BYTES: usize = 8;

/// Why a script did not start. Nothing of it ran.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpawnError {
    /// The file does not exist (any more).
    #[error("{0}: no such file")]
    NotFound(PathBuf),
    /// The file exists, but the interpreter that its first line names does not.
    #[error("{0}: the interpreter named in its first line does not exist")]
    NoInterpreter(PathBuf),
    /// The user may not execute the file, or not reach it.
    #[error("{path}: not executable for uid:gid {uid}:{gid}")]
    NotExecutable {
        /// The file.
        path: PathBuf,
        /// Whom the script would run as.
        uid: u32,
        /// And as which group.
        gid: u32,
    },
    /// Neither a program for this machine nor a text.
    #[error("{0}: neither a program for this machine nor a script")]
    BadFormat(PathBuf),
    /// Someone keeps the file open for writing. Trying again helps once they are done.
    #[error("{0}: is being written to")]
    BeingWritten(PathBuf),
    /// A word holds a NUL byte.
    #[error("{0}: a word holds a NUL byte")]
    NulByte(PathBuf),
    /// Anything else the kernel objects to: processes, memory or descriptors are used up, or the
    /// daemon may not change to that user.
    #[error("{path}: {}", io::Error::from_raw_os_error(*errno))]
    Kernel {
        /// The file.
        path: PathBuf,
        /// The system's error number.
        errno: i32,
    },
}

/// A request to the spawner thread.
struct Order {
    prepared: Prepared,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// Everything the child needs, allocated before the fork.
pub(crate) struct Prepared {
    path: CString,
    argv: Pointers,
    envp: Pointers,
    uid: libc::uid_t,
    gid: libc::gid_t,
    groups: Vec<libc::gid_t>,
    umask: libc::mode_t,
    parent: libc::pid_t,
}

impl Prepared {
    /// `command` with the environment of this process, as C wants it; `None` on a NUL byte.
    pub(crate) fn new(command: &Command) -> Option<Self> {
        let c_string = |s: &OsStr| CString::new(s.as_bytes()).ok();
        let environment = std::env::vars_os()
            .filter(|(name, _)| !WITHHELD.iter().any(|withheld| name == withheld))
            .filter_map(|(name, value)| {
                CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
            })
            .collect();
        Some(Self {
            path: c_string(command.path.as_os_str())?,
            argv: Pointers::new(
                command
                    .argv
                    .iter()
                    .map(|word| c_string(word))
                    .collect::<Option<_>>()?,
            ),
            envp: Pointers::new(environment),
            uid: command.user.uid,
            gid: command.user.gid,
            groups: command.user.groups.clone(),
            umask: command.umask.0,
            parent: std::process::id().cast_signed(),
        })
    }
}

/// A NULL-terminated array of C strings, and the strings it points to.
struct Pointers {
    /// Owns what `array` points to; never touched again.
    _strings: Vec<CString>,
    array: Vec<*const c_char>,
}

// SAFETY: the pointers lead to heap buffers that this very value owns and that nobody changes,
// wherever the value is moved to.
unsafe impl Send for Pointers {}
// SAFETY: as above; there is no way to change them through a shared reference.
unsafe impl Sync for Pointers {}

impl Pointers {
    fn new(strings: Vec<CString>) -> Self {
        let ends = std::iter::once(std::ptr::null());
        let array = strings.iter().map(|s| s.as_ptr()).chain(ends).collect();
        Self {
            _strings: strings,
            array,
        }
    }
}

/// Has the spawner thread start `prepared` in a process group of its own.
pub(crate) async fn fork(prepared: Prepared) -> io::Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let gone = || io::Error::from_raw_os_error(libc::EAGAIN);
    let (reply, answer) = oneshot::channel();
    let order = Order {
        prepared,
        runtime: Handle::current(),
        reply,
    };
    let spawner = match SPAWNER.get() {
        Some(spawner) => spawner,
        None => {
            let (orders, inbox) = mpsc::channel();
            std::thread::Builder::new()
                .name("spawner".into())
                .spawn(move || serve(&inbox))?;
            SPAWNER.get_or_init(|| orders)
        }
    };
    spawner.send(order).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

/// The spawner thread: one order after the other, until the process ends.
fn serve(inbox: &mpsc::Receiver<Order>) {
    // A VRRP process may run under a real-time policy; forking needs none of it.
    let _ = ordinary_scheduling();
    while let Ok(Order {
        prepared,
        runtime,
        reply,
    }) = inbox.recv()
    {
        let _context = runtime.enter();
        // If nobody waits any more the child is dropped here, and with it killed.
        let _ = reply.send(start(prepared));
    }
}

/// Forks; returns when the child executes the file or has failed to.
fn start(prepared: Prepared) -> io::Result<Child> {
    // The child never gets to the standard library's own exec: the name is for its error messages.
    let mut command = std::process::Command::new("script");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    // SAFETY: `become_script` makes only async-signal-safe calls and does not allocate.
    unsafe {
        command.pre_exec(move || match become_script(&prepared) {
            Ok(never) => match never {},
            Err(error) => Err(error),
        });
    }
    tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()
}

/// In the child: sheds what the daemon is, and executes the file.
///
/// The order matters: scheduling before the user (lowering a nice value is a privilege), groups
/// before the user likewise, and the parent-death signal after it, since a change of user clears
/// it.
fn become_script(p: &Prepared) -> io::Result<Infallible> {
    ordinary_scheduling()?;
    change_user(p)?;
    die_with(p.parent)?;
    // SAFETY: umask cannot fail and touches nothing but the mask.
    unsafe { libc::umask(p.umask) };
    default_signals();
    close_on_exec()?;
    // SAFETY: path, argv and envp are NUL-terminated strings and NULL-terminated arrays of such,
    // all owned by `p`, which outlives the call.
    unsafe {
        libc::execve(
            p.path.as_ptr(),
            p.argv.array.as_ptr(),
            p.envp.array.as_ptr(),
        )
    };
    Err(io::Error::last_os_error())
}

/// Back to the default policy and nice value.
fn ordinary_scheduling() -> io::Result<()> {
    // SAFETY: plain data, for which all zeros is a valid value.
    let param: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: `param` is a valid structure that outlives the call.
    check(unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const param) })?;
    // An unprivileged daemon that was started with a nice value keeps it.
    // SAFETY: plain integers.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 0) };
    Ok(())
}

/// Groups, group and user, in this order.
fn change_user(p: &Prepared) -> io::Result<()> {
    // SAFETY: the pointer and the length describe one live vector.
    let set = unsafe { libc::setgroups(p.groups.len(), p.groups.as_ptr()) };
    // SAFETY: these have no preconditions.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    // An unprivileged daemon, or root of a user namespace that forbids setgroups, may still run
    // scripts as itself: it gains no right by it.
    if set != 0 && (uid, gid) != (p.uid, p.gid) {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: plain integers.
    check(unsafe { libc::setresgid(p.gid, p.gid, p.gid) })?;
    // SAFETY: plain integers.
    check(unsafe { libc::setresuid(p.uid, p.uid, p.uid) })
}

/// Has the kernel send TERM when the daemon dies, also if it just did.
fn die_with(parent: libc::pid_t) -> io::Result<()> {
    // SAFETY: plain integers.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) })?;
    // SAFETY: no preconditions.
    if unsafe { libc::getppid() } != parent {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    Ok(())
}

/// Every signal at its default action, none blocked.
fn default_signals() {
    // The kernel's own structure, which is no longer than this; all zeros is the default action.
    let default = [0_u64; 8];
    for signal in 1..=libc::SIGRTMAX() {
        // Not through the C library, which will not touch the two signals that it keeps for
        // itself. Fails for KILL and STOP, where there is nothing to reset.
        // SAFETY: the kernel only reads from `default`, and asks for no old action to be stored.
        unsafe {
            let old = std::ptr::null_mut::<u64>();
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                old,
                SIGSET_BYTES,
            );
        }
    }
    // SAFETY: all zeros is valid storage for a set; sigemptyset makes it a valid empty one, and
    // the null pointer asks for no old mask.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Marks every descriptor above 2 to be closed by exec: not before, because the standard library
/// tells the parent about a failure through one of them.
fn close_on_exec() -> io::Result<()> {
    // SAFETY: plain integers; only flags of our own descriptors change.
    let done = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    if done == 0 {
        return Ok(());
    }
    // Linux before 5.11 cannot do it at once.
    // SAFETY: plain data, for which all zeros is a valid value.
    let mut limit: libc::rlimit = unsafe { std::mem::zeroed() };
    // SAFETY: `limit` is valid and outlives the call.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    for fd in 3..i32::try_from(limit.rlim_cur).unwrap_or(i32::MAX) {
        // SAFETY: plain integers; a number that is no descriptor gives EBADF.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    Ok(())
}

/// A C result as a Rust one.
fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
