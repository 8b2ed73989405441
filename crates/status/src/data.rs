//! `keepalived.data`: the VRRP sections, line by line as tools grep for them.
//!
//! The global section is the parent's too and is rendered by the daemon; this module starts at
//! `VRRP Topology`. Words follow keepalived 2.4.

use core::fmt::{self, Write as _};
use core::time::Duration;

use crate::view::{
    AddressView, Authentication, InstanceView, InterfaceView, Role, ScriptProgress, ScriptView,
    SocketView, TrackedView, VrrpView,
};

/// Renders every VRRP section that is not empty.
#[must_use]
pub fn render(view: &VrrpView) -> String {
    let mut out = Lines::default();
    section(&mut out, "VRRP Topology", &view.instances, instance);
    section(&mut out, "VRRP Sockpool", &view.sockets, socket);
    section(&mut out, "VRRP Scripts", &view.scripts, script);
    section(&mut out, "Interfaces", &view.interfaces, interface);
    out.0
}

/// The text so far.
#[derive(Default)]
pub(crate) struct Lines(pub(crate) String);

impl Lines {
    /// One line, indented by `indent` blanks.
    pub(crate) fn line(&mut self, indent: usize, text: fmt::Arguments<'_>) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "{:indent$}{text}", "");
    }

    /// `name = value` of a block.
    pub(crate) fn field(&mut self, name: &str, value: impl fmt::Display) {
        self.line(3, format_args!("{name} = {value}"));
    }

    /// One of several in a field.
    pub(crate) fn item(&mut self, value: impl fmt::Display) {
        self.line(5, format_args!("{value}"));
    }
}

fn section<T>(out: &mut Lines, title: &str, all: &[T], one: fn(&mut Lines, &T)) {
    if all.is_empty() {
        return;
    }
    out.line(0, format_args!("------< {title} >------"));
    for each in all {
        one(out, each);
    }
}

fn or_none<T: fmt::Display>(value: Option<&T>) -> String {
    value.map_or_else(|| "(none)".to_owned(), ToString::to_string)
}

const fn enabled(on: bool) -> &'static str {
    if on { "enabled" } else { "disabled" }
}

const fn yes(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}

fn instance(out: &mut Lines, i: &InstanceView) {
    out.line(1, format_args!("VRRP Instance = {}", i.name));
    out.field("VRRP Version", i.version);
    if let Some(group) = &i.group {
        out.field("Sync group", group);
    }
    if i.ipv6 {
        out.line(3, format_args!("Using Native IPv6"));
    }
    protocol_state(out, i);
    interface_and_source(out, i);
    announcements(out, i);
    identity(out, i);
    addresses(out, "Virtual IP (", &i.addresses);
    addresses(out, "", &i.excluded);
    unicast(out, i);
    match i.sockets {
        Some((rx, tx)) => out.line(3, format_args!("fd_in {rx}, fd_out {tx}")),
        None => out.line(3, format_args!("No sockets allocated")),
    }
    tracked(out, "Tracked interfaces :", &i.interfaces, " ");
    tracked(out, "Tracked scripts :", &i.scripts, " ");
    tracked(out, "Tracked files :", &i.files, ", ");
    out.field("Using smtp notification", yes(i.smtp_alert));
    out.field(
        "Notify deleted",
        if i.notify_deleted { "Deleted" } else { "Fault" },
    );
    for n in &i.notify {
        let (uid, gid) = n.owner;
        out.line(
            3,
            format_args!(
                "{} state transition script = {}, uid:gid {uid}:{gid}",
                n.title, n.command
            ),
        );
    }
    out.field("Notify priority changes", i.notify_priority_changes);
}

fn protocol_state(out: &mut Lines, i: &InstanceView) {
    out.field("State", i.state);
    if let Some(cause) = &i.cause {
        out.field("State cause", cause);
    }
    if i.state == Role::Backup {
        out.field(
            "Master router",
            or_none(i.master.map(|(addr, _)| addr).as_ref()),
        );
        out.field(
            "Master priority",
            i.master.map_or(0, |(_, priority)| priority),
        );
        if i.version == 3 {
            out.line(
                3,
                format_args!(
                    "Master advert interval = {} milli-sec",
                    i.master_adver_int.as_millis()
                ),
            );
        }
    }
    if i.unicast.is_some() {
        out.line(3, format_args!("Flags:"));
        out.item("Using unicast");
    } else {
        out.line(3, format_args!("Flags: none"));
    }
    out.field("Wantstate", i.wantstate);
    out.field("Number of config faults", 0);
    out.field("Number of tracker faults", i.faults.len());
    if i.faults.is_empty() {
        out.line(3, format_args!("Flags of interface faults - (none)"));
    } else {
        out.line(3, format_args!("Flags of interface faults:"));
        for fault in &i.faults {
            out.item(fault);
        }
    }
    out.field("Number of track scripts init", i.scripts_init);
    out.field("Last transition", &i.last_transition);
    match &i.read_timeout {
        Some(at) => out.field("Read timeout", at),
        None => out.field("Read timeout", "DISABLED"),
    }
    out.line(
        3,
        format_args!("Master down timer = {} usecs", i.master_down.as_micros()),
    );
}

