//! The project's commands: `cargo xtask demo | test | bench | keywords | rfc | soak`.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "commands talk to their user"
)]

mod bench;
mod demo;
mod fuzz;
mod keywords;
mod need;
mod rfc;
mod suite;
mod tool;

use std::process::ExitCode;

use anyhow::{Result, bail};
use rk_lab::Which;

const USAGE: &str = "\
cargo xtask COMMAND

  demo                 two nodes and a client in namespaces: kill HAProxy, watch the address move
  demo keepalived      the same with Debian's keepalived
  test                 everything that must hold; the last line reads `N passed, N failed`
  bench failover       rkeepalived beside keepalived: how late, and how long the client waits
  bench instances      rkeepalived beside keepalived: 1020 instances on one process
  bench lint           rkeepalived beside keepalived: -t of 65,024 instances and of 16,000 servers
  bench lvs            rkeepalived beside keepalived: virtual servers, checks, reload, memory
  keywords             the table of keywords beside the list of keepalived's: what is missing
  rfc                  the ledger of RFC requirements, from the tests that name them
  soak [MINUTES]       fuzzing, properties and the end-to-end suite for longer (default 60)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// How a command that ran to its end has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
}

impl From<bool> for Verdict {
    fn from(good: bool) -> Self {
        if good { Self::Good } else { Self::Bad }
    }
}

fn run(words: &[&str]) -> Result<Verdict> {
    match words {
        ["demo"] => demo::run(Which::Rkeepalived),
        ["demo", "keepalived"] => demo::run(Which::Keepalived),
        ["test"] => suite::test(),
        ["bench", "failover"] => bench::failover::run(),
        ["bench", "instances"] => bench::instances::run(),
        ["bench", "lint"] => bench::lint::run(),
        ["bench", "lvs"] => bench::lvs::run(),
        ["bench", "lvs", bench::lvs::INSIDE, program, files] => {
            bench::lvs::inside(program.as_ref(), files.as_ref())
        }
        ["keywords"] => keywords::run(),
        ["rfc"] => rfc::run(),
        ["soak"] => suite::soak(60),
        ["soak", minutes] => suite::soak(minutes.parse()?),
        [] | ["help" | "-h" | "--help"] => {
            print!("{USAGE}");
            Ok(Verdict::Good)
        }
        _ => bail!("no such command: {}\n\n{USAGE}", words.join(" ")),
    }
}
