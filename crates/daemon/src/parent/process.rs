//! A child process as its parent has it: its pid, the link to it, what it was asked and has not
//! taken yet.

use std::collections::VecDeque;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::Pid;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::supervisor::Event;
use crate::child::Role;
use crate::cli::{Options, Process};
use crate::ipc::{FromChild, Link, LinkFd, Snapshot, ToChild};
use crate::{Config, names, sys};

/// What the parent asks of a child, with what travels beside it.
#[derive(Debug)]
struct Request {
    message: ToChild,
    snapshot: Option<Snapshot>,
}

/// A running child.
#[derive(Debug)]
pub(crate) struct Child {
    /// Its pid.
    pub(crate) pid: Pid,
    /// When it was started.
    pub(crate) started: Instant,
    /// It has read its configuration.
    pub(crate) ready: bool,
    /// It was sent a configuration and has not answered yet.
    pub(crate) reloading: bool,
    link: Arc<Link>,
    requests: VecDeque<Request>,
    tasks: Vec<AbortHandle>,
    events: UnboundedSender<Event>,
    waiting: bool,
}

impl Child {
    /// Starts `process` with this configuration.
    ///
    /// # Errors
    /// No memory, descriptors or processes left.
    pub(crate) fn start(
        process: Process,
        config: &Config,
        options: &Options,
        events: &UnboundedSender<Event>,
    ) -> io::Result<Self> {
        let (ours, theirs) = LinkFd::pair()?;
        // The name that `exec` of /proc/self/exe would give is `exe`.
        let name = names::process_name(config, Some(process)).or_else(own_name);
        let snapshot = Snapshot::of_start(config, options, name.as_deref())?;
        let role = Role {
            process,
            snapshot: snapshot.as_fd().as_raw_fd(),
            link: theirs.as_fd().as_raw_fd(),
        };
        let own = c"rkeepalived".to_owned();
        let mut words = options
            .argv
            .iter()
            .map(|word| CString::new(word.as_bytes()));
        let program = words.next().transpose()?.unwrap_or(own);
        let mut argv = vec![program, CString::new(role.to_word())?];
        for word in words {
            argv.push(word?);
        }
        let pid = spawn(&argv, &[snapshot.as_fd(), theirs.as_fd()])?;
        Self::at(pid, ours, events)
    }

    /// The child `pid` behind `link`.
    ///
    /// # Errors
    /// The runtime cannot watch the link.
    pub(crate) fn at(pid: Pid, link: LinkFd, events: &UnboundedSender<Event>) -> io::Result<Self> {
        let link = Arc::new(Link::new(link)?);
        let reader = tokio::spawn(read(Arc::clone(&link), pid, events.clone()));
        Ok(Self {
            pid,
            started: Instant::now(),
            ready: false,
            reloading: false,
            link,
            requests: VecDeque::new(),
            tasks: vec![reader.abort_handle()],
            events: events.clone(),
            waiting: false,
        })
    }

    /// Has the child take over `config`. A configuration that it has not taken yet is replaced.
    ///
    /// # Errors
    /// No memory for the snapshot.
    pub(crate) fn reload(&mut self, config: &Config) -> io::Result<()> {
        let snapshot = Some(Snapshot::of_config(config)?);
        self.requests
            .retain(|request| request.message != ToChild::Reload);
        self.requests.push_back(Request {
            message: ToChild::Reload,
            snapshot,
        });
        self.reloading = true;
        self.send_waiting();
        Ok(())
    }

    /// Asks the child for something, once: the same request is not queued twice.
    pub(crate) fn ask(&mut self, message: ToChild) {
        if !self
            .requests
            .iter()
            .any(|request| request.message == message)
        {
            self.requests.push_back(Request {
                message,
                snapshot: None,
            });
        }
        self.send_waiting();
    }

    /// There may be room again.
    pub(crate) fn writable(&mut self) {
        self.waiting = false;
        self.send_waiting();
    }

    /// Sends what waits, as far as the child takes it. Never waits itself: a stopped child must
    /// not stop its parent.
    fn send_waiting(&mut self) {
        while let Some(request) = self.requests.front() {
            let fd = request.snapshot.as_ref().map(Snapshot::as_fd);
            match self.link.try_send(&request.message, fd) {
                Ok(()) => {
                    self.requests.pop_front();
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return self.wait_for_room(),
                Err(e) => {
                    // The child is dying: its end is told elsewhere.
                    tracing::debug!("a request to process {} is dropped: {e}", self.pid);
                    self.requests.pop_front();
                }
            }
        }
    }

    fn wait_for_room(&mut self) {
        if self.waiting {
            return;
        }
        self.waiting = true;
        let (link, events, pid) = (Arc::clone(&self.link), self.events.clone(), self.pid);
        let task = tokio::spawn(async move {
            if link.writable().await.is_ok() {
                // No receiver means that the parent is ending.
                let _ = events.send(Event::Writable(pid));
            }
        });
        self.tasks.truncate(1);
        self.tasks.push(task.abort_handle());
    }

    /// Sends signal `signal` to the child.
    pub(crate) fn kill(&self, signal: i32) {
        if let Err(e) = sys::kill(self.pid, signal) {
            tracing::debug!("process {} cannot be told: {e}", self.pid);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Starts this program with these words and leaves it these descriptors under their numbers.
///
/// Not with `fork`: a copy of this process, only to become another one, costs more than the whole
/// start of the child when the configuration is large.
fn spawn(argv: &[CString], fds: &[BorrowedFd<'_>]) -> io::Result<Pid> {
    let mut actions = PosixSpawnFileActions::init()?;
    for fd in fds {
        // Onto itself: this takes the flag away that closes it.
        actions.add_dup2(fd.as_raw_fd(), fd.as_raw_fd())?;
    }
    let environment: Vec<CString> = std::env::vars_os()
        .filter_map(|(name, value)| {
            let all = [name.as_bytes(), b"=", value.as_bytes()].concat();
            CString::new(all).ok()
        })
        .collect();
    let mut attributes = PosixSpawnAttr::init()?;
    // This program ignores it, and what it starts should not by inheritance.
    attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF)?;
    attributes.set_sigdefault(&SigSet::from(Signal::SIGPIPE))?;
    let path = c"/proc/self/exe";
    Ok(posix_spawn(
        path,
        &actions,
        &attributes,
        argv,
        &environment,
    )?)
}

/// Hands on what the child says, until it closes the link.
async fn read(link: Arc<Link>, pid: Pid, events: UnboundedSender<Event>) {
    loop {
        match link.recv::<FromChild>().await {
            Ok(Some((message, _))) => {
                if events.send(Event::Said(pid, message)).is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(e) => tracing::warn!("process {pid} said what is not understood: {e}"),
        }
    }
}

/// What `ps` shows for this process.
fn own_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/self/comm").ok()?;
    Some(name.trim_end().to_owned())
}
