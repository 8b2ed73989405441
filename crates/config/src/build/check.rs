//! The checks that every keyword gets from its row: is there a value, and is it one.

use std::net::IpAddr;

use compact_str::CompactString;

use super::{Stop, advise};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::report::Report;
use crate::table::{Addresses, Args, Context, Extra, Keyword, Missing, Standing, Value};
use crate::text::command::statement_words;
use crate::tree::Statement;

/// A value of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Val {
    /// There is none and there need not be one, or the words have their own grammar.
    None,
    /// An integer.
    Int(i128),
    /// Microseconds.
    Micros(u64),
    /// A boolean.
    Bool(bool),
    /// An address.
    Address(IpAddr),
    /// A word.
    Text(CompactString),
}

impl Val {
    /// The boolean; a keyword without one means yes.
    pub(crate) fn on(&self) -> bool {
        !matches!(self, Self::Bool(false))
    }

    /// The integer as whatever type holds it; the row's range says that it fits.
    pub(crate) fn int<T: TryFrom<i128>>(&self) -> Option<T> {
        match self {
            Self::Int(n) => T::try_from(*n).ok(),
            _ => None,
        }
    }

    /// The time.
    pub(crate) fn duration(&self) -> Option<std::time::Duration> {
        match self {
            Self::Micros(n) => Some(std::time::Duration::from_micros(*n)),
            Self::Int(n) => u64::try_from(*n).ok().map(std::time::Duration::from_secs),
            _ => None,
        }
    }

    /// The word.
    pub(crate) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.into()),
            _ => None,
        }
    }
}

/// Checks a statement against its row. `None` if the statement cannot be used.
///
/// # Errors
/// [`Stop`] when a value is missing without which nothing is read any more.
pub(crate) fn statement(
    keyword: &'static Keyword,
    statement: &Statement,
    lenient: bool,
    report: &mut Report,
) -> Result<Option<Val>, Stop> {
    if let Standing::Deprecated(by) = keyword.standing {
        let text = if by.is_empty() {
            format!("{} is deprecated", keyword.name)
        } else {
            format!("{} is deprecated - please use '{by}'", keyword.name)
        };
        let d = Diagnostic::warning(code::OLD_SPELLING, Class::Deprecated, text);
        let d = statement.point(d, 0);
        let twin = |c: &Context| {
            let same = |k: &Keyword| k.usage() == keyword.usage();
            c.find(keyword.name).is_some() && c.find(by).is_some_and(same)
        };
        report.push(if by.is_empty() {
            d.help("leave the line out")
        } else if Context::ALL.iter().any(twin) {
            d.help(format!("write {by}; the meaning is the same"))
                .instead(by)
        } else {
            d.help(format!("write {by} instead"))
        });
    }
    let value = match keyword.args {
        Args::Flag => {
            if keyword.extra == Extra::Reported && statement.words().len() > 1 {
                let text = format!("{} takes no value", keyword.name);
                let d = Diagnostic::error(code::EXTRA_WORDS, Class::General, text);
                report.push(statement.point(d, 1));
            }
            return Ok(Some(Val::None));
        }
        Args::Block(..) => return Ok(Some(Val::None)),
        Args::Grammar(_) | Args::Inline(..) => {
            if statement.words().len() < 2 {
                return missing(keyword, statement, 1, report)
                    .map(|()| (keyword.missing == Missing::Allowed).then_some(Val::None));
            }
            return Ok(Some(Val::None));
        }
        Args::Maybe(_) if statement.words().len() < 2 => {
            if keyword.missing == Missing::Reported {
                missing(keyword, statement, 1, report)?;
                return Ok(None);
            }
            return Ok(Some(Val::None));
        }
        // A command is cut from the raw line, where an open quote is a mistake of its own.
        Args::One(Value::CommandAs) | Args::Maybe(Value::CommandAs)
            if statement.words().len() > 1 && statement_words(statement.raw()).len() < 2 =>
        {
            // A quote glued to the keyword makes one word of both there.
            return Err(stop(statement, 1, Some(&keyword.usage()), report));
        }
        Args::One(Value::CommandAs) | Args::Maybe(Value::CommandAs)
            if statement.words().len() < 2 && statement.has_glued_quote() =>
        {
            return Err(stop(statement, 1, Some(&keyword.usage()), report));
        }
        Args::One(Value::Command | Value::CommandAs)
            if statement.words().len() < 2 && statement.has_open_quote() =>
        {
            let text = format!("Unmatched quote behind {}", keyword.name);
            let d = Diagnostic::error(code::QUOTE, Class::General, text);
            report.push(statement.point(d, 0));
            return Ok(None);
        }
        Args::One(value) if statement.words().len() < 2 => {
            missing(keyword, statement, 1, report)?;
            // A boolean without a word is on.
            return Ok(
                (keyword.missing == Missing::Allowed && value == Value::Bool).then_some(Val::None),
            );
        }
        Args::Maybe(value) | Args::One(value) => value,
    };
    Ok(word(value, statement, 1, lenient, report))
}

