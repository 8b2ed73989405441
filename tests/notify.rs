//! Notify scripts: which, with what arguments, as whom, in which environment, in which order.

use std::time::Duration;

use rk_lab::{Daemon, Node, Which, eventually, pause};

use crate::bed::{Bed, SOON, ours, skipped};

/// Writes one line for each call: its arguments, each in brackets.
const DIARY: &str = "#!/bin/sh\n{ for a; do printf '[%s]' \"$a\"; done; echo; } >> /tmp/diary\n";

/// The same behind the number of its process. Numbers rise, so they tell who was started first.
const NUMBERED: &str =
    "#!/bin/sh\n{ printf '%s ' $$; for a; do printf '[%s]' \"$a\"; done; echo; } >> /tmp/diary\n";

/// Writes down everything around a script that could matter to it.
const SURROUNDINGS: &str = r#"#!/bin/sh
out=/tmp/around.$1
{
    printf 'name %s\n' "$0"
    for a; do printf 'argument %s\n' "$a"; done
    echo "umask $(umask)"
    echo "directory $(pwd)"
    echo "who $(id -u):$(id -g)"
    echo "input $(readlink /proc/$$/fd/0) output $(readlink /proc/$$/fd/2)"
    read -r pid comm state ppid group session rest < /proc/$$/stat
    [ "$pid" = "$group" ] && echo "own process group"
    # Not with grep: while it forks, the shell blocks signals itself.
    while read -r key value; do
        [ "$key" = SigBlk: ] && echo "$key $value"
    done < /proc/$$/status
    tr '\0' '\n' < /proc/$$/environ | sort
} > $out.new 2>&1
mv $out.new $out
"#;

fn diary(node: &Node) -> Vec<String> {
    node.read("/tmp/diary")
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Waits until the diary has `lines`, in this order (keepalived starts them in this order, and
/// does not wait, so its lines are compared as a set).
#[track_caller]
fn expect(node: &Node, lines: &[&str]) {
    let sorted = |mut lines: Vec<String>| {
        if ours() == Which::Keepalived {
            lines.sort();
        }
        lines
    };
    let wanted = sorted(lines.iter().map(|line| (*line).to_owned()).collect());
    let started = std::time::Instant::now();
    loop {
        let found = sorted(diary(node));
        if found == wanted {
            return;
        }
        assert!(
            started.elapsed() < SOON && found.len() <= wanted.len(),
            "{found:#?} is not {wanted:#?}"
        );
        pause(Duration::from_millis(10));
    }
}

const INSTANCE: &str = "
    interface eth0
    virtual_router_id 51
    priority 100
    version 3
    advert_int 0.2
    virtual_ipaddress {
        10.77.0.100/24
    }
";

#[test]
fn every_transition_once_and_in_order() {
    let Some(bed) = Bed::new("notify") else {
        return;
    };
    bed.one.script("/etc/keepalived/n.sh", DIARY);
    let conf = format!(
        "global_defs {{
            script_user root
            enable_script_security
        }}
        vrrp_instance VI_1 {{
            {INSTANCE}
            notify_master \"/etc/keepalived/n.sh to master\"
            notify_backup \"/etc/keepalived/n.sh to backup\"
            notify_fault \"/etc/keepalived/n.sh to fault\"
            notify_stop \"/etc/keepalived/n.sh at stop\"
            notify \"/etc/keepalived/n.sh generic\"
        }}"
    );
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    let mut lines = vec!["[to][backup]", "[generic][INSTANCE][VI_1][BACKUP][100]"];
    lines.extend(["[to][master]", "[generic][INSTANCE][VI_1][MASTER][100]"]);
    daemon.wait_state("VI_1", "MASTER", SOON);
    expect(&bed.one, &lines);
    bed.cable_one.pull();
    lines.extend(["[to][fault]", "[generic][INSTANCE][VI_1][FAULT][100]"]);
    expect(&bed.one, &lines);
    bed.cable_one.plug();
    lines.extend(["[to][backup]", "[generic][INSTANCE][VI_1][BACKUP][100]"]);
    lines.extend(["[to][master]", "[generic][INSTANCE][VI_1][MASTER][100]"]);
    expect(&bed.one, &lines);
    // A reload without a change says nothing.
    daemon.process().skip_lines();
    daemon.reload(&conf);
    daemon.wait_for_line("Reload", SOON);
    assert!(daemon.stop().success(), "a clean end");
    lines.extend(["[at][stop]", "[generic][INSTANCE][VI_1][STOP][100]"]);
    expect(&bed.one, &lines);
}

