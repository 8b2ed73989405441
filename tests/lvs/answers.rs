//! What the log says of an answer that is not what it should be. No kernel with IPVS is needed:
//! without, servers are checked all the same.

use rk_lab::{Daemon, Http, HttpManners, Which};

use crate::bed::SOON;

/// The MD5 digest of `page` and a line end.
const DIGEST: &str = "2adf521149526dde524f030851c7f903";

fn server(port: u16, url: &str) -> String {
    format!(
        "real_server 127.0.0.1 {port} {{
            HTTP_GET {{
                url {{
                    path /
                    {url}
                }}
                delay_loop 1
                warmup 0
                retry 1
                delay_before_retry 1
            }}
        }}\n"
    )
}

#[test]
fn the_log_says_once_what_differs() {
    let Some(lab) = crate::bed::lab("answers") else {
        return;
    };
    let node = lab.node("one");
    node.sh("ip link set lo up");
    let wrong = Http::start(&node, "127.0.0.1:8001", "page");
    let short = Http::start(&node, "127.0.0.1:8002", "page");
    short.set(HttpManners::HalfClosed);
    let configuration = format!(
        "virtual_server 10.9.0.1 80 {{
            lvs_method NAT
            protocol TCP
            {}{}
        }}\n",
        server(8001, "digest 00112233445566778899aabbccddeeff"),
        server(8002, ""),
    );
    let mut daemon = Daemon::start(&node, Which::Rkeepalived, &configuration);
    let digest = format!(
        "[127.0.0.1]:tcp:8001 url(/): the MD5 digest of its 5 bytes is {DIGEST}, expected is \
         00112233445566778899aabbccddeeff"
    );
    let length = "http_check for RS [127.0.0.1]:tcp:8002 VS [10.9.0.1]:tcp:80 url /: \
                  content_length (10) does not match received bytes (5)";
    daemon.wait_for_line(&digest, SOON);
    rk_lab::eventually(SOON, "the same answers again and again", || {
        [&wrong, &short]
            .iter()
            .all(|http| http.requests().len() >= 4)
            .then_some(())
    });
    assert_eq!([daemon.count(&digest), daemon.count(length)], [1, 1]);
    // Another answer is another line.
    wrong.set(HttpManners::Status(500));
    let status = "[127.0.0.1]:tcp:8001 url(/): its status is 500, expected is 200-299";
    daemon.wait_for_line(status, SOON);
    // And the same as before the other is news again.
    wrong.set(HttpManners::Good);
    let seen = daemon.count(&digest);
    rk_lab::eventually(SOON, "the digest again", || {
        (daemon.count(&digest) > seen).then_some(())
    });
    daemon.stop();
}
