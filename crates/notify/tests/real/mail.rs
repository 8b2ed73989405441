//! Mails: what the server sees, and what a bad server does not spoil.

use std::time::Duration;

use rk_notify::{Alert, MailServer, MailSettings, Mailer, Retry, Source, State, Transition};

use crate::lab::Log;
use crate::server::{CONNECT, END_OF_DATA, Reply, Server, closed_port, good};

const LIMIT: Duration = Duration::from_secs(20);

fn settings(server: std::net::SocketAddr) -> MailSettings {
    MailSettings {
        server: MailServer::Address(server),
        helo_name: "vm".into(),
        from: "ka@example.org".parse().unwrap(),
        to: vec![
            "ops@example.org".parse().unwrap(),
            "second@example.org".parse().unwrap(),
        ],
        router_id: "LVS1".into(),
        timeout: Duration::from_secs(10),
    }
}

/// Tries again soon, and not for ever.
fn quick() -> Retry {
    Retry {
        pause: Duration::from_millis(20),
        keep: Duration::from_secs(1000),
        backlog: 1024,
    }
}

fn mailer(server: &Server) -> Mailer {
    Mailer::start(settings(server.address), quick())
}

fn alert(instance: &str, state: State) -> Alert {
    let source = Source::Instance(instance.into());
    Alert::transition(
        &Transition {
            source,
            state,
            priority: 100,
        },
        None,
    )
}

/// The session without its one line that changes.
fn undated(session: &str) -> String {
    let (before, rest) = session.split_once("Date: ").expect("no Date header");
    let (date, after) = rest.split_once("\r\n").unwrap();
    assert_eq!(
        date.len(),
        "Sat, 21 Nov 2026 03:23:37 +0000".len(),
        "{date}"
    );
    format!("{before}Date: NOW\r\n{after}")
}

fn subject(session: &str) -> &str {
    session
        .lines()
        .find_map(|line| line.strip_prefix("Subject: [LVS1] "))
        .unwrap_or("none")
}

const WHOLE: &str = "HELO vm\r\n\
    MAIL FROM:<ka@example.org>\r\n\
    RCPT TO:<ops@example.org>\r\n\
    RCPT TO:<second@example.org>\r\n\
    DATA\r\n\
    Date: NOW\r\n\
    From: ka@example.org\r\n\
    Subject: [LVS1] VRRP Instance VI_1 - Entering MASTER state\r\n\
    X-Mailer: Keepalived\r\n\
    To: ops@example.org,\r\n second@example.org\r\n\
    \r\n\
    => VRRP Instance is now owning VRRP VIPs <=\r\n\
    \r\n\
    .\r\n\
    QUIT\r\n";

