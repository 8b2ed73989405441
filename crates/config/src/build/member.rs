//! Sync groups and track groups, once the instances are known.

use std::collections::HashMap;

use super::{Build, advise};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{Instance, Origin, SyncGroup, TrackGroup, Tracked, Tracks};

/// What keepalived calls the members of a group.
const MEMBER: &str = "Virtual router";

impl Build<'_> {
    pub(super) fn settle_groups(&mut self, instances: &mut [Instance]) {
        let mut index: HashMap<String, usize> = HashMap::new();
        if !(self.groups.is_empty() && self.track_groups.is_empty()) {
            index.extend(
                instances
                    .iter()
                    .enumerate()
                    .map(|(n, i)| (i.name.clone(), n)),
            );
        }
        for raw in std::mem::take(&mut self.groups) {
            // These are looked at before it is known whether the group is of use.
            let mut track = self.settle_tracks(&raw.name, None, raw.tracks);
            let notify = self.settle_notify(raw.notify);
            let mut members = Vec::new();
            for (member, at) in &raw.members {
                let Some(n) = index.get(member) else {
                    let text = format!(
                        "{MEMBER} {member} specified in sync group {} doesn't exist - ignoring",
                        raw.name
                    );
                    let d = Diagnostic::error(code::NOT_DEFINED, Class::General, text);
                    self.no_such_member(member, &index, at.put(d));
                    continue;
                };
                let instance = &mut instances[*n];
                if instance.sync_group.is_some() {
                    let text = format!(
                        "{MEMBER} {member} cannot exist in more than one sync group; ignoring {}",
                        raw.name
                    );
                    self.report_later(code::GROUP, Class::General, text, at);
                    continue;
                }
                instance.sync_group = Some(raw.name.clone());
                members.push(member.clone());
            }
            if members.is_empty() {
                let text = format!("Sync group {} has no virtual router(s). removing", raw.name);
                self.report_later(code::GROUP, Class::General, text, &raw.at);
                continue;
            }
            if members.len() == 1 {
                let text = format!(
                    "Sync group {} has only 1 virtual router(s) - this probably isn't what you want",
                    raw.name
                );
                self.report_later(code::GROUP, Class::General, text, &raw.at);
            }
            for member in &members {
                let Some(instance) = index.get(member).map(|n| &mut instances[*n]) else {
                    continue;
                };
                if !raw.tracking_weight || instance.priority.is_owner() {
                    let dropped = drop_weights(&mut instance.track);
                    for (text, origin) in dropped {
                        let text = format!("({member}) ignoring {text} due to SYNC group");
                        let place = self.place_of(&origin);
                        let d = Diagnostic::error(code::TRACKING, Class::General, text)
                            .at_place(place)
                            .help("sync_group_tracking_weight in the group keeps the weight");
                        self.session.report.push(d);
                    }
                }
            }
            if !raw.tracking_weight {
                for (text, origin) in drop_weights(&mut track) {
                    let text = format!("({}) ignoring {text} due to SYNC group", raw.name);
                    let place = self.place_of(&origin);
                    let d = Diagnostic::error(code::TRACKING, Class::General, text).at_place(place);
                    self.session.report.push(d);
                }
            }
            self.config.sync_groups.push(SyncGroup {
                name: raw.name,
                members,
                track,
                sync_group_tracking_weight: raw.tracking_weight,
                notify,
                origin: raw.origin,
            });
        }
        for raw in std::mem::take(&mut self.track_groups) {
            let mut members = Vec::new();
            for (member, at) in &raw.members {
                if index.contains_key(member) {
                    members.push(member.clone());
                } else {
                    let text = format!(
                        "{MEMBER} {member} specified in track group {} doesn't exist - ignoring",
                        raw.name
                    );
                    // keepalived keeps quiet about it.
                    let d = Diagnostic::warning(code::NOT_DEFINED, Class::Ok, text);
                    self.no_such_member(member, &index, at.put(d));
                }
            }
            if members.is_empty() {
                let text = format!(
                    "track group {} has no virtual router(s) - removing",
                    raw.name
                );
                let d = Diagnostic::warning(code::GROUP, Class::Ok, text);
                self.session.report.push(raw.at.put(d));
                continue;
            }
            self.config.track_groups.push(TrackGroup {
                name: raw.name,
                members,
                origin: raw.origin,
            });
        }
    }
}

impl Build<'_> {
    /// Reports a member that is no instance, with the one that may be meant.
    fn no_such_member(&mut self, member: &str, index: &HashMap<String, usize>, d: Diagnostic) {
        let d = match advise::nearest_name(member, index) {
            Some(hint) => d.instead(hint),
            None => d,
        };
        self.session.report.push(d);
    }
}

/// Takes away what may not have a weight; gives what that was.
fn drop_weights(tracks: &mut Tracks) -> Vec<(String, Origin)> {
    let mut out = Vec::new();
    let mut note = |what: String, t: &Tracked| out.push((what, t.origin.clone()));
    for t in tracks.interfaces.iter_mut().filter(|t| t.weight != 0) {
        note(format!("{} tracked interface weight", t.name), t);
        t.weight = 0;
    }
    for t in tracks.files.iter_mut().filter(|t| t.weight != 0) {
        note(format!("{} tracked file weight", t.name), t);
        t.weight = 0;
    }
    tracks.scripts.retain(|t| {
        if t.weight != 0 {
            note(format!("tracked script {} with weights", t.name), t);
        }
        t.weight == 0
    });
    tracks.bfd.retain(|t| {
        if t.weight != 0 {
            note(format!("tracked bfd {} with weights", t.name), t);
        }
        t.weight == 0
    });
    out
}
