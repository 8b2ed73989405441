//! Starting a guest, listening to it, and seeing to its end.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::slot::Slot;
use super::{Guest, GuestError, GuestOutput, Kernel, RAN, Verdict, init, qemu, uml};
use crate::process::locked;

/// A program (or a path) that a guest needs of the machine, and the package that brings it.
pub(super) type Need = (&'static str, &'static str);
/// What every guest needs.
const NEEDS: &[Need] = &[
    ("modprobe", "kmod"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
    ("ip", "iproute2"),
    ("hostname", "hostname"),
];
/// System directories, which an ordinary user's `PATH` may lack.
const SYSTEM: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// What the kernel says when it cannot go on, or when it has met a bug in itself.
const KERNEL_FAILED: &[&str] = &[
    "Kernel panic",
    "Kernel mode fault",
    "BUG:",
    "Oops:",
    "kernel BUG",
];
/// How often to look whether a guest has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long a kernel that failed may go on telling about it.
const LAST_WORDS: Duration = Duration::from_millis(500);

fn has_failed(console: &str) -> bool {
    KERNEL_FAILED.iter().any(|words| console.contains(words))
}

/// See [`Guest::available`].
pub(super) fn available(kernel: Kernel) -> Result<(), GuestError> {
    let needs = match kernel {
        Kernel::UserMode => uml::NEEDS,
        Kernel::Debian => qemu::NEEDS,
    };
    for &(program, package) in NEEDS.iter().chain(needs) {
        if !is_there(program) {
            return Err(GuestError::Missing { program, package });
        }
    }
    if kernel == Kernel::Debian {
        qemu::image()?;
    }
    // The same question for every test of this process.
    static NAMESPACE: OnceLock<Option<String>> = OnceLock::new();
    let refused = NAMESPACE.get_or_init(|| {
        let output = in_namespace("true").stdin(Stdio::null()).output();
        match output {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Some(error.to_string()),
        }
    });
    match refused {
        None => Ok(()),
        Some(why) => Err(GuestError::Namespace(why.clone())),
    }
}

fn is_there(program: &str) -> bool {
    if program.starts_with('/') {
        return Path::new(program).exists();
    }
    find(program).is_some()
}

/// The program, wherever it is.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(SYSTEM.iter().map(Into::into))
        .map(|directory| directory.join(program))
        .find(|file| file.exists())
}

/// A command for `program` in a PID namespace that ends with the calling thread. User-Mode Linux
/// has helper processes that outlive it when it is killed, so its process group is not enough.
pub(super) fn in_namespace(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare"]);
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--pid", "--fork", "--kill-child", "--", program]);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:{}", SYSTEM.join(":")));
    command
}

/// Boots a guest for `scenario` (a shell script). The answer says, besides the output, whether a
/// test function was reached in it.
pub(super) fn run(guest: &Guest, scenario: &str) -> Result<(GuestOutput, bool), GuestError> {
    available(guest.kernel)?;
    let slot = Slot::take(guest.memory)?;
    let directory = slot.directory();
    init::write(directory, guest, scenario)?;

    let started = Instant::now();
    let mut command = match guest.kernel {
        Kernel::UserMode => uml::command(guest, directory)?,
        Kernel::Debian => qemu::command(guest, directory)?,
    };
    command
        .env("RK_LAB_GUEST_OF", std::process::id().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let output = child.stdout.take().map(gather);
    let console = child.stderr.take().map(gather);
    let mut failed_at = None;
    let in_time = loop {
        if child.try_wait()?.is_some() {
            break true;
        }
        let late = started.elapsed() > guest.deadline;
        // A kernel that panicked stays as it is; its last words may still be on their way.
        if failed_at.is_none() && console.as_ref().is_some_and(Gathered::tells_of_failure) {
            failed_at = Some(Instant::now());
        }
        if late || failed_at.is_some_and(|at| at.elapsed() > LAST_WORDS) {
            child.kill()?;
            child.wait()?;
            break !late;
        }
        crate::pause(LOOK_EVERY);
    };
    let took = started.elapsed();
    let stdout = output.map(Gathered::end).unwrap_or_default();
    let kernel = console.map(Gathered::end).unwrap_or_default();
    let status = std::fs::read_to_string(directory.join(init::VERDICT)).ok();
    let status = status.and_then(|text| text.trim().parse().ok());
    let verdict = match status {
        _ if has_failed(&kernel) => Verdict::Kernel,
        Some(status) => Verdict::Exit(status),
        None if in_time => Verdict::Lost,
        None => Verdict::Deadline,
    };
    let reached = directory.join(RAN).exists();
    let output = GuestOutput {
        verdict,
        stdout,
        kernel,
        took,
    };
    Ok((output, reached))
}

/// Everything that came out of a pipe.
struct Gathered {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

fn gather(from: impl Read + Send + 'static) -> Gathered {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&bytes);
    let reader = std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut some = [0; 8192];
        while let Ok(count @ 1..) = from.read(&mut some) {
            locked(&into).extend_from_slice(&some[..count]);
        }
    });
    Gathered { bytes, reader }
}

impl Gathered {
    fn tells_of_failure(&self) -> bool {
        has_failed(&String::from_utf8_lossy(&locked(&self.bytes)))
    }

    /// All of it: the writers ended with the namespace.
    fn end(self) -> String {
        self.reader.join().ok();
        String::from_utf8_lossy(&locked(&self.bytes)).into_owned()
    }
}
