//! Whose is a table of our name that is there already?

use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, NfTablesMessage, SetAttribute, SetMessage, TableAttribute,
    TableMessage,
};

use super::Family;
use super::request::{mark, message};
use super::socket::{Failure, NfSocket, Refusal};

/// What [`look`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// No table of that name.
    None,
    /// One that we or keepalived left behind, by its handle.
    Leftover(u64),
    /// One that somebody else made.
    Foreign,
}

/// What keepalived puts into a table of some purpose.
pub(super) struct Known {
    /// Its chains.
    pub(super) chains: &'static [&'static str],
    /// Its sets and maps.
    pub(super) sets: &'static [&'static str],
    /// Those of its sets without which the table would be for something else.
    pub(super) purpose: &'static [&'static str],
}

/// A table as the kernel describes it.
#[derive(Debug, Default)]
struct Table {
    handle: u64,
    /// How many chains, sets, objects and flow tables it holds.
    uses: u32,
    user_data: Vec<u8>,
    chains: Vec<String>,
    sets: Vec<String>,
}

/// Looks at the table `name` of `family`.
pub(super) fn look(
    socket: &mut NfSocket,
    family: Family,
    name: &str,
    known: &Known,
) -> Result<Existing, Failure> {
    let attributes = vec![TableAttribute::Name(name.to_owned())];
    let question = NfTablesMessage::GetTable(TableMessage { attributes });
    let mut table = match socket.ask(&message(family, question)) {
        Ok(answers) => described(answers).ok_or(Failure::Unanswered)?,
        Err(Failure::Refused(Refusal {
            errno: libc::ENOENT,
            ..
        })) => return Ok(Existing::None),
        Err(failure) => return Err(failure),
    };
    if table.user_data != mark() {
        let attributes = Vec::new();
        let chains = NfTablesMessage::GetChain(ChainMessage { attributes });
        table.chains = chains_of(name, socket.dump(&message(family, chains))?);
        let attributes = vec![SetAttribute::Table(name.to_owned())];
        let sets = NfTablesMessage::GetSet(SetMessage { attributes });
        table.sets = sets_of(socket.dump(&message(family, sets))?);
    }
    Ok(judge(&table, known))
}

/// Ours by its mark; keepalived's if it holds nothing but what keepalived makes. An empty table is
/// nobody's loss.
fn judge(table: &Table, known: &Known) -> Existing {
    let among =
        |names: &[String], of: &[&str]| names.iter().all(|name| of.contains(&name.as_str()));
    let is_purpose = |set: &String| known.purpose.contains(&set.as_str());
    let keepalived = among(&table.chains, known.chains)
        && among(&table.sets, known.sets)
        && table.chains.len() + table.sets.len() == table.uses as usize
        && (table.uses == 0 || table.sets.iter().any(is_purpose));
    if table.user_data == mark() || keepalived {
        Existing::Leftover(table.handle)
    } else {
        Existing::Foreign
    }
}

fn described(answers: Vec<NfTablesMessage>) -> Option<Table> {
    let attributes = answers.into_iter().find_map(|answer| match answer {
        NfTablesMessage::NewTable(message) => Some(message.attributes),
        _ => None,
    })?;
    let mut table = Table::default();
    for attribute in attributes {
        match attribute {
            TableAttribute::Handle(handle) => table.handle = handle,
            TableAttribute::Use(uses) => table.uses = uses,
            TableAttribute::UserData(data) => table.user_data = data,
            _ => {}
        }
    }
    Some(table)
}

/// The kernel gives the chains of all tables.
fn chains_of(table: &str, answers: Vec<NfTablesMessage>) -> Vec<String> {
    let name = |answer| {
        let NfTablesMessage::NewChain(message) = answer else {
            return None;
        };
        let mut here = false;
        let mut name = None;
        for attribute in message.attributes {
            match attribute {
                ChainAttribute::Table(of) => here = of == table,
                ChainAttribute::Name(n) => name = Some(n),
                _ => {}
            }
        }
        name.filter(|_| here)
    };
    answers.into_iter().filter_map(name).collect()
}

fn sets_of(answers: Vec<NfTablesMessage>) -> Vec<String> {
    let name = |answer| {
        let NfTablesMessage::NewSet(message) = answer else {
            return None;
        };
        message.attributes.into_iter().find_map(|a| match a {
            SetAttribute::Name(name) => Some(name),
            _ => None,
        })
    };
    answers.into_iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::layout::KNOWN;
    use super::*;

    fn table(chains: &[&str], sets: &[&str]) -> Table {
        let owned = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect();
        Table {
            handle: 7,
            uses: (chains.len() + sets.len()) as u32,
            user_data: Vec::new(),
            chains: owned(chains),
            sets: owned(sets),
        }
    }

    #[test]
    fn keepalived_is_known_by_what_it_makes() {
        let v4 = table(&["out", "in"], &["vips"]);
        assert_eq!(judge(&v4, &KNOWN), Existing::Leftover(7));
        let vmac_only = table(&["out"], &["vmac_map"]);
        assert_eq!(judge(&vmac_only, &KNOWN), Existing::Leftover(7));
        assert_eq!(judge(&table(&[], &[]), &KNOWN), Existing::Leftover(7));
    }

    #[test]
    fn anything_else_in_it_makes_it_somebody_elses() {
        for foreign in [
            table(&["out", "in", "my-rules"], &["vips"]),
            table(&["out", "in"], &["vips", "my-set"]),
            // Chains of usual names, but nothing of what they are for.
            table(&["out", "in"], &[]),
            // Something that is neither chain nor set, a counter for example.
            Table {
                uses: 4,
                ..table(&["out", "in"], &["vips"])
            },
        ] {
            assert_eq!(judge(&foreign, &KNOWN), Existing::Foreign, "{foreign:?}");
        }
    }

    #[test]
    fn the_mark_decides_alone() {
        let marked = Table {
            user_data: mark(),
            ..table(&["my-rules"], &[])
        };
        assert_eq!(judge(&marked, &KNOWN), Existing::Leftover(7));
    }
}
