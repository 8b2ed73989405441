use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rk_ipvs::{Dest, DestKey, Forward, Name, Protocol, Recorder, Service};

use super::*;

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

fn key(port: u16) -> ServiceKey {
    ServiceKey::Address {
        protocol: Protocol::Tcp,
        address: [192, 0, 2, 1].into(),
        port,
    }
}

fn service(port: u16, scheduler: &str) -> Want {
    let service = Service::new(key(port), Name::new(scheduler).unwrap());
    Want::Service(key(port), Some(service))
}

fn dest_key(last: u8) -> DestKey {
    DestKey {
        address: [10, 0, 0, last].into(),
        port: 80,
    }
}

fn dest(port: u16, last: u8, weight: u32) -> Want {
    let dest = Dest::new(dest_key(last), Forward::Nat, weight);
    Want::Dest(key(port), dest_key(last), Some(dest))
}

/// Two services of two servers each.
async fn two(keeper: &mut Keeper, table: &mut Recorder) {
    let wants = [
        service(80, "rr"),
        dest(80, 1, 1),
        dest(80, 2, 1),
        service(443, "wlc"),
        dest(443, 1, 1),
        dest(443, 2, 1),
    ];
    keeper.pass(table, Pass::First).await.unwrap();
    keeper.fulfil(table, &wants).await.unwrap();
}

#[test]
fn a_changed_weight_is_one_command() {
    run(async {
        let (mut keeper, mut table) = (Keeper::default(), Recorder::new());
        two(&mut keeper, &mut table).await;
        assert_eq!(table.take_told().len(), 6);
        keeper.fulfil(&mut table, &[dest(80, 2, 5)]).await.unwrap();
        let told = table.take_told();
        assert!(
            matches!(told.as_slice(), [Command::SetDest(_, dest)] if dest.weight == 5),
            "{told:?}"
        );
        // And saying it again is none.
        keeper.fulfil(&mut table, &[dest(80, 2, 5)]).await.unwrap();
        assert!(table.take_told().is_empty());
    });
}

#[test]
fn what_somebody_else_changed_is_put_back() {
    run(async {
        let (mut keeper, mut table) = (Keeper::default(), Recorder::new());
        two(&mut keeper, &mut table).await;
        let before = table.state().clone();
        let foreign = Service::new(key(8080), Name::new("rr").unwrap());
        table.by_hand().put(rk_ipvs::Entry::new(foreign));
        table.by_hand().take(&key(443));
        table
            .by_hand()
            .entry_mut(&key(80))
            .unwrap()
            .take(&dest_key(1));
        keeper.pass(&mut table, Pass::Repair).await.unwrap();
        assert!(table.state().entry(&key(8080)).is_some(), "not ours");
        table.by_hand().take(&key(8080));
        assert_eq!(*table.state(), before);
    });
}

#[test]
fn what_was_left_there_is_taken_over() {
    run(async {
        let (mut keeper, mut table) = (Keeper::default(), Recorder::new());
        let left = Service::new(key(80), Name::new("sh").unwrap());
        table.by_hand().put(rk_ipvs::Entry::new(left));
        keeper.remember(&[service(80, "rr"), dest(80, 1, 1)]);
        keeper.pass(&mut table, Pass::First).await.unwrap();
        let there = table.state().entry(&key(80)).unwrap();
        assert_eq!(there.service().scheduler, Name::new("rr").unwrap());
        assert_eq!(there.len(), 1);
        let told = table.take_told();
        assert!(
            !told.iter().any(|c| matches!(c, Command::NewService(_))),
            "{told:?}"
        );
    });
}

#[test]
fn a_refused_command_stops_no_other_and_is_not_taken_for_done() {
    run(async {
        let (mut keeper, mut table) = (Keeper::default(), Recorder::new());
        let short_of_memory = Arc::new(AtomicBool::new(true));
        let short = short_of_memory.clone();
        table.refuse(move |command| {
            let refused = matches!(command, Command::NewDest(_, dest) if dest.key == dest_key(1));
            (refused && short.load(Ordering::Relaxed)).then_some(libc::ENOMEM)
        });
        two(&mut keeper, &mut table).await;
        assert!(keeper.is_unsettled());
        assert_eq!(table.state().entry(&key(80)).unwrap().len(), 1);
        assert_eq!(table.state().entry(&key(443)).unwrap().len(), 1);
        short_of_memory.store(false, Ordering::Relaxed);
        keeper.pass(&mut table, Pass::Lost).await.unwrap();
        assert_eq!(table.state().entry(&key(80)).unwrap().len(), 2);
        assert!(!keeper.is_unsettled());
    });
}

#[test]
fn commands_whose_fate_is_unknown_are_made_good() {
    run(async {
        let (mut keeper, mut table) = (Keeper::default(), Recorder::new());
        two(&mut keeper, &mut table).await;
        let mut calls = 0;
        table.fail(move || {
            calls += 1;
            (calls == 1).then_some(TableError::AnswersLost)
        });
        let failed = keeper.fulfil(&mut table, &[dest(80, 3, 1)]).await;
        assert!(failed.is_err() && keeper.is_unsettled());
        keeper.pass(&mut table, Pass::Lost).await.unwrap();
        assert_eq!(table.state().entry(&key(80)).unwrap().len(), 3);
    });
}

#[test]
fn what_is_not_wanted_any_more_goes() {
    run(async {
        let (mut keeper, mut table) = (Keeper::default(), Recorder::new());
        two(&mut keeper, &mut table).await;
        let wants = [
            Want::Dest(key(80), dest_key(1), None),
            Want::Dest(key(80), dest_key(2), None),
            Want::Service(key(80), None),
        ];
        keeper.fulfil(&mut table, &wants).await.unwrap();
        assert!(table.state().entry(&key(80)).is_none());
        assert_eq!(table.state().len(), 1);
    });
}
