//! Reload: the configuration changes under a running instance.

use rk_base::Instant;

use super::{Instance, State};
use crate::event::Occurrence;
use crate::output::{Addresses, Output};
use crate::settings::{Settings, Version};

impl Instance {
    /// Takes new settings. What did not change keeps going: the state, the timers, what the
    /// trackers said. A Master whose adverts change sends the new one at once.
    pub(super) fn reload(&mut self, now: Instant, new: Settings, out: &mut Vec<Output>) {
        let old = core::mem::replace(&mut self.settings, new);
        let said = core::mem::take(&mut self.readings);
        self.readings = self
            .settings
            .trackers
            .iter()
            .map(|tracker| {
                // Numbers may be given anew at a reload; kind and name say that it is the same.
                let mut same = old.trackers.iter().zip(&said);
                same.find(|(t, _)| t.kind == tracker.kind && t.name == tracker.name)
                    .map_or((tracker.initial, None), |(_, said)| said.clone())
            })
            .collect();
        let new = &self.settings;
        let changes_adverts = old.vrid != new.vrid
            || old.version != new.version
            || old.family != new.family
            || old.adver_interval != new.adver_interval
            || old.addresses != new.addresses
            || old.auth != new.auth
            || old.v3_checksum != new.v3_checksum
            || old.old_unicast_checksum != new.old_unicast_checksum
            || old.transport != new.transport;
        let addresses_changed = old.addresses != new.addresses;
        let learned = self.state == State::Backup
            && self.master.is_some()
            && old.version == Version::V3
            && new.version == Version::V3;
        if !learned {
            self.master_adver_interval = new.adver_interval;
        }
        if new.preempt != old.preempt {
            self.preempt_until = None;
        }
        if !new.is_owner() {
            self.demoted = false;
            self.rogue = None;
        }
        if changes_adverts {
            self.sender.forget();
        }
        let before = self.effective;
        (self.total, self.effective) = self.ranked();
        if !self.started {
            return;
        }
        if self.faults().is_empty() {
            match self.state {
                State::Master => {
                    if changes_adverts || before != self.effective {
                        self.advertise_at_once(now, out);
                    }
                    self.log(Occurrence::SettingVips, out);
                    out.push(Output::Addresses(Addresses::Present));
                    if addresses_changed {
                        self.announce_master(now, out);
                    }
                }
                State::Init | State::Backup | State::Fault => {
                    self.log(Occurrence::RemovingVips, out);
                    out.push(Output::Addresses(Addresses::Absent));
                }
            }
        }
        self.obey_faults(now, out);
    }
}
