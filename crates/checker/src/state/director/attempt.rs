//! Attempts: when they are due, what their outcome means for the check, when the next one is due.

use rk_base::{Duration, Instant};

use crate::outcome::{Failure, Outcome};
use crate::state::cause::{Cause, CheckCause};
use crate::state::check::Kind;
use crate::state::event::{Course, Event, Place, TIMED_OUT};
use crate::state::input::{Attempt, CheckId};
use crate::state::notice::{Health, Mail, MailBody};
use crate::state::output::{Output, Probe};
use crate::state::table::Phase;

use super::Director;
use super::health::Logged;

/// Before the first attempt, besides the warm-up.
const FIRST: Duration = Duration::from_secs(1);

/// How an attempt ended, as far as the next one depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Success,
    /// Failed, but it may try again before it is down.
    Retry,
    /// Failed, and it is down.
    Down,
    Unable,
}

impl Director {
    /// The first attempt of a check that begins to run.
    pub(super) fn schedule_first(&mut self, now: Instant, check: CheckId) {
        let warmup = self.random.below(self.checks[check].set.timing.warmup);
        self.wait_until(now + FIRST + warmup, check);
    }

    /// A new timing: the next attempt as after a start, but not later than it was due anyway.
    pub(super) fn reschedule(&mut self, now: Instant, check: CheckId) {
        if let Phase::Waiting(due) = self.checks[check].phase {
            let warmup = self.random.below(self.checks[check].set.timing.warmup);
            self.timers.remove(due, check);
            self.wait_until(due.min(now + FIRST + warmup), check);
        }
    }

    fn wait_until(&mut self, due: Instant, check: CheckId) {
        self.checks[check].phase = Phase::Waiting(due);
        self.timers.add(due, check);
    }

    /// Ends whatever the check is about to do.
    pub(super) fn rest(&mut self, check: CheckId, out: &mut Vec<Output>) {
        match std::mem::replace(&mut self.checks[check].phase, Phase::Resting) {
            Phase::Resting => {}
            Phase::Waiting(due) => self.timers.remove(due, check),
            Phase::Running(attempt, _) => out.push(Output::Cancel { check, attempt }),
        }
    }

    pub(super) fn timer(&mut self, now: Instant, out: &mut Vec<Output>) {
        while let Some(check) = self.timers.pop(now) {
            self.attempts += 1;
            let attempt = Attempt(self.attempts);
            let due = &mut self.checks[check];
            due.phase = Phase::Running(attempt, now);
            out.push(Output::Probe(Probe {
                check,
                attempt,
                probe: due.set.probe.clone(),
                url: due.found.url,
            }));
        }
    }

    pub(super) fn done(
        &mut self,
        now: Instant,
        check: CheckId,
        attempt: Attempt,
        outcome: Outcome,
        out: &mut Vec<Output>,
    ) {
        let began = match self.checks.find(check).map(|check| check.phase) {
            Some(Phase::Running(running, began)) if running == attempt => began,
            // Cancelled meanwhile.
            _ => return,
        };
        let end = match outcome {
            Outcome::Success => {
                self.succeeded(check, None, out);
                End::Success
            }
            Outcome::Weight(weight) => {
                self.succeeded(check, weight, out);
                End::Success
            }
            Outcome::Failure(failure) => self.failed(check, &failure, out),
            Outcome::Unable(reason) => {
                let place = self.place_of(check);
                let kind = self.checks[check].set.kind.clone();
                Self::log(
                    Event::Unable {
                        kind,
                        place,
                        reason,
                    },
                    out,
                );
                End::Unable
            }
        };
        let due = self.next(check, end, began, now);
        self.wait_until(due, check);
    }

    /// When the next attempt is due, after one that began and ended then.
    fn next(&self, check: CheckId, end: End, began: Instant, ended: Instant) -> Instant {
        let check = &self.checks[check];
        let timing = &check.set.timing;
        let http = check.set.kind.http();
        // In a hurry until all URLs have succeeded, for the first time or again.
        let hurries = !check.found.up || !check.found.walked;
        let delay = match end {
            End::Success if hurries && http.is_some_and(|http| http.fast_recovery) => {
                Duration::ZERO
            }
            End::Success | End::Unable => timing.delay_loop,
            End::Retry => timing.delay_before_retry,
            End::Down if http.is_some() => timing.delay_before_retry.max(timing.delay_loop),
            End::Down => timing.delay_loop,
        };
        match check.set.kind {
            // A script keeps its rhythm however long it takes, but never overlaps itself.
            Kind::Misc { .. } => (began + delay).max(ended),
            _ => ended + delay,
        }
    }

    /// Where the log says a check is: at the first of its real servers.
    pub(super) fn place_of(&self, check: CheckId) -> Place {
        let member = self.checks[check].members[0];
        self.virtuals[member.virtual_server].place(member.real)
    }

