//! The `Global definitions` block: the first lines of every data dump.
//!
//! Words and order are keepalived 2.4's; what has no counterpart here keeps its line with the
//! value it would have there, because people compare dumps.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use rk_config::model::{
    DynamicInterfaces, Global, LvsFlush, Process as ProcessSettings, RunAs, Version,
};

use crate::Config;

/// Whose dump the block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// The parent.
    Parent,
    /// The checker process, which shows what the parent shows.
    Checker,
    /// The VRRP process: it shows its own settings too.
    Vrrp,
}

/// Renders the block.
pub(crate) fn render(config: &Config, reader: Reader) -> String {
    let g = &config.global;
    let mut out = Lines(String::from("------< Global definitions >------\n"));
    identity(&mut out, g);
    mail(&mut out, g);
    reload_and_interfaces(&mut out, g, reader);
    sync_and_fifos(&mut out, g);
    vrrp(&mut out, g, reader);
    for (name, settings) in [
        ("VRRP", &g.vrrp_process),
        ("Checker", &g.checker_process),
        ("BFD", &g.bfd_process),
    ] {
        process(&mut out, name, settings);
    }
    services(&mut out, g);
    out.0
}

/// Lines with one blank before each.
struct Lines(String);

impl Lines {
    fn text(&mut self, text: impl Display) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, " {text}");
    }

    fn field(&mut self, name: &str, value: impl Display) {
        self.text(format_args!("{name} = {value}"));
    }
}

/// Namespaces and names.
fn identity(out: &mut Lines, g: &Global) {
    out.field(
        "Network namespace",
        g.net_namespace.as_deref().unwrap_or("(default)"),
    );
    out.field(
        "Network namespace ipvs",
        match &g.net_namespace_ipvs {
            None => "(main namespace)",
            Some(None) => "(default)",
            Some(Some(name)) => name,
        },
    );
    if let Some(instance) = &g.instance {
        out.field("Instance name", instance);
    }
    if !g.use_symlink_paths {
        out.text("Replace symlinks in script paths");
    }
    if !g.set_supplementary_groups {
        out.text("Don't set supplementary groups for all scripts");
    }
    out.field("Router ID", g.router_id.clone().unwrap_or_else(host_name));
}

/// Mail, and what alerts default to.
fn mail(out: &mut Lines, g: &Global) {
    let m = &g.mail;
    if let Some(server) = &m.smtp_server {
        out.field("Smtp server", server);
        out.field("Smtp server port", m.smtp_port);
    }
    if !m.notification_email.is_empty() || m.smtp_server.is_some() {
        out.field(
            "Smtp HELO name",
            m.smtp_helo_name.clone().unwrap_or_else(host_name),
        );
        out.field(
            "Smtp server connection timeout",
            m.smtp_connect_timeout.as_secs(),
        );
    }
    if let Some(from) = &m.notification_email_from {
        out.field("Email notification from", from);
    }
    if !m.notification_email.is_empty() {
        out.text("Email notification to:");
        for to in &m.notification_email {
            out.text(format_args!("  {to}"));
        }
    }
    for (name, value) in [
        ("Default smtp_alert", m.smtp_alert),
        ("Default smtp_alert_vrrp", m.smtp_alert_vrrp),
        ("Default smtp_alert_checker", m.smtp_alert_checker),
    ] {
        out.field(
            name,
            value.map_or("unset", |on| if on { "on" } else { "off" }),
        );
    }
    out.field(
        "Checkers log all failures",
        given(g, "checker_log_all_failures"),
    );
}

