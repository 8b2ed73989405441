//! The ways out that the VRRP and the checker process share: FIFOs, mail, scripts as configured.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use rk_config::model;
use rk_notify::{
    Fifo, FifoScript, FifoSettings, MailServer, MailSettings, Mailer, Queue, default_sender,
    local_host_name,
};
use rk_script::{Command, Credentials, Supplementary, Umask};
use tracing::{info, warn};

/// How long scripts and mails may take when the daemon stops.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// The notify FIFOs of one process, with the scripts that read them.
#[derive(Debug, Default)]
pub(crate) struct Pipes(Vec<Pipe>);

/// A FIFO with the script that reads it.
#[derive(Debug)]
struct Pipe {
    fifo: Fifo,
    script: Option<FifoScript>,
}

impl Pipes {
    /// Opens the FIFOs that are wanted, each with the tag of its script in the log. Those that
    /// stay as they were are not touched, so readers lose no line.
    pub(crate) fn apply<'a>(
        &mut self,
        wanted: impl IntoIterator<Item = (&'static str, Option<&'a model::NotifyFifo>)>,
        umask: Umask,
    ) {
        let mut kept = std::mem::take(&mut self.0);
        for (tag, fifo) in wanted.into_iter().filter_map(|(t, f)| Some((t, f?))) {
            let settings = FifoSettings {
                path: PathBuf::from(&fifo.path),
                owner: fifo
                    .owner
                    .as_ref()
                    .map_or_else(Credentials::current, credentials),
                umask,
            };
            let script = fifo.script.as_ref().and_then(|c| command(c, umask));
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
                pipe.script = script.map(|c| FifoScript::start(c, pipe.fifo.path(), tag));
            }
            self.0.push(pipe);
        }
    }

    /// Writes a line, newline included, to all of them. Never waits: a FIFO that is full loses it.
    pub(crate) fn write(&mut self, line: &str) {
        for pipe in &mut self.0 {
            pipe.fifo.write(line);
        }
    }
}

/// Waits for the scripts and mails under way, up to a limit, and says what was lost.
pub(crate) async fn drain(queue: Queue, mailer: Option<Mailer>) {
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

/// A configured command as one that can be run, unless it may not.
pub(crate) fn command(c: &model::Command, umask: Umask) -> Option<Command> {
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
pub(crate) fn mail_settings(global: &model::Global) -> Option<MailSettings> {
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
