//! The address writer, judged by `ip`.

use std::time::Duration;

use rk_base::IfIndex;
use rk_net::{
    Address, AddressError, AddressFlags, AddressWriter, Clock, Completion, Op, OpId, Outcome,
    Reflector,
};
use serde_json::Value;

use crate::sandbox::{Host, block_on, sandboxed, two_hosts};

const BUDGET: Duration = Duration::from_millis(2);

fn on(host: &Host, dev: &str, prefix: &str) -> Address {
    Address::new(host.ifindex(dev), prefix.parse().unwrap())
}

/// Does everything queued.
async fn finish(writer: &mut AddressWriter) -> Vec<Completion> {
    let mut all = Vec::new();
    while !writer.is_idle() {
        writer.ready().await;
        all.extend(writer.step(BUDGET).unwrap());
    }
    all
}

/// Does `ops` and says what became of each.
async fn perform(writer: &mut AddressWriter, ops: Vec<Op>) -> Vec<Result<Outcome, AddressError>> {
    writer.submit(OpId(1), ops);
    let done = finish(writer).await;
    assert_eq!(done.iter().filter(|c| c.last).count(), 1);
    done.into_iter()
        .flat_map(|c| c.results)
        .map(|(_, result)| result)
        .collect()
}

fn shown(host: &Host, local: &str) -> Value {
    let links = host.ip_json("addr show dev va");
    let infos = links[0]["addr_info"].as_array().unwrap();
    let found = infos.iter().find(|a| a["local"] == local);
    found
        .unwrap_or_else(|| panic!("{local} is not there: {links}"))
        .clone()
}

#[test]
fn every_property_reaches_the_kernel() {
    sandboxed("address::every_property_reaches_the_kernel", || {
        let (a, _b) = two_hosts();
        let _at_a = a.enter();
        block_on(async {
            let mut writer = AddressWriter::new(Clock::new()).unwrap();
            let plain = on(&a, "va", "192.0.2.1/24");
            let mut full = on(&a, "va", "203.0.113.2/24");
            full.broadcast = Some("203.0.113.255".parse().unwrap());
            full.label = Some("va:vip".into());
            full.scope = 253;
            full.flags.noprefixroute = true;
            full.preferred_lft = Some(0);
            let mut peer = on(&a, "va", "192.0.2.3");
            peer.peer = Some("198.51.100.9".parse().unwrap());
            let v6 = on(&a, "va", "2001:db8::1/64");
            let mut home = on(&a, "va", "2001:db8::2/128");
            home.flags = AddressFlags {
                home: true,
                ..home.flags
            };
            home.preferred_lft = Some(1000);
            let all = [plain, full, peer, v6, home];
            let ops: Vec<_> = all.iter().cloned().map(Op::Add).collect();
            assert_eq!(
                perform(&mut writer, ops).await,
                vec![Ok(Outcome::Changed); 5]
            );

            let plain = shown(&a, "192.0.2.1");
            assert_eq!(
                plain["broadcast"],
                Value::Null,
                "no broadcast address is made up"
            );
            assert_eq!(
                (&plain["prefixlen"], &plain["scope"]),
                (&24.into(), &"global".into())
            );
            let full = shown(&a, "203.0.113.2");
            assert_eq!(full["broadcast"], "203.0.113.255");
            assert_eq!(
                (&full["label"], &full["scope"]),
                (&"va:vip".into(), &"link".into())
            );
            assert_eq!(full["noprefixroute"], true);
            assert_eq!(full["deprecated"], true);
            let peer = shown(&a, "192.0.2.3");
            assert_eq!(
                (&peer["address"], &peer["prefixlen"]),
                (&"198.51.100.9".into(), &32.into())
            );
            let v6 = shown(&a, "2001:db8::1");
            assert_eq!(v6["nodad"], true);
            assert_eq!(v6["tentative"], Value::Null);
            assert_eq!(v6["preferred_life_time"], u64::from(u32::MAX));
            let home = shown(&a, "2001:db8::2");
            assert_eq!(home["home"], true);
            assert!(home["preferred_life_time"].as_u64().unwrap() <= 1000);
            assert_eq!(home["valid_life_time"], u64::from(u32::MAX));

            // The kernel's own reading of them is what diff compares with.
            let reflector = Reflector::open(None).await.unwrap();
            let index = a.ifindex("va");
            let marked: Vec<_> = reflector
                .table()
                .addresses(index)
                .filter(|a| a.protocol == Some(18))
                .collect();
            let kernel_keeps_protocol = reflector
                .table()
                .all_addresses()
                .any(|a| a.protocol.is_some());
            if kernel_keeps_protocol {
                assert_eq!(marked.len(), 5);
            }
            let ops = all.iter().cloned().map(Op::Delete).collect();
            assert_eq!(
                perform(&mut writer, ops).await,
                vec![Ok(Outcome::Changed); 5]
            );
            assert_eq!(a.shown("va"), ["10.0.0.1/24", "fe80::a/64"]);
        });
    });
}

