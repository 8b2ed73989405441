//! What to do about a message that says nothing of it.
//!
//! The messages are those of keepalived, since people search for them, and few of those tell what
//! to write. Whatever is known at the place of a mistake stands there as its help (a name that is
//! meant, a number that fits); the advice that is always the same stands here in one list. Every
//! code has a last row that fits all of its messages, so nothing is ever reported without help.

use crate::Code;
use crate::code as c;

/// A row: the code, a part of the message (empty: any), the advice.
type Row = (Code, &'static str, &'static str);

/// What to do about a message with this code; the first row that fits.
pub(crate) fn advice(code: Code, message: &str) -> Option<&'static str> {
    let from = ADVICE.partition_point(|(c, ..)| *c < code);
    ADVICE[from..]
        .iter()
        .take_while(|(c, ..)| *c == code)
        .find(|(_, part, _)| message.contains(part))
        .map(|(.., advice)| *advice)
}

/// In the order of the codes; within a code the general row is the last one.
#[rustfmt::skip]
const ADVICE: &[Row] = &[
    (c::MAIN_FILE, "", "name the configuration with -f FILE"),
    (c::FILE_UNUSABLE, "directory", "name the files in it, as in conf.d/*.conf"),
    (c::FILE_UNUSABLE, "executable", "a configuration is no program: chmod a-x FILE"),
    (c::FILE_UNUSABLE, "", "check who may read it: ls -l FILE"),
    (c::SEVERAL_MAIN_FILES, "", "name one file with -f; it can include the others"),
    (c::INCLUDE_MISSING, "/'", "this is a directory: name the files in it, as in conf.d/*.conf"),
    (c::INCLUDE_MISSING, "", "check the name; a relative one starts at the directory of the file that includes it"),
    (c::INCLUDE_NO_MATCH, "", "check the pattern; a relative one starts at the directory of the file that includes it"),
    (c::INCLUDE_RECURSION, "", "remove this line: the file is being read already"),
    (c::LIMIT, "", "what comes after this is not read; make the configuration smaller"),

    (c::LINE_TOO_LONG, "", "a line may have 1022 bytes: put each entry on a line of its own"),
    (c::NUL, "", "the file is damaged or no text; write it again as plain text"),
    (c::QUOTE, "", "close the quote on the same line"),
    (c::DEFINITION_ENDLESS, "", "give the definition another name than the one it uses"),
    (c::DEFINITION_OVERFLOW, "", "split the definition into several lines with \\ at their ends"),
    (c::BUILT_IN, "exceeds", "the smaller number comes first: ${_RANDOM MIN MAX}"),
    (c::BUILT_IN, "", "write ${_RANDOM MIN MAX} with two numbers, or ${_ENV NAME}"),
    (c::SEQUENCE, "", "write ~SEQ(NAME, FIRST, STEP, LAST) TEXT or ~LST(NAME, VALUE, ...) TEXT"),

    (c::UNKNOWN_KEYWORD, "", "`rkeepalived explain KEYWORD` tells where a keyword belongs"),
    (c::UNEXPECTED_OPEN, "", "remove this brace and the one that closes it, or write a keyword in front"),
    (c::EXTRA_CLOSE, "", "remove it; an unknown keyword with a block, further up, can be the cause"),
    (c::MISSING_CLOSE, "", "write the `}` of the block that is not closed"),
    (c::MISSING_OPEN, "", "write `{` at the end of this line"),

    (c::VALUE_REQUIRED, "", "write the value behind the keyword; nothing after this line is read"),
    (c::VALUE_MISSING, "No file set", "write file PATH in this block"),
    (c::VALUE_MISSING, "No process set", "write process NAME in this block"),
    (c::VALUE_MISSING, "no neighbor address", "write neighbor_ip ADDRESS in this block"),
    (c::VALUE_MISSING, "", "write the value behind the keyword"),
    (c::NOT_A_NUMBER, "", "write a decimal number"),
    (c::OUT_OF_RANGE, "weight", "weights go from -253 to 253"),
    (c::OUT_OF_RANGE, "umask", "write an octal number such as 022, or bits such as IWGRP|IWOTH"),
    (c::OUT_OF_RANGE, "status code", "write numbers from 100 to 599, or a range such as 200-299"),
    (c::OUT_OF_RANGE, "prefix len", "write the length of the prefix behind the address, as in 192.0.2.10/24"),
    (c::OUT_OF_RANGE, "", "write a number that is within the range"),
    (c::NOT_A_BOOLEAN, "", "write true, on, yes, false, off or no in lower case"),
    (c::NOT_AN_ADDRESS, "broadcast", "write an IPv4 address, or + or - to have it computed"),
    (c::NOT_AN_ADDRESS, "route destination 'ip'", "leave `ip route add` out: the line begins with the destination, as in default via 192.0.2.1"),
    (c::NOT_AN_ADDRESS, "route destination", "write [TYPE] NETWORK/LENGTH or default, as in 198.51.100.0/24 via 192.0.2.1"),
    (c::NOT_AN_ADDRESS, "", "write an address such as 192.0.2.1 or 2001:db8::1; names are not looked up"),
    (c::UNKNOWN_WORD, "linkbeat", "write MII, ETHTOOL or IOCTL, or nothing"),
    (c::UNKNOWN_WORD, "param_match", "write initial or partial, or leave the line out for exact"),
    (c::UNKNOWN_WORD, "lvs_sync_daemon", "write inst NAME, id INT, maxlen INT, port INT, ttl INT or group IP"),
    (c::UNKNOWN_WORD, "", "write one of the words that may stand here, or leave it out"),
    (c::TOO_LONG, "auth_pass", "use at most 8 characters: the rest is not sent, and other routers compare 8"),
    (c::TOO_LONG, "interface name", "the name of an interface has at most 15 bytes"),
    (c::TOO_LONG, "", "write something shorter"),
    (c::EXTRA_WORDS, "extra parameters", "put each of these words on a line of its own, between { and }"),
    (c::EXTRA_WORDS, "", "remove the words from here on"),
    (c::REPEATED, "ignoring", "the first one holds: remove one of them"),
    (c::REPEATED, "", "the last one holds: remove the others"),
    (c::OLD_SPELLING, "", "write the new name; the meaning is the same"),
    (c::NAME_MISSING, "vrrp_instance", "write vrrp_instance NAME {"),
    (c::NAME_MISSING, "vrrp_sync_group", "write vrrp_sync_group NAME {"),
    (c::NAME_MISSING, "", "write a name between the keyword and the brace"),
    (c::EMPTY_BLOCK, "notification_email", "write an address on each line, or remove the block"),
    (c::EMPTY_BLOCK, "", "write an entry on each line, or remove the block"),

    (c::NO_INTERFACE, "", "check the name with `ip link`; for one that comes later, set dynamic_interfaces in global_defs"),
    (c::DUPLICATE, "", "give one of them another name; the first one holds"),
    (c::NOT_DEFINED, "virtual server group", "define it ahead of this block: virtual_server_group NAME { ... }"),
    (c::NOT_DEFINED, "Virtual router", "check the name: no vrrp_instance is called so"),
    (c::NOT_DEFINED, "track_group", "define it ahead of this block: track_group NAME { group { ... } }"),
    (c::NOT_DEFINED, "", "define it ahead of the block that uses it"),
    (c::NO_USER, "", "create the user, or name another one: `id NAME` tells whether one exists"),
    (c::NO_NAMESPACE, "", "create it first: ip netns add NAME"),
    (c::NO_PATH, "", "create the directory first"),

    (c::SCRIPT_SECURITY, "", "write enable_script_security and script_user USER in global_defs"),
    (c::SCRIPT_INSECURE, "", "only root may be able to write the script and the directories above it: chmod go-w, chown root"),
    (c::SCRIPT_NOT_FOUND, "", "check the path and that the script is executable: chmod +x FILE"),
    (c::SCRIPT_USER, "", "write script_user USER in global_defs, or name the user behind the script"),
    (c::SCRIPT_MISSING, "", "write script \"COMMAND\" in this block"),

    (c::VRID_MISSING, "", "write virtual_router_id with a number from 1 to 255, the same one on every node"),
    (c::NO_ADDRESS, "", "write virtual_ipaddress { ADDRESS/LENGTH } in this block"),
    (c::STRICT, "", "remove the setting, or vrrp_strict"),
    (c::PREEMPT, "priority 255", "nopreempt needs state BACKUP and a priority below 255 on every node; state MASTER means 255"),
    (c::PREEMPT, "preempt delay", "write state BACKUP on every node: a node that starts as master does not wait"),
    (c::PREEMPT, "initial state MASTER", "write state BACKUP on every node: nopreempt decides nothing for one that starts as master"),
    (c::PREEMPT, "preempt_delay", "remove one of the two: nopreempt never takes over, so there is nothing to delay"),
    (c::PREEMPT, "", "remove one of the two settings"),
    (c::VERSION, "", "IPv6 and fractions of seconds need version 3; set vrrp_version 3 on every node"),
    (c::ADVERT_INTERVAL, "VRRPv2", "write whole seconds, or version 3 on every node"),
    (c::ADVERT_INTERVAL, "", "write 40.95 or less"),
    (c::AUTHENTICATION, "no password", "write auth_pass with at most 8 characters in this block"),
    (c::AUTHENTICATION, "version 3", "remove the block: VRRPv3 has no authentication"),
    (c::AUTHENTICATION, "Strict mode", "remove the block, or vrrp_strict"),
    (c::AUTHENTICATION, "32 to 64", "make one with `openssl rand -hex 32` and write hex:KEY"),
    (c::AUTHENTICATION, "no active key", "write active_key with the number of one of the keys"),
    (c::AUTHENTICATION, "", "write auth_type PASS and auth_pass with at most 8 characters"),
    (c::UNICAST, "without any unicast peers", "list the other nodes in unicast_peer { ADDRESS }, or remove the unicast settings"),
    (c::UNICAST, "", "list the other nodes in unicast_peer { ADDRESS }"),
    (c::VMAC, "only valid with a VMAC", "write use_vmac in this instance, or remove the setting"),
    (c::VMAC, "MAC address", "write six octets such as 02:00:5e:00:01:0a, or five and the VRID is the sixth"),
    (c::VMAC, "", "remove the setting, or use_vmac"),
    (c::INTERFACE_MISSING, "", "write interface NAME"),
    (c::SAME_VRID, "", "give one of them another virtual_router_id"),
    (c::GROUP, "delay", "write garp_interval SECONDS or gna_interval SECONDS in this block"),
    (c::GROUP, "only 1", "list all instances that must move together in group { ... }, or remove the group"),
    (c::GROUP, "", "list instances in group { ... }, one name a line"),
    (c::TRACKING, "SYNC group", "write weight 0, or sync_group_tracking_weight in the group"),
    (c::TRACKING, "", "remove the line, or change its weight"),
    (c::FAMILY, "address family must match", "the first address decides: put the others into virtual_ipaddress_excluded, or into an instance of their own"),
    (c::FAMILY, "src address", "write a source address of the family of the virtual addresses"),
    (c::FAMILY, "neighbor address", "write both as IPv4 or both as IPv6"),
    (c::FAMILY, "real server", "IPv4 services have IPv4 servers, IPv6 services IPv6 ones, unless lb_kind is TUN"),
    (c::FAMILY, "specified for", "remove the word: the addresses say it already"),
    (c::FAMILY, "", "use addresses of one family"),
    (c::SETTING, "quorum_max", "write a quorum_max that is not below quorum"),
    (c::SETTING, "", "remove one of the two settings"),

    (c::ENTRY, "goto", "write a number behind goto that is above the rule's own preference"),
    (c::ENTRY, "preference", "write preference NUMBER: rules are asked in the order of these"),
    (c::ENTRY, "table or an action", "write table NUMBER, or blackhole, unreachable, prohibit, goto NUMBER or nop"),
    (c::ENTRY, "l3mdev", "l3mdev names the table itself: remove it, or the other action"),
    (c::ENTRY, "track_group", "name the interface of the rule with iif, or remove track_group"),
    (c::ENTRY, "suppresses", "write table NUMBER, or remove suppress_prefixlength and suppress_ifgroup"),
    (c::ENTRY, "destination", "the destination comes first: 198.51.100.0/24 via 192.0.2.1, or default via 192.0.2.1"),
    (c::ENTRY, "", "correct the line; it is left out as a whole"),
    (c::ENTRY_OPTION, "specifying peer", "write both addresses without /LENGTH"),
    (c::ENTRY_OPTION, "invalid scope", "write global, site, link, host, nowhere or a number up to 255"),
    (c::ENTRY_OPTION, "invalid table", "write a number, or a name that stands in /etc/iproute2/rt_tables"),
    (c::ENTRY_OPTION, "invalid via", "write the address of a gateway of the route's family"),
    (c::ENTRY_OPTION, "invalid metric", "write a number"),
    (c::ENTRY_OPTION, "route keyword", "remove the word; `rkeepalived explain virtual_routes` lists those there are"),
    (c::ENTRY_OPTION, "rule option", "remove the word; `rkeepalived explain virtual_rules` lists those there are"),
    (c::ENTRY_OPTION, "", "correct the value, or remove the option"),

    (c::SERVER, "no real servers", "write real_server ADDRESS PORT { ... } in this block"),
    (c::SERVER, "", "write ADDRESS PORT, as in 192.0.2.10 80; names are not looked up"),
    (c::SERVER_SETTING, "protocol specified for fwmark", "remove the protocol: the mark says which packets are meant"),
    (c::SERVER_SETTING, "", "change one of the settings that do not fit each other"),
    (c::CHECKER, "misc_path", "write misc_path \"COMMAND\" in this block"),
    (c::CHECKER, "usable url", "write url { path / } in this block"),
    (c::CHECKER, "hexadecimal", "write two digits for each byte, as in 0A 1B"),
    (c::CHECKER, "usable track_file", "write track_file NAME with a track_file that is defined above"),
    (c::CHECKER, "usable name", "write name NAME with a bfd_instance that is defined above"),
    (c::CHECKER, "always fail", "write a min_reply_length that is not above max_reply_length"),
    (c::CHECKER, "", "complete the block; `rkeepalived explain` with the checker's name shows one"),
    (c::QUORUM, "hysteresis", "write a hysteresis below the quorum"),
    (c::QUORUM, "", "lower the quorum, or raise the weights of the real servers"),
    (c::PORT, "ports don't match", "DR and TUN leave the port alone: write the port of the service, or lb_kind NAT"),
    (c::PORT, "", "remove the port: packets keep theirs"),
    (c::SERVER_UNSAID, "no protocol", "write protocol TCP, UDP or SCTP in this block"),
    (c::SERVER_UNSAID, "no scheduler", "write lb_algo with a scheduler such as rr, wrr, lc or wlc"),
    (c::SERVER_UNSAID, "", "write lb_kind NAT, DR or TUN"),
    (c::EVERY_PORT, "", "write the port behind the address, or persistence_timeout SECONDS"),
    (c::SORRY_SERVER, "", "write sorry_server ADDRESS PORT ahead of its settings, with an address of its own"),
    (c::SERVER_GROUP, "", "write ADDRESS PORT, ADDRESS-LAST PORT, NETWORK/LENGTH PORT or fwmark NUMBER on each line"),
    (c::PAGE, "without a path", "write path /PAGE in this block"),
    (c::PAGE, "status code", "write numbers from 100 to 599, or a range such as 200-299"),
    (c::PAGE, "", "write path /PAGE and status_code or digest once each"),
    (c::TUNNEL, "", "write type gue port NUMBER, type ipip or type gre"),

    (c::PATTERN, "", "correct the pattern at the place shown, or put a backslash before a character that stands for itself"),

    (c::NOT_SUPPORTED, "", "remove it, or go on without what it does"),
    (c::FIREWALL, "", "write nftables in global_defs instead"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_advice_for_any_message() {
        for (code, title) in Code::ALL {
            assert!(advice(*code, "").is_some(), "{code}: {title}");
        }
        let row = advice(
            c::PREEMPT,
            "(A) preempt delay will not work with initial state MASTER",
        );
        assert!(row.is_some_and(|a| a.contains("does not wait")), "{row:?}");
    }

    #[test]
    fn rows_are_sorted_and_reachable() {
        for pair in ADVICE.windows(2) {
            let [(a, general, _), (b, ..)] = pair else {
                continue;
            };
            assert!(a <= b, "{b} stands behind {a}");
            assert!(
                a < b || !general.is_empty(),
                "rows behind the general one of {a}"
            );
        }
        for (n, (code, part, _)) in ADVICE.iter().enumerate() {
            let earlier = ADVICE[..n].iter().filter(|(c, ..)| c == code);
            for (_, before, _) in earlier {
                assert!(!part.contains(before), "{code}: {before:?} hides {part:?}");
            }
        }
    }
}
