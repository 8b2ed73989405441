//! Fuzzing on the stable toolchain: libFuzzer with the compiler's own coverage pass.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rk_config::table::Context;

use crate::tool;

/// The targets, and the directories whose files they start from.
const TARGETS: &[(&str, &[&str])] = &[
    ("config", CONFIGURATIONS),
    ("layout", CONFIGURATIONS),
    ("lint", CONFIGURATIONS),
    ("packet", &["fuzz/seeds/packet"]),
    ("ipvs", &["fuzz/seeds/ipvs"]),
    ("http", &["fuzz/seeds/http"]),
    ("dns", &["fuzz/seeds/dns"]),
    ("smtp", &["fuzz/seeds/smtp"]),
];

/// Where configurations are.
const CONFIGURATIONS: &[&str] = &[
    "conf-samples",
    "crates/config/tests/data",
    "fuzz/seeds/config",
];

/// What configurations have between their keywords.
const MARKS: &[&str] = &[
    "{\n",
    "}\n",
    "$",
    "${",
    "}",
    "=",
    " \\\n",
    "~SEQ(",
    "~LST(",
    "@",
    "@^",
    "include ",
    "\"",
    "eth0",
    "192.0.2.1",
    "/24",
    "2001:db8::1",
    "fe80::1",
    "255",
    "0",
];

/// What the coverage of libFuzzer needs. No sanitizer: safe code, and panics are found without.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions \
    -Coverflow-checks --cfg fuzzing";

/// Largest input: enough for a configuration with everything in it.
const LARGEST: usize = 16384;
/// The same where there is no time: many short texts find more than few long ones.
const SHORT: usize = 2048;

/// The names of the targets.
pub(crate) fn targets() -> impl Iterator<Item = &'static str> {
    TARGETS.iter().map(|(name, _)| *name)
}

/// Builds all targets and returns the directory they are in.
pub(crate) fn build() -> Result<PathBuf> {
    let host = tool::output(Command::new("rustc").arg("--print").arg("host-tuple"))?;
    let host = host.trim();
    let directory = tool::root().join("fuzz");
    let mut build = tool::cargo();
    // `--target` keeps the flags away from build scripts and macros.
    build
        .current_dir(&directory)
        .args(["build", "--release", "--target", host, "--target-dir"])
        .arg(directory.join("target"))
        .env("RUSTFLAGS", COVERAGE)
        .env_remove("CARGO_TARGET_DIR");
    tool::succeed(&mut build)?;
    Ok(directory.join("target").join(host).join("release"))
}

/// Where the choices of a run come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seed {
    /// The same inputs in each run: what was good yesterday is good today.
    Fixed,
    /// Other inputs in each run, which looks for what nobody has seen.
    Random,
}

/// Runs one target for `time`; an error names the input that broke it.
pub(crate) fn run(programs: &Path, target: &str, time: Duration, seed: Seed) -> Result<()> {
    let (_, seeds) = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .context("a fuzz target")?;
    let root = tool::root();
    let corpus = match seed {
        Seed::Fixed => root.join("fuzz/corpus/fixed").join(target),
        Seed::Random => root.join("fuzz/corpus").join(target),
    };
    if seed == Seed::Fixed && corpus.exists() {
        // What earlier runs have kept would make this one different.
        std::fs::remove_dir_all(&corpus)?;
    }
    let artifacts = root.join("fuzz/artifacts").join(target);
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&artifacts)?;
    let largest = match seed {
        Seed::Fixed => SHORT,
        Seed::Random => LARGEST,
    };
    let mut fuzz = Command::new(programs.join(target));
    fuzz.current_dir(root.join("fuzz"))
        .arg(format!("-max_total_time={}", time.as_secs()))
        .arg(format!("-max_len={largest}"))
        // A single input that takes seconds is quadratic somewhere.
        .args([
            "-timeout=10",
            "-rss_limit_mb=4096",
            "-print_final_stats=1",
            "-verbosity=0",
        ])
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(&corpus);
    if seed == Seed::Fixed {
        fuzz.arg("-seed=1");
    }
    if *seeds == CONFIGURATIONS {
        let own = root.join("fuzz/target/seeds").join(target);
        plant(&root, &own, largest)?;
        fuzz.arg(format!("-dict={}", own.with_extension("dict").display()));
        fuzz.arg(own);
    } else {
        fuzz.args(seeds.iter().map(|place| root.join(place)));
    }
    let output = fuzz.output().with_context(|| format!("{fuzz:?}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let tail: Vec<&str> = text.lines().rev().take(40).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        bail!(
            "fuzz target {target}: {}\n{}",
            output.status,
            tail.join("\n")
        );
    }
    let runs = text
        .lines()
        .find(|line| line.contains("number_of_executed_units"));
    println!("fuzz {target}: {}", runs.map_or("done", str::trim));
    Ok(())
}

/// Writes the configurations of at most `largest` bytes to the directory `seeds`, each with a first
/// byte that says how it is read, and beside it a dictionary of all keywords.
fn plant(root: &Path, seeds: &Path, largest: usize) -> Result<()> {
    if seeds.is_dir() {
        std::fs::remove_dir_all(seeds)?;
    }
    std::fs::create_dir_all(seeds)?;
    let mut files = Vec::new();
    for directory in CONFIGURATIONS {
        find(&root.join(directory), &mut files)?;
    }
    for (mode, file) in files.iter().enumerate() {
        let text = std::fs::read(file)?;
        if text.len() < largest {
            let mut seed = vec![u8::try_from(mode % 8)?];
            seed.extend(text);
            std::fs::write(seeds.join(mode.to_string()), seed)?;
        }
    }
    let keywords = Context::ALL.iter().flat_map(|context| context.keywords());
    let mut words: Vec<&str> = keywords.map(|keyword| keyword.name).collect();
    words.extend(MARKS);
    words.sort_unstable();
    words.dedup();
    let lines: String = words.into_iter().map(entry).collect();
    std::fs::write(seeds.with_extension("dict"), lines)?;
    Ok(())
}

/// Every file of a directory and those below, in an order that stays.
fn find(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(directory)
        .with_context(|| directory.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            find(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// A line of libFuzzer's dictionaries.
fn entry(word: &str) -> String {
    let escaped: String = word
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(byte)),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02X}"),
        })
        .collect();
    format!("\"{escaped}\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_dictionary_are_quoted() {
        assert_eq!(entry("vrrp_instance"), "\"vrrp_instance\"\n");
        assert_eq!(entry("a \\\n\""), "\"a \\\\\\x0A\\\"\"\n");
    }

    #[test]
    fn seeds_are_short_texts_behind_a_byte() {
        let place = tempfile::tempdir().expect("a directory");
        let seeds = place.path().join("config");
        plant(&tool::root(), &seeds, SHORT).expect("written");
        let mut files = Vec::new();
        find(&seeds, &mut files).expect("read");
        assert!(files.len() > 100, "{}", files.len());
        let texts: Vec<_> = files
            .iter()
            .map(|file| std::fs::read(file).expect("a seed"))
            .collect();
        assert!(texts.iter().all(|text| text.len() <= SHORT && text[0] < 8));
        let starts = |text: &Vec<u8>| text[1..].starts_with(b"vrrp_instance");
        assert!(texts.iter().any(starts));
        let dictionary = std::fs::read_to_string(seeds.with_extension("dict")).expect("words");
        assert!(
            dictionary
                .lines()
                .any(|line| line == "\"virtual_router_id\"")
        );
    }
}
