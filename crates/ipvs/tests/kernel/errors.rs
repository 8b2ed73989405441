//! What the kernel refuses, and what we make of it.

use std::process::Command as Program;

use rk_ipvs::{
    Command, Dest, Forward, Kernel, Reason, Service, SyncDaemon, SyncState, Table, TableError,
};

use crate::{apply, block_on, dest, ip, ipvsadm, name, open, run, service, sh, tcp};

/// The reasons of those that are refused, by their place.
#[track_caller]
fn reasons(table: &mut Kernel, commands: &[Command]) -> Vec<(usize, Reason)> {
    let refused = block_on(table.apply(commands)).unwrap();
    let reasons = refused.iter().map(|it| (it.index, it.error.reason));
    reasons.collect()
}

#[test]
fn a_refused_command_is_named_and_the_others_are_done() {
    rk_lab::in_guest(|| {
        let mut table = open();
        sh("ip link add sync0 type dummy; ip link set sync0 up; ip addr add 10.0.0.1/24 dev sync0");
        let one = tcp("10.0.0.1", 80);
        let two = tcp("10.0.0.2", 80);
        let real = dest("10.0.1.1", 80, Forward::Nat);
        let strange = service(tcp("10.0.0.3", 80), "nosuch");
        let with_engine = Service {
            engine: Some(name("nosuch")),
            ..service(tcp("10.0.0.4", 80), "rr")
        };
        let six = dest("2001:db8::1", 80, Forward::Nat);
        let heavy = Dest {
            weight: i32::MAX as u32 + 1,
            ..dest("10.0.1.2", 80, Forward::Nat)
        };
        let threshold = Dest {
            upper_threshold: 1,
            lower_threshold: 2,
            ..dest("10.0.1.3", 80, Forward::Nat)
        };
        let daemon = SyncDaemon::new(SyncState::Master, name("sync0"), 1);
        let nowhere = SyncDaemon::new(SyncState::Backup, name("nosuch0"), 1);
        let stop = Command::DelDaemon {
            state: SyncState::Master,
            sync_id: 0,
        };
        let commands = [
            Command::NewService(service(one, "rr")),                 // 0
            Command::NewService(service(one, "rr")),                 // 1: exists
            Command::NewService(strange),                            // 2: no scheduler
            Command::NewService(with_engine),                        // 3: no engine
            Command::NewDest(one, real),                             // 4
            Command::NewDest(one, real),                             // 5: exists
            Command::SetDest(one, dest("9.9.9.9", 1, Forward::Nat)), // 6: missing
            Command::DelDest(one, dest("9.9.9.9", 1, Forward::Nat).key), // 7: missing
            Command::NewDest(two, real),                             // 8: no service
            Command::SetService(service(two, "rr")),                 // 9: missing
            Command::DelService(two),                                // 10: missing
            Command::NewDest(one, six),                              // 11: mixed families
            Command::NewDest(one, heavy),                            // 12: range
            Command::NewDest(one, threshold),                        // 13: range
            stop,                                                    // 14: missing
            Command::NewDaemon(daemon),                              // 15
            Command::NewDaemon(daemon),                              // 16: exists
            Command::NewDaemon(nowhere),                             // 17: no interface
            stop,                                                    // 18
            Command::NewService(service(two, "rr")),                 // 19
        ];
        let scheduler = Reason::UnknownScheduler(name("nosuch"));
        let engine = Reason::UnknownSchedulerOrEngine {
            scheduler: name("rr"),
            engine: name("nosuch"),
        };
        let expected = [
            (1, Reason::Exists),
            (2, scheduler),
            (3, engine),
            (5, Reason::Exists),
            (6, Reason::Missing),
            (7, Reason::Missing),
            (8, Reason::Missing),
            (9, Reason::Missing),
            (10, Reason::Missing),
            (11, Reason::MixedFamilies),
            (12, Reason::OutOfRange),
            (13, Reason::OutOfRange),
            (14, Reason::Missing),
            (16, Reason::Exists),
            (17, Reason::NoInterface(name("nosuch0"))),
        ];
        assert_eq!(reasons(&mut table, &commands), expected);
        assert_eq!(
            ipvsadm(),
            [
                "-A -t 10.0.0.1:80 -s rr",
                "-A -t 10.0.0.2:80 -s rr",
                "-a -t 10.0.0.1:80 -r 10.0.1.1:80 -m -w 1",
            ]
        );

        let refused = block_on(table.apply(&commands[1..])).unwrap();
        let texts: Vec<String> = refused.iter().map(|it| it.error.to_string()).collect();
        assert_eq!(
            texts[1],
            "adding virtual server 10.0.0.3:tcp:80: the kernel has no scheduler `nosuch` (is \
             there a module ip_vs_nosuch?)"
        );
        assert!(
            texts.contains(
                &"adding real server 10.0.1.1:80 of virtual server 10.0.0.1:tcp:80: it exists \
                  already"
                    .to_owned()
            ),
            "{texts:#?}"
        );
    });
}

