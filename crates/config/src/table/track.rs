//! What can be tracked, and how.

use super::{Addresses, Args, BFD, CHECKER, Keyword, VRRP, Value, int, kw, msecs, secs};

#[rustfmt::skip]
pub(super) static INSTANCE_TRACK_INTERFACE: &[Keyword] = &[
    kw("weight", Args::Grammar("INT(-253..253) (+/-254 reported and reduced)"), "0", "By how much the priority moves; without it, down is a fault.").needs(),
    kw("reverse", Args::Flag, "off", "Down is good, up is bad."),
];

#[rustfmt::skip]
pub(super) static INSTANCE_TRACK_SCRIPT: &[Keyword] = &[
    kw("weight", Args::Grammar("INT(-253..253) (+/-254 reported and reduced)"), "weight of the script", "By how much the priority moves, instead of the script's own weight.").needs(),
    kw("reverse", Args::Flag, "from the script", "Failure is good, success is bad."),
    kw("noreverse", Args::Flag, "", "Takes back the script's own reverse."),
];

#[rustfmt::skip]
pub(super) static INSTANCE_TRACK_FILE: &[Keyword] = &[
    kw("weight", Args::One(int(-254, 254)), "weight of the file", "What the number is multiplied by here.").needs(),
    kw("reverse", Args::Flag, "from the file", "Changes the sign of the number."),
    kw("noreverse", Args::Flag, "", "Takes back the file's own reverse."),
];

#[rustfmt::skip]
pub(super) static INSTANCE_TRACK_PROCESS: &[Keyword] = &[
    kw("weight", Args::One(int(-254, 254)), "weight of the process", "By how much the priority moves here; 0 makes it a fault.").needs(),
    kw("reverse", Args::Flag, "from the process", "Running is bad, absent is good."),
    kw("noreverse", Args::Flag, "", "Takes back the process's own reverse."),
];

#[rustfmt::skip]
pub(super) static INSTANCE_TRACK_BFD: &[Keyword] = &[
    kw("weight", Args::One(int(-253, 253)), "weight of the session", "By how much the priority moves here; 0 makes it a fault.").needs(),
    kw("reverse", Args::Flag, "from the session", "Up is bad, down is good."),
    kw("noreverse", Args::Flag, "", "Takes back the session's own reverse."),
];

#[rustfmt::skip]
pub(super) static VRRP_SCRIPT: &[Keyword] = &[
    kw("script", Args::One(Value::Command), "required", "The command; quote it if it has arguments.").needs(),
    kw("interval", Args::One(secs(1000, 4294000000)), "1", "From one start to the next.").stops(),
    kw("timeout", Args::One(secs(1000, 4294000000)), "interval", "When a run is killed and counts as failed.").stops(),
    kw("weight", Args::Grammar("INT(-253..253) [reverse]"), "0", "By how much the priority moves; 0 makes failure a fault.").stops(),
    kw("rise", Args::One(int(1, 2147483647)), "1", "How many successes make it good.").stops(),
    kw("fall", Args::One(int(1, 2147483647)), "1", "How many failures make it bad.").stops(),
    kw("user", Args::One(Value::User), "script_user", "Who runs it.").stops(),
    kw("init_fail", Args::Flag, "off", "Counts as failed until its first result."),
];

#[rustfmt::skip]
pub(super) static VRRP_TRACK_PROCESS: &[Keyword] = &[
    kw("process", Args::Grammar("NAME|PATH [ARG...]"), "required", "The program, and arguments it must have.").stops().first_wins(),
    kw("param_match", Args::Grammar("[initial|partial]"), "exact once arguments are given", "How its arguments are compared."),
    kw("weight", Args::Grammar("INT(-254..254) [reverse]"), "0", "By how much the priority moves; 0 makes absence a fault.").needs(),
    kw("quorum", Args::One(int(1, 65535)), "1", "How many must be running at least.").stops(),
    kw("quorum_max", Args::One(int(0, 65535)), "no limit", "How many may be running at most.").stops(),
    kw("delay", Args::One(secs(1, 3600000000)), "0", "How long a change must last, either way.").stops(),
    kw("terminate_delay", Args::One(secs(1, 3600000000)), "0", "How long it must be gone.").stops(),
    kw("fork_delay", Args::One(secs(1, 3600000000)), "0", "How long it must have been there.").stops(),
    kw("full_command", Args::Flag, "off", "Looks at the whole command line."),
];

#[rustfmt::skip]
pub(super) static TRACK_FILE: &[Keyword] = &[
    kw("file", Args::One(Value::Path), "required", "The file.").of(VRRP.and(CHECKER)).needs().first_wins(),
    kw("weight", Args::Grammar("INT(-254..254) [reverse]"), "1", "What the number in it is multiplied by.").of(VRRP.and(CHECKER)).needs(),
    kw("init_file", Args::Grammar("[INT(sensible -254..254)] [overwrite]"), "not created", "Writes a first number into the file.").of(VRRP.and(CHECKER)),
];

#[rustfmt::skip]
pub(super) static BFD_INSTANCE: &[Keyword] = &[
    kw("source_ip", Args::One(Value::Address(Addresses::Any)), "kernel choice", "The address packets come from.").of(BFD).stops(),
    kw("neighbor_ip", Args::One(Value::Address(Addresses::Any)), "required", "The neighbour.").of(BFD).needs(),
    kw("neighbour_ip", Args::One(Value::Address(Addresses::Any)), "required", "The neighbour, spelt the other way.").of(BFD).same_as("neighbor_ip").needs(),
    kw("min_rx", Args::One(msecs(1000, 4294967000)), "10", "How often it is willing to receive.").of(BFD).stops(),
    kw("min_tx", Args::One(msecs(1000, 4294967000)), "10", "How often it wants to send while up.").of(BFD).stops(),
    kw("idle_tx", Args::One(msecs(1000000, 4294967000)), "1000", "How often it sends while not up.").of(BFD).stops(),
    kw("multiplier", Args::One(int(1, 255)), "5", "How many packets may be missed.").of(BFD).stops(),
    kw("passive", Args::Flag, "off", "Waits for the neighbour to begin.").of(BFD),
    kw("ttl", Args::One(int(1, 255)), "255 (IPv4), 64 (IPv6)", "The TTL of its packets.").of(BFD).stops(),
    kw("hoplimit", Args::One(int(1, 255)), "see ttl", "The hop limit of its packets.").of(BFD).same_as("ttl").stops(),
    kw("max_hops", Args::One(int(-1, 255)), "0", "How many hops packets may have come.").of(BFD).stops(),
    kw("multihop", Args::Maybe(Value::Bool), "false", "Uses the port for sessions over several hops.").of(BFD).since_2_3(),
    kw("weight", Args::Grammar("INT(-253..253) [reverse]"), "0", "By how much tracking instances move; 0 makes down a fault.").stops(),
    kw("vrrp", Args::Flag, "both", "Instances hear of it.").of(BFD.and(VRRP)),
    kw("checker", Args::Flag, "both", "Checkers hear of it.").of(BFD.and(CHECKER)),
];
