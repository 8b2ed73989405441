//! One test host, held by one process.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::Backlog;
use nix::unistd::Pid;

use crate::capture::Capture;
use crate::process::Process;

/// What the first process of a node does: name the host, cover every directory a daemon writes
/// to, offer the binaries under test (which may lie below /tmp) in /run/lab, and then hold the
/// namespaces until its input is closed. SIGCHLD is ignored across the last `exec`, so that the
/// kernel reaps whatever a killed daemon leaves to process 1.
const HOLD: &str = r#"
set -e
hostname "$1"
shift
mount -t sysfs sysfs /sys 2>/dev/null || :
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/lab /run/lock
for binary; do
    touch "/run/lab/${binary##*/}"
    mount --bind "$binary" "/run/lab/${binary##*/}"
done
for directory in /etc/keepalived /etc/init.d /usr/local/sbin /var/log /var/spool; do
    [ ! -d "$directory" ] || mount -t tmpfs -o mode=755 tmpfs "$directory"
done
for directory in /tmp /var/tmp; do
    mount -t tmpfs -o mode=1777 tmpfs "$directory"
done
[ ! -d /proc/sys/net/ipv6 ] || {
    echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
    echo 0 > /proc/sys/net/ipv6/conf/default/accept_ra
}
ip link set lo up
echo ready
exec env --ignore-signal=CHLD cat > /dev/null
"#;

/// How long a port may be held by nobody who wants it.
const PORT_FREE: Duration = Duration::from_secs(5);

/// A host with network, PID, mount, UTS and IPC namespaces of its own.
#[derive(Debug)]
pub struct Node {
    name: String,
    unshare: Child,
    /// Process 1 of the node, as its number is outside.
    init: Pid,
    /// Its end tells the holder to leave, even when we are killed without a chance to drop.
    _input: ChildStdin,
}

impl Node {
    /// Makes the namespaces and waits until they are set up; each of `offer` is then found in
    /// `/run/lab/`.
    ///
    /// # Errors
    /// When namespaces may not be made here (neither root nor in a user namespace).
    pub(crate) fn new(name: &str, offer: &[PathBuf]) -> Result<Self> {
        let mut unshare = Command::new("unshare")
            .args(["--net", "--pid", "--mount", "--uts", "--ipc"])
            .args([
                "--fork",
                "--kill-child",
                "--mount-proc",
                "sh",
                "-c",
                HOLD,
                "hold",
                name,
            ])
            .args(offer)
            .env("PATH", SYSTEM_PATH)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("unshare (of util-linux) cannot be started")?;
        let input = unshare.stdin.take().context("stdin was piped")?;
        let mut ready = String::new();
        BufReader::new(unshare.stdout.take().context("stdout was piped")?).read_line(&mut ready)?;
        let parent = pid_of(&unshare);
        let Some(init) = children_of(parent)
            .first()
            .copied()
            .filter(|_| ready == "ready\n")
        else {
            drop(input);
            let mut why = String::new();
            unshare.kill().ok();
            unshare
                .stderr
                .take()
                .context("stderr was piped")?
                .read_to_string(&mut why)?;
            unshare.wait()?;
            bail!(
                "cannot make the namespaces of test host {name}: {}",
                why.trim()
            );
        };
        Ok(Self {
            name: name.to_owned(),
            unshare,
            init,
            _input: input,
        })
    }

