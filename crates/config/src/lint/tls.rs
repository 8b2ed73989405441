//! The `SSL` block: its files, and whether they count.

use super::{Ctx, Lint, lint};
use crate::diagnostic::Diagnostic;
use crate::model::{Check, Ssl, TlsCheck};

pub(super) const LINTS: &[Lint] = &[
    lint(
        2957,
        "unused-ssl",
        unused,
        "The SSL block is for SSL_GET checkers, and there are none.",
        "SSL {
    certificate /etc/keepalived/client.pem
    key /etc/keepalived/client.key
}
virtual_server 192.0.2.10 443 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.20 443 {
        TCP_CHECK {
        }
    }
}",
        secured!(
            "    certificate /etc/keepalived/client.pem\n    key /etc/keepalived/client.key\n",
            ""
        ),
    ),
    lint(
        2959,
        "tls-file-unusable",
        file,
        "A file of the SSL block is absent, cannot be read, holds something else, or the key \
         belongs to another certificate. Every SSL_GET then fails, and all servers behind one are \
         down.",
        secured!(
            "    ca /etc/keepalived/absent.pem\n",
            "            ssl_verify\n"
        ),
        secured!(
            "    ca /etc/keepalived/ca.pem\n",
            "            ssl_verify\n"
        ),
    ),
    lint(
        2960,
        "ca-without-verify",
        ca,
        "The SSL block names the authorities to trust, but no SSL_GET verifies the server's \
         certificate: any server is taken for the right one, whoever signed its certificate.",
        secured!("    ca /etc/keepalived/ca.pem\n", ""),
        secured!(
            "    ca /etc/keepalived/ca.pem\n",
            "            ssl_verify\n"
        ),
    ),
];

/// Every SSL_GET.
fn checks<'a>(c: &Ctx<'a>) -> impl Iterator<Item = &'a TlsCheck> {
    let servers = c.config.virtual_servers.iter();
    let checkers = servers
        .flat_map(|s| &s.real_servers)
        .flat_map(|r| &r.checkers);
    checkers.filter_map(|c| match &c.check {
        Check::Http(_, http) => http.tls.as_ref(),
        _ => None,
    })
}

fn unused(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let ssl = c.config.ssl.as_ref().filter(|_| checks(c).next().is_none());
    ssl.into_iter()
        .map(|ssl| {
            let d = c.warn(&ssl.origin, "", "the SSL block is not used".to_owned());
            d.help("leave it out, or write SSL_GET instead of HTTP_GET")
        })
        .collect()
}

fn file(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let ssl = c.config.ssl.as_ref().filter(|_| checks(c).next().is_some());
    let error = ssl.and_then(|ssl| Some((ssl, c.host.tls_error(ssl)?)));
    error
        .into_iter()
        .map(|(ssl, error)| {
            let keyword = error.file.keyword();
            let path = path(ssl, keyword);
            let text = format!("{keyword} {path} cannot be used: {error}");
            let help = match keyword {
                "key" => {
                    "write the PEM file of the key that belongs to the certificate, readable for \
                     root, with its password if it has one"
                }
                _ => "write a PEM file that is there and readable for root",
            };
            c.warn(&ssl.origin, keyword, text).help(help)
        })
        .collect()
}

fn path<'a>(ssl: &'a Ssl, keyword: &str) -> &'a str {
    let path = match keyword {
        "ca" => &ssl.ca,
        "certificate" => &ssl.certificate,
        _ => &ssl.key,
    };
    path.as_deref().unwrap_or_default()
}

fn ca(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut checks = checks(c).peekable();
    let ssl = c.config.ssl.as_ref().filter(|ssl| ssl.ca.is_some());
    ssl.filter(|_| checks.peek().is_some() && !checks.any(|tls| tls.verify))
        .into_iter()
        .map(|ssl| {
            let text = "no SSL_GET verifies certificates, so ca has no effect".to_owned();
            c.warn(&ssl.origin, "ca", text)
                .help("add ssl_verify to the SSL_GET blocks, or leave ca out")
        })
        .collect()
}
