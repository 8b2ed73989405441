//! Checkers of real servers, and the `SSL` block.

use std::time::Duration;

use super::{Ctx, Lint, lint, seconds};
use crate::diagnostic::Diagnostic;
use crate::model::{Check, Checker, RealServer, Sni, VirtualServer};

/// A service with one server that has these lines.
macro_rules! server {
    ($lines:literal) => {
        concat!(
            "virtual_server 192.0.2.10 443 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    delay_loop 10
    real_server 198.51.100.20 443 {
",
            $lines,
            "    }
}"
        )
    };
}

pub(super) const LINTS: &[Lint] = &[
    lint(
        2951,
        "timeout-beyond-interval",
        timeout,
        "A check may take longer than the time between two checks. A server that hangs is then \
         asked less often than delay_loop says, and found out later.",
        server!("        TCP_CHECK {\n            connect_timeout 30\n        }\n"),
        server!("        TCP_CHECK {\n            connect_timeout 3\n        }\n"),
    ),
    lint(
        2952,
        "check-of-port-zero",
        port_zero,
        "Neither the real server nor the checker names a port, so the check goes to port 0 and can \
         never succeed.",
        "virtual_server fwmark 9 {
    lb_algo wlc
    lb_kind DR
    real_server 198.51.100.20 {
        TCP_CHECK {
        }
    }
}",
        "virtual_server fwmark 9 {
    lb_algo wlc
    lb_kind DR
    real_server 198.51.100.20 {
        TCP_CHECK {
            connect_port 80
        }
    }
}",
    ),
    lint(
        2953,
        "page-without-expectation",
        any_page,
        "The page has neither status_code nor digest nor regex. Any answer from 200 to 299 is good, \
         also an error page with status 200.",
        server!(
            "        SSL_GET {
            url {
                path /
            }
        }
"
        ),
        server!(
            "        SSL_GET {
            url {
                path /
                status_code 200
            }
        }
"
        ),
    ),
    lint(
        2954,
        "host-without-sni",
        host_without_sni,
        "SSL_GET asks for a host in HTTP, but does not name it in the TLS handshake. A server with \
         several sites answers with the certificate, and often the page, of another one.",
        server!(
            "        SSL_GET {
            url {
                path /
                status_code 200
                virtualhost www.example.org
            }
        }
"
        ),
        server!(
            "        SSL_GET {
            enable_sni
            url {
                path /
                status_code 200
                virtualhost www.example.org
            }
        }
"
        ),
    ),
    lint(
        2955,
        "same-checker",
        same_checker,
        "A real server has the same checker twice. The second one finds what the first one finds, \
         and costs the server a connection more.",
        server!("        TCP_CHECK {\n        }\n        TCP_CHECK {\n        }\n"),
        server!(
            "        TCP_CHECK {
        }
        TCP_CHECK {
            connect_port 22
        }
"
        ),
    ),
    lint(
        2956,
        "alpha-without-checker",
        alpha,
        "alpha keeps a server out until a check has succeeded, but it has no checker that could.",
        server!("        alpha\n"),
        server!("        alpha\n        TCP_CHECK {\n        }\n"),
    ),
    lint(
        2958,
        "udp-check-without-reply",
        udp,
        "Without require_reply a UDP_CHECK fails only if the server's kernel says that nobody \
         listens. A machine that is off, or behind a firewall, says nothing and stays in the pool.",
        "virtual_server 192.0.2.10 514 {
    lb_algo wlc
    lb_kind NAT
    protocol UDP
    real_server 198.51.100.20 514 {
        UDP_CHECK {
            payload 00
        }
    }
}",
        "virtual_server 192.0.2.10 514 {
    lb_algo wlc
    lb_kind NAT
    protocol UDP
    real_server 198.51.100.20 514 {
        UDP_CHECK {
            payload 00
        }
        PING_CHECK {
        }
    }
}",
    ),
    lint(
        2961,
        "path-without-slash",
        path_without_slash,
        "The path of a page is sent to the server as it stands. Servers answer with an error unless \
         it begins with a slash; the name of the site belongs to virtualhost.",
        server!(
            "        SSL_GET {
            virtualhost www.example.org
            enable_sni
            url {
                path https://www.example.org/health
                status_code 200
            }
        }
"
        ),
        server!(
            "        SSL_GET {
            virtualhost www.example.org
            enable_sni
            url {
                path /health
                status_code 200
            }
        }
"
        ),
    ),
];

/// A finding for each checker of which `judge` tells something.
fn checkers(
    c: &Ctx<'_>,
    judge: impl Fn(&VirtualServer, &RealServer, &Checker) -> Option<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for service in &c.config.virtual_servers {
        for server in &service.real_servers {
            let found = server.checkers.iter();
            out.extend(found.filter_map(|checker| judge(service, server, checker)));
        }
    }
    out
}

