//! Each row of keepalived's option table, and each of its ways to refuse one.

use super::interpret::{Interpreted, Request, interpret};
use super::options::{Detail, Facility, Options, PidPaths, Wanted};
use super::table::OPTIONS;

/// What `keepalived LINE` (words apart by blanks) is understood as.
fn read(line: &str) -> Interpreted {
    let words = std::iter::once("keepalived").chain(line.split_whitespace());
    interpret(&words.map(str::to_owned).collect::<Vec<_>>())
}

/// The options of a line that must be accepted without a word.
#[track_caller]
fn options(line: &str) -> Options {
    let read = read(line);
    assert_eq!(
        (read.stderr.as_str(), read.stdout.as_str()),
        ("", ""),
        "`{line}` was commented on"
    );
    match read.request {
        Request::Run(options) => Options {
            argv: Vec::new(),
            ..*options
        },
        other => panic!("`{line}` is {other:?}"),
    }
}

/// `-t` implies these.
fn test_mode() -> Options {
    Options {
        foreground: true,
        dont_respawn: true,
        no_syslog: true,
        config_test: Some(None),
        ..Options::default()
    }
}

#[test]
fn every_option_does_what_the_table_says() {
    let base = Options::default;
    let wanted = Wanted::default();
    let pids = PidPaths::default;
    let some = |s: &str| Some(s.to_owned());
    let rows: Vec<(&str, &str, Options)> = vec![
        (
            "-f a",
            "--use-file=a",
            Options {
                config_file: some("a"),
                ..base()
            },
        ),
        (
            "-P",
            "--vrrp",
            Options {
                wanted: Wanted {
                    checker: false,
                    ..wanted
                },
                ..base()
            },
        ),
        (
            "-C",
            "--check",
            Options {
                wanted: Wanted {
                    vrrp: false,
                    ..wanted
                },
                ..base()
            },
        ),
        (
            "-B",
            "--no_bfd",
            Options {
                wanted: Wanted {
                    bfd: false,
                    ..wanted
                },
                ..base()
            },
        ),
        (
            "--all",
            "-PCB --all",
            Options {
                wanted: Wanted {
                    even_unconfigured: true,
                    ..wanted
                },
                ..base()
            },
        ),
        (
            "-l",
            "--log-console",
            Options {
                log_console: true,
                ..base()
            },
        ),
        (
            "-D",
            "--log-detail",
            Options {
                detail: Detail::Detailed,
                ..base()
            },
        ),
        (
            "-DD",
            "-D --log-detail -D",
            Options {
                detail: Detail::Extra,
                ..base()
            },
        ),
        (
            "-S 3",
            "--log-facility=local3",
            Options {
                facility: Facility(19),
                ..base()
            },
        ),
        (
            "-S user",
            "-Suser",
            Options {
                facility: Facility::USER,
                ..base()
            },
        ),
        ("-S daemon", "-S0 -Sdaemon", base()),
        (
            "-g",
            "--log-file",
            Options {
                log_file: Some(None),
                ..base()
            },
        ),
        (
            "-g/x",
            "--log-file=/x",
            Options {
                log_file: Some(Some("/x".into())),
                ..base()
            },
        ),
        ("--flush-log-file", "--flush", base()),
        (
            "-G",
            "--no-syslog",
            Options {
                no_syslog: true,
                ..base()
            },
        ),
        (
            "-u 022",
            "--umask=0x12",
            Options {
                umask: Some(0o22),
                ..base()
            },
        ),
        (
            "-X",
            "--release-vips",
            Options {
                release_vips: true,
                ..base()
            },
        ),
        (
            "-V",
            "--dont-release-vrrp",
            Options {
                dont_release_vrrp: true,
                ..base()
            },
        ),
        (
            "-I",
            "--dont-release-ipvs",
            Options {
                dont_release_ipvs: true,
                ..base()
            },
        ),
        (
            "-R",
            "--dont-respawn",
            Options {
                dont_respawn: true,
                ..base()
            },
        ),
        (
            "-n",
            "--dont-fork",
            Options {
                foreground: true,
                ..base()
            },
        ),
        (
            "-d",
            "--dump-conf",
            Options {
                dump_conf: true,
                ..base()
            },
        ),
        (
            "-p a",
            "--pid=a",
            Options {
                pid_paths: PidPaths {
                    parent: Some("a".into()),
                    ..pids()
                },
                ..base()
            },
        ),
        (
            "-r a",
            "--vrrp_pid=a",
            Options {
                pid_paths: PidPaths {
                    vrrp: Some("a".into()),
                    ..pids()
                },
                ..base()
            },
        ),
        (
            "-c a",
            "--checkers_pid=a",
            Options {
                pid_paths: PidPaths {
                    checker: Some("a".into()),
                    ..pids()
                },
                ..base()
            },
        ),
        (
            "-b a",
            "--bfd_pid=a",
            Options {
                pid_paths: PidPaths {
                    bfd: Some("a".into()),
                    ..pids()
                },
                ..base()
            },
        ),
        (
            "-a",
            "--address-monitoring",
            Options {
                address_monitoring: true,
                ..base()
            },
        ),
        (
            "-x",
            "--snmp",
            Options {
                snmp: true,
                ..base()
            },
        ),
        (
            "-A s",
            "--snmp-agent-socket=s",
            Options {
                snmp_agent_socket: some("s"),
                ..base()
            },
        ),
        (
            "-m",
            "--core-dump",
            Options {
                core_dump: true,
                ..base()
            },
        ),
        (
            "-M",
            "--core-dump-pattern",
            Options {
                core_dump_pattern: some("core"),
                ..base()
            },
        ),
        (
            "-Mc.%p",
            "--core-dump-pattern=c.%p",
            Options {
                core_dump_pattern: some("c.%p"),
                ..base()
            },
        ),
        (
            "-s n",
            "--namespace=n",
            Options {
                namespace: some("n"),
                ..base()
            },
        ),
        (
            "-e",
            "--all-config",
            Options {
                all_config: true,
                ..base()
            },
        ),
        (
            "-i x",
            "--config-id=x",
            Options {
                config_id: some("x"),
                ..base()
            },
        ),
        ("-t", "--config-test=", test_mode()),
        (
            "-tL",
            "--config-test=L",
            Options {
                config_test: Some(Some("L".into())),
                ..test_mode()
            },
        ),
        (
            "-t=L",
            "-n -t=L",
            Options {
                config_test: Some(Some("=L".into())),
                ..test_mode()
            },
        ),
        ("--config-fd 5", "--config-fd=5", base()),
        (
            "--ignore-sigint",
            "--ignore",
            Options {
                ignore_sigint: true,
                ..base()
            },
        ),
    ];
    for (one, other, want) in rows {
        assert_eq!(options(one), want, "{one}");
        assert_eq!(options(other), want, "{other}");
    }
}