/// How reloads and interfaces are dealt with.
fn reload_and_interfaces(out: &mut Lines, g: &Global, reader: Reader) {
    match &g.reload_check_config {
        None => out.text("No test config before reload"),
        Some(file) => out.text(format_args!(
            "Test config before reload, outputting to {}",
            file.as_deref().unwrap_or("/dev/null")
        )),
    }
    out.field(
        "Dynamic interfaces",
        match g.dynamic_interfaces {
            DynamicInterfaces::Off => "false",
            DynamicInterfaces::On => "true",
            DynamicInterfaces::AllowIfChanges => "true, allow interface changes",
        },
    );
    if g.mail.no_email_faults {
        out.text("Send emails for fault transitions = off");
    }
    if reader == Reader::Vrrp {
        out.field("Default interface", &g.default_interface);
    }
    out.field("Disable local IGMP", yes_no(g.disable_local_igmp));
    out.field(
        "Use VRRPv2 checksum for VRRPv3 IPv4",
        yes_no(given(g, "v3_checksum_as_v2")),
    );
}

/// What the kernel's table and the FIFOs are told.
fn sync_and_fifos(out: &mut Lines, g: &Global) {
    if let Some(sync) = &g.lvs_sync_daemon {
        out.field("LVS sync daemon interface", &sync.interface);
    }
    out.field("LVS flush", g.lvs_flush);
    out.field(
        "LVS flush on stop",
        match g.lvs_flush_on_stop {
            LvsFlush::No => "disabled",
            LvsFlush::All => "full",
            LvsFlush::OwnServices => "VS",
        },
    );
    for (name, fifo) in [
        ("Global notify fifo", &g.notify_fifo),
        ("VRRP notify fifo", &g.vrrp_notify_fifo),
        ("LVS notify fifo", &g.lvs_notify_fifo),
    ] {
        if let Some(fifo) = fifo {
            out.text(format_args!(
                "{name} = {}, uid:gid {}",
                fifo.path,
                owner(fifo.owner.as_ref())
            ));
        }
    }
    out.field(
        "FIFO write vrrp states on reload",
        g.fifo_write_vrrp_states_on_reload,
    );
}

/// What instances default to.
fn vrrp(out: &mut Lines, g: &Global, reader: Reader) {
    out.field(
        "VRRP notify priority changes",
        given(g, "vrrp_notify_priority_changes"),
    );
    out.field("VRRP IPv4 mcast group", g.vrrp_mcast_group4);
    out.field("VRRP IPv6 mcast group", g.vrrp_mcast_group6);
    announcements(out, g, reader);
    out.field("Gratuitous ARP interval", seconds(g.vrrp_garp_interval));
    out.field("Gratuitous NA interval", seconds(g.vrrp_gna_interval));
    out.field(
        "VRRP default protocol version",
        match g.vrrp_version {
            Some(Version::V3) => 3,
            _ => 2,
        },
    );
    firewall(out, g);
    out.field("VRRP check unicast_src", given(g, "vrrp_check_unicast_src"));
    out.field(
        "VRRP skip check advert addresses",
        given(g, "vrrp_skip_check_adv_addr"),
    );
    out.field("VRRP strict mode", g.vrrp_strict);
    out.field("Max auto priority", g.max_auto_priority.unwrap_or(0));
    out.field(
        "Min auto priority delay",
        format_args!("{} usecs", g.min_auto_priority_delay.as_micros()),
    );
}

/// Chains and tables.
fn firewall(out: &mut Lines, g: &Global) {
    if let Some(chains) = &g.vrrp_iptables {
        out.field("Iptables input chain", &chains.input);
        if let Some(output) = &chains.output {
            out.field("Iptables output chain", output);
        }
    }
    if let Some(table) = &g.nftables {
        out.field("nftables table name", table);
        out.field("nftables base chain priority", g.nftables_priority);
    }
    if let Some(table) = &g.lvs.nftables_ipvs {
        out.field("ipvs nftables table name", table);
        out.field(
            "ipvs nftables base chain priority",
            g.lvs.nftables_ipvs_priority,
        );
        out.field(
            "ipvs nftables start fwmark",
            g.lvs.nftables_ipvs_start_fwmark,
        );
    }
    out.text(if g.nftables_counters {
        "nftables with counters"
    } else {
        "nftables without counters"
    });
}

