//! One run: how it ends, why it does not start, and that nothing of it is left.

use std::time::Duration;

use rk_script::{Command, Credentials, Outcome, SpawnError, spawn};

use crate::lab::{Lab, until_dead};

async fn outcome(command: &Command) -> Outcome {
    spawn(command).await.unwrap().wait().await
}

#[tokio::test]
async fn exit_status_and_signal() {
    let lab = Lab::new();
    assert_eq!(
        outcome(&lab.script("ok.sh", "exit 0")).await,
        Outcome::Exited(0)
    );
    assert_eq!(
        outcome(&lab.script("nine.sh", "exit 9")).await,
        Outcome::Exited(9)
    );
    assert_eq!(
        outcome(&lab.script("term.sh", "kill -15 $$")).await,
        Outcome::Signalled(15)
    );
    assert!(Outcome::Exited(0).is_success());
    assert!(!Outcome::Exited(1).is_success());
}

#[tokio::test]
async fn a_flood_of_output_goes_nowhere() {
    let lab = Lab::new();
    let command = lab.script(
        "flood.sh",
        "head -c 20000000 /dev/zero; head -c 20000000 /dev/zero >&2",
    );
    assert_eq!(outcome(&command).await, Outcome::Exited(0));
}

#[tokio::test]
async fn text_without_interpreter_line_runs_through_the_shell() {
    let lab = Lab::new();
    let out = lab.path("out");
    let command = lab.file("plain", format!("echo \"$0 $*\" > {}\n", out.display()));
    assert_eq!(
        outcome(&command.clone().args(["a", "b"])).await,
        Outcome::Exited(0)
    );
    assert_eq!(
        lab.lines("out").await,
        format!("{} a b\n", command.path.display())
    );
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let lab = Lab::new();
    let gone = lab.path("gone");
    let absent = Command::new(&gone, Credentials::current());
    assert_eq!(
        spawn(&absent).await.unwrap_err(),
        SpawnError::NotFound(gone)
    );

    let orphan = lab.file("orphan", "#!/nonexistent/interpreter\n");
    let path = orphan.path.clone();
    assert_eq!(
        spawn(&orphan).await.unwrap_err(),
        SpawnError::NoInterpreter(path)
    );

    let garbage = lab.file("garbage", b"\x01\x02\x00\xff");
    let path = garbage.path.clone();
    assert_eq!(
        spawn(&garbage).await.unwrap_err(),
        SpawnError::BadFormat(path)
    );

    let directory = Command::new(lab.path("."), Credentials::current());
    let error = spawn(&directory).await.unwrap_err();
    assert!(
        matches!(error, SpawnError::NotExecutable { .. }),
        "{error:?}"
    );

    let nul = lab.script("nul.sh", "").args(["a\0b"]);
    let error = spawn(&nul).await.unwrap_err();
    assert!(matches!(error, SpawnError::NulByte(_)), "{error:?}");
}

#[tokio::test]
async fn a_file_being_written_is_tried_again_and_then_named() {
    let lab = Lab::new();
    let command = lab.script("edited.sh", "exit 0");
    let editor = std::fs::OpenOptions::new()
        .append(true)
        .open(&command.path)
        .unwrap();
    match spawn(&command).await {
        Err(error) => assert_eq!(error, SpawnError::BeingWritten(command.path.clone())),
        // Some kernels allow it.
        Ok(mut running) => assert_eq!(running.wait().await, Outcome::Exited(0)),
    }
    drop(editor);
    assert_eq!(outcome(&command).await, Outcome::Exited(0));
}

/// Forks a child that ignores TERM, and waits for it.
const FORKS: &str = "(trap '' TERM; echo started > child.new; sh -c 'echo $PPID' > child.new; \
                     mv child.new child; while :; do sleep 1; done) & wait";

#[tokio::test]
async fn termination_ends_the_whole_group() {
    let lab = Lab::new();
    let mut running = spawn(&lab.script("forks.sh", FORKS)).await.unwrap();
    let child = lab.lines("child").await;
    assert_eq!(
        running.terminate(Duration::from_secs(20)).await,
        Outcome::Signalled(15)
    );
    until_dead(&child).await;
}

#[tokio::test]
async fn what_ignores_term_is_killed_after_the_grace() {
    let lab = Lab::new();
    let body = "trap '' TERM; echo ready > ready; while :; do sleep 1; done";
    let mut running = spawn(&lab.script("deaf.sh", body)).await.unwrap();
    lab.lines("ready").await;
    assert_eq!(
        running.terminate(Duration::from_millis(50)).await,
        Outcome::Signalled(9)
    );
}

#[tokio::test]
async fn dropping_asks_before_it_kills() {
    let lab = Lab::new();
    let body = "trap 'echo bye > bye; exit' TERM; echo up > up; while :; do sleep 0.01; done";
    let running = spawn(&lab.script("polite.sh", body)).await.unwrap();
    lab.lines("up").await;
    drop(running);
    assert_eq!(lab.lines("bye").await, "bye\n");
}

#[test]
fn nothing_survives_the_runtime() {
    let lab = Lab::new();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let (running, child) = first.block_on(async {
        let running = spawn(&lab.script("forks.sh", FORKS)).await.unwrap();
        (running, lab.lines("child").await)
    });
    let dropper = first.spawn(async move {
        let _running = running;
        std::future::pending::<()>().await;
    });
    drop((dropper, first));
    runtime().block_on(until_dead(&child));
}

#[tokio::test]
async fn dropping_kills_the_whole_group() {
    let lab = Lab::new();
    let running = spawn(&lab.script("forks.sh", FORKS)).await.unwrap();
    let child = lab.lines("child").await;
    let leader = running.pid().to_string();
    drop(running);
    until_dead(&child).await;
    until_dead(&leader).await;
}

#[tokio::test]
async fn what_a_script_leaves_behind_on_purpose_lives_on() {
    let lab = Lab::new();
    let body = "(sh -c 'echo $PPID' > child.new; mv child.new child; \
                while [ ! -e end ]; do sleep 0.01; done; echo lived > lived) &";
    let mut running = spawn(&lab.script("starts.sh", body)).await.unwrap();
    assert_eq!(running.wait().await, Outcome::Exited(0));
    drop(running);
    lab.lines("child").await;
    std::fs::write(lab.path("end"), "").unwrap();
    assert_eq!(lab.lines("lived").await, "lived\n");
}
