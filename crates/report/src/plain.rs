//! One line for each diagnostic, as compilers write them: editors and CI logs find the place.

use crate::item::Item;

/// `file:line:column: severity[RKnnnn]: message (hint)`, with a newline behind each.
#[must_use]
pub fn plain(items: &[Item]) -> String {
    items.iter().map(line).collect()
}

fn line(item: &Item) -> String {
    let place = match &item.location {
        Some(at) => format!("{}:{}:{}: ", at.file, at.line, at.column),
        None => String::new(),
    };
    let hint = match &item.hint {
        Some(hint) => format!(" ({hint})"),
        None => String::new(),
    };
    let line = format!(
        "{place}{}[{}]: {}{hint}",
        item.severity, item.code, item.message
    );
    // A message repeats words of the file, and those may hold anything.
    let mut line: String = line
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    line.push('\n');
    line
}
