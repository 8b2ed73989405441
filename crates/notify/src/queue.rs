//! Notify scripts: in order, one at a time for each source.
//!
//! ```text
//!   notify() ──> lane of VI_1:  [MASTER: specific, generic] [BACKUP: ...]  <- newest
//!           ──> lane of VI_2:  ...        each lane is a task and runs one script at a time
//!   drain()  ──> all lanes: no more to come, and when to be done
//! ```

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use rk_script::{Command, Running, spawn};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::event::{Source, Transition};

/// How much longer than its limit draining may take because the machine is slow.
const SLACK: Duration = Duration::from_millis(500);

/// The scripts of one transition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scripts {
    /// The one for this very state (`notify_master`, ...), run first, with its words only.
    pub specific: Option<Command>,
    /// The one for all states (`notify`), run with [`Transition::arguments`] added.
    pub generic: Option<Command>,
}

/// How long scripts may hold up those that come after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a newer transition waits for the end of an older one's script before it has it
    /// killed. A script that nobody waits for may run as long as it likes.
    pub patience: Duration,
    /// From TERM to KILL.
    pub grace: Duration,
    /// How many transitions of one source may wait; beyond it the oldest are dropped, and it is
    /// logged how many.
    pub backlog: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(30),
            grace: Duration::from_secs(2),
            backlog: 64,
        }
    }
}

/// What was left when draining ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Scripts that were killed because the time was up.
    pub killed: usize,
    /// Scripts that were never started because the time was up.
    pub not_started: usize,
}

/// Runs the scripts of all sources.
///
/// Dropped, it ends what is running: TERM, and KILL a second later.
#[derive(Debug)]
pub struct Queue {
    limits: Limits,
    lanes: HashMap<Source, mpsc::UnboundedSender<Job>>,
    tasks: JoinSet<Drained>,
    ending: watch::Sender<Option<Ending>>,
}

/// The scripts of one transition that are still to be run.
#[derive(Debug)]
struct Job {
    told: &'static str,
    arrived: Instant,
    commands: VecDeque<Command>,
}

/// When everything must be over.
#[derive(Clone, Copy, Debug)]
struct Ending {
    began: Instant,
    /// The last moment for TERM.
    deadline: Instant,
    /// From TERM to KILL.
    grace: Duration,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            lanes: HashMap::new(),
            tasks: JoinSet::new(),
            ending: watch::Sender::new(None),
        }
    }

    /// Has `scripts` run after those of earlier transitions of the same source. Never waits.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn notify(&mut self, transition: &Transition, scripts: &Scripts) {
        let generic = scripts
            .generic
            .clone()
            .map(|script| script.args(transition.arguments()));
        let commands = scripts.specific.clone().into_iter().chain(generic);
        self.run(&transition.source, transition.state.word(), commands);
    }

    /// Has `commands` run, one after the other, after all that was asked for `source` before;
    /// `told` is what they are run for, in the log. Never waits.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn run(
        &mut self,
        source: &Source,
        told: &'static str,
        commands: impl IntoIterator<Item = Command>,
    ) {
        let job = Job {
            told,
            arrived: Instant::now(),
            commands: commands.into_iter().collect(),
        };
        if job.commands.is_empty() {
            return;
        }
        let refused = match self.lanes.get(source) {
            Some(lane) => lane.send(job).err().map(|error| error.0),
            None => Some(job),
        };
        // Its first job, or its task has panicked.
        if let Some(job) = refused {
            let lane = self.open_lane(source);
            // The receiver has only just been made.
            let _ = lane.send(job);
            self.lanes.insert(source.clone(), lane);
        }
    }

    fn open_lane(&mut self, source: &Source) -> mpsc::UnboundedSender<Job> {
        while self.tasks.try_join_next().is_some() {}
        let (sender, inbox) = mpsc::unbounded_channel();
        let lane = Lane {
            label: label(source),
            limits: self.limits,
            inbox,
            is_open: true,
            waiting: VecDeque::new(),
            ending: self.ending.subscribe(),
            tally: Drained::default(),
        };
        self.tasks.spawn(lane.run());
        sender
    }

    /// Forgets `source`, which is no longer configured. What is queued still runs.
    pub fn forget(&mut self, source: &Source) {
        self.lanes.remove(source);
    }

    /// Waits until every script has ended, at most for `limit`; then kills the rest.
    ///
    /// A script that others wait behind gets its share of the time, so that the last one (the
    /// newest state) is run, too.
    pub async fn drain(mut self, limit: Duration) -> Drained {
        let began = Instant::now();
        let grace = self.limits.grace.min(limit / 8);
        let deadline = began + limit - grace;
        self.ending.send_replace(Some(Ending {
            began,
            deadline,
            grace,
        }));
        self.lanes.clear();
        let mut sum = Drained::default();
        let all = async {
            while let Some(lane) = self.tasks.join_next().await {
                let lane = lane.unwrap_or_default();
                sum.killed += lane.killed;
                sum.not_started += lane.not_started;
            }
        };
        if timeout_at(began + limit + SLACK, all).await.is_err() {
            // Processes that not even KILL ends are left to the kernel.
            sum.killed += self.tasks.len();
        }
        sum
    }
}

/// How log lines name the source.
fn label(source: &Source) -> String {
    match source {
        Source::Instance(name) => format!("({name})"),
        Source::Group(name) => format!("VRRP_Group({name})"),
        Source::Server(name) => name.to_string(),
    }
}

