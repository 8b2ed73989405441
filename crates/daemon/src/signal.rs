//! The signals that steer the daemon, in the order in which they came.
