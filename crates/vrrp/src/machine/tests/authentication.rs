//! Passwords and authentication headers: which are taken, and which are not.

use super::receive::{forged, refused, taken};
use super::*;
use crate::settings::AuthData;

fn pass(secret: &str) -> Auth {
    Auth::Pass(AuthData::new(secret.as_bytes()))
}

//= V2-5.3.6-1
//= V2-7.1-5
//= V2A-1
#[test]
fn authentication_must_be_the_configured_one() {
    let secured = Settings {
        auth: pass("secret"),
        ..v2()
    };
    taken(&secured, |_| ());
    taken(&v2(), |_| ());
    let to = |auth: Auth| {
        move |rx: &mut Rx, bytes: &mut Vec<u8>| {
            rx.settings.auth = auth;
            *bytes = rx.bytes();
        }
    };
    let line = "received an invalid passwd from 192.0.2.20!";
    refused(&secured, to(pass("Secret")), line, |s| s.auth_failure);
    let line = "received a 0 auth from 192.0.2.20, expecting 1!";
    refused(&secured, to(Auth::None), line, |s| s.authtype_mismatch);
    let line = "received a 1 auth from 192.0.2.20, expecting 0!";
    refused(&v2(), to(pass("secret")), line, |s| s.authtype_mismatch);
    let spoil = forged(&secured, |b| b[4] = 7);
    let line = "received a 7 auth from 192.0.2.20, expecting 1!";
    refused(&secured, spoil, line, |s| s.invalid_authtype);
}

//= V2-5.3.10-1
#[test]
fn without_authentication_the_data_is_ignored() {
    let mut lab = Lab::started(v2());
    let mut rx = lab.from(HIGH, 200);
    let mut bytes = rx.bytes();
    forged(&v2(), |b| b[12..20].fill(0x5a))(&mut rx, &mut bytes);
    lab.receive_bytes(&rx, lab.now, &bytes);
    assert_eq!(lab.router.stats().advert_rcvd, 1);
}

//= V2A-3
#[test]
fn version_3_has_no_authentication() {
    let secured = Settings {
        auth: pass("secret"),
        ..v3()
    };
    taken(&secured, |rx| rx.settings.auth = Auth::None);
    let mut lab = Lab::master(secured);
    lab.run(Duration::from_secs(1));
    assert_eq!(lab.sent().pop().unwrap().payload.len(), 12);
}

//= V2A-2
#[test]
fn the_authentication_header_works_between_two_of_us_and_stops_replay() {
    let secret = Auth::Ah(AuthData::new(b"secret12"));
    let sealed = Settings {
        auth: secret,
        ..v2()
    };
    let mut sender = Lab::idle(with_priority(sealed.clone(), 200));
    sender.feed(Input::SourceAddress(Some(ip(HIGH))));
    sender.feed(Input::Start);
    sender.run(Duration::from_secs(6));
    let packets = sender.sent();
    assert!(packets.len() >= 2 && packets.iter().all(|p| p.protocol == 51));

    let mut lab = Lab::started(sealed.clone());
    let receive = |lab: &mut Lab, packet: &Transmit, payload: &[u8]| {
        let meta = RxMeta {
            protocol: crate::RxProtocol::Ah,
            ip_id: packet.ip_id,
            ..RxMeta::new(packet.src, packet.dst, lab.now)
        };
        lab.feed(Input::Packet { meta, payload });
    };
    receive(&mut lab, &packets[0], &packets[0].payload);
    receive(&mut lab, &packets[1], &packets[1].payload);
    let taken = lab.router.stats().advert_rcvd;
    assert_eq!(taken, 2, "{:#?}", lab.logged());
    lab.out.clear();
    // Again the first one: the sequence number does not grow.
    receive(&mut lab, &packets[0], &packets[0].payload);
    assert_eq!(
        lab.logged(),
        ["(VI_1) replayed authentication header from 192.0.2.20: sequence 1 after 2"]
    );
    // Another key.
    let other = Settings {
        auth: Auth::Ah(AuthData::new(b"secret13")),
        ..v2()
    };
    let mut lab = Lab::started(other);
    receive(&mut lab, &packets[0], &packets[0].payload);
    assert_eq!(
        lab.logged(),
        ["(VI_1) received an invalid authentication header from 192.0.2.20!"]
    );
    assert_eq!(
        (
            lab.router.stats().advert_rcvd,
            lab.router.stats().auth_failure
        ),
        (0, 1)
    );
    // No header at all, and a header where none is expected.
    let mut lab = Lab::started(sealed);
    receive_plain(&mut lab, Auth::None);
    assert_eq!(lab.router.stats().authtype_mismatch, 1);
    let mut lab = Lab::started(v2());
    receive(&mut lab, &packets[0], &packets[0].payload);
    assert_eq!(lab.router.stats().authtype_mismatch, 1);
}

fn receive_plain(lab: &mut Lab, auth: Auth) {
    let mut rx = lab.from(HIGH, 200);
    rx.settings.auth = auth;
    lab.receive(&rx);
}

#[test]
fn a_restarted_sender_of_authentication_headers_is_heard_again() {
    let sealed = Settings {
        auth: Auth::Ah(AuthData::new(b"secret12")),
        ..v2()
    };
    let mut lab = Lab::started(sealed);
    lab.router.replay.senders.push((ip(HIGH), 4_000, lab.now));
    assert!(lab.router.check_sequence(ip(HIGH), 1, lab.now).is_err());
    let later = lab.now + Duration::from_secs(4);
    assert!(lab.router.check_sequence(ip(HIGH), 1, later).is_ok());
    assert!(lab.router.check_sequence(ip(HIGH), 1, later).is_err());
}
