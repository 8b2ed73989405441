//! Debian's User-Mode Linux: a kernel that is an ordinary process, and boots in two seconds.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::Guest;
use super::boot::{Need, in_namespace};

const KERNEL: &str = "linux.uml";
/// Where its modules are.
const MODULES: &str = "/usr/lib/uml/modules";
/// What it needs of the machine.
pub(super) const NEEDS: &[Need] = &[(KERNEL, "user-mode-linux"), (MODULES, "user-mode-linux")];
/// In the shared directory: process 1 of the guest.
const INIT: &str = "init";

/// Process 1: puts a memory file system over the machine's files and moves there.
/// `$0` lies in the shared directory. The rest is the same in every guest ([`super::init`]).
const ROOT: &str = r#"#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8
fail() {
    echo "guest: $1" >&2
    # Without /proc the only way out is to end process 1.
    [ -e /proc/sysrq-trigger ] || exit 1
    echo o > /proc/sysrq-trigger
    while :; do sleep 1; done
}
# To an ordinary user's guest root's files belong to somebody else, so that a program with the
# set-user-ID bit, such as mount, would lose its rights instead of gaining some.
[ "$(stat -c %u /)" = 0 ] || [ "$1" = again ] || exec setpriv --no-new-privs "$0" again
shared=${0%/*}
release=$(uname -r)
mount -t proc proc /proc || fail 'no /proc'
mount -t tmpfs -o mode=755 tmpfs /run || fail 'no memory file system'
mkdir -p /run/lib/modules /run/over /run/work /run/root
ln -s "/usr/lib/uml/modules/$release" "/run/lib/modules/$release"
modprobe -d /run overlay || fail 'no module overlay'
mount -t overlay -o lowerdir=/,upperdir=/run/over,workdir=/run/work overlay /run/root \
    || fail 'no overlay'
cd /run/root
mkdir -p old lib/modules
ln -sfn "/usr/lib/uml/modules/$release" "lib/modules/$release"
mount -t devtmpfs dev dev && mount -t proc proc proc && mount -t sysfs sysfs sys \
    && mount -t tmpfs -o mode=755 tmpfs run || fail 'no file systems of the kernel'
mkdir run/guest run/lock
mount -t hostfs -o "$shared" none run/guest || fail 'no shared directory'
pivot_root . old && exec chroot . /bin/sh /run/guest/second
fail 'cannot change the root directory'
"#;

/// The command that boots it; its stdout is what the scenario writes, its stderr the kernel's.
pub(super) fn command(guest: &Guest, directory: &Path) -> std::io::Result<Command> {
    let init = directory.join(INIT);
    std::fs::write(&init, ROOT)?;
    std::fs::set_permissions(&init, std::fs::Permissions::from_mode(0o755))?;
    let mut command = in_namespace(KERNEL);
    command
        .arg(format!("mem={}M", guest.memory))
        .args(["rootfstype=hostfs", "rootflags=/", "ro"])
        .arg(format!("init={}", init.display()))
        .args(["con=null", "con0=null,fd:2", "con1=null,fd:1"])
        // Its sockets and pid file, which otherwise go to the user's home.
        .arg(format!("uml_dir={}/", directory.display()))
        // A second of measuring how fast a RAID would be.
        .arg("initcall_blacklist=raid6_select_algo")
        .args(["quiet", "oops=panic"]);
    Ok(command)
}
