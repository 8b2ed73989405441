//! What one attempt of a health check found.

/// The result of one attempt, as a probe gives it and the state machine takes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The endpoint answered as configured.
    Success,
    /// It answered, and said which weight it wants: `misc_dynamic` (exit status 2..=255 means
    /// weight 0..=253; `None` restores the configured weight) and `FILE_CHECK` (value x weight).
    Weight(Option<i64>),
    /// It did not.
    Failure(Failure),
    /// The attempt could not be made for a reason of this host (bind failed, no descriptors): the
    /// state stays as it is and the attempt is made again later. The text is the log line.
    Unable(String),
}

/// Why an attempt failed: the line that keepalived logs about it, such as `TCP connection to
/// [192.0.2.1]:tcp:80 failed.`
///
/// For `MISC_CHECK` it is what stands in the brackets of keepalived's line: `exited with status 1`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);
