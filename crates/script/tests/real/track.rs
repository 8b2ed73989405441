//! Tracked scripts on their grid.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rk_script::{Command, Credentials, Finished, Outcome, SpawnError, TrackScript, Tracks};
use tokio::sync::mpsc;

use crate::lab::{Lab, Log, until_dead};

const LONG: Duration = Duration::from_secs(1000);

fn track(name: &str, command: Command, interval: Duration, timeout: Duration) -> TrackScript {
    TrackScript {
        name: name.into(),
        command,
        interval,
        timeout,
    }
}

fn start(scripts: impl IntoIterator<Item = TrackScript>) -> (Tracks, mpsc::Receiver<Finished>) {
    let (sender, results) = mpsc::channel(64);
    let mut tracks = Tracks::new(sender);
    tracks.apply(scripts);
    (tracks, results)
}

async fn next(results: &mut mpsc::Receiver<Finished>) -> Finished {
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, results.recv())
        .await
        .expect("no result came")
        .unwrap()
}

#[tokio::test]
async fn runs_start_at_once_and_stay_on_the_grid() {
    let lab = Lab::new();
    let command = lab.script("tick.sh", "date +%s%N >> ticks; sleep 0.05");
    let grid = Duration::from_millis(200);
    let (_tracks, mut results) = start([track("tick", command, grid, LONG)]);
    for _ in 0..4 {
        let finished = next(&mut results).await;
        assert_eq!(finished.outcome, Outcome::Exited(0));
        assert_eq!(&*finished.script, "tick");
        assert!(
            finished.took >= Duration::from_millis(50),
            "{:?}",
            finished.took
        );
    }
    let text = lab
        .read_until("ticks", |text| text.lines().count() >= 4)
        .await;
    let ticks: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
    // Counted from the end of the run before, three runs would take 750 ms at least; a loaded
    // machine can only make a start late, and the grid makes up for it.
    let third = Duration::from_nanos(ticks[3] - ticks[0]);
    assert!(third >= grid * 2, "the grid runs too fast: {third:?}");
}

#[tokio::test]
async fn statuses_signals_and_absence_are_told_apart() {
    let lab = Lab::new();
    let gone = lab.path("gone");
    let (_tracks, mut results) = start([
        track("nine", lab.script("nine.sh", "exit 9"), LONG, LONG),
        track("killed", lab.script("killed.sh", "kill -9 $$"), LONG, LONG),
        track(
            "gone",
            Command::new(&gone, Credentials::current()),
            LONG,
            LONG,
        ),
    ]);
    let mut found = vec![];
    for _ in 0..3 {
        let Finished {
            script, outcome, ..
        } = next(&mut results).await;
        found.push((script, outcome));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        found,
        [
            (
                Arc::from("gone"),
                Outcome::NotRun(SpawnError::NotFound(gone))
            ),
            (Arc::from("killed"), Outcome::Signalled(9)),
            (Arc::from("nine"), Outcome::Exited(9)),
        ]
    );
}

#[tokio::test]
async fn an_absent_script_is_tried_again() {
    let lab = Lab::new();
    let command = Command::new(lab.path("later.sh"), Credentials::current());
    let interval = Duration::from_millis(20);
    let (_tracks, mut results) = start([track("later", command, interval, LONG)]);
    assert!(matches!(
        next(&mut results).await.outcome,
        Outcome::NotRun(_)
    ));
    lab.script("making.sh", "exit 0");
    std::fs::rename(lab.path("making.sh"), lab.path("later.sh")).unwrap();
    while next(&mut results).await.outcome != Outcome::Exited(0) {}
}

#[tokio::test]
async fn a_timeout_is_a_failure_whatever_the_script_makes_of_term() {
    let lab = Lab::new();
    let body = "trap 'echo caught > caught; exit 0' TERM; while :; do sleep 0.01; done";
    let timeout = Duration::from_millis(300);
    let (_tracks, mut results) = start([track("hang", lab.script("hang.sh", body), LONG, timeout)]);
    let finished = next(&mut results).await;
    assert_eq!(finished.outcome, Outcome::TimedOut);
    assert!(finished.took >= timeout);
    assert_eq!(lab.lines("caught").await, "caught\n");
}

