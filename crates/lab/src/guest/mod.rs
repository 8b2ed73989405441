//! A kernel of one's own: scenarios in a User-Mode-Linux guest, or in an emulated machine.
//!
//! What the machine's kernel lacks (IPVS, above all) is had from Debian's `user-mode-linux`: a
//! Linux that runs as an ordinary process and boots in about two seconds. Its root directory is
//! the machine's own, under an overlay whose changes stay in memory, so everything that is
//! installed is there, everything may be written, and nothing of it is kept.
//!
//! The comfortable way is a test whose body is a closure:
//!
//! ```no_run
//! // #[test]
//! fn a_service_can_be_added() {
//!     rk_lab::in_guest(|| {
//!         let lab = rk_lab::Lab::new("ipvs").expect("a laboratory");
//!         let director = lab.node("director");
//!         director.sh("ipvsadm -A -t 192.0.2.1:80 -s wrr");
//!     });
//! }
//! ```
//!
//! On the host this boots a guest whose only purpose is to run the same test function of the same
//! test binary; there the closure runs, as root, with [`crate::Lab`], captures and processes as
//! ever. What it prints is printed by the test outside, and what fails it fails the test outside.
//! [`Guest::script`] runs a shell script instead.
//!
//! ```text
//!  test process (host)                    guest
//!  ┌──────────────────────┐ fd 1: tty1   ┌───────────────────────────────────────────┐
//!  │ Guest::run           │◄─────────────│ the scenario's output                     │
//!  │  setpriv (dies with  │ fd 2: tty0   │                                           │
//!  │   the test)          │◄─────────────│ the kernel's messages                     │
//!  │   unshare --pid      │ hostfs, rw   │                                           │
//!  │    linux.uml         │◄────────────►│ /run/guest: init, scenario, ran, verdict  │
//!  └──────────────────────┘              └───────────────────────────────────────────┘
//! ```
//!
//! Where that kernel lacks something, too, [`Guest::debian`] boots Debian's in an emulated machine
//! (`qemu-system-x86`), which looks the same from inside.
//!
//! The guest lives in a PID namespace that ends with the test, however the test ends. As many run
//! beside each other as the machine has processors and free memory for; the others wait.

mod archive;
mod boot;
mod init;
mod qemu;
mod slot;
mod uml;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

/// The variable that tells a test that it runs in a guest; its value is the test's name.
const INSIDE: &str = "RK_LAB_GUEST";
/// Where a guest finds the directory it shares with its host.
const SHARED: &str = "/run/guest";
/// In [`SHARED`]: the test function was reached.
const RAN: &str = "ran";
/// Where the tests of this repository list what they skipped.
const SKIPS: &str = "RKEEPALIVED_TEST_SKIPS";
/// Set where every test is expected to run.
const INSIST: &str = "RKEEPALIVED_TEST_LAB";

/// How a guest is to be: memory, modules, time. Nothing boots before [`Self::run`] or
/// [`Self::script`].
#[derive(Clone, Debug)]
pub struct Guest {
    kernel: Kernel,
    memory: u32,
    modules: Vec<String>,
    deadline: Duration,
    environment: Vec<(String, String)>,
    shared: Vec<PathBuf>,
}

/// Which kernel a guest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kernel {
    /// That of `user-mode-linux`.
    UserMode,
    /// Debian's own, in an emulated machine.
    Debian,
}

/// How a scenario ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It ended by itself with this status; 0 is success.
    Exit(i32),
    /// The time limit passed; the guest was killed.
    Deadline,
    /// The guest's kernel panicked or met a bug of its own.
    Kernel,
    /// The guest ended without a verdict: it could not boot, or was powered off from inside.
    Lost,
}

/// What a guest left.
#[derive(Clone, Debug)]
pub struct GuestOutput {
    /// How it ended.
    pub verdict: Verdict,
    /// What the scenario wrote to its stdout and stderr, in order.
    pub stdout: String,
    /// What the guest's kernel and its start-up said.
    pub kernel: String,
    /// From power-on to the end.
    pub took: Duration,
}

impl GuestOutput {
    /// Whether the scenario succeeded.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Exit(0)
    }

    /// Returns what the scenario wrote.
    ///
    /// # Panics
    /// Unless it succeeded; with everything it and its kernel wrote.
    #[track_caller]
    #[must_use]
    pub fn expect_passed(self) -> String {
        assert!(self.passed(), "{self}");
        self.stdout
    }
}

impl std::fmt::Display for GuestOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.verdict {
            Verdict::Exit(status) => write!(f, "the scenario in the guest ended with {status}")?,
            Verdict::Deadline => f.write_str("the guest did not end within its time limit")?,
            Verdict::Kernel => f.write_str("the guest's kernel failed")?,
            Verdict::Lost => f.write_str("the guest ended without a verdict")?,
        }
        write!(f, " after {:.1} s; ", self.took.as_secs_f64())?;
        writeln!(f, "the scenario wrote:\n{}", self.stdout.trim_end())?;
        write!(f, "---- its kernel wrote:\n{}", self.kernel.trim_end())
    }
}

/// Why no guest can run here.
#[derive(Debug, Error)]
pub enum GuestError {
    /// A program is missing; the message says which package brings it.
    #[error("{program} is missing; as root: apt-get install {package}")]
    Missing {
        /// The program or directory.
        program: &'static str,
        /// Debian's package with it.
        package: &'static str,
    },
    /// Neither root nor the right to make user namespaces, so a guest could outlive its test.
    #[error("cannot make a PID namespace for the guest: {0}")]
    Namespace(String),
    /// The files of the guest could not be prepared, or it could not be started.
    #[error("cannot start a guest: {0}")]
    Start(#[from] std::io::Error),
}

impl Default for Guest {
    fn default() -> Self {
        Self::new()
    }
}

impl Guest {
    /// 256 MiB, no more modules than what a [`crate::Lab`] needs, two minutes.
    #[must_use]
    pub fn new() -> Self {
        Self {
            kernel: Kernel::UserMode,
            memory: 256,
            modules: Vec::new(),
            deadline: Duration::from_mins(2),
            environment: Vec::new(),
            shared: Vec::new(),
        }
    }

