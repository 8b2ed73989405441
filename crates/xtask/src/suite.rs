//! `cargo xtask test`, and its longer sister `soak`.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::fuzz::Seed;
use crate::{Verdict, fuzz, need, rfc, tool};

/// How long each fuzz target runs in `test`.
const SMOKE: Duration = Duration::from_secs(30);
/// End-to-end tests at a time, per CPU: they wait for timers nearly all the time.
const TESTS_PER_CPU: usize = 8;

/// What has been found so far.
#[derive(Default)]
struct Report {
    passed: usize,
    failed: usize,
    skipped: usize,
    lines: Vec<String>,
}

impl Report {
    /// Runs one check that either holds or not.
    fn check(&mut self, what: &str, check: impl FnOnce() -> Result<()>) {
        println!("\n== {what}");
        let started = Instant::now();
        let result = check();
        let took = started.elapsed().as_secs();
        let verdict = match &result {
            Ok(()) => {
                self.passed += 1;
                "passed"
            }
            Err(error) => {
                eprintln!("{error:#}");
                self.failed += 1;
                "FAILED"
            }
        };
        self.lines.push(format!("{what:<28} {verdict} ({took} s)"));
    }

    /// Runs a command that runs tests, and counts them.
    fn tests(&mut self, what: &str, mut command: Command) -> Result<()> {
        println!("\n== {what}");
        let started = Instant::now();
        let (status, text) = tool::show(&mut command)?;
        let took = started.elapsed().as_secs();
        let counted = Counts::read(&text);
        self.passed += counted.passed;
        self.failed += counted.failed;
        self.skipped += counted.skipped;
        // What did not even compile has no counts, and must not look like a success.
        if !status.success() && counted.failed == 0 {
            self.failed += 1;
        }
        let verdict = if status.success() { "passed" } else { "FAILED" };
        self.lines.push(format!(
            "{what:<28} {verdict}: {} passed, {} failed ({took} s)",
            counted.passed, counted.failed
        ));
        Ok(())
    }

    fn print(&self) -> Verdict {
        println!();
        for line in &self.lines {
            println!("{line}");
        }
        let skipped = match self.skipped {
            0 => String::new(),
            n => format!(", {n} skipped"),
        };
        println!("{} passed, {} failed{skipped}", self.passed, self.failed);
        Verdict::from(self.failed == 0)
    }
}

/// How many tests a runner says that it ran.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Counts {
    /// Reads nextest's `Summary` line and cargo's `test result:` lines.
    fn read(text: &str) -> Self {
        let mut counts = Self::default();
        // nextest shows the output of failed tests, with a `test result:` of its own in each.
        let summary = text
            .lines()
            .rev()
            .find(|line| line.trim().starts_with("Summary ["));
        let lines: Vec<&str> = summary.map_or_else(|| text.lines().collect(), |line| vec![line]);
        for line in lines.into_iter().map(str::trim) {
            let numbers = match line.strip_prefix("test result: ") {
                Some(line) => line.split_once(". "),
                None if line.starts_with("Summary [") => line.rsplit_once(" run: "),
                None => None,
            };
            let numbers = numbers.map(|(_, numbers)| numbers);
            for part in numbers.unwrap_or("").split([',', ';']) {
                let mut words = part.split_whitespace();
                let number = words
                    .next()
                    .and_then(|word| word.parse::<usize>().ok())
                    .unwrap_or(0);
                match words.next() {
                    Some("passed") => counts.passed += number,
                    Some("failed" | "timed") => counts.failed += number,
                    Some("ignored") => counts.skipped += number,
                    // nextest's `skipped` are those that the filter leaves to another step.
                    _ => {}
                }
            }
        }
        counts
    }
}

