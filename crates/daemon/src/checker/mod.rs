//! The checker process: one thread, one loop around the core, and a thread for the kernel's table.
//!
//! ```text
//!   attempts' ends ─┐                               ┌── attempts (a task each)
//!   core's timer ───┤                               ├── the IPVS wrapper (a thread)
//!   netlink ────────┼──▶ Director (sans-IO) ──▶ ────┼── scripts, FIFOs, mail (tasks)
//!   files ──────────┤                               └── log
//!   the parent ─────┘
//! ```

mod alarm;
mod attempts;
mod files;
mod keeper;
mod marks;
mod notify;
pub(crate) mod record;
mod table;
pub(crate) mod translate;
mod view;
mod wrapper;

use std::collections::{HashMap, HashSet};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rk_checker::probe::PingGroupRange;
use rk_checker::state::{Director, Input, Level, Output, Part, ProbeKey, ServiceKey, Whereabouts};
use rk_config::model::{self, Origin};
use rk_net::{Change, Clock, ReceiveBuffer, Reflector};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinHandle, LocalSet};
use tracing::{debug, error, info, warn};

use self::alarm::Alarm;
use self::attempts::{Attempts, Ended};
use self::files::{Files, Value};
use self::marks::{Marks, Numbers};
use self::notify::Notifier;
use self::table::Want;
use self::translate::{Plan, Work, plan};
use self::wrapper::{Setup, Wrapper};
use crate::cli::Options;
use crate::ipc::{ChildLink, ChildStart, Command, FromChild};
use crate::ipvs::opener;
use crate::signal::{Held, Signal};
use crate::sys;

/// How long the services may take to go when the process stops.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// How long after the start what it has left over is given back: the kernel's table has priority.
const SETTLED: Duration = Duration::from_secs(5);

/// Everything that can wake the loop.
enum Wake {
    Timer,
    Ended(Box<Ended>),
    Kernel(Vec<Change>),
    Files(std::io::Result<Vec<Value>>),
    Parent(std::io::Result<Option<Command>>),
    Config(Box<std::io::Result<model::Config>>),
    Signal(Signal),
    Stop,
}

/// What the process holds.
struct World {
    clock: Clock,
    options: Options,
    director: Director,
    works: HashMap<ProbeKey, Arc<Work>>,
    attempts: Attempts,
    wrapper: Wrapper,
    /// Which marks stand for which groups (`nftables_ipvs`), and who sets them.
    numbers: Numbers,
    marks: Marks,
    notifier: Notifier,
    /// Only while some virtual server follows an address (`ha_suspend`).
    reflector: Option<(Reflector, Option<ReceiveBuffer>)>,
    files: Option<Files>,
    ping: Option<PingGroupRange>,
    config: Arc<model::Config>,
}

/// Runs the checker process until the parent ends it.
pub(crate) fn run(start: ChildStart) -> ExitCode {
    /// `EX_SOFTWARE`: worth another try.
    const SOFTWARE: u8 = 70;
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => {
            error!("the checker process cannot start: {e}");
            return ExitCode::from(SOFTWARE);
        }
    };
    match LocalSet::new().block_on(&runtime, serve(start)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            error!("the checker process ends: {e:#}");
            ExitCode::from(SOFTWARE)
        }
    }
}

