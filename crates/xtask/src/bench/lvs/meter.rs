//! What a guest costs, seen from outside.
//!
//! Its own kernel counts a process's time in ticks, at which it also wakes whoever waits for a
//! timer: what such a process does in less than a tick is never counted. On the machine a guest is
//! a few ordinary processes, of whose time nothing is missed. So a bench inside asks by a file in a
//! directory that both see, and is answered by another.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rk_lab::{eventually, pause};

use crate::bench::SOON;

/// How often to look for the other side's file.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A time, and the CPU time of the guest until then, both in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) at: f64,
    pub(super) cpu: f64,
}

impl Reading {
    /// Percent of one processor since `before`.
    pub(super) fn percent_since(self, before: Self) -> f64 {
        (self.cpu - before.cpu) / (self.at - before.at) * 100.0
    }
}

/// Inside: the meter that [`serve`] is.
pub(super) struct Meter<'a> {
    directory: &'a Path,
    asked: u32,
}

impl<'a> Meter<'a> {
    pub(super) fn new(directory: &'a Path) -> Self {
        Self {
            directory,
            asked: 0,
        }
    }

    /// How it is now.
    pub(super) fn read(&mut self) -> Result<Reading> {
        let [question, answer] = files(self.asked).map(|name| self.directory.join(name));
        self.asked += 1;
        fs::write(question, "").context("asking for the guest's CPU time")?;
        let text = eventually(SOON, "an answer from outside", || {
            fs::read_to_string(&answer).ok()
        });
        let (at, cpu) = text.trim().split_once(' ').context("two numbers")?;
        Ok(Reading {
            at: at.parse()?,
            cpu: cpu.parse()?,
        })
    }
}

/// The names of a question and of its answer.
fn files(number: u32) -> [String; 2] {
    [format!("question-{number}"), format!("answer-{number}")]
}

/// Outside: answers with the time of all processes below this one, until it is over.
pub(super) fn serve(directory: &Path, over: &AtomicBool) -> Result<()> {
    let started = Instant::now();
    let mut number = 0;
    while !over.load(Ordering::Relaxed) {
        let [question, answer] = files(number).map(|name| directory.join(name));
        if question.exists() {
            let cpu = below(std::process::id())?;
            let text = format!("{:.4} {cpu:.2}", started.elapsed().as_secs_f64());
            // At once as a whole.
            let whole = directory.join("being-written");
            fs::write(&whole, text).and_then(|()| fs::rename(&whole, answer))?;
            number += 1;
        }
        pause(LOOK_EVERY);
    }
    Ok(())
}

/// The CPU time of all processes below `top`, and of those that have ended there, in seconds.
fn below(top: u32) -> Result<f64> {
    let mut children: HashMap<u32, Vec<(u32, u64)>> = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // It may have ended just now.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
            continue;
        };
        if let Some((parent, ticks)) = parent_and_ticks(&stat) {
            children.entry(parent).or_default().push((pid, ticks));
        }
    }
    let (mut sum, mut next) = (0, vec![top]);
    while let Some(parent) = next.pop() {
        for (pid, ticks) in children.remove(&parent).unwrap_or_default() {
            sum += ticks;
            next.push(pid);
        }
    }
    // A tick of this kind is a hundredth of a second on every Linux that runs this.
    Ok(sum as f64 / 100.0)
}

/// From `/proc/PID/stat`: the parent; user and system time, with those of children that ended.
fn parent_and_ticks(stat: &str) -> Option<(u32, u64)> {
    // The name may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = fields
        .get(11..15)?
        .iter()
        .map(|field| field.parse::<u64>().ok());
    Some((fields.get(1)?.parse().ok()?, ticks.sum::<Option<u64>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_a_strange_name() {
        let stat = "7 (a) R b) S 5 7 7 0 -1 4 1 2 3 4 100 20 3 1 20 0 1 0 99 1 1";
        assert_eq!(parent_and_ticks(stat), Some((5, 124)));
        assert_eq!(parent_and_ticks("7 (a) S"), None);
    }

    #[test]
    fn what_a_child_burns_is_seen() {
        let before = below(std::process::id()).unwrap();
        let burn = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        let status = std::process::Command::new("sh").args(["-c", burn]).status();
        assert!(status.unwrap().success());
        // It has ended, and its time is with this process's dead children, which do not count as
        // below it: a guest's processes end with the guest, behind the last question.
        let mut child = std::process::Command::new("sh")
            .args(["-c", &format!("{burn}; echo; read end")])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        let after = below(std::process::id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(after - before >= 0.02, "{before} {after}");
    }
}
