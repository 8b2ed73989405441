use std::net::Ipv4Addr;
use std::num::NonZeroU32;

use proptest::prelude::*;

use super::{Message, WireError, attributes};
use crate::any;
use crate::{
    Command, Dest, DestKey, Family, Forward, Granularity, Name, Persistence, Protocol,
    SchedulerFlags, Service, ServiceKey, SyncDaemon, SyncState, Timeouts, Tunnel, TunnelFlags,
};

/// Reads back what we wrote: requests that set and answers that tell have the same form.
fn read_back(command: &Command) -> Message {
    let payload = command.payload();
    Message::parse(payload.command, &payload.attributes).unwrap()
}

proptest! {
    #[test]
    fn services_survive_the_way_there_and_back(service in any::service()) {
        let Message::Service(entry) = read_back(&Command::NewService(service)) else {
            panic!("no service");
        };
        prop_assert_eq!(entry.service, service.normal());
    }

    #[test]
    fn real_servers_survive_the_way_there_and_back(
        key in any::service_key(),
        dest in any::dest(),
    ) {
        let Message::Dest(entry) = read_back(&Command::NewDest(key, dest)) else {
            panic!("no real server");
        };
        prop_assert_eq!(entry.dest, dest);
    }

    #[test]
    fn daemons_survive_the_way_there_and_back(daemon in any::daemon()) {
        prop_assert_eq!(read_back(&Command::NewDaemon(daemon)), Message::Daemon(daemon));
    }

    #[test]
    fn timeouts_survive_the_way_there_and_back(timeouts in any::timeouts()) {
        let told = read_back(&Command::SetTimeouts(timeouts));
        prop_assert_eq!(told, Message::Timeouts(timeouts));
    }

    #[test]
    fn no_bytes_are_too_strange_to_read(
        command in any::<u8>(),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = Message::parse(command, &bytes);
    }

    #[test]
    fn a_good_message_with_one_byte_changed_is_read_or_refused(
        key in any::service_key(),
        dest in any::dest(),
        service in any::service(),
        daemon in any::daemon(),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        for command in [
            Command::NewService(service),
            Command::NewDest(key, dest),
            Command::NewDaemon(daemon),
        ] {
            let mut payload = command.payload();
            let at = at.index(payload.attributes.len());
            payload.attributes[at] = to;
            let _ = Message::parse(payload.command, &payload.attributes);
            payload.attributes.truncate(at);
            let _ = Message::parse(payload.command, &payload.attributes);
        }
    }
}

/// Kind and value of each attribute, those inside of others indented.
#[cfg(target_endian = "little")]
fn show(command: &Command) -> String {
    fn lines(bytes: &[u8], depth: usize, out: &mut String) {
        use std::fmt::Write;
        for attribute in attributes(bytes, "a test") {
            let it = attribute.unwrap();
            let indent = " ".repeat(depth);
            if depth == 0 && it.kind <= 3 {
                writeln!(out, "{} {{", it.kind).unwrap();
                lines(it.value, 1, out);
                writeln!(out, "}}").unwrap();
            } else {
                let value: String = it.value.iter().map(|b| format!("{b:02x}")).collect();
                writeln!(out, "{indent}{} {value}", it.kind).unwrap();
            }
        }
    }
    let payload = command.payload();
    let mut out = format!("command {}\n", payload.command);
    lines(&payload.attributes, 0, &mut out);
    out
}

#[cfg(target_endian = "little")]
#[track_caller]
fn check(command: &Command, expect: &str) {
    let expect: String = expect
        .lines()
        .map(|line| line.strip_prefix("        ").unwrap_or(line))
        .filter(|line| !line.is_empty())
        .flat_map(|line| [line, "\n"])
        .collect();
    assert_eq!(show(command), expect);
}

fn tcp(last: u8, port: u16) -> ServiceKey {
    ServiceKey::Address {
        protocol: Protocol::Tcp,
        address: Ipv4Addr::new(10, 0, 1, last).into(),
        port,
    }
}

#[cfg(target_endian = "little")]
#[test]
fn a_service_has_its_attributes_in_keepaliveds_order() {
    // AF, PROTOCOL, ADDR, PORT, SCHED_NAME, FLAGS + mask, TIMEOUT, NETMASK.
    let plain = Service::new(tcp(10, 443), Name::new("wlc").unwrap());
    check(
        &Command::NewService(plain),
        "
        command 1
        1 {
         1 0200
         2 0600
         3 0a00010a000000000000000000000000
         4 01bb
         6 776c6300
         7 00000000ffffffff
         8 00000000
         9 ffffffff
        }
        ",
    );
    // AF, FWMARK, SCHED_NAME, PE_NAME, FLAGS + mask, TIMEOUT, NETMASK.
    let full = Service {
        key: ServiceKey::Mark {
            mark: NonZeroU32::new(7).unwrap(),
            family: Family::V6,
        },
        scheduler: Name::new("sh").unwrap(),
        flags: SchedulerFlags::ONE.with(SchedulerFlags::TWO),
        one_packet: true,
        persistence: Some(Persistence {
            timeout: 300,
            granularity: Granularity::Prefix(64),
        }),
        engine: Some(Name::new("sip").unwrap()),
    };
    check(
        &Command::SetService(full),
        "
        command 2
        1 {
         1 0a00
         5 07000000
         6 736800
         11 73697000
         7 1d000000ffffffff
         8 2c010000
         9 40000000
        }
        ",
    );
    let masked = Service {
        persistence: Some(Persistence {
            timeout: 1,
            granularity: Granularity::Mask(Ipv4Addr::new(255, 255, 255, 0)),
        }),
        ..plain
    };
    assert!(show(&Command::NewService(masked)).contains("\n 9 ffffff00\n"));
}

