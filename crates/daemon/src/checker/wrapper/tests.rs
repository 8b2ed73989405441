use std::sync::Arc;
use std::sync::mpsc::channel;

use rk_ipvs::{
    Dest, DestEntry, DestKey, Forward, Info, Name, Protocol, Recorder, Refusal, Service,
    ServiceEntry, SyncState,
};
use tokio::sync::Mutex;
use tokio::task::{LocalSet, yield_now};

use super::*;

/// A table that the test looks at and changes while the wrapper has it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Recorder>>);

impl Shared {
    async fn told(&self) -> Vec<Command> {
        self.0.lock().await.take_told()
    }
}

impl Table for Shared {
    async fn info(&mut self) -> Result<Info, TableError> {
        self.0.lock().await.info().await
    }
    async fn timeouts(&mut self) -> Result<Timeouts, TableError> {
        self.0.lock().await.timeouts().await
    }
    async fn daemons(&mut self) -> Result<Vec<SyncDaemon>, TableError> {
        self.0.lock().await.daemons().await
    }
    async fn services(&mut self) -> Result<Vec<ServiceEntry>, TableError> {
        self.0.lock().await.services().await
    }
    async fn service(&mut self, key: &ServiceKey) -> Result<Option<ServiceEntry>, TableError> {
        self.0.lock().await.service(key).await
    }
    async fn dests(&mut self, of: &ServiceKey) -> Result<Vec<DestEntry>, TableError> {
        self.0.lock().await.dests(of).await
    }
    async fn apply(&mut self, commands: &[Command]) -> Result<Vec<Refusal>, TableError> {
        self.0.lock().await.apply(commands).await
    }
}

const KEY: ServiceKey = ServiceKey::Address {
    protocol: Protocol::Tcp,
    address: std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
    port: 80,
};

fn service() -> Want {
    let service = Service::new(KEY, Name::new("rr").unwrap());
    Want::Service(KEY, Some(service))
}

fn dest(last: u8) -> Dest {
    let key = DestKey {
        address: [10, 0, 0, last].into(),
        port: 80,
    };
    Dest::new(key, Forward::Nat, 1)
}

fn wanted(last: u8) -> Want {
    Want::Dest(KEY, dest(last).key, Some(dest(last)))
}

fn sync(id: u8) -> Vec<SyncDaemon> {
    [SyncState::Master, SyncState::Backup]
        .map(|state| SyncDaemon::new(state, Name::new("eth0").unwrap(), id))
        .to_vec()
}

/// Runs `test` beside a wrapper over `table`, on a virtual clock.
fn beside<F: Future<Output = ()>>(
    table: &Shared,
    setup: Setup,
    test: impl FnOnce(mpsc::UnboundedSender<Request>) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let (requests, inbox) = mpsc::unbounded_channel();
    let table = table.clone();
    LocalSet::new().block_on(&runtime, async {
        let task = Task::new(move || Ok(table.clone()));
        tokio::task::spawn_local(task.run(setup, inbox));
        test(requests).await;
    });
}

/// Lets the wrapper do all that it can without waiting.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
    settle().await;
}

#[test]
fn what_somebody_changes_is_put_back_at_the_next_look() {
    let table = Shared::default();
    beside(&table, Setup::default(), |requests| {
        let table = table.clone();
        async move {
            let wants = vec![service(), wanted(1), wanted(2)];
            requests.send(Request::Wants(wants)).ok().unwrap();
            settle().await;
            assert_eq!(table.told().await.len(), 3);
            let by_hand = Command::DelDest(KEY, dest(1).key);
            table.0.lock().await.by_hand().apply(&by_hand).unwrap();
            pass(PASS - Duration::from_millis(1)).await;
            assert_eq!(table.told().await, []);
            pass(Duration::from_millis(2)).await;
            assert_eq!(table.told().await, [Command::NewDest(KEY, dest(1))]);
            // And again: a pass follows a pass.
            table.0.lock().await.by_hand().apply(&by_hand).unwrap();
            pass(PASS + Duration::from_millis(2)).await;
            assert_eq!(table.told().await, [Command::NewDest(KEY, dest(1))]);
        }
    });
}

#[test]
fn lost_answers_lead_to_a_look_and_to_what_is_wanted() {
    let table = Shared::default();
    beside(&table, Setup::default(), |requests| {
        let table = table.clone();
        async move {
            requests.send(Request::Wants(vec![service()])).ok().unwrap();
            settle().await;
            assert_eq!(table.told().await.len(), 1);
            // The kernel had no room for its answers (ENOBUFS), twice.
            let left = Arc::new(std::sync::Mutex::new(2));
            let still = left.clone();
            table.0.lock().await.fail(move || {
                let mut left = left.lock().unwrap();
                *left = i32::max(*left - 1, -1);
                (*left >= 0).then_some(TableError::AnswersLost)
            });
            let wants = vec![wanted(1), wanted(2)];
            requests.send(Request::Wants(wants)).ok().unwrap();
            pass(SOON + Duration::from_millis(1)).await;
            assert_eq!(*still.lock().unwrap(), -1, "it was asked again");
            let entry = table.0.lock().await.state().entry(&KEY).cloned().unwrap();
            assert_eq!(
                entry.dests().copied().collect::<Vec<_>>(),
                [dest(1), dest(2)]
            );
            // It is well again: nothing is looked for before the usual time.
            table.told().await;
            pass(PASS - SOON).await;
            assert_eq!(table.told().await, []);
        }
    });
}

#[test]
fn sync_daemons_come_back_and_change_hands() {
    let setup = Setup {
        sync: sync(5),
        ..Setup::default()
    };
    let table = Shared::default();
    beside(&table, setup, |requests| {
        let table = table.clone();
        async move {
            settle().await;
            let new = |id| sync(id).into_iter().map(Command::NewDaemon);
            assert_eq!(table.told().await, new(5).collect::<Vec<_>>());
            let stop = |state| Command::DelDaemon { state, sync_id: 5 };
            let mut kernel = table.clone();
            kernel.apply(&[stop(SyncState::Backup)]).await.unwrap();
            table.told().await;
            pass(PASS).await;
            assert_eq!(table.told().await, [Command::NewDaemon(sync(5)[1])]);
            // Another process has the line now, and the same id: what it has taken over stays.
            let followed = Some(sync(5)[1]);
            let setup = Setup {
                followed,
                ..Setup::default()
            };
            requests
                .send(Request::Setup(Box::new(setup.clone())))
                .ok()
                .unwrap();
            pass(PASS * 2).await;
            assert_eq!(table.told().await, []);
        }
    });
}

#[test]
fn a_busy_kernel_does_not_hold_up_the_loop() {
    let (entered, mut inside) = mpsc::unbounded_channel();
    let (release, gate) = channel::<()>();
    let table = Shared::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut slow = Some((entered, gate));
        table.0.lock().await.refuse(move |_| {
            // As a kernel that loads a scheduler's module: inside the system call.
            if let Some((entered, gate)) = slow.take() {
                entered.send(()).unwrap();
                gate.recv_timeout(Duration::from_secs(30)).unwrap();
            }
            None
        });
        let given = table.clone();
        let wrapper = Wrapper::start(Setup::default(), move || Ok(given.clone()));
        wrapper.want(vec![service()]);
        inside.recv().await.unwrap();
        // The kernel is at it; the loop turns.
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        wrapper.want(vec![wanted(1)]);
        release.send(()).unwrap();
        wrapper.finish(true, Duration::from_secs(30)).await;
        let told = table.told().await;
        assert_eq!(told.len(), 2, "{told:?}");
    });
}
