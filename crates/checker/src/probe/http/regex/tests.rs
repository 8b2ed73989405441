//! Searches in pieces find what a search in one piece finds.

use proptest::prelude::*;

use super::*;

fn check(pattern: &str, options: &[&str]) -> RegexCheck {
    RegexCheck::new(Regex::new(pattern, options.iter().copied()).unwrap())
}

fn search<'a>(check: &RegexCheck, pieces: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut search = Search::new(check);
    // Searched at every piece: the hardest case.
    for piece in pieces {
        search.enough = 0;
        search.push(piece);
    }
    search.finish()
}

fn whole(check: &RegexCheck, text: &[u8]) -> bool {
    search(check, [text])
}

#[test]
fn found_and_not_found() {
    let hello = check("hello", &[]);
    assert!(whole(&hello, b"say hello"));
    assert!(!whole(&hello, b"say HELLO"));
    assert!(!whole(&hello, b""));
    assert!(whole(&check("hello", &["caseless"]), b"say HELLO"));
    assert!(whole(&check("", &[]), b""));
    let mut no = hello;
    no.sense = Sense::NoMatch;
    assert!(!whole(&no, b"say hello"));
    assert!(whole(&no, b"say"));
}

#[test]
fn offsets_count_octets_of_the_body() {
    let mut o = check("o", &[]);
    o.max_offset = Some(4);
    assert!(whole(&o, b"hello"));
    assert!(search(&o, [&b"he"[..], b"l", b"lo"]));
    o.max_offset = Some(3);
    assert!(!whole(&o, b"hello"));
    assert!(!search(&o, [&b"he"[..], b"l", b"lo"]));
    let mut h = check("h", &[]);
    h.min_offset = 1;
    assert!(!whole(&h, b"hello"));
    assert!(search(&h, [&b"h"[..], b"h"]));
    h.min_offset = 100;
    assert!(!whole(&h, b"hello"));
    let mut far = check("needle", &[]);
    far.min_offset = 50_000;
    far.max_offset = Some(60_000);
    for (place, found) in [
        (49_999, false),
        (50_000, true),
        (60_000, true),
        (60_001, false),
    ] {
        let body = [&vec![b'x'; place][..], b"needle", &[b'y'; 9000]].concat();
        assert_eq!(search(&far, body.chunks(777)), found, "{place}");
        assert_eq!(whole(&far, &body), found, "{place}");
    }
}

#[test]
fn anchors_mean_the_body_and_not_the_window() {
    let begin = check("^b", &[]);
    assert!(!search(&begin, [&b"aaaaaaaaaa"[..], b"baa", b"b"]));
    assert!(!search(
        &check("\\Ab", &[]),
        [&b"aaaaaaaaaa"[..], b"baa", b"b"]
    ));
    let end = check("a$", &[]);
    assert!(!search(&end, [&b"aaa"[..], b"b"]));
    assert!(search(&end, [&b"bbb"[..], b"a"]));
    assert!(search(&end, [&b"bbb"[..], b"a\n"]));
    let line = check("^b$", &["multiline"]);
    assert!(search(&line, [&b"aaaaaaaaaaaa\n"[..], b"b", b"\naa"]));
    assert!(!search(&line, [&b"aaaaaaaaaaaa\n"[..], b"b", b"b\naa"]));
}

#[test]
fn bad_patterns_and_options() {
    let error = Regex::new("hel(", []).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Invalid regex: 'hel(' at offset 4: missing closing parenthesis"
    );
    assert_eq!(
        Regex::new("a", ["caseless", "shouting"]).unwrap_err(),
        RegexError::Option("shouting".into())
    );
}

#[test]
fn all_options_of_the_manual_are_known() {
    let manual = "allow_empty_class alt_bsux auto_callout caseless dollar_endonly dotall dupnames \
                  extended firstline match_unset_backref multiline never_ucp never_utf \
                  no_auto_capture no_auto_possess no_dotstar_anchor no_start_optimize ucp \
                  ungreedy utf never_backslash_c alt_circumflex alt_verbnames use_offset_limit";
    for option in manual.split_whitespace() {
        let regex = Regex::new("a+b", [option]).unwrap();
        let check = RegexCheck::new(regex);
        assert!(search(&check, [&b"xa"[..], b"ab"]), "{option}");
    }
    assert_eq!(manual.split_whitespace().count(), OPTIONS.len());
}

#[test]
fn text_that_is_no_utf8_matches_nothing_and_harms_nothing() {
    for pattern in ["(*UTF)caf\u{e9}.x", "caf\u{e9}.x"] {
        let options: &[&str] = if pattern.starts_with('(') {
            &[]
        } else {
            &["utf"]
        };
        let check = check(pattern, options);
        let text = "ein caf\u{e9}\u{1f600}x".as_bytes();
        for piece in 1..text.len() {
            assert!(search(&check, text.chunks(piece)), "{piece}");
        }
        assert!(!whole(&check, b"caf\xe9\xffx"));
        assert!(search(&check, [&b"\xff\xfe\xc3"[..], text, b"\xf0\x9f"]));
    }
}

#[test]
fn a_match_that_never_ends_costs_bounded_memory() {
    let check = check("a[^z]*z", &["dotall"]);
    let mut search = Search::new(&check);
    let piece = vec![b'a'; 64 * 1024];
    for _ in 0..256 {
        search.push(&piece);
        assert!(search.window.capacity() <= 4 * WINDOW);
    }
    assert_eq!(
        search.lines,
        ["Regex partial match preserve too large - discarding"]
    );
    search.push(b"z");
    assert!(search.finish(), "what is within the window is still found");
}

#[test]
fn a_pattern_that_explodes_fails_either_way() {
    // Backtracks 2^n times; PCRE2 gives up at its limit.
    let mut check = check("(*NO_AUTO_POSSESS)(*NO_JIT)(a+)+$", &["no_start_optimize"]);
    let body = [&[b'a'; 60][..], b"b"].concat();
    assert!(!whole(&check, &body));
    check.sense = Sense::NoMatch;
    let mut search = Search::new(&check);
    search.push(&body);
    assert!(!search.finish());
    assert_eq!(search.lines.len(), 1, "{:?}", search.lines);
    assert!(
        search.lines[0].starts_with("Regex error -47"),
        "{:?}",
        search.lines
    );
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        text in "[abx\n\u{e9}]{0,60}",
        cuts in prop::collection::vec(0usize..60, 0..8),
        pattern in prop::sample::select(vec![
            "ab", "^a", "a$", "a.*b", "(?<=ab)x", "(?<!b)a", "a+?b", "x(?!a)", "\\bx", "(a|b)\\1",
            "a.{3}b", "\\Ab", "b\\z", "\u{e9}", "[^a]x", "(?s)a.*b.*x",
        ]),
        options in prop::sample::subsequence(vec!["utf", "multiline", "dotall", "caseless"], 0..=4),
        min_offset in 0u64..20,
        max_offset in prop::option::of(0u64..60),
    ) {
        let text = text.as_bytes();
        let mut check = check(pattern, &options);
        check.min_offset = min_offset;
        check.max_offset = max_offset;
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]);
        prop_assert_eq!(search(&check, pieces), whole(&check, text));
    }

    #[test]
    fn no_octets_break_it(octets in prop::collection::vec(any::<u8>(), 0..200), piece in 1usize..9) {
        let check = check("(?<=\u{e9}.)[^a]+b", &["utf"]);
        search(&check, octets.chunks(piece));
    }
}
