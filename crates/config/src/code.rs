//! The stable numbers of the diagnostics.

use std::fmt;

/// The number of a kind of diagnostic, printed as `RK0101`; `doc/diagnostics.md` explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RK{:04}", self.0)
    }
}

impl Code {
    /// The number of a lint: `RK2000` and up; `doc/lints.md` explains those.
    pub(crate) const fn lint(number: u16) -> Self {
        Self(number)
    }
}

/// Declares the codes once: constant, number, title.
macro_rules! codes {
    ($($name:ident = $number:literal, $title:literal;)*) => {
        $(#[doc = $title] pub(crate) const $name: Code = Code($number);)*

        impl Code {
            /// Every code of reading with its title, in the order of the numbers. The lints have
            /// numbers of their own (`lint::all`, `lint::cluster::RULES`).
            pub const ALL: &'static [(Self, &'static str)] = &[$(($name, $title)),*];
        }
    };
}

codes! {
    MAIN_FILE = 101, "the main file is missing";
    FILE_UNUSABLE = 102, "a file cannot be used";
    SEVERAL_MAIN_FILES = 103, "the name of the main file matches several";
    INCLUDE_MISSING = 104, "an included file is missing";
    INCLUDE_NO_MATCH = 105, "an include pattern matches nothing";
    INCLUDE_RECURSION = 106, "a file includes itself";
    LIMIT = 107, "a limit of the language is reached";

    LINE_TOO_LONG = 201, "a line is too long";
    NUL = 202, "a line has a NUL byte";
    QUOTE = 203, "a quote is not closed";
    DEFINITION_ENDLESS = 204, "a definition expands without end";
    DEFINITION_OVERFLOW = 205, "a definition does not fit the line";
    BUILT_IN = 206, "a built-in definition is used wrongly";
    SEQUENCE = 207, "a sequence is not valid";

    UNKNOWN_KEYWORD = 301, "a word is no keyword here";
    UNEXPECTED_OPEN = 302, "an opening brace where none belongs";
    EXTRA_CLOSE = 303, "a closing brace too many";
    MISSING_CLOSE = 304, "a closing brace is missing";
    MISSING_OPEN = 305, "an opening brace is missing";

    VALUE_REQUIRED = 401, "a required value is missing, reading stops";
    VALUE_MISSING = 402, "a value is missing";
    NOT_A_NUMBER = 403, "a word is no number";
    OUT_OF_RANGE = 404, "a number is out of range";
    NOT_A_BOOLEAN = 405, "a word is neither true nor false";
    NOT_AN_ADDRESS = 406, "a word is no address";
    UNKNOWN_WORD = 407, "a word is none of those allowed";
    TOO_LONG = 408, "a text is too long";
    EXTRA_WORDS = 409, "words too many";
    REPEATED = 410, "a setting is repeated";
    OLD_SPELLING = 411, "an old spelling";
    NAME_MISSING = 412, "a block has no name";
    EMPTY_BLOCK = 413, "a block is empty";

    NO_INTERFACE = 501, "an interface does not exist";
    DUPLICATE = 502, "a name is defined twice";
    NOT_DEFINED = 503, "a name is not defined";
    NO_USER = 504, "a user or group does not exist";
    NO_NAMESPACE = 505, "a network namespace cannot be entered";
    NO_PATH = 506, "a path cannot be used";

    SCRIPT_SECURITY = 601, "scripts run without script security";
    SCRIPT_INSECURE = 602, "a script is not secure";
    SCRIPT_NOT_FOUND = 603, "a script is not there or cannot run";
    SCRIPT_USER = 604, "no user for a script";
    SCRIPT_MISSING = 605, "a script block has no script";

    VRID_MISSING = 701, "an instance has no virtual router id";
    NO_ADDRESS = 702, "an instance has no address";
    STRICT = 703, "strict mode refuses a setting";
    PREEMPT = 705, "preemption settings contradict each other";
    VERSION = 706, "the version does not fit";
    ADVERT_INTERVAL = 707, "the advertisement interval does not fit";
    AUTHENTICATION = 708, "the authentication is not usable";
    UNICAST = 709, "a unicast setting does not fit";
    VMAC = 710, "a VMAC setting does not fit";
    INTERFACE_MISSING = 711, "an instance has no interface";
    SAME_VRID = 712, "two instances use one virtual router id";
    GROUP = 713, "a group is not usable";
    TRACKING = 714, "a tracker does not fit";
    FAMILY = 715, "addresses of two families";
    SETTING = 716, "a setting does not fit another";

    ENTRY = 801, "an address, route or rule is not usable";
    ENTRY_OPTION = 802, "an option of an address, route or rule is not usable";

    SERVER = 901, "a virtual or real server is not usable";
    SERVER_SETTING = 902, "a setting of a virtual server does not fit";
    CHECKER = 903, "a checker is not usable";
    QUORUM = 904, "a quorum cannot be as it is written";
    PORT = 905, "a port that the forwarding method cannot change";
    SERVER_UNSAID = 906, "a virtual server leaves out what must be said";
    EVERY_PORT = 907, "a service for every port is not persistent";
    SORRY_SERVER = 908, "a sorry server does not fit";
    SERVER_GROUP = 909, "a group of services is not usable";
    PAGE = 910, "a page to check is not usable";
    TUNNEL = 911, "tunnel options do not fit each other";
    PATTERN = 912, "a regular expression cannot be used";

    NOT_SUPPORTED = 1001, "a keyword does nothing yet";
    FIREWALL = 1002, "iptables is replaced by nftables";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_sorted() {
        assert!(Code::ALL.windows(2).all(|w| w[0].0 < w[1].0));
    }

    #[test]
    fn every_code_is_explained() {
        let doc = include_str!("../../../doc/diagnostics.md");
        for (code, title) in Code::ALL {
            assert!(
                doc.contains(&format!("## {code}: {title}\n")),
                "{code} is not in the book"
            );
        }
        let sections = doc.lines().filter(|l| l.starts_with("## RK")).count();
        assert_eq!(
            sections,
            Code::ALL.len(),
            "the book explains a code that is not there"
        );
    }
}