/// Sends one mail to a server of this manner; returns the session that brought it.
async fn delivered_by(manner: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> String {
    let mut server = Server::start(manner);
    let mailer = mailer(&server);
    mailer.send(alert("VI_1", State::Master));
    loop {
        let session = server.session().await;
        if session.ends_with("\r\n.\r\nQUIT\r\n") {
            assert_eq!(mailer.drain(LIMIT).await, 0);
            return undated(&session);
        }
    }
}

#[tokio::test]
async fn the_dialogue_is_keepaliveds_to_the_byte() {
    let log = Log::capture();
    assert_eq!(delivered_by(|_, command| good(command)).await, WHOLE);
    log.wait_for("SMTP alert successfully sent.").await;
    log.wait_until("the connection", |line| {
        line.starts_with("Remote SMTP server [127.0.0.1]:") && line.ends_with(" connected.")
    })
    .await;
}

#[tokio::test]
async fn odd_but_honest_servers_get_the_same_dialogue() {
    for manner in [
        // Many lines, no text, LF alone, bytes that are no text.
        |command: &str| {
            Reply::Say(match command {
                CONNECT => b"220-one\r\n220-two\r\n220 three\r\n",
                "DATA" => b"354 go on\r\n",
                END_OF_DATA => b"250\n",
                "HELO vm" => b"250\r\n",
                _ => b"250 \xfc\xff\x00\r\n",
            })
        },
        // A byte at a time.
        |command: &str| match good(command) {
            Reply::Say(bytes) if command != "DATA" => Reply::Dribble(bytes),
            other => other,
        },
        // Says nothing to QUIT.
        |command: &str| {
            if command == "QUIT" {
                Reply::Silence
            } else {
                good(command)
            }
        },
    ] {
        assert_eq!(delivered_by(move |_, command| manner(command)).await, WHOLE);
    }
}

#[tokio::test]
async fn a_connection_that_fails_anywhere_is_tried_again() {
    for step in [CONNECT, "HELO", "MAIL", "RCPT", "DATA", END_OF_DATA] {
        for misfortune in [
            || Reply::HangUp,
            || Reply::Say(b"421 closing\r\n"),
            || Reply::Say(b"are you there?\r\n"),
            || Reply::Flood,
        ] {
            let session = delivered_by(move |connection, command| {
                let hit = if step.is_empty() {
                    command.is_empty()
                } else {
                    command.starts_with(step)
                };
                if connection == 0 && hit {
                    misfortune()
                } else {
                    good(command)
                }
            });
            assert_eq!(session.await, WHOLE, "after a failure at {step:?}");
        }
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up_and_tried_again() {
    let log = Log::capture();
    let mut server = Server::start(|connection, command| {
        if connection == 0 && command.starts_with("MAIL") {
            Reply::Silence
        } else {
            good(command)
        }
    });
    let timeout = Duration::from_millis(200);
    let settings = MailSettings {
        timeout,
        ..settings(server.address)
    };
    let mailer = Mailer::start(settings, quick());
    mailer.send(alert("VI_1", State::Master));
    server.session().await;
    assert_eq!(undated(&server.session().await), WHOLE);
    log.wait_until("the timeout", |line| {
        line.contains("Timeout waiting for the reply to MAIL of SMTP server [127.0.0.1]:")
    })
    .await;
    assert_eq!(mailer.drain(LIMIT).await, 0);
}

#[tokio::test]
async fn a_server_that_is_down_gets_the_mail_when_it_is_back() {
    let log = Log::capture();
    let (socket, address) = closed_port();
    let mailer = Mailer::start(settings(address), quick());
    mailer.send(alert("VI_1", State::Backup));
    mailer.send(alert("VI_1", State::Master));
    let wanted = format!("SMTP connection ERROR to [127.0.0.1]:{}.", address.port());
    log.wait_until("the refusal", |line| line.contains(&wanted))
        .await;
    let mut server = Server::open(socket, |_, command| good(command));
    let first = server.session().await;
    assert_eq!(
        subject(&first),
        "VRRP Instance VI_1 - Entering BACKUP state",
        "out of order"
    );
    assert_eq!(undated(&server.session().await), WHOLE);
}

#[tokio::test]
async fn a_mail_refused_for_good_is_not_tried_again_and_holds_up_nothing() {
    let log = Log::capture();
    let mut server = Server::start(|connection, command| {
        let refuses = connection == 0 && command.starts_with("MAIL");
        if refuses {
            Reply::Say(b"550 5.7.1 who are you\r\n")
        } else {
            good(command)
        }
    });
    let mailer = mailer(&server);
    mailer.send(alert("VI_1", State::Backup));
    mailer.send(alert("VI_1", State::Master));
    assert_eq!(
        server.session().await,
        "HELO vm\r\nMAIL FROM:<ka@example.org>\r\nQUIT\r\n"
    );
    assert_eq!(undated(&server.session().await), WHOLE);
    let wanted = format!(
        "SMTP alert `VRRP Instance VI_1 - Entering BACKUP state` not sent: Error processing MAIL \
         cmd on SMTP server [127.0.0.1]:{}. SMTP status code = 550 (5.7.1 who are you)",
        server.address.port()
    );
    log.wait_for(&wanted).await;
    assert_eq!(mailer.drain(LIMIT).await, 0);
    assert_eq!(server.other_sessions(), 0);
}

#[tokio::test]
async fn one_bad_recipient_does_not_cost_the_others_their_mail() {
    let mut server = Server::start(|_, command| {
        let refuses = command.contains("<ops@");
        if refuses {
            Reply::Say(b"550 no such user\r\n")
        } else {
            good(command)
        }
    });
    let mailer = mailer(&server);
    mailer.send(alert("VI_1", State::Master));
    assert_eq!(undated(&server.session().await), WHOLE);
    assert_eq!(mailer.drain(LIMIT).await, 0);
    assert_eq!(server.other_sessions(), 0);
}

#[tokio::test]
async fn a_greylisted_recipient_gets_the_mail_later_and_alone() {
    let mut server = Server::start(|connection, command| {
        let refuses = connection == 0 && command.contains("<ops@");
        if refuses {
            Reply::Say(b"450 later\r\n")
        } else {
            good(command)
        }
    });
    let mailer = mailer(&server);
    mailer.send(alert("VI_1", State::Master));
    assert_eq!(undated(&server.session().await), WHOLE);
    let second = undated(&server.session().await);
    assert_eq!(
        second,
        WHOLE.replace("RCPT TO:<second@example.org>\r\n", "")
    );
    assert_eq!(mailer.drain(LIMIT).await, 0);
}

#[tokio::test]
async fn lines_that_begin_with_a_dot_arrive_as_they_are() {
    let mut server = Server::start(|_, command| good(command));
    let mailer = mailer(&server);
    let body = [".", "..", ".hidden", "a.b"].map(String::from).to_vec();
    mailer.send(Alert {
        body,
        ..alert("VI_1", State::Master)
    });
    let session = server.session().await;
    let (_, body) = session.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "..\r\n...\r\n..hidden\r\na.b\r\n\r\n.\r\nQUIT\r\n");
}

#[tokio::test]
async fn names_without_a_domain_reach_the_server_as_they_are() {
    let mut server = Server::start(|_, command| good(command));
    let mut settings = settings(server.address);
    settings.from = "keepalived".parse().unwrap();
    settings.to = vec![
        "root".parse().unwrap(),
        "Ops <ops@my_host>".parse().unwrap(),
    ];
    Mailer::start(settings, quick()).send(alert("VI_1", State::Master));
    // The handle is gone before the task ran: nothing is sent any more.
    assert_eq!(server.other_sessions(), 0);

    let mut settings = self::settings(server.address);
    settings.from = "keepalived".parse().unwrap();
    settings.to = vec![
        "root".parse().unwrap(),
        "Ops <ops@my_host>".parse().unwrap(),
    ];
    let mailer = Mailer::start(settings, quick());
    mailer.send(alert("VI_1", State::Master));
    let session = server.session().await;
    assert!(
        session.starts_with(
            "HELO vm\r\nMAIL FROM:<keepalived>\r\nRCPT TO:<root>\r\nRCPT TO:<ops@my_host>\r\n"
        ),
        "{session}"
    );
    assert!(session.contains("\r\nFrom: keepalived\r\n"), "{session}");
    assert!(
        session.contains("\r\nTo: root,\r\n Ops <ops@my_host>\r\n"),
        "{session}"
    );
    drop(mailer);
}

#[tokio::test]
async fn sources_keep_their_order_and_do_not_wait_for_each_other() {
    // The first connection, which is A's, stays open until B's mails are through.
    let mut server = Server::start(|connection, command| {
        let stuck = connection == 0 && command.starts_with("RCPT");
        if stuck { Reply::Silence } else { good(command) }
    });
    let timeout = Duration::from_millis(500);
    let mailer = Mailer::start(
        MailSettings {
            timeout,
            ..settings(server.address)
        },
        quick(),
    );
    mailer.send(alert("A", State::Backup));
    for state in [State::Backup, State::Master, State::Fault] {
        mailer.send(alert("B", state));
    }
    mailer.send(alert("A", State::Master));
    let mut subjects = vec![];
    for _ in 0..6 {
        subjects.push(subject(&server.session().await).to_owned());
    }
    let of = |name: &str| {
        let prefix = format!("VRRP Instance {name} - Entering ");
        let states = subjects.iter().filter_map(move |s| s.strip_prefix(&prefix));
        states
            .map(|s| s.split(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("B"), ["BACKUP", "MASTER", "FAULT"]);
    assert_eq!(of("A"), ["BACKUP", "MASTER"]);
    let stuck = subjects.iter().position(|s| s == "none").unwrap();
    assert!(stuck > 0, "B waited for A: {subjects:?}");
    assert_eq!(mailer.drain(LIMIT).await, 0);
}

#[tokio::test]
async fn beyond_the_backlog_the_oldest_are_lost() {
    let log = Log::capture();
    let (socket, address) = closed_port();
    let pause = Duration::from_secs(60);
    let mailer = Mailer::start(
        settings(address),
        Retry {
            pause,
            backlog: 2,
            ..quick()
        },
    );
    mailer.send(alert("X", State::Backup));
    log.wait_until("the refusal", |line| line.contains("SMTP connection ERROR"))
        .await;
    for state in [State::Fault, State::Backup, State::Master] {
        mailer.send(alert("X", state));
    }
    log.wait_for("too many SMTP alerts wait: `VRRP Instance X - Entering FAULT state` is not sent")
        .await;
    let mut server = Server::open(socket, |_, command| good(command));
    mailer.configure(settings(server.address));
    assert_eq!(
        subject(&server.session().await),
        "VRRP Instance X - Entering BACKUP state"
    );
    assert_eq!(
        subject(&server.session().await),
        "VRRP Instance X - Entering MASTER state"
    );
}

#[tokio::test]
async fn mails_too_old_to_matter_are_given_up() {
    let log = Log::capture();
    let (_socket, address) = closed_port();
    let keep = Duration::from_millis(100);
    let mailer = Mailer::start(settings(address), Retry { keep, ..quick() });
    mailer.send(alert("X", State::Backup));
    log.wait_until("the end", |line| line.contains("given up"))
        .await;
    assert_eq!(mailer.drain(LIMIT).await, 0);
}

#[tokio::test]
async fn a_new_configuration_reaches_the_mails_that_wait() {
    let log = Log::capture();
    let (_socket, dead) = closed_port();
    let retry = Retry {
        pause: Duration::from_secs(60),
        ..quick()
    };
    let mailer = Mailer::start(settings(dead), retry);
    mailer.send(alert("VI_1", State::Master));
    log.wait_until("the refusal", |line| line.contains("SMTP connection ERROR"))
        .await;
    let mut server = Server::start(|_, command| good(command));
    mailer.configure(settings(server.address));
    assert_eq!(undated(&server.session().await), WHOLE);
}

#[tokio::test]
async fn the_last_mails_leave_before_the_end_but_not_at_any_price() {
    let mut server = Server::start(|connection, command| {
        if connection == 0 && command.is_empty() {
            Reply::HangUp
        } else {
            good(command)
        }
    });
    let mailer = mailer(&server);
    mailer.send(alert("X", State::Stop));
    mailer.send(alert("Y", State::Stop));
    assert_eq!(mailer.drain(LIMIT).await, 0);
    assert_eq!(server.session().await, "");
    for _ in 0..2 {
        assert!(subject(&server.session().await).ends_with(" - Stopping"));
    }

    let silent = Server::start(|_, _| Reply::Silence);
    let mailer = self::mailer(&silent);
    mailer.send(alert("X", State::Stop));
    mailer.send(alert("X", State::Deleted));
    assert_eq!(mailer.drain(Duration::from_millis(200)).await, 2);
}

#[tokio::test]
async fn server_names_are_resolved_when_they_are_needed() {
    let mut server = Server::start(|_, command| good(command));
    let (host, port) = ("localhost".to_owned(), server.address.port());
    let by_name = MailSettings {
        server: MailServer::Name { host, port },
        ..settings(server.address)
    };
    let mailer = Mailer::start(by_name.clone(), quick());
    mailer.send(alert("VI_1", State::Master));
    assert_eq!(undated(&server.session().await), WHOLE);

    let log = Log::capture();
    let host = "no such host".to_owned();
    mailer.configure(MailSettings {
        server: MailServer::Name { host, port },
        ..by_name
    });
    mailer.send(alert("VI_1", State::Backup));
    log.wait_until("the failure", |line| {
        line.contains("cannot resolve the SMTP server no such host")
    })
    .await;
}
