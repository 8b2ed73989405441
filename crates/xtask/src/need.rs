//! What a command needs of the machine: Debian packages, and the right to make namespaces.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::tool;

/// A file that a Debian package brings, and the package.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    /// A program, found in `PATH` or the system directories; or a file, by its path, in whose last
    /// part a `*` stands for anything.
    program: &'static str,
    package: &'static str,
}

const fn need(program: &'static str, package: &'static str) -> Need {
    Need { program, package }
}

/// Building the daemon, and the hosts of the end-to-end tests.
pub(crate) const LAB: &[Need] = &[
    need("cc", "gcc"),
    need("pkg-config", "pkg-config"),
    need("/usr/include/openssl/ssl.h", "libssl-dev"),
    need("/usr/include/pcre2.h", "libpcre2-dev"),
    need("keepalived", "keepalived"),
    need("ip", "iproute2"),
    need("unshare", "util-linux"),
    need("hostname", "hostname"),
    need("killall", "psmisc"),
    need("ps", "procps"),
    need("nft", "nftables"),
    need("nginx", "nginx-light"),
    need("dnsmasq", "dnsmasq-base"),
    need("/usr/lib/postfix/sbin/smtpd", "postfix"),
    need("linux.uml", "user-mode-linux"),
    need("qemu-system-x86_64", "qemu-system-x86"),
    need("/boot/vmlinuz-*-amd64", "linux-image-amd64"),
    need("modprobe", "kmod"),
    need("ipvsadm", "ipvsadm"),
    need("curl", "curl"),
    need("openssl", "openssl"),
    need("ping", "iputils-ping"),
    need(
        "/usr/lib/python3/dist-packages/aiosmtpd/main.py",
        "python3-aiosmtpd",
    ),
];

/// What measures the memory of a program.
pub(crate) const TIME: &[Need] = &[need("/usr/bin/time", "time")];

/// The fuzzer: libFuzzer itself is C++.
pub(crate) const FUZZ: &[Need] = &[need("c++", "g++")];

/// The demonstration, on top of [`LAB`].
pub(crate) const DEMO: &[Need] = &[need("haproxy", "haproxy")];

/// Installs what is missing, if this is root; tells what to install otherwise.
pub(crate) fn packages(needs: &[&[Need]]) -> Result<()> {
    let missing: Vec<&str> = needs
        .iter()
        .copied()
        .flatten()
        .filter(|need| !is_there(need.program))
        .map(|need| need.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !nix_root() {
        bail!(
            "these Debian packages are missing: {0}\n  as root: apt-get install {0}",
            missing.join(" ")
        );
    }
    println!("installing {}", missing.join(" "));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null());
        tool::succeed(&mut command)
    };
    let install = [
        &["install", "-y", "-q", "--no-install-recommends"][..],
        &missing,
    ]
    .concat();
    // The list of packages may be fresh enough already.
    if apt(&install).is_err() {
        apt(&["update", "-q"])?;
        apt(&install)?;
    }
    Ok(())
}

fn is_there(program: &str) -> bool {
    if let Some((directory, name)) = program.rsplit_once('/')
        && let Some((start, end)) = name.split_once('*')
    {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        return names.any(|name| name.starts_with(start) && name.ends_with(end));
    }
    let path = std::env::var("PATH").unwrap_or_default();
    program.starts_with('/') && Path::new(program).exists()
        || path
            .split(':')
            .chain(["/usr/sbin", "/sbin", "/usr/bin", "/bin"])
            .any(|directory| Path::new(directory).join(program).exists())
}

fn nix_root() -> bool {
    tool::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Whether this process may make namespaces as it is.
fn may_make_namespaces() -> bool {
    quiet(Command::new("unshare").args(["--net", "--mount", "--pid", "--fork", "true"]))
}

fn quiet(command: &mut Command) -> bool {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// A command that runs `program` where namespaces may be made: as it is for root, inside a user
/// namespace for everyone else.
pub(crate) fn in_lab(program: &str) -> Result<Command> {
    if may_make_namespaces() {
        return Ok(Command::new(program));
    }
    if !quiet(Command::new("unshare").args(["-Ur", "true"])) {
        bail!(
            "namespaces may not be made here: be root, or allow user namespaces \
             (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, \
             user.max_user_namespaces)"
        );
    }
    let mut command = Command::new("unshare");
    command.args(["-Ur", "--", program]);
    Ok(command)
}

/// Makes sure that this very process may make namespaces, by running itself anew inside a user
/// namespace if it may not. Returns only if it may.
pub(crate) fn enter_lab() -> Result<()> {
    if may_make_namespaces() {
        return Ok(());
    }
    let own = std::env::current_exe().context("where this program is")?;
    let own = own
        .to_str()
        .context("the path of this program is not UTF-8")?;
    let error = in_lab(own)?.args(std::env::args_os().skip(1)).exec();
    Err(error).context("entering a user namespace")
}