#[test]
fn letters_bundle_and_repeat() {
    let want = Options {
        foreground: true,
        log_console: true,
        detail: Detail::Detailed,
        config_file: Some("x".into()),
        ..Options::default()
    };
    assert_eq!(options("-nlDfx"), want);
    assert_eq!(options("-n -n -l -D -f y -f x"), want);
    assert_eq!(options("--us=x -lnD"), want);
}

#[test]
fn a_value_may_look_like_an_option() {
    assert_eq!(options("-f -n").config_file.as_deref(), Some("-n"));
    assert_eq!(
        options("--pid --vrrp").pid_paths.parent,
        Some("--vrrp".into())
    );
}

#[test]
fn what_is_not_understood_is_named_and_refused() {
    for (line, said) in [
        ("-Z", "Unknown option -Z\n"),
        (
            "-Z -Y --foo --bar=3",
            "Unknown option -Z\nUnknown option -Y\nUnknown option --foo\nUnknown option --bar=3\n",
        ),
        ("--log", "Unknown option --log\n"),
        ("--vrr", "Unknown option --vrr\n"),
        ("--dont-fork=3", "Unknown option --dont-fork=3\n"),
        ("-p", "Missing parameter for option -p\n"),
        ("--pid", "Missing parameter for option --pid\n"),
        ("--pid=", "Missing parameter for option --pid\n"),
        ("-n -f", "Missing parameter for option -f\n"),
        ("--signum", "Missing parameter for option --signum\n"),
        ("--debug", "Unknown option --debug\n"),
    ] {
        let read = read(line);
        assert_eq!(read.stderr, said, "{line}");
        assert_eq!(read.request, Request::Exit(1), "{line}");
    }
}

#[test]
fn stray_words_are_mentioned_and_the_run_goes_on() {
    for (line, said) in [
        ("-t stray -f a", "Unexpected argument(s): stray \n"),
        ("stray words", "Unexpected argument(s): stray words \n"),
        ("-n -- -Z foo", "Unexpected argument(s): -Z foo \n"),
        ("-", "Unexpected argument(s): - \n"),
    ] {
        let read = read(line);
        assert_eq!(read.stdout, said, "{line}");
        assert!(matches!(read.request, Request::Run(_)), "{line}");
    }
}

#[test]
fn bad_values_are_left_out() {
    let read_bad = |line: &str| {
        let read = read(line);
        let Request::Run(options) = read.request else {
            panic!("`{line}` was refused")
        };
        (read.stderr, options)
    };
    for text in ["9", "foo", "local8", "local"] {
        let (said, options) = read_bad(&format!("-S {text}"));
        assert_eq!(said, format!("Invalid log facility '{text}'\n"));
        assert_eq!(options.facility, Facility::DAEMON);
        assert!(options.complaints);
    }
    for text in ["01777", "abc", "512", "08", "-1"] {
        let (said, options) = read_bad(&format!("-u{text}"));
        assert_eq!(said, format!("Invalid --umask option {text}\n"));
        assert_eq!(options.umask, None);
        assert!(!options.complaints);
    }
}

