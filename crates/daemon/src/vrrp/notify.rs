//! What goes out on a transition: scripts, FIFO lines, mails; and how the configuration says so.
//!
//! Nothing here waits: scripts and mails are handed to tasks, a FIFO takes a line or loses it.

use std::collections::HashMap;
use std::sync::Arc;

use rk_config::model;
use rk_notify::{Alert, Limits, Mailed, Mailer, Queue, Retry, Scripts, Source, State, Transition};
use rk_script::{Command, Umask};

use crate::outlets::{self, Pipes, command, mail_settings};

/// Everybody who wants to hear of transitions.
#[derive(Debug)]
pub(super) struct Notifier {
    queue: Queue,
    sources: HashMap<Source, Wants>,
    fifos: Pipes,
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

impl Notifier {
    /// Starts the tasks that `config` needs. Must be called inside the runtime.
    pub(super) fn start(config: &model::Config) -> Self {
        let mut notifier = Self {
            queue: Queue::new(Limits::default()),
            sources: HashMap::new(),
            fifos: Pipes::default(),
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
        let fifos = [
            ("notify", global.notify_fifo.as_ref()),
            ("vrrp", global.vrrp_notify_fifo.as_ref()),
        ];
        self.fifos.apply(fifos, self.umask);
        match (mail_settings(global), &self.mailer) {
            (None, _) => self.mailer = None,
            (Some(settings), Some(mailer)) => mailer.configure(settings),
            (Some(settings), None) => self.mailer = Some(Mailer::start(settings, Retry::default())),
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
        self.fifos.write(&transition.line());
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
        self.fifos
            .write(&format!("INSTANCE \"{name}\" {word} {priority}\n"));
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
        outlets::drain(self.queue, self.mailer).await;
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
