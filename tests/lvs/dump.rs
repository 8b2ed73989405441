//! `keepalived_check.data` beside keepalived's.

use rk_lab::{Guest, Node, Rivals, Which};

use crate::bed::SOON;

const FILE: &str = "/tmp/keepalived_check.data";

/// Everything that a dump shows, and nothing that would still change: the first checks come at
/// once and once, the others in an hour.
const CONFIGURATION: &str = r#"
global_defs {
    enable_script_security
    script_user root
}
track_file numbers {
    file /run/numbers
    weight 5
}
virtual_server_group VG {
    10.9.0.10-12 8080
    10.9.0.20 8080
    fwmark 7
}
virtual_server 10.9.0.1 80 {
    delay_loop 3600
    connect_timeout 4
    lvs_sched wrr
    lvs_method NAT
    persistence_timeout 30
    protocol TCP
    virtualhost www.example.org
    quorum_up "/usr/bin/true up"
    sorry_server 10.9.0.99 80
    real_server 127.0.0.1 8001 {
        weight 3
        inhibit_on_failure
        notify_up "/usr/bin/true u"
        HTTP_GET {
            url {
                path /b
                digest d41d8cd98f00b204e9800998ecf8427e
            }
            url {
                path /c
                status_code 200 300-302
                virtualhost v.example.org
                regex "ab.c"
                regex_min_offset 2
            }
            connect_timeout 2
            retry 4
            delay_before_retry 1
        }
    }
    real_server 127.0.0.1 8002 {
        virtualhost rs.example.org
        SSL_GET {
            enable_sni
            fast_recovery
            http_protocol 1.1
            url {
                path /
            }
            warmup 3000
            log_all_failures
        }
    }
    real_server 127.0.0.1 8003 {
        uthreshold 10
        lthreshold 5
        notify_down "/usr/bin/true d"
        TCP_CHECK {
            retry 0
            warmup 0
        }
    }
    real_server 127.0.0.1 8004 {
        delay_loop 2000
        warmup 0
        retry 0
        MISC_CHECK {
            misc_path "/usr/bin/true w w2"
            misc_timeout 4
        }
        MISC_CHECK {
            misc_path "/usr/bin/false"
        }
        MISC_CHECK {
            misc_path "/usr/bin/false later"
            warmup 1000
        }
        FILE_CHECK {
            track_file numbers
            weight 2
        }
    }
}
virtual_server group VG {
    delay_loop 3600
    warmup 1800
    retry 4
    delay_before_retry 2
    lvs_sched sh
    sh-port
    lvs_method DR
    protocol UDP
    ops
    omega
    smtp_alert
    quorum_down "/usr/bin/true down"
    real_server 127.0.0.3 8080 {
        weight 2
        UDP_CHECK {
            bindto 127.0.0.1
            bind_port 5000
            connect_port 53
            payload 0a0b
            require_reply
            min_reply_length 1
            max_reply_length 20
        }
        TCP_CHECK {
            connect_ip 127.0.0.1
            connect_timeout 1
            fwmark 3
            bind_if lo
        }
        PING_CHECK {
        }
        DNS_CHECK {
            type A
            name example.org
            retry 2
        }
    }
}
virtual_server fwmark 9 {
    lvs_sched mh
    lvs_method TUN
    persistence_timeout 50
    persistence_granularity 255.255.255.0
    real_server 10.1.1.1 0 {
        lvs_method TUN type gue port 7777 csum
        weight 0
    }
    real_server 10.1.1.2 0 {
        lvs_method TUN type gre nocsum
    }
}
virtual_server fd00::1 53 {
    alpha
    lvs_sched rr
    lvs_method NAT
    protocol SCTP
    real_server fd00::2 53 {
    }
}
"#;

/// The sections behind the global one, without what only one of the two programs shows: words of
/// 2.4 against those of 2.2, and what is always 0.
fn sections(node: &Node) -> Vec<String> {
    let text = rk_lab::eventually(SOON, FILE, || {
        node.read(FILE)
            .filter(|text| text.contains("Health checkers"))
    });
    let (_, sections) = text
        .split_once("------< SSL definitions >------\n")
        .expect("the first of them");
    let only_one = [
        "reloaded =",
        "previous effective_weight =",
        "set =",
        "Retries iterations =",
        "Reloaded =",
        "Regex options:",
        "Regex ref count =",
        "tls_compliant ",
    ];
    let mut inside_sorry = false;
    let mut kept = Vec::new();
    for line in sections.lines() {
        let word = line.trim_start().replace("VS alive =", "alive =");
        let deep = line.starts_with("     ");
        inside_sorry = word.starts_with("sorry server") || (inside_sorry && deep);
        // When it was is another time for each; that it was is not.
        let word = match word.split_once("Last ran = ") {
            Some((_, "0.000000 (Thu Jan  1 00:00:00 1970.000000)")) => "never ran".to_owned(),
            Some((_, when)) => {
                let digits = when
                    .chars()
                    .map(|c| if c.is_ascii_digit() { '0' } else { c });
                let (seconds, text) = when.split_once(" (").expect("a time twice");
                assert_eq!(seconds.len(), "1795258081.752026".len(), "{when}");
                assert!(text.ends_with(&format!("{})", &seconds[10..])), "{when}");
                digits.collect()
            }
            None => word,
        };
        let of_sorry = inside_sorry && word.starts_with("alive =");
        if !of_sorry && !only_one.iter().any(|start| word.starts_with(start)) {
            kept.push(word);
        }
    }
    kept
}

