//! What a script finds around itself.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rk_script::{Command, Credentials, Outcome, Umask, spawn};

use crate::lab::{Lab, until_dead};

/// Tells a test that it is the inner process of itself.
const INNER: &str = "RK_TEST_INNER";

/// Runs the test called `name` again, as a process of its own with these variables.
fn run_again(name: &str, variables: &[(&str, &str)]) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INNER, "1")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.contains("1 passed"),
        "the inner test did not run:\n{said}"
    );
}

fn is_inner() -> bool {
    std::env::var_os(INNER).is_some()
}

/// `/proc/PID/status` as a map.
fn status(text: &str) -> HashMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(k, v)| (k, v.trim()))
        .collect()
}

/// A command that writes its own status to the file `status`. Not a shell script: a shell blocks
/// signals while it starts something.
fn own_status(lab: &Lab) -> Command {
    let words = [
        "/bin/cp".into(),
        "/proc/self/status".into(),
        lab.path("status"),
    ];
    Command::from_words(words, Credentials::current()).unwrap()
}

#[tokio::test]
async fn process_group_streams_mask_signals_and_descriptors() {
    let lab = Lab::new();
    // A descriptor that would be inherited, unlike those that the standard library opens.
    let leak = nix::unistd::dup(std::io::stderr()).unwrap();
    let body = "cut -d' ' -f1,5,41 /proc/$$/stat > stat\n\
                streams=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)\n\
                echo \"$streams\" > streams\n\
                ls /proc/$$/fd > fds\n\
                nice > nice\n\
                : > made";
    let command = lab.file(
        "look.sh",
        format!("#!/bin/sh\ncd {}\n{body}\n", lab.path("").display()),
    );
    let mut running = spawn(&command).await.unwrap();
    let pid = running.pid().to_string();
    assert_eq!(running.wait().await, Outcome::Exited(0));
    drop(leak);

    let stat = lab.lines("stat").await;
    assert_eq!(
        stat,
        format!("{pid} {pid} 0\n"),
        "pid, process group, policy"
    );
    assert_eq!(lab.lines("nice").await, "0\n");
    assert_eq!(
        lab.lines("streams").await,
        "/dev/null\n/dev/null\n/dev/null\n"
    );
    // The shell itself opens its script, and keeps it above 9.
    let fds = lab.lines("fds").await;
    let inherited: Vec<_> = fds.lines().filter(|fd| fd.len() == 1).collect();
    assert_eq!(inherited, ["0", "1", "2"]);
    assert_eq!(
        spawn(&own_status(&lab)).await.unwrap().wait().await,
        Outcome::Exited(0)
    );
    let text = lab.lines("status").await;
    let status = status(&text);
    assert_eq!(status["Umask"], "0177");
    assert_eq!(status["SigBlk"], "0000000000000000");
    assert_eq!(status["SigIgn"], "0000000000000000");
    let mode = std::fs::metadata(lab.path("made"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn arguments_mask_and_directory() {
    let lab = Lab::new();
    let out = lab.path("out");
    let body = format!(
        "#!/bin/sh\n(umask; pwd; for a; do echo \"[$a]\"; done) > {}\n",
        out.display()
    );
    let mut command = lab
        .file("args.sh", body)
        .args(["a b", "", "it's", "*", "$HOME"]);
    command.umask = Umask(0o022);
    assert_eq!(
        spawn(&command).await.unwrap().wait().await,
        Outcome::Exited(0)
    );
    let here = std::env::current_dir().unwrap();
    assert_eq!(
        lab.lines("out").await,
        format!(
            "0022\n{}\n[a b]\n[]\n[it's]\n[*]\n[$HOME]\n",
            here.display()
        )
    );
}

#[tokio::test]
async fn the_daemons_environment_but_for_three_variables() {
    if !is_inner() {
        return run_again(
            "environment::the_daemons_environment_but_for_three_variables",
            &[
                ("IFS", "x"),
                ("LD_PRELOAD", ""),
                ("LD_LIBRARY_PATH", "/nonexistent"),
                ("KEPT", "a b"),
            ],
        );
    }
    let lab = Lab::new();
    let command = lab.script("env.sh", "tr '\\0' '\\n' < /proc/$$/environ > env");
    assert_eq!(
        spawn(&command).await.unwrap().wait().await,
        Outcome::Exited(0)
    );
    let text = lab.lines("env").await;
    let found: HashMap<_, _> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    for withheld in ["IFS", "LD_PRELOAD", "LD_LIBRARY_PATH"] {
        assert!(
            std::env::var_os(withheld).is_some(),
            "the test did not set {withheld}"
        );
        assert!(
            !found.contains_key(withheld),
            "{withheld} reached the script"
        );
    }
    assert_eq!(found["KEPT"], "a b");
    assert_eq!(found["PATH"], std::env::var("PATH").unwrap());
}

#[tokio::test]
async fn another_user_and_no_supplementary_groups() {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap();
    let mapped: u64 = map.split_whitespace().last().unwrap().parse().unwrap();
    if !nix::unistd::geteuid().is_root() || mapped < 65_536 {
        eprintln!("skipped: needs root over more than one user");
        return;
    }
    let lab = Lab::new();
    let mut command = own_status(&lab);
    command.user = Credentials {
        uid: 65534,
        gid: 65533,
        groups: vec![],
    };
    assert_eq!(
        spawn(&command).await.unwrap().wait().await,
        Outcome::Exited(0)
    );
    let text = lab.lines("status").await;
    let found = status(&text);
    assert_eq!(found["Uid"], "65534\t65534\t65534\t65534");
    assert_eq!(found["Gid"], "65533\t65533\t65533\t65533");
    assert_eq!(found["Groups"], "");
    assert_eq!(found["CapEff"], "0000000000000000");

    std::fs::remove_file(lab.path("status")).unwrap();
    command.user.groups = vec![65533, 4];
    assert_eq!(
        spawn(&command).await.unwrap().wait().await,
        Outcome::Exited(0)
    );
    let text = lab.lines("status").await;
    assert_eq!(status(&text)["Groups"], "4 65533");
}

#[tokio::test]
async fn scripts_die_with_the_daemon() {
    if is_inner() {
        let lab = std::env::var("LAB").unwrap();
        let command = Command::new(format!("{lab}/stay.sh"), Credentials::current());
        let running = spawn(&command).await.unwrap();
        let pid = std::path::Path::new(&lab).join("pid");
        crate::lab::until("the script to run", || pid.exists().then_some(())).await;
        // As `kill -9` of the daemon would leave it: nobody cleans up.
        std::mem::forget(running);
        return;
    }
    let lab = Lab::new();
    lab.script(
        "stay.sh",
        "echo $$ > pid.new; mv pid.new pid; exec sleep 1000",
    );
    let directory = lab.path("");
    run_again(
        "environment::scripts_die_with_the_daemon",
        &[("LAB", directory.to_str().unwrap().trim_end_matches('/'))],
    );
    until_dead(&lab.lines("pid").await).await;
}