#[test]
fn refusals_of_a_large_batch_are_each_attributed() {
    rk_lab::in_guest(|| {
        let mut table = open();
        let one = tcp("10.0.0.1", 80);
        apply(&mut table, &[Command::NewService(service(one, "rr"))]);
        // Every third is known already; more than fit in one send.
        let real = |port| dest("10.0.1.1", port, Forward::Nat);
        let known: Vec<_> = (0..3000).step_by(3).map(real).collect();
        let known: Vec<_> = { known.iter() }
            .map(|dest| Command::NewDest(one, *dest))
            .collect();
        apply(&mut table, &known);
        let all: Vec<_> = (0..3000).map(|p| Command::NewDest(one, real(p))).collect();
        let expected: Vec<_> = (0..3000).step_by(3).map(|n| (n, Reason::Exists)).collect();
        assert_eq!(reasons(&mut table, &all), expected);
        assert_eq!(block_on(table.dests(&one)).unwrap().len(), 3000);
    });
}

#[test]
fn a_kernel_without_ipvs_says_so_and_what_to_load() {
    rk_lab::in_guest(|| {
        let modprobe = run("cat", &["/proc/sys/kernel/modprobe"]);
        sh("echo /bin/false > /proc/sys/kernel/modprobe");
        let error = Kernel::open().err().unwrap();
        assert!(matches!(error, TableError::NoIpvs), "{error:?}");
        assert!(error.to_string().contains("modprobe ip_vs"), "{error}");
        assert!(!error.retryable());
        sh(&format!(
            "echo {} > /proc/sys/kernel/modprobe",
            modprobe.trim()
        ));
        let mut table = open();
        assert_eq!(block_on(table.info()).unwrap().version, (1, 2, 1));

        // The module goes. The kernel loads it again when it is asked for the family, which then
        // has another number; what was in the table is lost, and that is said.
        let add = [Command::NewService(service(tcp("10.0.0.1", 80), "rr"))];
        apply(&mut table, &add);
        apply(&mut table, &[Command::Flush]);
        let reload = "rmmod ip_vs_rr; rmmod ip_vs";
        sh(reload);
        let error = block_on(table.services()).unwrap_err();
        assert!(matches!(error, TableError::AnswersLost), "{error:?}");
        assert!(block_on(table.services()).unwrap().is_empty());
        sh("rmmod ip_vs");
        let error = block_on(table.apply(&add)).unwrap_err();
        assert!(matches!(error, TableError::AnswersLost), "{error:?}");
        assert!(error.retryable());
        apply(&mut table, &add);
        assert_eq!(ipvsadm(), ["-A -t 10.0.0.1:80 -s rr"]);

        apply(&mut table, &[Command::Flush]);
        sh(reload);
        sh("echo /bin/false > /proc/sys/kernel/modprobe");
        let error = block_on(table.services()).unwrap_err();
        assert!(matches!(error, TableError::NoIpvs), "{error:?}");
        let error = block_on(table.apply(&add)).unwrap_err();
        assert!(matches!(error, TableError::NoIpvs), "{error:?}");
    });
}

/// Set for the half of the next test that has no rights.
const UNPRIVILEGED: &str = "RK_IPVS_UNPRIVILEGED";

#[test]
fn without_rights_the_table_is_neither_told_nor_changed() {
    if std::env::var_os(UNPRIVILEGED).is_some() {
        let mut table = Kernel::open().unwrap();
        let add = [Command::NewService(service(tcp("10.0.0.1", 80), "rr"))];
        let refused = block_on(table.apply(&add)).unwrap_err();
        assert!(matches!(refused, TableError::NotPermitted), "{refused:?}");
        let refused = block_on(table.read(|_| true)).unwrap_err();
        assert!(matches!(refused, TableError::NotPermitted), "{refused:?}");
        assert!(refused.to_string().contains("CAP_NET_ADMIN"), "{refused}");
        return;
    }
    rk_lab::in_guest(|| {
        open();
        let this = std::env::current_exe().unwrap();
        let this = this.to_str().unwrap();
        let test = "errors::without_rights_the_table_is_neither_told_nor_changed";
        for words in [
            "setpriv --reuid=65534 --clear-groups",
            // Root of a user namespace owns its network namespace, but generic netlink asks for
            // rights in the first one.
            "unshare --user --map-root-user --net",
        ] {
            let mut words = words.split(' ').chain([this, "--exact", test]);
            let output = Program::new(words.next().unwrap())
                .args(words)
                .env(UNPRIVILEGED, "1")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{said}");
            assert!(said.contains("1 passed"), "{said}");
        }
        assert!(ip("10.0.0.1").is_ipv4());
        assert_eq!(ipvsadm(), [""; 0]);
    });
}
