//! What formatted text looks like; that it means the same is tested over whole files.

use super::*;

#[track_caller]
fn check(text: &str, want: &str) {
    let out = format(text.as_bytes()).expect("the braces pair");
    let shown = String::from_utf8_lossy(&out.text).into_owned();
    assert_eq!(shown, want, "{text}");
    let again = format(shown.as_bytes()).expect("still");
    assert_eq!(String::from_utf8_lossy(&again.text), want, "a second time");
}

#[test]
fn blocks_are_indented_and_words_apart() {
    check(
        "vrrp_instance   V{\ninterface\teth0\n  virtual_ipaddress{\n192.0.2.1/24   dev eth0\n}}",
        "vrrp_instance V {\n    interface eth0\n    virtual_ipaddress {\n        \
         192.0.2.1/24 dev eth0\n    }\n}\n",
    );
    check(
        "global_defs { router_id a }",
        "global_defs {\n    router_id a\n}\n",
    );
    check("global_defs { }\n", "global_defs {\n}\n");
    check("", "");
    check("\n\n", "");
}

#[test]
fn braces_go_up_to_their_keyword() {
    check(
        "global_defs\n{\nrouter_id a\n}\n",
        "global_defs {\n    router_id a\n}\n",
    );
    check(
        "global_defs  # a\n\n# note\n{ # b\nrouter_id a\n}\n",
        "global_defs {  # a\n    # note\n    # b\n    router_id a\n}\n",
    );
    check("global_defs\n{ # b\n}\n", "global_defs {  # b\n}\n");
    check(
        "global_defs\n\n{ router_id a }\n",
        "global_defs {\n    router_id a\n}\n",
    );
    // Not to a line that is more than words.
    check("$A\n{\n}\n", "$A\n{\n}\n");
    check("@a global_defs\n{\n}\n", "@a global_defs\n{\n}\n");
    check("include ./a\n{\n}\n", "include ./a\n{\n}\n");
    check("include\n{\n}\n", "include\n{\n}\n");
}

#[test]
fn comments_and_empty_lines_stay() {
    check(
        "# one\n\n\n\na{\n\n  ! two\nb   # three\nlong_c !four\n\n\n}\n\n# five\n\n",
        "# one\n\na {\n    ! two\n    b       # three\n    long_c  !four\n}\n\n# five\n",
    );
    check("a#b\n", "a  #b\n");
    check("a \"#b\" \\# c\n", "a \"#b\" \\# c\n");
}

#[test]
fn what_depends_on_its_bytes_keeps_them() {
    for line in [
        "notify '/x  \"a  b\"'   root",
        "script \"/x \\\"a  b\\\"\"  x",
        "a ${X}  {b   $Y}",
        "~SEQ(x,  1,2)  a$x   { b  }",
        "router_id \"open   {",
        "@a   $X=1   2",
        "include{   }",
    ] {
        check(&format!("   {line}\n"), &format!("{line}\n"));
    }
    check("include \t ./a  b.conf # c\n", "include ./a  b.conf  # c\n");
    check("  @a   b   c\n", "@a b c\n");
    check("a { include   ./x }\n", "a { include ./x }\n");
    check("a  {  @b c }\n", "a { @b c }\n");
}

#[test]
fn definitions_keep_their_lines() {
    check(
        "a {\n$M=\\\n  b { \\\n   c  d \\  \n }   \n  $M\n }\n",
        "a {\n    $M=\\\n  b { \\\n   c  d \\\n }\n    $M\n}\n",
    );
    check(
        "$OPEN=a {\n$OPEN\nb\n}\n~SEQ(x, 3) $OPEN }\nc\n",
        "$OPEN=a {\n$OPEN\n    b\n}\n~SEQ(x, 3) $OPEN }\nc\n",
    );
    // A comment alone ends a definition, since it is an empty line.
    check("$M=a \\\n  # note\n b\n", "$M=a \\\n  # note\nb\n");
}

#[test]
fn line_ends_are_those_of_the_first_line() {
    check("a  b\r\nc  d\n\r\n\r\ne\r\r\n", "a b\r\nc d\r\n\r\ne\r\n");
    check("a  b\nc  d\r\n", "a b\nc d\n");
    check("a\rb", "a b\n");
}

#[test]
fn braces_that_do_not_pair_are_told() {
    for (text, want) in [
        ("a {\nb {\n}\n", Broken::Unclosed { line: 1 }),
        ("a\n{\nb\n", Broken::Unclosed { line: 2 }),
        ("a {\n}\n}\n", Broken::ExtraClose { line: 3 }),
        ("a }\n", Broken::ExtraClose { line: 1 }),
    ] {
        assert_eq!(format(text.as_bytes()), Err(want), "{text}");
    }
}

#[test]
fn what_is_in_doubt_is_left_alone() {
    for (text, want, from) in [
        (
            "x  y\n@a  b {\n@^a  c {\n  d\n}\n",
            "x y\n@a  b {\n@^a  c {\n  d\n}\n",
            2,
        ),
        (
            "x  y\n~SEQ(n, 2)  a {\nb\n}\n}\n",
            "x y\n~SEQ(n, 2)  a {\nb\n}\n}\n",
            2,
        ),
    ] {
        let out = format(text.as_bytes()).expect("in doubt, not broken");
        assert_eq!(String::from_utf8_lossy(&out.text), want);
        assert_eq!(out.left_from, Some(from));
        assert_eq!(format(&out.text).expect("still").text, want.as_bytes());
    }
    // Conditions that pair are laid out.
    check("@a  b {\n@a }\n", "@a b {\n@a }\n");
    // A mistake before anything doubtful is a mistake.
    assert!(format(b"}\n@a b {\n").is_err());
}

#[test]
fn lines_that_are_refused_stay() {
    let long = "x".repeat(1100);
    check(
        &format!("a {{\n  {long}\n}}\n"),
        &format!("a {{\n  {long}\n}}\n"),
    );
    check("a {\n  b\0c  d\n}\n", "a {\n  b\0c  d\n}\n");
    // A line as long as may be is not made longer.
    let full = "x".repeat(1020);
    check(
        &format!("a {{\n{full}\n}}\n"),
        &format!("a {{\n  {full}\n}}\n"),
    );
    let abutting = format!("{}#{}", "x".repeat(500), "y".repeat(521));
    check(&format!("{abutting}\n"), &format!("{abutting}\n"));
}
