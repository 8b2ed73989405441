//! The kernel's IPVS table as the processes reach it: opening it, and its sync daemons.

use std::process;

use rk_config::model;
use rk_ipvs::{Command, Kernel, Name, ReceiveBuffer, SyncDaemon, SyncState, TableError};
use tracing::{debug, error};

/// Opens the table of the namespace that `net_namespace_ipvs` names, as often as it is called,
/// with a receive buffer as `lvs_netlink_cmd_rcv_bufs` says. The first time that the kernel has
/// none, its module is loaded.
pub(crate) fn opener(
    global: &model::Global,
) -> impl FnMut() -> Result<Kernel, TableError> + Send + use<> {
    let namespace = global.net_namespace_ipvs.clone();
    let mut modules = Modules {
        buffer: match global.lvs.netlink_cmd_rcv_bufs {
            None | Some(0) => ReceiveBuffer::Ample,
            Some(bytes) => ReceiveBuffer::Of {
                bytes,
                beyond: global.lvs.netlink_cmd_rcv_bufs_force,
            },
        },
        tried: false,
    };
    move || modules.open(namespace.as_ref())
}

/// Opens the kernel's table, and loads its module if need be.
#[derive(Debug)]
struct Modules {
    buffer: ReceiveBuffer,
    tried: bool,
}

impl Modules {
    fn open(&mut self, namespace: Option<&Option<String>>) -> Result<Kernel, TableError> {
        match open(namespace, self.buffer) {
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
                open(namespace, self.buffer)
            }
            result => result,
        }
    }
}

/// A netlink socket stays in the namespace of the thread that opened it.
fn open(namespace: Option<&Option<String>>, buffer: ReceiveBuffer) -> Result<Kernel, TableError> {
    let Some(name) = namespace else {
        return Kernel::open_with(buffer);
    };
    let name = Some(name.clone());
    let opened = std::thread::spawn(move || {
        enter(name.as_ref())?;
        Kernel::open_with(buffer)
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

/// The daemons of the checker process: both roles, if the line names no instance and there is
/// such a process.
pub(crate) fn own_sync_daemons(config: &model::Config) -> Vec<SyncDaemon> {
    let line = config.global.lvs_sync_daemon.as_ref();
    let line = line.filter(|line| line.inst.is_none() && !config.virtual_servers.is_empty());
    let roles = [SyncState::Master, SyncState::Backup];
    let both = roles.map(|role| line.and_then(|line| sync_daemon(line, role, 0)));
    both.into_iter().flatten().collect()
}

/// The daemon that the VRRP process has while the instance is no Master, by this configuration.
pub(crate) fn followed_sync_daemon(config: &model::Config) -> Option<SyncDaemon> {
    let line = followed_line(config)?;
    let mut instances = config.instances.iter();
    let instance = instances.find(|one| line.inst.as_deref() == Some(&*one.name))?;
    sync_daemon(&line, SyncState::Backup, instance.virtual_router_id.get())
}

/// The line that names an instance, or what the deprecated `lvs_sync_daemon_interface` of one says.
pub(crate) fn followed_line(config: &model::Config) -> Option<model::LvsSyncDaemon> {
    if let Some(line) = &config.global.lvs_sync_daemon {
        return line.inst.is_some().then(|| line.clone());
    }
    config.instances.iter().find_map(|instance| {
        Some(model::LvsSyncDaemon {
            interface: instance.lvs_sync_daemon_interface.clone()?,
            inst: Some(instance.name.to_string()),
            // keepalived: with 0 a backup takes what any master sends.
            id: Some(0),
            maxlen: None,
            port: None,
            ttl: None,
            group: None,
            origin: instance.origin.clone(),
        })
    })
}

/// What turns the sync daemons that run into those that are `wanted`; `ours` are those that this
/// process has started. Other daemons stay, but for those in the way: the kernel has one place for
/// each role, and an earlier run may have left the other role of the same id.
pub(crate) fn sync_commands(
    running: &[SyncDaemon],
    ours: &[SyncDaemon],
    wanted: &[SyncDaemon],
) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut missing = wanted.to_vec();
    for daemon in running {
        // What was asked for and is there the kernel may have trimmed: a length, for example.
        let as_asked =
            |one: &SyncDaemon| fits(one, daemon) || (is(one, daemon) && ours.contains(one));
        if wanted.iter().any(as_asked) {
            missing.retain(|one| !as_asked(one));
            continue;
        }
        let own = ours.iter().any(|one| is(one, daemon));
        let has = |state| wanted.iter().any(|one| one.state == state);
        let other_role = || wanted.iter().any(|one| one.sync_id == daemon.sync_id);
        if own || has(daemon.state) || other_role() {
            commands.push(Command::DelDaemon {
                state: daemon.state,
                sync_id: daemon.sync_id,
            });
        }
    }
    commands.extend(missing.into_iter().map(Command::NewDaemon));
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

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [SyncState; 2] = [SyncState::Master, SyncState::Backup];

    fn daemon(state: SyncState, id: u8) -> SyncDaemon {
        SyncDaemon::new(state, Name::new("eth0").expect("a short name"), id)
    }

    fn both(id: u8) -> [SyncDaemon; 2] {
        ROLES.map(|state| daemon(state, id))
    }

    fn gone(state: SyncState, sync_id: u8) -> Command {
        Command::DelDaemon { state, sync_id }
    }

    #[test]
    fn both_roles_of_one_id_are_two_daemons() {
        let all = both(5);
        assert_eq!(sync_commands(&[], &[], &all), all.map(Command::NewDaemon));
        assert_eq!(sync_commands(&all, &all, &all), []);
        // Left by an earlier run.
        assert_eq!(sync_commands(&all, &[], &all), []);
        assert_eq!(
            sync_commands(&all[1..], &all, &all),
            [Command::NewDaemon(all[0])]
        );
        assert_eq!(
            sync_commands(&all, &all, &[]),
            ROLES.map(|role| gone(role, 5))
        );
        // Those of the other process.
        assert_eq!(sync_commands(&both(7), &all, &[]), []);
    }

    #[test]
    fn what_is_in_the_place_of_another_goes_first() {
        let (old, new) = (both(5), both(6));
        let commands = sync_commands(&old, &old, &new);
        let wanted = [
            gone(SyncState::Master, 5),
            gone(SyncState::Backup, 5),
            Command::NewDaemon(new[0]),
            Command::NewDaemon(new[1]),
        ];
        assert_eq!(commands, wanted);
        // That of an instance, when the line names none any more.
        assert_eq!(
            sync_commands(&old[1..], &[], &new),
            [wanted[1], wanted[2], wanted[3]]
        );
    }
}
