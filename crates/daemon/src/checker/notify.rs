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

    /// Takes over a configuration: at the start, and after each reload. What the reload removed
    /// must have been told before.
    pub(super) fn apply(&mut self, config: &model::Config) {
        let global = &config.global;
        let umask = global.umask.map_or_else(Umask::default, Umask);
        self.scripts = scripts(config, umask);
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
        let name = translate::name(&v.service);
        add(Subject::Quorum(name.clone()), &v.quorum_up, &v.quorum_down);
        for r in v
            .real_servers
            .iter()
            .filter(|r| r.notify_up.is_some() || r.notify_down.is_some())
        {
            let subject = Subject::Real {
                virtual_server: name.clone(),
                real: Endpoint {
                    addr: r.addr,
                    port: r.port,
                    protocol: v.service.protocol(),
                },
            };
            add(subject, &r.notify_up, &r.notify_down);
        }
    }
    all
}