/// Reports a missing value in the way its row asks for.
///
/// # Errors
/// [`Stop`] if nothing is read any more.
pub(crate) fn missing(
    keyword: &'static Keyword,
    statement: &Statement,
    position: usize,
    report: &mut Report,
) -> Result<(), Stop> {
    let name = statement.word(position - 1).unwrap_or(keyword.name);
    let usage = keyword.usage();
    match keyword.missing {
        Missing::Allowed => Ok(()),
        Missing::Reported => {
            let text = format!("{} needs a value", keyword.name);
            let d = Diagnostic::error(code::VALUE_MISSING, Class::General, text);
            report.push(
                statement
                    .point(d, position - 1)
                    .help(format!("write {name} {usage}")),
            );
            Ok(())
        }
        Missing::Stops => Err(stop(statement, position, Some(&usage), report)),
    }
}

/// Reports a missing value that ends the reading.
pub(crate) fn stop(
    statement: &Statement,
    position: usize,
    usage: Option<&str>,
    report: &mut Report,
) -> Stop {
    let first = statement.keyword();
    let before = statement.word(position - 1).unwrap_or(first);
    let text = format!(
        "*** Configuration line starting `{first}` is missing a parameter after keyword \
         `{before}` at word position {}",
        position + 1
    );
    let mut d = Diagnostic::error(code::VALUE_REQUIRED, Class::MissingValue, text);
    d = statement.point(d, position - 1);
    let rest = statement.behind();
    if rest.starts_with(b"{{") || rest.starts_with(b"{%") {
        d = d.help(format!(
            "{before} has a placeholder of a template: put in what it stands for; nothing after \
             this line is used"
        ));
    } else if let Some(usage) = usage {
        d = d.help(format!(
            "write {before} {usage}; nothing after this line is used"
        ));
    }
    report.push(d);
    Stop
}

