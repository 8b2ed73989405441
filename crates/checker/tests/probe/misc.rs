//! `MISC_CHECK` with real programs.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rk_checker::probe::{Endpoint, ExitStatus, MiscProbe, Probe, attempt};
use rk_script::{Command, Credentials};

use crate::server::{LIMIT, nobody};
use crate::{assert_verdict, endpoint, report};

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A shell script that runs `body` in this directory.
    fn script(&self, body: &str, exit_status: ExitStatus) -> MiscProbe {
        let path = self.0.path().join("check.sh");
        let directory = self.0.path().display();
        // Made aside, so that no file is executed while it is being written.
        let new = self.0.path().join("new");
        fs::write(&new, format!("#!/bin/sh\ncd {directory}\n{body}\n")).unwrap();
        fs::set_permissions(&new, Permissions::from_mode(0o755)).unwrap();
        fs::rename(&new, &path).unwrap();
        MiscProbe {
            command: Command::new(path, Credentials::current()),
            timeout: LIMIT,
            exit_status,
        }
    }

    fn has(&self, file: &str) -> bool {
        self.0.path().join(file).exists()
    }
}

fn anyone() -> Endpoint {
    endpoint(nobody())
}

#[tokio::test]
async fn exit_statuses() {
    let bench = Bench::new();
    for (body, plain, dynamic) in [
        ("exit 0", "success", "weight None"),
        ("exit 1", "exited with status 1", "exited with status 1"),
        ("exit 2", "exited with status 2", "weight Some(0)"),
        ("exit 9", "exited with status 9", "weight Some(7)"),
        ("exit 255", "exited with status 255", "weight Some(253)"),
        ("kill -9 $$", "due to signal 9", "due to signal 9"),
    ] {
        let probe = Probe::Misc(bench.script(body, ExitStatus::Plain));
        assert_verdict(&report(&anyone(), &probe).await, plain);
        let probe = Probe::Misc(bench.script(body, ExitStatus::Dynamic));
        assert_verdict(&report(&anyone(), &probe).await, dynamic);
    }
}

#[tokio::test]
async fn out_of_time() {
    let bench = Bench::new();
    for body in [
        "touch up; sleep 60",
        // Too late is too late, whatever it says in the end.
        "trap 'exit 0' TERM; touch up; sleep 60 & wait",
    ] {
        let mut probe = bench.script(body, ExitStatus::Dynamic);
        probe.timeout = Duration::from_millis(500);
        let start = Instant::now();
        assert_verdict(&report(&anyone(), &Probe::Misc(probe)).await, "timed out");
        assert!(
            start.elapsed() < Duration::from_millis(2400),
            "TERM is enough"
        );
        assert!(bench.has("up"));
    }
    let mut deaf = bench.script("trap '' TERM; while :; do sleep 1; done", ExitStatus::Plain);
    deaf.timeout = Duration::from_millis(500);
    let start = Instant::now();
    assert_verdict(&report(&anyone(), &Probe::Misc(deaf)).await, "timed out");
    let took = start.elapsed();
    let limits = Duration::from_millis(2500)..Duration::from_secs(10);
    assert!(
        limits.contains(&took),
        "KILL comes 2 s after TERM: {took:?}"
    );
}

#[tokio::test]
async fn a_program_that_is_none() {
    let gone = Command::new("/nonexistent/check", Credentials::current());
    let probe = Probe::Misc(MiscProbe {
        command: gone,
        timeout: LIMIT,
        exit_status: ExitStatus::Plain,
    });
    let found = crate::verdict(&report(&anyone(), &probe).await);
    assert!(found.starts_with("not run: "), "{found}");
    assert!(found.contains("/nonexistent/check"), "{found}");
}

#[tokio::test]
async fn dropping_the_attempt_ends_the_program() {
    let bench = Bench::new();
    let body = "trap 'touch bye; exit' TERM; touch up; while :; do sleep 0.01; done";
    let probe = Probe::Misc(bench.script(body, ExitStatus::Plain));
    let endpoint = anyone();
    let until = |file: &'static str| {
        let bench = &bench;
        async move {
            let start = Instant::now();
            while !bench.has(file) {
                assert!(start.elapsed() < LIMIT, "no {file}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    tokio::select! {
        found = attempt(&endpoint, &probe, 0) => panic!("{found:?}"),
        () = until("up") => {}
    }
    until("bye").await;
}