/// Gratuitous ARP defaults: what was said, else what keepalived starts from.
fn announcements(out: &mut Lines, g: &Global, reader: Reader) {
    let number = |keyword: &str| {
        g.rest
            .get(keyword)
            .and_then(|words| words.first())
            .and_then(|w| w.parse::<u64>().ok())
    };
    let delay = number("vrrp_garp_master_delay").unwrap_or(5);
    let repeat = number("vrrp_garp_master_repeat").unwrap_or(5);
    // Only the VRRP process fills these two in; the others show them as "not set".
    let unset = |value: u64| {
        if reader == Reader::Vrrp {
            value
        } else {
            u64::from(u32::MAX)
        }
    };
    let lower_delay = number("vrrp_garp_lower_prio_delay").unwrap_or_else(|| unset(delay));
    let lower_repeat = number("vrrp_garp_lower_prio_repeat").unwrap_or_else(|| unset(repeat));
    out.field("Gratuitous ARP delay", delay);
    out.field("Gratuitous ARP repeat", repeat);
    out.field(
        "Gratuitous ARP refresh timer",
        number("vrrp_garp_master_refresh").unwrap_or(0),
    );
    out.field(
        "Gratuitous ARP refresh repeat",
        number("vrrp_garp_master_refresh_repeat").unwrap_or(1),
    );
    out.field("Gratuitous ARP lower priority delay", lower_delay);
    out.field("Gratuitous ARP lower priority repeat", lower_repeat);
    out.field(
        "Num adverts before down",
        number("vrrp_down_timer_adverts").unwrap_or(3),
    );
    let extra = g
        .vrrp_garp_extra_if
        .as_ref()
        .map_or(0, |extra| extra.interval.as_secs());
    out.field(
        "Gratuitous ARP for each secondary VMAC",
        format_args!("{extra}s"),
    );
    out.field(
        "Send advert after receive lower priority advert",
        !given(g, "vrrp_lower_prio_no_advert"),
    );
    out.field(
        "Send advert after receive higher priority advert",
        given(g, "vrrp_higher_prio_send_advert"),
    );
}

/// How one child is scheduled.
fn process(out: &mut Lines, name: &str, p: &ProcessSettings) {
    out.field(&format!("{name} process priority"), p.priority.unwrap_or(0));
    out.field(&format!("{name} don't swap"), p.no_swap);
    out.field(
        &format!("{name} realtime priority"),
        p.rt_priority.unwrap_or(0),
    );
    if !p.cpu_affinity.is_empty() {
        let cpus: Vec<_> = p.cpu_affinity.iter().map(ToString::to_string).collect();
        out.field(&format!("{name} CPU Affinity"), cpus.join(" "));
    }
    out.field(
        &format!("{name} realtime limit"),
        p.rlimit_rttime.unwrap_or(10_000),
    );
}