/// Reads word `n` as `value`. `None` if it is none; that is reported.
pub(crate) fn word(
    value: Value,
    statement: &Statement,
    n: usize,
    lenient: bool,
    report: &mut Report,
) -> Option<Val> {
    let text = statement.word(n).unwrap_or("");
    let keyword = statement.word(n - 1).unwrap_or("");
    let refuse = |code, class, message: String| {
        let d = Diagnostic::error(code, class, message);
        Err(Box::new(statement.point(d, n)))
    };
    let no_number = |problem: NumberProblem| {
        let d = Diagnostic::error(problem.code(), Class::BadNumber, problem.to_string());
        let unit = match value {
            Value::Seconds { .. } => " seconds",
            Value::Millis { .. } => " milliseconds",
            _ => "",
        };
        Err(Box::new(problem.advise(
            keyword,
            unit,
            statement.point(d, n),
        )))
    };
    let result = match value {
        Value::Int { min, max, any_base } => integer(text, min, max, any_base, lenient)
            .map(Val::Int)
            .or_else(no_number),
        Value::Seconds { min, max } => decimal(text, min, max, 6, 1_000_000)
            .map(Val::Micros)
            .or_else(no_number),
        Value::Millis { min, max } => decimal(text, min, max, 3, 1_000)
            .map(Val::Micros)
            .or_else(no_number),
        Value::Bool => match text {
            "true" | "on" | "yes" => Ok(Val::Bool(true)),
            "false" | "off" | "no" => Ok(Val::Bool(false)),
            _ => refuse(
                code::NOT_A_BOOLEAN,
                Class::General,
                format!("Invalid {keyword} parameter {text}"),
            )
            .map_err(|d| match advise::boolean_meant(text) {
                Some(word) => {
                    let help = format!("write {keyword} {word}; booleans are true, on, yes, false, off or no in lower case");
                    Box::new(d.help(help).instead(word))
                }
                None => Box::new(d.help("write true, on, yes, false, off or no in lower case")),
            }),
        },
        Value::Address(which) => address(text, which)
            .map(Val::Address)
            .or_else(|message| refuse(code::NOT_AN_ADDRESS, Class::General, message))
            .map_err(|d| Box::new(advise::address(text, which, *d))),
        // A name that no interface can have is found missing where it is used.
        Value::Interface if text.len() > 15 => refuse(
            code::TOO_LONG,
            Class::General,
            format!("interface name '{text}' is not valid"),
        )
        .map_err(|d| {
            Box::new(d.help("the name of an interface has at most 15 bytes and no slash"))
        }),
        Value::Hex(digits) => {
            if text.len() == usize::from(digits) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
                Ok(Val::Text(text.into()))
            } else {
                let message = format!("{keyword} '{text}' is not {digits} hexadecimal digits");
                refuse(code::UNKNOWN_WORD, Class::General, message).map_err(|d| {
                    let have = text.len();
                    Box::new(d.help(format!(
                        "write exactly {digits} of 0-9 and a-f, here are {have} characters"
                    )))
                })
            }
        }
        Value::Word(words) | Value::WordAnyCase(words) => {
            let any_case = matches!(value, Value::WordAnyCase(_));
            let found = words
                .iter()
                .find(|w| **w == text || (any_case && w.eq_ignore_ascii_case(text)));
            match found {
                Some(word) => Ok(Val::Text(CompactString::const_new(word))),
                None => {
                    let message = format!("{keyword} '{text}' is not known");
                    refuse(code::UNKNOWN_WORD, Class::General, message)
                        .map_err(|d| Box::new(advise::one_of(text, words, *d)))
                }
            }
        }
        Value::Name(_)
        | Value::Text(_)
        | Value::Interface
        | Value::Path
        | Value::Command
        | Value::CommandAs
        | Value::User => Ok(Val::Text(text.into())),
    };
    let value = match (value, result) {
        (Value::Name(max) | Value::Text(max), Ok(Val::Text(mut long)))
            if long.len() > usize::from(max) =>
        {
            let message = format!("{keyword} '{long}' is longer than {max} bytes - truncating");
            let d = Diagnostic::warning(code::TOO_LONG, Class::General, message);
            report.push(statement.point(d, n));
            while long.len() > usize::from(max) {
                long.pop();
            }
            Ok(Val::Text(long))
        }
        (_, result) => result,
    };
    match value {
        Ok(value) => Some(value),
        Err(d) => {
            report.push(*d);
            None
        }
    }
}

/// Why a word is no number, in keepalived's words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NumberProblem {
    #[error("invalid number '{0}'")]
    Invalid(String),
    #[error("negative number '{0}'")]
    Negative(String),
    #[error("number '{0}' outside unsigned integer range")]
    Overflow(String),
    #[error("number '{0}' outside range [{1}, {2}]")]
    Range(String, String, String),
    #[error("number '{0}' has too many decimal places")]
    Decimals(String),
}