fn interface_and_source(out: &mut Lines, i: &InstanceView) {
    out.field("Interface", &i.interface);
    for (on, text) in [
        (i.dont_track_primary, "VRRP interface tracking disabled"),
        (i.skip_check_adv_addr, "Skip checking advert IP addresses"),
        (i.strict, "Enforcing strict VRRP compliance"),
    ] {
        if on {
            out.line(3, format_args!("{text}"));
        }
    }
    match i.source {
        Some((addr, true)) => {
            out.field("Using src_ip", format_args!("{addr} (from configuration)"));
        }
        Some((addr, false)) => out.field("Using src_ip", addr),
        None => out.field("Using src_ip", "(none)"),
    }
    match i.multicast {
        Some((group, Some(ifindex))) => {
            out.line(
                3,
                format_args!("Multicast address {group}, ifindex {ifindex}"),
            );
        }
        Some((group, None)) => out.line(3, format_args!("Multicast address {group}")),
        None => {}
    }
}

fn announcements(out: &mut Lines, i: &InstanceView) {
    out.field("Gratuitous ARP delay", i.garp_delay.as_secs());
    out.field("Gratuitous ARP repeat", i.garp_repeat);
    out.field("Gratuitous ARP refresh", i.garp_refresh.as_secs());
    out.field("Gratuitous ARP refresh repeat", i.garp_refresh_repeat);
    out.field(
        "Gratuitous ARP lower priority delay",
        i.garp_lower_prio_delay.as_secs(),
    );
    out.field(
        "Gratuitous ARP lower priority repeat",
        i.garp_lower_prio_repeat,
    );
    out.field("Down timer adverts", i.down_timer_adverts);
    out.field(
        "Send advert after receive lower priority advert",
        i.lower_prio_advert,
    );
    out.field(
        "Send advert after receive higher priority advert",
        i.higher_prio_advert,
    );
}

fn identity(out: &mut Lines, i: &InstanceView) {
    out.field("Virtual Router ID", i.vrid);
    out.field("Priority", i.base_priority);
    out.field("Effective priority", i.effective_priority);
    out.field("Total priority", i.total_priority);
    if i.version == 2 {
        out.line(
            3,
            format_args!("Advert interval = {} sec", i.adver_int.as_secs()),
        );
    } else {
        out.line(
            3,
            format_args!("Advert interval = {} milli-sec", i.adver_int.as_millis()),
        );
    }
    let sent = i.last_advert_sent.micros;
    out.field(
        "Last advert sent",
        format_args!("{}.{:06}", sent / 1_000_000, sent % 1_000_000),
    );
    out.field("Accept", enabled(i.accept));
    out.field("Preempt", enabled(i.preempt));
    if !i.preempt_delay.is_zero() {
        out.line(
            3,
            format_args!("Preempt delay = {} secs", i.preempt_delay.as_secs_f64()),
        );
    }
    out.field("Promote_secondaries", enabled(i.promote_secondaries));
    if i.version == 2 {
        let kind = match i.authentication {
            Authentication::None => "none",
            Authentication::Pass => "SIMPLE_PASSWORD",
            Authentication::Ah => "IPSEC_AH",
        };
        out.field("Authentication type", kind);
        if i.authentication != Authentication::None {
            out.field("Password", "********");
        }
    } else if !i.ipv6 {
        out.field("VRRPv3 uses VRRPv2 checksum", enabled(i.checksum_as_v2));
    }
}

fn addresses(out: &mut Lines, counted: &str, all: &[AddressView]) {
    if all.is_empty() {
        return;
    }
    if counted.is_empty() {
        out.line(3, format_args!("Virtual IP Excluded :"));
    } else {
        out.line(3, format_args!("{counted}{}):", all.len()));
    }
    for address in all {
        out.item(address);
    }
}

