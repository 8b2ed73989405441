//! A mail server that others wrote: Debian's python3-aiosmtpd.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rk_notify::{Alert, MailServer, MailSettings, Mailer, Retry, Source, State, Transition};

use crate::lab::{Lab, until};
use crate::server::closed_port;

/// Ends with its handle.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_real_server_takes_the_mail_and_hands_it_on_whole() {
    let python = "/usr/bin/python3";
    let probe = Command::new(python)
        .args(["-c", "import aiosmtpd"])
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        eprintln!("skipped: python3-aiosmtpd is not installed");
        return;
    }
    let lab = Lab::new();
    let (socket, address) = closed_port();
    drop(socket);
    let server = Command::new(python)
        .args(["-m", "aiosmtpd", "-n", "-l", &address.to_string()])
        .args(["-c", "aiosmtpd.handlers.Mailbox"])
        .arg(lab.path("mail"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Process(server);

    let settings = MailSettings {
        server: MailServer::Address(address),
        helo_name: "lb1.example.org".into(),
        from: "ka@example.org".parse().unwrap(),
        to: vec![
            "Ops <ops@example.org>".parse().unwrap(),
            "second@example.org".parse().unwrap(),
        ],
        router_id: "LVS1".into(),
        timeout: Duration::from_secs(10),
    };
    // The server needs a moment to come up: the mail waits for it.
    let retry = Retry {
        pause: Duration::from_millis(50),
        ..Retry::default()
    };
    let mailer = Mailer::start(settings, retry);
    let source = Source::Instance("VI_1".into());
    let transition = Transition {
        source,
        state: State::Fault,
        priority: 100,
    };
    let mut alert = Alert::transition(&transition, Some("interface eth0 is down"));
    alert.body.push(".dotted".into());
    mailer.send(alert);

    let new = lab.path("mail/new");
    let mail = until("the mail in the maildir", || {
        let file = fs::read_dir(&new).ok()?.next()?.ok()?;
        fs::read_to_string(file.path()).ok()
    })
    .await;
    assert_eq!(mailer.drain(Duration::from_secs(20)).await, 0);
    let (headers, body) = mail.split_once("\n\n").unwrap();
    let names: Vec<&str> = headers
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names[..5],
        ["Date", "From", "Subject", "X-Mailer", "To"],
        "{headers}"
    );
    assert!(
        headers.contains("\nSubject: [LVS1] VRRP Instance VI_1 - Entering FAULT state\n"),
        "{headers}"
    );
    assert!(
        headers.contains("\nX-RcptTo: ops@example.org, second@example.org"),
        "{headers}"
    );
    assert_eq!(
        body.trim_end(),
        "=> VRRP Instance is no longer owning VRRP VIPs <=\n\
         Cause: interface eth0 is down\n.dotted"
    );
}