/// SNMP, D-Bus, scripts, buffers.
fn services(out: &mut Lines, g: &Global) {
    for (name, on) in [
        ("vrrp", g.snmp.vrrp),
        ("checker", g.snmp.checker),
        ("RFCv2", g.snmp.rfcv2),
        ("RFCv3", g.snmp.rfcv3),
        ("traps", g.snmp.traps),
    ] {
        out.text(format_args!("SNMP {name} {}", enabled(on)));
    }
    out.field(
        "SNMP socket",
        g.snmp
            .socket
            .as_deref()
            .unwrap_or("default (unix:/var/agentx/master)"),
    );
    for which in ["VS", "RS"] {
        out.field(&format!("SNMP {which} stats update interval"), "5.000000");
    }
    out.text(format_args!("DBus {}", enabled(g.enable_dbus)));
    out.field(
        "DBus service name",
        g.dbus_service_name.as_deref().unwrap_or_default(),
    );
    out.field("DBus no interface name", "none");
    out.text(format_args!(
        "Script security {}",
        enabled(g.enable_script_security)
    ));
    out.text(format_args!(
        "Default script uid:gid {}",
        owner(g.script_user.as_ref())
    ));
    for (name, bytes, force) in [
        (
            "vrrp_netlink_cmd_rcv_bufs",
            g.vrrp_netlink_cmd_rcv_bufs,
            g.vrrp_netlink_cmd_rcv_bufs_force,
        ),
        (
            "vrrp_netlink_monitor_rcv_bufs",
            g.vrrp_netlink_monitor_rcv_bufs,
            g.vrrp_netlink_monitor_rcv_bufs_force,
        ),
        ("process_monitor_rcv_bufs", None, false),
        (
            "lvs_netlink_cmd_rcv_bufs",
            g.lvs.netlink_cmd_rcv_bufs,
            g.lvs.netlink_cmd_rcv_bufs_force,
        ),
        (
            "lvs_netlink_monitor_rcv_bufs",
            g.lvs.netlink_monitor_rcv_bufs,
            g.lvs.netlink_monitor_rcv_bufs_force,
        ),
    ] {
        out.field(name, bytes.unwrap_or(0));
        out.field(&format!("{name}_force"), u8::from(force));
    }
    out.field("rs_init_notifies", u8::from(given(g, "rs_init_notifies")));
    out.field("no_checker_emails", u8::from(given(g, "no_checker_emails")));
    out.field("rx_bufs_multiples", g.vrrp_rx_bufs_multiplier);
    out.field("umask", format_args!("0{:o}", g.umask.unwrap_or(0o177)));
    out.text(format_args!("json_version {}", g.json_version));
    let dir = |dir: &Option<String>, default: &str| dir.clone().unwrap_or_else(|| default.into());
    out.text(format_args!(
        "iproute usr directory {}",
        dir(&g.iproute_usr_dir, "/usr/share/iproute2")
    ));
    out.text(format_args!(
        "iproute etc directory {}",
        dir(&g.iproute_etc_dir, "/etc/iproute2")
    ));
}

/// Whether a switch was given that no typed field holds: alone, or with a word that means yes.
fn given(g: &Global, keyword: &str) -> bool {
    g.rest.get(keyword).is_some_and(|words| {
        words
            .first()
            .is_none_or(|word| matches!(word.as_str(), "true" | "on" | "yes"))
    })
}

const fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

const fn enabled(on: bool) -> &'static str {
    if on { "enabled" } else { "disabled" }
}

/// `1.500000`
fn seconds(d: Duration) -> String {
    format!("{}.{:06}", d.as_secs(), d.subsec_micros())
}

/// `uid:gid`; this process's own when nobody was named.
fn owner(user: Option<&RunAs>) -> String {
    let own = || {
        (
            nix::unistd::geteuid().as_raw(),
            nix::unistd::getegid().as_raw(),
        )
    };
    let (uid, gid) = user.map_or_else(own, |u| (u.uid, u.gid));
    format!("{uid}:{gid}")
}

