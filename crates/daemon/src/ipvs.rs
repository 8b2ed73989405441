//! The kernel's IPVS table as the processes reach it: opening it, and its sync daemons.

use std::process;

use rk_config::model;
use rk_ipvs::{Command, Kernel, Name, SyncDaemon, SyncState, TableError};
use tracing::{debug, error};

/// Opens the table of the namespace that `net_namespace_ipvs` names, as often as it is called.
/// The first time that the kernel has none, its module is loaded.
pub(crate) fn opener(
    namespace: Option<Option<String>>,
) -> impl FnMut() -> Result<Kernel, TableError> + Send {
    let mut modules = Modules::default();
    move || modules.open(namespace.as_ref())
}

/// Opens the kernel's table, and loads its module if need be.
#[derive(Debug, Default)]
struct Modules {
    tried: bool,
}

impl Modules {
    fn open(&mut self, namespace: Option<&Option<String>>) -> Result<Kernel, TableError> {
        match open(namespace) {
            Err(TableError::NoIpvs) if !self.tried => {
                self.tried = true;
                let loaded = process::Command::new("modprobe")
                    .args(["-va", "ip_vs"])
                    .stdin(process::Stdio::null())
                    .stdout(process::Stdio::null())
                    .stderr(process::Stdio::null())
                    .status();
                match loaded {
                    Ok(status) => debug!("modprobe ip_vs: {status}"),
                    Err(e) => debug!("modprobe ip_vs: {e}"),
                }
                open(namespace)
            }
            result => result,
        }
    }
}

/// A netlink socket stays in the namespace of the thread that opened it.
fn open(namespace: Option<&Option<String>>) -> Result<Kernel, TableError> {
    let Some(name) = namespace else {
        return Kernel::open();
    };
    let name = Some(name.clone());
    let opened = std::thread::spawn(move || {
        enter(name.as_ref())?;
        Kernel::open()
    })
    .join();
    opened.unwrap_or_else(|_| Err(std::io::Error::other("the thread died").into()))
}

/// Moves the calling thread into the namespace that `net_namespace_ipvs` names.
pub(crate) fn enter(namespace: Option<&Option<String>>) -> std::io::Result<()> {
    match namespace {
        None => Ok(()),
        Some(Some(name)) => rk_net::netns::enter(name).map_err(std::io::Error::other),
        Some(None) => rk_net::netns::enter_default().map_err(std::io::Error::other),
    }
}

/// The daemon that a `lvs_sync_daemon` line asks for; `id` is its id unless the line says one.
pub(crate) fn sync_daemon(
    line: &model::LvsSyncDaemon,
    state: SyncState,
    id: u8,
) -> Option<SyncDaemon> {
    let interface = Name::new(&line.interface)
        .inspect_err(|e| error!("{}: lvs_sync_daemon: {e}", line.origin))
        .ok()?;
    Some(SyncDaemon {
        max_len: line.maxlen,
        group: line.group,
        port: line.port,
        ttl: line.ttl,
        ..SyncDaemon::new(state, interface, line.id.unwrap_or(id))
    })
}

/// What turns the sync daemons that run into the one that is `wanted`; `ours` is the one that
/// this process has started. Other daemons stay, but for those in the way: the kernel has one
/// place for each role, and an earlier run may have left the other role of the same id.
pub(crate) fn sync_commands(
    running: &[SyncDaemon],
    ours: Option<&SyncDaemon>,
    wanted: Option<&SyncDaemon>,
) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut there = false;
    for daemon in running {
        let own = ours.is_some_and(|ours| is(ours, daemon));
        // What was asked for and is there the kernel may have trimmed: a length, for example.
        let as_asked = own && ours == wanted;
        if as_asked || wanted.is_some_and(|wanted| fits(wanted, daemon)) {
            there = true;
            continue;
        }
        let in_the_way = wanted
            .is_some_and(|wanted| wanted.state == daemon.state || wanted.sync_id == daemon.sync_id);
        if own || in_the_way {
            commands.push(Command::DelDaemon {
                state: daemon.state,
                sync_id: daemon.sync_id,
            });
        }
    }
    if let Some(wanted) = wanted.filter(|_| !there) {
        commands.push(Command::NewDaemon(*wanted));
    }
    commands
}

/// Whether a daemon that runs is as `wanted` says; what that leaves open the kernel has decided.
fn fits(wanted: &SyncDaemon, running: &SyncDaemon) -> bool {
    fn same<T: Copy + PartialEq>(wanted: Option<T>, is: Option<T>) -> bool {
        wanted.is_none() || wanted == is
    }
    is(wanted, running)
        && same(wanted.max_len, running.max_len)
        && same(wanted.group, running.group)
        && same(wanted.port, running.port)
        && same(wanted.ttl, running.ttl)
}

/// Whether a daemon that runs is this one, whatever its settings.
fn is(one: &SyncDaemon, running: &SyncDaemon) -> bool {
    one.state == running.state
        && one.interface == running.interface
        && one.sync_id == running.sync_id
}
