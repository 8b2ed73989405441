//! `keepalived.json`, version 1: one compact line, keys in keepalived's order.

use core::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::view::{AddressView, Authentication, Counters, InstanceView, VrrpView};

/// Renders the JSON dump, newline included. `/` is escaped, as keepalived's readers know it.
///
/// # Errors
/// Whatever the serialiser says; values as plain as these give it no reason.
pub fn render(view: &VrrpView) -> Result<String, serde_json::Error> {
    let all: Vec<Entry<'_>> = view
        .instances
        .iter()
        .map(|i| Entry {
            data: Data::of(i),
            stats: Stats::of(&i.counters),
        })
        .collect();
    let mut text = serde_json::to_string(&all)?.replace('/', "\\/");
    text.push('\n');
    Ok(text)
}

#[derive(Serialize)]
struct Entry<'a> {
    data: Data<'a>,
    stats: Stats,
}

/// Seconds, without a fraction when there is none.
struct Seconds(Duration);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.0.subsec_nanos() == 0 {
            s.serialize_u64(self.0.as_secs())
        } else {
            s.serialize_f64(self.0.as_secs_f64())
        }
    }
}

/// Seconds since 1970, always with six decimals.
struct Exact(u64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        RawValue::from_string(text)
            .map_err(serde::ser::Error::custom)?
            .serialize(s)
    }
}

#[derive(Serialize)]
struct Data<'a> {
    iname: &'a str,
    dont_track_primary: u8,
    skip_check_adv_addr: u8,
    strict_mode: u8,
    vmac_ifname: &'static str,
    ifp_ifname: &'a str,
    master_priority: u8,
    last_transition: Exact,
    garp_delay: Seconds,
    garp_refresh: u64,
    garp_rep: u32,
    garp_refresh_rep: u32,
    garp_lower_prio_delay: u64,
    garp_lower_prio_rep: u32,
    lower_prio_no_advert: u8,
    higher_prio_send_advert: u8,
    vrid: u8,
    base_priority: u8,
    effective_priority: u8,
    vipset: bool,
    promote_secondaries: bool,
    adver_int: Seconds,
    master_adver_int: Seconds,
    accept: u8,
    nopreempt: bool,
    preempt_delay: u64,
    state: u8,
    wantstate: u8,
    version: u8,
    smtp_alert: bool,
    notify_deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_backup: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_master: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_fault: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_stop: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_deleted: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_master_rx_lower_pri: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vips: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evips: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    track_ifp: Vec<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    track_script: &'a [String],
    auth_type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_data: Option<&'static str>,
    // What keepalived never tells: the sentence behind the state. New keys come last, so that a
    // reader of keepalived's keys sees nothing moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    faults: &'a [String],
}

impl<'a> Data<'a> {
    fn of(i: &'a InstanceView) -> Self {
        let script = |key: &str| {
            i.notify
                .iter()
                .find(|n| n.key == key)
                .map(|n| n.command.as_str())
        };
        let auth_type = match i.authentication {
            Authentication::None => 0,
            Authentication::Pass => 1,
            Authentication::Ah => 2,
        };
        Self {
            iname: &i.name,
            dont_track_primary: u8::from(i.dont_track_primary),
            skip_check_adv_addr: u8::from(i.skip_check_adv_addr),
            strict_mode: u8::from(i.strict),
            vmac_ifname: "",
            ifp_ifname: &i.interface,
            master_priority: i.master.map_or(0, |(_, priority)| priority),
            last_transition: Exact(i.last_transition.micros),
            garp_delay: Seconds(i.garp_delay),
            garp_refresh: i.garp_refresh.as_secs(),
            garp_rep: i.garp_repeat,
            garp_refresh_rep: i.garp_refresh_repeat,
            garp_lower_prio_delay: i.garp_lower_prio_delay.as_secs(),
            garp_lower_prio_rep: i.garp_lower_prio_repeat,
            lower_prio_no_advert: u8::from(!i.lower_prio_advert),
            higher_prio_send_advert: u8::from(i.higher_prio_advert),
            vrid: i.vrid,
            base_priority: i.base_priority,
            effective_priority: i.effective_priority,
            vipset: i.vipset,
            promote_secondaries: i.promote_secondaries,
            adver_int: Seconds(i.adver_int),
            master_adver_int: Seconds(i.master_adver_int),
            accept: u8::from(i.accept),
            nopreempt: !i.preempt,
            preempt_delay: i.preempt_delay.as_secs(),
            state: i.state.number(),
            wantstate: i.wantstate.number(),
            version: i.version,
            smtp_alert: i.smtp_alert,
            notify_deleted: i.notify_deleted,
            script_backup: script("script_backup"),
            script_master: script("script_master"),
            script_fault: script("script_fault"),
            script_stop: script("script_stop"),
            script_deleted: script("script_deleted"),
            script: script("script"),
            script_master_rx_lower_pri: script("script_master_rx_lower_pri"),
            vips: lines(&i.addresses),
            evips: lines(&i.excluded),
            track_ifp: i.interfaces.iter().map(|t| t.name.as_str()).collect(),
            track_script: &i.script_commands,
            auth_type,
            auth_data: (auth_type != 0).then_some("********"),
            cause: i.cause.as_deref(),
            faults: &i.faults,
        }
    }
}

fn lines(addresses: &[AddressView]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

#[derive(Serialize)]
struct Stats {
    advert_rcvd: u64,
    advert_sent: u64,
    become_master: u64,
    release_master: u64,
    packet_len_err: u64,
    advert_interval_err: u64,
    ip_ttl_err: u64,
    invalid_type_rcvd: u64,
    addr_list_err: u64,
    invalid_authtype: u64,
    authtype_mismatch: u64,
    auth_failure: u64,
    pri_zero_rcvd: u64,
    pri_zero_sent: u64,
}

impl Stats {
    fn of(c: &Counters) -> Self {
        Self {
            advert_rcvd: c.advert_rcvd,
            advert_sent: c.advert_sent,
            become_master: c.become_master,
            release_master: c.release_master,
            packet_len_err: c.packet_len_err,
            advert_interval_err: c.advert_interval_err,
            ip_ttl_err: c.ip_ttl_err,
            invalid_type_rcvd: c.invalid_type_rcvd,
            addr_list_err: c.addr_list_err,
            invalid_authtype: c.invalid_authtype,
            authtype_mismatch: c.authtype_mismatch,
            auth_failure: c.auth_failure,
            pri_zero_rcvd: c.pri_zero_rcvd,
            pri_zero_sent: c.pri_zero_sent,
        }
    }
}