/// The task that runs the scripts of one source.
struct Lane {
    label: String,
    limits: Limits,
    inbox: mpsc::UnboundedReceiver<Job>,
    is_open: bool,
    waiting: VecDeque<Job>,
    ending: watch::Receiver<Option<Ending>>,
    tally: Drained,
}

/// A script under way.
struct Live {
    running: Running,
    started: Instant,
    name: String,
    told: &'static str,
}

/// What to do with a script whose time is up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// End it, then start what waits.
    Kill,
    /// Start the generic script of the same transition beside it: a service that is started in
    /// the foreground is no mistake as long as the state lasts.
    LetBe,
}

impl Lane {
    async fn run(mut self) -> Drained {
        while let Some(mut job) = self.next_job().await {
            let mut beside = Vec::new();
            while let Some(command) = job.commands.pop_front() {
                let Some(mut live) = self.start(&command, job.told).await else {
                    continue;
                };
                if self.attend(&mut live, job.commands.len()).await == Some(Verdict::LetBe) {
                    beside.push(live);
                }
            }
            for mut live in beside {
                self.attend(&mut live, 0).await;
            }
        }
        self.tally
    }

    /// The oldest job that waits, or the next one to come.
    async fn next_job(&mut self) -> Option<Job> {
        while let Ok(job) = self.inbox.try_recv() {
            self.accept(job);
        }
        match self.waiting.pop_front() {
            Some(job) => Some(job),
            None => self.inbox.recv().await,
        }
    }

    /// Queues a job, at the cost of the oldest one if there are too many.
    fn accept(&mut self, job: Job) {
        self.waiting.push_back(job);
        if self.waiting.len() > self.limits.backlog.max(1)
            && let Some(lost) = self.waiting.pop_front()
        {
            tracing::error!(
                "{} {} transitions wait for their notify scripts: those for {} are not run",
                self.label,
                self.waiting.len() + 1,
                lost.told
            );
        }
    }

    /// Starts a script, unless it cannot be started or it is too late for it.
    async fn start(&mut self, command: &Command, told: &'static str) -> Option<Live> {
        let started = Instant::now();
        let ending = *self.ending.borrow();
        if ending.is_some_and(|ending| ending.deadline <= started) {
            tracing::error!("{} no time left to run {command} for {told}", self.label);
            self.tally.not_started += 1;
            return None;
        }
        match spawn(command).await {
            Ok(running) => {
                tracing::info!("{} running {command} for {told}", self.label);
                Some(Live {
                    running,
                    started,
                    name: command.to_string(),
                    told,
                })
            }
            Err(error) => {
                tracing::error!("{} notify script not run: {error}", self.label);
                None
            }
        }
    }

    /// Waits for the end of a script that `following` others of its transition wait for. `None`
    /// if it ended by itself.
    async fn attend(&mut self, live: &mut Live, following: usize) -> Option<Verdict> {
        let verdict = loop {
            let due = self.due(live, following);
            let at = due.map_or(live.started, |(at, _)| at);
            tokio::select! {
                biased;
                outcome = live.running.wait() => {
                    tracing::debug!("{} {} {outcome}", self.label, live.name);
                    return None;
                }
                job = self.inbox.recv(), if self.is_open => match job {
                    Some(job) => self.accept(job),
                    None => self.is_open = false,
                },
                Ok(()) = self.ending.changed() => {}
                () = sleep_until(at), if due.is_some() => {
                    break due.map_or(Verdict::Kill, |(_, verdict)| verdict);
                }
            }
        };
        if verdict == Verdict::Kill {
            self.kill(live).await;
        }
        Some(verdict)
    }

    /// Until when a script may run, and what happens then; `None` while nobody waits for it.
    fn due(&self, live: &Live, following: usize) -> Option<(Instant, Verdict)> {
        let patience = self.limits.patience;
        let newer = self
            .waiting
            .front()
            .map(|job| live.started.max(job.arrived) + patience);
        let sibling = (following > 0).then(|| live.started + patience);
        let ending = self.ending.borrow().map(
            |Ending {
                 began, deadline, ..
             }| {
                let behind: usize = self.waiting.iter().map(|job| job.commands.len()).sum();
                let shares = u32::try_from(following + behind)
                    .unwrap_or(u32::MAX)
                    .saturating_add(1);
                let from = live.started.max(began);
                from + deadline.saturating_duration_since(from) / shares
            },
        );
        let kill = newer.into_iter().chain(ending).min();
        match (kill, sibling) {
            (Some(kill), Some(sibling)) if sibling < kill => Some((sibling, Verdict::LetBe)),
            (Some(kill), _) => Some((kill, Verdict::Kill)),
            (None, sibling) => sibling.map(|at| (at, Verdict::LetBe)),
        }
    }

    /// Ends a script and all it started.
    async fn kill(&mut self, live: &mut Live) {
        let ending = *self.ending.borrow();
        let why = match (self.waiting.front(), ending) {
            (Some(job), _) => format!("{} waits for it", job.told),
            (None, _) => "the daemon ends".to_owned(),
        };
        let ran = live.started.elapsed().as_secs_f32();
        let (label, name, told) = (&self.label, &live.name, live.told);
        tracing::warn!("{label} killing {name} for {told} after {ran:.1} s: {why}");
        if ending.is_some() {
            self.tally.killed += 1;
        }
        live.running
            .terminate(ending.map_or(self.limits.grace, |ending| ending.grace))
            .await;
    }
}
