//! What scripts (`misc_dynamic`) and files (`FILE_CHECK`) make of weights, beside keepalived.

use std::time::Duration;

use rk_lab::{Guest, Node, Rivals, Which};

use crate::bed::SOON;

/// For how long a change is given to bring others about: scripts run every second.
const CALM: Duration = Duration::from_millis(1500);

const CONFIGURATION: &str = "
global_defs {
    script_user root
}
track_file plain {
    file /run/plain
    weight 1
}
track_file made {
    file /run/made
    weight 2
    init_file 4 overwrite
}
virtual_server 192.0.2.1 80 {
    lvs_sched wrr
    lvs_method NAT
    protocol TCP
    delay_loop 1
    warmup 0
    quorum 12
    hysteresis 5
    sorry_server 10.0.0.99 80
    real_server 10.0.0.1 80 {
        weight 5
        MISC_CHECK {
            misc_path /run/check
            misc_timeout 20
            misc_dynamic
        }
    }
    real_server 10.0.0.2 80 {
        weight 5
        MISC_CHECK {
            misc_path /run/check
            misc_timeout 20
        }
    }
    real_server 10.0.0.3 80 {
        weight 5
        FILE_CHECK {
            track_file plain
            weight 2
        }
    }
    real_server 10.0.0.4 80 {
        weight 5
        FILE_CHECK {
            track_file plain
            weight 0
        }
    }
    real_server 10.0.0.5 80 {
        weight 5
        inhibit_on_failure
        FILE_CHECK {
            track_file plain
            weight 3 reverse
        }
        MISC_CHECK {
            misc_path /run/check
            misc_timeout 20
            misc_dynamic
        }
    }
    real_server 10.0.0.6 80 {
        weight 5
        FILE_CHECK {
            track_file made
        }
    }
}
";

/// Puts `text` into a file in one write.
fn put(node: &Node, file: &str, text: &str) {
    node.sh(&format!("printf -- '{text}' > /run/{file}"));
}

#[test]
fn scripts_and_files_set_weights() {
    Guest::new().deadline(Duration::from_mins(4)).run(|| {
        let lab = crate::bed::lab("weights").expect("a guest can make namespaces");
        let nodes = ["one", "two"].map(|name| {
            let node = lab.node(name);
            node.void("eth0", &["10.77.0.1/24"]);
            node.sh("modprobe ip_vs");
            put(&node, "code", "0\\n");
            put(&node, "plain", "1\\n");
            node.script(
                "/run/check",
                "#!/bin/sh\nread -r code < /run/code\nexit $code\n",
            );
            node
        });
        let mut rivals = Rivals::start([&nodes[0], &nodes[1]], Which::Rkeepalived, CONFIGURATION);
        // The line that tells that a script has run: the same for both.
        let ran =
            "Misc check for [[10.0.0.1]:tcp:80 VS [192.0.2.1]:tcp:80] by [/run/check] succeeded";
        rivals.reference().wait_for_line(ran, SOON);
        rivals.other().wait_for_line(ran, SOON);
        rivals.same_rules("start");
        let steps = [
            ("plain", "0\\n"),
            ("plain", "-1\\n"),
            ("plain", "7"),
            ("code", "9\\n"),
            ("code", "2\\n"),
            ("code", "255\\n"),
            ("code", "1\\n"),
            ("code", "3\\n"),
            ("code", "0\\n"),
            ("plain", "-2147483648\\n"),
            ("plain", "2147483647\\n"),
            ("plain", "3 and words\\n"),
            ("plain", "words\\n"),
            ("plain", "2\\n"),
            ("plain", ""),
            ("plain", "5\\n"),
            ("made", "10\\n"),
        ];
        let changes = [
            "rm /run/plain",
            "printf 6 > /run/plain",
            "printf 2 > /run/other; mv /run/other /run/plain",
            "mv /run/plain /run/away",
        ];
        let steps = steps
            .map(|(file, text)| format!("printf -- '{text}' > /run/{file}"))
            .into_iter()
            .chain(changes.map(str::to_owned));
        let mut before = nodes[0].ipvs_rules();
        for change in steps {
            for node in &nodes {
                node.sh(&change);
            }
            // Each changes the table. Scripts run every second, so that theirs takes a while.
            rk_lab::eventually(SOON, &change, || {
                (nodes[0].ipvs_rules() != before).then_some(())
            });
            rk_lab::pause(CALM);
            before = rivals.same_rules(&change);
        }
        let lines = |log: String| {
            let words = ["weight", "FAULT", "Misc check", "tracked file"];
            let mut lines: Vec<String> = log
                .lines()
                .filter_map(|line| Some(line.split_once(" 20")?.1.split_once(": ")?.1.to_owned()))
                .filter(|line| {
                    words.iter().any(|word| line.contains(word))
                        && !line.contains(" DOWN: ")
                        && !line.contains(" UP: ")
                })
                .collect();
            lines.sort();
            lines
        };
        let (a, b) = (lines(rivals.reference().log()), lines(rivals.other().log()));
        assert_eq!(a, b);
        rivals.stop();
    });
}