    fn check_cause(&self, check: CheckId, attempt: u32) -> CheckCause {
        let set = &self.checks[check].set;
        CheckCause {
            kind: set.kind.clone(),
            attempt,
            of: attempt.max(if self.checks[check].found.has_run {
                set.timing.retry.saturating_add(1)
            } else {
                1
            }),
        }
    }

    fn succeeded(&mut self, check: CheckId, weight: Option<i64>, out: &mut Vec<Output>) {
        let attempt = self.checks[check].found.retries.saturating_add(1);
        let cause = Cause::CheckSucceeded(self.check_cause(check, attempt));
        if self.checks[check].found.weight != weight {
            let one = &mut self.checks[check];
            one.found.weight = weight;
            // A file that ends a fault says so, and brings its weight along.
            let logged = match one.set.kind {
                Kind::File { .. } if !one.found.up => Logged::No,
                _ => Logged::Yes,
            };
            self.weight_changed(check, logged, &cause, out);
        }
        let first_run = !self.checks[check].found.has_run;
        let found = &mut self.checks[check].found;
        found.has_run = true;
        found.retries = 0;
        let well = if self.checks[check].set.kind.http().is_some() {
            self.walk(check, out)
        } else if first_run {
            Well::First
        } else {
            Well::Again
        };
        if well == Well::NotYet {
            return;
        }
        let place = self.place_of(check);
        let kind = self.checks[check].set.kind.clone();
        let was_up = std::mem::replace(&mut self.checks[check].found.up, true);
        // Its success is not a log line of keepalived's.
        if (!was_up || well == Well::First) && kind != Kind::Dns {
            let kind = kind.clone();
            Self::log(Event::Succeeded { kind, place }, out);
        }
        let before = self.alive_before(check);
        if !was_up {
            self.check_changed(check, &cause, out);
        }
        // The first success of a script is news, even if the server counted as up.
        if !was_up || (well == Well::First && matches!(kind, Kind::Misc { .. })) {
            self.mail_check(check, &before, succeeded_text(&kind), out);
        }
    }

    /// One URL has succeeded: which one next, and whether all have.
    fn walk(&mut self, check: CheckId, out: &mut Vec<Output>) -> Well {
        let place = self.place_of(check);
        let check = &mut self.checks[check];
        let found = &mut check.found;
        let Some(http) = check.set.kind.http() else {
            return Well::Again;
        };
        if let Some(url) = http.urls.get(found.url).filter(|_| !found.up) {
            for proof in url.proofs.iter() {
                let event = Event::UrlSucceeded {
                    path: url.path.clone(),
                    proof: *proof,
                    place: place.clone(),
                };
                Self::log(event, out);
            }
        }
        if found.failed_url {
            // Now all of them from the first one.
            found.failed_url = false;
            found.url = 0;
            return Well::NotYet;
        }
        found.url += 1;
        if found.url < http.urls.len() {
            return Well::NotYet;
        }
        found.url = 0;
        if std::mem::replace(&mut found.walked, true) {
            Well::Again
        } else {
            Well::First
        }
    }

    fn failed(&mut self, check: CheckId, failure: &Failure, out: &mut Vec<Output>) -> End {
        let place = self.place_of(check);
        let set = &self.checks[check].set;
        let (kind, retry, log_all) = (set.kind.clone(), set.timing.retry, set.log_all_failures);
        let found = &self.checks[check].found;
        let (was_up, has_run) = (found.up, found.has_run);
        let attempt = found.retries.saturating_add(1);
        let cause = Cause::CheckFailed {
            check: self.check_cause(check, attempt),
            failure: failure.clone(),
        };
        // The lines of some checks tell the retries themselves.
        let tells = matches!(kind, Kind::Misc { .. } | Kind::Dns | Kind::Smtp);
        if was_up && log_all && !tells && kind.probes() {
            let event = Event::Attempt {
                kind: kind.clone(),
                place: place.clone(),
                failure: failure.clone(),
            };
            Self::log(event, out);
        }
        // These two go on with their rounds of retries while they are down.
        let in_rounds = was_up || matches!(kind, Kind::Tcp | Kind::Smtp);
        // And of these one is given all its retries from the first attempt on.
        let patient = has_run || kind == Kind::Smtp;
        let may_retry = in_rounds && patient && attempt <= retry;
        let found = &mut self.checks[check].found;
        found.has_run = true;
        if kind.http().is_some() && !may_retry {
            found.failed_url = true;
        }
        let course = if may_retry {
            found.retries = attempt;
            Course::Retrying { attempt }
        } else {
            found.retries = 0;
            if has_run && retry > 0 {
                Course::Exhausted
            } else {
                Course::AtOnce
            }
        };
        let before_first = !has_run;
        let speaks = match course {
            Course::Retrying { .. } => was_up && log_all && tells,
            // What has been down already is no news, but a first failure is.
            Course::Exhausted | Course::AtOnce => was_up || before_first,
        };
        if speaks {
            let event = Event::Failed {
                kind: kind.clone(),
                place,
                failure: failure.clone(),
                retry,
                course,
            };
            Self::log(event, out);
        }
        if may_retry {
            return End::Retry;
        }
        if was_up {
            let before = self.alive_before(check);
            self.checks[check].found.up = false;
            if self.checks[check].found.weight.take().is_some() {
                self.drop_weight(check, out);
            }
            self.check_changed(check, &cause, out);
            self.mail_check(check, &before, failed_text(&kind, failure), out);
        } else if before_first {
            self.check_changed(check, &cause, out);
        }
        End::Down
    }