#[test]
fn the_checker_process_dumps_what_keepalived_dumps() {
    Guest::new().run(|| {
        let lab = crate::bed::lab("dump").expect("a guest can make namespaces");
        let nodes = [lab.node("one"), lab.node("two")];
        for node in &nodes {
            node.sh("ip link set lo up && echo 7 > /run/numbers");
        }
        let mut rivals = Rivals::start([&nodes[0], &nodes[1]], Which::Rkeepalived, CONFIGURATION);
        let table = rivals.same_ipvs("start");
        assert!(!table.is_empty());
        // One fails and is taken out, one has run and is well.
        let failed = "-a -t 10.9.0.1:80 -r 127.0.0.1:8003";
        for node in &nodes {
            node.wait_ipvs("a failed check", SOON, |table| {
                !table.lines().iter().any(|line| line.starts_with(failed))
            });
        }
        let ran = "by [/usr/bin/true] succeeded";
        let failed = "by [/usr/bin/false] failed";
        for line in [ran, failed] {
            rk_lab::eventually(SOON, line, || {
                let told = rivals.reference().count(line) > 0 && rivals.other().count(line) > 0;
                told.then_some(())
            });
        }
        rivals.reference().signal("USR1");
        rivals.other().signal("USR1");
        rivals
            .other()
            .wait_for_line("Printing checker data for process(", SOON);
        let [theirs, mine] = [sections(&nodes[0]), sections(&nodes[1])];
        assert!(
            theirs == mine,
            "---- keepalived:\n{}\n---- ours:\n{}",
            theirs.join("\n"),
            mine.join("\n")
        );
        for line in [
            "num failed checkers = 1",
            "Last status = 1",
            "never ran",
            "------< Checker track files >------",
            "Status = 7",
        ] {
            assert!(mine.contains(&line.to_owned()), "{line}");
        }
        let mode = nodes[1].sh("stat -c %a /tmp/keepalived_check.data");
        assert_eq!(mode.trim(), "600");
        rivals.stop();
    });
}

