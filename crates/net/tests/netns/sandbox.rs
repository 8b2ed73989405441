//! Network namespaces that vanish with the test, wires between them, and `ip`.

use std::fs::File;
use std::future::Future;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns, unshare};
use rk_base::IfIndex;
use serde_json::Value;

/// Set in the copy of the test program that runs inside a user namespace.
pub(crate) const INSIDE: &str = "RK_NET_INSIDE_USER_NAMESPACE";

/// Runs `body` where it may make network namespaces. `name` is the test's full name, by which an
/// ordinary user's copy of this program, inside a user namespace, finds it again.
pub(crate) fn sandboxed(name: &'static str, body: impl FnOnce() + Send + 'static) {
    // The namespace belongs to the thread and goes with it.
    let worker = thread::spawn(|| match unshare(CloneFlags::CLONE_NEWNET) {
        Ok(()) => {
            body();
            true
        }
        Err(_) => false,
    });
    match worker.join() {
        Ok(true) => {}
        Ok(false) if std::env::var_os(INSIDE).is_some() => {
            skipped(name, "no network namespaces even inside a user namespace");
        }
        Ok(false) => inside_user_namespace(name),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Says so past the test harness, which shows the output of failing tests only.
pub(crate) fn skipped(name: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {name}: {why}");
}

fn inside_user_namespace(name: &str) {
    let possible = Command::new("unshare").args(["-Urn", "true"]).output();
    if !possible.is_ok_and(|out| out.status.success()) {
        skipped(
            name,
            "neither network nor user namespaces are permitted here",
        );
        return;
    }
    let program = std::env::current_exe().unwrap();
    let out = Command::new("unshare")
        .arg("-Urn")
        .arg(program)
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&out.stderr);
    for line in stderr.lines().filter(|line| line.starts_with("skipped: ")) {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
    assert!(
        out.status.success(),
        "{name} failed inside a user namespace:\n{text}\n{stderr}"
    );
    assert!(
        text.contains("1 passed"),
        "{name} is not the name of a test"
    );
}

/// A network namespace with its loopback up.
pub(crate) struct Host {
    ns: File,
}

impl Host {
    pub(crate) fn new() -> Self {
        let ns = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        let host = Self {
            ns: ns.join().unwrap(),
        };
        host.ip("link set lo up");
        host
    }

    /// Runs `body` in this namespace. Sockets opened there stay there.
    pub(crate) fn run<T>(&self, body: impl FnOnce() -> T) -> T {
        let _back = self.enter();
        body()
    }

    /// Moves this thread here until the guard is dropped (also for code that awaits, as each test
    /// has its thread and runtime for itself).
    pub(crate) fn enter(&self) -> Back {
        let before = File::open("/proc/thread-self/ns/net").unwrap();
        setns(&self.ns, CloneFlags::CLONE_NEWNET).unwrap();
        Back(before)
    }

    /// `ip ARGS`, which must succeed.
    pub(crate) fn ip(&self, args: &str) -> String {
        self.ip_input(args, "")
    }

    /// `ip -batch -` of `lines`, which must succeed.
    pub(crate) fn ip_batch(&self, lines: &str) {
        self.ip_input("-batch -", lines);
    }

    fn ip_input(&self, args: &str, input: &str) -> String {
        use std::process::Stdio;
        let out = self.run(|| {
            let mut child = Command::new("ip")
                .args(args.split_whitespace())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("ip(8) of iproute2 is needed");
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(input.as_bytes()).unwrap();
            drop(stdin);
            child.wait_with_output().unwrap()
        });
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "ip {args}: {stderr}");
        String::from_utf8(out.stdout).unwrap()
    }

    /// `ip -j ARGS`, parsed.
    pub(crate) fn ip_json(&self, args: &str) -> Value {
        let text = self.ip(&format!("-j -d {args}"));
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn ifindex(&self, name: &str) -> IfIndex {
        let n = self.run(|| nix::net::if_::if_nametoindex(name).unwrap());
        IfIndex::new(n).unwrap()
    }

    /// The addresses of an interface as `ip` shows them, in its order: `addr/len`.
    pub(crate) fn shown(&self, name: &str) -> Vec<String> {
        let links = self.ip_json(&format!("addr show dev {name}"));
        let infos = links[0]["addr_info"].as_array().unwrap().clone();
        let text = |a: &Value| {
            format!(
                "{}/{}",
                a["local"].as_str().unwrap(),
                a["prefixlen"].as_u64().unwrap()
            )
        };
        infos.iter().map(text).collect()
    }

    fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.ns.as_raw_fd())
    }
}

/// Returns the thread to the namespace it was in.
pub(crate) struct Back(File);

impl Drop for Back {
    fn drop(&mut self) {
        setns(&self.0, CloneFlags::CLONE_NEWNET).unwrap();
    }
}

/// Two hosts on one wire: `a` has `va` (02:00:00:00:00:0a, 10.0.0.1/24, fe80::a), `b` has `vb`
/// (02:00:00:00:00:0b, 10.0.0.2/24, fe80::b).
pub(crate) fn two_hosts() -> (Host, Host) {
    let (a, b) = (Host::new(), Host::new());
    a.ip(&format!(
        "link add va address 02:00:00:00:00:0a type veth \
         peer name vb address 02:00:00:00:00:0b netns {}",
        b.path()
    ));
    for (host, dev, n, hex) in [(&a, "va", 1, "a"), (&b, "vb", 2, "b")] {
        // No link-local of the kernel's own making, and none that is still being tested.
        host.ip(&format!("link set {dev} addrgenmode none"));
        host.ip(&format!("addr add 10.0.0.{n}/24 dev {dev}"));
        host.ip(&format!("link set {dev} up"));
        host.ip(&format!("addr add fe80::{hex}/64 dev {dev} nodad"));
    }
    // The kernel notices the other end's carrier a little later, and throws packets away until it
    // has given the interface a queue.
    let deadline = Instant::now() + Duration::from_secs(10);
    for (host, dev) in [(&a, "va"), (&b, "vb")] {
        loop {
            let link = host.ip_json(&format!("link show dev {dev}"));
            if link[0]["operstate"] == "UP" && link[0]["qdisc"] != "noop" {
                break;
            }
            assert!(Instant::now() < deadline, "{dev} does not come up: {link}");
        }
    }
    (a, b)
}

/// Runs `future` on a runtime of the kind the daemon has; no test takes longer than ten seconds.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(10), future)
            .await
            .expect("not within ten seconds")
    })
}
