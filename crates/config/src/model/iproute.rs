//! Routes and rules as `ip route` and `ip rule` take them: one line each, without the words that
//! say how to add it.

use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

use super::{
    DsField, Encap, Hop, Metric, Metrics, Placement, Route, RouteType, RouterPreference, Rule,
    RuleAction, TunnelEncap,
};

/// Writes ` NAME VALUE` if there is a value.
fn option(f: &mut Formatter<'_>, name: &str, value: Option<impl Display>) -> Result {
    match value {
        Some(value) => write!(f, " {name} {value}"),
        None => Ok(()),
    }
}

/// In hexadecimal, as `ip` reads it with or without `0x`.
impl Display for DsField {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{:#04x}", self.0)
    }
}

impl Display for Placement {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Add => "add",
            Self::Prepend => "prepend",
            Self::Append => "append",
        })
    }
}

impl Display for Route {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.kind != RouteType::UNICAST {
            let mut names = RouteType::NAMES.iter();
            match names.find(|(_, kind)| *kind == self.kind) {
                Some((name, _)) => write!(f, "{name} ")?,
                None => write!(f, "{} ", self.kind)?,
            }
        }
        write!(f, "{}", self.dest)?;
        option(f, "from", self.from)?;
        option(f, "tos", self.tos)?;
        write!(
            f,
            " table {} proto {} scope {}",
            self.table, self.protocol, self.scope
        )?;
        option(f, "metric", self.metric)?;
        option(f, "src", self.src)?;
        write!(f, "{}{}", self.hop, self.metrics)?;
        option(f, "expires", self.expires.map(|e| e.as_secs()))?;
        if let Some(pref) = self.pref {
            match pref {
                RouterPreference::LOW => f.write_str(" pref low")?,
                RouterPreference::HIGH => f.write_str(" pref high")?,
                RouterPreference::MEDIUM => f.write_str(" pref medium")?,
                other => write!(f, " pref {other}")?,
            }
        }
        if let Some(on) = self.ttl_propagate {
            let word = if on { "enabled" } else { "disabled" };
            write!(f, " ttl-propagate {word}")?;
        }
        for leg in &self.legs {
            write!(f, " nexthop{} weight {}", leg.hop, leg.weight.get())?;
        }
        Ok(())
    }
}

impl Display for Hop {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        option(f, "encap", self.encap.as_ref())?;
        option(f, "via", self.via)?;
        option(f, "dev", self.dev.as_deref())?;
        if self.onlink {
            f.write_str(" onlink")?;
        }
        option(f, "realms", self.realms)
    }
}

impl Display for Encap {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Mpls(labels) => {
                f.write_str("mpls ")?;
                for (n, label) in labels.iter().enumerate() {
                    let slash = if n > 0 { "/" } else { "" };
                    write!(f, "{slash}{label}")?;
                }
                Ok(())
            }
            Self::Ip(tunnel) => {
                f.write_str("ip")?;
                tunnel.options(f, ["tos", "ttl"])
            }
            Self::Ip6(tunnel) => {
                f.write_str("ip6")?;
                tunnel.options(f, ["tc", "hoplimit"])
            }
            Self::Ila(locator) => {
                let part = |n: u32| locator >> (48 - 16 * n) & 0xffff;
                let (a, b, c, d) = (part(0), part(1), part(2), part(3));
                write!(f, "ila {a:x}:{b:x}:{c:x}:{d:x}")
            }
        }
    }
}

impl<A: Display> TunnelEncap<A> {
    /// The options but for the flags, for which `ip` has words of its own.
    fn options(&self, f: &mut Formatter<'_>, [tos, ttl]: [&str; 2]) -> Result {
        option(f, "id", self.id)?;
        option(f, "dst", self.dst.as_ref())?;
        option(f, "src", self.src.as_ref())?;
        option(f, tos, self.tos)?;
        option(f, ttl, self.ttl)
    }
}

impl Display for Metrics {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        fn lockable<T: Display>(
            f: &mut Formatter<'_>,
            name: &str,
            metric: Option<&Metric<T>>,
        ) -> Result {
            match metric {
                Some(Metric { value, lock: true }) => write!(f, " {name} lock {value}"),
                metric => option(f, name, metric.map(|m| &m.value)),
            }
        }
        let Self {
            mtu,
            advmss,
            reordering,
            cwnd,
            ssthresh,
            rtt,
            rttvar,
            rto_min,
            hoplimit,
            window,
            initcwnd,
            initrwnd,
            quickack,
            fastopen_no_cookie,
            ecn,
            congctl,
        } = self;
        for (name, metric) in [
            ("mtu", mtu),
            ("advmss", advmss),
            ("reordering", reordering),
            ("cwnd", cwnd),
            ("ssthresh", ssthresh),
        ] {
            lockable(f, name, metric.as_ref())?;
        }
        for (name, time) in [("rtt", rtt), ("rttvar", rttvar), ("rto_min", rto_min)] {
            let millis = |time: &Metric<Duration>| Metric {
                value: format!("{}ms", time.value.as_secs_f64() * 1e3),
                // `ip` locks this one always and knows no word for it.
                lock: time.lock && name != "rto_min",
            };
            lockable(f, name, time.as_ref().map(millis).as_ref())?;
        }
        option(f, "hoplimit", *hoplimit)?;
        option(f, "window", *window)?;
        option(f, "initcwnd", *initcwnd)?;
        option(f, "initrwnd", *initrwnd)?;
        option(f, "quickack", quickack.map(u8::from))?;
        option(f, "fastopen_no_cookie", fastopen_no_cookie.map(u8::from))?;
        option(f, "features", ecn.then_some("ecn"))?;
        lockable(f, "congctl", congctl.as_ref())
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let when = &self.when;
        if self.not {
            f.write_str("not ")?;
        }
        match when.from {
            Some(from) => write!(f, "from {from}")?,
            None => f.write_str("from all")?,
        }
        option(f, "to", when.to)?;
        option(f, "tos", when.tos)?;
        if let Some(fwmark) = when.fwmark {
            option(f, "fwmark", Some(fwmark.mark))?;
            if let Some(mask) = fwmark.mask {
                write!(f, "/{mask}")?;
            }
        }
        option(f, "iif", when.iif.as_deref())?;
        option(f, "oif", when.oif.as_deref())?;
        option(f, "tun_id", when.tunnel_id)?;
        option(f, "ipproto", when.ipproto)?;
        let [uids, sport, dport] = [
            ("uidrange", when.uidrange.map(|s| (s.first, s.last))),
            ("sport", when.sport.map(|s| (s.first.into(), s.last.into()))),
            ("dport", when.dport.map(|s| (s.first.into(), s.last.into()))),
        ];
        for (name, span) in [uids, sport, dport] {
            if let Some((first, last)) = span {
                write!(f, " {name} {first}-{last}")?;
            }
        }
        write!(f, " priority {} protocol {}", self.priority, self.protocol)?;
        option(f, "realms", self.realms)?;
        option(f, "suppress_prefixlength", self.suppress_prefixlength)?;
        option(f, "suppress_ifgroup", self.suppress_ifgroup)?;
        match self.action {
            RuleAction::Table(table) => write!(f, " table {table}"),
            RuleAction::L3mdev => f.write_str(" l3mdev"),
            RuleAction::Goto(to) => write!(f, " goto {to}"),
            RuleAction::Nop => f.write_str(" nop"),
            RuleAction::Blackhole => f.write_str(" blackhole"),
            RuleAction::Unreachable => f.write_str(" unreachable"),
            RuleAction::Prohibit => f.write_str(" prohibit"),
        }
    }
}