    /// The dynamic weight of a check that goes down goes with it, in silence and together with
    /// the server's place.
    fn drop_weight(&mut self, check: CheckId, out: &mut Vec<Output>) {
        for member in self.checks[check].members.clone() {
            let real = &mut self.virtuals[member.virtual_server].reals[member.real];
            if real.alive {
                // It leaves its place in a moment: that says it all.
                real.weight = self.checks.effective_weight(&real.set, &real.checks);
            } else {
                self.settle_weight(member, Logged::No, out);
            }
        }
    }

    fn alive_before(&self, check: CheckId) -> Vec<bool> {
        let members = self.checks[check].members.iter();
        members.map(|member| self.real(*member).alive).collect()
    }

    /// A check changed its mind: mail, to those who want it.
    fn mail_check(
        &self,
        check: CheckId,
        before: &[bool],
        text: Option<String>,
        out: &mut Vec<Output>,
    ) {
        let Some(text) = text else { return };
        for (member, before) in self.checks[check].members.iter().zip(before) {
            let real = self.real(*member);
            if real.set.smtp_alert && (!self.no_checker_emails || real.alive != *before) {
                out.push(Output::Mail(Mail {
                    subject: self.subject(*member),
                    health: if real.alive { Health::Up } else { Health::Down },
                    body: MailBody::Check(text.clone()),
                }));
            }
        }
    }
}

/// Whether a success makes a check well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Well {
    /// Other URLs must succeed first.
    NotYet,
    /// For the first time.
    First,
    Again,
}

fn succeeded_text(kind: &Kind) -> Option<String> {
    Some(match kind {
        Kind::Tcp => "TCP CHECK succeed on service".to_owned(),
        Kind::Udp => "UDP CHECK succeed on service".to_owned(),
        Kind::Ping => "ICMP CHECK succeed on service".to_owned(),
        Kind::Http(_) | Kind::Ssl(_) | Kind::Smtp => "CHECK succeed on service".to_owned(),
        Kind::Dns => "DNS_CHECK: succeed on service".to_owned(),
        Kind::Misc { .. } => "MISC CHECK succeeded on service".to_owned(),
        Kind::Bfd { session } => format!("BFD CHECK {session} succeeded on service"),
        Kind::File { .. } => return None,
    })
}

fn failed_text(kind: &Kind, failure: &Failure) -> Option<String> {
    Some(match kind {
        Kind::Tcp => "TCP CHECK failed on service".to_owned(),
        Kind::Udp => "UDP CHECK failed on service".to_owned(),
        Kind::Ping => "ICMP CHECK failed on service".to_owned(),
        Kind::Http(_) => "CHECK failed on service : HTTP request failed".to_owned(),
        Kind::Ssl(_) => "CHECK failed on service : SSL request failed".to_owned(),
        Kind::Smtp => {
            let what = failure.0.strip_prefix("SMTP_CHECK ").unwrap_or(&failure.0);
            format!("CHECK failed on service : {what}")
        }
        Kind::Dns => "DNS_CHECK: failed on service".to_owned(),
        Kind::Misc { .. } if failure.0 == TIMED_OUT => "MISC CHECK timed out on service".to_owned(),
        Kind::Misc { .. } => "MISC CHECK failed on service".to_owned(),
        Kind::Bfd { session } => format!("BFD CHECK {session} failed on service"),
        Kind::File { .. } => return None,
    })
}

/// What a told check says, where a probing one has an outcome.
impl Director {
    /// A check that is told rather than asking has heard something.
    pub(super) fn heard(&mut self, check: CheckId, verdict: Verdict, out: &mut Vec<Output>) {
        match verdict {
            Verdict::Well(weight) => self.succeeded(check, weight, out),
            Verdict::Bad(failure) => {
                // There is nothing to retry, and no news in hearing it twice.
                if self.checks[check].found.up || !self.checks[check].found.has_run {
                    self.checks[check].found.has_run = false;
                    self.failed(check, &failure, out);
                }
            }
        }
    }
}

/// What a told check has heard.
pub(super) enum Verdict {
    Well(Option<i64>),
    Bad(Failure),
}
