//! `HTTP_GET` against nginx, and against the servers that keepalived's verdicts were taken from.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use rk_checker::probe::{Digest, HttpProbe, HttpVersion, Mark, Probe, StatusCodes, genhash};

use crate::server::{Daemon, Full, Seen, Visit, installed, nobody, own_address, tcp, web};
use crate::{RS, assert_verdict, endpoint, impatient, report};

pub(crate) fn get(path: &str) -> HttpProbe {
    HttpProbe::new(path)
}

pub(crate) fn probe(http: HttpProbe) -> Probe {
    Probe::Http(Box::new(http))
}

/// nginx, run by whoever runs the test, in a directory of its own.
pub(crate) struct Nginx {
    _daemon: Daemon,
    _directory: tempfile::TempDir,
}

impl Nginx {
    /// With `servers` in its `http` block, where `ROOT` is the directory of the pages; `files`
    /// are written there first.
    pub(crate) fn start(address: SocketAddr, servers: &str, files: &[(&str, &[u8])]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().display().to_string();
        for (name, content) in files {
            fs::write(directory.path().join(name), content).unwrap();
        }
        // Root would hand its directories to another user, who may not exist in a namespace.
        let user = if nix::unistd::geteuid().is_root() {
            "user root root;"
        } else {
            ""
        };
        let config = format!(
            "{user} daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;\n\
             events {{ }}\n\
             http {{ access_log off; root {root}; default_type text/plain;\n\
             client_body_temp_path {root}/1; proxy_temp_path {root}/2;\n\
             fastcgi_temp_path {root}/3; uwsgi_temp_path {root}/4; scgi_temp_path {root}/5;\n\
             {} }}\n",
            servers.replace("ROOT", &root)
        );
        let path = directory.path().join("nginx.conf");
        fs::write(&path, config).unwrap();
        let daemon = Daemon::start(
            Command::new("nginx")
                .arg("-c")
                .arg(&path)
                .args(["-e", "/dev/stderr"]),
            address,
        );
        Self {
            _daemon: daemon,
            _directory: directory,
        }
    }
}

#[tokio::test]
async fn nginx() {
    if !installed("nginx") {
        return;
    }
    let address = SocketAddr::from((own_address(), 8080));
    let servers = format!(
        "server {{ listen {address} default_server;\n\
         location /old {{ return 302 /page; }}\n\
         location /loop {{ return 301 /loop; }}\n\
         location /broken {{ return 500; }}\n\
         location /empty {{ return 204; }} }}\n\
         server {{ listen {address}; server_name www.example.org;\n\
         location / {{ return 200 'the other host'; }} }}\n"
    );
    let big = b"0123456789abcdef".repeat(100_000);
    let files: [(&str, &[u8]); 2] = [("page", b"hello world"), ("big", &big)];
    let _nginx = Nginx::start(address, &servers, &files);
    let endpoint = endpoint(address);
    let with = |path, change: fn(&mut HttpProbe)| {
        let mut http = get(path);
        change(&mut http);
        probe(http)
    };

    for version in [HttpVersion::V1_0, HttpVersion::V1_0Close, HttpVersion::V1_1] {
        let mut http = get("/page");
        http.version = version;
        http.digest = Some("5eb63bbbe01eeed093cb22bb8f5acdc3".parse().unwrap());
        let found = report(&endpoint, &probe(http)).await;
        assert_verdict(&found, "success");
        let reply = found.http.unwrap();
        assert_eq!(
            (reply.status, reply.content_length, reply.received),
            (200, Some(11), 11)
        );
        assert_eq!(reply.passed, [Mark::Status, Mark::Digest]);
        assert_eq!(found.lines, [""; 0]);
        assert_eq!(reply.mismatch("", "", ""), None);
    }

    let status_error = format!("HTTP status code error to server {RS}.");
    let good = [200..=299, 302..=302, 404..=404];
    for path in ["/old", "/loop", "/broken", "/none"] {
        // Followed would be a success.
        assert_verdict(&report(&endpoint, &probe(get(path))).await, &status_error);
        let mut http = get(path);
        http.status = StatusCodes(good.to_vec());
        let expected = if matches!(path, "/old" | "/none") {
            "success"
        } else {
            &status_error
        };
        assert_verdict(&report(&endpoint, &probe(http)).await, expected);
    }
    assert_verdict(&report(&endpoint, &probe(get("/empty"))).await, "success");
    let found = report(
        &endpoint,
        &with("/page", |http| http.digest = Some(Digest([7; 16]))),
    )
    .await;
    assert_verdict(&found, &format!("MD5 digest error to server {RS}."));
    assert_eq!(
        found.difference.unwrap(),
        format!(
            "{RS} url(/page): the MD5 digest of its 11 bytes is 5eb63bbbe01eeed093cb22bb8f5acdc3, \
             expected is {}",
            Digest([7; 16])
        )
    );
    let found = report(
        &endpoint,
        &with("/broken", |http| {
            http.status = StatusCodes(vec![200..=200, 300..=301]);
        }),
    )
    .await;
    assert_eq!(
        found.difference.unwrap(),
        format!("{RS} url(/broken): its status is 500, expected is 200, 300-301")
    );
    // Status before digest.
    assert_verdict(
        &report(
            &endpoint,
            &with("/broken", |http| http.digest = Some(Digest([7; 16]))),
        )
        .await,
        &status_error,
    );

    let page = genhash::genhash(&endpoint, &get("/big"), |_| {})
        .await
        .unwrap();
    assert_eq!(page.digest, digest_of(&big));
    let mut http = get("/page");
    http.virtualhost = Some("www.example.org".into());
    http.digest = Some(digest_of(b"the other host"));
    assert_verdict(&report(&endpoint, &probe(http)).await, "success");
}

