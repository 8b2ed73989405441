//! The parent, with children that the test plays.

use std::cell::RefCell;
use std::path::PathBuf;

use nix::sys::signal::Signal as Death;
use rk_base::Family;
use rk_config::model::{Origin, Service, VirtualServer};

use super::*;
use crate::ipc::{ChildLink, Command, LinkFd};

thread_local! {
    /// The children's ends of the links, in the order of starting.
    static CHILDREN: RefCell<Vec<LinkFd>> = const { RefCell::new(Vec::new()) };
}

/// A pid that no process has.
fn pid(n: i32) -> Pid {
    Pid::from_raw(i32::MAX - n)
}

/// "Starts" a child: its end of the link is kept for the test.
fn play(_: Process, _: &Config, _: &Options, events: &UnboundedSender<Event>) -> io::Result<Child> {
    let (ours, theirs) = LinkFd::pair()?;
    CHILDREN.with_borrow_mut(|children| {
        children.push(theirs);
        Child::at(pid(i32::try_from(children.len()).unwrap()), ours, events)
    })
}

/// The link of the child that was started last.
fn last_child() -> ChildLink {
    let link = CHILDREN.with_borrow_mut(|children| {
        let (spare, _) = LinkFd::pair().unwrap();
        let last = children.last_mut().expect("a child was started");
        std::mem::replace(last, spare)
    });
    link.connect().unwrap()
}

fn started() -> usize {
    CHILDREN.with_borrow(Vec::len)
}

/// A parent whose VRRP process always has work, and its configuration file.
struct Stage {
    supervisor: Supervisor,
    inbox: UnboundedReceiver<Event>,
    file: PathBuf,
    _dir: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keepalived.conf");
        std::fs::write(&file, "").unwrap();
        let mut options = Options {
            config_file: Some(file.to_string_lossy().into_owned()),
            ..Options::default()
        };
        options.wanted.even_unconfigured = true;
        options.pid_paths.vrrp = Some(dir.path().join("vrrp.pid"));
        let (events, inbox) = unbounded_channel();
        let slot = Slot {
            process: Process::Vrrp,
            state: State::Idle,
            respawn: Respawn::default(),
            pid_file: None,
        };
        // Settled already: a reload must not change the umask of this process, whose other tests
        // make files.
        let mut config = Config::default();
        config.global.umask = Some(0o177);
        let supervisor = Supervisor {
            options,
            config: Arc::new(config),
            slots: vec![slot],
            phase: Phase::Starting,
            reload: Reload::Idle,
            events,
            start_child: play,
        };
        Self {
            supervisor,
            inbox,
            file,
            _dir: dir,
        }
    }

    fn signal(&mut self, signal: Signal) {
        self.supervisor.handle(Event::Signal(signal));
    }

    /// The child says something, and the parent hears it.
    async fn hear(&mut self, child: &ChildLink, message: FromChild) {
        child.send(&message).unwrap();
        let event = self.inbox.recv().await.unwrap();
        self.supervisor.handle(event);
    }

    fn pid_file(&self) -> String {
        std::fs::read_to_string(self.file.with_file_name("vrrp.pid")).unwrap()
    }
}

fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(test)
}

/// What the child is asked for next, within a second.
async fn asked(child: &ChildLink) -> Command {
    let asked = tokio::time::timeout(Duration::from_secs(10), child.recv());
    asked
        .await
        .expect("the parent asks")
        .unwrap()
        .expect("the parent lives")
}

/// Nothing waits to be read: the next thing that is asked for is `marker`.
async fn only_marker(stage: &mut Stage, child: &ChildLink) {
    stage.signal(Signal::DumpJson);
    assert!(matches!(asked(child).await, Command::DumpJson));
}

#[test]
fn a_start_is_over_when_the_child_is_ready() {
    run(async {
        let mut stage = Stage::new();
        stage.supervisor.start_children();
        stage.supervisor.settle();
        assert_eq!(stage.supervisor.phase, Phase::Starting);
        assert_eq!(stage.pid_file(), format!("{}\n", pid(1)));
        let child = last_child();
        stage.hear(&child, FromChild::Ready).await;
        assert_eq!(stage.supervisor.phase, Phase::Running);
    });
}

#[test]
fn reloads_asked_for_meanwhile_become_one() {
    run(async {
        let mut stage = Stage::new();
        stage.supervisor.start_children();
        let child = last_child();
        // Before it is ready: the reload comes after the start.
        stage.signal(Signal::Reload);
        only_marker(&mut stage, &child).await;
        stage.hear(&child, FromChild::Ready).await;
        assert!(matches!(asked(&child).await, Command::Reload(_)));
        // Three more while it is at it.
        for _ in 0..3 {
            stage.signal(Signal::Reload);
        }
        only_marker(&mut stage, &child).await;
        stage.hear(&child, FromChild::ReloadDone).await;
        assert!(matches!(asked(&child).await, Command::Reload(_)));
        stage.hear(&child, FromChild::ReloadDone).await;
        only_marker(&mut stage, &child).await;
        assert_eq!(stage.supervisor.reload, Reload::Idle);
    });
}

