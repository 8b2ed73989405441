//! What the world must do for the load balancer, in the order in which it was said.

use super::check::ProbeKey;
use super::event::Event;
use super::input::{Attempt, CheckId};
use super::name::{DestinationKey, ServiceKey};
use super::notice::{Mail, Notice};
use super::settings::{Forward, Service};

/// One thing to do. Perform them in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Make an attempt and say how it went with [`super::Input::Done`].
    Probe(Probe),
    /// End this attempt; its outcome is of no interest.
    Cancel {
        /// Which check.
        check: CheckId,
        /// Which attempt of it.
        attempt: Attempt,
    },
    /// From now on the kernel's table should have this service so, or not at all. Its
    /// destinations follow in outputs of their own (and were taken away by such before).
    Service {
        /// Which service.
        service: ServiceKey,
        /// How it should be.
        want: Option<Service>,
    },
    /// From now on the service should have this destination so, or not at all: what
    /// [`super::Director::desired`] says now, never a difference.
    Destination {
        /// Which service.
        service: ServiceKey,
        /// Which destination of it.
        destination: DestinationKey,
        /// How it should be.
        want: Option<Destination>,
    },
    /// Write a log line.
    Log(Event),
    /// Run a script and write a FIFO line.
    Notify(Notice),
    /// Send a mail.
    Mail(Mail),
}

/// One attempt to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Which check.
    pub check: CheckId,
    /// The number to answer with.
    pub attempt: Attempt,
    /// What is asked of whom.
    pub probe: ProbeKey,
    /// Which URL of an HTTP check, from 0; 0 for all others.
    pub url: usize,
}

/// A destination of the kernel's table, as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The weight: 0 is present but unused; up to 2147483647.
    pub weight: u32,
    /// How packets reach it.
    pub forward: Forward,
    /// Connections above which it gets no new ones; 0 for none.
    pub uthreshold: u32,
    /// Connections below which it gets new ones again; 0 for none.
    pub lthreshold: u32,
}
