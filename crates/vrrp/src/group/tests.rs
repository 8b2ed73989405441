//! Two and three instances that move together.

use core::net::IpAddr;
use core::time::Duration;

use rk_base::{Family, Priority, Vrid};

use super::*;
use crate::input::{AtStop, RxMeta, StopReason};
use crate::output::Addresses;
use crate::settings::{Settings, Version};
use crate::tracking::{Reading, Tracker, TrackerId, TrackerKind};
use crate::wire::{AdvertWriter, Coverage};

const PEER: &str = "192.0.2.20";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

struct Lab {
    group: SyncGroup,
    routers: Vec<Instance>,
    now: Instant,
    out: Vec<GroupOutput>,
}

impl Lab {
    /// Members A, B, C ... with these priorities, each with one tracked interface.
    fn new(priorities: &[u8]) -> Self {
        let mut routers = Vec::new();
        for (n, priority) in priorities.iter().enumerate() {
            let number = u8::try_from(n).unwrap();
            let name = char::from(b'A' + number).to_string();
            let vrid = Vrid::try_from(number + 1).unwrap();
            let mut settings = Settings::new(&name, vrid, Family::V4);
            settings.version = Version::V3;
            settings.priority = Priority::new(*priority);
            settings.addresses = vec![ip("192.0.2.100")];
            settings.sync_group = Some("G".into());
            settings.trackers = vec![Tracker {
                id: TrackerId(number.into()),
                kind: TrackerKind::Interface,
                name: format!("eth{n}").into(),
                weight: 0,
                reverse: false,
                initial: Reading::Up,
            }];
            let mut router = Instance::new(settings);
            router.handle(
                Instant::ZERO,
                Input::SourceAddress(Some(ip("192.0.2.10"))),
                &mut Vec::new(),
            );
            routers.push(router);
        }
        let members = (0..routers.len()).collect();
        let mut lab = Self {
            group: SyncGroup::new("G".into(), members),
            routers,
            now: Instant::ZERO + Duration::from_secs(60),
            out: Vec::new(),
        };
        lab.group.start(lab.now, &mut lab.routers, &mut lab.out);
        lab
    }

    fn master(priorities: &[u8]) -> Self {
        let mut lab = Self::new(priorities);
        lab.run(Duration::from_secs(8));
        assert_eq!(lab.group.state(), State::Master);
        lab.out.clear();
        lab
    }

    fn feed(&mut self, member: usize, input: Input<'_>) {
        self.group
            .handle(self.now, member, input, &mut self.routers, &mut self.out);
    }

    fn run(&mut self, by: Duration) {
        let end = self.now + by;
        loop {
            let due = |i: usize| self.routers[i].due().map(|t| (t, i));
            let Some((due, member)) = (0..self.routers.len()).filter_map(due).min() else {
                break;
            };
            if due > end {
                break;
            }
            self.now = self.now.max(due);
            self.feed(member, Input::Timer);
        }
        self.now = end;
    }

    fn hear(&mut self, member: usize, priority: u8) {
        let settings = self.routers[member].settings().clone();
        let (src, dst) = (ip(PEER), ip("224.0.0.18"));
        let mut payload = Vec::new();
        let writer = AdvertWriter {
            version: Version::V3,
            family: Family::V4,
            vrid: settings.vrid,
            priority: Priority::new(priority),
            interval: settings.adver_interval,
            addresses: &settings.addresses,
            auth: settings.auth,
        };
        writer.emit(Coverage::Pseudo { src, dst }, &mut payload);
        let meta = RxMeta::new(src, dst, self.now);
        self.feed(
            member,
            Input::Packet {
                meta,
                payload: &payload,
            },
        );
    }

    fn link(&mut self, member: usize, reading: Reading) {
        let id = TrackerId(u32::try_from(member).unwrap());
        self.feed(
            member,
            Input::Tracker {
                id,
                reading,
                detail: None,
            },
        );
    }

    fn states(&self) -> Vec<State> {
        self.routers.iter().map(Instance::state).collect()
    }

