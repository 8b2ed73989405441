//! What runs inside a guest before and behind the scenario, once its files are there.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use super::{Guest, Kernel, SHARED, qemu};

/// In the shared directory: what is to be run.
pub(super) const SCENARIO: &str = "scenario";
/// In the shared directory: the scenario's exit status, once it has ended.
pub(super) const VERDICT: &str = "verdict";

/// Variables that a scenario sees as the test does.
const PASSED_ON: &[&str] = &["RUST_", "CARGO_", "RKEEPALIVED_", "PROPTEST_"];

/// The machine as a scenario expects it; then the scenario, its verdict, the end.
///
/// The scenario writes into a pipe, because a program whose stdout is a terminal behaves
/// differently; and what it leaves running is killed, so that the pipe's reader ends.
const MACHINE: &str = r#"
fail() {
    echo "guest: $1" >&2
    echo o > /proc/sysrq-trigger
    while :; do sleep 1; done
}
[ ! -e /old ] || { umount -l /old; rmdir /old; }
mkdir -p /dev/shm /dev/pts /dev/mqueue
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts && ln -sf pts/ptmx /dev/ptmx
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t mqueue mqueue /dev/mqueue
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ln -sfn /proc/self/fd /dev/fd
# A daemon without a system log writes there, and would be taken for the kernel.
mount --bind /dev/null /dev/console
# An ordinary user's guest does not reach into root's home.
{ touch /root/.guest && rm /root/.guest; } 2>/dev/null || mount -t tmpfs -o mode=700 tmpfs /root
hostname guest
modprobe ipv6
ip link set lo up
stty -F $terminal raw -echo
"#;

/// What follows, behind modules and environment.
const SCENE: &str = r#"
mkfifo /run/output
cat /run/output > $terminal &
reader=$!
setsid sh /run/guest/scenario > /run/output 2>&1 < /dev/null
status=$?
for process in /proc/[0-9]*; do
    process=${process#/proc/}
    case $process in 1 | $$ | $reader) ;; *) kill -9 $process 2>/dev/null ;; esac
done
wait $reader
echo $status > /run/guest/verdict
echo o > /proc/sysrq-trigger
while :; do sleep 1; done 2>/dev/null
"#;

/// Writes what the guest needs into the directory that it shares with the host.
pub(super) fn write(directory: &Path, guest: &Guest, scenario: &str) -> std::io::Result<()> {
    std::fs::write(directory.join(SCENARIO), scenario)?;
    let mut second = match guest.kernel {
        Kernel::UserMode => b"terminal=/dev/tty1\n".to_vec(),
        Kernel::Debian => b"terminal=/dev/ttyS1\n".to_vec(),
    };
    second.extend_from_slice(MACHINE.as_bytes());
    for module in &guest.modules {
        let module = quoted(OsStr::new(module));
        second.extend_from_slice(
            format!("modprobe -- {module} || fail 'no such module'\n").as_bytes(),
        );
    }
    for (number, shared) in guest.shared.iter().enumerate() {
        let path = raw_quoted(shared.as_os_str());
        let mount = match guest.kernel {
            Kernel::UserMode => [b"mount -t hostfs -o ", &path[..], b" none "].concat(),
            Kernel::Debian => qemu::mount(number).into_bytes(),
        };
        second.extend_from_slice(&[b"mkdir -p ", &path[..], b"; ", &mount, &path].concat());
        second.extend_from_slice(b" || fail 'no shared directory'\n");
    }
    for (name, value) in environment(guest) {
        second.extend_from_slice(&[b"export ", name.as_bytes(), b"="].concat());
        second.extend_from_slice(&raw_quoted(&value));
        second.push(b'\n');
    }
    if let Ok(here) = std::env::current_dir() {
        second.extend_from_slice(&[b"cd ", &raw_quoted(here.as_os_str())[..], b"\n"].concat());
    }
    second.extend_from_slice(SCENE.as_bytes());
    std::fs::write(directory.join("second"), second)?;
    debug_assert!(SCENE.contains(&format!("{SHARED}/{VERDICT}")));
    Ok(())
}

fn environment(guest: &Guest) -> Vec<(String, OsString)> {
    let plain = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let ours = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| PASSED_ON.iter().any(|prefix| name.starts_with(prefix)))
        .filter(|(name, _)| plain(name));
    let given = guest.environment.iter();
    ours.chain(given.map(|(name, value)| (name.clone(), OsString::from(value))))
        .collect()
}

/// `text` as one word of a shell.
pub(super) fn quoted(text: &OsStr) -> String {
    OsString::from_vec(raw_quoted(text))
        .to_string_lossy()
        .into_owned()
}

fn raw_quoted(text: &OsStr) -> Vec<u8> {
    let mut word = vec![b'\''];
    for &byte in text.as_bytes() {
        match byte {
            b'\'' => word.extend_from_slice(br"'\''"),
            byte => word.push(byte),
        }
    }
    word.push(b'\'');
    word
}