fn host_name() -> String {
    nix::unistd::gethostname()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What keepalived 2.2.7 wrote for an empty `global_defs`, as the parent; its lines about
    /// libnftnl are not ours.
    const KEEPALIVED_PARENT: &str = "\
Network namespace = (default)
Network namespace ipvs = (main namespace)
Router ID = edge
Default smtp_alert = unset
Default smtp_alert_vrrp = unset
Default smtp_alert_checker = unset
Checkers log all failures = false
No test config before reload
Dynamic interfaces = false
Disable local IGMP = no
LVS flush = false
LVS flush on stop = disabled
FIFO write vrrp states on reload = false
VRRP notify priority changes = false
VRRP IPv4 mcast group = 224.0.0.18
VRRP IPv6 mcast group = ff02::12
Gratuitous ARP delay = 5
Gratuitous ARP repeat = 5
Gratuitous ARP refresh timer = 0
Gratuitous ARP refresh repeat = 1
Gratuitous ARP lower priority delay = 4294967295
Gratuitous ARP lower priority repeat = 4294967295
Num adverts before down = 3
Gratuitous ARP for each secondary VMAC = 0s
Send advert after receive lower priority advert = true
Send advert after receive higher priority advert = false
Gratuitous ARP interval = 0.000000
Gratuitous NA interval = 0.000000
VRRP default protocol version = 2
nftables without counters
VRRP check unicast_src = false
VRRP skip check advert addresses = false
VRRP strict mode = false
Max auto priority = 0
Min auto priority delay = 1000000 usecs
VRRP process priority = 0
VRRP don't swap = false
VRRP realtime priority = 0
VRRP realtime limit = 10000
Checker process priority = 0
Checker don't swap = false
Checker realtime priority = 0
Checker realtime limit = 10000
BFD process priority = 0
BFD don't swap = false
BFD realtime priority = 0
BFD realtime limit = 10000
SNMP vrrp disabled
SNMP checker disabled
SNMP RFCv2 disabled
SNMP RFCv3 disabled
SNMP traps disabled
SNMP socket = default (unix:/var/agentx/master)
DBus disabled
DBus service name = 
Script security disabled
Default script uid:gid 0:0
vrrp_netlink_cmd_rcv_bufs = 0
vrrp_netlink_cmd_rcv_bufs_force = 0
vrrp_netlink_monitor_rcv_bufs = 0
vrrp_netlink_monitor_rcv_bufs_force = 0
process_monitor_rcv_bufs = 0
process_monitor_rcv_bufs_force = 0
lvs_netlink_cmd_rcv_bufs = 0
lvs_netlink_cmd_rcv_bufs_force = 0
lvs_netlink_monitor_rcv_bufs = 0
lvs_netlink_monitor_rcv_bufs_force = 0
rs_init_notifies = 0
no_checker_emails = 0
rx_bufs_multiples = 3
umask = 0177";

    /// Lines that keepalived 2.4 has and 2.2.7 has not.
    const NEWER: [&str; 9] = [
        "Replace symlinks in script paths",
        "Don't set supplementary groups for all scripts",
        "Use VRRPv2 checksum for VRRPv3 IPv4 = no",
        "SNMP VS stats update interval = 5.000000",
        "SNMP RS stats update interval = 5.000000",
        "DBus no interface name = none",
        "json_version 1",
        "iproute usr directory /usr/share/iproute2",
        "iproute etc directory /etc/iproute2",
    ];

    fn lines(text: &str) -> Vec<&str> {
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("------< Global definitions >------"));
        lines
            .map(|line| line.strip_prefix(' ').expect("one blank"))
            .collect()
    }

    fn config() -> Config {
        let mut config = Config::default();
        config.global.router_id = Some("edge".into());
        config.global.script_user = Some(RunAs::ROOT);
        config
    }

    #[test]
    fn the_parents_block_is_keepalives_line_by_line() {
        let text = render(&config(), Reader::Parent);
        let ours: Vec<_> = lines(&text)
            .into_iter()
            .filter(|line| !NEWER.contains(line))
            .collect();
        assert_eq!(ours, KEEPALIVED_PARENT.lines().collect::<Vec<_>>());
        for line in NEWER {
            assert!(lines(&text).contains(&line), "{line}");
        }
    }

    #[test]
    fn the_vrrp_process_knows_more() {
        let text = render(&config(), Reader::Vrrp);
        for line in [
            "Default interface = eth0",
            "Gratuitous ARP lower priority delay = 5",
            "Gratuitous ARP lower priority repeat = 5",
        ] {
            assert!(lines(&text).contains(&line), "{line}");
        }
    }

    #[test]
    fn mail_is_shown_as_it_will_be_sent() {
        let mut config = config();
        let mail = &mut config.global.mail;
        mail.smtp_server = Some("127.0.0.1".into());
        mail.smtp_helo_name = Some("vm".into());
        mail.smtp_connect_timeout = Duration::from_secs(5);
        mail.notification_email_from = Some("ka@example.org".into());
        mail.notification_email = vec!["ops@example.org".into()];
        mail.smtp_alert = Some(true);
        let text = render(&config, Reader::Parent);
        let wanted = "\
 Smtp server = 127.0.0.1
 Smtp server port = 25
 Smtp HELO name = vm
 Smtp server connection timeout = 5
 Email notification from = ka@example.org
 Email notification to:
   ops@example.org
 Default smtp_alert = on
";
        assert!(text.contains(wanted), "{text}");
    }
}
