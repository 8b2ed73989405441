//! What goes out on a transition: scripts, FIFO lines, mails; and how the configuration says so.
//!
//! Nothing here waits: scripts and mails are handed to tasks, a FIFO takes a line or loses it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rk_config::model;
use rk_notify::{
    Alert, Fifo, FifoScript, FifoSettings, Limits, MailServer, MailSettings, Mailed, Mailer, Queue,
    Retry, Scripts, Source, State, Transition, default_sender, local_host_name,
};
use rk_script::{Command, Credentials, Supplementary, Umask};
use tracing::{info, warn};

/// How long scripts and mails may take when the daemon stops.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// Everybody who wants to hear of transitions.
#[derive(Debug)]
pub(super) struct Notifier {
    queue: Queue,
    sources: HashMap<Source, Wants>,
    fifos: Vec<Pipe>,
    mailer: Option<Mailer>,
    mailed: Mailed,
    no_email_faults: bool,
    umask: Umask,
}

/// What one instance or group wants done.
#[derive(Debug)]
struct Wants {
    master: Option<Command>,
    backup: Option<Command>,
    fault: Option<Command>,
    stop: Option<Command>,
    deleted: Option<Command>,
    generic: Option<Command>,
    master_rx_lower_pri: Option<Command>,
    smtp_alert: bool,
    priority_changes: bool,
    /// Report a removal as DELETED, not as FAULT.
    notify_deleted: bool,
}

/// A FIFO with the script that reads it.
#[derive(Debug)]
struct Pipe {
    fifo: Fifo,
    script: Option<FifoScript>,
}

impl Notifier {
    /// Starts the tasks that `config` needs. Must be called inside the runtime.
    pub(super) fn start(config: &model::Config) -> Self {
        let mut notifier = Self {
            queue: Queue::new(Limits::default()),
            sources: HashMap::new(),
            fifos: Vec::new(),
            mailer: None,
            mailed: Mailed::default(),
            no_email_faults: false,
            umask: Umask::default(),
        };
        notifier.apply(config);
        notifier
    }

    /// Takes over a configuration: at the start, and at each reload.
    ///
    /// FIFOs and their scripts that stay as they were are not touched, so readers lose no line.
    pub(super) fn apply(&mut self, config: &model::Config) {
        let global = &config.global;
        self.umask = global.umask.map_or_else(Umask::default, Umask);
        self.no_email_faults = global.mail.no_email_faults;
        let instances = config
            .instances
            .iter()
            .map(|i| (instance(&i.name), &i.notify));
        let groups = config
            .sync_groups
            .iter()
            .map(|g| (group(&g.name), &g.notify));
        let umask = self.umask;
        let wanted: HashMap<Source, Wants> = instances
            .chain(groups)
            .map(|(s, n)| (s, Wants::of(n, umask)))
            .collect();
        for gone in self.sources.keys().filter(|s| !wanted.contains_key(s)) {
            self.mailed.forget(gone);
        }
        self.sources = wanted;
        self.apply_fifos(global);
        match (mail_settings(global), &self.mailer) {
            (None, _) => self.mailer = None,
            (Some(settings), Some(mailer)) => mailer.configure(settings),
            (Some(settings), None) => self.mailer = Some(Mailer::start(settings, Retry::default())),
        }
    }

