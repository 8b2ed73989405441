//! Many services at once.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use rk_ipvs::{
    Command, Dest, DestKey, Entry, Forward, Protocol, Service, ServiceKey, State, Table, reconcile,
};

use crate::{apply, block_on, name, open, run};

const SERVICES: u16 = 1000;
const DESTS: u8 = 4;

fn wanted() -> State {
    let entries = (0..SERVICES).map(|n| {
        let [high, low] = n.to_be_bytes();
        let key = ServiceKey::Address {
            protocol: Protocol::Tcp,
            address: Ipv4Addr::new(10, 0, high, low).into(),
            port: 80,
        };
        let mut entry = Entry::new(Service::new(key, name("wlc")));
        for last in 1..=DESTS {
            let address = Ipv4Addr::new(192, 168, low, last).into();
            let port = 8080;
            entry.put(Dest::new(DestKey { address, port }, Forward::Nat, 1));
        }
        entry
    });
    entries.collect()
}

#[test]
fn a_thousand_services_are_programmed_and_read_at_once() {
    rk_lab::in_guest(|| {
        let mut table = open();
        let wanted = wanted();
        let ours: HashSet<_> = wanted.entries().map(|it| it.service().key).collect();
        let commands = reconcile(&State::new(), &wanted, &ours);

        let begun = Instant::now();
        apply(&mut table, &commands);
        let together = begun.elapsed();
        let begun = Instant::now();
        let there = block_on(table.read(|_| true)).unwrap();
        let read = begun.elapsed();
        assert_eq!(there, wanted);
        assert_eq!(run("ipvsadm", &["-Sn"]).lines().count(), 5000);

        apply(&mut table, &[Command::Flush]);
        let begun = Instant::now();
        for command in &commands {
            apply(&mut table, std::slice::from_ref(command));
        }
        let singly = begun.elapsed();
        assert_eq!(block_on(table.read(|_| true)).unwrap(), wanted);
        println!(
            "{} commands: {together:?} in batches, {singly:?} one by one; read in {read:?}",
            commands.len()
        );
        assert!(together < Duration::from_secs(10), "{together:?}");
    });
}