    /// Everything said since the last call; of the log only the states and the group's lines.
    fn said(&mut self) -> Vec<String> {
        let name = |routers: &[Instance], m: usize| routers[m].settings().name.to_string();
        let mut said = Vec::new();
        for output in core::mem::take(&mut self.out) {
            match output {
                GroupOutput::Log(event) => said.push(event.to_string()),
                GroupOutput::Transition(t) => {
                    said.push(format!("G: {} -> {}: {}", t.from, t.to, t.cause));
                }
                GroupOutput::Member(m, output) => {
                    let what = match output {
                        Output::Log(event) if event.to_string().contains("ntering") => {
                            event.to_string()
                        }
                        Output::Send(t) => format!("advert {}", t.priority),
                        Output::Transition(t) => format!("{} -> {}: {}", t.from, t.to, t.cause),
                        Output::Addresses(Addresses::Present) => "addresses present".into(),
                        Output::Announce(a) => format!("announce {:?}", a.reason),
                        Output::WantsMaster => "wants to be master".into(),
                        _ => continue,
                    };
                    said.push(format!("{}: {what}", name(&self.routers, m)));
                }
            }
        }
        said
    }
}

use State::{Backup, Fault, Init, Master};

#[test]
fn at_start_the_group_speaks_first() {
    let mut lab = Lab::new(&[100, 90]);
    assert_eq!(
        lab.said(),
        [
            "G: INIT -> BACKUP: started",
            "A: (A) Entering BACKUP STATE (init)",
            "A: INIT -> BACKUP: started",
            "B: (B) Entering BACKUP STATE (init)",
            "B: INIT -> BACKUP: started",
        ]
    );
}

#[test]
fn it_is_master_when_the_last_member_wants_to_be() {
    let mut lab = Lab::new(&[100, 90]);
    lab.out.clear();
    lab.run(Duration::from_millis(3620));
    // A wants it after 3.609 s, B after 3.648 s.
    assert_eq!(lab.said(), ["A: wants to be master"]);
    assert_eq!(
        (lab.states(), lab.routers[0].wantstate()),
        (vec![Backup, Backup], Master)
    );
    lab.run(Duration::from_millis(40));
    assert_eq!(
        lab.said(),
        [
            "B: wants to be master",
            "B: advert 90",
            "B: (B) Entering MASTER STATE",
            "B: addresses present",
            "B: announce Master",
            "B: BACKUP -> MASTER: no master heard for 3.648 s",
            "VRRP_Group(G) Syncing instances to MASTER state",
            "A: advert 100",
            "A: (A) Entering MASTER STATE",
            "A: addresses present",
            "A: announce Master",
            "A: BACKUP -> MASTER: no master heard for 3.609 s",
            "G: BACKUP -> MASTER: no master heard for 3.648 s",
        ]
    );
}

#[test]
fn a_member_that_hears_a_master_holds_the_others_back() {
    let mut lab = Lab::new(&[100, 100]);
    for _ in 0..30 {
        lab.run(Duration::from_millis(900));
        lab.hear(1, 150);
        assert_eq!(lab.states(), [Backup, Backup]);
    }
    assert_eq!(lab.routers[0].wantstate(), Master);
    lab.run(Duration::from_secs(4));
    assert_eq!(lab.states(), [Master, Master]);
}

#[test]
fn a_wish_ends_when_a_master_is_heard() {
    let mut lab = Lab::new(&[100, 100]);
    lab.hear(1, 150);
    lab.run(Duration::from_millis(3700));
    assert_eq!(
        (lab.routers[0].wantstate(), lab.routers[1].wantstate()),
        (Master, Master)
    );
    let mut lab = Lab::new(&[100, 1]);
    lab.run(Duration::from_millis(3700));
    assert_eq!(lab.routers[0].wantstate(), Master);
    lab.hear(0, 150);
    assert_eq!(lab.routers[0].wantstate(), Backup);
    lab.run(Duration::from_millis(500));
    assert_eq!(lab.states(), [Backup, Backup]);
}

