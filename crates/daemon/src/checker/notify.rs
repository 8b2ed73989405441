//! What goes out when a real server or a quorum changes: scripts, FIFO lines, mails.

use std::collections::HashMap;

use rk_checker::state::{Endpoint, Health, Mail, Notice, Subject};
use rk_config::model;
use rk_notify::{Alert, Limits, Mailer, Queue, Retry, Source};
use rk_script::{Command, Umask};

use super::translate;
use crate::outlets::{self, Pipes, command, mail_settings};

/// Everybody who wants to hear of changes.
#[derive(Debug)]
pub(super) struct Notifier {
    queue: Queue,
    scripts: HashMap<Subject, Scripts>,
    fifos: Pipes,
    mailer: Option<Mailer>,
}

/// The scripts of one server.
#[derive(Clone, Debug, Default)]
struct Scripts {
    up: Option<Command>,
    down: Option<Command>,
}

impl Notifier {
    /// Starts the tasks that `config` needs. Must be called inside the runtime.
    pub(super) fn start(config: &model::Config) -> Self {
        let mut notifier = Self {
            queue: Queue::new(Limits::default()),
            scripts: HashMap::new(),
            fifos: Pipes::default(),
            mailer: None,
        };
        notifier.apply(config);
        notifier
    }

    /// Takes over a configuration: at the start, and before what a reload changes is told. What
    /// it removes still has the scripts that it had, until [`Self::settle`].
    pub(super) fn apply(&mut self, config: &model::Config) {
        let global = &config.global;
        let umask = global.umask.map_or_else(Umask::default, Umask);
        if !self.scripts.is_empty() {
            for subject in subjects(config) {
                self.scripts.remove(&subject);
            }
        }
        self.scripts.extend(scripts(config, umask));
        let mut shared = global.notify_fifo.clone();
        if let Some(shared) = shared.as_mut().filter(|_| !config.instances.is_empty()) {
            // The VRRP process writes to the same FIFO, and runs its one reader.
            shared.script = None;
        }
        let fifos = [
            ("notify", shared.as_ref()),
            ("lvs", global.lvs_notify_fifo.as_ref()),
        ];
        self.fifos.apply(fifos, umask);
        match (mail_settings(global), &self.mailer) {
            (None, _) => self.mailer = None,
            (Some(settings), Some(mailer)) => mailer.configure(settings),
            (Some(settings), None) => self.mailer = Some(Mailer::start(settings, Retry::default())),
        }
    }

    /// Forgets the scripts of what is not in `config`, which is in force.
    pub(super) fn settle(&mut self, config: &model::Config) {
        let umask = config.global.umask.map_or_else(Umask::default, Umask);
        self.scripts = scripts(config, umask);
    }

    /// A server went up or down: its script, then the FIFOs.
    pub(super) fn tell(&mut self, notice: &Notice) {
        if let Some(scripts) = self.scripts.get(&notice.subject) {
            let (script, told) = match notice.health {
                Health::Up => (&scripts.up, "UP"),
                Health::Down => (&scripts.down, "DOWN"),
            };
            let source = Source::Server(label(&notice.subject).into());
            self.queue.run(&source, told, script.clone());
        }
        self.fifos.write(&format!("{notice}\n"));
    }

    /// Sends a mail.
    pub(super) fn mail(&self, mail: &Mail) {
        if let Some(mailer) = &self.mailer {
            mailer.send(Alert {
                source: label(&mail.subject),
                subject: mail.subject_line(),
                body: vec![mail.body.to_string()],
            });
        }
    }

    /// Waits for what is under way, up to a limit, and says what was lost.
    pub(super) async fn drain(self) {
        outlets::drain(self.queue, self.mailer).await;
    }
}

/// How log lines name a server.
fn label(subject: &Subject) -> String {
    match subject {
        Subject::Quorum(name) => format!("virtual server {name}"),
        Subject::Real {
            virtual_server,
            real,
        } => format!("real server {real} of {virtual_server}"),
    }
}

fn quorum(v: &model::VirtualServer) -> Subject {
    Subject::Quorum(translate::name(&v.service))
}

fn real(v: &model::VirtualServer, r: &model::RealServer) -> Subject {
    Subject::Real {
        virtual_server: translate::name(&v.service),
        real: Endpoint {
            addr: r.addr,
            port: r.port,
            protocol: v.service.protocol(),
        },
    }
}

/// Everybody of whom something can be told.
fn subjects(config: &model::Config) -> impl Iterator<Item = Subject> {
    config.virtual_servers.iter().flat_map(|v| {
        let reals = v.real_servers.iter().map(|r| real(v, r));
        std::iter::once(quorum(v)).chain(reals)
    })
}

fn scripts(config: &model::Config, umask: Umask) -> HashMap<Subject, Scripts> {
    let usable = |c: &Option<Box<model::Command>>| c.as_ref().and_then(|c| command(c, umask));
    let mut all = HashMap::new();
    let mut add = |subject, up: &_, down: &_| {
        let scripts = Scripts {
            up: usable(up),
            down: usable(down),
        };
        if scripts.up.is_some() || scripts.down.is_some() {
            all.entry(subject).or_insert(scripts);
        }
    };
    for v in &config.virtual_servers {
        add(quorum(v), &v.quorum_up, &v.quorum_down);
        for r in v
            .real_servers
            .iter()
            .filter(|r| r.notify_up.is_some() || r.notify_down.is_some())
        {
            add(real(v, r), &r.notify_up, &r.notify_down);
        }
    }
    all
}
