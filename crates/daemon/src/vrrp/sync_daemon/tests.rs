use std::sync::{Arc, Mutex};

use rk_ipvs::{Command, Name, Recorder};

use super::*;

fn daemon(state: SyncState, id: u8) -> SyncDaemon {
    SyncDaemon::new(state, Name::new("eth0").expect("a short name"), id)
}

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(test)
}

fn keeper(
    table: Option<Recorder>,
) -> Keeper<Recorder, impl FnMut() -> Result<Recorder, TableError>> {
    let mut table = table;
    Keeper {
        open: move || table.take().ok_or(TableError::NoIpvs),
        table: None,
        ours: None,
        complaint: None,
    }
}

fn told(
    keeper: &mut Keeper<Recorder, impl FnMut() -> Result<Recorder, TableError>>,
) -> Vec<Command> {
    let table = keeper.table.as_mut().expect("an open table");
    table.take_told()
}

#[test]
fn it_follows_the_role_and_says_nothing_twice() {
    run(async {
        let mut keeper = keeper(Some(Recorder::new()));
        let (backup, master) = (daemon(SyncState::Backup, 51), daemon(SyncState::Master, 51));
        keeper.make(Some(backup)).await;
        assert_eq!(told(&mut keeper), [Command::NewDaemon(backup)]);
        keeper.make(Some(backup)).await;
        assert_eq!(told(&mut keeper), []);
        keeper.make(Some(master)).await;
        let stop = |state| Command::DelDaemon { state, sync_id: 51 };
        assert_eq!(
            told(&mut keeper),
            [stop(SyncState::Backup), Command::NewDaemon(master)]
        );
        keeper.make(None).await;
        assert_eq!(told(&mut keeper), [stop(SyncState::Master)]);
        keeper.make(None).await;
        assert_eq!(told(&mut keeper), []);
    });
}

#[test]
fn what_an_earlier_run_left_goes_and_a_foreign_one_stays() {
    run(async {
        let mut table = Recorder::new();
        let (left, foreign) = (daemon(SyncState::Master, 51), daemon(SyncState::Master, 7));
        table
            .apply(&[Command::NewDaemon(left)])
            .await
            .expect("it never fails as a whole");
        table.take_told();
        let backup = daemon(SyncState::Backup, 51);
        let mut first = keeper(Some(table));
        first.make(Some(backup)).await;
        assert_eq!(
            told(&mut first),
            [
                Command::DelDaemon {
                    state: SyncState::Master,
                    sync_id: 51
                },
                Command::NewDaemon(backup)
            ]
        );

        let mut table = Recorder::new();
        table
            .apply(&[Command::NewDaemon(foreign)])
            .await
            .expect("it never fails as a whole");
        table.take_told();
        let mut second = keeper(Some(table));
        second.make(Some(backup)).await;
        assert_eq!(told(&mut second), [Command::NewDaemon(backup)]);
    });
}

#[test]
fn a_kernel_without_ipvs_is_asked_again_at_each_transition() {
    run(async {
        let asked = Arc::new(Mutex::new(0));
        let mut keeper = Keeper {
            open: {
                let asked = Arc::clone(&asked);
                move || {
                    let mut asked = asked.lock().expect("nobody panics with it");
                    *asked += 1;
                    if *asked == 3 {
                        Ok(Recorder::new())
                    } else {
                        Err(TableError::NoIpvs)
                    }
                }
            },
            table: None,
            ours: None,
            complaint: None,
        };
        let backup = daemon(SyncState::Backup, 51);
        keeper.make(Some(backup)).await;
        let complaint = keeper.complaint.clone().expect("a complaint");
        assert!(complaint.contains("modprobe ip_vs"), "{complaint}");
        keeper.make(Some(daemon(SyncState::Master, 51))).await;
        assert_eq!(keeper.complaint.as_ref(), Some(&complaint), "said once");
        keeper.make(Some(backup)).await;
        assert_eq!(keeper.complaint, None);
        assert_eq!(keeper.ours, Some(backup));
    });
}

#[test]
fn a_refused_daemon_is_tried_again() {
    run(async {
        let mut table = Recorder::new();
        let mut times = 0;
        table.refuse(move |_| {
            times += 1;
            (times == 1).then_some(libc::ENODEV)
        });
        let mut keeper = keeper(Some(table));
        let backup = daemon(SyncState::Backup, 51);
        keeper.make(Some(backup)).await;
        assert!(keeper.complaint.is_some());
        assert_eq!(keeper.ours, None);
        keeper.make(Some(backup)).await;
        assert_eq!((keeper.ours, &keeper.complaint), (Some(backup), &None));
    });
}
