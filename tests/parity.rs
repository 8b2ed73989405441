//! The same verdict as keepalived's, by the real program on files of others.
//!
//! The files are not ours to copy. They are looked for below the directory that
//! `RKEEPALIVED_SPEC_DIR` names, or below any directory beside the checkout: `corpus/` with what
//! keepalived 2.4 said of each file, and `spec/samples/`. Without them these tests are skipped,
//! and say so.
//!
//! What a configuration test may look at is made here, so that a package more or less on the
//! machine changes nothing: interfaces with their addresses, users, and a root directory with
//! just the commands that the recorded runs had.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rk_lab::{Lab, Node};

use crate::bed::{lab, skipped};

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
fn place(message: &str) -> Option<(String, u32)> {
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

/// The expected statuses: the column called `head_exit`.
fn expected(directory: &Path) -> BTreeMap<String, i32> {
    let text = fs::read_to_string(directory.join("EXPECTED.tsv")).expect("EXPECTED.tsv");
    let mut lines = text
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let column = lines
        .next()
        .and_then(|names| names.iter().position(|name| *name == "head_exit"))
        .expect("a column head_exit");
    let expected: BTreeMap<_, _> = lines
        .map(|fields| {
            let status = fields[column].parse().expect("a status");
            (fields[0].to_owned(), status)
        })
        .collect();
    assert!(expected.len() > 20, "{} files", expected.len());
    expected
}

/// The disagreements that `doc/compatibility.md` lists for `set`: file, or `FILE:LINE`.
fn listed(set: &str) -> BTreeSet<String> {
    let text = include_str!("../doc/compatibility.md");
    let (_, section) = text
        .split_once("\n## Verdicts of `-t`\n")
        .expect("the section on verdicts");
    let section = section.split("\n## ").next().unwrap_or("");
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter_map(|cell| Some(cell.strip_prefix(set)?.strip_prefix('/')?.to_owned()))
        .collect()
}

/// Compares what was found with what is listed: neither may have more.
fn compare(set: &str, total: usize, found: &BTreeMap<String, String>) {
    let listed = listed(set);
    let unlisted: Vec<_> = found
        .iter()
        .filter(|(what, _)| !listed.contains(*what))
        .map(|(what, how)| format!("{what}: {how}"))
        .collect();
    let stale: Vec<_> = listed.iter().filter(|l| !found.contains_key(*l)).collect();
    assert!(
        unlisted.is_empty() && stale.is_empty(),
        "{set}: {} of {total} files differ and are not in doc/compatibility.md:\n{}\n\
         there, but not different: {stale:?}",
        unlisted.len(),
        unlisted.join("\n"),
    );
}

/// Cases where keepalived's verdict is none that anybody wants, by their names in the list.
const OWN: [(&str, &str); 6] = [
    ("quote", "vrrp_script S {\n script \"/usr/bin/true a\n}\n"),
    ("env", "global_defs {\n router_id ${_ENV}\n}\n"),
    ("bfd", "bfd_instance {\n neighbor_ip 192.0.2.9\n}\n"),
    ("neighbor", "bfd_instance B {\n neighbor_ip\n}\n"),
    ("itself", "include ./itself.conf\n"),
    (
        "link",
        "global_defs {\n enable_script_security\n script_user root\n}\n\
         vrrp_script S {\n script /bin/true\n}\n\
         vrrp_instance V {\n interface lo\n virtual_router_id 5\n\
         virtual_ipaddress {\n 192.0.2.5\n }\n track_script {\n S\n }\n}\n",
    ),
];

/// What the list says of a case of [`OWN`]: our status.
fn own_status(name: &str) -> Option<i32> {
    let start = format!("| `own/{name}`");
    let text = include_str!("../doc/compatibility.md");
    let row = text.lines().find(|line| line.starts_with(&start))?;
    row.split(" | ").nth(2)?.trim().parse().ok()
}

#[test]
fn own_cases() {
    let Some(lab) = lab("parity-own") else { return };
    let node = world(&lab, "ip link set lo up");
    let inside = |name: &str| format!("/run/own/{name}.conf");
    for (name, text) in OWN {
        node.write(&format!("{WORLD}{}", inside(name)), text);
    }
    let files: Vec<_> = OWN.iter().map(|(name, _)| inside(name)).collect();
    let said = run_all(&node, "/run/rkeepalived", &files);
    for (name, _) in OWN {
        let ours = &said[&inside(name)];
        assert!(ours.status.is_some(), "{name}: {}", ours.text);
        assert_eq!(ours.status, own_status(name), "{name}:\n{}", ours.text);
    }
    let names: BTreeSet<_> = OWN.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        listed("own"),
        names,
        "the list has these cases and no others"
    );
}