    /// The host name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Process 1 of the node as its number is outside (`ip link ... netns PID` takes it).
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.init.as_raw()
    }

    /// The command that runs `program` inside the node, in `/`, in the environment of a host that
    /// has just started: nothing of the caller's.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.nsenter(&["-n", "-p", "-m", "-u", "-i", "--wd=/"]);
        command
            .arg(program)
            .env_clear()
            .env("PATH", SYSTEM_PATH)
            .env("HOME", "/root")
            .env("LANG", "C.UTF-8");
        command
    }

    /// A command for the node's namespaces; the program is still to be named.
    fn nsenter(&self, namespaces: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["-t", &self.pid().to_string()])
            .args(namespaces)
            .arg("--")
            .env("PATH", SYSTEM_PATH)
            .stdin(Stdio::null());
        command
    }

    /// As [`Self::sh`], but in the network namespace only: process numbers and files are the
    /// caller's.
    ///
    /// # Panics
    /// Unless the script ended with status 0.
    #[track_caller]
    pub fn net_sh(&self, script: &str) -> String {
        let mut command = self.nsenter(&["-n"]);
        match command.args(["sh", "-c", script]).output() {
            Ok(output) => self.stdout_of(script, &output),
            Err(error) => panic!("{}: nsenter: {error}", self.name),
        }
    }

    /// Runs `script` with `sh` inside the node, to its end.
    ///
    /// # Panics
    /// If nsenter or sh cannot be started.
    #[track_caller]
    pub fn try_sh(&self, script: &str) -> Output {
        match self.command("sh").args(["-c", script]).output() {
            Ok(output) => output,
            Err(error) => panic!("{}: nsenter: {error}", self.name),
        }
    }

    /// As [`Self::try_sh`]; returns what it wrote to stdout.
    ///
    /// # Panics
    /// Unless the script ended with status 0.
    #[track_caller]
    pub fn sh(&self, script: &str) -> String {
        self.stdout_of(script, &self.try_sh(script))
    }

    #[track_caller]
    fn stdout_of(&self, script: &str, output: &Output) -> String {
        assert!(
            output.status.success(),
            "{}: `{script}` ended with {}\n{}{}",
            self.name,
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts a program inside the node and collects the lines it writes.
    ///
    /// # Panics
    /// If it cannot be started.
    #[track_caller]
    pub fn spawn(&self, program: &str, arguments: &[&str]) -> Process {
        let mut command = self.command(program);
        command.args(arguments);
        Process::start(&format!("{}:{program}", self.name), command)
    }

    /// What `ip -j ARGUMENTS` prints inside the node.
    ///
    /// # Panics
    /// If `ip` fails.
    #[track_caller]
    pub fn ip_json(&self, arguments: &str) -> serde_json::Value {
        let text = self.sh(&format!("ip -j {arguments}"));
        if text.trim().is_empty() {
            return serde_json::Value::Array(Vec::new());
        }
        match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(error) => panic!("ip -j {arguments}: {error} in {text}"),
        }
    }

    /// Every address of interface `dev`, in the kernel's order.
    ///
    /// # Panics
    /// If the node is gone.
    #[track_caller]
    #[must_use]
    pub fn addresses(&self, dev: &str) -> Vec<IpAddr> {
        self.in_net(|| {
            let Ok(all) = nix::ifaddrs::getifaddrs() else {
                return Vec::new();
            };
            all.filter(|one| {
                one.interface_name == dev || one.interface_name.starts_with(&format!("{dev}:"))
            })
            .filter_map(|one| {
                let address = one.address?;
                if let Some(v4) = address.as_sockaddr_in() {
                    return Some(IpAddr::V4(v4.ip()));
                }
                address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()))
            })
            .collect()
        })
    }

    /// Whether `dev` has `address` now.
    ///
    /// # Panics
    /// If `address` is none, or the node is gone.
    #[track_caller]
    #[must_use]
    pub fn has(&self, dev: &str, address: &str) -> bool {
        let Ok(address) = address.parse() else {
            panic!("`{address}` is no address")
        };
        self.addresses(dev).contains(&address)
    }

    /// Waits until `dev` has `address`, or until it has not.
    ///
    /// # Panics
    /// When the deadline passes first.
    #[track_caller]
    pub fn wait_address(&self, dev: &str, address: &str, present: bool, deadline: Duration) {
        let verb = if present { "on" } else { "gone from" };
        crate::eventually(
            deadline,
            &format!("{address} {verb} {}:{dev}", self.name),
            || (self.has(dev, address) == present).then_some(()),
        );
    }

    /// Starts reading what `dev` sends and receives.
    ///
    /// # Panics
    /// If the interface does not exist.
    #[track_caller]
    #[must_use]
    pub fn capture(&self, dev: &str) -> Capture {
        Capture::start(self, dev)
    }

    /// Runs `job` in a thread inside the node's network namespace (only that one: files and
    /// processes stay the caller's).
    ///
    /// # Panics
    /// If the node is gone, or `job` panics.
    #[track_caller]
    pub fn in_net<T: Send>(&self, job: impl FnOnce() -> T + Send) -> T {
        let net = self.net();
        let result =
            std::thread::scope(|scope| scope.spawn(move || net.enter().map(|()| job())).join());
        match result {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => panic!("{}: setns: {error}", self.name),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// A port of the node that takes thousands of connections while nobody accepts one: a place for
    /// checks to connect to. Dropping closes it.
    ///
    /// # Panics
    /// If somebody else has it, or the node is gone.
    #[track_caller]
    #[must_use]
    pub fn open_port(&self, address: SocketAddr) -> TcpListener {
        let what = format!("a listener on {address} of {}", self.name);
        let open = || {
            let listener = TcpListener::bind(address).ok()?;
            // The library's own queue is too short for a check every second.
            nix::sys::socket::listen(&listener, Backlog::MAXALLOWABLE).ok()?;
            Some(listener)
        };
        // One that was dropped lives on in programs that are just being started.
        self.in_net(|| crate::eventually(PORT_FREE, &what, open))
    }

    /// The node's network namespace, for a thread that is to live in it.
    ///
    /// # Panics
    /// If the node is gone.
    #[track_caller]
    #[must_use]
    pub fn net(&self) -> Net {
        match fs::File::open(format!("/proc/{}/ns/net", self.init)) {
            Ok(file) => Net(file),
            Err(error) => panic!("{}: its network namespace is gone: {error}", self.name),
        }
    }

    /// The path under which `path` of the node is reached from outside. Beware of symbolic links
    /// with absolute targets: they are followed outside.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.init)).join(path.trim_start_matches('/'))
    }

    /// Writes a file inside the node, with its directories, mode 0644.
    ///
    /// # Panics
    /// If that fails.
    #[track_caller]
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        self.write_mode(path, content.as_ref(), 0o644);
    }

    /// Writes an executable file (0755) inside the node.
    ///
    /// # Panics
    /// If that fails.
    #[track_caller]
    pub fn script(&self, path: &str, content: &str) {
        self.write_mode(path, content.as_bytes(), 0o755);
    }

    #[track_caller]
    fn write_mode(&self, path: &str, content: &[u8], mode: u32) {
        let outside = self.path(path);
        let done = || {
            fs::create_dir_all(outside.parent().unwrap_or(Path::new("/")))?;
            fs::write(&outside, content)?;
            fs::set_permissions(&outside, fs::Permissions::from_mode(mode))
        };
        if let Err(error) = done() {
            panic!("{}: cannot write {path}: {error}", self.name);
        }
    }

    /// The content of a file inside the node, if there is one.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<String> {
        fs::read(self.path(path))
            .ok()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends `signal` (a name or number as `kill` takes it) to processes by their numbers inside
    /// the node.
    ///
    /// # Panics
    /// If one of them does not exist.
    #[track_caller]
    pub fn kill(&self, signal: &str, pids: &[i32]) {
        let list: Vec<_> = pids.iter().map(ToString::to_string).collect();
        self.sh(&format!("kill -{signal} {}", list.join(" ")));
    }

    /// Numbers (inside the node) of the processes whose command name is `comm`, zombies left out.
    #[must_use]
    pub fn pids(&self, comm: &str) -> Vec<i32> {
        let Ok(list) = fs::read_dir(self.path("/proc")) else {
            return Vec::new();
        };
        let mut pids: Vec<i32> = list
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| {
                let stat = fs::read_to_string(self.path(&format!("/proc/{pid}/stat")));
                stat.is_ok_and(|stat| {
                    let name = stat
                        .split_once('(')
                        .and_then(|(_, rest)| rest.rsplit_once(')'));
                    name.is_some_and(|(name, rest)| name == comm && !rest.starts_with(" Z"))
                })
            })
            .collect();
        pids.sort_unstable();
        pids
    }
}

/// A network namespace.
#[derive(Debug)]
pub struct Net(fs::File);

impl Net {
    /// Takes the calling thread into it, for good.
    ///
    /// # Errors
    /// Without the right to.
    pub fn enter(&self) -> std::io::Result<()> {
        Ok(nix::sched::setns(
            &self.0,
            nix::sched::CloneFlags::CLONE_NEWNET,
        )?)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // The first process of a PID namespace takes all others with it.
        kill(self.init, Signal::SIGKILL).ok();
        let patience = Instant::now();
        while matches!(self.unshare.try_wait(), Ok(None)) {
            if patience.elapsed() > Duration::from_secs(5) {
                self.unshare.kill().ok();
            }
            crate::pause(Duration::from_millis(2));
        }
    }
}

/// What a system's own programs are looked up in; an ordinary user's `PATH` may lack half of it.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The number of a child process.
pub(crate) fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

/// The direct children of a process.
pub(crate) fn children_of(parent: Pid) -> Vec<Pid> {
    let Ok(list) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    list.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            after_name.split(' ').nth(1) == Some(parent.to_string().as_str())
        })
        .map(Pid::from_raw)
        .collect()
}
