//! A machine that stalls starts no failover on account of its own stall.

use super::*;

const DOWN: Duration = Duration::from_nanos(3_609_375_000);

#[test]
fn a_backup_that_was_stopped_listens_for_one_more_down_interval() {
    let mut lab = Lab::started(v3());
    lab.hear(HIGH, 200);
    let stopped = lab.now;
    lab.sleep(Duration::from_secs(10));
    // The kernel kept the oldest adverts only: the last one is 8 s old.
    lab.feed(Input::Stalled {
        length: Duration::from_secs(10),
    });
    let old = lab.from(HIGH, 200);
    for n in 1..=2 {
        lab.receive_late(&old, stopped + Duration::from_secs(n));
    }
    lab.feed(Input::Timer);
    assert_eq!(lab.router.state(), State::Backup);
    assert_eq!(lab.wait(), DOWN);
    assert_eq!(lab.router.stats().stalls, 1);
    // The Master lives: nothing happens.
    lab.run(ms(200));
    lab.hear(HIGH, 200);
    assert_eq!(lab.wait(), DOWN);
    // It dies: one down interval later there is a new one.
    lab.run(DOWN);
    assert_eq!(lab.router.state(), State::Master);
}

#[test]
fn a_stall_of_which_nobody_told_is_noticed_by_how_late_the_timer_is() {
    let mut lab = Lab::started(v3());
    lab.hear(HIGH, 200);
    lab.sleep(Duration::from_secs(10));
    lab.feed(Input::Timer);
    assert_eq!((lab.router.state(), lab.wait()), (State::Backup, DOWN));
    let lines = lab.logged();
    assert_eq!(
        lines.last().unwrap(),
        "(VI_1) was not running for 6.391 s, listening for 3.609 s more before believing silence"
    );
}

#[test]
fn a_machine_that_is_always_late_still_takes_over() {
    let mut lab = Lab::started(Settings {
        adver_interval: ms(10),
        ..v3()
    });
    for _ in 0..2 {
        lab.sleep(lab.wait() + ms(50));
        lab.feed(Input::Timer);
    }
    assert_eq!(lab.router.state(), State::Master);
    assert!(
        lab.deeds()
            .contains(&"BACKUP -> MASTER: no master heard for 0.172 s (timer 0.050 s late)".into())
    );
}

#[test]
fn a_little_late_is_no_stall() {
    let mut lab = Lab::started(v3());
    lab.sleep(DOWN + ms(900));
    lab.feed(Input::Timer);
    assert_eq!(lab.router.state(), State::Master);
    assert_eq!(lab.router.stats().stalls, 0);
}

#[test]
fn a_goodbye_from_before_the_stall_is_not_acted_on_without_listening() {
    let mut lab = Lab::started(v3());
    lab.hear(HIGH, 200);
    let stopped = lab.now;
    lab.sleep(Duration::from_secs(10));
    lab.feed(Input::Stalled {
        length: Duration::from_secs(10),
    });
    let rx = lab.from(HIGH, 0);
    lab.receive_late(&rx, stopped + ms(500));
    // Another Backup has taken over long ago; it will be heard within a down interval.
    assert_eq!(lab.wait(), DOWN);
    // A goodbye from after the stall counts as always.
    lab.hear(HIGH, 0);
    assert_eq!(lab.wait(), Duration::from_nanos(609_375_000));
}

#[test]
fn a_master_that_was_stopped_goes_on_by_the_protocol() {
    // The Backup that took over meanwhile is worse: our advert makes it yield.
    let mut lab = Lab::master(v3());
    lab.sleep(Duration::from_secs(10));
    lab.feed(Input::Stalled {
        length: Duration::from_secs(10),
    });
    let worse = lab.from(LOW, 50);
    lab.receive_late(&worse, lab.now - ms(300));
    lab.feed(Input::Timer);
    assert_eq!(lab.router.state(), State::Master);
    assert_eq!(lab.deeds()[0], "advert 100 to 224.0.0.18");
    // It is better: we yield to what is in the queue, before we say anything.
    let mut lab = Lab::master(v3());
    lab.sleep(Duration::from_secs(10));
    lab.feed(Input::Stalled {
        length: Duration::from_secs(10),
    });
    let better = lab.from(HIGH, 150);
    lab.receive_late(&better, lab.now - Duration::from_secs(6));
    lab.feed(Input::Timer);
    assert_eq!(lab.router.state(), State::Backup);
    assert!(lab.sent().is_empty());
    assert_eq!(lab.router.due(), Some(lab.now + DOWN));
}

#[test]
fn stalls_mean_nothing_to_those_who_do_not_wait() {
    let mut lab = Lab::master(v3());
    lab.feed(Input::Stalled { length: ms(5) });
    assert_eq!(lab.all(), [""; 0]);
    let mut lab = Lab::idle(v3());
    lab.feed(Input::Stalled { length: ms(5) });
    assert_eq!((lab.all(), lab.router.due()), (vec![], None));
}
