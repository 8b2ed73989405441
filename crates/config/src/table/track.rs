//! What can be tracked, and how.

use super::{Addresses, Args, BFD, CHECKER, Keyword, VRRP, Value, int, kw, msecs, secs};

#[rustfmt::skip]
pub(super) static INSTANCE_TRACK_INTERFACE: &[Keyword] = &[
    kw("weight", Args::Grammar("INT(-253..253) (+/-254 reported and reduced)"), "0", "What is added to the priority: above 0 while up, below 0 while down; 0 makes down a fault.").needs(),
    kw("reverse", Args::Flag, "off", "Takes down for good and up for bad; stands after the weight."),
];

#[rustfmt::skip]
pub(super) static INSTANCE_TRACK_SCRIPT: &[Keyword] = &[
    kw("weight", Args::Grammar("INT(-253..253) (+/-254 reported and reduced)"), "weight of the script", "The weight here, instead of the script's own.").needs(),
    kw("reverse", Args::Flag, "from the script", "Takes failure for good and success for bad."),
    kw("noreverse", Args::Flag, "", "Takes back the script's own `reverse`."),
];

#[rustfmt::skip]
pub(super) static INSTANCE_TRACK_FILE: &[Keyword] = &[
    kw("weight", Args::One(int(-254, 254)), "weight of the file", "What the number in the file is multiplied by here, instead of the file's own weight.").needs(),
    kw("reverse", Args::Flag, "from the file", "Changes the sign of the number."),
    kw("noreverse", Args::Flag, "", "Takes back the file's own `reverse`."),
];

#[rustfmt::skip]
pub(super) static INSTANCE_TRACK_PROCESS: &[Keyword] = &[
    kw("weight", Args::One(int(-254, 254)), "weight of the process", "The weight here, instead of the process's own; 0 makes its absence a fault.").needs(),
    kw("reverse", Args::Flag, "from the process", "Takes absent for good and running for bad."),
    kw("noreverse", Args::Flag, "", "Takes back the process's own `reverse`."),
];

#[rustfmt::skip]
pub(super) static INSTANCE_TRACK_BFD: &[Keyword] = &[
    kw("weight", Args::One(int(-253, 253)), "weight of the session", "The weight here, instead of the session's own; 0 makes down a fault.").needs(),
    kw("reverse", Args::Flag, "from the session", "Takes down for good and up for bad."),
    kw("noreverse", Args::Flag, "", "Takes back the session's own `reverse`."),
];

#[rustfmt::skip]
pub(super) static VRRP_SCRIPT: &[Keyword] = &[
    kw("script", Args::One(Value::Command), "required", "The command; quotes go around it when it has arguments.").needs(),
    kw("interval", Args::One(secs(1000, 4294000000)), "1", "Seconds from one run to the next.").stops(),
    kw("timeout", Args::One(secs(1000, 4294000000)), "interval", "Seconds after which a run is killed and counts as failed.").stops(),
    kw("weight", Args::Grammar("INT(-253..253) [reverse]"), "0", "What is added to the priority: above 0 while good, below 0 while bad; 0 makes bad a fault.").stops(),
    kw("rise", Args::One(int(1, 2147483647)), "1", "How many successes in a row make it good.").stops(),
    kw("fall", Args::One(int(1, 2147483647)), "1", "How many failures in a row make it bad.").stops(),
    kw("user", Args::One(Value::User), "script_user", "Who runs the command.").stops(),
    kw("init_fail", Args::Flag, "off", "Takes the script for bad until its first success."),
];

