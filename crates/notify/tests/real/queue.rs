//! Notify scripts: order, exactly once, and what becomes of those that hang.

use std::time::Duration;

use rk_notify::{Drained, Limits, Queue, Scripts, Source, State, Transition};
use rk_script::{Command, Credentials};

use crate::lab::{Lab, Log, until_dead};

const LIMIT: Duration = Duration::from_secs(20);

fn to(source: &Source, state: State) -> Transition {
    Transition {
        source: source.clone(),
        state,
        priority: 150,
    }
}

fn instance(name: &str) -> Source {
    Source::Instance(name.into())
}

fn generic(command: Command) -> Scripts {
    Scripts {
        specific: None,
        generic: Some(command),
    }
}

fn patience(patience: Duration) -> Limits {
    Limits {
        patience,
        grace: Duration::from_millis(200),
        ..Limits::default()
    }
}

/// Appends its arguments to `ran`, each between brackets.
const RECORD: &str = "line=; for a; do line=\"$line[$a]\"; done; echo \"$line\" >> ran";

#[tokio::test]
async fn specific_then_generic_with_the_very_arguments() {
    let lab = Lab::new();
    let record = lab.script("record.sh", RECORD);
    let scripts = Scripts {
        specific: Some(record.clone().args(["specific", "a b"])),
        generic: Some(record.args(["generic"])),
    };
    let mut queue = Queue::new(Limits::default());
    queue.notify(&to(&instance("VI_1"), State::Master), &scripts);
    queue.notify(&to(&instance("VI_1"), State::Stop), &scripts);
    assert_eq!(queue.drain(LIMIT).await, Drained::default());
    assert_eq!(
        lab.lines("ran").await,
        "[specific][a b]\n[generic][INSTANCE][VI_1][MASTER][150]\n\
         [specific][a b]\n[generic][INSTANCE][VI_1][STOP][150]\n"
    );
    let mut queue = Queue::new(Limits::default());
    let group = Source::Group("G".into());
    let scripts = generic(lab.script("group.sh", &RECORD.replace("ran", "group")));
    queue.notify(&to(&group, State::Fault), &scripts);
    queue.drain(LIMIT).await;
    assert_eq!(lab.lines("group").await, "[GROUP][G][FAULT][0]\n");
}

#[tokio::test]
async fn one_after_the_other_each_once() {
    let lab = Lab::new();
    let body = "echo \"begin $3\" >> order; sleep 0.02; echo \"end $3\" >> order";
    let scripts = generic(lab.script("slow.sh", body));
    let mut queue = Queue::new(Limits::default());
    let states = [
        State::Backup,
        State::Master,
        State::Fault,
        State::Backup,
        State::Master,
    ];
    for state in states {
        queue.notify(&to(&instance("X"), state), &scripts);
    }
    assert_eq!(queue.drain(LIMIT).await, Drained::default());
    let wanted: String = states
        .iter()
        .map(|s| format!("begin {s}\nend {s}\n"))
        .collect();
    assert_eq!(lab.lines("order").await, wanted);
}

#[tokio::test]
async fn sources_do_not_wait_for_each_other() {
    let lab = Lab::new();
    let waits = lab.script(
        "waits.sh",
        "while [ ! -e go ]; do sleep 0.01; done; echo went > went",
    );
    let goes = lab.script("goes.sh", "echo > go");
    let mut queue = Queue::new(Limits::default());
    queue.notify(&to(&instance("A"), State::Master), &generic(waits));
    queue.notify(&to(&instance("B"), State::Master), &generic(goes));
    assert_eq!(lab.lines("went").await, "went\n");
}

#[tokio::test]
async fn a_hanging_script_is_swept_away_only_for_a_newer_state() {
    let lab = Lab::new();
    let log = Log::capture();
    let hang = lab.script(
        "hang.sh",
        "trap '' TERM; (echo $$ > pid.new; mv pid.new pid; while :; do sleep 0.1; done)",
    );
    let record = lab.script("record.sh", RECORD);
    let mut queue = Queue::new(patience(Duration::from_millis(100)));
    queue.notify(&to(&instance("X"), State::Master), &generic(hang.clone()));
    let pid = lab.lines("pid").await;
    // It outlives its patience many times: another source's scripts come and go meanwhile.
    for _ in 0..10 {
        queue.notify(&to(&instance("Y"), State::Backup), &generic(record.clone()));
    }
    lab.read_until("ran", |text| text.lines().count() == 10)
        .await;
    assert!(
        std::path::Path::new("/proc").join(pid.trim()).exists(),
        "killed without need"
    );
    queue.notify(&to(&instance("X"), State::Backup), &generic(record));
    until_dead(&pid).await;
    let ran = lab
        .read_until("ran", |text| text.lines().count() == 11)
        .await;
    assert!(ran.ends_with("[INSTANCE][X][BACKUP][150]\n"), "{ran}");
    log.wait_until("the reason", |line| {
        line.starts_with("(X) killing") && line.ends_with("BACKUP waits for it")
    })
    .await;
}