    fn apply_fifos(&mut self, global: &model::Global) {
        let mut kept = std::mem::take(&mut self.fifos);
        let wanted = [
            ("", &global.notify_fifo),
            ("vrrp", &global.vrrp_notify_fifo),
        ];
        for (tag, fifo) in wanted
            .into_iter()
            .filter_map(|(t, f)| f.as_ref().map(|f| (t, f)))
        {
            let settings = FifoSettings {
                path: PathBuf::from(&fifo.path),
                owner: fifo
                    .owner
                    .as_ref()
                    .map_or_else(Credentials::current, credentials),
                umask: self.umask,
            };
            let script = fifo.script.as_ref().and_then(|c| command(c, self.umask));
            let same = |p: &Pipe| *p.fifo.settings() == settings;
            let mut pipe = match kept.iter().position(same).map(|at| kept.swap_remove(at)) {
                Some(pipe) => pipe,
                None => match Fifo::open(settings) {
                    Ok(fifo) => Pipe { fifo, script: None },
                    Err(e) => {
                        warn!("{}: notify fifo {}: {e}", fifo.origin, fifo.path);
                        continue;
                    }
                },
            };
            if pipe.script.as_ref().map(FifoScript::command) != script.as_ref() {
                pipe.script = script.map(|c| FifoScript::start(c, pipe.fifo.path(), tag_of(tag)));
            }
            self.fifos.push(pipe);
        }
    }

    /// Tells everybody that `source` entered `state`: scripts, then FIFOs, then mail.
    pub(super) fn transition(&mut self, source: Source, state: State, priority: u8, cause: &str) {
        let Some(wants) = self.sources.get(&source) else {
            return;
        };
        // keepalived: without notify_deleted a removed instance says FAULT.
        let told = match state {
            State::Deleted if !wants.notify_deleted => State::Fault,
            other => other,
        };
        let transition = Transition {
            source,
            state: told,
            priority,
        };
        let specific = match told {
            State::Master => &wants.master,
            State::Backup => &wants.backup,
            State::Fault => &wants.fault,
            State::Stop => &wants.stop,
            State::Deleted => &wants.deleted,
        };
        let scripts = Scripts {
            specific: specific.clone(),
            generic: wants.generic.clone(),
        };
        self.queue.notify(&transition, &scripts);
        for pipe in &mut self.fifos {
            pipe.fifo.write(&transition.line());
        }
        let skipped = self.no_email_faults && told == State::Fault;
        if let (true, false, Some(mailer)) = (wants.smtp_alert, skipped, &self.mailer)
            && self.mailed.is_news(&transition)
        {
            mailer.send(Alert::transition(&transition, Some(cause)));
        }
    }

    /// A Master heard a lower-priority advert: its script and the FIFOs are told.
    pub(super) fn rx_lower_priority(&mut self, name: &str, priority: u8) {
        self.side_event(name, "MASTER_RX_LOWER_PRI", priority, |w| {
            w.master_rx_lower_pri.as_ref()
        });
    }

    /// The effective priority changed: the FIFOs are told, if the instance wants it.
    pub(super) fn priority_changed(&mut self, name: &str, master: bool, priority: u8) {
        if self
            .sources
            .get(&instance(name))
            .is_some_and(|w| w.priority_changes)
        {
            let word = if master {
                "MASTER_PRIORITY"
            } else {
                "BACKUP_PRIORITY"
            };
            self.side_event(name, word, priority, |_| None);
        }
    }

    fn side_event(
        &mut self,
        name: &str,
        word: &str,
        priority: u8,
        script: fn(&Wants) -> Option<&Command>,
    ) {
        let source = instance(name);
        let Some(wants) = self.sources.get(&source) else {
            return;
        };
        for pipe in &mut self.fifos {
            pipe.fifo
                .write(&format!("INSTANCE \"{name}\" {word} {priority}\n"));
        }
        if let Some(command) = script(wants) {
            let scripts = Scripts {
                specific: Some(command.clone()),
                generic: None,
            };
            let transition = Transition {
                source,
                state: State::Master,
                priority,
            };
            self.queue.notify(&transition, &scripts);
        }
    }

    /// Waits for what is under way, up to a limit, and says what was lost.
    pub(super) async fn drain(self) {
        let Self { queue, mailer, .. } = self;
        let mails = async {
            match mailer {
                Some(mailer) => mailer.drain(DRAIN_LIMIT).await,
                None => 0,
            }
        };
        let (drained, unsent) = tokio::join!(queue.drain(DRAIN_LIMIT), mails);
        if drained.killed + drained.not_started > 0 {
            warn!(
                "{} notify scripts were still running {} s after the stop and were killed, {} never ran",
                drained.killed,
                DRAIN_LIMIT.as_secs(),
                drained.not_started
            );
        }
        if unsent > 0 {
            warn!("{unsent} alert mails could not be sent before the stop");
        }
    }
}