pub(crate) fn digest_of(octets: &[u8]) -> Digest {
    let digest = openssl::hash::hash(openssl::hash::MessageDigest::md5(), octets).unwrap();
    Digest(digest[..].try_into().unwrap())
}

#[tokio::test]
async fn the_request_on_the_wire() {
    let (address, seen) = web("HTTP/1.0 200 OK\r\n\r\n");
    assert_verdict(
        &report(&endpoint(address), &probe(get("/a"))).await,
        "success",
    );
    let expected = format!(
        "GET /a HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:{}\r\n\r\n",
        address.port()
    );
    assert_eq!(String::from_utf8(seen.first()), Ok(expected));
}

/// Answers with `octets`, then does `end`.
fn answers(octets: &[u8], end: fn(Visit)) -> (SocketAddr, Seen) {
    let octets = octets.to_vec();
    tcp(move |mut visit| {
        visit.request();
        visit.say(&octets);
        end(visit);
    })
}

fn close(_: Visit) {}
fn hold(mut visit: Visit) {
    visit.hold();
}

/// What keepalived 2.2.7 logged about servers that answered so.
#[tokio::test]
async fn verdicts_of_keepalived() {
    const OK: &str = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let no_data = "Read, no data received from  server";
    let status = "HTTP status code error to server";
    let long_line = format!(
        "HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\nhello",
        "a".repeat(70_000)
    );
    type Case<'a> = (&'a str, fn(Visit), &'a str);
    let cases: &[Case<'_>] = &[
        (OK, close, ""),
        (
            "HTTP/1.0 500 OK\r\nContent-Length: 5\r\n\r\nhello",
            close,
            status,
        ),
        ("", close, no_data),
        ("garbage", close, no_data),
        ("garbage\r\n\r\nhello", close, status),
        (
            "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
            close,
            no_data,
        ),
        (&long_line, close, no_data),
        ("ICY 200 OK\r\n\r\nhello", close, ""),
        ("HTTP/1.1 200 \r\n\r\nhello", close, ""),
        ("", Visit::reset, "Read error with server"),
        (
            "HTTP/1.0 200 OK\r\n\r\nhel",
            |visit| {
                rk_lab::pause(std::time::Duration::from_millis(50));
                visit.reset();
            },
            "Read error with server",
        ),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\nhello",
            close,
            "",
        ),
    ];
    for (octets, end, problem) in cases {
        let (address, _) = answers(octets.as_bytes(), *end);
        let found = report(&endpoint(address), &probe(get("/a"))).await;
        let expected = match *problem {
            "" => "success".to_owned(),
            problem => format!("{problem} {RS}."),
        };
        assert_verdict(&found, &expected);
    }
    for (octets, problem) in [
        ("", "Timeout WEB read"),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\nhello",
            "Timeout HTTP read",
        ),
        (
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello",
            "Timeout HTTP read",
        ),
        ("HTTP/1.0 200", "Timeout HTTP read"),
    ] {
        let (address, seen) = answers(octets.as_bytes(), hold);
        let found = report(&impatient(address), &probe(get("/a"))).await;
        assert_verdict(&found, &format!("{problem} server {RS}."));
        assert_eq!(seen.nth(1), b"gone", "the connection is closed");
    }
    let full = Full::new();
    assert_verdict(
        &report(&impatient(full.address), &probe(get("/"))).await,
        &format!("Timeout connecting server {RS}."),
    );
    assert_verdict(
        &report(&endpoint(nobody()), &probe(get("/"))).await,
        &format!("Connection failed server {RS}."),
    );
    let mut foreign = endpoint(nobody());
    foreign.bind.addr = Some("192.0.2.99".parse().unwrap());
    assert_verdict(
        &report(&foreign, &probe(get("/"))).await,
        "unable: WEB socket bind failed. Rescheduling",
    );
}

