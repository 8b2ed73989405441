//! The mail queue: brings alerts to the mail server without anyone waiting for it.
//!
//! ```text
//!   send() ──> waiting: [VI_1 MASTER] [VI_2 BACKUP] [VI_1 FAULT] ...
//!                 │ at most 4 at a time, one connection each, one per source
//!                 ├──> sent
//!                 ├──> refused for good: logged
//!                 └──> back to the front, to be tried later; if the server as such is at fault,
//!                      all of them wait
//! ```

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::alert::Alert;
use crate::message::{MailAddress, MailSettings, date_header, render};
use crate::session::{Delivered, MailError, deliver};

/// How many connections may be open at once.
const CONNECTIONS: usize = 4;
/// How much longer each further pause is.
const BACK_OFF: u32 = 3;
/// The longest pause: a server that is back is not left waiting for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest pause while the daemon ends.
const LAST_PAUSE: Duration = Duration::from_millis(500);

/// How stubborn the mailer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The pause after the first failure; each further one is three times as long, up to 60 s.
    pub pause: Duration,
    /// How long after the event a mail is still worth another try.
    pub keep: Duration,
    /// How many mails may wait; beyond it the oldest are dropped, and it is logged.
    pub backlog: usize,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            pause: Duration::from_secs(5),
            keep: Duration::from_secs(900),
            backlog: 1024,
        }
    }
}

/// A handle on the task that sends mails.
///
/// Dropped, it gives up what has not been sent.
#[derive(Debug)]
pub struct Mailer {
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<usize>,
}

/// What the task is told.
#[derive(Debug)]
enum Order {
    Send(Alert),
    Configure(MailSettings),
    End(Instant),
}

impl Mailer {
    /// Starts the task.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(settings: MailSettings, retry: Retry) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let post = Post {
            settings: Arc::new(settings),
            retry,
            waiting: VecDeque::new(),
            busy: HashSet::new(),
            under_way: JoinSet::new(),
            failures: 0,
            rest: None,
            end: None,
        };
        Self {
            orders,
            task: tokio::spawn(post.run(inbox)),
        }
    }

    /// Has `alert` sent, dated now. Never waits.
    pub fn send(&self, alert: Alert) {
        // The task only ends before its handle if it has panicked, which was logged.
        let _ = self.orders.send(Order::Send(alert));
    }

    /// Uses `settings` for every mail from now on, also for those that wait.
    pub fn configure(&self, settings: MailSettings) {
        let _ = self.orders.send(Order::Configure(settings));
    }

    /// Waits until every mail is sent or given up, at most for `limit`; the number that were not
    /// sent for want of time.
    pub async fn drain(mut self, limit: Duration) -> usize {
        let deadline = Instant::now() + limit;
        let _ = self.orders.send(Order::End(deadline));
        (&mut self.task).await.unwrap_or_default()
    }
}

impl Drop for Mailer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A mail that waits or is under way.
#[derive(Debug)]
struct Mail {
    alert: Alert,
    date: String,
    /// Those who do not have it yet; `None` means all.
    to: Option<Vec<MailAddress>>,
    arrived: Instant,
    /// Not before.
    due: Instant,
    attempts: u32,
}

/// The task.
struct Post {
    settings: Arc<MailSettings>,
    retry: Retry,
    waiting: VecDeque<Mail>,
    /// Sources with a mail under way.
    busy: HashSet<String>,
    under_way: JoinSet<(Mail, Result<Delivered, MailError>)>,
    /// How often in a row the server as such was at fault.
    failures: u32,
    /// Until when the server is left alone on that account.
    rest: Option<Instant>,
    /// When the daemon ends.
    end: Option<Instant>,
}

