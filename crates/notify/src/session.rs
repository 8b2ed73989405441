//! One mail on one connection.

use std::net::SocketAddr;

/// Why a mail was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The mail server's name cannot be resolved: check `smtp_server` and the resolver.
    #[error("cannot resolve the SMTP server {name}: {source}")]
    Unresolved {
        /// As configured.
        name: String,
        /// What the resolver said.
        source: std::io::Error,
    },
    /// Nothing accepts connections there: check `smtp_server` and whether the server runs.
    #[error("SMTP connection ERROR to [{}]:{}: {source}", server.ip(), server.port())]
    Connect {
        /// The server.
        server: SocketAddr,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// The server did not answer in time (`smtp_connect_timeout`).
    #[error("Timeout {step} SMTP server [{}]:{}", server.ip(), server.port())]
    Timeout {
        /// The server.
        server: SocketAddr,
        /// `connecting`, or the command that was not answered.
        step: &'static str,
    },
    /// The server refused a command; 4xx may succeed later, 5xx will not.
    #[error("Error processing {command} cmd on SMTP server [{}]:{}. SMTP status code = {code} {text}", server.ip(), server.port())]
    Refused {
        /// The server.
        server: SocketAddr,
        /// The command's verb.
        command: &'static str,
        /// The reply code.
        code: u16,
        /// What the server said with it.
        text: String,
    },
    /// The connection broke, or the server does not speak SMTP.
    #[error("Error processing {command} cmd on SMTP server [{}]:{}: {reason}", server.ip(), server.port())]
    Broken {
        /// The server.
        server: SocketAddr,
        /// The command's verb.
        command: &'static str,
        /// What went wrong.
        reason: String,
    },
}

impl MailError {
    /// Whether a later try may succeed.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Refused { code, .. } => *code < 500,
            Self::Unresolved { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Broken { .. } => true,
        }
    }
}