#[test]
fn a_configuration_that_cannot_be_used_changes_nothing() {
    run(async {
        let mut stage = Stage::new();
        stage.supervisor.start_children();
        let child = last_child();
        stage.hear(&child, FromChild::Ready).await;
        let before = Arc::clone(&stage.supervisor.config);
        std::fs::remove_file(&stage.file).unwrap();
        stage.signal(Signal::Reload);
        assert!(Arc::ptr_eq(&before, &stage.supervisor.config));
        assert_eq!(stage.supervisor.reload, Reload::Idle);
        only_marker(&mut stage, &child).await;
        // And the next one that can be is taken.
        std::fs::write(&stage.file, "").unwrap();
        stage.signal(Signal::Reload);
        assert!(matches!(asked(&child).await, Command::Reload(_)));
    });
}

#[test]
fn requests_reach_the_child_once_each() {
    run(async {
        let mut stage = Stage::new();
        stage.supervisor.start_children();
        let child = last_child();
        stage.signal(Signal::DumpStats);
        stage.signal(Signal::DumpStatsAndClear);
        assert!(matches!(asked(&child).await, Command::DumpStats));
        assert!(matches!(asked(&child).await, Command::DumpStatsAndClear));
        only_marker(&mut stage, &child).await;
    });
}

#[test]
fn a_dead_child_comes_back_later_and_later() {
    run(async {
        let mut stage = Stage::new();
        stage.supervisor.start_children();
        let killed = |n| WaitStatus::Signaled(pid(n), Death::SIGKILL, false);
        stage.supervisor.ended(&killed(1));
        assert_eq!(started(), 2, "at once");
        assert_eq!(stage.pid_file(), format!("{}\n", pid(2)));
        stage.supervisor.ended(&killed(2));
        assert_eq!(started(), 2, "not at once");
        assert_eq!(stage.pid_file(), "");
        assert!(
            stage
                .supervisor
                .deadline()
                .is_some_and(|at| at > Instant::now())
        );
        // A reload may be the remedy: it starts the child without waiting.
        stage.supervisor.phase = Phase::Running;
        stage.signal(Signal::Reload);
        assert_eq!(started(), 3);
        let child = last_child();
        stage.hear(&child, FromChild::Ready).await;
        assert_eq!(stage.supervisor.reload, Reload::Idle);
        // The end of a process that is no child of ours means nothing.
        stage.supervisor.ended(&WaitStatus::Exited(pid(77), 2));
        assert_eq!(stage.supervisor.phase, Phase::Running);
    });
}

#[test]
fn some_deaths_end_the_daemon() {
    run(async {
        let status_after = |how: WaitStatus, dont_respawn| {
            CHILDREN.take();
            let mut stage = Stage::new();
            stage.supervisor.options.dont_respawn = dont_respawn;
            stage.supervisor.start_children();
            stage.supervisor.ended(&how);
            match stage.supervisor.phase {
                Phase::Stopping { status, .. } => Some(status),
                Phase::Starting | Phase::Running => None,
            }
        };
        for code in [1, 2, 4] {
            let want = Some(u8::try_from(code).unwrap());
            assert_eq!(status_after(WaitStatus::Exited(pid(1), code), false), want);
        }
        for code in [0, 3, 70, 204] {
            assert_eq!(
                status_after(WaitStatus::Exited(pid(1), code), false),
                None,
                "{code}"
            );
        }
        let killed = WaitStatus::Signaled(pid(1), Death::SIGSEGV, false);
        assert_eq!(status_after(killed, false), None);
        assert_eq!(status_after(killed, true), Some(0));
    });
}

#[test]
fn a_stop_has_a_deadline() {
    run(async {
        let mut stage = Stage::new();
        stage.supervisor.start_children();
        stage.signal(Signal::Stop);
        let Phase::Stopping {
            status: 0,
            kill_at: Some(at),
        } = stage.supervisor.phase
        else {
            panic!("{:?}", stage.supervisor.phase)
        };
        assert_eq!(stage.supervisor.deadline(), Some(at));
        // Asking again moves nothing, and nothing is reloaded any more.
        stage.signal(Signal::Stop);
        stage.signal(Signal::Reload);
        assert_eq!(stage.supervisor.deadline(), Some(at));
        assert!(stage.supervisor.any_alive());
        stage.supervisor.ended(&WaitStatus::Exited(pid(1), 0));
        assert!(!stage.supervisor.any_alive());
        assert_eq!(started(), 1, "nothing comes back");
    });
}

#[test]
fn a_child_runs_when_it_may_and_has_work() {
    let mut options = Options::default();
    let mut config = Config::default();
    assert!(!wanted(Process::Vrrp, &options, &config));
    options.wanted.even_unconfigured = true;
    assert!(wanted(Process::Vrrp, &options, &config));
    options.wanted.vrrp = false;
    assert!(!wanted(Process::Vrrp, &options, &config));
    options = Options::default();
    let service = Service::Fwmark {
        mark: 1,
        family: Family::V4,
    };
    let server = VirtualServer::new(service, Origin::default());
    config.virtual_servers.push(server);
    assert!(!wanted(Process::Vrrp, &options, &config));
}

#[test]
fn a_reload_cannot_move_the_daemon() {
    let old = Config::default();
    let mut new = Config::default();
    new.global.router_id = Some("other".into());
    assert_eq!(unchangeable(&old, &new), None);
    new.global.net_namespace = Some("x".into());
    assert_eq!(unchangeable(&old, &new), Some("network namespace"));
}
