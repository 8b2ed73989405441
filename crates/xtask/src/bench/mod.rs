//! `cargo xtask bench NAME`: rkeepalived and keepalived side by side, from one run.

pub(crate) mod failover;
mod failover_client;
pub(crate) mod instances;
pub(crate) mod lint;
pub(crate) mod lvs;

use std::time::Duration;

use rk_lab::{Node, Which};

use crate::Verdict;

/// Both programs, ours first.
const BOTH: [Which; 2] = [Which::Rkeepalived, Which::Keepalived];
/// How long any step may take before the bench gives up.
const SOON: Duration = Duration::from_secs(60);

/// The lines of a bench, and whether one of them is beyond its limit.
#[derive(Default)]
struct Table {
    beyond: Vec<String>,
}

impl Table {
    /// Prints the head of the table.
    fn head(&self, subject: &str) {
        println!(
            "\n{subject:<52} {:>12} {:>12} {:>12}",
            "rkeepalived", "keepalived", "limit"
        );
    }

    /// Prints one line; ours must not be above `limit`.
    fn line(&mut self, what: &str, ours: f64, theirs: Option<f64>, limit: Option<f64>, unit: &str) {
        let over = limit.is_some_and(|limit| ours > limit);
        self.put(what, ours, theirs, limit, unit, over);
    }

    /// Prints one line; ours must be `limit` or more.
    fn at_least(&mut self, what: &str, ours: f64, limit: f64, unit: &str) {
        // Not a number is too little, too.
        let enough = ours >= limit;
        self.put(what, ours, None, Some(limit), unit, !enough);
    }

    fn put(
        &mut self,
        what: &str,
        ours: f64,
        theirs: Option<f64>,
        limit: Option<f64>,
        unit: &str,
        over: bool,
    ) {
        let show = |value: f64| format!("{value:.2} {unit}");
        let limit_text = limit.map_or_else(|| "-".to_owned(), show);
        let theirs = theirs.map_or_else(|| "-".to_owned(), show);
        let mark = if over { "  BEYOND THE LIMIT" } else { "" };
        println!(
            "{what:<52} {:>12} {theirs:>12} {limit_text:>12}{mark}",
            show(ours)
        );
        if over {
            self.beyond.push(what.to_owned());
        }
    }

    fn end(&self) -> Verdict {
        println!();
        for what in &self.beyond {
            println!("beyond its limit: {what}");
        }
        Verdict::from(self.beyond.is_empty())
    }
}

/// The middle value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

fn smallest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The difference in milliseconds, negative if `later` is earlier.
fn millis_between(earlier: Duration, later: Duration) -> f64 {
    (later.as_secs_f64() - earlier.as_secs_f64()) * 1000.0
}

/// User and system time of a process, in clock ticks.
fn cpu_ticks(node: &Node, pid: i32) -> Option<u32> {
    let stat = node.read(&format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    Some(fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?)
}

/// Resident memory of a process in MiB.
fn resident(node: &Node, pid: i32) -> Option<f64> {
    let status = node.read(&format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_beyond_its_limit_is() {
        let mut table = Table::default();
        table.line("below", 1.0, None, Some(1.0), "s");
        table.at_least("enough", 2.0, 2.0, "/s");
        assert!(table.beyond.is_empty());
        table.line("above", 1.1, Some(1.0), Some(1.0), "s");
        table.at_least("too little", 1.9, 2.0, "/s");
        table.at_least("nothing", f64::NAN, 2.0, "/s");
        assert_eq!(table.beyond, ["above", "too little", "nothing"]);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }
}
