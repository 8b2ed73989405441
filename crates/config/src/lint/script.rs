//! Scripts and mails.

use std::collections::HashSet;

use super::{Ctx, Lint, lint};
use crate::diagnostic::Diagnostic;
use crate::model::{Check, Command, Verdict};
use crate::source::FileKind;

pub(super) const LINTS: &[Lint] = &[
    lint(
        2401,
        "script-writable",
        script_writable,
        "Somebody other than root may change the script, or a directory on the way to it, and it \
         runs as root: whoever can write there is root.",
        example!(
            "vrrp_script web {\n    script /opt/open/check\n}\n",
            "    track_script {\n        web\n    }\n"
        ),
        example!(
            "vrrp_script web {\n    script /bin/true\n}\n",
            "    track_script {\n        web\n    }\n"
        ),
    ),
    lint(
        2402,
        "mail-without-recipient",
        mail_without_recipient,
        "Mails are switched on, but nobody is named to receive them.",
        example!(
            "global_defs {\n    smtp_server 192.0.2.25\n}\n",
            "    smtp_alert\n"
        ),
        example!(
            "global_defs {
    smtp_server 192.0.2.25
    notification_email {
        admin@example.org
    }
}
",
            "    smtp_alert\n"
        ),
    ),
    lint(
        2403,
        "mail-without-server",
        mail_without_server,
        "Mails are switched on and have a recipient, but no smtp_server takes them.",
        example!(
            "global_defs {
    notification_email {
        admin@example.org
    }
}
",
            "    smtp_alert\n"
        ),
        example!(
            "global_defs {
    notification_email {
        admin@example.org
    }
    smtp_server 192.0.2.25
}
",
            "    smtp_alert\n"
        ),
    ),
];

/// Every command with its keyword's block of origin.
fn commands<'a>(c: &Ctx<'a>) -> impl Iterator<Item = &'a Command> {
    let instances = c.config.instances.iter().map(|i| &i.notify);
    let notifies = instances.chain(c.config.sync_groups.iter().map(|g| &g.notify));
    let notifies = notifies.flat_map(|n| {
        let all = [
            &n.master,
            &n.backup,
            &n.fault,
            &n.stop,
            &n.generic,
            &n.master_rx_lower_pri,
            &n.deleted_script,
        ];
        all.into_iter().flatten().map(Box::as_ref)
    });
    let global = &c.config.global;
    let process = [&global.startup_script, &global.shutdown_script];
    let fifos = [
        &global.notify_fifo,
        &global.vrrp_notify_fifo,
        &global.lvs_notify_fifo,
    ];
    let fifos = fifos
        .into_iter()
        .flatten()
        .filter_map(|f| f.script.as_ref());
    let tracked = c.config.scripts.iter().map(|s| &s.command);
    let services = c.config.virtual_servers.iter();
    let servers = services.flat_map(|s| {
        let reals = s.real_servers.iter().flat_map(|r| {
            let misc = r.checkers.iter().filter_map(|c| match &c.check {
                Check::Misc(misc) => Some(&misc.command),
                _ => None,
            });
            let own = [&r.notify_up, &r.notify_down].into_iter().flatten();
            misc.chain(own.map(Box::as_ref))
        });
        let own = [&s.quorum_up, &s.quorum_down].into_iter().flatten();
        own.map(Box::as_ref).chain(reals)
    });
    tracked
        .chain(servers)
        .chain(notifies)
        .chain(process.into_iter().flatten())
        .chain(fifos)
}

fn script_writable(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut said = HashSet::new();
    commands(c)
        .filter_map(|command| {
            let (Verdict::InsecureButRuns { path } | Verdict::Insecure { path }) = &command.verdict
            else {
                return None;
            };
            // One script is often named at many places.
            if !said.insert((&command.path, &command.origin)) {
                return None;
            }
            let (mut how, mut help) = (String::new(), String::new());
            if let Some(stat) = c.host.stat(path) {
                let kind = match stat.kind {
                    FileKind::Directory => "the directory has",
                    _ => "it has",
                };
                how = format!("; {kind} mode {:04o} and owner {}", stat.mode, stat.uid);
                if stat.uid != 0 {
                    help = format!("chown root {path}");
                }
                if stat.mode & 0o022 != 0 {
                    let and = if help.is_empty() { "" } else { " && " };
                    help = format!("{help}{and}chmod go-w {path}");
                }
            }
            let text = format!(
                "script {} runs as root, but others may change {path}{how}",
                command.path
            );
            let d = c.warn(&command.origin, "", text);
            Some(match help.is_empty() {
                true => d,
                false => d.help(help),
            })
        })
        .collect()
}

/// The first instance or group that wants mails.
fn wants_mail<'a>(c: &Ctx<'a>) -> Option<(&'a str, &'a crate::model::Origin)> {
    let instances = c.config.instances.iter();
    let instances = instances.map(|i| (i.notify.smtp_alert, i.name.as_str(), &i.origin));
    let groups = c.config.sync_groups.iter();
    let groups = groups.map(|g| (g.notify.smtp_alert, g.name.as_str(), &g.origin));
    let (_, name, origin) = instances.chain(groups).find(|(on, ..)| *on)?;
    Some((name, origin))
}

fn mail_without_recipient(c: &Ctx<'_>) -> Vec<Diagnostic> {
    if !c.config.global.mail.notification_email.is_empty() {
        return Vec::new();
    }
    let found = wants_mail(c).map(|(name, origin)| {
        let text = format!("({name}) mails are on, but notification_email names nobody");
        c.warn(origin, "smtp_alert", text)
            .help("write notification_email { ADDRESS } on lines of their own in global_defs")
    });
    found.into_iter().collect()
}

fn mail_without_server(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mail = &c.config.global.mail;
    if mail.smtp_server.is_some() || mail.notification_email.is_empty() {
        return Vec::new();
    }
    let found = wants_mail(c).map(|(name, origin)| {
        let text = format!("({name}) mails are on, but there is no smtp_server");
        c.warn(origin, "smtp_alert", text)
            .help("write smtp_server ADDRESS in global_defs")
    });
    found.into_iter().collect()
}
