//! The phrases people grep for, and how loud they are.

use super::*;
use crate::cause::FaultReason;
use crate::event::Occurrence as O;

fn check(what: O, level: Level, line: &str) {
    let event = Event {
        instance: "VI_1".into(),
        what,
    };
    assert_eq!(event.to_string(), line);
    assert_eq!(event.level(), level, "{line}");
}

#[test]
fn phrases() {
    let (from, to) = (ip("192.0.2.1"), ip("192.0.2.2"));
    let p = Priority::new;
    check(
        O::AdvertisementTimeout,
        Level::Detail,
        "(VI_1) Receive advertisement timeout",
    );
    check(
        O::Entering {
            state: State::Backup,
            init: true,
        },
        Level::Info,
        "(VI_1) Entering BACKUP STATE (init)",
    );
    check(
        O::Entering {
            state: State::Fault,
            init: false,
        },
        Level::Info,
        "(VI_1) Entering FAULT STATE",
    );
    check(
        O::MasterSet(from),
        Level::Detail,
        "(VI_1) master set to 192.0.2.1",
    );
    check(
        O::MasterChanged { from, to },
        Level::Detail,
        "(VI_1) master changed from 192.0.2.1 to 192.0.2.2",
    );
    check(
        O::BackupPriorityZero,
        Level::Detail,
        "(VI_1) Backup received priority 0 advertisement",
    );
    check(O::SentPriorityZero, Level::Detail, "(VI_1) sent 0 priority");
    check(
        O::EffectivePriority {
            from: p(100),
            to: p(80),
        },
        Level::Info,
        "(VI_1) Changing effective priority from 100 to 80",
    );
    check(
        O::PreemptDelayStart(Duration::from_micros(2_500_001)),
        Level::Detail,
        "(VI_1) start preempt delay (2.500001)",
    );
    check(
        O::IntervalLearned {
            from: ms(500),
            to: ms(2000),
        },
        Level::Detail,
        "(VI_1) advertisement interval updated from 500ms to 2000ms by master",
    );
    check(
        O::Fault(FaultReason::Tracker {
            kind: TrackerKind::Interface,
            name: "eth0".into(),
            detail: None,
        }),
        Level::Info,
        "(VI_1) entering FAULT state (interface eth0 down)",
    );
    check(
        O::Fault(FaultReason::Tracker {
            kind: TrackerKind::Script,
            name: "chk".into(),
            detail: Some("exited with status 1".into()),
        }),
        Level::Info,
        "(VI_1): entering FAULT state due to script chk",
    );
}
