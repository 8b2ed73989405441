//! The machine that configuration tests look at, and both programs in it.
//!
//! What a configuration test may look at is made here, so that a package more or less on the
//! machine changes nothing: interfaces with their addresses, users, and a root directory with
//! just the commands that the recorded runs had.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rk_lab::{Lab, Node};

use crate::bed::skipped;

/// Our program, as the world sees it.
pub(crate) const OURS: &str = "/run/rkeepalived";

/// keepalived, as the world sees it, once [`peer`] has put it there.
pub(crate) const PEER: &str = "/run/keepalived-peer";

/// Two interfaces with the addresses that the samples name.
pub(crate) const TWO_INTERFACES: &str = "set -e
ip link set lo up
for i in 0 1; do
    ip link add eth$i type veth peer name eth${i}p
    ip link set eth$i up
    ip link set eth${i}p up
done
ip address add 192.0.2.1/24 dev eth0
ip address add 203.0.113.1/24 dev eth1
ip -6 address add 2001:db8::1/64 dev eth0 nodad";

/// The world's root directory, as a node sees it.
pub(crate) const WORLD: &str = "/run/world";

/// The commands that the recorded runs had, and that configurations name; no `nc`, no `ping`,
/// no servers. They are never run.
const COMMANDS: &str = "awk basename bash cat chmod chown cp curl cut date df dirname du echo \
                        egrep env expr false find grep groups head hostname id install ip \
                        ipvsadm journalctl kill killall ln logger ls mkdir mktemp mount mv \
                        netstat perl pgrep pidof pkill printf ps python3 pwd rm sed seq service \
                        sh sleep sort ss stat su sysctl systemctl tail tee test timeout \
                        touch tr true uniq uptime wc wget which whoami xargs [";

const USERS: &str = "root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
games:x:5:60:games:/usr/games:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
";

const GROUPS: &str = "root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
disk:x:6:
mail:x:8:
www-data:x:33:
games:x:60:
nogroup:x:65534:
";

/// A root directory of a merged-usr system, with everything in it owned by root.
const MAKE_WORLD: &str = r#"
set -e
world=/run/world
mkdir -p $world
cd $world
mkdir -p usr/bin usr/lib usr/local/bin usr/local/sbin usr/share etc/keepalived etc/iproute2 \
    dev proc run/lock var/lib var/log var/spool home root opt srv mnt tmp
chmod 1777 tmp
ln -s usr/bin bin
ln -s usr/bin sbin
ln -s bin usr/sbin
ln -s ../run var/run
for directory in lib lib32 lib64 libx32; do
    [ ! -L /$directory ] || cp -P /$directory $directory
    [ -L /$directory ] || [ ! -d /$directory ] || {
        mkdir $directory
        mount --rbind /$directory $directory
    }
    [ ! -d /usr/$directory ] || {
        mkdir -p usr/$directory
        mount --rbind /usr/$directory usr/$directory
    }
done
mount --rbind /proc proc
for device in null random urandom; do
    touch dev/$device
    mount --bind /dev/$device dev/$device
done
touch etc/keepalived/keepalived.conf.sample run/rkeepalived
mount --bind "$1" run/rkeepalived
printf '127.0.0.1 localhost\n::1 localhost\n' > etc/hosts
printf 'passwd: files\ngroup: files\nhosts: files\nprotocols: files\n' > etc/nsswitch.conf
printf '0\tglobal\n255\tnowhere\n254\thost\n253\tlink\n200\tsite\n' > etc/iproute2/rt_scopes
printf '255\tlocal\n254\tmain\n253\tdefault\n0\tunspec\n' > etc/iproute2/rt_tables
printf '1\tredirect\n2\tkernel\n3\tboot\n4\tstatic\n16\tra\n18\tkeepalived\n' \
    > etc/iproute2/rt_protos
printf 'icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nsctp 132 SCTP\n' > etc/protocols
"#;

/// What one run said.
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) text: String,
}

impl Said {
    /// Every (file, line) that a message is about.
    pub(crate) fn places(&self) -> BTreeSet<(String, u32)> {
        self.text.lines().filter_map(place).collect()
    }
}

/// The file and line of `(FILE: Line N) ...`, and of keepalived's `(Line N) ...` with no file.
pub(crate) fn place(message: &str) -> Option<(String, u32)> {
    let (head, _) = message.strip_prefix('(')?.split_once(") ")?;
    let (file, line) = match head.split_once(": Line ") {
        Some((file, line)) => (file, line),
        None => ("", head.strip_prefix("Line ")?),
    };
    Some((file.to_owned(), line.parse().ok()?))
}

/// The world, in a node with the interfaces that `interfaces` makes.
pub(crate) fn world(lab: &Lab, interfaces: &str) -> Node {
    let node = lab.node("parity");
    node.sh(interfaces);
    let ours = node
        .command("sh")
        .args(["-c", MAKE_WORLD, "world", "/run/lab/rkeepalived"])
        .output()
        .expect("nsenter is there");
    let said = String::from_utf8_lossy(&ours.stderr);
    assert!(ours.status.success(), "{said}");
    for command in COMMANDS.split_whitespace() {
        node.script(&format!("{WORLD}/usr/bin/{command}"), "#!/bin/sh\n");
    }
    node.write(&format!("{WORLD}/etc/passwd"), USERS);
    node.write(&format!("{WORLD}/etc/group"), GROUPS);
    node
}

/// Puts keepalived into the world; `false`, which is said, unless it is the version that the
/// comparisons are for.
pub(crate) fn peer(node: &Node) -> bool {
    let Ok(keepalived) = fs::read("/usr/sbin/keepalived") else {
        skipped("keepalived is not here");
        return false;
    };
    node.write(&format!("{WORLD}{PEER}"), keepalived);
    node.sh(&format!("chmod 755 {WORLD}{PEER}"));
    let version = node.sh(&format!("chroot {WORLD} {PEER} -v 2>&1"));
    let right = version.contains("v2.2.7");
    if !right {
        skipped("keepalived is not 2.2.7");
    }
    right
}

/// Runs `PROGRAM -t -f FILE` on every one of `files` (paths in the world), several at a time.
pub(crate) fn run_all(node: &Node, program: &str, files: &[String]) -> BTreeMap<String, Said> {
    let queue = Mutex::new(files.iter());
    let said = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(file) = queue.lock().unwrap().next() else {
                        return;
                    };
                    let output = node
                        .command("timeout")
                        .args(["20", "chroot", WORLD, program, "-t", "-f", file])
                        .output()
                        .expect("nsenter is there");
                    let one = Said {
                        status: output.status.code(),
                        text: String::from_utf8_lossy(&output.stderr).into_owned(),
                    };
                    said.lock().unwrap().insert(file.clone(), one);
                }
            });
        }
    });
    said.into_inner().unwrap()
}

/// The directory with `corpus/` and `spec/samples/`, if this machine has one.
pub(crate) fn material(below: &str) -> Option<PathBuf> {
    let beside = || {
        let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
        let mut all = fs::read_dir(parent)
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()));
        all.find(|directory| directory.join(below).is_dir())
    };
    let directory = std::env::var_os("RKEEPALIVED_SPEC_DIR")
        .map(PathBuf::from)
        .or_else(beside)
        .map(|directory| directory.join(below))
        .filter(|directory| directory.join("EXPECTED.tsv").is_file());
    if directory.is_none() {
        skipped(&format!("{below} is not here"));
    }
    directory
}