#[tokio::test]
async fn a_script_that_forks_and_hangs_is_swept_away_and_runs_again() {
    let lab = Lab::new();
    let body = "[ -e child ] && exit 0\n\
                (trap '' TERM; sh -c 'echo $PPID' > new; mv new child; \
                 while :; do sleep 0.1; done) &\n\
                wait";
    let (interval, timeout) = (Duration::from_millis(700), Duration::from_millis(600));
    let log = Log::capture();
    let (_tracks, mut results) = start([track(
        "forks",
        lab.script("forks.sh", body),
        interval,
        timeout,
    )]);
    assert_eq!(next(&mut results).await.outcome, Outcome::TimedOut);
    until_dead(&lab.lines("child").await).await;
    assert_eq!(next(&mut results).await.outcome, Outcome::Exited(0));
    drop(log);
}

#[tokio::test]
async fn ticks_that_pass_without_a_run_are_logged() {
    let lab = Lab::new();
    let log = Log::capture();
    let interval = Duration::from_millis(50);
    let slow = lab.script("slow.sh", "while [ ! -e end ]; do sleep 0.01; done");
    let (mut tracks, mut results) = start([track("slow", slow, interval, LONG)]);
    log.wait_for("Track script slow is already running, expect idle - skipping run")
        .await;
    std::fs::write(lab.path("end"), "").unwrap();
    assert_eq!(next(&mut results).await.outcome, Outcome::Exited(0));

    let deaf = lab.script("deaf.sh", "trap '' TERM; while :; do sleep 0.1; done");
    tracks.apply([track("deaf", deaf, interval, interval)]);
    log.wait_for("Track script deaf is being timed out, expect idle - skipping run")
        .await;
}

#[tokio::test]
async fn a_reload_keeps_what_did_not_change_and_ends_what_went() {
    let lab = Lab::new();
    let once = |name: &str| {
        let body = format!("echo $$ >> {name}; while [ ! -e end-{name} ]; do sleep 0.01; done");
        track(name, lab.script(&format!("{name}.sh"), &body), LONG, LONG)
    };
    let (kept, gone) = (once("kept"), once("gone"));
    let (mut tracks, mut results) = start([kept.clone(), gone]);
    let runs = lab.lines("kept").await;
    let victim = lab.lines("gone").await;
    tracks.apply([kept]);
    assert_eq!(tracks.len(), 1);
    until_dead(&victim).await;
    std::fs::write(lab.path("end-kept"), "").unwrap();
    let finished = next(&mut results).await;
    assert_eq!(
        (&*finished.script, finished.outcome),
        ("kept", Outcome::Exited(0))
    );
    assert_eq!(
        lab.lines("kept").await,
        runs,
        "the kept script was started again"
    );
    tracks.apply([]);
    assert!(tracks.is_empty());
}

#[tokio::test]
async fn a_changed_script_starts_anew() {
    let lab = Lab::new();
    let stay = lab.script("stay.sh", "echo $$ > pid; exec sleep 1000");
    let (mut tracks, mut results) = start([track("s", stay, LONG, LONG)]);
    let victim = lab.lines("pid").await;
    tracks.apply([track("s", lab.script("other.sh", "exit 3"), LONG, LONG)]);
    assert_eq!(next(&mut results).await.outcome, Outcome::Exited(3));
    until_dead(&victim).await;
}

#[tokio::test]
async fn dropping_ends_everything() {
    let lab = Lab::new();
    let stay = lab.script("stay.sh", "echo $$ > pid; exec sleep 1000");
    let (tracks, results) = start([track("s", stay, LONG, LONG)]);
    let victim = lab.lines("pid").await;
    drop((tracks, results));
    until_dead(&victim).await;
}

#[tokio::test]
async fn a_stalled_daemon_does_not_blame_the_script() {
    let lab = Lab::new();
    let command = lab.script(
        "waits.sh",
        "echo > ready; while [ ! -e end ]; do sleep 0.01; done",
    );
    let timeout = Duration::from_millis(400);
    let (_tracks, mut results) = start([track("waits", command, LONG, timeout)]);
    lab.lines("ready").await;
    // The whole process does nothing until long after the timeout, as if it had been stopped.
    let stall = Instant::now();
    while stall.elapsed() < timeout * 2 {
        std::hint::spin_loop();
    }
    // Judged at the stall's end, the script would have timed out; it gets its time again.
    tokio::task::yield_now().await;
    std::fs::write(lab.path("end"), "").unwrap();
    assert_eq!(next(&mut results).await.outcome, Outcome::Exited(0));
}
