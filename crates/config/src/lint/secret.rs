//! Passwords: who can read them, and who can guess them.

use crate::diagnostic::{Diagnostic, Severity};
use crate::model::Authentication;
use crate::source::{FileKind, Stat};

use super::{Ctx, Lint, code_of, finding, lint};

/// What guides print, and everybody copies.
const GUESSED: &[&str] = &[
    "1111", "11111111", "1234", "12345", "123456", "1234567", "12345678", "0000", "admin",
    "changeme", "keepaliv", "password", "passw0rd", "pass", "qwerty", "root", "secret", "test",
    "vrrp",
];

pub(super) const LINTS: &[Lint] = &[
    lint(
        2601,
        "secret-readable",
        readable,
        "The file holds a password and every user of the machine may read it. Put secrets into \
         a file of mode 0600, or make the whole configuration private.",
        example!(
            "# this file has mode 0644\n",
            "    authentication {\n        auth_type PASS\n        auth_pass k7Gm2xQp\n    }\n"
        ),
        example!(
            "# this file has mode 0600\n",
            "    authentication {\n        auth_type PASS\n        auth_pass k7Gm2xQp\n    }\n"
        ),
    ),
    lint(
        2602,
        "guessed-password",
        guessed,
        "The password is one that guides print. It keeps out neither a foreign cluster with the \
         same virtual router id nor anybody who means harm.",
        example!(
            "",
            "    authentication {\n        auth_type PASS\n        auth_pass 1111\n    }\n"
        ),
        example!(
            "",
            "    authentication {\n        auth_type PASS\n        auth_pass k7Gm2xQp\n    }\n"
        ),
    ),
    lint(
        2603,
        "key-readable",
        key_readable,
        "Every user of the machine may read the private key of the SSL block, and with it pass for \
         this machine.",
        secured!(
            "    certificate /etc/keepalived/client.pem\n    key /etc/ssl/open.key\n",
            ""
        ),
        secured!(
            "    certificate /etc/keepalived/client.pem\n    key /etc/keepalived/client.key\n",
            ""
        ),
    ),
];

/// How many links the name of a file may lead through.
const LINKS_MAX: usize = 8;

fn readable(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (file, name) in c.files.files() {
        let secret = (1..=c.files.line_count(file)).find(|n| {
            let line = code_of(c.files.line(file, *n)).trim_ascii_start();
            line.starts_with(b"auth_pass ") || line.starts_with(b"auth_pass\t")
        });
        let Some(line) = secret else { continue };
        let (path, stat) = followed(c, name);
        let open = stat.filter(|s| s.kind == FileKind::File && s.mode & 0o004 != 0);
        if let Some(stat) = open {
            let text = format!(
                "{path} holds a password and every user may read it (mode {:04o})",
                stat.mode
            );
            let d = finding(Severity::Warning, text).at_place(Some(c.words(file, line)));
            out.push(d.help(format!("chmod o-r {path}")));
        }
    }
    out
}

fn key_readable(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let ssl = c.config.ssl.iter();
    let keys = ssl.filter_map(|ssl| Some((ssl, ssl.key.as_deref()?)));
    keys.filter_map(|(ssl, key)| {
        let (path, stat) = followed(c, key);
        let stat = stat.filter(|s| s.kind == FileKind::File && s.mode & 0o004 != 0)?;
        let text = format!(
            "every user may read the key {path} (mode {:04o})",
            stat.mode
        );
        let d = c.warn(&ssl.origin, "key", text);
        Some(d.help(format!("chmod 0600 {path}")))
    })
    .collect()
}

/// Where a name leads to, and what stands there.
fn followed(c: &Ctx<'_>, name: &str) -> (String, Option<Stat>) {
    let mut path = name.to_owned();
    let mut stat = c.host.stat(&path);
    for _ in 0..LINKS_MAX {
        if stat.is_none_or(|s| s.kind != FileKind::Symlink) {
            break;
        }
        let Some(target) = c.host.read_link(&path) else {
            break;
        };
        path = match (target.starts_with('/'), path.rsplit_once('/')) {
            (false, Some((dir, _))) => format!("{dir}/{target}"),
            _ => target,
        };
        stat = c.host.stat(&path);
    }
    (path, stat)
}

fn guessed(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let instances = c.config.instances.iter();
    instances
        .filter(|i| match &i.authentication {
            Authentication::None => false,
            Authentication::Pass(secret) | Authentication::Ah(secret) => {
                let secret = secret.expose().to_ascii_lowercase();
                GUESSED.iter().any(|g| g.as_bytes() == secret)
            }
        })
        .map(|i| {
            let text = format!("({}) the password is one that everybody knows", i.name);
            c.note(&i.origin, "auth_pass", text)
                .help("write 8 random bytes of your own, the same on every node")
        })
        .collect()
}
