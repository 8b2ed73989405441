use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::Instant;

use proptest::prelude::*;

use super::{reconcile, reconcile_service};
use crate::any;
use crate::{
    Command, Dest, DestKey, Entry, Forward, Name, Protocol, Recorder, Service, ServiceKey, State,
    Table,
};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().unwrap();
    runtime.block_on(future)
}

/// A recorder that holds `state` and remembers nothing yet.
fn holding(state: &State) -> Recorder {
    let mut table = Recorder::new();
    *table.by_hand() = state.clone();
    table
}

fn keys(numbers: &HashSet<u8>) -> HashSet<ServiceKey> {
    numbers.iter().map(|n| any::small_key(*n)).collect()
}

proptest! {
    #[test]
    fn the_commands_lead_to_what_is_wanted(
        actual in any::state(),
        desired in any::state(),
        ours in prop::collection::hash_set(0..8u8, 0..8),
    ) {
        let ours = keys(&ours);
        let commands = reconcile(&actual, &desired, &ours);
        let mut table = holding(&actual);
        let refused = block_on(table.apply(&commands)).unwrap();
        prop_assert_eq!(refused, vec![]);
        for n in 0..8 {
            let key = any::small_key(n);
            let is = table.state().entry(&key);
            match desired.entry(&key) {
                Some(wanted) => prop_assert_eq!(is, Some(wanted)),
                None if ours.contains(&key) => prop_assert_eq!(is, None),
                None => prop_assert_eq!(is, actual.entry(&key), "somebody else's"),
            }
        }
        // Now there is nothing left to do.
        prop_assert_eq!(reconcile(table.state(), &desired, &ours), vec![]);
    }

    #[test]
    fn no_command_is_without_need(
        actual in any::state(),
        desired in any::state(),
        ours in prop::collection::hash_set(0..8u8, 0..8),
    ) {
        let ours = keys(&ours);
        let commands = reconcile(&actual, &desired, &ours);
        let mut seen = Vec::new();
        for command in &commands {
            prop_assert!(!seen.contains(&command.object()), "{} twice", command);
            seen.push(command.object());
            let there = command.service().and_then(|key| actual.entry(&key));
            let wanted = command.service().and_then(|key| desired.entry(&key));
            match command {
                Command::NewService(_) => prop_assert!(there.is_none()),
                Command::SetService(new) => {
                    prop_assert_ne!(there.unwrap().service(), &new.normal());
                }
                Command::DelService(_) => prop_assert!(wanted.is_none()),
                Command::NewDest(_, dest) => {
                    prop_assert!(there.is_none_or(|entry| entry.dest(&dest.key).is_none()));
                }
                Command::SetDest(_, dest) => {
                    let before = there.unwrap().dest(&dest.key).unwrap();
                    prop_assert_ne!(before, dest);
                }
                Command::DelDest(_, key) => {
                    prop_assert!(wanted.is_none_or(|entry| entry.dest(key).is_none()));
                }
                other => prop_assert!(false, "{}", other),
            }
        }
    }

    #[test]
    fn one_service_is_reconciled_as_all_are(actual in any::state(), desired in any::state()) {
        let ours: HashSet<_> = actual.entries().map(|entry| entry.service().key).collect();
        let mut table = holding(&actual);
        for n in 0..8 {
            let key = any::small_key(n);
            let commands = reconcile_service(actual.entry(&key), desired.entry(&key));
            block_on(table.apply(&commands)).unwrap();
        }
        prop_assert_eq!(table.state(), &desired);
        prop_assert_eq!(reconcile(table.state(), &desired, &ours), vec![]);
    }
}

const SERVICES: u16 = 16_000;
const DESTS: u16 = 4;

fn address(service: u16) -> Ipv4Addr {
    let [high, low] = service.to_be_bytes();
    Ipv4Addr::new(10, 0, high, low)
}

fn entry(n: u16, dests: u16) -> Entry {
    let key = ServiceKey::Address {
        protocol: Protocol::Tcp,
        address: address(n).into(),
        port: 80,
    };
    let mut entry = Entry::new(Service::new(key, Name::new("wlc").unwrap()));
    for port in 0..dests {
        let address = Ipv4Addr::new(192, 168, 0, 1).into();
        entry.put(Dest::new(DestKey { address, port }, Forward::Nat, 1));
    }
    entry
}

#[test]
fn one_weight_of_64_000_real_servers_is_one_command() {
    let desired: State = (0..SERVICES).map(|n| entry(n, DESTS)).collect();
    let ours: HashSet<_> = desired.entries().map(|it| it.service().key).collect();
    let mut actual = desired.clone();
    let (key, mut dest) = {
        let entry = desired.entries().nth(9_999).unwrap();
        (entry.service().key, *entry.dests().nth(2).unwrap())
    };
    dest.weight = 7;
    actual.entry_mut(&key).unwrap().put(dest);
    let begun = Instant::now();
    let commands = reconcile(&actual, &desired, &ours);
    let took = begun.elapsed();
    dest.weight = 1;
    assert_eq!(commands, [Command::SetDest(key, dest)]);
    assert!(took.as_secs() < 5, "{took:?}, without optimisation");
}

#[test]
fn one_service_may_have_all_the_real_servers() {
    // Anything quadratic would take minutes here.
    let full: State = [entry(1, u16::MAX)].into_iter().collect();
    let empty: State = [entry(1, 0)].into_iter().collect();
    let ours: HashSet<_> = full.entries().map(|it| it.service().key).collect();
    let mut table = holding(&State::new());
    for wanted in [&full, &empty, &full, &State::new()] {
        let commands = reconcile(table.state(), wanted, &ours);
        assert_eq!(block_on(table.apply(&commands)).unwrap(), vec![]);
        assert_eq!(table.state(), wanted);
    }
    assert_eq!(table.told().len(), 1 + 4 * usize::from(u16::MAX) + 1);
}

#[test]
fn commands_come_in_the_order_in_which_each_can_be_done() {
    let gone = entry(1, 1);
    let mut stays = entry(2, 2);
    let actual: State = [gone.clone(), stays.clone(), entry(9, 1)]
        .into_iter()
        .collect();
    let ours = [gone.service().key, stays.service().key].into();
    let first = stays.dests().next().unwrap().key;
    stays.take(&first);
    let mut changed = *stays.dests().next().unwrap();
    changed.weight = 5;
    stays.put(changed);
    let added = Dest::new(
        DestKey {
            address: Ipv4Addr::new(192, 168, 0, 9).into(),
            port: 0,
        },
        Forward::Direct,
        1,
    );
    stays.put(added);
    let mut service = *stays.service();
    service.scheduler = Name::new("rr").unwrap();
    let mut new = Entry::new(service);
    for dest in stays.dests() {
        new.put(*dest);
    }
    let come = entry(3, 1);
    let desired: State = [come.clone(), new].into_iter().collect();
    let one = gone.service().key;
    let two = service.key;
    let three = come.service().key;
    let dest = *come.dests().next().unwrap();
    assert_eq!(
        reconcile(&actual, &desired, &ours),
        [
            Command::DelDest(one, dest.key),
            Command::DelService(one),
            Command::NewService(*come.service()),
            Command::NewDest(three, dest),
            Command::SetService(service),
            Command::SetDest(two, changed),
            Command::NewDest(two, added),
            Command::DelDest(two, first),
        ]
    );
}