async fn serve(start: ChildStart) -> anyhow::Result<()> {
    let link = start.link.connect().context("connecting to the parent")?;
    let mut numbers = Numbers::default();
    numbers.settle(&start.config);
    let Plan {
        settings,
        works,
        origins,
    } = plan(&start.config, &numbers);
    let setup = Setup::of(&start.config, &start.options, known(origins));
    let wrapper = if let Some(file) = start.options.record_ipvs.clone() {
        Wrapper::start(setup, move || record::open(&file))
    } else {
        Wrapper::start(setup, opener(&start.config.global))
    };
    let seed = u64::from(process::id()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut world = World {
        clock: Clock::new(),
        director: Director::new(settings, seed),
        works,
        attempts: Attempts::default(),
        wrapper,
        marks: Marks::start(&start.config),
        numbers,
        notifier: Notifier::start(&start.config),
        reflector: None,
        files: None,
        ping: None,
        options: start.options,
        config: start.config,
    };
    tokio::task::spawn_local(alarm::heart());
    world.marks.want(world.numbers.packets(&world.config));
    world.follow(None).await?;
    world.start();
    if world.options.dump_conf {
        world.log_configuration();
    }
    if let Err(e) = link.send(&FromChild::Ready) {
        warn!("the parent cannot be told that the checkers run: {e}");
    }
    tokio::task::spawn_local(async {
        tokio::time::sleep(SETTLED).await;
        sys::release_memory();
    });
    turn_until_end(&mut world, &link).await?;
    world.stop().await;
    Ok(())
}

/// The loop.
async fn turn_until_end(world: &mut World, link: &ChildLink) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate()).context("watching for TERM")?;
    let mut int = signal(SignalKind::interrupt()).context("watching for INT")?;
    let direct = Held::hold_for_child()
        .and_then(Held::listen)
        .context("watching for signals")?;
    let mut alarm = Alarm::new(world.clock);
    let mut reading: Option<JoinHandle<std::io::Result<model::Config>>> = None;
    loop {
        alarm.set(world.director.due());
        let ignore_sigint = world.options.ignore_sigint;
        let wake = tokio::select! {
            () = alarm.rings() => Wake::Timer,
            ended = world.attempts.ended() => Wake::Ended(Box::new(ended)),
            changes = follow(&mut world.reflector) => Wake::Kernel(changes.context("following addresses")?),
            values = changed(&mut world.files) => Wake::Files(values),
            message = link.recv() => Wake::Parent(message),
            config = join(&mut reading), if reading.is_some() => Wake::Config(Box::new(config)),
            signal = direct.recv() => Wake::Signal(signal.context("reading signals")?),
            _ = term.recv() => Wake::Stop,
            _ = int.recv(), if !ignore_sigint => Wake::Stop,
        };
        match wake {
            Wake::Timer => world.feed(Input::Timer),
            Wake::Ended(ended) => {
                let virtual_server = world.director.virtual_server_of(ended.check);
                world.attempts.note(&ended, virtual_server);
                world.feed(Input::Done {
                    check: ended.check,
                    attempt: ended.attempt,
                    outcome: ended.report.outcome,
                });
            }
            Wake::Kernel(changes) => world.addresses_changed(&changes),
            Wake::Files(values) => world.files_changed(values),
            Wake::Config(config) => {
                match *config {
                    Ok(config) => world.reload(config).await?,
                    Err(e) => {
                        error!("the new configuration did not arrive, the old one stays: {e}");
                    }
                }
                if let Err(e) = link.send(&FromChild::ReloadDone) {
                    warn!("the parent cannot be told that the reload is done: {e}");
                }
            }
            Wake::Parent(Ok(Some(Command::Reload(snapshot)))) => {
                info!("Reloading");
                reading = Some(tokio::task::spawn_blocking(|| snapshot.read_config()));
            }
            Wake::Parent(Ok(Some(Command::DumpData))) | Wake::Signal(Signal::DumpData) => {
                world.dump();
            }
            // There are no counters and no JSON of this process.
            Wake::Parent(Ok(Some(_))) => {}
            Wake::Signal(Signal::Reload) => {
                info!("to reload, signal the parent process: it reads the file");
            }
            Wake::Signal(_) => {}
            Wake::Parent(Ok(None)) => {
                warn!("the parent process is gone: stopping");
                return Ok(());
            }
            Wake::Parent(Err(e)) => warn!("the parent said what this version does not know: {e}"),
            Wake::Stop => return Ok(()),
        }
    }
}