#[rustfmt::skip]
pub(super) static VRRP_TRACK_PROCESS: &[Keyword] = &[
    kw("process", Args::Grammar("NAME|PATH [ARG...]"), "required", "The program to look for, and the arguments it must have been started with.").stops().first_wins(),
    kw("param_match", Args::Grammar("[initial|partial]"), "exact once arguments are given", "How arguments are compared: all of them, the first ones, or the last one by its start."),
    kw("weight", Args::Grammar("INT(-254..254) [reverse]"), "0", "What is added to the priority: above 0 while running, below 0 while not; 0 makes it a fault.").needs(),
    kw("quorum", Args::One(int(1, 65535)), "1", "The least number of processes that must run.").stops(),
    kw("quorum_max", Args::One(int(0, 65535)), "no limit", "The greatest number of processes that may run; 0 when none may.").stops(),
    kw("delay", Args::One(secs(1, 3600000000)), "0", "Sets `terminate_delay` and `fork_delay` at once, in seconds.").stops(),
    kw("terminate_delay", Args::One(secs(1, 3600000000)), "0", "Seconds a process must be gone before that counts.").stops(),
    kw("fork_delay", Args::One(secs(1, 3600000000)), "0", "Seconds a process must have run before that counts.").stops(),
    kw("full_command", Args::Flag, "off", "Compares the whole command line instead of the short name the kernel knows."),
];

#[rustfmt::skip]
pub(super) static TRACK_FILE: &[Keyword] = &[
    kw("file", Args::One(Value::Path), "required", "The path of the file.").of(VRRP.and(CHECKER)).needs().first_wins(),
    kw("weight", Args::Grammar("INT(-254..254) [reverse]"), "1", "What the number in the file is multiplied by; 0 makes every number but 0 a fault.").of(VRRP.and(CHECKER)).needs(),
    kw("init_file", Args::Grammar("[INT(sensible -254..254)] [overwrite]"), "not created", "Creates the file at the start with this number; an existing one stays, unless `overwrite`.").of(VRRP.and(CHECKER)),
];

#[rustfmt::skip]
pub(super) static BFD_INSTANCE: &[Keyword] = &[
    kw("source_ip", Args::One(Value::Address(Addresses::Any)), "kernel choice", "The own address of the session.").of(BFD).stops(),
    kw("neighbor_ip", Args::One(Value::Address(Addresses::Any)), "required", "The address of the neighbour.").of(BFD).needs(),
    kw("neighbour_ip", Args::One(Value::Address(Addresses::Any)), "required", "Other spelling of `neighbor_ip`.").of(BFD).same_as("neighbor_ip").needs(),
    kw("min_rx", Args::One(msecs(1000, 4294967000)), "10", "Least time in milliseconds between packets that this side is willing to receive.").of(BFD).stops(),
    kw("min_tx", Args::One(msecs(1000, 4294967000)), "10", "Least time in milliseconds between packets that this side sends while up.").of(BFD).stops(),
    kw("idle_tx", Args::One(msecs(1000000, 4294967000)), "1000", "Time in milliseconds between packets that this side sends while not up.").of(BFD).stops(),
    kw("multiplier", Args::One(int(1, 255)), "5", "After how many missed packets the session is down.").of(BFD).stops(),
    kw("passive", Args::Flag, "off", "Sends nothing until the neighbour has begun.").of(BFD),
    kw("ttl", Args::One(int(1, 255)), "255 (IPv4), 64 (IPv6)", "The TTL or hop limit of packets sent.").of(BFD).stops(),
    kw("hoplimit", Args::One(int(1, 255)), "see ttl", "Other word for `ttl`.").of(BFD).same_as("ttl").stops(),
    kw("max_hops", Args::One(int(-1, 255)), "0", "How many routers a packet from the neighbour may have passed; -1 for any number.").of(BFD).stops(),
    kw("multihop", Args::Maybe(Value::Bool), "false", "Uses the UDP port of sessions over several hops (4784, RFC 5883).").of(BFD).since_2_3(),
    kw("weight", Args::Grammar("INT(-253..253) [reverse]"), "0", "What is added to the priority: above 0 while up, below 0 while down; 0 makes down a fault.").stops(),
    kw("vrrp", Args::Flag, "both", "Tells instances about the session; alone, it leaves out the checkers.").of(BFD.and(VRRP)),
    kw("checker", Args::Flag, "both", "Tells checkers about the session; alone, it leaves out the instances.").of(BFD.and(CHECKER)),
];