#[test]
fn a_group_tells_after_its_members() {
    let Some(bed) = Bed::new("notify-group") else {
        return;
    };
    bed.one.script("/etc/keepalived/n.sh", NUMBERED);
    let second = INSTANCE
        .replace("51", "52")
        .replace("10.77.0.100", "10.77.0.101");
    let conf = format!(
        "global_defs {{
            script_user root
            enable_script_security
        }}
        vrrp_sync_group G {{
            group {{
                A
                B
            }}
            notify_master \"/etc/keepalived/n.sh group master\"
            notify /etc/keepalived/n.sh
        }}
        vrrp_instance A {{
            {INSTANCE}
            notify /etc/keepalived/n.sh
        }}
        vrrp_instance B {{
            {second}
            notify /etc/keepalived/n.sh
        }}"
    );
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_state("A", "BACKUP", SOON);
    let all = eventually(SOON, "the diary of a group that became master", || {
        Some(diary(&bed.one))
            .filter(|lines| lines.iter().filter(|line| line.contains("MASTER")).count() == 3)
    });
    let started = |part: &str| -> i32 {
        let numbers: Vec<i32> = all
            .iter()
            .filter_map(|line| {
                line.split_once(' ')
                    .filter(|(_, words)| *words == part)?
                    .0
                    .parse()
                    .ok()
            })
            .collect();
        assert_eq!(numbers.len(), 1, "{part} once in {all:#?}");
        numbers[0]
    };
    let members = ["[INSTANCE][A][MASTER][100]", "[INSTANCE][B][MASTER][100]"].map(started);
    let group = ["[group][master]", "[GROUP][G][MASTER][0]"].map(started);
    assert!(
        members.iter().max() < group.iter().min(),
        "members first: {all:#?}"
    );
    assert!(daemon.stop().success(), "a clean end");
}

#[test]
fn words_and_quotes_reach_the_script_as_keepalived_splits_them() {
    let Some(bed) = Bed::new("notify-words") else {
        return;
    };
    if has_one_user(&bed.one) {
        return;
    }
    let conf = format!(
        "global_defs {{
            script_user root
            enable_script_security
        }}
        vrrp_instance VI_1 {{
            {INSTANCE}
            notify_master \"/etc/keepalived/n.sh  a  'b c' '' # ! $HOME * ; | x\"
            notify_backup /etc/keepalived/n.sh
        }}"
    );
    same_as_keepalived(&bed.one, &conf, DIARY, "/tmp/diary", 2);
}

#[test]
fn the_environment_is_keepalived_s() {
    let Some(bed) = Bed::new("notify-around") else {
        return;
    };
    if has_one_user(&bed.one) {
        return;
    }
    let conf = format!(
        "global_defs {{
            script_user root
            enable_script_security
        }}
        vrrp_instance VI_1 {{
            {INSTANCE}
            notify_master \"/etc/keepalived/n.sh master\"
        }}"
    );
    same_as_keepalived(&bed.one, &conf, SURROUNDINGS, "/tmp/around.master", 10);
}

#[test]
fn another_user_and_group() {
    let Some(bed) = Bed::new("notify-user") else {
        return;
    };
    if has_one_user(&bed.one) {
        return;
    }
    let conf = format!(
        "global_defs {{
            script_user daemon
            enable_script_security
        }}
        vrrp_instance VI_1 {{
            {INSTANCE}
            notify_master \"/etc/keepalived/n.sh master\" nobody games
            notify_backup \"/etc/keepalived/n.sh backup\"
        }}"
    );
    same_as_keepalived(&bed.one, &conf, SURROUNDINGS, "/tmp/around.master", 10);
    let backup = bed
        .one
        .read("/tmp/around.backup")
        .expect("written before master");
    assert!(backup.contains("who 1:1\n"), "{backup}");
}

/// Whether this is an ordinary user's namespace, with one user ID in it: keepalived runs no script
/// there, and nobody can be another user.
fn has_one_user(node: &Node) -> bool {
    let map = node.read("/proc/1/uid_map");
    let one = map.is_none_or(|map| !map.contains("4294967295"));
    if one {
        skipped("there is only one user ID here");
    }
    one
}

/// Runs both daemons on `conf` until `file` has `lines` lines, and compares what they wrote.
#[track_caller]
fn same_as_keepalived(node: &Node, conf: &str, script: &str, file: &str, lines: usize) {
    node.script("/etc/keepalived/n.sh", script);
    let mut written = Vec::new();
    for which in [Which::Keepalived, ours()] {
        node.sh("rm -f /tmp/diary /tmp/around.*");
        let mut daemon = Daemon::start(node, which, conf);
        daemon.wait_state("VI_1", "MASTER", SOON);
        let what = format!(
            "{lines} lines in {file}; the log of {which:?}:\n{}",
            daemon.log()
        );
        written.push(eventually(SOON, &what, || {
            node.read(file).filter(|text| text.lines().count() >= lines)
        }));
        assert!(daemon.stop().success(), "a clean end");
    }
    let list = |text: &str| -> Vec<String> {
        // The shell that a script starts writes its own name here.
        text.lines()
            .filter(|line| !line.starts_with("_="))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(list(&written[0]), list(&written[1]), "keepalived's, ours");
    if let Some(blocked) = written[1].lines().find(|line| line.starts_with("SigBlk")) {
        assert!(
            blocked.ends_with("0000000000000000") || ours() == Which::Keepalived,
            "{blocked}"
        );
    }
}
