//! Fuzzing on the stable toolchain: libFuzzer with the compiler's own coverage pass.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

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
const CONFIGURATIONS: &[&str] = &["conf-samples", "crates/config/tests", "fuzz/seeds/config"];

/// What the coverage of libFuzzer needs. No sanitizer: safe code, and panics are found without.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions \
    -Coverflow-checks --cfg fuzzing";

/// Largest input: enough for a configuration with everything in it.
const LARGEST: u32 = 16384;

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
pub(crate) fn run(
    programs: &std::path::Path,
    target: &str,
    time: Duration,
    seed: Seed,
) -> Result<()> {
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
    let mut fuzz = Command::new(programs.join(target));
    fuzz.current_dir(root.join("fuzz"))
        .arg(format!("-max_total_time={}", time.as_secs()))
        .arg(format!("-max_len={LARGEST}"))
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
    fuzz.args(
        seeds
            .iter()
            .map(|seed| root.join(seed))
            .filter(|seed| seed.is_dir()),
    );
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
