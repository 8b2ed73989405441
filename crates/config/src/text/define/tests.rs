use super::*;
use crate::diagnostic::How;
use crate::place::FileId;

fn line(text: &str) -> Line {
    Line::new(text.as_bytes().to_vec(), FileId(0), 1, 0, None)
}

#[test]
fn a_definition_needs_its_equals_sign_right_after_the_name() {
    let found = |t: &str| definition(&line(t)).map(|(n, v)| (n, t[v..].to_owned()));
    assert_eq!(found("$P=bogus"), Some((b"P".to_vec(), "bogus".into())));
    assert_eq!(
        found("  $P=   bogus"),
        Some((b"P".to_vec(), "bogus".into()))
    );
    assert_eq!(found("$P =bogus"), None);
    assert_eq!(found("$1P=bogus"), None);
    assert_eq!(found("$M(a)=bogus"), None);
}

#[test]
fn uses_end_at_blanks_commas_and_parentheses() {
    let names = |t: &str| {
        let mut at = 0;
        let mut out = Vec::new();
        while let Some(u) = next_use(t.as_bytes(), at, &mut false) {
            out.push(String::from_utf8(u.name.to_vec()).unwrap());
            at = u.end;
        }
        out
    };
    assert_eq!(names("$P 1"), ["P"]);
    assert_eq!(names("${P}us"), ["P"]);
    assert_eq!(names("$Pus-"), [""; 0]);
    assert_eq!(names("x-$P-y x.$P,y ($Q)"), ["P", "Q"]);
    assert_eq!(names("${_RANDOM 1 2}x $ ${ ${}"), ["_RANDOM"]);
}

#[test]
fn random_numbers_stay_between_their_bounds() {
    let mut r = Random::default();
    for _ in 0..1000 {
        assert!((3..=5).contains(&r.between(3, 5, || 7)));
    }
    assert_eq!(r.between(3, 3, || 7), 3);
    r.between(0, u32::MAX, || 7);
}

#[test]
fn lines_that_go_on() {
    assert_eq!(continues(b"bogus1 x \\"), Some(8));
    assert_eq!(continues(b"\\  "), Some(0));
    assert_eq!(continues(b"bogus1 x"), None);
    assert_eq!(continues(b"  "), None);
}

/// A definition of two lines, and what becomes of the second when it is used.
fn filled(second: &str, values: &[(&str, &str)]) -> (bool, Line) {
    let mut definitions = Definitions::default();
    let lines = [
        line("first"),
        Line::new(second.as_bytes().to_vec(), FileId(0), 2, 4, None),
    ];
    definitions.set(b"BLOCK", lines.into());
    for (name, value) in values {
        let mut value = Line::new(value.as_bytes().to_vec(), FileId(0), 7, 3, None);
        value.keep();
        definitions.set(name.as_bytes(), vec![value]);
    }
    let block = definitions.names[b"BLOCK".as_slice()];
    let block = definitions.meaning(block).unwrap().clone();
    let place = line("$BLOCK").place(0, 6);
    let frame = Rc::new(Frame {
        how: How::Definition(block.name().clone()),
        place,
        parent: None,
    });
    let mut line = block.following()[0].seen_through(&frame, (FileId(0), 9));
    (definitions.fill(&mut line), line)
}

#[test]
fn the_uses_of_a_line_are_filled_at_once() {
    let (done, line) = filled("a ${X}.$YY,${X}", &[("X", "10"), ("YY", "")]);
    assert!(done);
    assert_eq!(*line.text, *b"a 10.,10");
    assert_eq!(line.home, (FileId(0), 9));
    let place = |start, end| {
        let place = line.place(start, end);
        (place.line, place.column, place.len)
    };
    assert_eq!(place(0, 2), (2, 4, 2));
    assert_eq!(place(2, 4), (7, 3, 2));
    assert_eq!(place(4, 5), (2, 10, 1));
    assert_eq!(place(5, 6), (2, 14, 1));
    assert_eq!(place(6, 8), (7, 3, 2));
    let way = |at| {
        let steps = line.via(at).into_iter();
        let steps = steps.map(|via| (via.how.to_string(), via.place.line, via.place.column));
        steps.collect::<Vec<_>>()
    };
    let block = ("from definition $BLOCK used here".to_owned(), 1, 0);
    let value = |column| ("from definition $X used here".to_owned(), 2, column);
    assert_eq!(way(0), std::slice::from_ref(&block));
    assert_eq!(way(2), [value(6), block.clone()]);
    assert_eq!(way(4), std::slice::from_ref(&block));
    assert_eq!(way(6), [value(15), block]);
}

#[test]
fn what_is_not_plain_is_left_to_the_rounds() {
    let long = "x".repeat(LINE_MAX);
    for (second, value) in [
        ("a $Y", "1"),
        ("a ${X} $", "1"),
        ("a ${X} ${_RANDOM 1 2}", "1"),
        ("a ${X}", "$Y"),
        ("a ${X}", &long),
        ("a", "1"),
    ] {
        let (done, line) = filled(second, &[("X", value)]);
        assert!(
            !done && *line.text == *second.as_bytes(),
            "{second} {value}"
        );
    }
}