impl NumberProblem {
    fn code(&self) -> crate::Code {
        match self {
            Self::Invalid(_) => code::NOT_A_NUMBER,
            _ => code::OUT_OF_RANGE,
        }
    }

    /// Tells what to write instead.
    pub(crate) fn advise(&self, keyword: &str, unit: &str, d: Diagnostic) -> Diagnostic {
        match self {
            Self::Range(_, min, max) => {
                let (min, max) = (advise::without_zeros(min), advise::without_zeros(max));
                // A limit of the machine's numbers is none that anybody meets.
                let limit = max.parse::<f64>().is_ok_and(|max| max > 1e12);
                d.help(if limit {
                    format!("{keyword} takes {min}{unit} or more")
                } else {
                    format!("{keyword} takes {min} to {max}{unit}")
                })
            }
            Self::Negative(text) => d.help(format!(
                "{keyword} takes no sign: write {}",
                text.trim_start().trim_start_matches('-')
            )),
            Self::Overflow(_) => d.help(format!("{keyword} takes far smaller numbers")),
            Self::Decimals(_) => d.help("leave the last decimals out"),
            Self::Invalid(text) => advise::invalid(text, unit, d),
        }
    }
}

/// Reads an integer. When `lenient`, digits with something behind them count as the digits.
pub(crate) fn integer(
    text: &str,
    min: i64,
    max: u64,
    any_base: bool,
    lenient: bool,
) -> Result<i128, NumberProblem> {
    let trimmed = text.trim_start_matches([' ', '\t']);
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let (radix, digits) = match digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        Some(hex) if any_base => (16, hex),
        None if any_base && digits.len() > 1 && digits.starts_with('0') => (8, digits),
        _ => (10, digits),
    };
    let end = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    if digits.is_empty() && trimmed.is_empty() {
        return range(0, text, min, max);
    }
    if end == 0 || (end < digits.len() && !lenient) {
        return Err(NumberProblem::Invalid(text.to_owned()));
    }
    if negative && min >= 0 {
        return Err(NumberProblem::Negative(text.to_owned()));
    }
    let too_large = || NumberProblem::Overflow(text.to_owned());
    let n = i128::from_str_radix(&digits[..end], radix).map_err(|_| too_large())?;
    if n > i128::from(u64::MAX) || (n > i128::from(u32::MAX) && max <= u64::from(u32::MAX)) {
        return Err(too_large());
    }
    range(if negative { -n } else { n }, text, min, max)
}

fn range(n: i128, text: &str, min: i64, max: u64) -> Result<i128, NumberProblem> {
    if n < i128::from(min) || n > i128::from(max) {
        return Err(NumberProblem::Range(
            text.to_owned(),
            min.to_string(),
            max.to_string(),
        ));
    }
    Ok(n)
}

/// Reads a decimal number with at most `decimals` decimals and one `unit`; the result and the
/// bounds are in microseconds.
pub(crate) fn decimal(
    text: &str,
    min: u64,
    max: u64,
    decimals: usize,
    unit: u64,
) -> Result<u64, NumberProblem> {
    let trimmed = text.trim_start_matches([' ', '\t']);
    let bad = || NumberProblem::Invalid(text.to_owned());
    if trimmed.starts_with('-') {
        return Err(NumberProblem::Negative(text.to_owned()));
    }
    let digits = trimmed.strip_prefix('+').unwrap_or(trimmed);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits_only = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if !digits_only(whole) || !digits_only(fraction) || (digits == ".") {
        return Err(bad());
    }
    if fraction.len() > decimals {
        return Err(NumberProblem::Decimals(text.to_owned()));
    }
    let shown = |micros: u64| {
        let places = if unit == 1_000 { 3 } else { 6 };
        let of = micros as f64 / unit as f64;
        format!("{of:.places$}")
    };
    let outside = || NumberProblem::Range(text.to_owned(), shown(min), shown(max));
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| outside())?
    };
    let scale = unit / 10_u64.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let fraction: u64 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().map_err(|_| bad())?
    };
    let micros = whole
        .checked_mul(unit)
        .and_then(|n| n.checked_add(fraction * scale))
        .ok_or_else(outside)?;
    if micros < min || micros > max {
        return Err(outside());
    }
    Ok(micros)
}

