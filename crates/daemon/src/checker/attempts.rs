//! The attempts that are being made, and what they bring.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rk_checker::probe::{self, Certificate, Report};
use rk_checker::state::{Attempt, CheckId, Probe, ProbeKey};
use tokio::task::{AbortHandle, JoinSet};
use tracing::{debug, warn};

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
}

/// An attempt that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) check: CheckId,
    pub(super) attempt: Attempt,
    pub(super) report: Report,
    service: String,
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
        let task = self.tasks.spawn(async move {
            let report = match work.probes.get(url) {
                Some(probe) => probe::attempt(&work.target, probe, number).await,
                None => std::future::pending().await,
            };
            Ended {
                check,
                attempt,
                report,
                service: work.target.service.clone(),
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
                        self.note(&ended);
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

    /// Logs what an attempt has to say besides its outcome.
    fn note(&mut self, ended: &Ended) {
        for line in &ended.report.lines {
            debug!("{line}");
        }
        let Some(certificate) = &ended.report.certificate else {
            return;
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |t| i64::try_from(t.as_secs()).unwrap_or(i64::MAX));
        let left = certificate.seconds_left(now);
        if left > EXPIRY_NOTICE {
            return;
        }
        let Certificate {
            subject, not_after, ..
        } = certificate;
        let key = (ended.service.clone(), subject.clone());
        if self.told.insert(key, *not_after) == Some(*not_after) {
            return;
        }
        let service = &ended.service;
        if left < 0 {
            warn!("the certificate {subject} of {service} has expired");
        } else {
            let days = left / 86_400;
            warn!("the certificate {subject} of {service} expires in {days} days");
        }
    }
}
