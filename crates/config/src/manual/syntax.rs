//! The rules of the language, in prose.

use super::{Level, Piece};

pub(super) fn pieces() -> Vec<Piece> {
    let mut out = Vec::new();
    for (title, parts) in CHAPTERS {
        out.push(Piece::Heading(Level::Chapter, (*title).to_owned()));
        for part in *parts {
            out.push(match part {
                Part::Text(text) => Piece::Text((*text).to_owned()),
                Part::Example(lines) => Piece::Example(lines),
                Part::Terms(terms) => Piece::Terms(terms),
            });
        }
    }
    out
}

enum Part {
    Text(&'static str),
    Example(&'static str),
    Terms(&'static [(&'static str, &'static str)]),
}

use Part::{Example, Terms, Text};

const CHAPTERS: &[(&str, &[Part])] = &[
    (
        "Description",
        &[
            Text(
                "The daemon reads its configuration from `/etc/keepalived/keepalived.conf`, or \
                 from what `-f` names. The language is that of keepalived 2.4. `rkeepalived -t` \
                 tests a file, `rkeepalived lint` says more about it, `rkeepalived fmt` lays it \
                 out, and `rkeepalived explain` explains a keyword or the code of a message.",
            ),
            Example(
                "global_defs {\n    router_id lb1\n}\n\nvrrp_instance web {\n    interface eth0\n    \
                 virtual_router_id 51\n    priority 100        # the other node has 90\n    \
                 virtual_ipaddress {\n        192.0.2.10/24\n    }\n}",
            ),
        ],
    ),
    (
        "Lines and blocks",
        &[
            Text(
                "A line is a statement: a keyword and its arguments, separated by blanks. Case \
                 matters. A statement never goes on in the next line, and a second keyword on the \
                 same line is just a word too many. A line has at most 1022 bytes.",
            ),
            Text(
                "Some keywords take a block, from `{` to the matching `}`. The brace may follow on \
                 the same line or on a later one, and blanks around braces are not needed. A block \
                 holds statements, or lines with one entry each, or plain names of which several \
                 may stand on a line. An unknown keyword with a block is not skipped as a whole: \
                 mend the first message first.",
            ),
            Text(
                "A comment starts with `#` or `!`, anywhere outside double quotes, and ends with \
                 the line. `\\#` and `\\!` are the plain characters.",
            ),
            Text(
                "Double quotes make one word of several and keep braces and comment signs from \
                 being special. There is no escape inside them, and they end on their line. Single \
                 quotes are ordinary characters, except in commands.",
            ),
        ],
    ),
    (
        "Arguments",
        &[
            Text(
                "Brackets stand around what may be left out, a bar between alternatives, and what \
                 is written in capitals stands for a value:",
            ),
            Terms(&[
                (
                    "INT(A..B)",
                    "A decimal number from A to B. With `any base`, 0x and a leading 0 mean hexadecimal and octal.",
                ),
                ("SECS(A..B)", "Seconds, with up to six decimals: `0.25`."),
                ("MSECS(A..B)", "Milliseconds, with up to three decimals."),
                (
                    "BOOL",
                    "`true`, `on` or `yes`; `false`, `off` or `no`. Left out, it is true.",
                ),
                (
                    "IP, IP4, IP6",
                    "An address. A prefix length follows as in `192.0.2.1/24`.",
                ),
                (
                    "INTERFACE, IFNAME",
                    "The name of a network interface, of at most 15 bytes.",
                ),
                ("NAME", "The name of something in the configuration."),
                (
                    "TEXT(<=N)",
                    "Any text, of at most N bytes if that is given; in quotes if it has blanks.",
                ),
                ("HEX(N)", "N hexadecimal digits."),
                (
                    "PATH",
                    "The path of a file. Relative ones start at the directory of the file they stand in.",
                ),
                ("COMMAND", "A program and its arguments. See below."),
                (
                    "USER, GROUP",
                    "Who runs a command, by name or number. `:GROUP` gives all groups of the user.",
                ),
            ]),
            Text(
                "A command with arguments stands in quotes, since only its first word belongs to it \
                 otherwise. Inside, single and double quotes group words, and a backslash keeps the \
                 next character or makes `\\n`, `\\t`, `\\x41` and the like. No shell is involved. The \
                 program is named by its full path, is executable, and if root runs it, nobody else \
                 may be able to change it or a directory above it (see `enable_script_security`).",
            ),
            Example("notify_master \"/usr/local/bin/notify.sh master 'web site'\" nobody"),
        ],
    ),
    (
        "Definitions",
        &[
            Text(
                "`$NAME=TEXT` at the start of a line defines a name; there is no blank before the \
                 equals sign. `${NAME}` is replaced anywhere, `$NAME` where a blank, a comma, a \
                 closing parenthesis or the end of the line follows. The text is put in as it \
                 stands, quotes and all, before the line is split into words, and what it uses \
                 itself is looked up then. A later definition takes the place of an earlier one. A \
                 name that is not defined stays as it is.",
            ),
            Text(
                "A definition whose lines end in a backslash has several lines; it can be used at \
                 the end of a line only.",
            ),
            Example(
                "$VIPS=\\\n192.0.2.10/24 \\\n192.0.2.11/24\n$PRIO=100\n\nvrrp_instance web {\n    \
                 interface eth0\n    virtual_router_id 51\n    priority ${PRIO}\n    \
                 virtual_ipaddress {\n        $VIPS\n    }\n}",
            ),
            Text("These names need no definition:"),
            Terms(&[
                ("${_PWD}", "The directory of the file."),
                (
                    "${_INSTANCE}",
                    "The configuration id: what `-i` names, else the host name up to the first dot.",
                ),
                (
                    "${_RANDOM MIN MAX}",
                    "A random number, another one at each use; from 0 to 32767 if nothing else is said.",
                ),
                ("${_ENV NAME}", "A variable of the environment."),
                ("${_HASH}, ${_BANG}", "The signs `#` and `!`."),
            ]),
        ],
    ),
    (
        "Sequences",
        &[
            Text(
                "`~SEQ(NAME, START, STEP, END) TEXT` reads TEXT once for each number from START to \
                 END, with the number in `$NAME`. STEP may be left out, START too: it is 1 then. \
                 `~SEQx` counts in hexadecimal. `~LST(NAME, VALUE, ...) TEXT` goes through values, \
                 and `~LST({A, B}, {A1, B1}, ...) TEXT` through several names at once. TEXT may be \
                 another sequence, and may end with a definition of several lines.",
            ),
            Example(
                "$VI=\\\nvrrp_instance vlan${N} { \\\n    interface eth0.${N} \\\n    \
                 virtual_router_id ${N} \\\n    virtual_ipaddress { 10.0.${N}.1/24 } \\\n}\n\
                 ~SEQ(N, 10, 10, 50) $VI",
            ),
        ],
    ),
    (
        "Conditions",
        &[
            Text(
                "A line that starts with `@ID` counts only if ID is the configuration id, one that \
                 starts with `@^ID` only if it is not. The condition is for that one line; a block \
                 needs it on each of its lines, or on the line that includes it from a file.",
            ),
            Example("@lb1 priority 100\n@^lb1 priority 90"),
        ],
    ),
    (
        "Included files",
        &[
            Text(
                "`include PATTERN` reads the files that match, in order of their names, as if they \
                 stood there: also inside a block. The pattern is the rest of the line, without \
                 quotes; it may have wildcards and alternatives in braces, and starts at the \
                 directory of the file it stands in. Only regular files that nobody may execute \
                 are read. Definitions outlive the file they stand in.",
            ),
            Text(
                "A file that is missing does not stop the start unless the line or `include_check` \
                 says so, or `-e` is given.",
            ),
            Terms(&[
                ("include", "Nothing stops the start."),
                ("includer", "Every file must be readable."),
                (
                    "includem",
                    "As includer, and a name without wildcards must exist.",
                ),
                (
                    "includew",
                    "As includem, and wildcards must match something.",
                ),
                (
                    "includeb",
                    "As includer, and every alternative in braces must exist.",
                ),
                ("includea", "All of these."),
            ]),
        ],
    ),
    (
        "Order and inheritance",
        &[
            Text(
                "What is tracked stands before what tracks it: scripts, files, processes, BFD \
                 sessions and track groups before instances, sync groups and servers. A virtual \
                 server hands down retry, delay_before_retry, warmup, connect_timeout, delay_loop, \
                 alpha, inhibit_on_failure, virtualhost and lb_kind to its real servers, and those \
                 to their checks, wherever these say nothing themselves. An instance takes what it \
                 does not say from the keywords of global_defs that start with vrrp_.",
            ),
            Text(
                "`global_defs` may stand several times. A second instance, sync group, track group \
                 or BFD session of the same name is a mistake and is skipped.",
            ),
        ],
    ),
];