/// Everything that must hold.
pub(crate) fn test() -> Result<Verdict> {
    need::packages(&[need::LAB, need::FUZZ])?;
    let mut report = Report::default();
    report.check("format", || {
        tool::succeed(tool::cargo().args(["fmt", "--all", "--check"]))
    });
    report.check("clippy", || {
        let mut clippy = tool::cargo();
        clippy.args([
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]);
        tool::succeed(&mut clippy)
    });
    report.check("documentation", || {
        let mut doc = tool::cargo();
        doc.args(["doc", "--quiet", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings");
        tool::succeed(&mut doc)
    });
    report.check("RFC ledger", rfc_holds);
    run_tests(&mut report, None)?;
    run_fuzz(&mut report, SMOKE, Seed::Fixed);
    Ok(report.print())
}

/// How many configurations with a mistake a round of a longer run compares.
const MUTANTS: usize = 1000;

/// The same questions, asked for longer.
pub(crate) fn soak(minutes: u64) -> Result<Verdict> {
    need::packages(&[need::LAB, need::FUZZ])?;
    let mut report = Report::default();
    let half = Duration::from_secs(minutes * 30);
    run_fuzz(&mut report, half, Seed::Random);
    let started = Instant::now();
    let mut round = 0;
    while round == 0 || started.elapsed() < half {
        round += 1;
        println!("\n== round {round}");
        run_tests(&mut report, Some(round))?;
    }
    Ok(report.print())
}

fn rfc_holds() -> Result<()> {
    let ledger = rfc::Ledger::read()?;
    anyhow::ensure!(ledger.wrong().is_empty(), "{}", ledger.wrong().join("\n"));
    Ok(())
}

/// Unit tests and properties first, at the machine's own pace; then the end-to-end suite, many at
/// a time; then the examples of the documentation. A `round` of a longer run asks what a suite has
/// no time for, too, and compares more configurations with keepalived, others in each.
fn run_tests(report: &mut Report, round: Option<u32>) -> Result<()> {
    let nextest = tool::output(tool::cargo().args(["nextest", "--version"])).is_ok();
    let skips = tool::target()?.join("skipped-tests");
    std::fs::remove_file(&skips).ok();
    let many =
        std::thread::available_parallelism().map_or(2, std::num::NonZero::get) * TESTS_PER_CPU;
    let runner = |what: &[&str]| -> Result<Command> {
        let mut command = need::in_lab(&tool::cargo_path())?;
        command
            .current_dir(tool::root())
            .args(what)
            .env("RKEEPALIVED_TEST_LAB", "1")
            .env("RKEEPALIVED_TEST_SKIPS", &skips);
        match round {
            // What held yesterday holds today: looking for what nobody has seen is for `soak`.
            None => command.env("PROPTEST_RNG_SEED", "1"),
            Some(round) => command
                .env("RKEEPALIVED_TEST_THOROUGH", "1")
                .env("RKEEPALIVED_TEST_TORTURE", format!("{round} 40"))
                .env("RKEEPALIVED_TEST_RELOADS", "40")
                .env("RKEEPALIVED_DIFFERENTIAL", format!("{MUTANTS}:{round}")),
        };
        Ok(command)
    };
    if nextest {
        let run = [
            "nextest",
            "run",
            "--workspace",
            "--no-fail-fast",
            "--status-level",
            "fail",
            "--final-status-level",
            "slow",
        ];
        let final_only = ["--failure-output", "final", "--hide-progress-bar"];
        let mut units = runner(&run)?;
        units.args(final_only).args(["-E", "not binary(e2e)"]);
        report.tests("unit and property tests", units)?;
        let mut e2e = runner(&run)?;
        e2e.args(final_only)
            .args(["-E", "binary(e2e)", "-j", &many.to_string()]);
        report.tests("end-to-end tests", e2e)?;
    } else {
        let mut units = runner(&["test", "--workspace", "--no-fail-fast", "--quiet"])?;
        units.args(["--exclude", "rkeepalived", "--tests"]);
        report.tests("unit and property tests", units)?;
        let root = runner(&["test", "--quiet", "--bins", "--test", "invariants"])?;
        report.tests("invariants", root)?;
        let mut e2e = runner(&["test", "--quiet", "--test", "e2e", "--"])?;
        e2e.args(["--test-threads", &many.to_string()]);
        report.tests("end-to-end tests", e2e)?;
    }
    report.tests(
        "examples",
        runner(&["test", "--workspace", "--doc", "--quiet"])?,
    )?;
    let skipped = std::fs::read_to_string(&skips).unwrap_or_default();
    print!("{skipped}");
    let count = skipped.lines().count();
    report.skipped += count;
    report.passed = report.passed.saturating_sub(count);
    Ok(())
}

/// All targets beside each other.
fn run_fuzz(report: &mut Report, time: Duration, seed: Seed) {
    let mut built = None;
    report.check("fuzz targets build", || {
        built = Some(fuzz::build()?);
        Ok(())
    });
    let Some(programs) = built else { return };
    let results: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = fuzz::targets()
            .map(|target| {
                (
                    target,
                    scope.spawn(|| fuzz::run(&programs, target, time, seed)),
                )
            })
            .collect();
        running
            .into_iter()
            .map(|(target, thread)| (target, thread.join()))
            .collect()
    });
    for (target, result) in results {
        report.check(&format!("fuzz {target} for {} s", time.as_secs()), || {
            result
                .unwrap_or_else(|_| Err(anyhow::anyhow!("the fuzz thread panicked")))
                .context(target)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_off_both_runners() {
        let nextest = "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured\n     \
             Summary [  32.4s] 45 tests run: 43 passed (2 slow), 1 failed, 1 timed out, 7 skipped";
        assert_eq!(
            Counts::read(nextest),
            Counts {
                passed: 43,
                failed: 2,
                skipped: 0
            }
        );
        let cargo = "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out\n\
                     test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out";
        assert_eq!(
            Counts::read(cargo),
            Counts {
                passed: 7,
                failed: 1,
                skipped: 2
            }
        );
    }
}