#[test]
fn what_is_so_already_is_done_and_what_cannot_be_is_named() {
    sandboxed(
        "address::what_is_so_already_is_done_and_what_cannot_be_is_named",
        || {
            let (a, _b) = two_hosts();
            let _at_a = a.enter();
            block_on(async {
                let mut writer = AddressWriter::new(Clock::new()).unwrap();
                let vip = on(&a, "va", "192.0.2.1/24");
                let vip6 = on(&a, "va", "2001:db8::1/64");
                let mut nowhere = vip.clone();
                nowhere.ifindex = IfIndex::new(4711).unwrap();
                let mut impossible = vip6.clone();
                impossible.prefix = "ff02::99/64".parse().unwrap();
                let ops = vec![
                    Op::Delete(vip.clone()),
                    Op::Delete(vip6.clone()),
                    Op::Add(vip.clone()),
                    Op::Add(vip.clone()),
                    Op::Add(vip6.clone()),
                    Op::Add(vip6.clone()),
                    Op::Add(nowhere.clone()),
                    Op::Delete(nowhere),
                    Op::Add(impossible),
                    Op::Delete(vip),
                ];
                let got = perform(&mut writer, ops).await;
                use Outcome::{Already, Changed};
                assert_eq!(
                    got[..6],
                    [
                        Ok(Already),
                        Ok(Already),
                        Ok(Changed),
                        Ok(Already),
                        Ok(Changed),
                        Ok(Already)
                    ]
                );
                let Err(AddressError::NoInterface { said: Some(said) }) = &got[6] else {
                    panic!("{:?}", got[6])
                };
                assert!(said.contains("evice"), "the kernel's words: {said}");
                assert_eq!(got[7], Ok(Already));
                let Err(error @ AddressError::Kernel { said, .. }) = &got[8] else {
                    panic!("{:?}", got[8])
                };
                assert!(!error.retryable());
                assert!(said.is_some(), "{error}");
                assert_eq!(
                    got[9],
                    Ok(Changed),
                    "errors in between do not disturb the others"
                );
                // A family that is switched off.
                std::fs::write("/proc/sys/net/ipv6/conf/va/disable_ipv6", "1").unwrap();
                let got = perform(&mut writer, vec![Op::Add(vip6)]).await;
                assert!(got[0].is_err(), "{got:?}");
            });
        },
    );
}

fn thousand(host: &Host) -> Vec<Address> {
    (0..1000)
        .map(|n| on(host, "va", &format!("10.9.{}.{}", n / 250, n % 250)))
        .collect()
}

#[test]
fn a_thousand_addresses_keep_their_order_and_no_step_does_all() {
    sandboxed(
        "address::a_thousand_addresses_keep_their_order_and_no_step_does_all",
        || {
            let (a, _b) = two_hosts();
            let _at_a = a.enter();
            block_on(async {
                let mut writer = AddressWriter::new(Clock::new()).unwrap();
                let all = thousand(&a);
                writer.submit(OpId(7), all.iter().cloned().map(Op::Add).collect());
                writer.submit(OpId(8), vec![]);
                writer.submit(OpId(9), vec![Op::Add(on(&a, "va", "10.8.0.1"))]);
                // Without any time to spend, a step is one chunk.
                let first = writer.step(Duration::ZERO).unwrap();
                assert_eq!(first.len(), 1);
                assert!(
                    first[0].results.len() < 100 && !first[0].last,
                    "{}",
                    first[0].results.len()
                );
                let mut done = first;
                done.extend(finish(&mut writer).await);
                let order: Vec<_> = done
                    .iter()
                    .flat_map(|c| c.results.iter().map(|(op, _)| (c.id, op.address().prefix)))
                    .collect();
                let mut want: Vec<_> = all.iter().map(|a| (OpId(7), a.prefix)).collect();
                want.push((OpId(9), "10.8.0.1".parse().unwrap()));
                assert_eq!(order, want);
                assert!(
                    done.iter()
                        .all(|c| c.results.iter().all(|(_, r)| *r == Ok(Outcome::Changed)))
                );
                let ended: Vec<_> = done.iter().filter(|c| c.last).map(|c| c.id.0).collect();
                assert_eq!(ended, [7, 8, 9]);
                // keepalived's order: as configured.
                let want: Vec<_> = all
                    .iter()
                    .map(|a| format!("{}/{}", a.prefix.addr(), a.prefix.len()))
                    .collect();
                assert_eq!(a.shown("va")[1..1001], want);

                // Failing ones are answered one by one: the answers must not get lost.
                let again: Vec<_> = all.iter().cloned().map(Op::Add).collect();
                assert_eq!(
                    perform(&mut writer, again).await,
                    vec![Ok(Outcome::Already); 1000]
                );
                let away: Vec<_> = all.iter().cloned().map(Op::Delete).collect();
                assert_eq!(
                    perform(&mut writer, away).await,
                    vec![Ok(Outcome::Changed); 1000]
                );
                assert_eq!(a.shown("va"), ["10.0.0.1/24", "10.8.0.1/32", "fe80::a/64"]);
            });
        },
    );
}

#[test]
fn ops_that_were_taken_back_are_not_done() {
    sandboxed("address::ops_that_were_taken_back_are_not_done", || {
        let (a, _b) = two_hosts();
        let _at_a = a.enter();
        block_on(async {
            let mut writer = AddressWriter::new(Clock::new()).unwrap();
            writer.submit(OpId(1), thousand(&a).into_iter().map(Op::Add).collect());
            writer.submit(OpId(2), vec![Op::Add(on(&a, "va", "10.8.0.1"))]);
            let done = writer.step(Duration::ZERO).unwrap();
            let did = done[0].results.len();
            let taken = writer.cancel(OpId(1));
            assert_eq!(did + taken.len(), 1000);
            let rest = finish(&mut writer).await;
            assert_eq!(
                rest.iter().map(|c| (c.id, c.last)).collect::<Vec<_>>(),
                [(OpId(2), true)]
            );
            assert_eq!(a.shown("va").len(), 2 + did + 1);
        });
    });
}
