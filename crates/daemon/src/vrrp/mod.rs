//! The VRRP process: one thread, one loop, and everything that can wake it in one enum.
//!
//! ```text
//!   raw sockets ──┐                                    ┌── adverts (sendmmsg)
//!   alarm ────────┤   1 packets  2 stalls  3 timers    ├── addresses (netlink, in steps)
//!   netlink ──────┼──▶ ───────── the cores ─────────▶ ─┼── announcements (in steps)
//!   script ends ──┤          (sans-IO)                 ├── scripts, FIFOs, mail (tasks)
//!   the parent ───┤                                    └── log
//!   signals ──────┘
//! ```
//!
//! A turn always reads every queued packet before it believes a timer, and the loop wakes at least
//! once an advert interval, so that it notices when it did not run ([`stall`]).

mod addresses;
mod announcements;
mod groups;
mod links;
mod notify;
mod packets;
mod reload;
mod router;
mod scripts;
mod stall;
mod sync_daemon;
mod translate;
mod view;
mod world;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};
use rk_base::Instant;
use rk_net::{AddressWriter, Alarm, Announcer, Change, Clock, Pool, Reflector};
use rk_script::Finished;
use rk_vrrp::{AtStop, Input, StopReason};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

use self::stall::StallDetector;
use self::world::{Parts, World};
use crate::ipc::{ChildLink, ChildStart, Command, FromChild};
use crate::signal::{Held, Signal};

/// Adverts due within this span of each other leave in one system call.
const COALESCE: Duration = Duration::from_micros(500);
/// How long the addresses may take to go when the process stops.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// Everything that can wake the loop.
enum Wake {
    Packets,
    Alarm,
    Kernel(Vec<Change>),
    /// The address writer or the announcer has more to do.
    Work,
    Script(Finished),
    Parent(std::io::Result<Option<Command>>),
    Config(Box<std::io::Result<rk_config::Config>>),
    Signal(Signal),
    Stop,
}

/// The configuration of a reload while it is being read.
type Reading = tokio::task::JoinHandle<std::io::Result<rk_config::Config>>;

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The parent, or a signal, asked for it.
    Asked,
    /// The parent is gone.
    Orphaned,
}

/// Runs the VRRP process until the parent ends it.
pub(crate) fn run(start: ChildStart) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => {
            let e = anyhow::Error::new(e);
            error!("the VRRP process cannot start: {e}");
            return exit_code(&e);
        }
    };
    match runtime.block_on(serve(start)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            error!("the VRRP process ends: {e:#}");
            exit_code(&e)
        }
    }
}

/// What the parent is to make of an error: a missing permission does not come back by itself, and
/// ends the daemon; anything else is tried again.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    const NO_PERMISSION: u8 = 4;
    const SOFTWARE: u8 = 70;
    let refused = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::PermissionDenied)
    };
    ExitCode::from(if error.chain().any(refused) {
        NO_PERMISSION
    } else {
        SOFTWARE
    })
}

async fn serve(start: ChildStart) -> anyhow::Result<()> {
    let link = start.link.connect().context("connecting to the parent")?;
    let clock = Clock::new();
    let mut world = World::new(Parts {
        clock,
        options: start.options,
        config: start.config,
        pool: Pool::new(clock).context("watching sockets")?,
        reflector: Reflector::open(None)
            .await
            .context("reading links and addresses")?,
        writer: AddressWriter::new(clock).context("opening the netlink socket for addresses")?,
        announcer: Announcer::new(clock).context("opening the socket for announcements")?,
    });
    world.begin();
    if world.options.dump_conf {
        world.log_configuration();
    }
    if let Err(e) = link.send(&FromChild::Ready) {
        warn!("the parent cannot be told that VRRP runs: {e}");
    }
    let end = turn_until_end(&mut world, &link).await?;
    if end == End::Orphaned {
        warn!("the parent process is gone: stopping");
    }
    stop(world).await
}