fn timeout(c: &Ctx<'_>) -> Vec<Diagnostic> {
    checkers(c, |_, server, checker| {
        let (limit, keyword): (Duration, _) = match &checker.check {
            Check::Misc(misc) => (misc.timeout, "misc_timeout"),
            _ => (checker.connection()?.timeout, "connect_timeout"),
        };
        (limit > checker.delay_loop).then(|| {
            let text = format!(
                "{} of [{}]: {keyword} {} is longer than delay_loop {}",
                checker.keyword(),
                server.addr,
                seconds(limit),
                seconds(checker.delay_loop)
            );
            c.warn(&checker.origin, keyword, text)
                .help("write a shorter timeout or a longer delay_loop")
        })
    })
}

fn port_zero(c: &Ctx<'_>) -> Vec<Diagnostic> {
    checkers(c, |_, server, checker| {
        let ping = matches!(checker.check, Check::Ping(_));
        (checker.connection()?.target.port() == 0 && !ping).then(|| {
            let text = format!(
                "{} of [{}] has no port to connect to",
                checker.keyword(),
                server.addr
            );
            c.warn(&checker.origin, "", text)
                .help("add connect_port to the checker")
        })
    })
}

fn any_page(c: &Ctx<'_>) -> Vec<Diagnostic> {
    checkers(c, |_, _, checker| {
        let Check::Http(_, http) = &checker.check else {
            return None;
        };
        let url = http
            .urls
            .iter()
            .find(|u| u.digest.is_none() && u.regex.is_none() && u.status == [(200, 299)])?;
        let text = format!(
            "{}: any answer from 200 to 299 will do for {}",
            checker.keyword(),
            url.path
        );
        let d = c.note(&url.origin, "", text);
        Some(d.help("add status_code 200, or a digest or regex that only the right page has"))
    })
}

fn host_without_sni(c: &Ctx<'_>) -> Vec<Diagnostic> {
    checkers(c, |_, _, checker| {
        let Check::Http(_, http) = &checker.check else {
            return None;
        };
        let off = http.tls.as_ref().is_some_and(|t| t.sni == Sni::Off);
        let host = http.urls.iter().find_map(|u| u.virtualhost.as_deref())?;
        off.then(|| {
            let text = format!("SSL_GET asks for {host}, but the handshake does not name it");
            c.note(&checker.origin, "", text).help("add enable_sni")
        })
    })
}

fn same_checker(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let servers = c.config.virtual_servers.iter();
    for server in servers.flat_map(|s| &s.real_servers) {
        for (n, checker) in server.checkers.iter().enumerate() {
            let first = server.checkers[..n]
                .iter()
                .find(|first| same(&first.check, &checker.check));
            let Some(first) = first else { continue };
            let text = format!("{} of [{}] is there twice", checker.keyword(), server.addr);
            let d = c.warn(&checker.origin, "", text);
            let d = c.also(d, &first.origin, "first here");
            out.push(d.help("leave one of them out"));
            // One finding a server is enough.
            break;
        }
    }
    out
}

/// Whether two checks find the same thing, whatever their times.
fn same(a: &Check, b: &Check) -> bool {
    match (a, b) {
        (Check::Tcp(a), Check::Tcp(b)) => (a.target, &a.bind) == (b.target, &b.bind),
        (Check::Ping(a), Check::Ping(b)) => (a.target.ip(), &a.bind) == (b.target.ip(), &b.bind),
        (Check::Misc(a), Check::Misc(b)) => a.command.argv == b.command.argv,
        (Check::Bfd { name: a }, Check::Bfd { name: b }) => a == b,
        _ => false,
    }
}

fn alpha(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let servers = c.config.virtual_servers.iter();
    let lonely = servers.flat_map(|s| {
        let reals = s.real_servers.iter();
        reals.filter(|r| r.alpha && r.checkers.is_empty())
    });
    lonely
        .map(|r| {
            let text = format!(
                "real server [{}]: alpha without a checker to wait for",
                r.addr
            );
            let d = c.warn(&r.origin, "alpha", text);
            d.help("add a checker, or leave alpha out")
        })
        .collect()
}

fn udp(c: &Ctx<'_>) -> Vec<Diagnostic> {
    checkers(c, |_, server, checker| {
        let Check::Udp(_, udp) = &checker.check else {
            return None;
        };
        (!udp.require_reply && server.checkers.len() == 1).then(|| {
            let text = format!("UDP_CHECK of [{}] takes silence for success", server.addr);
            c.note(&checker.origin, "", text)
                .help("add require_reply if the server answers, or a PING_CHECK beside it")
        })
    })
}

fn path_without_slash(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let servers = c.config.virtual_servers.iter();
    let reals = servers.flat_map(|s| &s.real_servers);
    let urls = reals
        .flat_map(|r| &r.checkers)
        .filter_map(|checker| match &checker.check {
            Check::Http(_, http) => Some(&http.urls),
            _ => None,
        });
    urls.flatten()
        .filter(|url| !url.path.starts_with('/'))
        .map(|url| {
            let text = format!("the path of the page is `{}`", url.path);
            let behind = url.path.split_once("://").map(|(_, rest)| rest);
            let path = match behind {
                Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
                None => format!("/{}", url.path),
            };
            c.warn(&url.origin, "path", text)
                .help(format!("write path {path}"))
        })
        .collect()
}
