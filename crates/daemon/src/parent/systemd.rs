//! What systemd is told.
//!
//! keepalived speaks only when its parent is process 1 and that is called `systemd`. We speak
//! whenever there is a socket to speak to: other supervisors and containers set one too.

use sd_notify::NotifyState;

/// The daemon's life as systemd sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Started, or done reloading.
    Ready,
    /// About to reload.
    Reloading,
    /// About to stop.
    Stopping,
    /// A line for `systemctl status`.
    Status(String),
    /// A child failed for good with this status.
    Failed(u8),
}

/// Tells systemd, if it listens.
pub(crate) fn tell(event: &Event) {
    let sent = match event {
        Event::Ready => {
            sd_notify::notify(&[NotifyState::Ready, NotifyState::MainPid(std::process::id())])
        }
        Event::Reloading => match NotifyState::monotonic_usec_now() {
            // With the time, so that `Type=notify-reload` works too.
            Ok(time) => sd_notify::notify(&[NotifyState::Reloading, time]),
            Err(_) => sd_notify::notify(&[NotifyState::Reloading]),
        },
        Event::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
        Event::Status(line) => sd_notify::notify(&[NotifyState::Status(line)]),
        Event::Failed(status) => sd_notify::notify(&[NotifyState::Errno((*status).into())]),
    };
    if let Err(e) = sent {
        tracing::debug!("systemd cannot be told: {e}");
    }
}