#[tokio::test]
async fn a_body_of_another_length_than_announced_is_told() {
    let (address, _) = web("HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\nhello");
    let found = report(&endpoint(address), &probe(get("/a"))).await;
    assert_verdict(&found, "success");
    let reply = found.http.unwrap();
    assert_eq!(
        reply
            .mismatch("[192.0.2.1]:tcp:80", "[192.0.2.80]:tcp:80", "/a")
            .unwrap(),
        "http_check for RS [192.0.2.1]:tcp:80 VS [192.0.2.80]:tcp:80 url /a: content_length (50) \
         does not match received bytes (5)"
    );

    let (address, _) = web("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello world");
    let mut http = get("/a");
    http.digest = Some(digest_of(b"hello"));
    let found = report(&endpoint(address), &probe(http)).await;
    assert_verdict(&found, "success");
    let reply = found.http.unwrap();
    assert_eq!((reply.content_length, reply.received), (Some(5), 11));
}

/// Differs from keepalived, which waits for the end and calls this a timeout or a read error.
#[tokio::test]
async fn a_complete_answer_counts_however_the_connection_ends() {
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let mut http = get("/");
    http.digest = Some(digest_of(b"hello"));
    let (address, _) = answers(OK, hold);
    assert_verdict(
        &report(&impatient(address), &probe(http.clone())).await,
        "success",
    );
    let (address, _) = answers(OK, |visit| {
        rk_lab::pause(std::time::Duration::from_millis(50));
        visit.reset();
    });
    assert_verdict(&report(&endpoint(address), &probe(http)).await, "success");
    let (address, _) = answers(b"HTTP/1.1 204 No Content\r\n\r\n", hold);
    assert_verdict(
        &report(&impatient(address), &probe(get("/"))).await,
        "success",
    );
}

#[tokio::test]
async fn genhash_tells_digest_or_why_not() {
    let (address, _) = web("HTTP/1.0 404 Not Found\r\nContent-Length: 5\r\n\r\nhello world");
    let mut shown = Vec::new();
    let page = genhash::genhash(&endpoint(address), &get("/x"), |part| {
        shown.push(match part {
            genhash::Part::Head(head) => (true, head.to_vec()),
            genhash::Part::Body(body) => (false, body.to_vec()),
        });
    })
    .await
    .unwrap();
    assert_eq!(page.digest.to_string(), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(page.status, 404);
    assert!(shown[0].0);
    assert!(shown[0].1.ends_with(b"\r\n\r\n"));
    let body: Vec<u8> = shown[1..]
        .iter()
        .flat_map(|(_, body)| body.clone())
        .collect();
    assert_eq!(body, b"hello world");

    let why = |endpoint| async move {
        genhash::genhash(&endpoint, &get("/"), |_| {})
            .await
            .unwrap_err()
            .to_string()
    };
    assert_eq!(why(endpoint(nobody())).await, "Connection failed");
    let (silent, _) = answers(b"", hold);
    assert_eq!(why(impatient(silent)).await, "Timeout WEB read");
    let (half, _) = answers(b"HTTP/1.0 200 OK\r\n\r\nhello", hold);
    assert_eq!(why(impatient(half)).await, "Timeout HTTP read");
    let (empty, _) = web("");
    assert_eq!(
        why(endpoint(empty)).await,
        "no data received from remote webserver"
    );
}

/// keepalived's own genhash asks the same and gets the same digest.
#[tokio::test]
async fn genhash_of_keepalived_agrees() {
    if !installed("keepalived") {
        return;
    }
    for (protocol, version) in [
        ("1.0", HttpVersion::V1_0),
        ("1.0c", HttpVersion::V1_0Close),
        ("1.1", HttpVersion::V1_1),
    ] {
        for virtualhost in [None, Some("www.example.org")] {
            let (address, seen) = web("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello world");
            let mut theirs = Command::new("keepalived");
            theirs
                .args([
                    "--genhash",
                    "-s",
                    "127.0.0.1",
                    "-u",
                    "/a?b=c",
                    "-P",
                    protocol,
                ])
                .args(["-p", &address.port().to_string()]);
            if let Some(host) = virtualhost {
                theirs.args(["-V", host]);
            }
            let theirs = theirs.output().unwrap();
            let mut http = get("/a?b=c");
            http.version = version;
            http.virtualhost = virtualhost.map(str::to_owned);
            let ours = genhash::genhash(&endpoint(address), &http, |_| {})
                .await
                .unwrap();
            let theirs = String::from_utf8(theirs.stdout).unwrap();
            assert_eq!(theirs.trim(), ours.digest.to_string());
            assert_eq!(
                String::from_utf8(seen.nth(0)),
                String::from_utf8(seen.nth(1)),
                "the same request"
            );
        }
    }
}
