//! What keepalived has not: certificates that are verified, and told of before they end; one probe
//! for all who ask the same. No kernel with IPVS is needed: without, servers are checked all the
//! same.

use rk_lab::{Daemon, Http, Node, Process, Which};

use crate::bed::SOON;

/// A TLS server on port 8443 whose certificate, signed by itself, is for www.example.org and ends
/// in so many days.
#[track_caller]
fn tls_server(node: &Node, days: u32) -> Process {
    node.sh(&format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days {days} \
         -keyout /run/key.pem -out /run/cert.pem -subj /CN=www.example.org \
         -addext subjectAltName=DNS:www.example.org 2>&1"
    ));
    let words = "s_server -accept 127.0.0.1:8443 -cert /run/cert.pem -key /run/key.pem -www -quiet";
    let server = node.spawn("openssl", &words.split(' ').collect::<Vec<_>>());
    rk_lab::eventually(SOON, "a TLS server", || {
        let connected = node.in_net(|| std::net::TcpStream::connect("127.0.0.1:8443"));
        connected.ok()
    });
    server
}

/// Asks it; `ssl` is inside block `SSL`, `check` inside `SSL_GET`.
fn configuration(ssl: &str, check: &str) -> String {
    format!(
        "SSL {{\n{ssl}\n}}
        virtual_server 10.9.0.1 443 {{
            lvs_sched rr
            lvs_method NAT
            protocol TCP
            real_server 127.0.0.1 8443 {{
                SSL_GET {{
                    enable_sni
                    {check}
                    delay_loop 1
                    warmup 0
                    retry 0
                }}
            }}
        }}\n"
    )
}

fn url(host: &str) -> String {
    format!("url {{\npath /\nvirtualhost {host}\n}}")
}

#[test]
fn certificates_are_verified_where_that_is_asked_for() {
    let Some(lab) = crate::bed::lab("verify") else {
        return;
    };
    let node = lab.node("one");
    node.sh("ip link set lo up");
    let _server = tls_server(&node, 400);
    let good = url("www.example.org");
    let up = "Remote Web server [127.0.0.1]:tcp:8443 succeed on service.";
    let failed = "SSL certificate verification failed to server [127.0.0.1]:tcp:8443";
    let mut daemon = Daemon::start(&node, Which::Rkeepalived, &configuration("", &good));
    daemon.wait_for_line(up, SOON);
    // From here on each reload is another verdict.
    let strict = format!("ssl_verify\n{good}");
    daemon.reload(&configuration("", &strict));
    daemon.wait_for_line(&format!("{failed} (self-signed certificate)"), SOON);
    daemon.reload(&configuration("ca /run/cert.pem", &strict));
    daemon.wait_for_line(up, SOON);
    let other = format!("ssl_verify\n{}", url("www.example.com"));
    daemon.reload(&configuration("ca /run/cert.pem", &other));
    daemon.wait_for_line(&format!("{failed} (hostname mismatch)"), SOON);
    assert_eq!(daemon.count("expire"), 0, "it is valid for a year");
    daemon.stop();
}

#[test]
fn the_end_of_a_certificate_is_told_once_and_before() {
    let Some(lab) = crate::bed::lab("expiry") else {
        return;
    };
    let node = lab.node("one");
    node.sh("ip link set lo up");
    let _server = tls_server(&node, 5);
    let conf = configuration("", &format!("{}\nlog_all_failures", url("www.example.org")));
    let mut daemon = Daemon::start(&node, Which::Rkeepalived, &conf);
    let line = daemon.wait_for_line("of [127.0.0.1]:tcp:8443 expires in 4 days", SOON);
    assert!(line.text.contains("www.example.org"), "{}", line.text);
    // Not again with the next check, and not behind a reload.
    let digest = "digest 00112233445566778899aabbccddeeff";
    daemon.reload(&conf.replace("path /", &format!("path /\n{digest}")));
    daemon.wait_for_line("expected is 00112233445566778899aabbccddeeff", SOON);
    assert_eq!(daemon.count("expires in"), 1);
    daemon.stop();
}

#[test]
fn equal_checks_share_a_probe_where_that_is_asked_for() {
    let Some(lab) = crate::bed::lab("share") else {
        return;
    };
    let node = lab.node("one");
    node.sh("ip link set lo up");
    let service = |address: &str| {
        format!(
            "virtual_server {address} 80 {{
                lvs_sched rr
                lvs_method NAT
                protocol TCP
                real_server 127.0.0.1 8001 {{
                    HTTP_GET {{
                        url {{
                            path /
                        }}
                        delay_loop 1
                        warmup 0
                        retry 0
                    }}
                }}
            }}\n"
        )
    };
    let services = service("10.9.0.1") + &service("10.9.0.2") + &service("10.9.0.3");
    let shared = format!("global_defs {{\nchecker_share_probes\n}}\n{services}");
    for (configuration, probes) in [(&shared, 1), (&services, 3)] {
        let http = Http::start(&node, "127.0.0.1:8001", "page");
        let mut daemon = Daemon::start(&node, Which::Rkeepalived, configuration);
        daemon.wait_for_line("Startup complete", SOON);
        // The first round comes a second after the start, the second one a second later.
        let first = rk_lab::eventually(SOON, "the second round of checks", || {
            let requests = http.requests();
            let first = requests.first()?.at;
            let second = first + std::time::Duration::from_millis(700);
            let has_begun = requests.iter().any(|request| request.at > second);
            has_begun.then(|| {
                requests
                    .iter()
                    .filter(|request| request.at <= second)
                    .count()
            })
        });
        assert_eq!(first, probes);
        // One verdict, and all of the services have it.
        drop(http);
        rk_lab::eventually(SOON, "all three without a server", || {
            let lost = daemon.count("Lost quorum 1-0=1 > 0 for VS [10.9.0.");
            (lost == 3).then_some(())
        });
        daemon.stop();
    }
}