fn unicast(out: &mut Lines, i: &InstanceView) {
    let Some(u) = &i.unicast else { return };
    out.field("Unicast TTL", u.ttl);
    out.line(
        3,
        format_args!("Check unicast src : {}", yes(u.check_source)),
    );
    out.line(3, format_args!("Unicast Peer :"));
    for (addr, min, max) in &u.peers {
        out.item(format_args!("{addr} min_ttl {min} max_ttl {max}"));
    }
    out.field("Unicast checksum compatibility", u.checksum_compatibility);
}

fn tracked(out: &mut Lines, title: &str, all: &[TrackedView], separator: &str) {
    if all.is_empty() {
        return;
    }
    out.line(3, format_args!("{title}"));
    for t in all {
        let reverse = if t.reverse { " reverse" } else { "" };
        out.item(format_args!(
            "{}{separator}weight {}{reverse}",
            t.name, t.weight
        ));
    }
}

fn socket(out: &mut Lines, s: &SocketView) {
    out.line(1, format_args!("fd_in {} fd_out = {}", s.fd_in, s.fd_out));
    out.field("Interface", &s.interface);
    out.field("Family", if s.ipv6 { "IPv6" } else { "IPv4" });
    out.field("Protocol", "VRRP");
    match s.unicast {
        Some(addr) => {
            out.field("Type", "Unicast");
            out.field("Address", addr);
        }
        None => out.field("Type", "Multicast"),
    }
    out.field("Rx buf size", s.rx_buf);
    out.line(3, format_args!("VRRP instances"));
    for (name, vrid) in &s.instances {
        out.item(format_args!("{name} vrid {vrid}"));
    }
}

fn seconds(d: Duration) -> String {
    match (d.as_secs(), d.subsec_millis()) {
        (whole, 0) => whole.to_string(),
        (whole, millis) => format!("{whole}.{millis:03}"),
    }
}

fn script(out: &mut Lines, s: &ScriptView) {
    out.line(1, format_args!("VRRP Script = {}", s.name));
    out.field("Command", &s.command);
    out.line(3, format_args!("Interval = {} sec", seconds(s.interval)));
    out.line(3, format_args!("Timeout = {} sec", seconds(s.timeout)));
    let reverse = if s.reverse { " reverse" } else { "" };
    out.line(3, format_args!("Weight = {}{reverse}", s.weight));
    out.field("Rise", s.rise);
    out.field("Fall", s.fall);
    out.field("Result", s.result);
    out.field("Insecure", yes(s.insecure));
    out.field(
        "Init state",
        if s.init_fail == Some(true) {
            "failed"
        } else {
            "unknown"
        },
    );
    out.field(
        "Status",
        match s.good {
            None => "INIT",
            Some(true) => "GOOD",
            Some(false) => "BAD",
        },
    );
    out.line(
        3,
        format_args!("Script uid:gid = {}:{}", s.owner.0, s.owner.1),
    );
    out.line(3, format_args!("VRRP instances :"));
    tracking_names(out, &s.instances);
    out.field(
        "State",
        match s.progress {
            ScriptProgress::Idle => "idle",
            ScriptProgress::Running => "running",
            ScriptProgress::TimingOut => "requested termination",
        },
    );
}

fn tracking_names(out: &mut Lines, all: &[(String, i32, bool)]) {
    out.line(3, format_args!("Tracking instances :"));
    for (name, weight, reverse) in all {
        out.item(format_args!(
            "{name}, weight {weight}{}",
            if *reverse { " reverse" } else { "" }
        ));
    }
}

fn interface(out: &mut Lines, i: &InterfaceView) {
    out.line(1, format_args!("Name = {}", i.name));
    out.field("index", i.index);
    out.field("IPv4 address", or_none(i.ipv4.as_ref()));
    out.field("IPv6 address", or_none(i.ipv6.as_ref()));
    if let Some(mac) = i.mac {
        let hex: Vec<String> = mac.iter().map(|b| format!("{b:02x}")).collect();
        out.field("MAC", hex.join(":"));
    }
    out.field("State", &i.state);
    out.field("MTU", i.mtu);
    out.field("HW Type", if i.loopback { "LOOPBACK" } else { "ETHERNET" });
    out.line(3, format_args!("NIC netlink status update"));
    out.line(3, format_args!("Tracking VRRP instances :"));
    for (name, weight, reverse) in &i.tracking {
        out.item(format_args!(
            "{name}, weight {weight}{}",
            if *reverse { " reverse" } else { "" }
        ));
    }
}
