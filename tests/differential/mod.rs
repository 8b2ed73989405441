//! The verdict of keepalived itself on configurations with mistakes, beside ours.
//!
//! Where keepalived 2.2.7 is installed: good configurations are changed in one place, or pieces of
//! several are put together, and both programs test them in the same network and mount namespace.
//! The exit statuses must be the same, and every line that keepalived has something to say about
//! must be among ours.
//!
//! `RKEEPALIVED_DIFFERENTIAL=COUNT[:SEED]` runs more than the few of the suite, and others.

mod bases;
mod mutant;

use std::collections::BTreeSet;

use self::bases::BASES;
use self::mutant::{Random, mutant, splice, statements_below};
use crate::bed::lab;
use crate::world::{
    OURS, PEER, Said, TWO_INTERFACES, WORLD, material, peer, place, run_all, world,
};

/// What configurations may include.
const PART: &str = " priority 90\n advert_int 2\n";

/// As many messages as ours shows at most.
const SHOWN: usize = 200;

/// How many configurations are wanted, `few` in the suite, and from which seed.
fn wanted(few: usize) -> (usize, Random) {
    let wanted = std::env::var("RKEEPALIVED_DIFFERENTIAL").unwrap_or_default();
    let (count, seed) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    let seed = seed.parse().unwrap_or(1);
    (count.parse().unwrap_or(few), Random::seeded(seed))
}

/// keepalived's verdict without what only 2.2.7 says.
fn theirs(said: &Said) -> Said {
    let only = |line: &&str| line.contains("cannot track route");
    let rest: Vec<_> = said.text.lines().filter(|line| !only(line)).collect();
    // Nothing else, and it would have been fine.
    let fine = said.status == Some(5) && rest.is_empty() && !said.text.is_empty();
    Said {
        status: if fine { Some(0) } else { said.status },
        text: rest.join("\n"),
    }
}

/// The lines that messages are about, whatever the file is called.
fn lines(said: &Said) -> BTreeSet<u32> {
    said.places().into_iter().map(|(_, line)| line).collect()
}

/// The first line with a brace where none belongs.
fn tangled(said: &Said) -> Option<u32> {
    let lines = said.text.lines();
    let braces = lines.filter(|line| line.contains("Unexpected '{'") || line.contains("Extra '}'"));
    braces.filter_map(place).map(|(_, line)| line).min()
}

/// Lets both programs judge each of `texts`.
fn compare(name: &str, texts: &[String]) {
    let thorough = std::env::var_os("RKEEPALIVED_DIFFERENTIAL").is_some();
    let Some(lab) = lab(name) else { return };
    let node = world(&lab, TWO_INTERFACES);
    if !peer(&node) {
        return;
    }
    let mut files = Vec::new();
    for (n, text) in texts.iter().enumerate() {
        let directory = format!("/run/mutants/{n}");
        let file = format!("{directory}/main.conf");
        node.write(&format!("{WORLD}{file}"), text);
        node.write(&format!("{WORLD}{directory}/part.inc"), PART);
        node.write(&format!("{WORLD}{directory}/empty.inc"), "");
        files.push(file);
    }
    let peer = run_all(&node, PEER, &files);
    let ours = run_all(&node, OURS, &files);
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (file, text) in files.iter().zip(texts) {
        let (theirs, ours) = (theirs(&peer[file]), &ours[file]);
        let ended = ours.status.is_some_and(|status| status <= 6);
        // keepalived crashes or hangs now and then, or takes a word for the name of the file; ours
        // may not.
        let own = |name: &str| name.is_empty() || name == file || name.ends_with("part.inc");
        let theirs_ended = theirs.status.is_some_and(|status| status <= 6)
            && theirs.places().iter().all(|(name, _)| own(name));
        compared += usize::from(theirs_ended);
        let mut missing: Vec<_> = lines(&theirs).difference(&lines(ours)).copied().collect();
        if ours.places().len() >= SHOWN {
            missing.clear();
        }
        // Behind a brace that is not expected, each of keepalived's processes reads a text of its
        // own. What they say there is compared for the files of the suite alone.
        if thorough && let Some(first) = tangled(&theirs) {
            missing.retain(|line| *line < first);
        }
        let same = theirs.status == ours.status && missing.is_empty();
        if !ended || (theirs_ended && !same) {
            wrong.push(format!(
                "--- {file}\n{text}--- keepalived {:?}\n{}\n--- here {:?}, nothing about the \
                 lines {missing:?}\n{}",
                theirs.status, theirs.text, ours.status, ours.text
            ));
        }
    }
    assert!(
        compared > texts.len() / 2,
        "{compared} of {} can be compared",
        texts.len()
    );
    assert!(
        wrong.is_empty(),
        "{} of {compared} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn one_mistake_each() {
    let (count, mut random) = wanted(120);
    let mut texts: Vec<_> = BASES.map(str::to_owned).into();
    while texts.len() < count {
        let base = random.of(&BASES);
        texts.push(mutant(&mut random, base));
    }
    compare("differential", &texts);
}

#[test]
fn pieces_of_files_of_others() {
    let (Some(corpus), Some(samples)) = (material("corpus"), material("spec/samples")) else {
        return;
    };
    let mut files = statements_below(&corpus);
    files.extend(statements_below(&samples));
    let (count, mut random) = wanted(60);
    let texts: Vec<_> = std::iter::repeat_with(|| splice(&mut random, &files))
        .take(count)
        .collect();
    compare("splices", &texts);
}

#[test]
fn one_mistake_in_a_file_of_others() {
    let (Some(corpus), Some(samples)) = (material("corpus"), material("spec/samples")) else {
        return;
    };
    let mut files = statements_below(&corpus);
    files.extend(statements_below(&samples));
    let (count, mut random) = wanted(60);
    let mut texts = Vec::new();
    while texts.len() < count {
        let base = files[random.below(files.len())].concat();
        texts.push(mutant(&mut random, &base));
    }
    compare("mutants", &texts);
}