#[test]
fn one_member_that_yields_takes_the_others_along() {
    let mut lab = Lab::master(&[100, 90, 80]);
    lab.hear(1, 200);
    assert_eq!(
        lab.said(),
        [
            "B: (B) Entering BACKUP STATE",
            "B: MASTER -> BACKUP: advert from 192.0.2.20 with higher priority 200, ours 90",
            "VRRP_Group(G) Syncing instances to BACKUP state",
            "A: advert 0",
            "A: (A) Entering BACKUP STATE",
            "A: MASTER -> BACKUP: sync group G follows its member B",
            "C: advert 0",
            "C: (C) Entering BACKUP STATE",
            "C: MASTER -> BACKUP: sync group G follows its member B",
            "G: MASTER -> BACKUP: advert from 192.0.2.20 with higher priority 200, ours 90",
        ]
    );
}

#[test]
fn one_fault_takes_all_down_and_its_end_brings_all_back() {
    let mut lab = Lab::master(&[100, 90]);
    lab.link(0, Reading::Down);
    assert_eq!(
        lab.said(),
        [
            "A: advert 0",
            "A: advert 0",
            "A: (A) entering FAULT state (interface eth0 down)",
            "A: (A) Entering FAULT STATE",
            "A: MASTER -> FAULT: interface eth0 down",
            "VRRP_Group(G) Syncing instances to FAULT state",
            "B: advert 0",
            "B: (B) entering FAULT state (sync group member A)",
            "B: (B) Entering FAULT STATE",
            "B: MASTER -> FAULT: member A of sync group G is in FAULT",
            "G: MASTER -> FAULT: interface eth0 down",
        ]
    );
    // A second fault, and the end of the first: still one left.
    lab.link(1, Reading::Down);
    lab.link(0, Reading::Up);
    assert_eq!((lab.states(), lab.said()), (vec![Fault, Fault], vec![]));
    lab.link(1, Reading::Up);
    assert_eq!(lab.states(), [Backup, Backup]);
    assert_eq!(
        lab.said(),
        [
            "B: (B) Entering BACKUP STATE",
            "B: FAULT -> BACKUP: everything tracked is good again",
            "VRRP_Group(G) Syncing instances to BACKUP state",
            "A: (A) Entering BACKUP STATE",
            "A: FAULT -> BACKUP: everything tracked is good again",
            "G: FAULT -> BACKUP: everything tracked is good again",
        ]
    );
    lab.run(Duration::from_secs(8));
    assert_eq!(lab.states(), [Master, Master]);
}

#[test]
fn a_group_with_a_fault_at_start_starts_in_fault() {
    let mut lab = Lab::new(&[100, 90]);
    lab.feed(
        0,
        Input::Stop {
            reason: StopReason::Shutdown,
            at_stop: AtStop::Release,
        },
    );
    lab.feed(
        1,
        Input::Stop {
            reason: StopReason::Shutdown,
            at_stop: AtStop::Release,
        },
    );
    assert_eq!((lab.states(), lab.group.state()), (vec![Init, Init], Init));
    lab.link(1, Reading::Down);
    lab.out.clear();
    lab.group.start(lab.now, &mut lab.routers, &mut lab.out);
    assert_eq!(lab.states(), [Fault, Fault]);
    let said = lab.said();
    assert_eq!(
        said[0].split(": ").take(2).collect::<Vec<_>>(),
        ["G", "INIT -> FAULT"]
    );
}

#[test]
fn lower_adverts_make_every_member_announce() {
    let mut lab = Lab::master(&[100, 100]);
    lab.hear(0, 50);
    assert_eq!(
        lab.said(),
        [
            "A: advert 100",
            "A: announce LowerPriority",
            "B: announce LowerPriority"
        ]
    );
}

#[test]
fn the_group_stops_with_its_last_member() {
    let mut lab = Lab::master(&[100, 100]);
    let stop = || Input::Stop {
        reason: StopReason::Shutdown,
        at_stop: AtStop::Release,
    };
    lab.feed(0, stop());
    assert_eq!(
        (lab.states(), lab.group.state()),
        (vec![Init, Master], Master)
    );
    lab.feed(1, stop());
    let said = lab.said();
    assert_eq!(said.last().unwrap(), "G: MASTER -> INIT: the daemon stops");
    assert_eq!(said.iter().filter(|s| s.ends_with("advert 0")).count(), 2);
}

#[test]
fn owners_in_a_group_are_master_together_at_once() {
    let mut lab = Lab::new(&[255, 255]);
    lab.run(Duration::from_millis(1));
    assert_eq!(lab.states(), [Master, Master]);
}