#[test]
fn corpus() {
    let Some(directory) = material("corpus") else {
        return;
    };
    let Some(lab) = lab("parity") else { return };
    let mut interfaces = String::from("set -e\n");
    let names = [
        "eth0", "eth1", "ens33", "ens3", "ens160", "ens192", "enp0s3", "enp0s8", "bond0", "br0",
    ];
    for (k, name) in (1..).zip(names) {
        let kind = match name {
            "bond0" | "br0" => "type bridge".to_owned(),
            _ => format!("type veth peer name pr_{name}"),
        };
        interfaces.push_str(&format!(
            "ip link add {name} {kind}; ip link set {name} up\n\
             [ ! -e /sys/class/net/pr_{name} ] || ip link set pr_{name} up\n\
             ip address add 198.18.{k}.2/24 dev {name}\n\
             ip address add fd00:198:18:{k}::2/64 dev {name} nodad\n"
        ));
    }
    let node = world(&lab, &interfaces);
    let expected = expected(&directory);
    let inside = |file: &str| format!("/run/{}/{file}", file.trim_end_matches(".conf"));
    for file in expected.keys() {
        let text = fs::read(directory.join(file)).expect("a file of the list");
        node.write(&format!("{WORLD}{}", inside(file)), text);
    }
    let files: Vec<_> = expected.keys().map(|file| inside(file)).collect();
    let said = run_all(&node, "/run/rkeepalived", &files);
    let mut found = BTreeMap::new();
    for (file, status) in &expected {
        let ours = &said[&inside(file)];
        if ours.status != Some(*status) {
            let how = format!("keepalived {status}, here {:?}\n{}", ours.status, ours.text);
            found.insert(file.clone(), how);
        }
        let stem = file.trim_end_matches(".conf");
        let theirs = fs::read(directory.join(format!("diag/{stem}.head.txt"))).unwrap_or_default();
        let theirs = String::from_utf8_lossy(&theirs).into_owned();
        let places = ours.places();
        for message in theirs.lines() {
            let Some((named, line)) = place(message) else {
                continue;
            };
            let named = if named.is_empty() { file } else { &named };
            let named = named.rsplit('/').next().unwrap_or(named);
            let there = places
                .iter()
                .any(|(f, l)| *l == line && f.rsplit('/').next() == Some(named));
            if !there {
                let how = format!("keepalived says: {message}");
                found.insert(format!("{named}:{line}"), how);
            }
        }
    }
    compare("corpus", expected.len(), &found);
}

#[test]
fn samples() {
    let Some(directory) = material("spec/samples") else {
        return;
    };
    let Some(lab) = lab("parity-samples") else {
        return;
    };
    let node = world(
        &lab,
        "set -e
        for i in 0 1; do
            ip link add eth$i type veth peer name eth${i}p
            ip link set eth$i up
            ip link set eth${i}p up
        done
        ip address add 192.0.2.1/24 dev eth0
        ip address add 203.0.113.1/24 dev eth1
        ip -6 address add 2001:db8::1/64 dev eth0 nodad",
    );
    let expected = expected(&directory);
    for entry in fs::read_dir(&directory).expect("the samples") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read(&path).expect("a sample");
        node.write(&format!("{WORLD}/run/samples/{name}"), text);
    }
    let inside = |file: &str| format!("/run/samples/{file}");
    let files: Vec<_> = expected.keys().map(|file| inside(file)).collect();
    let said = run_all(&node, "/run/rkeepalived", &files);
    let mut found = BTreeMap::new();
    for (file, status) in &expected {
        let ours = &said[&inside(file)];
        if ours.status != Some(*status) {
            let how = format!("keepalived {status}, here {:?}\n{}", ours.status, ours.text);
            found.insert(file.clone(), how);
        }
    }
    compare("samples", expected.len(), &found);
}
