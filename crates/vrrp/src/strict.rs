//! What `vrrp_strict` does to an instance.

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use rk_base::Family;

use crate::settings::{Auth, InitialState, Preempt, Settings, Version};

/// A setting that strict mode changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjustment {
    /// IPv6 moves to version 3.
    Version,
    /// Authentication is gone.
    Authentication,
    /// `state` now follows the priority.
    State,
    /// No preemption delay.
    PreemptDelay,
    /// Three missed adverts.
    DownTimerAdverts,
}

impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "Strict mode requires VRRPv3 for IPv6.",
            Self::Authentication => "Strict mode does not support authentication. Ignoring.",
            Self::State => "State MASTER must match being address owner",
            Self::PreemptDelay => "Strict mode does not support preempt delay. Ignoring.",
            Self::DownTimerAdverts => "Strict mode requires down timer adverts to be 3.",
        })
    }
}

/// Why strict mode cannot run an instance at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is nothing to protect.
    #[error("no virtual address")]
    NoAddress,
    /// No RFC knows unicast adverts.
    #[error("unicast peers are not allowed")]
    Unicast,
    /// RFC 9568 §5.2.9 wants a link-local address first.
    #[error("the first IPv6 address must be link-local")]
    LinkLocalFirst,
}

impl Settings {
    /// Applies strict mode: makes of the settings what the RFCs allow, and tells what it changed.
    /// Garp repeats, `lower_prio_no_advert`, `higher_prio_send_advert` and the owner's deafness
    /// change without a word.
    ///
    /// # Errors
    /// A [`Refusal`] if the instance cannot run under strict mode; the settings are then as they
    /// were.
    pub fn make_strict(&mut self) -> Result<Vec<Adjustment>, Refusal> {
        let first = self.addresses.first().ok_or(Refusal::NoAddress)?;
        if self.transport.is_unicast() {
            return Err(Refusal::Unicast);
        }
        if let IpAddr::V6(first) = first
            && !first.is_unicast_link_local()
        {
            return Err(Refusal::LinkLocalFirst);
        }
        let mut changed = Vec::new();
        if self.family == Family::V6 && self.version == Version::V2 {
            self.version = Version::V3;
            changed.push(Adjustment::Version);
        }
        if self.auth != Auth::None {
            self.auth = Auth::None;
            changed.push(Adjustment::Authentication);
        }
        let state = if self.is_owner() {
            InitialState::Master
        } else {
            InitialState::Backup
        };
        if self.initial_state != state {
            self.initial_state = state;
            changed.push(Adjustment::State);
        }
        if let Preempt::Delay(_) = self.preempt {
            self.preempt = Preempt::Yes;
            changed.push(Adjustment::PreemptDelay);
        }
        if self.down_timer_adverts != 3 {
            self.down_timer_adverts = 3;
            changed.push(Adjustment::DownTimerAdverts);
        }
        self.garp.lower_prio_repeat = 0;
        self.garp.lower_prio_delay = Duration::ZERO;
        self.lower_prio_no_advert = true;
        self.higher_prio_send_advert = false;
        self.owner_ignore_adverts = self.is_owner();
        Ok(changed)
    }
}
