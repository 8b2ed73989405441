//! Configurations that are changed, and what they are changed with.

/// The configurations that are changed; both programs accept them.
pub(super) const BASES: [&str; 7] = [
    "global_defs {
 router_id here
 notification_email {
  a@example.org
 }
 smtp_server 192.0.2.25 25
 smtp_connect_timeout 10
 vrrp_garp_master_delay 2
 vrrp_garp_interval 0.001
 vrrp_version 2
 vrrp_mcast_group4 224.0.0.18
 enable_script_security
 script_user root
 max_auto_priority 50
 vrrp_rt_priority 50
 dynamic_interfaces
}
vrrp_instance V {
 interface eth0
 virtual_router_id 5
 virtual_ipaddress {
  192.0.2.5/24
 }
}
",
    "global_defs {
 enable_script_security
 script_user root
}
vrrp_script S {
 script \"/usr/bin/true\"
 fall 2
 rise 2
 weight 5
}
track_group T {
 group {
  V
 }
}
vrrp_instance V {
 state BACKUP
 interface eth0
 virtual_router_id 5
 priority 100
 advert_int 1
 nopreempt
 garp_master_delay 2
 mcast_src_ip 192.0.2.1
 authentication {
  auth_type PASS
  auth_pass 1234
 }
 track_interface {
  eth1 weight 10
 }
 track_script {
  S weight 3
 }
 virtual_ipaddress {
  192.0.2.5/24 brd 192.0.2.255 dev eth0 label eth0:1
  192.0.2.6/32
 }
 virtual_ipaddress_excluded {
  192.0.2.7/24 dev eth1
 }
 notify_master \"/usr/bin/true master\" root
}
vrrp_instance W {
 interface eth1
 virtual_router_id 6
 unicast_src_ip 203.0.113.1
 unicast_peer {
  203.0.113.2
  203.0.113.3 min_ttl 10 max_ttl 255
 }
 virtual_ipaddress {
  203.0.113.5/24
 }
}
vrrp_sync_group G {
 group {
  V
  W
 }
 smtp_alert on
}
",
    "vrrp_instance V {
 interface eth0
 virtual_router_id 7
 version 3
 advert_int 0.5
 preempt_delay 5
 native_ipv6
 virtual_ipaddress {
  fe80::5/64
  2001:db8::5/64
 }
}
static_ipaddress {
 192.0.2.9/24 dev eth0
}
garp_group {
 garp_interval 0.1
 gna_interval 0.1
 interfaces {
  eth0
  eth1
 }
}
",
    "virtual_server_group VG {
 192.0.2.20 80
 192.0.2.21-25 80
}
virtual_server 192.0.2.10 80 {
 delay_loop 6
 lb_algo wrr
 lb_kind NAT
 persistence_timeout 50
 protocol TCP
 quorum 1
 hysteresis 0
 sorry_server 192.0.2.99 80
 real_server 192.0.2.30 80 {
  weight 1
  uthreshold 50
  TCP_CHECK {
   connect_port 80
   connect_timeout 3
   retry 3
   delay_before_retry 3
  }
 }
 real_server 192.0.2.31 80 {
  weight 2
  HTTP_GET {
   url {
    status_code 200
   }
   connect_timeout 3
  }
 }
}
virtual_server group VG {
 lb_algo rr
 lb_kind DR
 real_server 192.0.2.40 80 {
  PING_CHECK {
   retry 2
  }
 }
}
",
    "global_defs {
 enable_script_security
 script_user root
 lvs_timeouts tcp 7200 udp 300
 lvs_sync_daemon eth0 id 1 maxlen 1400
 checker_log_all_failures
 smtp_alert off
}
bfd_instance B {
 neighbor_ip 192.0.2.99
 min_rx 50
 min_tx 50
 idle_tx 2000
 multiplier 4
 max_hops 5
 weight 10
}
track_file F {
 file /tmp/f
 weight 2
}
SSL {
 password secret
}
virtual_server 192.0.2.11 25 {
 ip_family inet
 lb_algo sh
 sh-port
 lb_kind TUN type gue port 6080
 protocol TCP
 persistence_granularity 255.255.255.0
 ha_suspend
 alpha
 omega
 retry 3
 weight 2
 real_server 192.0.2.32 25 {
  lvs_method DR
  lthreshold 5
  inhibit_on_failure
  smtp_alert
  SMTP_CHECK {
   helo_name here.example.org
   warmup 2
   host {
    connect_ip 192.0.2.33
    connect_port 26
    bindto 192.0.2.1
   }
  }
  MISC_CHECK {
   misc_path /usr/bin/true
   misc_timeout 5
   misc_dynamic
   user root
  }
  DNS_CHECK {
   type AAAA
   name www.example.org
   fwmark 5
  }
  FILE_CHECK {
   track_file F
   weight 3 reverse
  }
  BFD_CHECK {
   name B
   alpha
  }
 }
 real_server 192.0.2.33 25 {
  delay_loop 10
  UDP_CHECK {
   payload 0102
   require_reply 01xx
   min_reply_length 1
   max_reply_length 20
   bind_if eth0
  }
  SSL_GET {
   url {
    path /a
    digest 0123456789abcdef0123456789abcdef
   }
   enable_sni
   http_protocol 1.1
  }
 }
}
",
    "vrrp_script S {
 script /usr/bin/true
 interval 5
 timeout 3
 user root
 init_fail
}
vrrp_track_process P {
 process sshd
 quorum 1
 quorum_max 5
 delay 2
 weight 20
}
vrrp_track_file F {
 file /tmp/f
}
bfd_instance B {
 neighbor_ip 192.0.2.99
 source_ip 192.0.2.1
 vrrp
}
vrrp_instance V {
 interface eth0
 virtual_router_id 9
 version 2
 native_ipv6
 skip_check_adv_addr
 lower_prio_no_advert
 higher_prio_send_advert
 kernel_rx_buf_size 4096
 down_timer_adverts 3
 garp_lower_prio_repeat 2
 garp_extra_if all 60
 accept
 dont_track_primary
 track_process {
  P weight 5
 }
 track_file {
  F weight 2 reverse
 }
 track_bfd {
  B weight 10 noreverse
 }
 virtual_ipaddress {
  2001:db8::10/64 home preferred_lft forever
 }
 virtual_routes {
  2001:db8:5::/48 via 2001:db8::9 metric 5 mtu 1400
 }
 virtual_rules {
  from 2001:db8:6::/48 table 100 priority 500
 }
}
track_group T {
 group {
  V
 }
}
static_ipaddress {
 192.0.2.66/24 brd + dev eth0 scope link
 192.0.2.70/32 peer 192.0.2.73 dev eth1 no_track
}
static_routes {
 198.51.100.0/24 via 192.0.2.9 dev eth0 table 100 tos 4 src 192.0.2.1 track_group T
 blackhole 198.51.101.0/24
 198.51.102.0/24 nexthop via 192.0.2.9 dev eth0 weight 2 nexthop dev eth1
 198.51.103.0/24 dev eth0 rtt 500 initcwnd 10 features ecn quickack 1
}
static_rules {
 from 198.51.100.0/24 to 192.0.2.0/24 table 100 priority 500 iif eth0 track_group T
 fwmark 5/7 goto 700 priority 600 ipproto tcp sport 80-90
}
linkbeat_interfaces {
 eth0
}
interface_up_down_delays {
 eth0 1 2
}
",
    "$IF=eth0
