//! What may be meant by the name of an interface that is not there.

use crate::code;
use crate::diagnostic::{Diagnostic, Replacement};
use crate::place::SourceMap;
use crate::source::Host;
use crate::table::nearest;

/// How many interfaces are worth listing.
const LISTED: usize = 8;

/// Tells for each message about an interface which one may be meant.
pub(crate) fn advise(diagnostics: &mut [Diagnostic], files: &SourceMap, host: &dyn Host) {
    let mut known = None;
    for d in diagnostics
        .iter_mut()
        .filter(|d| d.code == code::NO_INTERFACE && d.via.is_empty())
    {
        let Some(place) = d.place else { continue };
        let line = files.line(place.file, place.line);
        let from = place.column as usize;
        let word = line
            .get(from..from + place.len as usize)
            .unwrap_or_default();
        let Ok(name) = std::str::from_utf8(word) else {
            continue;
        };
        if name.is_empty() || !d.message.contains(name) {
            continue;
        }
        let names = known.get_or_insert_with(|| host.interface_names());
        let there = |name: &str| names.iter().any(|n| n == name);
        let bare = name.trim_end_matches([';', ',']);
        if let Some((interface, _)) = name.split_once(':').filter(|(name, _)| there(name)) {
            d.help = Some(format!(
                "{name} is the label of an address, not an interface: write {interface}; `label \
                 {name}` behind an address keeps the name for ifconfig"
            ));
        } else if bare != name {
            d.help = Some(format!("nothing ends a line but its end: write {bare}"));
            d.replacement = Some(Replacement {
                place,
                text: bare.to_owned(),
            });
        } else if let Some(near) = nearest(name, names.iter().map(String::as_str)) {
            let near = near.to_owned();
            d.help = Some(format!("did you mean `{near}`?"));
            d.replacement = Some(Replacement { place, text: near });
        } else if (1..=LISTED).contains(&names.len()) {
            d.help = Some(format!(
                "this machine has {}; for one that comes later, set dynamic_interfaces in \
                 global_defs",
                names.join(", ")
            ));
        }
    }
}
