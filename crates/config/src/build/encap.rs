//! `encap` of routes and of their legs.

use std::net::IpAddr;

use super::entry::{Fault, Words, number, unsigned};
use super::{Build, check};
use crate::code;
use crate::model::{DsField, Encap, MplsLabel, TunnelEncap};
use crate::source::NameTable;
use crate::table::{Addresses, Args, Context, Keyword, Missing, Value};

impl Build<'_> {
    /// Reads an encapsulation; `None` if it cannot be used, which is reported.
    pub(super) fn encap(&mut self, words: &mut Words<'_>) -> Result<Option<Encap>, Fault> {
        let start = words.at();
        match words.take() {
            kind @ ("mpls" | "ila") => {
                let value = words.take();
                let encap = if kind == "mpls" {
                    labels(value).map(Encap::Mpls)
                } else {
                    locator(value).map(Encap::Ila)
                };
                if encap.is_none() {
                    let text = format!("invalid encap {kind} '{value}'");
                    self.no_value(text, None, words);
                }
                Ok(encap)
            }
            "ip" => {
                let v4 = |ip| match ip {
                    IpAddr::V4(ip) => Some(ip),
                    IpAddr::V6(_) => None,
                };
                let tunnel = self.tunnel("ip", start, Context::StaticRoutesEncapIp, words, v4)?;
                Ok(tunnel.map(Encap::Ip))
            }
            "ip6" => {
                let v6 = |ip| match ip {
                    IpAddr::V6(ip) => Some(ip),
                    IpAddr::V4(_) => None,
                };
                let tunnel = self.tunnel("ip6", start, Context::StaticRoutesEncapIp6, words, v6)?;
                Ok(tunnel.map(Encap::Ip6))
            }
            kind => {
                let text = format!("unknown encap type '{kind}'");
                self.entry_error(code::ENTRY_OPTION, text, words, start);
                Ok(None)
            }
        }
    }

    /// Reads the options of a tunnel up to a word that is none.
    fn tunnel<A>(
        &mut self,
        kind: &str,
        start: usize,
        context: Context,
        words: &mut Words<'_>,
        family: impl Fn(IpAddr) -> Option<A>,
    ) -> Result<Option<TunnelEncap<A>>, Fault> {
        let mut tunnel = TunnelEncap::default();
        let mut usable = true;
        let mut aimed = false;
        while let Some(keyword) = words.peek().and_then(|w| context.find(w)) {
            words.take();
            if words.peek().is_none() {
                if keyword.missing == Missing::Stops {
                    self.required(words, None)?;
                }
                let text = format!("{} needs a value", keyword.name);
                self.entry_error(code::VALUE_MISSING, text, words, words.last());
                return Ok(None);
            }
            aimed |= matches!(keyword.name, "id" | "dst");
            let value = words.take();
            if self
                .tunnel_option(keyword, value, &mut tunnel, &family)
                .is_err()
            {
                let text = format!("invalid encap {kind} {} '{value}'", keyword.name);
                self.no_value(text, None, words);
                usable = false;
            }
        }
        if !aimed {
            let text = format!("encap {kind} needs dst or id");
            self.entry_error(code::ENTRY_OPTION, text, words, start);
            usable = false;
        }
        Ok(usable.then_some(tunnel))
    }

    fn tunnel_option<A>(
        &self,
        keyword: &'static Keyword,
        value: &str,
        tunnel: &mut TunnelEncap<A>,
        family: impl Fn(IpAddr) -> Option<A>,
    ) -> Result<(), Fault> {
        let address = || {
            let which = match keyword.args {
                Args::One(Value::Address(which)) => which,
                _ => Addresses::Any,
            };
            // Not even a length of all its bits may follow.
            let ip = check::address(value, which)
                .ok()
                .filter(|_| !value.contains('/'))
                .ok_or(Fault::Value)?;
            family(ip).map(Some).ok_or(Fault::Value)
        };
        match keyword.name {
            "id" => tunnel.id = Some(number(keyword, value)?),
            "dst" => tunnel.dst = address()?,
            "src" => tunnel.src = address()?,
            "tos" | "tc" => tunnel.tos = Some(self.ds_field(value)?),
            "flags" => tunnel.flags = Some(number(keyword, value)?),
            _ => tunnel.ttl = Some(number(keyword, value)?),
        }
        Ok(())
    }

    /// A type of service, by number or name.
    pub(super) fn ds_field(&self, text: &str) -> Result<DsField, Fault> {
        self.named(NameTable::DsField, text, 255).map(DsField)
    }
}

/// One or two labels of MPLS.
fn labels(text: &str) -> Option<Vec<MplsLabel>> {
    if text.is_empty() {
        return None;
    }
    let label = |label| unsigned(label, 1_048_575).ok().map(MplsLabel);
    let labels: Vec<_> = text.split('/').map(label).collect::<Option<_>>()?;
    (labels.len() <= 2).then_some(labels)
}

/// Four parts of up to four hexadecimal digits.
fn locator(text: &str) -> Option<u64> {
    let mut locator = 0;
    let mut parts = 0;
    for part in text.split(':') {
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit());
        if !digits {
            return None;
        }
        locator = locator << 16 | u64::from_str_radix(part, 16).ok()?;
        parts += 1;
    }
    (parts == 4).then_some(locator)
}