impl World {
    /// Starts the core, so that the kernel has the first services while the last are yet to come.
    fn start(&mut self) {
        let (mut out, mut next) = (Vec::new(), Some(Part::FIRST));
        while let Some(part) = next {
            next = self.director.start_part(self.clock.now(), part, &mut out);
            self.perform(&out);
            out.clear();
        }
    }

    /// Feeds the core and does what it says, in its order.
    fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        self.director.handle(self.clock.now(), input, &mut out);
        self.perform(&out);
    }

    fn perform(&mut self, outputs: &[Output]) {
        let is_want =
            |it: &&Output| matches!(it, Output::Service { .. } | Output::Destination { .. });
        let mut wants = Vec::with_capacity(outputs.iter().filter(is_want).count());
        for output in outputs {
            match output {
                Output::Service { .. } | Output::Destination { .. } => match Want::of(output) {
                    Ok(want) => wants.extend(want),
                    Err(e) => error!("IPVS: {e}"),
                },
                Output::Probe(probe) => self.attempts.start(probe, &self.works),
                Output::Cancel { check, attempt } => self.attempts.cancel(*check, *attempt),
                Output::Log(event) => match event.level() {
                    Level::Info => info!("{event}"),
                    Level::Detail => debug!("{event}"),
                },
                Output::Notify(notice) => {
                    debug!("{notice}: {}", notice.cause);
                    self.notifier.tell(notice);
                }
                Output::Mail(mail) => self.notifier.mail(mail),
            }
        }
        self.wrapper.want(wants);
    }

    /// Watches what the configuration wants watched, and feeds how it is now; `before` is the one
    /// that a reload replaces.
    async fn follow(&mut self, before: Option<&model::Config>) -> anyhow::Result<()> {
        let config = self.config.clone();
        let suspends = config.virtual_servers.iter().any(|v| v.ha_suspend);
        let room = room(&config.global.lvs);
        let fits = self.reflector.as_ref().is_some_and(|(_, is)| *is == room);
        if suspends && !fits {
            let reflector = Reflector::open(room).await.context("reading addresses")?;
            let all = |r: &Reflector| -> HashSet<_> {
                r.table().all_addresses().map(|a| a.prefix.addr()).collect()
            };
            let here = all(&reflector);
            // What has gone between two sockets neither of them tells.
            let before = self.reflector.replace((reflector, room));
            let gone = before.map(|(r, _)| all(&r)).unwrap_or_default();
            for &addr in gone.difference(&here) {
                let now = Whereabouts::Gone;
                self.feed(Input::Address { addr, now });
            }
            for addr in here {
                let now = Whereabouts::Here;
                self.feed(Input::Address { addr, now });
            }
        }
        let pings = config
            .virtual_servers
            .iter()
            .flat_map(|v| &v.real_servers)
            .flat_map(|r| &r.checkers)
            .any(|c| matches!(c.check, model::Check::Ping(_)));
        if !pings {
            self.ping = None;
        } else if self.ping.is_none() {
            match PingGroupRange::widen() {
                Ok(guard) => self.ping = guard,
                Err(e) => debug!("net.ipv4.ping_group_range stays as it is: {e}"),
            }
        }
        self.files = None;
        match Files::watch(&config, before) {
            Ok(Some((files, values))) => {
                self.files = Some(files);
                self.files_changed(Ok(values));
            }
            Ok(None) => {}
            Err(e) => error!("track_file: nothing is watched: {e}"),
        }
        Ok(())
    }

    fn addresses_changed(&mut self, changes: &[Change]) {
        for change in changes {
            let (addr, now) = match change {
                Change::AddressAdded(a) => (a.prefix.addr(), Whereabouts::Here),
                Change::AddressRemoved(a) => (a.prefix.addr(), Whereabouts::Gone),
                _ => continue,
            };
            // The same address may stand on another interface.
            let held = |r: &Reflector| r.table().all_addresses().any(|a| a.prefix.addr() == addr);
            if now == Whereabouts::Gone && self.reflector.as_ref().is_some_and(|(r, _)| held(r)) {
                continue;
            }
            self.feed(Input::Address { addr, now });
        }
    }

    fn files_changed(&mut self, values: std::io::Result<Vec<Value>>) {
        match values {
            Ok(values) => {
                for Value { file, value } in values {
                    self.feed(Input::File { file, value });
                }
            }
            Err(e) => {
                error!("track_file: watching ends: {e}");
                self.files = None;
            }
        }
    }

    /// Takes over a configuration.
    async fn reload(&mut self, config: model::Config) -> anyhow::Result<()> {
        self.numbers.settle(&config);
        let Plan {
            settings,
            works,
            origins,
        } = plan(&config, &self.numbers);
        // Attempts that go on hold their own work.
        let old = (
            std::mem::replace(&mut self.works, works),
            std::mem::replace(&mut self.config, Arc::new(config)),
        );
        self.follow(Some(&old.1)).await?;
        let mut out = Vec::new();
        let now = self.clock.now();
        self.director
            .handle(now, Input::Reload(Box::new(settings)), &mut out);
        self.notifier.apply(&self.config);
        self.perform(&out);
        self.notifier.settle(&self.config);
        self.marks.want(self.numbers.packets(&self.config));
        let setup = Setup::of(&self.config, &self.options, known(origins));
        self.wrapper.setup(setup);
        // The kernel first: giving back the memory of a large configuration takes a while.
        tokio::task::yield_now().await;
        drop(old);
        sys::release_memory();
        Ok(())
    }

    /// The end: goodbyes, services away, everybody told.
    async fn stop(mut self) {
        info!("Stopping");
        let keep = self.options.dont_release_ipvs;
        let mut out = Vec::new();
        self.director
            .handle(self.clock.now(), Input::Stop, &mut out);
        if keep {
            out.retain(|o| !matches!(o, Output::Service { .. } | Output::Destination { .. }));
        }
        self.perform(&out);
        self.wrapper.finish(keep, STOP_LIMIT).await;
        self.marks.finish(keep, STOP_LIMIT).await;
        self.notifier.drain().await;
    }
}

