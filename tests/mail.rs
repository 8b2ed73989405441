//! Mail: what a real server receives on each transition, and that a bad server harms nothing.

use std::time::Duration;

use rk_lab::{Daemon, Manners, Smtp, SmtpSession, Which, eventually};

use crate::bed::{Bed, DEV, SOON, ours, skipped};

const SERVER: &str = "127.0.0.1:25";

fn configuration(global: &str, instance: &str) -> String {
    format!(
        "global_defs {{
            router_id LVS1
            notification_email {{
                ops@example.org
                second@example.org
            }}
            notification_email_from ka@example.org
            smtp_server 127.0.0.1
            smtp_connect_timeout 2
            smtp_alert
            {global}
        }}
        vrrp_instance VI_1 {{
            interface {DEV}
            virtual_router_id 51
            priority 100
            version 3
            advert_int 0.2
            virtual_ipaddress {{
                10.77.0.100/24
            }}
            {instance}
        }}\n"
    )
}

/// The subjects so far, in the order of arrival.
fn subjects(server: &Smtp) -> Vec<String> {
    server
        .sessions()
        .iter()
        .filter_map(|one| one.header("Subject"))
        .collect()
}

#[test]
fn each_transition_once() {
    let Some(bed) = Bed::new("mail") else { return };
    let server = Smtp::start(&bed.one, SERVER, Manners::Good);
    let mut daemon = Daemon::start(&bed.one, ours(), &configuration("", ""));
    let subject = |event: &str| format!("[LVS1] VRRP Instance VI_1 - {event}");
    let mut expected = Vec::new();
    let mut came = |event: &str, body: &str| {
        expected.push(subject(event));
        let what = format!("the mails {expected:?}");
        eventually(SOON, &what, || {
            (subjects(&server) == expected).then_some(())
        });
        let last = server.sessions().pop().expect("it came");
        let lines: Vec<_> = last.body().unwrap_or("").trim().lines().collect();
        assert_eq!(lines.first(), Some(&body));
        if ours() == Which::Rkeepalived {
            // What keepalived does not say: why.
            assert!(
                lines.get(1).is_some_and(|line| line.starts_with("Cause: ")),
                "{lines:?}"
            );
        }
    };
    came(
        "Entering BACKUP state",
        "=> VRRP Instance is no longer owning VRRP VIPs <=",
    );
    daemon.wait_state("VI_1", "MASTER", SOON);
    came(
        "Entering MASTER state",
        "=> VRRP Instance is now owning VRRP VIPs <=",
    );
    bed.cable_one.pull();
    came(
        "Entering FAULT state",
        "=> VRRP Instance is no longer owning VRRP VIPs <=",
    );
    bed.cable_one.plug();
    came(
        "Entering BACKUP state",
        "=> VRRP Instance is no longer owning VRRP VIPs <=",
    );
    came(
        "Entering MASTER state",
        "=> VRRP Instance is now owning VRRP VIPs <=",
    );
}

#[test]
fn headers_and_envelope() {
    let Some(bed) = Bed::new("mail-words") else {
        return;
    };
    let server = Smtp::start(&bed.one, SERVER, Manners::Good);
    let _daemon = Daemon::start(
        &bed.one,
        ours(),
        &configuration("smtp_helo_name lvs1.test", ""),
    );
    let mail = server.wait_for("Entering MASTER state", SOON);
    check_envelope(&mail, "lvs1.test");
    let message = mail.message.as_deref().expect("a message");
    // keepalived folds a long list from 2.4 on; unfolded it is the same.
    let message = message.replace(",\n ", ", ");
    let names: Vec<_> = message
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|line| line.split(':').next().unwrap_or(""))
        .collect();
    assert_eq!(
        names,
        ["Date", "From", "Subject", "X-Mailer", "To"],
        "{message}"
    );
    assert!(message.contains("\nFrom: ka@example.org\n"), "{message}");
    assert!(message.contains("\nX-Mailer: Keepalived\n"), "{message}");
    assert!(
        message.contains("\nTo: ops@example.org, second@example.org\n"),
        "{message}"
    );
    // `Sat, 21 Nov 2026 03:23:37 +0000`
    let date = mail.header("Date").expect("a date");
    assert!(
        date.len() == 31 && date[25..].starts_with([' ', '+', '-']),
        "{date}"
    );
}

#[track_caller]
fn check_envelope(mail: &SmtpSession, helo: &str) {
    let (hello, rest) = mail.commands.split_first().expect("a dialogue");
    let (verb, name) = hello.split_once(' ').expect("HELO name");
    assert!(["HELO", "EHLO"].contains(&verb) && name == helo, "{hello}");
    let words: Vec<_> = rest
        .iter()
        .map(|line| line.split(" SIZE").next().unwrap_or("").trim())
        .collect();
    assert_eq!(
        words,
        [
            "MAIL FROM:<ka@example.org>",
            "RCPT TO:<ops@example.org>",
            "RCPT TO:<second@example.org>",
            "DATA",
            "QUIT"
        ]
    );
}

