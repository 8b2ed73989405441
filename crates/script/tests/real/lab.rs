//! Scripts in a directory of their own, and waiting for what they do.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rk_script::{Command, Credentials};
use tokio::time::{Instant, sleep};

/// How long anything may take before a test fails.
const LIMIT: Duration = Duration::from_secs(20);

/// A directory with scripts, which write their findings beside themselves.
pub(crate) struct Lab {
    directory: tempfile::TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Scripts run as another user must reach it, too.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Makes the executable file `name` with these contents.
    pub(crate) fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> Command {
        let path = self.path(name);
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Command::new(path, Credentials::current())
    }

    /// Makes a shell script that runs `body` in this directory.
    pub(crate) fn script(&self, name: &str, body: &str) -> Command {
        self.file(
            name,
            format!(
                "#!/bin/sh\ncd {}\n{body}\n",
                self.directory.path().display()
            ),
        )
    }

    /// What the file `name` holds, once a script has written a whole line to it.
    pub(crate) async fn lines(&self, name: &str) -> String {
        self.read_until(name, |text| text.ends_with('\n')).await
    }

    /// What the file `name` holds, once `enough` says so.
    pub(crate) async fn read_until(&self, name: &str, enough: impl Fn(&str) -> bool) -> String {
        let path = self.path(name);
        until(&format!("{name} to be written"), || {
            fs::read_to_string(&path).ok().filter(|text| enough(text))
        })
        .await
    }
}

/// Polls for `event`; fails the test when it does not come.
pub(crate) async fn until<T>(what: &str, mut event: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(found) = event() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Waits for the process to be gone, or dead and not collected by whoever inherited it.
pub(crate) async fn until_dead(pid: &str) {
    let stat = Path::new("/proc").join(pid.trim()).join("stat");
    until(&format!("process {pid} to die"), || {
        let dead = fs::read_to_string(&stat).map_or(true, |stat| {
            stat.rsplit_once(") ")
                .is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
        });
        dead.then_some(())
    })
    .await;
}

/// All messages logged by this thread while it lives.
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Log {
    pub(crate) fn capture() -> Self {
        use tracing_subscriber::layer::SubscriberExt;
        let lines = Arc::default();
        let layer = Layer(Arc::clone(&lines));
        let subscriber = tracing_subscriber::registry().with(layer);
        Self {
            lines,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    pub(crate) async fn wait_for(&self, line: &str) {
        self.wait_until(&format!("the log line `{line}`"), |logged| logged == line)
            .await;
    }

    pub(crate) async fn wait_until(&self, what: &str, is_it: impl Fn(&str) -> bool) {
        until(what, || {
            self.lines
                .lock()
                .unwrap()
                .iter()
                .any(|line| is_it(line))
                .then_some(())
        })
        .await;
    }
}

struct Layer(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Layer {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Message(String);
        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    write!(self.0, "{value:?}").unwrap();
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap().push(message.0);
    }
}
