//! Weights, readings, and the results of scripts.

use std::sync::Arc;

use rk_base::Priority;

use super::*;

fn tracker(kind: TrackerKind, weight: i32, reverse: bool) -> Tracker {
    Tracker {
        id: TrackerId(1),
        kind,
        name: "t".into(),
        weight,
        reverse,
        initial: Reading::Unknown,
    }
}

/// Kind, weight, reverse, reading: effect.
#[test]
fn what_each_reading_does() {
    use Effect::{Fault, Waiting, Weight};
    use Reading::{Down, Unknown, Up, Value};
    use TrackerKind::{Bfd, File, Interface, Process, Script};
    for kind in [Interface, Script, Process, Bfd] {
        for (weight, reverse, reading, want) in [
            (0, false, Up, Weight(0)),
            (0, false, Down, Fault),
            (0, true, Up, Fault),
            (0, true, Down, Weight(0)),
            (20, false, Up, Weight(20)),
            (20, false, Down, Weight(0)),
            (20, true, Up, Weight(-20)),
            (20, true, Down, Weight(0)),
            (-20, false, Up, Weight(0)),
            (-20, false, Down, Weight(-20)),
            (-20, true, Up, Weight(0)),
            (-20, true, Down, Weight(20)),
            (20, false, Unknown, Weight(0)),
            (-20, true, Unknown, Weight(0)),
        ] {
            let effect = effect(&tracker(kind, weight, reverse), reading);
            assert_eq!(effect, want, "{kind} weight {weight} {reverse} {reading:?}");
        }
    }
    for (weight, reverse, value, want) in [
        (0, false, 0, Weight(0)),
        (0, false, 1, Fault),
        (0, false, -1, Fault),
        (0, true, 0, Fault),
        (0, true, 5, Weight(0)),
        (1, false, 7, Weight(7)),
        (1, true, 7, Weight(-7)),
        (-2, false, 7, Weight(-14)),
        (1, false, 300, Weight(253)),
        (1, false, -253, Weight(-253)),
        (1, false, -254, Fault),
        (1, true, 254, Fault),
        (254, false, i64::MAX, Weight(253)),
        (254, false, i64::MIN, Fault),
        (254, true, i64::MIN, Weight(253)),
    ] {
        let effect = effect(&tracker(File, weight, reverse), Value(value));
        assert_eq!(effect, want, "file weight {weight} {reverse} value {value}");
    }
    assert_eq!(effect(&tracker(Script, 0, false), Unknown), Waiting);
    assert_eq!(effect(&tracker(Interface, 0, false), Unknown), Weight(0));
}

#[test]
fn priorities_add_up_and_stay_in_range() {
    use Effect::{Fault, Waiting, Weight};
    let base = Priority::new(100);
    for (effects, total, effective) in [
        (vec![], 100, 100),
        (vec![Weight(5), Weight(-20), Fault, Waiting], 85, 85),
        (vec![Weight(253), Weight(253)], 606, 254),
        (vec![Weight(-253)], -153, 1),
        (vec![Weight(i32::MAX), Weight(i32::MAX)], i32::MAX, 254),
        (vec![Weight(i32::MIN), Weight(i32::MIN)], i32::MIN, 1),
    ] {
        assert_eq!(total_priority(base, effects), total);
        assert_eq!(effective_priority(base, total), Priority::new(effective));
    }
    assert_eq!(total_priority(Priority::OWNER, [Weight(-10)]), 255);
    assert_eq!(effective_priority(Priority::OWNER, 255), Priority::OWNER);
}

/// Feeds runs, `+` a success and `-` a failure; the readings after each as `U`, `D` or `?`.
fn readings(rise: u32, fall: u32, initial: ScriptStatus, runs: &str) -> String {
    let mut script = ScriptState::new("chk".into(), rise, fall, initial);
    let mut out = Vec::new();
    runs.chars()
        .map(|run| {
            let run = if run == '+' {
                Run::Exited(0)
            } else {
                Run::Exited(1)
            };
            let before = script.reading();
            let changed = script.record(run, &mut out);
            assert_eq!(changed, before != script.reading());
            match script.reading() {
                Reading::Up => 'U',
                Reading::Down => 'D',
                Reading::Unknown | Reading::Value(_) => '?',
            }
        })
        .collect()
}

