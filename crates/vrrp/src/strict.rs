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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{AuthData, Transport};
    use rk_base::{Priority, Vrid};

    fn settings(family: Family, address: &str) -> Settings {
        let mut settings = Settings::new("VI_1", Vrid::try_from(1).unwrap(), family);
        settings.addresses = vec![address.parse().unwrap()];
        settings
    }

    //= X-STRICT-1
    #[test]
    fn what_the_rfcs_do_not_know_is_taken_away() {
        let mut s = settings(Family::V4, "192.0.2.1");
        s.auth = Auth::Pass(AuthData::new(b"x"));
        s.initial_state = InitialState::Master;
        s.preempt = Preempt::Delay(Duration::from_secs(5));
        s.down_timer_adverts = 7;
        s.higher_prio_send_advert = true;
        let changed = s.make_strict().unwrap();
        assert_eq!(
            changed,
            [
                Adjustment::Authentication,
                Adjustment::State,
                Adjustment::PreemptDelay,
                Adjustment::DownTimerAdverts
            ]
        );
        assert_eq!(s.auth, Auth::None);
        assert_eq!(s.initial_state, InitialState::Backup);
        assert_eq!(s.preempt, Preempt::Yes);
        assert_eq!(s.down_timer_adverts, 3);
        assert_eq!(s.garp.lower_prio_repeat, 0);
        assert!(s.lower_prio_no_advert && !s.higher_prio_send_advert);
        assert!(!s.owner_ignore_adverts);
        // What is strict stays as it is.
        assert_eq!(s.clone().make_strict(), Ok(vec![]));
    }

    //= X-STRICT-1
    #[test]
    fn the_owner_is_master_and_deaf() {
        let mut s = settings(Family::V4, "192.0.2.1");
        s.priority = Priority::OWNER;
        assert_eq!(s.make_strict(), Ok(vec![Adjustment::State]));
        assert_eq!(s.initial_state, InitialState::Master);
        assert!(s.owner_ignore_adverts);
    }

    //= X-STRICT-1
    //= V3-5.2.9-1
    #[test]
    fn what_cannot_be_strict_is_refused_and_left_alone() {
        let mut none = settings(Family::V4, "192.0.2.1");
        none.addresses.clear();
        let mut unicast = settings(Family::V4, "192.0.2.1");
        unicast.transport = Transport::unicast(["192.0.2.9".parse().unwrap()]);
        let global_first = settings(Family::V6, "2001:db8::1");
        for (mut s, why) in [
            (none, Refusal::NoAddress),
            (unicast, Refusal::Unicast),
            (global_first, Refusal::LinkLocalFirst),
        ] {
            let before = s.clone();
            assert_eq!(s.make_strict(), Err(why));
            assert_eq!(s, before);
        }
        let mut link_local = settings(Family::V6, "fe80::1");
        link_local.version = Version::V2;
        assert_eq!(link_local.make_strict(), Ok(vec![Adjustment::Version]));
        assert_eq!(link_local.version, Version::V3);
    }
}