#[test]
fn a_server_that_knows_only_helo() {
    let Some(bed) = Bed::new("mail-helo") else {
        return;
    };
    let server = Smtp::start(&bed.one, SERVER, Manners::HeloOnly);
    let _daemon = Daemon::start(&bed.one, ours(), &configuration("", ""));
    server.wait_for("Entering BACKUP state", SOON);
    server.wait_for("Entering MASTER state", SOON);
}

#[test]
fn no_mail_without_a_wish_for_it() {
    let Some(bed) = Bed::new("mail-none") else {
        return;
    };
    let server = Smtp::start(&bed.one, SERVER, Manners::Good);
    let conf = configuration("", "").replace("smtp_alert\n", "\n");
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
    assert!(daemon.stop().success(), "a clean end");
    assert!(server.sessions().is_empty(), "{:?}", server.sessions());
}

#[test]
fn a_real_server() {
    let Some(bed) = Bed::new("mail-real") else {
        return;
    };
    if !bed
        .one
        .try_sh("/usr/bin/python3 -c 'import aiosmtpd'")
        .status
        .success()
    {
        return skipped("python3-aiosmtpd is not installed");
    }
    let arguments = [
        "-u",
        "-m",
        "aiosmtpd",
        "-n",
        "-l",
        SERVER,
        "-c",
        "aiosmtpd.handlers.Debugging",
    ];
    let mut server = bed.one.spawn("/usr/bin/python3", &arguments);
    eventually(
        SOON,
        &format!("the server listens: {}", server.text()),
        || bed.one.in_net(|| std::net::TcpStream::connect(SERVER).ok()),
    );
    let mut daemon = Daemon::start(&bed.one, ours(), &configuration("", ""));
    daemon.wait_state("VI_1", "MASTER", SOON);
    server.wait_for_line(
        "Subject: [LVS1] VRRP Instance VI_1 - Entering BACKUP state",
        SOON,
    );
    server.wait_for_line("=> VRRP Instance is no longer owning VRRP VIPs <=", SOON);
    server.wait_for_line(
        "Subject: [LVS1] VRRP Instance VI_1 - Entering MASTER state",
        SOON,
    );
    server.wait_for_line("=> VRRP Instance is now owning VRRP VIPs <=", SOON);
}

/// Whatever the server does, the node becomes master, says what is wrong, and keeps its time.
#[track_caller]
fn goes_on(name: &str, manners: Option<Manners>, complaint: &[&str]) {
    let Some(bed) = Bed::new(name) else { return };
    let server = manners.map(|manners| Smtp::start(&bed.one, SERVER, manners));
    let wire = bed.two.capture(DEV);
    let mut daemon = Daemon::start(&bed.one, ours(), &configuration("", ""));
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
    eventually(
        SOON,
        &format!("a word about mail ({complaint:?}) in\n{}", daemon.log()),
        || {
            let log = daemon.log();
            complaint
                .iter()
                .any(|part| log.contains(part))
                .then_some(())
        },
    );
    // Meanwhile adverts go out: never a gap of a down time, or the backup would take over.
    let adverts = eventually(SOON, "15 adverts", || {
        let adverts = wire.adverts();
        (adverts.len() >= 15).then_some(adverts)
    });
    let gaps = adverts.windows(2).map(|pair| pair[1].0 - pair[0].0);
    let longest = gaps.max().expect("15 adverts have gaps");
    assert!(longest < Duration::from_millis(600), "a gap of {longest:?}");
    let mut peer = Daemon::start(
        &bed.two,
        Which::Keepalived,
        &configuration("", "")
            .replace("priority 100", "priority 200")
            .replace("smtp_alert", ""),
    );
    peer.wait_state("VI_1", "MASTER", SOON);
    daemon.wait_state("VI_1", "BACKUP", SOON);
    assert!(daemon.stop().success(), "a clean end");
    drop(server);
}

#[test]
fn a_server_that_is_down() {
    goes_on("mail-down", None, &["SMTP", "smtp"]);
}

#[test]
fn a_server_that_never_speaks() {
    goes_on("mail-silent", Some(Manners::Silent), &["SMTP", "smtp"]);
}

#[test]
fn a_server_that_refuses() {
    goes_on("mail-rude", Some(Manners::Rude), &["SMTP", "smtp"]);
}

#[test]
fn a_server_that_talks_nonsense() {
    goes_on("mail-garbage", Some(Manners::Garbage), &["SMTP", "smtp"]);
}