#[tokio::test]
async fn a_service_in_the_foreground_lives_as_long_as_its_state() {
    let lab = Lab::new();
    let service = lab.script("service.sh", "echo $$ > pid; exec sleep 1000");
    let record = lab.script("record.sh", RECORD);
    let scripts = Scripts {
        specific: Some(service),
        generic: Some(record.clone()),
    };
    let mut queue = Queue::new(patience(Duration::from_millis(100)));
    queue.notify(&to(&instance("X"), State::Master), &scripts);
    let pid = lab.lines("pid").await;
    assert_eq!(lab.lines("ran").await, "[INSTANCE][X][MASTER][150]\n");
    assert!(
        std::path::Path::new("/proc").join(pid.trim()).exists(),
        "the service was killed"
    );
    queue.notify(&to(&instance("X"), State::Backup), &generic(record));
    lab.read_until("ran", |text| text.lines().count() == 2)
        .await;
    until_dead(&pid).await;
}

#[tokio::test]
async fn the_newest_states_survive_a_backlog() {
    let lab = Lab::new();
    let log = Log::capture();
    let hang = lab.script(
        "hang.sh",
        "echo > up; while [ ! -e end ]; do sleep 0.01; done",
    );
    let scripts = generic(lab.script("record.sh", "echo $3 >> ran"));
    let mut queue = Queue::new(Limits {
        backlog: 2,
        ..Limits::default()
    });
    queue.notify(&to(&instance("X"), State::Master), &generic(hang));
    lab.lines("up").await;
    for state in [
        State::Fault,
        State::Backup,
        State::Master,
        State::Backup,
        State::Master,
    ] {
        queue.notify(&to(&instance("X"), state), &scripts);
    }
    log.wait_until("the loss", |line| {
        line.ends_with("those for FAULT are not run")
    })
    .await;
    std::fs::write(lab.path("end"), "").unwrap();
    assert_eq!(queue.drain(LIMIT).await, Drained::default());
    assert_eq!(lab.lines("ran").await, "BACKUP\nMASTER\n");
}

#[tokio::test]
async fn an_absent_script_is_named_and_the_next_one_runs() {
    let lab = Lab::new();
    let log = Log::capture();
    let gone = Command::new(lab.path("gone"), Credentials::current());
    let scripts = Scripts {
        specific: Some(gone),
        generic: Some(lab.script("record.sh", RECORD)),
    };
    let mut queue = Queue::new(Limits::default());
    queue.notify(&to(&Source::Group("G".into()), State::Master), &scripts);
    assert_eq!(lab.lines("ran").await, "[GROUP][G][MASTER][0]\n");
    let wanted = format!(
        "VRRP_Group(G) notify script not run: {}: no such file",
        lab.path("gone").display()
    );
    log.wait_for(&wanted).await;
}

#[tokio::test]
async fn stop_scripts_run_to_their_end() {
    let lab = Lab::new();
    let scripts = generic(lab.script("stop.sh", "echo first > ran; sleep 0.3; echo last >> ran"));
    let mut queue = Queue::new(Limits::default());
    queue.notify(&to(&instance("X"), State::Stop), &scripts);
    assert_eq!(queue.drain(LIMIT).await, Drained::default());
    assert_eq!(lab.lines("ran").await, "first\nlast\n");
}

#[tokio::test]
async fn draining_leaves_time_for_the_newest_and_ends_in_time() {
    let lab = Lab::new();
    let hang = lab.script("hang.sh", "echo $$ > pid; exec sleep 1000");
    let record = lab.script(
        "record.sh",
        "echo $3 >> ran; [ $3 = STOP ] && exec sleep 1000",
    );
    let mut queue = Queue::new(Limits::default());
    queue.notify(&to(&instance("X"), State::Master), &generic(hang));
    let pid = lab.lines("pid").await;
    queue.notify(&to(&instance("X"), State::Backup), &generic(record.clone()));
    queue.notify(&to(&instance("X"), State::Stop), &generic(record));
    // Both the old script and the one for STOP hang.
    let left = queue.drain(Duration::from_millis(1500)).await;
    assert_eq!(
        left,
        Drained {
            killed: 2,
            not_started: 0
        }
    );
    assert_eq!(lab.lines("ran").await, "BACKUP\nSTOP\n");
    until_dead(&pid).await;
}

#[tokio::test]
async fn dropping_the_queue_ends_its_scripts() {
    let lab = Lab::new();
    let hang = lab.script("hang.sh", "echo $$ > pid; exec sleep 1000");
    let mut queue = Queue::new(Limits::default());
    queue.notify(&to(&instance("X"), State::Master), &generic(hang));
    let pid = lab.lines("pid").await;
    drop(queue);
    until_dead(&pid).await;
}

#[tokio::test]
async fn a_forgotten_source_finishes_what_it_has() {
    let lab = Lab::new();
    let scripts = generic(lab.script("record.sh", "sleep 0.05; echo $3 >> ran"));
    let mut queue = Queue::new(Limits::default());
    queue.notify(&to(&instance("X"), State::Backup), &scripts);
    queue.notify(&to(&instance("X"), State::Deleted), &scripts);
    queue.forget(&instance("X"));
    let text = lab
        .read_until("ran", |text| text.lines().count() == 2)
        .await;
    assert_eq!(text, "BACKUP\nDELETED\n");
}
