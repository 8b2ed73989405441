//! When neighbours are told.

use super::*;
use crate::settings::Garp;

/// When which announcement came, in ms after `lab.now`, within `span`.
fn announcements(lab: &mut Lab, span: Duration) -> Vec<(u64, String)> {
    let start = lab.now;
    let mut seen = Vec::new();
    while let Some(due) = lab.router.due().filter(|due| *due <= start + span) {
        lab.now = lab.now.max(due);
        lab.feed(Input::Timer);
        let at = u64::try_from(lab.now.since(start).as_millis()).unwrap();
        seen.extend(
            lab.deeds()
                .into_iter()
                .filter(|d| d.starts_with("ann"))
                .map(|d| (at, d)),
        );
    }
    seen
}

fn at(ms: u64, what: &str) -> (u64, String) {
    (ms, format!("announce {what}"))
}

#[test]
fn the_second_burst_follows_garp_master_delay() {
    let mut lab = Lab::master(v3());
    assert_eq!(
        announcements(&mut lab, Duration::from_secs(60)),
        [at(5_000, "5 MasterDelayed")]
    );
}

#[test]
fn refreshes_begin_after_the_delay_and_go_on() {
    let garp = Garp {
        master_repeat: 2,
        master_delay: ms(1500),
        master_refresh: ms(4000),
        master_refresh_repeat: 3,
        ..Garp::default()
    };
    let mut lab = Lab::master(Settings { garp, ..v3() });
    assert_eq!(
        announcements(&mut lab, ms(14_000)),
        [
            at(1_500, "2 MasterDelayed"),
            at(5_500, "3 Refresh"),
            at(9_500, "3 Refresh"),
            at(13_500, "3 Refresh"),
        ]
    );
}

#[test]
fn a_delay_of_zero_means_no_second_burst() {
    let garp = Garp {
        master_delay: Duration::ZERO,
        ..Garp::default()
    };
    let mut lab = Lab::master(Settings { garp, ..v3() });
    assert_eq!(announcements(&mut lab, Duration::from_secs(60)), []);
}

#[test]
fn lower_priority_announces_now_and_once_more_later() {
    let garp = Garp {
        master_delay: Duration::ZERO,
        lower_prio_repeat: 4,
        lower_prio_delay: ms(2500),
        ..Garp::default()
    };
    let mut lab = Lab::master(Settings { garp, ..v3() });
    lab.hear(LOW, 50);
    assert!(lab.deeds().contains(&"announce 4 LowerPriority".into()));
    assert_eq!(
        announcements(&mut lab, ms(60_000)),
        [at(2_500, "4 LowerPriorityDelayed")]
    );
}

#[test]
fn a_stream_of_lower_adverts_does_not_put_off_the_second_burst() {
    let garp = Garp {
        master_delay: Duration::ZERO,
        ..Garp::default()
    };
    let mut lab = Lab::master(Settings { garp, ..v3() });
    for _ in 0..12 {
        lab.hear(LOW, 50);
        lab.run(ms(500));
    }
    assert!(
        lab.deeds()
            .contains(&"announce 5 LowerPriorityDelayed".into())
    );
}

#[test]
fn no_announcement_outlives_the_mastership() {
    let garp = Garp {
        master_refresh: ms(1000),
        ..Garp::default()
    };
    let mut lab = Lab::master(Settings { garp, ..v3() });
    lab.hear(LOW, 50);
    lab.hear(HIGH, 200);
    lab.out.clear();
    let start = lab.now;
    while lab.now.since(start) < Duration::from_secs(30) {
        lab.run(ms(900));
        lab.hear(HIGH, 200);
    }
    assert_eq!(lab.deeds(), [""; 0]);
}

#[test]
fn a_repeat_of_zero_is_silence() {
    let garp = Garp {
        lower_prio_repeat: 0,
        ..Garp::default()
    };
    let mut lab = Lab::master(Settings { garp, ..v3() });
    lab.hear(LOW, 50);
    assert_eq!(
        lab.deeds(),
        ["advert 100 to 224.0.0.18", "heard lower priority"]
    );
}