impl Wants {
    fn of(notify: &model::Notify, umask: Umask) -> Self {
        let usable = |c: &Option<Box<model::Command>>| c.as_ref().and_then(|c| command(c, umask));
        Self {
            master: usable(&notify.master),
            backup: usable(&notify.backup),
            fault: usable(&notify.fault),
            stop: usable(&notify.stop),
            deleted: usable(&notify.deleted_script),
            generic: usable(&notify.generic),
            master_rx_lower_pri: usable(&notify.master_rx_lower_pri),
            smtp_alert: notify.smtp_alert,
            priority_changes: notify.priority_changes,
            notify_deleted: notify.deleted,
        }
    }
}

/// The instance `name` as a source of events.
pub(super) fn instance(name: &str) -> Source {
    Source::Instance(Arc::from(name))
}

/// The sync group `name` as a source of events.
pub(super) fn group(name: &str) -> Source {
    Source::Group(Arc::from(name))
}

fn tag_of(tag: &str) -> &'static str {
    if tag.is_empty() { "notify" } else { "vrrp" }
}

/// A configured command as one that can be run, unless it may not.
pub(super) fn command(c: &model::Command, umask: Umask) -> Option<Command> {
    if !c.verdict.may_run() {
        return None;
    }
    Some(Command {
        path: PathBuf::from(&c.path),
        argv: c.argv.iter().map(OsString::from).collect(),
        user: credentials(&c.run_as),
        umask,
    })
}

/// The numbers behind a configured user and group.
fn credentials(who: &model::RunAs) -> Credentials {
    let groups = match (who.groups, &who.user) {
        (model::SupplementaryGroups::OfUser, Some(user)) => {
            match Credentials::resolve(user, None, Supplementary::OfUser) {
                Ok(found) => found.groups,
                Err(e) => {
                    warn!("supplementary groups of {user} are unknown, scripts run without: {e}");
                    Vec::new()
                }
            }
        }
        _ => Vec::new(),
    };
    Credentials {
        uid: who.uid,
        gid: who.gid,
        groups,
    }
}

/// The mail side of the configuration; `None` when nobody is to be mailed.
fn mail_settings(global: &model::Global) -> Option<MailSettings> {
    let mail = &global.mail;
    let server = mail.smtp_server.as_deref()?;
    let to: Vec<_> = mail
        .notification_email
        .iter()
        .filter_map(|text| {
            text.parse()
                .inspect_err(|e| warn!("notification_email: {e}: no mail goes there"))
                .ok()
        })
        .collect();
    if to.is_empty() {
        return None;
    }
    let host = local_host_name();
    let from = mail.notification_email_from.as_deref().and_then(|text| {
        text.parse()
            .inspect_err(|e| warn!("notification_email_from: {e}: using the default"))
            .ok()
    });
    let settings = MailSettings {
        server: mail_server(server, mail.smtp_port),
        helo_name: mail.smtp_helo_name.clone().unwrap_or_else(|| host.clone()),
        from: from.unwrap_or_else(|| default_sender(&host)),
        to,
        router_id: global.router_id.clone().unwrap_or(host),
        timeout: mail.smtp_connect_timeout,
    };
    info!(
        "alerts go to {} recipients through {server}",
        settings.to.len()
    );
    Some(settings)
}

fn mail_server(server: &str, port: u16) -> MailServer {
    match server.parse() {
        Ok(ip) => MailServer::Address(std::net::SocketAddr::new(ip, port)),
        Err(_) => MailServer::Name {
            host: server.to_owned(),
            port,
        },
    }
}