impl Post {
    /// Returns how many mails were left at the end.
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) -> usize {
        loop {
            self.launch();
            let left = self.waiting.len() + self.under_way.len();
            let wake = self.next_due();
            if self
                .end
                .is_some_and(|end| left == 0 || end <= Instant::now())
            {
                if left > 0 {
                    tracing::error!("{left} SMTP alerts not sent before the end");
                }
                return left;
            }
            let alarm = wake.into_iter().chain(self.end).min();
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return left,
                },
                Some(done) = self.under_way.join_next() => match done {
                    Ok((mail, result)) => self.finish(mail, result),
                    Err(error) => tracing::error!("sending an SMTP alert failed: {error}"),
                },
                () = sleep_until(alarm.unwrap_or_else(Instant::now)), if alarm.is_some() => {}
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Send(alert) => {
                let now = Instant::now();
                let date = date_header(SystemTime::now());
                self.waiting.push_back(Mail {
                    alert,
                    date,
                    to: None,
                    arrived: now,
                    due: now,
                    attempts: 0,
                });
                if self.waiting.len() > self.retry.backlog.max(1)
                    && let Some(lost) = self.waiting.pop_front()
                {
                    let subject = lost.alert.subject;
                    tracing::error!("too many SMTP alerts wait: `{subject}` is not sent");
                }
            }
            Order::Configure(settings) => {
                self.settings = Arc::new(settings);
                // Perhaps it is another server, or the same one put right.
                (self.failures, self.rest) = (0, None);
                for mail in &mut self.waiting {
                    mail.due = mail.due.min(Instant::now());
                }
            }
            Order::End(end) => {
                self.end = Some(end);
                let soon = Instant::now() + LAST_PAUSE;
                self.rest = self.rest.map(|rest| rest.min(soon));
                for mail in &mut self.waiting {
                    mail.due = mail.due.min(soon);
                }
            }
        }
    }

    /// Starts what can be started now.
    fn launch(&mut self) {
        let now = Instant::now();
        self.drop_the_old(now);
        while self.under_way.len() < CONNECTIONS && self.rest.is_none_or(|rest| rest <= now) {
            let Some(index) = self.ready().find(|&n| self.waiting[n].due <= now) else {
                return;
            };
            let Some(mail) = self.waiting.remove(index) else {
                return;
            };
            self.busy.insert(mail.alert.source.clone());
            let settings = Arc::clone(&self.settings);
            self.under_way.spawn(async move {
                let message = render(&mail.alert, &settings, &mail.date);
                let to = mail.to.as_ref().unwrap_or(&settings.to);
                if to.is_empty() {
                    return (
                        mail,
                        Ok(Delivered {
                            refused: Vec::new(),
                        }),
                    );
                }
                let result = deliver(&settings, to, &message).await;
                (mail, result)
            });
        }
    }

    /// Gives up mails that waited too long for a server that is at fault.
    fn drop_the_old(&mut self, now: Instant) {
        let before = self.waiting.len();
        self.waiting
            .retain(|mail| now < mail.arrived + self.retry.keep);
        let dropped = before - self.waiting.len();
        if dropped > 0 {
            tracing::error!("{dropped} SMTP alerts given up: the server was out of reach too long");
        }
    }

    /// The oldest waiting mail of each source that has none under way.
    fn ready(&self) -> impl Iterator<Item = usize> {
        let mut seen = HashSet::new();
        self.waiting
            .iter()
            .enumerate()
            .filter_map(move |(index, mail)| {
                let source = mail.alert.source.as_str();
                (!self.busy.contains(source) && seen.insert(source)).then_some(index)
            })
    }

    /// When there is something to start.
    fn next_due(&self) -> Option<Instant> {
        if self.under_way.len() >= CONNECTIONS {
            return None;
        }
        let due = self.ready().map(|index| self.waiting[index].due).min()?;
        Some(self.rest.map_or(due, |rest| rest.max(due)))
    }

    /// Draws the conclusion from a try.
    fn finish(&mut self, mut mail: Mail, result: Result<Delivered, MailError>) {
        self.busy.remove(&mail.alert.source);
        mail.attempts += 1;
        let subject = mail.alert.subject.as_str();
        match result {
            Ok(Delivered { refused }) => {
                (self.failures, self.rest) = (0, None);
                let all = mail.to.as_ref().map_or(self.settings.to.len(), Vec::len);
                if refused.len() < all {
                    tracing::info!("SMTP alert successfully sent.");
                }
                let mut later = Vec::new();
                for (address, error) in refused {
                    tracing::error!("SMTP alert `{subject}` not taken for {address}: {error}");
                    if error.retryable() {
                        later.push(address);
                    }
                }
                if !later.is_empty() {
                    mail.to = Some(later);
                    self.try_again(mail);
                }
            }
            Err(error) => {
                tracing::error!("SMTP alert `{subject}` not sent: {error}");
                if error.is_servers() && self.rest.is_none_or(|rest| rest <= Instant::now()) {
                    self.failures += 1;
                    self.rest = Some(Instant::now() + self.pause(self.failures));
                }
                if error.retryable() {
                    self.try_again(mail);
                }
            }
        }
    }

    /// Puts a mail back in front of the later ones of its source, unless it is too old.
    fn try_again(&mut self, mut mail: Mail) {
        mail.due = Instant::now() + self.pause(mail.attempts);
        if mail.due > mail.arrived + self.retry.keep {
            tracing::error!("SMTP alert `{}` given up", mail.alert.subject);
        } else {
            self.waiting.push_front(mail);
        }
    }

    /// The pause after so many failures.
    fn pause(&self, failures: u32) -> Duration {
        let factor = BACK_OFF.saturating_pow(failures.saturating_sub(1));
        let pause = self.retry.pause.saturating_mul(factor).min(LONGEST_PAUSE);
        if self.end.is_some() {
            pause.min(LAST_PAUSE)
        } else {
            pause
        }
    }
}