/// The loop.
async fn turn_until_end(world: &mut World, link: &ChildLink) -> anyhow::Result<End> {
    let mut alarm = Alarm::new().context("making the timer")?;
    let mut term = signal(SignalKind::terminate()).context("watching for TERM")?;
    let mut int = signal(SignalKind::interrupt()).context("watching for INT")?;
    let mut stalls = StallDetector::new(world.clock.now());
    // Requests usually come through the parent; somebody may send one to this process directly.
    let direct = Held::hold_for_child()
        .and_then(Held::listen)
        .context("watching for signals")?;
    let mut reading: Option<Reading> = None;
    loop {
        let now = world.clock.now();
        let quiet_until = world.bundling.quiet_until(now, world.heartbeat_interval);
        let due = [world.next_due(), quiet_until].into_iter().flatten().min();
        let heartbeat = world.heartbeat(now);
        let alarm_at = stalls.sleep(due, heartbeat);
        // While resting nobody waits for the alarm.
        if quiet_until.is_none() {
            alarm.set(Some(alarm_at)).context("setting the timer")?;
        }
        let wake = tokio::select! {
            () = rest(alarm_at), if quiet_until.is_some() => Wake::Packets,
            r = world.pool.readable(), if quiet_until.is_none() => { r.context("waiting for packets")?; Wake::Packets }
            r = alarm.fired(), if quiet_until.is_none() => { r.context("waiting for the timer")?; Wake::Alarm }
            // The echoes of a thousand new addresses can wait until they are all announced.
            r = world.reflector.next(), if world.writer.is_idle() => Wake::Kernel(r.context("following links and addresses")?),
            () = world.writer.ready() => Wake::Work,
            () = tokio::task::yield_now(), if world.announcements.is_due() => Wake::Work,
            finished = world.scripts.finished() => Wake::Script(finished),
            message = link.recv() => Wake::Parent(message),
            config = join(&mut reading), if reading.is_some() => Wake::Config(Box::new(config)),
            signal = direct.recv() => Wake::Signal(signal.context("reading signals")?),
            _ = term.recv() => Wake::Stop,
            _ = int.recv(), if !world.options.ignore_sigint => Wake::Stop,
        };
        let now = world.clock.now();
        if let Some(stall) = stalls.woke(now) {
            world.stalled(now, stall);
        }
        world.read_packets()?;
        if let Some(end) = react(world, link, wake, &mut reading) {
            return Ok(end);
        }
        world.run_timers(world.clock.now(), COALESCE);
        world.flush();
        let now = world.clock.now();
        world.step_addresses(now)?;
        world.flush();
        world.send_announcements(now);
        stalls.sleeps(world.clock.now());
    }
}

/// Deals with what woke the loop; tells if that ends it.
fn react(
    world: &mut World,
    link: &ChildLink,
    wake: Wake,
    reading: &mut Option<Reading>,
) -> Option<End> {
    let now = world.clock.now();
    match wake {
        Wake::Packets | Wake::Alarm | Wake::Work => {}
        Wake::Kernel(changes) => world.kernel_changed(now, &changes),
        Wake::Script(finished) => world.script_ended(now, &finished),
        Wake::Config(config) => {
            match *config {
                Ok(config) => world.reload(now, Arc::new(config)),
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
            // On a thread of its own: reading a large configuration takes longer than an
            // advert may wait.
            *reading = Some(tokio::task::spawn_blocking(|| snapshot.read_config()));
        }
        Wake::Parent(Ok(Some(command))) => world.answer(&command),
        Wake::Signal(signal) => match signal {
            Signal::DumpData => world.answer(&Command::DumpData),
            Signal::DumpStats => world.answer(&Command::DumpStats),
            Signal::DumpStatsAndClear => world.answer(&Command::DumpStatsAndClear),
            Signal::DumpJson => world.answer(&Command::DumpJson),
            Signal::Reload => info!("to reload, signal the parent process: it reads the file"),
            Signal::Stop | Signal::ChildEnded => {}
        },
        Wake::Parent(Ok(None)) => return Some(End::Orphaned),
        Wake::Parent(Err(e)) => warn!("the parent said what this version does not know: {e}"),
        Wake::Stop => return Some(End::Asked),
    }
    None
}

/// Sleeps outside the runtime until `until`, two milliseconds away at most.
///
/// Inside it every packet would wake the thread, whether anybody waits for packets or not, and
/// with a thousand instances those wake-ups are most of the work.
async fn rest(until: Instant) {
    let until = TimeSpec::from(Duration::from_nanos(until.as_nanos()));
    // A signal that cuts the sleep short does no harm: packets are then read a little earlier.
    let _ = clock_nanosleep(
        ClockId::CLOCK_MONOTONIC,
        ClockNanosleepFlags::TIMER_ABSTIME,
        &until,
    );
    tokio::task::yield_now().await;
}

/// The result of a task; never cancelled, because nobody keeps a handle that could.
async fn join(task: &mut Option<Reading>) -> std::io::Result<rk_config::Config> {
    match task {
        Some(handle) => {
            let result = handle.await;
            *task = None;
            result.map_err(std::io::Error::other)?
        }
        None => std::future::pending().await,
    }
}

/// The end: priority 0, addresses away, everybody told.
async fn stop(mut world: World) -> anyhow::Result<()> {
    info!("Stopping");
    let now = world.clock.now();
    let at_stop = if world.options.dont_release_vrrp {
        AtStop::Keep
    } else {
        AtStop::Release
    };
    for id in world.routers.ids() {
        world.feed(
            id,
            now,
            Input::Stop {
                reason: StopReason::Shutdown,
                at_stop,
            },
        );
    }
    world.flush();
    let deadline = now + STOP_LIMIT;
    while !world.writer.is_idle() {
        let now = world.clock.now();
        if now >= deadline {
            warn!("the kernel is too slow: some addresses were not removed");
            break;
        }
        world.step_addresses(now)?;
        tokio::task::yield_now().await;
    }
    if at_stop == AtStop::Release {
        world.clear_firewall();
    }
    world.tell_everybody();
    world.sync.finish(STOP_LIMIT).await;
    world.notifier.drain().await;
    Ok(())
}
