//! The attempts that are being made, and what they bring.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rk_checker::probe::{self, Certificate, Report};
use rk_checker::state::{Attempt, CheckId, Probe, ProbeKey, VirtualName};
use tokio::task::{AbortHandle, JoinSet};
use tracing::{debug, info, warn};

use super::translate::Work;

/// How long before its end people are told of a certificate.
const EXPIRY_NOTICE: i64 = 14 * 24 * 60 * 60;

/// All attempts under way.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    tasks: JoinSet<Ended>,
    running: HashMap<CheckId, (Attempt, AbortHandle)>,
    /// How many attempts each check has made.
    made: HashMap<CheckId, u64>,
    /// Certificates whose end was told, by server and subject.
    told: HashMap<(String, String), i64>,
    /// What was said last of the answers to each check, by URL, so that it is said once.
    said: HashMap<(CheckId, usize), Vec<String>>,
    /// Of the checks that run a program.
    last: HashMap<CheckId, LastRun>,
}

/// An attempt that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) check: CheckId,
    pub(super) attempt: Attempt,
    pub(super) report: Report,
    work: Arc<Work>,
    url: usize,
}

impl Ended {
    /// Of which real server something was asked, as log lines name it.
    fn service(&self) -> &str {
        &self.work.target.service
    }

    /// What keepalived says of a body that is not as long as its head says.
    fn wrong_length(&self, virtual_server: Option<&VirtualName>) -> Option<String> {
        let reply = self.report.http.as_ref()?;
        let Some(probe::Probe::Http(page)) = self.work.probes.get(self.url) else {
            return None;
        };
        let virtual_server = virtual_server.map(ToString::to_string).unwrap_or_default();
        reply.mismatch(self.service(), &virtual_server, &page.path)
    }
}

/// The last run of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LastRun {
    /// When it was started, since 1970, for people.
    pub(super) began: Duration,
    /// The status it ended with by itself; 0 before it has.
    pub(super) status: i32,
}

/// What an attempt reports. If it panics, the fault is ours and says nothing about the server: its
/// state stays, and it is asked again at the next time.
async fn kept(attempt: impl Future<Output = Report>) -> Report {
    let mut attempt = pin!(attempt);
    std::future::poll_fn(move |context| {
        // Nothing of the attempt is used again after it has panicked.
        catch_unwind(AssertUnwindSafe(|| attempt.as_mut().poll(context))).unwrap_or_else(|_| {
            let because = "a mistake of the checker's own, please report it".to_owned();
            Poll::Ready(Report::unable(because, "the check is made again"))
        })
    })
    .await
}

impl Attempts {
    /// Makes the attempt `asked` in a task. Needs a runtime.
    pub(super) fn start(&mut self, asked: &Probe, works: &HashMap<ProbeKey, Arc<Work>>) {
        let Probe {
            check,
            attempt,
            probe,
            url,
        } = asked;
        let (check, attempt) = (*check, *attempt);
        let Some(work) = works.get(probe).filter(|w| w.probes.len() > *url) else {
            // The core asks only for what it was told of.
            debug_assert!(false, "no probe for {probe:?}");
            return;
        };
        let (work, url) = (work.clone(), *url);
        let made = self.made.entry(check).or_default();
        let number = *made;
        *made += 1;
        if matches!(work.probes.get(url), Some(probe::Probe::Misc(_))) {
            self.last.entry(check).or_default().began = wall();
        }
        let task = self.tasks.spawn(async move {
            let report = match work.probes.get(url) {
                Some(probe) => kept(probe::attempt(&work.target, probe, number)).await,
                None => std::future::pending().await,
            };
            Ended {
                check,
                attempt,
                report,
                work,
                url,
            }
        });
        if let Some((_, old)) = self.running.insert(check, (attempt, task)) {
            old.abort();
        }
    }

    /// Ends an attempt; nobody hears of it any more.
    pub(super) fn cancel(&mut self, check: CheckId, attempt: Attempt) {
        if let Some((_, task)) = self.running.remove(&check).filter(|(a, _)| *a == attempt) {
            task.abort();
        }
    }

    /// The next attempt that ends. Cancelling loses nothing.
    pub(super) async fn ended(&mut self) -> Ended {
        loop {
            match self.tasks.join_next().await {
                None => std::future::pending().await,
                // Cancelled.
                Some(Err(e)) if e.is_cancelled() => {}
                Some(Err(e)) => warn!("a check came to no result: {e}"),
                Some(Ok(ended)) => {
                    if self.forget(&ended) {
                        return ended;
                    }
                }
            }
        }
    }

    /// Whether an end is one that somebody waits for.
    fn forget(&mut self, ended: &Ended) -> bool {
        let awaited = self
            .running
            .get(&ended.check)
            .is_some_and(|(attempt, _)| *attempt == ended.attempt);
        if awaited {
            self.running.remove(&ended.check);
        }
        awaited
    }

    /// The last run of the program of a check.
    pub(super) fn last_run(&self, check: CheckId) -> LastRun {
        self.last.get(&check).copied().unwrap_or_default()
    }

    /// Logs what an attempt for `virtual_server` has to say besides its outcome.
    pub(super) fn note(&mut self, ended: &Ended, virtual_server: Option<&VirtualName>) {
        for line in &ended.report.lines {
            debug!("{line}");
        }
        if let (Some(status), Some(last)) =
            (ended.report.exit_status, self.last.get_mut(&ended.check))
        {
            last.status = status;
        }
        let difference = ended.report.difference.iter().cloned();
        let lines: Vec<String> = difference
            .chain(ended.wrong_length(virtual_server))
            .collect();
        let said = self.said.entry((ended.check, ended.url)).or_default();
        for line in lines.iter().filter(|line| !said.contains(line)) {
            info!("{line}");
        }
        *said = lines;
        let Some(certificate) = &ended.report.certificate else {
            return;
        };
        let now = i64::try_from(wall().as_secs()).unwrap_or(i64::MAX);
        let left = certificate.seconds_left(now);
        if left > EXPIRY_NOTICE {
            return;
        }
        let Certificate {
            subject, not_after, ..
        } = certificate;
        let key = (ended.service().to_owned(), subject.clone());
        if self.told.insert(key, *not_after) == Some(*not_after) {
            return;
        }
        let service = ended.service();
        if left < 0 {
            warn!("the certificate {subject} of {service} has expired");
        } else {
            let days = left / 86_400;
            warn!("the certificate {subject} of {service} expires in {days} days");
        }
    }
}

/// The wall clock, for people.
fn wall() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rk_checker::Outcome;

    use super::*;

    #[tokio::test]
    async fn a_panic_says_nothing_about_a_server() {
        let report = kept(async { panic!("for the test") }).await;
        assert!(matches!(report.outcome, Outcome::Unable(_)), "{report:?}");
    }
}