$PRIO=100
$VIPS=\\
  192.0.2.5/24 \\
  192.0.2.6/32
$INSTANCE=\\
vrrp_instance V$N { \\
 interface $IF \\
 virtual_router_id $N \\
 priority $PRIO \\
 virtual_ipaddress { \\
  192.0.2.10$N \\
 } \\
}
~SEQ(N, 1, 3) $INSTANCE
vrrp_instance W {
@nobody interface nosuch
@^nobody interface eth1
 virtual_router_id 50
 include ./part.inc
 virtual_ipaddress {
  $VIPS
  include ./none*.inc
 }
}
virtual_server 192.0.2.12 80 {
 lb_algo rr
 lb_kind DR
 protocol TCP
 ~LST({A, W}, {40, 1}, {41, 2}) real_server 192.0.2.${A} 80 { weight $W }
}
",
];

/// What is put in the place of a word.
pub(super) const WORDS: [&str; 52] = [
    "",
    "0",
    "1",
    "-1",
    "+1",
    "255",
    "256",
    "300",
    "65535",
    "65536",
    "4294967296",
    "x",
    "1x",
    "0x10",
    "1.5",
    ".5",
    "99999999999999999999",
    "\"\"",
    "\"",
    "\"a b\"",
    "{{ x }}",
    "${X}",
    "$X",
    "<X>",
    "on",
    "maybe",
    "no",
    "eth0",
    "eth1",
    "eth0:1",
    "nosuch",
    "192.0.2.5",
    "192.0.2.5/33",
    "192.0.2.300",
    "192.0.2.5:80",
    "2001:db8::7",
    "fe80::7",
    "224.0.0.5",
    "0.0.0.0",
    "::",
    "MASTER",
    "master",
    "PASS",
    "pass",
    "rr",
    "NAT",
    "TCP",
    "/usr/bin/true",
    "/nonexistent",
    "weight",
    "root",
    "\\#",
];

/// Lines that are put between two others.
pub(super) const LINES: [&str; 20] = [
    "bogus 1",
    "bogus {",
    "}",
    "{",
    "};",
    "priority 50",
    "192.0.2.77",
    "...",
    "//x",
    "\"",
    "interface eth1",
    "global_defs {",
    "include ./none.inc",
    "@other x",
    "$X=5",
    "$X",
    "virtual_ipaddress {",
    "state MASTER",
    "weight 300",
    "nopreempt \\",
];
