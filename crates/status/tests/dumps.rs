//! The dump formats, compared with what keepalived 2.4 writes for the same state.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use core::time::Duration;

use rk_status::{
    AddressView, Authentication, Counters, InstanceView, NotifyView, Role, VrrpView, WallTime,
    data, json, stats,
};

fn gateway() -> InstanceView {
    let address = |prefix: &str, scope: &str, label: Option<&str>| AddressView {
        prefix: prefix.parse().unwrap(),
        broadcast: None,
        dev: "lan0".into(),
        scope: scope.into(),
        label: label.map(Into::into),
        peer: None,
        options: vec![],
        lifetime: None,
        set: true,
    };
    InstanceView {
        name: "GW".into(),
        version: 2,
        group: None,
        ipv6: false,
        state: Role::Master,
        wantstate: Role::Master,
        cause: None,
        master: None,
        master_adver_int: Duration::from_secs(1),
        faults: vec![],
        scripts_init: 0,
        last_transition: WallTime {
            micros: 1_795_232_033_922_429,
            text: "Sat Nov 21 03:33:53.922429 2026".into(),
        },
        read_timeout: None,
        master_down: Duration::from_micros(3_570_312),
        interface: "lan0".into(),
        dont_track_primary: false,
        skip_check_adv_addr: false,
        strict: false,
        source: Some(("10.77.0.1".parse().unwrap(), false)),
        multicast: Some(("224.0.0.18".parse().unwrap(), None)),
        unicast: None,
        garp_delay: Duration::from_secs(5),
        garp_repeat: 5,
        garp_refresh: Duration::ZERO,
        garp_refresh_repeat: 1,
        garp_lower_prio_delay: Duration::from_secs(5),
        garp_lower_prio_repeat: 5,
        down_timer_adverts: 3,
        lower_prio_advert: true,
        higher_prio_advert: false,
        vrid: 61,
        base_priority: 110,
        effective_priority: 110,
        total_priority: 110,
        adver_int: Duration::from_secs(1),
        last_advert_sent: WallTime {
            micros: 1_795_232_034_922_495,
            text: String::new(),
        },
        accept: true,
        preempt: true,
        preempt_delay: Duration::ZERO,
        promote_secondaries: false,
        authentication: Authentication::Pass,
        checksum_as_v2: false,
        addresses: vec![
            address("10.77.0.161/24", "global", None),
            address("10.77.0.162", "link", Some("lan0:x")),
        ],
        excluded: vec![],
        vipset: true,
        interfaces: vec![],
        scripts: vec![],
        script_commands: vec![],
        files: vec![],
        smtp_alert: true,
        notify_deleted: false,
        notify: vec![NotifyView {
            title: "Master",
            key: "script_master",
            command: "'/usr/local/bin/n.sh' 'm'".into(),
            owner: (0, 0),
        }],
        notify_priority_changes: false,
        sockets: Some((15, 16)),
        counters: Counters {
            advert_rcvd: 1,
            advert_sent: 5,
            become_master: 1,
            ..Counters::default()
        },
    }
}

fn view(instances: Vec<InstanceView>) -> VrrpView {
    VrrpView {
        instances,
        ..VrrpView::default()
    }
}

#[test]
fn data_has_keepalived_s_lines_in_keepalived_s_order() {
    let text = data::render(&view(vec![gateway()]));
    let want = "------< VRRP Topology >------
 VRRP Instance = GW
   VRRP Version = 2
   State = MASTER
   Flags: none
   Wantstate = MASTER
   Number of config faults = 0
   Number of tracker faults = 0
   Flags of interface faults - (none)
   Number of track scripts init = 0
   Last transition = 1795232033.922429 (Sat Nov 21 03:33:53.922429 2026)
   Read timeout = DISABLED
   Master down timer = 3570312 usecs
   Interface = lan0
   Using src_ip = 10.77.0.1
   Multicast address 224.0.0.18
   Gratuitous ARP delay = 5
   Gratuitous ARP repeat = 5
   Gratuitous ARP refresh = 0
   Gratuitous ARP refresh repeat = 1
   Gratuitous ARP lower priority delay = 5
   Gratuitous ARP lower priority repeat = 5
   Down timer adverts = 3
   Send advert after receive lower priority advert = true
   Send advert after receive higher priority advert = false
   Virtual Router ID = 61
   Priority = 110
   Effective priority = 110
   Total priority = 110
   Advert interval = 1 sec
   Last advert sent = 1795232034.922495
   Accept = enabled
   Preempt = enabled
   Promote_secondaries = disabled
   Authentication type = SIMPLE_PASSWORD
   Password = ********
   Virtual IP (2):
     10.77.0.161/24 dev lan0 scope global set
     10.77.0.162 dev lan0 scope link label lan0:x set
   fd_in 15, fd_out 16
   Using smtp notification = yes
   Notify deleted = Fault
   Master state transition script = '/usr/local/bin/n.sh' 'm', uid:gid 0:0
   Notify priority changes = false
";
    assert_eq!(text, want);
}

#[test]
fn a_cause_is_told_next_to_the_state() {
    let mut instance = gateway();
    instance.cause = Some("no advert for 3.6 s".into());
    let text = data::render(&view(vec![instance]));
    assert!(
        text.contains("   State = MASTER\n   State cause = no advert for 3.6 s\n"),
        "{text}"
    );
}

#[test]
fn stats_are_nineteen_lines_an_instance() {
    let text = stats::render(&view(vec![gateway(), gateway()]));
    assert_eq!(text.lines().count(), 2 * 19);
    assert!(text.starts_with(
        "VRRP Instance: GW\n  Advertisements:\n    Received: 1\n    Sent: 5\n  Became master: 1\n"
    ));
    assert!(text.ends_with("  Priority Zero:\n    Received: 0\n    Sent: 0\n"));
}

#[test]
fn json_is_one_line_with_escaped_slashes_and_no_secret() {
    let text = json::render(&view(vec![gateway()])).unwrap();
    assert_eq!(text.matches('\n').count(), 1);
    assert!(text.starts_with(
        r#"[{"data":{"iname":"GW","dont_track_primary":0,"skip_check_adv_addr":0,"strict_mode":0,"vmac_ifname":"","ifp_ifname":"lan0","master_priority":0,"last_transition":1795232033.922429,"garp_delay":5,"#
    ));
    assert!(text.contains(
        r#""notify_deleted":false,"script_master":"'\/usr\/local\/bin\/n.sh' 'm'","vips":["10.77.0.161\/24 dev lan0 scope global set","#
    ));
    assert!(text.ends_with(
        r#""auth_type":1,"auth_data":"********"},"stats":{"advert_rcvd":1,"advert_sent":5,"become_master":1,"release_master":0,"packet_len_err":0,"advert_interval_err":0,"ip_ttl_err":0,"invalid_type_rcvd":0,"addr_list_err":0,"invalid_authtype":0,"authtype_mismatch":0,"auth_failure":0,"pri_zero_rcvd":0,"pri_zero_sent":0}}]
"#
    ));
}

#[test]
fn nothing_configured_is_an_empty_dump() {
    assert_eq!(data::render(&VrrpView::default()), "");
    assert_eq!(stats::render(&VrrpView::default()), "");
    assert_eq!(json::render(&VrrpView::default()).unwrap(), "[]\n");
}