/// `lvs_netlink_monitor_rcv_bufs`: of the socket that tells about addresses.
fn room(lvs: &model::LvsSettings) -> Option<ReceiveBuffer> {
    let bytes = lvs.netlink_monitor_rcv_bufs.filter(|&bytes| bytes > 0)?;
    Some(ReceiveBuffer {
        bytes,
        beyond: lvs.netlink_monitor_rcv_bufs_force,
    })
}

/// The places of services under the names that the kernel has for them.
fn known(origins: HashMap<ServiceKey, Origin>) -> HashMap<rk_ipvs::ServiceKey, Origin> {
    let mut known = HashMap::with_capacity(origins.len());
    let named = |(key, origin)| Some((table::key(key)?, origin));
    known.extend(origins.into_iter().filter_map(named));
    known
}

async fn follow(
    reflector: &mut Option<(Reflector, Option<ReceiveBuffer>)>,
) -> Result<Vec<Change>, rk_net::reflector::ReflectorError> {
    match reflector {
        Some((reflector, _)) => reflector.next().await,
        None => std::future::pending().await,
    }
}

async fn changed(files: &mut Option<Files>) -> std::io::Result<Vec<Value>> {
    match files {
        Some(files) => files.changed().await,
        None => std::future::pending().await,
    }
}

/// The result of a task; never cancelled, because nobody keeps a handle that could.
async fn join(
    task: &mut Option<JoinHandle<std::io::Result<model::Config>>>,
) -> std::io::Result<model::Config> {
    match task {
        Some(handle) => {
            let result = handle.await;
            *task = None;
            result.map_err(std::io::Error::other)?
        }
        None => std::future::pending().await,
    }
}