/// What [`CONFIGURATION`] leaves out: every option of every check, and those of servers beside
/// those they have from above. No check runs within a day.
const OPTIONS: &str = r#"
global_defs {
    enable_script_security
    script_user root
    lvs_netlink_cmd_rcv_bufs 100000
    lvs_netlink_cmd_rcv_bufs_force
    lvs_netlink_monitor_rcv_bufs 200000
    smtp_alert_checker
}
track_file numbers {
    file /run/numbers
    weight -3 reverse
}
track_file plain {
    file /run/numbers
}
virtual_server_group V6 {
    fd00::10-13 80
    fd00:1::/126 81
    fwmark 8 inet6
}
virtual_server 10.9.0.1 80 {
    delay_loop 4000
    warmup 4000
    alpha
    ha_suspend
    quorum 3
    hysteresis 1
    weight 5
    lvs_sched mh
    mh-port
    mh-fallback
    lvs_method DR
    protocol TCP
    virtualhost www.example.org
    snmp_name one
    retry 6
    delay_before_retry 7
    connect_timeout 8
    inhibit_on_failure
    sorry_server 10.9.0.98 80
    sorry_server_inhibit
    sorry_server_lvs_method TUN type gre csum
    real_server 10.9.1.1 80 {
        virtualhost real.example.org
        snmp_name real
        smtp_alert false
        HTTP_GET {
            virtualhost check.example.org
            http_protocol 1.0C
            url {
                path /a?b=c
                digest D41D8CD98F00B204E9800998ECF8427E
                status_code 200 204-206 404
                virtualhost url.example.org
            }
            url {
                path /x
                virtualhost x.example.org
                regex "^a\.b[c-d]+$"
                regex_options caseless multiline
                regex_no_match
                regex_min_offset 10
                regex_max_offset 100
                regex_stack 2000 4000
            }
            nb_get_retry 2
            connect_ip 10.9.1.9
            connect_port 8080
            bindto 10.77.0.1
            bind_port 4000
            bind_if lo
            fwmark 17
            alpha false
        }
    }
    real_server 10.9.1.2 80 {
        weight 0
        alpha false
        inhibit_on_failure false
        retry 9
        delay_before_retry 11
        connect_timeout 12
        delay_loop 3900
        warmup 3800
        virtualhost other.example.org
        lvs_method NAT
        SSL_GET {
            virtualhost sni.example.org
            enable_sni
            url {
                path /
            }
        }
        SSL_GET {
            url {
                path /two
                regex a
                regex_max_offset 100
            }
            delay_loop 3700
            delay_before_retry 13
            retry 0
        }
        HTTP_GET {
            http_protocol 1.1
            fast_recovery
            retry 4
            url {
                path /none
            }
        }
    }
}
virtual_server 10.9.0.2 25 {
    delay_loop 4000
    lvs_sched sh
    sh-port
    sh-fallback
    lvs_method NAT
    protocol TCP
    persistence_timeout
    persistence_granularity 255.255.0.0
    warmup 4000
    sorry_server 10.9.1.3 25
    real_server 10.9.1.3 25 {
        SMTP_CHECK {
            helo_name "tester.example.org"
        }
        SMTP_CHECK {
            connect_timeout 3
            host {
                connect_ip 10.9.1.8
                connect_port 2525
                connect_timeout 2
            }
            host {
                connect_ip 10.9.1.7
                bindto 10.77.0.1
                connect_timeout 4
            }
            retry 5
        }
        TCP_CHECK {
            log_all_failures
            alpha
        }
        PING_CHECK {
            connect_ip 10.9.1.6
            connect_timeout 2
            retry 2
        }
    }
    real_server 10.9.1.4 25 {
        MISC_CHECK {
            misc_path "/usr/bin/true same"
            misc_timeout 4000
        }
        MISC_CHECK {
            misc_path "/usr/bin/true dynamic"
            misc_timeout 1
            misc_dynamic
            user daemon
            retry 3
            delay_before_retry 2
            delay_loop 4000
        }
        MISC_CHECK {
            misc_path "/usr/bin/true 'quoted word' plain"
            delay_loop 3000
        }
        FILE_CHECK {
            track_file plain
        }
        FILE_CHECK {
            track_file numbers
            weight 4 reverse
        }
    }
    real_server 10.9.1.5 25 {
        FILE_CHECK {
            track_file numbers
        }
    }
}
virtual_server 10.9.0.3 53 {
    delay_loop 4000
    lvs_sched wlc
    flag-1
    flag-3
    hashed
    lvs_method TUN
    protocol UDP
    persistence_timeout 30
    smtp_alert false
    real_server 10.9.1.1 53 {
        lvs_method TUN type gue port 6080 remcsum
        DNS_CHECK {
        }
        DNS_CHECK {
            type mx
            name example.com.
            connect_ip 10.9.1.2
            connect_port 5353
            retry 0
        }
        DNS_CHECK {
            type DNSKEY
            name .
            delay_before_retry 4
        }
        UDP_CHECK {
        }
        UDP_CHECK {
            connect_port 5000
            payload 0102030405
            require_reply 01xx0x
            min_reply_length 2
            retry 3
        }
        UDP_CHECK {
            connect_port 5001
            require_reply
        }
    }
}
virtual_server group V6 {
    delay_loop 4000
    lvs_sched rr
    lvs_method NAT
    protocol TCP
    persistence_timeout 60
    quorum 2
    real_server fd00::21 80 {
        TCP_CHECK {
            connect_ip fe80::1
            connect_port 81
            bindto ::1
            bind_if lo
        }
        HTTP_GET {
            url {
                path /
                status_code 301
            }
        }
    }
    real_server fd00::22 8080 {
        uthreshold 7
        PING_CHECK {
        }
    }
}
virtual_server fwmark 11 inet6 {
    lvs_sched fo
    lvs_method NAT
    ops
    persistence_timeout 60
    persistence_granularity 64
    sorry_server fd00::99 80
    real_server fd00::31 80 {
    }
}
"#;

#[test]
fn every_option_shows_as_in_keepalived() {
    Guest::new().run(|| {
        let lab = crate::bed::lab("dump").expect("a guest can make namespaces");
        let nodes = [lab.node("one"), lab.node("two")];
        for node in &nodes {
            node.void("eth0", &["10.77.0.1/24"]);
            node.sh("ip link set lo up && echo 7 > /run/numbers");
        }
        let mut rivals = Rivals::start([&nodes[0], &nodes[1]], Which::Rkeepalived, OPTIONS);
        let table = rivals.same_ipvs("start");
        assert!(!table.is_empty());
        rivals.reference().signal("USR1");
        rivals.other().signal("USR1");
        let [theirs, mine] = [sections(&nodes[0]), sections(&nodes[1])];
        assert!(
            theirs == mine,
            "---- keepalived:\n{}\n---- ours:\n{}",
            theirs.join("\n"),
            mine.join("\n")
        );
        rivals.stop();
    });
}