    /// A guest with Debian's own kernel, for what User-Mode Linux lacks: nftables, above all. It
    /// boots in ten seconds, and runs at a tenth of the machine's speed. 512 MiB, four minutes.
    #[must_use]
    pub fn debian() -> Self {
        Self {
            kernel: Kernel::Debian,
            memory: 512,
            deadline: Duration::from_mins(4),
            ..Self::new()
        }
    }

    /// How much memory it sees, in MiB. It is taken from the host as it is used.
    #[must_use]
    pub fn memory(mut self, mib: u32) -> Self {
        self.memory = mib;
        self
    }

    /// Modules to load before the scenario starts; a scenario whose module cannot be loaded is not
    /// started. What the kernel itself asks for (an address family, `ip link add type veth`, an
    /// IPVS scheduler) is loaded without being named here.
    #[must_use]
    pub fn modules(mut self, modules: &[&str]) -> Self {
        self.modules
            .extend(modules.iter().map(|&one| one.to_owned()));
        self
    }

    /// The longest it may take from power-on to the end. Waiting for its turn does not count.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// A variable for the scenario's environment, besides `RUST_*`, `CARGO_*`, `RKEEPALIVED_*` and
    /// `PROPTEST_*`, which it has as they are here.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A directory of the host in which the scenario's changes are to stay, by the same path.
    #[must_use]
    pub fn share(mut self, directory: &Path) -> Self {
        self.shared.push(directory.to_owned());
        self
    }

    /// Whether guests (of [`Self::new`]) can run here.
    ///
    /// # Errors
    /// What is missing, and which package brings it.
    pub fn available() -> Result<(), GuestError> {
        boot::available(Kernel::UserMode)
    }

    /// Runs a script with `sh` inside a guest, to its end. The verdict is in the output.
    ///
    /// # Errors
    /// When no guest can run here.
    pub fn script(&self, script: &str) -> Result<GuestOutput, GuestError> {
        boot::run(self, script).map(|(output, _)| output)
    }

    /// Runs `scenario` inside a guest, from a test function. Outside, this starts the guest and
    /// returns when it has ended, with its output printed; inside, it calls `scenario`.
    ///
    /// Where no guest can run, this says so, adds a line to the file that
    /// `RKEEPALIVED_TEST_SKIPS` names, and returns; where `RKEEPALIVED_TEST_LAB` is set it panics,
    /// but not for want of [`Self::debian`].
    ///
    /// # Panics
    /// When the scenario fails, with its output; when the guest fails; outside of a test thread.
    #[track_caller]
    pub fn run(&self, scenario: impl FnOnce()) {
        if inside() {
            let reached = Path::new(SHARED).join(RAN);
            if let Err(error) = std::fs::write(reached, "") {
                panic!("the guest's shared directory: {error}");
            }
            scenario();
            return;
        }
        if let Err(error) = boot::available(self.kernel) {
            // Not every machine can emulate one.
            let may_lack = self.kernel == Kernel::Debian;
            assert!(may_lack || std::env::var_os(INSIST).is_none(), "{error}");
            skipped(&error.to_string());
            return;
        }
        let name = test_name();
        let mut guest = self.clone();
        if let Some(directory) = std::env::var_os(SKIPS)
            .as_deref()
            .and_then(|file| Path::new(file).parent())
        {
            guest = guest.share(directory);
        }
        let program = match std::env::current_exe() {
            Ok(program) => program,
            Err(error) => panic!("this test's program: {error}"),
        };
        let script = format!(
            "export {INSIDE}={0}\nexec {1} --exact {0} --nocapture --test-threads=1\n",
            init::quoted(OsStr::new(&name)),
            init::quoted(program.as_os_str()),
        );
        let (output, reached) = match boot::run(&guest, &script) {
            Ok(done) => done,
            Err(error) => panic!("{error}"),
        };
        assert!(output.passed(), "{output}");
        assert!(
            reached,
            "test {name} was not found in the guest, so nothing was tested: {output}"
        );
        print(&output.stdout);
    }
}

/// Runs `scenario` in a guest with the usual settings; see [`Guest::run`].
///
/// # Panics
/// As [`Guest::run`] does.
#[track_caller]
pub fn in_guest(scenario: impl FnOnce()) {
    Guest::new().run(scenario);
}

/// Whether this process runs inside a guest.
#[must_use]
pub fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// The name by which the test harness knows the running test: it is the thread's.
#[track_caller]
fn test_name() -> String {
    let thread = std::thread::current();
    match thread.name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => panic!("a guest is started from the thread of a test function"),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the harness shows it as the test's own"
)]
fn print(text: &str) {
    print!("{text}");
}

/// Says that a test could not run, also where the caller of the suite counts it.
#[expect(clippy::print_stderr, reason = "nobody shall believe that it ran")]
fn skipped(why: &str) {
    use std::io::Write as _;
    let name = std::thread::current().name().unwrap_or("?").to_owned();
    let line = format!("skipped: {name}: {why}\n");
    eprint!("{line}");
    let Some(path) = std::env::var_os(SKIPS) else {
        return;
    };
    let file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path);
    if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
        panic!("{}: {error}", path.display());
    }
}