#[cfg(target_endian = "little")]
#[test]
fn a_real_server_has_its_attributes_in_keepaliveds_order() {
    let key = DestKey {
        address: Ipv4Addr::new(10, 0, 0, 2).into(),
        port: 8443,
    };
    let mut dest = Dest::new(key, Forward::Nat, 5);
    dest.upper_threshold = 1000;
    dest.lower_threshold = 10;
    // AF, ADDR, PORT, FWD_METHOD, WEIGHT, U_THRESH, L_THRESH.
    check(
        &Command::NewDest(tcp(10, 443), dest),
        "
        command 5
        1 {
         1 0200
         2 0600
         3 0a00010a000000000000000000000000
         4 01bb
        }
        2 {
         11 0200
         1 0a000002000000000000000000000000
         2 20fb
         3 00000000
         4 05000000
         5 e8030000
         6 0a000000
        }
        ",
    );
    // With TUN_TYPE, TUN_PORT, TUN_FLAGS after the weight.
    let tunnel = Tunnel::Gue {
        port: 6080,
        flags: TunnelFlags::CHECKSUM,
    };
    let dest = Dest::new(key, Forward::Tunnel(tunnel), 1);
    let mark = ServiceKey::Mark {
        mark: NonZeroU32::MIN,
        family: Family::V4,
    };
    check(
        &Command::SetDest(mark, dest),
        "
        command 6
        1 {
         1 0200
         5 01000000
        }
        2 {
         11 0200
         1 0a000002000000000000000000000000
         2 20fb
         3 02000000
         4 01000000
         13 01
         14 17c0
         15 0100
         5 00000000
         6 00000000
        }
        ",
    );
    check(
        &Command::DelDest(mark, key),
        "
        command 7
        1 {
         1 0200
         5 01000000
        }
        2 {
         11 0200
         1 0a000002000000000000000000000000
         2 20fb
        }
        ",
    );
}

#[cfg(target_endian = "little")]
#[test]
fn daemons_and_settings_have_their_attributes_in_keepaliveds_order() {
    // STATE, MCAST_IFN, SYNC_ID, SYNC_MAXLEN, MCAST_PORT (not swapped), MCAST_TTL, MCAST_GROUP.
    let mut daemon = SyncDaemon::new(SyncState::Master, Name::new("eth0").unwrap(), 9);
    daemon.max_len = Some(1400);
    daemon.port = Some(8848);
    daemon.ttl = Some(3);
    daemon.group = Some(Ipv4Addr::new(224, 0, 0, 82).into());
    check(
        &Command::NewDaemon(daemon),
        "
        command 9
        3 {
         1 01000000
         2 6574683000
         3 09000000
         4 7805
         7 9022
         8 03
         5 e0000052
        }
        ",
    );
    let stop = Command::DelDaemon {
        state: SyncState::Backup,
        sync_id: 0,
    };
    check(
        &stop,
        "
        command 10
        3 {
         1 02000000
         3 00000000
        }
        ",
    );
    assert_eq!(show(&Command::Flush), "command 17\n");
    assert_eq!(show(&Command::Zero(None)), "command 16\n");
    let timeouts = Timeouts {
        tcp: 900,
        tcp_fin: 120,
        udp: 300,
    };
    check(
        &Command::SetTimeouts(timeouts),
        "
        command 12
        4 84030000
        5 78000000
        6 2c010000
        ",
    );
}

#[test]
fn an_answer_that_is_cut_or_incomplete_says_what_is_missing() {
    let payload = Command::DelService(tcp(1, 80)).payload();
    let read = |bytes: &[u8]| Message::parse(1, bytes).unwrap_err();
    assert_eq!(
        read(&payload.attributes),
        WireError::Missing {
            part: "a service",
            attribute: "IPVS_SVC_ATTR_SCHED_NAME"
        }
    );
    assert_eq!(
        read(&payload.attributes[..20]),
        WireError::Truncated { part: "a message" }
    );
    assert!(matches!(
        Message::parse(200, &[]),
        Ok(Message::Other { .. })
    ));
}