#[test]
fn the_first_run_decides_alone_and_later_ones_count() {
    use ScriptStatus::{Good, InitFail, Unknown};
    for initial in [Unknown, InitFail] {
        assert_eq!(readings(3, 2, initial, "+"), "U");
        assert_eq!(readings(3, 2, initial, "-"), "D");
    }
    assert_eq!(readings(3, 2, Unknown, "+--"), "UUD");
    assert_eq!(readings(3, 2, Unknown, "-+++"), "DDDU");
    // A result that breaks the run of equal ones starts the count again.
    assert_eq!(readings(3, 2, Unknown, "-++-+++"), "DDDDDDU");
    assert_eq!(readings(3, 2, Unknown, "+-+--"), "UUUUD");
    assert_eq!(readings(1, 1, Unknown, "+-+-"), "UDUD");
    assert_eq!(readings(1, 3, Good, "--+---"), "UUUUUD");
    // Nonsense counts as 1.
    assert_eq!(readings(0, 0, Unknown, "+-+"), "UDU");
}

#[test]
fn the_counter_is_the_one_of_the_dump() {
    let mut script = ScriptState::new("chk".into(), 3, 2, ScriptStatus::Unknown);
    let mut out = Vec::new();
    let mut counts = Vec::new();
    for run in [0, 1, 1, 0, 0, 0, 1, 0] {
        script.record(Run::Exited(run), &mut out);
        counts.push(script.result());
    }
    assert_eq!(counts, [4, 3, 0, 1, 2, 4, 3, 4]);
}

#[test]
fn every_change_of_a_script_has_its_line() {
    let mut script = ScriptState::new("chk".into(), 1, 1, ScriptStatus::Unknown);
    let mut out = Vec::new();
    for run in [
        Run::Exited(0),
        Run::Exited(0),
        Run::Exited(3),
        Run::Exited(4),
        Run::Exited(0),
        Run::Signalled(9),
        Run::Exited(0),
        Run::TimedOut,
    ] {
        script.record(run, &mut out);
    }
    let lines: Vec<_> = out.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "VRRP_Script(chk) succeeded",
            "Script `chk` now returning 3",
            "VRRP_Script(chk) failed (exited with status 3)",
            "Script `chk` now returning 4",
            "Script `chk` now returning 0",
            "VRRP_Script(chk) succeeded",
            "VRRP_Script(chk) failed (due to signal 9)",
            "Script `chk` now returning 0",
            "VRRP_Script(chk) succeeded",
            "VRRP_Script(chk) timed_out",
        ]
    );
    assert_eq!(script.last_run(), Some(Run::TimedOut));
}

#[test]
fn a_timeout_is_a_failure_whatever_the_script_answers() {
    assert!(!Run::TimedOut.succeeded());
    assert!(!Run::NotStarted.succeeded());
    assert!(!Run::Signalled(15).succeeded());
    assert!(Run::Exited(0).succeeded());
}

#[test]
fn results_survive_a_reload_with_other_counts() {
    let mut old = ScriptState::new("chk".into(), 1, 1, ScriptStatus::Unknown);
    old.record(Run::Exited(0), &mut Vec::new());
    let name: Arc<str> = "chk".into();
    let mut new = ScriptState::new(name, 2, 3, ScriptStatus::Unknown);
    new.inherit(&old);
    assert_eq!((new.reading(), new.result()), (Reading::Up, 4));
    old.record(Run::Exited(1), &mut Vec::new());
    new.inherit(&old);
    assert_eq!((new.status(), new.result()), (ScriptStatus::Bad, 0));
}