#[test]
fn files_are_found_again_from_elsewhere() {
    let mut options = options("-p a.pid -r /run/b.pid -gc.log");
    options.anchor_paths(std::path::Path::new("/here"));
    assert_eq!(options.pid_paths.parent, Some("/here/a.pid".into()));
    assert_eq!(options.pid_paths.vrrp, Some("/run/b.pid".into()));
    assert_eq!(options.log_file, Some(Some("/here/c.log".into())));
    assert_eq!(options.pid_paths.bfd, None);
}

#[test]
fn signal_numbers_are_those_that_scripts_know() {
    for (name, number) in [
        ("STOP", 15),
        ("RELOAD", 1),
        ("DATA", 10),
        ("STATS", 12),
        ("STATS_CLEAR", 63),
        ("JSON", 36),
    ] {
        let read = read(&format!("--signum={name} --signum=STOP"));
        assert_eq!(
            (read.stdout, read.request),
            (format!("{number}\n"), Request::Exit(0))
        );
    }
    for name in ["json", "TDUMP", "FOO"] {
        let read = read(&format!("--signum {name}"));
        assert_eq!(read.stderr, format!("Unknown sigfunc {name}\n"));
        assert_eq!(read.request, Request::Exit(1));
    }
}

#[test]
fn help_and_version_win_where_they_stand() {
    assert_eq!(read("-h -Z").request, Request::Help);
    assert_eq!(read("stray -v").request, Request::Version);
    let late = read("-Z -v");
    assert_eq!(
        (late.stderr.as_str(), late.request),
        ("Unknown option -Z\n", Request::Version)
    );
}

#[test]
fn genhash_should_come_first() {
    let read_one = read("-T -s x");
    assert_eq!(
        (read_one.stderr.as_str(), read_one.request),
        ("", Request::Genhash(vec!["-s".into(), "x".into()]))
    );
    let late = read("-D -T");
    assert!(late.stderr.contains("previous options ignored"));
    assert_eq!(late.request, Request::Genhash(vec![]));
    // The letters behind it are for genhash, too.
    assert_eq!(
        read("-Tvs x -p 1").request,
        Request::Genhash(["-vs", "x", "-p", "1"].map(str::to_owned).to_vec())
    );
    assert_eq!(
        interpret(&["/usr/bin/genhash".to_owned(), "-S".to_owned()]).request,
        Request::Genhash(vec!["-S".into()])
    );
}

#[test]
fn the_help_shows_every_option_of_users() {
    let help = super::help();
    for opt in OPTIONS {
        let shown = help.contains(&format!("--{}", opt.long));
        assert_eq!(
            shown,
            opt.audience == super::table::Audience::Users,
            "--{}",
            opt.long
        );
    }
}

#[test]
fn documents_are_generated_from_the_table() {
    for what in ["man", "man5", "bash", "zsh", "fish"] {
        let text = String::from_utf8(super::generate(what).unwrap()).unwrap();
        assert!(text.contains("config"), "{what}");
    }
    assert!(super::generate("tcsh").is_none());
}

#[test]
fn the_version_has_the_shape_that_probes_expect() {
    let build = crate::Build {
        version: "0.1.0",
        compatible_with: "2.4.3",
        date: "11/21,2026",
        revision: Some("abc"),
        kernel_headers: "6.1.0",
    };
    let text = super::version(&build);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "Keepalived v2.4.3 (11/21,2026), git commit abc");
    assert_eq!((lines[1], lines[3]), ("", ""));
    assert_eq!(lines[4], "Built with kernel headers for Linux 6.1.0");
    assert!(lines[5].starts_with("Running on Linux "));
    let (_, options) = text.split_once("\nConfig options:  ").unwrap();
    let options: Vec<_> = options.lines().next().unwrap().split(' ').collect();
    for there in ["LVS", "REGEX", "NFTABLES", "VRRP", "SYSTEMD_NOTIFY"] {
        assert!(options.contains(&there), "{there} in {options:?}");
    }
}

#[test]
fn our_own_options_take_no_abbreviation_from_keepalived() {
    let read_as = |line: &str| options(&format!("-t {line}"));
    assert_eq!(read_as("--format=json").format, rk_report::Format::Json);
    assert_eq!(read_as("--format sarif").format, rk_report::Format::Sarif);
    assert!(read_as("--strict").strict);
    // `--f` is short for --flush-log-file there, and `--g` for --genhash.
    assert_eq!(options("--f"), Options::default());
    assert_eq!(read("--g").request, Request::Genhash(vec![]));
    assert_eq!(read("--stri").request, Request::Exit(1));
    let refused = read("-t --format=xml");
    assert_eq!(refused.request, Request::Exit(1));
    assert!(refused.stderr.contains("text, plain, json or sarif"));
}
