//! The guest itself: that it boots, says what happened in it, ends, and is a whole machine.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on says so and ends"
)]

use std::time::Duration;

use rk_lab::{Guest, GuestOutput, Kind, Lab, Verdict, in_guest, inside};

/// The output of a script, or `None` where no guest can run and nobody insists.
fn script(guest: &Guest, script: &str) -> Option<GuestOutput> {
    match guest.script(script) {
        Ok(output) => Some(output),
        Err(error) if std::env::var_os("RKEEPALIVED_TEST_LAB").is_none() => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_script_gives_its_output_and_its_status() {
    let guest = Guest::new().env("GIVEN", "it's \"so\"");
    let all = "echo one; echo \"$GIVEN\" >&2; test ! -t 1 || echo a terminal; exit 7";
    let Some(output) = script(&guest, all) else {
        return;
    };
    assert_eq!(output.verdict, Verdict::Exit(7), "{output}");
    assert_eq!(output.stdout, "one\nit's \"so\"\n");
}

#[test]
fn much_output_arrives_whole() {
    let Some(output) = script(&Guest::new(), "seq 1 200000") else {
        return;
    };
    let wanted: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    assert!(output.stdout == wanted, "{} bytes", output.stdout.len());
}

#[test]
fn the_machine_may_be_written_to_and_is_left_as_it_was() {
    let all = "set -e
        for place in /etc /root /tmp /run /var/lib /dev/shm /usr/sbin; do
            echo x > $place/rk-guest-was-here
        done
        echo 1 > /proc/sys/net/ipv4/ip_forward
        echo 0 > /proc/sys/net/ipv6/conf/all/accept_ra
        ping -c1 -W1 127.0.0.1
        head -c 32 /dev/random | wc -c
        test -e /dev/pts/ptmx
        : < /dev/fd/0";
    let Some(output) = script(&Guest::new(), all) else {
        return;
    };
    let _ = output.expect_passed();
    for place in ["/etc", "/root", "/tmp", "/run", "/dev/shm", "/usr/sbin"] {
        let left = std::path::Path::new(place).join("rk-guest-was-here");
        assert!(!left.exists(), "{}", left.display());
    }
}

#[test]
fn the_kernel_knows_ipvs_by_its_netlink_family() {
    let guest = Guest::new().modules(&["ip_vs", "ip_vs_wrr"]);
    let Some(output) = script(&guest, "genl ctrl get name IPVS && ipvsadm -Sn") else {
        return;
    };
    assert!(output.expect_passed().contains("Name: IPVS"));
    // And without a word about modules: whoever asks for it gets it.
    let asks = "ipvsadm -A -t 192.0.2.1:80 -s wlc && ipvsadm -Sn";
    let output = script(&Guest::new(), asks).unwrap();
    assert_eq!(output.expect_passed(), "-A -t 192.0.2.1:80 -s wlc\n");
}

#[test]
fn a_module_that_is_not_there_is_told_and_nothing_runs() {
    let Some(output) = script(&Guest::new().modules(&["ip_vs_nonsense"]), "echo ran") else {
        return;
    };
    assert_eq!(output.verdict, Verdict::Lost, "{output}");
    assert_eq!(output.stdout, "");
    assert!(
        output.kernel.contains("ip_vs_nonsense not found"),
        "{output}"
    );
}

#[test]
fn a_panic_of_the_kernel_is_a_verdict() {
    let Some(output) = script(&Guest::new(), "echo before; echo c > /proc/sysrq-trigger") else {
        return;
    };
    assert_eq!(output.verdict, Verdict::Kernel, "{output}");
    assert_eq!(output.stdout, "before\n");
    assert!(output.took < Duration::from_secs(60), "{output}");
}

/// Where the guest of [`ENDLESS`] leaves a file when its scenario runs.
const MEET: &str = "RK_LAB_TEST_MEET";
/// The test below, which another one starts to kill it.
const ENDLESS: &str = "the_time_limit_ends_a_guest_with_everything_in_it";

#[test]
fn the_time_limit_ends_a_guest_with_everything_in_it() {
    let temporary = tempfile::tempdir().unwrap();
    let meet = std::env::var_os(MEET).map_or(temporary.path().to_owned(), Into::into);
    let guest = Guest::new().deadline(Duration::from_secs(6)).memory(233);
    let all = format!(
        "echo started; : > {}/started; setsid sleep 3600 & sleep 3600",
        meet.display()
    );
    let Some(output) = script(&guest.share(&meet), &all) else {
        return;
    };
    assert_eq!(output.verdict, Verdict::Deadline, "{output}");
    assert!(output.stdout.contains("started"), "{output}");
    assert_eq!(guests_of(std::process::id(), "mem=233M"), 0);
}

#[test]
fn a_killed_test_takes_its_guest_with_it() {
    if Guest::available().is_err() {
        return;
    }
    let meet = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", ENDLESS])
        .env(MEET, meet.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    rk_lab::eventually(Duration::from_secs(60), "a scenario that runs", || {
        meet.path().join("started").exists().then_some(())
    });
    assert!(guests_of(child.id(), "mem=233M") > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    rk_lab::eventually(Duration::from_secs(5), "the end of its guest", || {
        (guests_of(child.id(), "mem=233M") == 0).then_some(())
    });
}

/// How many processes belong to guests of a test process, with that on their command line.
fn guests_of(test: u32, argument: &str) -> usize {
    let mut found = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let ours = format!("RK_LAB_GUEST_OF={test}");
        let all = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let variable = all(&environment).split('\0').any(|one| one == ours);
        found += usize::from(variable && all(&command).contains(argument));
    }
    found
}

#[test]
fn two_guests_run_beside_each_other() {
    // Each waits for the other's file, so neither could end alone.
    let directory = tempfile::tempdir().unwrap();
    let run = |me: &str, other: &str| {
        let meet = format!(
            "cd {0} && : > {me} && n=0
             until [ -e {other} ]; do n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done
             : > {me}-met",
            directory.path().display()
        );
        script(&Guest::new().share(directory.path()), &meet)
    };
    std::thread::scope(|scope| {
        let one = scope.spawn(|| run("one", "two"));
        let two = scope.spawn(|| run("two", "one"));
        for output in [one.join().unwrap(), two.join().unwrap()]
            .into_iter()
            .flatten()
        {
            let _ = output.expect_passed();
        }
    });
    let met = ["one-met", "two-met"].map(|file| directory.path().join(file).exists());
    assert!(met == [true, true] || Guest::available().is_err());
}

#[test]
fn nodes_cables_and_captures_work_inside() {
    in_guest(|| {
        let lab = Lab::new("guest").unwrap();
        lab.bridge("lan");
        let (one, two) = (lab.node("one"), lab.node("two"));
        lab.link("lan", &one, "eth0", &["192.0.2.1/24", "2001:db8::1/64"]);
        lab.link("lan", &two, "eth0", &["192.0.2.2/24", "2001:db8::2/64"]);
        let mut capture = two.capture("eth0");
        one.sh("ping -c1 -W2 192.0.2.2 && ping -c1 -W2 2001:db8::2");
        capture.next("an ARP request", Duration::from_secs(5), |frame| {
            matches!(frame.kind, Kind::Arp(_))
        });
        // Every namespace has an IPVS of its own.
        one.sh("ipvsadm -A -t 192.0.2.1:80 -s rr");
        assert_eq!(one.sh("ipvsadm -Sn"), "-A -t 192.0.2.1:80 -s rr\n");
        assert_eq!(two.sh("ipvsadm -Sn"), "");
    });
}

#[test]
fn time_passes_in_a_guest_as_it_does_outside() {
    in_guest(|| {
        let (start, wall) = (std::time::Instant::now(), std::time::SystemTime::now());
        rk_lab::pause(Duration::from_millis(1500));
        for elapsed in [start.elapsed(), wall.elapsed().unwrap()] {
            assert!(elapsed >= Duration::from_millis(1490), "{elapsed:?}");
            assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
        }
    });
}

#[test]
fn what_fails_inside_fails_outside_with_its_output() {
    let result = std::panic::catch_unwind(|| {
        in_guest(|| {
            println!("the table has 3 services");
            panic!("but there should be 4");
        });
    });
    if inside() || Guest::available().is_err() {
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
        return;
    }
    let panic = result.expect_err("the scenario failed");
    let said = panic.downcast_ref::<String>().unwrap();
    assert!(said.contains("the table has 3 services"), "{said}");
    assert!(said.contains("but there should be 4"), "{said}");
}

#[test]
fn the_other_kernel_looks_the_same_from_inside() {
    let directory = tempfile::tempdir().unwrap();
    let all = format!(
        "set -e
         nft add table ip x && nft list tables
         ipvsadm -A -t 192.0.2.1:80 -s wlc && ipvsadm -Sn
         echo x > /usr/sbin/rk-guest-was-here
         echo \"$GIVEN\" > {}/kept
         echo problem >&2
         exit 7",
        directory.path().display()
    );
    let guest = Guest::debian()
        .env("GIVEN", "it's \"so\"")
        .share(directory.path());
    let output = match guest.script(&all) {
        Ok(output) => output,
        Err(error) => {
            assert!(
                std::env::var_os("RKEEPALIVED_TEST_LAB").is_none(),
                "{error}"
            );
            eprintln!("skipped: {error}");
            return;
        }
    };
    assert_eq!(output.verdict, Verdict::Exit(7), "{output}");
    let wanted = "table ip x\n-A -t 192.0.2.1:80 -s wlc\nproblem\n";
    assert_eq!(output.stdout, wanted);
    let kept = std::fs::read_to_string(directory.path().join("kept")).unwrap();
    assert_eq!(kept, "it's \"so\"\n");
    assert!(!std::path::Path::new("/usr/sbin/rk-guest-was-here").exists());
}