/// Reads the address of a socket; as in keepalived, a prefix length or the end of a range behind
/// it does not count.
pub(crate) fn socket_address(text: &str) -> Option<IpAddr> {
    let end = memchr::memchr2(b'/', b'-', text.as_bytes()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// Reads an address of the wanted kind; the error says what it is instead.
pub(crate) fn address(text: &str, which: Addresses) -> Result<IpAddr, String> {
    let ip = socket_address(text).ok_or_else(|| format!("'{text}' is not a valid IP address"))?;
    let fits = match which {
        Addresses::Any => true,
        Addresses::V4 => ip.is_ipv4(),
        Addresses::V6 => ip.is_ipv6(),
        Addresses::Multicast => ip.is_multicast(),
        Addresses::Multicast4 => ip.is_ipv4() && ip.is_multicast(),
        Addresses::Multicast6 => ip.is_ipv6() && ip.is_multicast(),
    };
    if fits {
        return Ok(ip);
    }
    Err(match which {
        Addresses::V4 => format!("'{text}' is not an IPv4 address"),
        Addresses::V6 => format!("'{text}' is not an IPv6 address"),
        _ => format!("'{text}' is not a multicast address"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_as_keepalived_reads_them() {
        let read = |t: &str| integer(t, 1, 255, false, false).map_err(|e| e.to_string());
        for (text, want) in [
            ("50", Ok(50)),
            ("050", Ok(50)),
            ("+50", Ok(50)),
            (" 50", Ok(50)),
            ("0x32", Err("invalid number '0x32'")),
            ("50x", Err("invalid number '50x'")),
            ("50.0", Err("invalid number '50.0'")),
            ("-1", Err("negative number '-1'")),
            ("256", Err("number '256' outside range [1, 255]")),
            ("", Err("number '' outside range [1, 255]")),
            (
                "99999999999999999999",
                Err("number '99999999999999999999' outside unsigned integer range"),
            ),
        ] {
            assert_eq!(read(text), want.map_err(String::from), "{text}");
        }
        assert_eq!(integer("50x", 1, 255, false, true), Ok(50));
        assert_eq!(integer("0x32", 1, 255, true, false), Ok(50));
        assert_eq!(integer("062", 1, 255, true, false), Ok(50));
        assert_eq!(integer("-20", -20, 19, false, false), Ok(-20));
    }

    #[test]
    fn decimals_as_keepalived_reads_them() {
        let read =
            |t: &str| decimal(t, 10_000, 255_000_000, 6, 1_000_000).map_err(|e| e.to_string());
        for (text, want) in [
            ("0.25", Ok(250_000)),
            (".5", Ok(500_000)),
            ("1.", Ok(1_000_000)),
            ("1", Ok(1_000_000)),
            ("1e0", Err("invalid number '1e0'")),
            ("1s", Err("invalid number '1s'")),
            ("", Err("number '' outside range [0.010000, 255.000000]")),
            (
                "0.1234567",
                Err("number '0.1234567' has too many decimal places"),
            ),
            (
                "256",
                Err("number '256' outside range [0.010000, 255.000000]"),
            ),
            ("-1", Err("negative number '-1'")),
            (
                "99999999999999999999",
                Err("number '99999999999999999999' outside range [0.010000, 255.000000]"),
            ),
        ] {
            assert_eq!(read(text), want.map_err(String::from), "{text}");
        }
        assert_eq!(decimal("1.5", 1_000, 4_294_967_000, 3, 1_000), Ok(1_500));
    }
}
