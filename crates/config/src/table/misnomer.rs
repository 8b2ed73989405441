//! Words that people write for keywords that never were, or are no more: names from manuals,
//! other products, older versions. What to write instead cannot be seen from the spelling.

use super::Context;

/// A word that is no keyword where it is written.
#[derive(Clone, Copy, Debug)]
pub struct Misnomer {
    /// The word.
    pub word: &'static str,
    /// The keyword that does what is meant, if it is one word.
    pub keyword: Option<&'static str>,
    /// What to do instead, as a clause.
    pub advice: &'static str,
}

const fn renamed(word: &'static str, keyword: &'static str, advice: &'static str) -> Misnomer {
    Misnomer {
        word,
        keyword: Some(keyword),
        advice,
    }
}

const fn gone(word: &'static str, advice: &'static str) -> Misnomer {
    Misnomer {
        word,
        keyword: None,
        advice,
    }
}

#[rustfmt::skip]
const MISNOMERS: &[Misnomer] = &[
    renamed("state_file_location", "state_dump_file", "the manual calls it so, but it is `state_dump_file`"),
    renamed("stats_file_location", "stats_dump_file", "the manual calls it so, but it is `stats_dump_file`"),
    renamed("json_file_location", "json_dump_file", "the manual calls it so, but it is `json_dump_file`"),
    renamed("nb_get_retry", "retry", "that was the old name in HTTP_GET and SSL_GET; write `retry` here"),
    renamed("nb_sock_retry", "retry", "write `retry`"),
    renamed("nb_retry", "retry", "write `retry`"),
    renamed("retries", "retry", "write `retry`"),
    renamed("lvs_id", "router_id", "it is called `router_id` today"),
    renamed("script_security", "enable_script_security", "write `enable_script_security`"),
    renamed("no_preempt", "nopreempt", "it is one word: `nopreempt`"),
    renamed("no_preemption", "nopreempt", "write `nopreempt`"),
    renamed("vrid", "virtual_router_id", "write `virtual_router_id`"),
    renamed("router", "virtual_router_id", "the number of the virtual router is `virtual_router_id`"),
    renamed("vip", "virtual_ipaddress", "addresses stand in a block: virtual_ipaddress { ... }"),
    renamed("virtual_ip", "virtual_ipaddress", "addresses stand in a block: virtual_ipaddress { ... }"),
    renamed("virtual_address", "virtual_ipaddress", "addresses stand in a block: virtual_ipaddress { ... }"),
    renamed("virtual_route", "virtual_routes", "write `virtual_routes { ... }`"),
    renamed("virtual_rule", "virtual_rules", "write `virtual_rules { ... }`"),
    renamed("advert_interval", "advert_int", "write `advert_int`"),
    renamed("preemption_delay", "preempt_delay", "write `preempt_delay`"),
    renamed("unicast_peers", "unicast_peer", "write `unicast_peer { ... }`, one address a line"),
    renamed("password", "auth_pass", "the password stands behind `auth_pass` here"),
    renamed("auth_password", "auth_pass", "write `auth_pass`"),
    renamed("global", "global_defs", "the block is called `global_defs`"),
    renamed("globals", "global_defs", "the block is called `global_defs`"),
    renamed("scheduler", "lb_algo", "the scheduler is `lb_algo`"),
    renamed("smtp_connect_time", "smtp_connect_timeout", "write `smtp_connect_timeout`"),
    renamed("port", "connect_port", "the port to check is `connect_port`"),
    renamed("timeout", "connect_timeout", "the time a checker waits is `connect_timeout`"),
    renamed("router_id", "virtual_router_id", "the number of the virtual router is `virtual_router_id`; router_id is the name of the machine in global_defs"),
    renamed("vhid", "virtual_router_id", "that is CARP's name; write `virtual_router_id`"),
    renamed("vrrp_version", "version", "write `version` here; vrrp_version in global_defs is for all instances"),
    renamed("advert_inteval", "advert_int", "write `advert_int`"),
    renamed("advert", "advert_int", "write `advert_int`"),
    renamed("advskew", "priority", "that is CARP's way; write `priority`, where more is stronger"),
    renamed("iface", "interface", "write `interface`"),
    renamed("device", "interface", "write `interface`"),
    renamed("ip", "virtual_ipaddress", "addresses stand in a block: virtual_ipaddress { ... }"),
    renamed("source_ip", "unicast_src_ip", "write `unicast_src_ip`"),
    renamed("unicast_src", "unicast_src_ip", "write `unicast_src_ip`"),
    renamed("peer", "unicast_peer", "write `unicast_peer { ... }`, one address a line"),
    renamed("peers", "unicast_peer", "write `unicast_peer { ... }`, one address a line"),
    renamed("lb_algorithm", "lb_algo", "write `lb_algo`"),
    renamed("algorithm", "lb_algo", "the scheduler is `lb_algo`"),
    renamed("algo", "lb_algo", "write `lb_algo`"),
    renamed("balance", "lb_algo", "the scheduler is `lb_algo`"),
    renamed("lb_method", "lb_kind", "the way to the servers is `lb_kind`, the scheduler `lb_algo`"),
    renamed("forwarding", "lb_kind", "write `lb_kind`"),
    renamed("mode", "lb_kind", "the way to the servers is `lb_kind`"),
    renamed("persistent", "persistence_timeout", "write `persistence_timeout` with seconds"),
    renamed("persistence", "persistence_timeout", "write `persistence_timeout` with seconds"),
    renamed("delay", "delay_loop", "the time between two checks is `delay_loop`"),
    renamed("backend", "real_server", "write `real_server ADDRESS PORT { ... }`"),
    renamed("server", "real_server", "write `real_server ADDRESS PORT { ... }`"),
    renamed("backup_server", "sorry_server", "write `sorry_server ADDRESS PORT`"),
    renamed("HTTP_CHECK", "HTTP_GET", "the checker is `HTTP_GET`"),
    renamed("HTTPS_CHECK", "SSL_GET", "the checker is `SSL_GET`"),
    renamed("HTTPS_GET", "SSL_GET", "the checker is `SSL_GET`"),
    renamed("SSL_CHECK", "SSL_GET", "the checker is `SSL_GET`"),
    renamed("TCP_CONNECT", "TCP_CHECK", "the checker is `TCP_CHECK`"),
    renamed("ICMP_CHECK", "PING_CHECK", "the checker is `PING_CHECK`"),
    renamed("SCRIPT_CHECK", "MISC_CHECK", "the checker is `MISC_CHECK`"),
    renamed("expect", "status_code", "write `status_code`"),
    renamed("status", "status_code", "write `status_code`"),
    renamed("code", "status_code", "write `status_code`"),
    renamed("uri", "url", "pages stand in a block: url { path / }"),
    renamed("helo", "helo_name", "write `helo_name`"),
    renamed("script", "misc_path", "write `misc_path` here"),
    renamed("command", "script", "write `script`"),
    renamed("cmd", "script", "write `script`"),
    renamed("exec", "script", "write `script`"),
    gone("notify_email", "mails go to those in notification_email of global_defs, for instances with `smtp_alert`"),
    gone("frontend", "this is a keyword of HAProxy; this file is one of keepalived"),
    gone("upstream", "this is a keyword of nginx; this file is one of keepalived"),
    gone("nat_mask", "it has had no meaning for years; leave the line out"),
    gone("net_mask", "it has had no meaning for years; write the length behind the address, as in 192.0.2.1/24"),
    gone("netmask", "write the length behind the address, as in 192.0.2.1/24"),
    gone("vrrp_defs", "settings of the daemon stand in global_defs { ... }"),
    gone("vrrp_ipsets", "write `nftables` in global_defs"),
    gone("local_address_group", "this is a keyword of DPVS, not of keepalived; leave it out"),
    gone("laddr_group_name", "this is a keyword of DPVS, not of keepalived; leave it out"),
    gone("daddr_group_name", "this is a keyword of DPVS, not of keepalived; leave it out"),
    gone("deny_address_group", "this is a keyword of DPVS, not of keepalived; leave it out"),
    gone("dpdk_interface", "this is a keyword of DPVS, not of keepalived; leave it out"),
    gone("track_vips", "no version of keepalived has it; tracked addresses are the default"),
];

/// What is known about a word that is written for a keyword.
#[must_use]
pub fn misnomer(word: &str) -> Option<&'static Misnomer> {
    MISNOMERS.iter().find(|m| m.word == word)
}

impl Misnomer {
    /// Whether the advice is good in a context: the keyword it names exists there.
    #[must_use]
    pub fn fits(&self, context: Context) -> bool {
        self.keyword.is_none_or(|k| context.find(k).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_leads_to_a_keyword() {
        for m in MISNOMERS {
            let homes: Vec<_> = Context::ALL.iter().filter(|c| m.fits(**c)).collect();
            assert!(!homes.is_empty(), "{m:?}");
            let better = homes.iter().any(|c| c.find(m.word).is_none());
            assert!(better, "{m:?} is a keyword wherever the advice would fit");
        }
        let words: std::collections::HashSet<_> = MISNOMERS.iter().map(|m| m.word).collect();
        assert_eq!(words.len(), MISNOMERS.len());
    }
}
