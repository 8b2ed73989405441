//! From events to lines.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::queue::{Line, Queue, Severity};
use crate::cli::Detail;

/// Turns our own crates' events into lines.
#[derive(Debug)]
pub(super) struct Lines {
    queue: Queue,
    max_level: Level,
}

impl Lines {
    /// Lets through what `detail` asks for.
    pub(super) fn new(queue: Queue, detail: Detail) -> Self {
        Self {
            queue,
            max_level: super::max_level(detail),
        }
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.max_level && metadata.target().starts_with("rk_")
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let severity = match *event.metadata().level() {
            Level::ERROR => Severity::Error,
            Level::WARN => Severity::Warning,
            // The steps that -D shows are informational, as keepalived's are: a syslog that
            // drops debugging messages must keep them.
            Level::INFO | Level::DEBUG => Severity::Info,
            Level::TRACE => Severity::Debug,
        };
        let mut text = Text::default();
        event.record(&mut text);
        let text = format!("{}{}", text.message, text.fields);
        // A line of the log is a line: nobody may forge one with a newline in a name.
        for line in text.split('\n').filter(|line| !line.is_empty()) {
            self.queue.push(Line::now(severity, printable(line)));
        }
    }
}

/// `line` with control characters made visible.
fn printable(line: &str) -> String {
    if !line.chars().any(char::is_control) {
        return line.to_owned();
    }
    let visible = |c: char| {
        if c.is_control() && c != '\t' {
            c.escape_default().collect()
        } else {
            c.to_string()
        }
    };
    line.chars().map(visible).collect()
}

/// The text of one event.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a String cannot fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::logging::writer::{Destination, Writer};

    /// What `events` leave in the log at `detail`.
    fn logged(detail: Detail, events: impl FnOnce()) -> Vec<String> {
        let (writer, lines) = {
            let (destination, lines) = Destination::memory();
            (Writer::new(vec![destination]), lines)
        };
        let layer = Lines::new(Queue::new(writer), detail);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), events);
        let lines = lines.lock().unwrap();
        lines
            .iter()
            .map(|l| format!("{}:{}", l.severity.number(), l.text))
            .collect()
    }

    #[test]
    fn levels_follow_the_detail() {
        let all = || {
            tracing::error!("e");
            tracing::warn!("w");
            tracing::info!("i");
            tracing::debug!("d");
            tracing::trace!("t");
        };
        assert_eq!(logged(Detail::Normal, all), ["3:e", "4:w", "6:i"]);
        assert_eq!(logged(Detail::Detailed, all), ["3:e", "4:w", "6:i", "6:d"]);
        assert_eq!(
            logged(Detail::Extra, all),
            ["3:e", "4:w", "6:i", "6:d", "7:t"]
        );
    }

    #[test]
    fn a_line_stays_a_line() {
        let events = || {
            tracing::info!(vrid = 5, "({}) Entering {} STATE", "VI\n_1\u{7}", "MASTER");
            tracing::info!(target: "netlink_proto", "not ours");
        };
        assert_eq!(
            logged(Detail::Extra, events),
            ["6:(VI", "6:_1\\u{7}) Entering MASTER STATE vrid=5"]
        );
    }
}
