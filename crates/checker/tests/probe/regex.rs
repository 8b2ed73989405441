//! `regex` over bodies that come in pieces.

use rk_checker::probe::{HttpProbe, Mark, Regex, RegexCheck, Sense};

use crate::http::{get, probe};
use crate::server::{tcp, web};
use crate::{RS, assert_verdict, endpoint, report};

fn matching(pattern: &str) -> HttpProbe {
    let mut http = get("/");
    http.regex = Some(RegexCheck::new(Regex::new(pattern, []).unwrap()));
    http
}

fn failed() -> String {
    format!("Regex match failed server {RS}.")
}

#[tokio::test]
async fn what_must_and_what_must_not_be_there() {
    let (address, _) = web("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    let endpoint = endpoint(address);
    let found = report(&endpoint, &probe(matching("lo"))).await;
    assert_verdict(&found, "success");
    assert_eq!(found.difference, None);
    assert_eq!(found.http.unwrap().passed, [Mark::Status, Mark::Regex]);
    let found = report(&endpoint, &probe(matching("lx"))).await;
    assert_verdict(&found, &failed());
    assert_eq!(
        found.difference.unwrap(),
        format!("{RS} url(/): its 5 bytes do not match the regex")
    );
    for (pattern, expected) in [("lo", failed()), ("lx", "success".to_owned())] {
        let mut http = matching(pattern);
        http.regex.as_mut().unwrap().sense = Sense::NoMatch;
        assert_verdict(&report(&endpoint, &probe(http)).await, &expected);
    }
    // The head is not the page, and the end of the page is an end.
    assert_verdict(
        &report(&endpoint, &probe(matching("Content"))).await,
        &failed(),
    );
    assert_verdict(
        &report(&endpoint, &probe(matching("^hello$"))).await,
        "success",
    );
}

#[tokio::test]
async fn pieces_are_put_together() {
    let (address, _) = tcp(|mut visit| {
        visit.request();
        visit.stream.set_nodelay(true).unwrap();
        for piece in ["HTTP/1.0 200 OK\r", "\n\r", "\nxhe", "l", "lo wor", "ld"] {
            visit.say(piece.as_bytes());
            rk_lab::pause(std::time::Duration::from_millis(5));
        }
    });
    let endpoint = endpoint(address);
    for pattern in ["hello", "h.*d", "(?<=x)hello world$"] {
        assert_verdict(
            &report(&endpoint, &probe(matching(pattern))).await,
            "success",
        );
    }
}

#[tokio::test]
async fn offsets() {
    let mut page = b"HTTP/1.0 200 OK\r\n\r\n".to_vec();
    page.extend([b'x'; 5998]);
    page.extend(b"needle");
    page.extend([b'y'; 5000]);
    let (address, _) = web(page);
    for (min_offset, max_offset, expected) in [
        (0, None, "success".to_owned()),
        (5998, None, "success".to_owned()),
        (5999, None, failed()),
        (0, Some(5998), "success".to_owned()),
        (0, Some(5997), failed()),
    ] {
        let mut http = matching("needle");
        let check = http.regex.as_mut().unwrap();
        check.min_offset = min_offset;
        check.max_offset = max_offset;
        check.stack = Some((32 * 1024, 512 * 1024));
        assert_verdict(&report(&endpoint(address), &probe(http)).await, &expected);
    }
}
