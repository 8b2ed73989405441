//! How arguments are written down for people.

use std::fmt;

use super::{Addresses, Args, Body, Heading, Keyword, Value};

impl Keyword {
    /// What follows the keyword, as people write it down.
    #[must_use]
    pub fn usage(&self) -> String {
        match self.args {
            Args::Flag => String::new(),
            Args::One(value) => value.to_string(),
            Args::Maybe(value) => format!("[{value}]"),
            Args::Grammar(text) | Args::Inline(text, _) => text.to_owned(),
            Args::Block(heading, body) => {
                let heading = match heading {
                    Heading::None => "",
                    Heading::Name(_) => "NAME ",
                    Heading::Service => "IP [PORT] | fwmark INT | group NAME ",
                    Heading::Server => "IP [PORT] ",
                };
                let body = match body {
                    Body::Statements(_) => "{ ... }",
                    Body::Lines(_) => "{ one entry a line }",
                    Body::Names => "{ names }",
                };
                format!("{heading}{body}")
            }
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |n: u64| format!("{}", n as f64 / 1e6);
        match *self {
            Self::Int { min: i64::MIN, .. } => f.write_str("INT"),
            Self::Int { min, max, any_base } => {
                let base = if any_base { ", any base" } else { "" };
                write!(f, "INT({min}..{max}{base})")
            }
            Self::Seconds { min, max: u64::MAX } => write!(f, "SECS({}..)", micros(min)),
            Self::Seconds { min, max } => write!(f, "SECS({}..{})", micros(min), micros(max)),
            Self::Millis { min, max } => write!(f, "MSECS({}..{})", min / 1000, max / 1000),
            Self::Bool => f.write_str("BOOL"),
            Self::Address(which) => f.write_str(match which {
                Addresses::Any => "IP",
                Addresses::V4 => "IP4",
                Addresses::V6 => "IP6",
                Addresses::Multicast => "MULTICAST-IP",
                Addresses::Multicast4 => "MULTICAST-IP4",
                Addresses::Multicast6 => "MULTICAST-IP6",
            }),
            Self::Interface => f.write_str("INTERFACE"),
            Self::Name(u16::MAX) => f.write_str("NAME"),
            Self::Name(most) => write!(f, "NAME(<={most})"),
            Self::Text(u16::MAX) => f.write_str("TEXT"),
            Self::Text(most) => write!(f, "TEXT(<={most})"),
            Self::Hex(digits) => write!(f, "HEX({digits})"),
            Self::Path => f.write_str("PATH"),
            Self::Command => f.write_str("COMMAND"),
            Self::CommandAs => f.write_str("COMMAND [USER [[:]GROUP]]"),
            Self::User => f.write_str("USER [[:]GROUP]"),
            Self::Word(words) | Self::WordAnyCase(words) => f.write_str(&words.join("|")),
        }
    }
}
