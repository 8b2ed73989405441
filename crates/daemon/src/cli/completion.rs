//! The generated documents in the hands of the programs they are made for. A shell that is not
//! installed is skipped, and the test says so.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `program` with a generated document in a file; standard output, then standard error.
/// `None` if the program is not installed.
fn told(document: &str, program: &str, arguments: &[&str]) -> Option<(String, String)> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("document");
    std::fs::write(&file, super::generate(document).unwrap()).unwrap();
    let place = |a: &&str| a.replace("FILE", file.to_str().unwrap());
    let out = Command::new(program)
        .args(arguments.iter().map(place))
        .current_dir(dir.path())
        .env("HOME", dir.path())
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .output();
    match out {
        Ok(out) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            Some((text(&out.stdout), text(&out.stderr)))
        }
        Err(e) if e.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: {program} is not installed");
            None
        }
        Err(e) => panic!("{program}: {e}"),
    }
}

/// What people type, and words that must be offered for it.
const TYPED: &[(&str, &[&str])] = &[
    ("--config-t", &["--config-test"]),
    ("l", &["lint"]),
    ("f", &["fmt"]),
    ("ex", &["explain"]),
    ("lint --cl", &["--cluster"]),
    ("fmt --ch", &["--check"]),
    ("--signum=J", &["JSON"]),
];

#[test]
fn bash_completes_options_and_commands() {
    for name in ["rkeepalived", "keepalived"] {
        for (typed, wanted) in TYPED.iter().filter(|(typed, _)| !typed.contains('=')) {
            let words: Vec<&str> = typed.split(' ').collect();
            let (last, count) = (words[words.len() - 1], words.len());
            let script = format!(
                "source FILE && complete -p {name} >/dev/null && COMP_WORDS=({name} {typed}) && \
                 COMP_CWORD={count} && _rkeepalived {name} {last} {name}; \
                 printf '%s\\n' \"${{COMPREPLY[@]}}\""
            );
            let arguments = ["--norc", "--noprofile", "-c", &script];
            let Some((offered, errors)) = told("bash", "bash", &arguments) else {
                return;
            };
            assert_eq!(errors, "", "{name} {typed}");
            for word in *wanted {
                assert!(
                    offered.lines().any(|l| l == *word),
                    "{name} {typed}: {offered}"
                );
            }
            assert!(!offered.contains("--generate"), "{offered}");
        }
    }
}

#[test]
fn fish_completes_options_and_commands() {
    for name in ["rkeepalived", "keepalived"] {
        for (typed, wanted) in TYPED {
            let script = format!("source FILE; complete -C '{name} {typed}'");
            let Some((offered, errors)) = told("fish", "fish", &["--no-config", "-c", &script])
            else {
                return;
            };
            assert_eq!(errors, "", "{name} {typed}");
            for word in *wanted {
                let offers = |l: &str| l.split('\t').next().is_some_and(|w| w.ends_with(word));
                assert!(offered.lines().any(offers), "{name} {typed}: {offered}");
            }
        }
    }
}

/// Zsh completes at a terminal only, so it gets one.
#[test]
fn zsh_completes_options_and_commands() {
    let driver = r#"
        zmodload zsh/zpty
        zpty -b shell "COLUMNS=200 zsh -f -i"
        send() { zpty -w shell "$1" }
        # Reads until the mark; whatever comes before it is what the shell has shown.
        until_mark() {
            local text="" part
            local -F end=$((SECONDS + 20))
            while (( SECONDS < end )) && [[ $text != *"$1"* ]]; do
                if zpty -r -t shell part; then text+=$part; else zselect -t 2; fi
            done
            print -r -- "$text"
        }
        zmodload zsh/zselect
        typeset -F SECONDS
        send "PS1='> '; autoload -Uz compinit && compinit -u -D; source FILE; setopt nolistbeep"
        send "show() { print -r -- \"<\$BUFFER>MARK\"; BUFFER=; zle accept-line }; zle -N show; bindkey '^X' show"
        send "print READY''NOW"
        until_mark READYNOW >/dev/null
        zpty -w -n shell "NAME TYPED"$'\t\x18'
        until_mark '>MARK'
    "#;
    for (name, typed) in [("rkeepalived", TYPED), ("keepalived", &TYPED[..2])] {
        for (typed, wanted) in typed {
            // One word is put in; of several only what they share.
            let [word] = wanted else {
                panic!("one word for zsh")
            };
            let script = driver.replace("NAME", name).replace("TYPED", typed);
            let Some((shown, errors)) = told("zsh", "zsh", &["-f", "-c", &script]) else {
                return;
            };
            assert_eq!(errors, "", "{name} {typed}");
            let buffer = shown
                .rsplit_once(">MARK")
                .and_then(|(text, _)| text.rsplit_once('<'))
                .map_or("", |(_, buffer)| buffer.trim_end_matches([' ', '=']));
            let before = typed
                .rsplit_once([' ', '='])
                .map_or("", |(before, _)| before);
            let completed = buffer.starts_with(&format!("{name} {before}"));
            assert!(
                completed && buffer.ends_with(word),
                "{name} {typed}: {shown:?}"
            );
        }
    }
}

#[test]
fn groff_and_mandoc_find_nothing_wrong_with_the_page() {
    for (program, arguments) in [
        ("groff", &["-man", "-Tutf8", "-ww", "-z", "FILE"][..]),
        ("mandoc", &["-Tlint", "-Werror", "FILE"]),
    ] {
        if let Some((shown, errors)) = told("man", program, arguments) {
            assert_eq!((shown.as_str(), errors.as_str()), ("", ""), "{program}");
        }
    }
}

#[test]
fn the_page_names_options_and_commands() {
    if !Path::new("/usr/bin/groff").exists() {
        eprintln!("skipped: groff is not installed");
        return;
    }
    let (shown, _) = told("man", "groff", &["-man", "-Tascii", "-P-cbou", "FILE"]).unwrap();
    for wanted in ["--config-test", "lint", "fmt", "explain", "RKEEPALIVED(8)"] {
        let shown = shown.to_uppercase();
        assert!(shown.contains(&wanted.to_uppercase()), "{wanted}: {shown}");
    }
}
