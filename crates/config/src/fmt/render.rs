//! From rows to text.

use crate::text::LINE_MAX;

use super::layout::{Laid, Row};
use super::{ALIGNED_WITHIN, GAP, INDENT};

/// The text of `rows`; `goes_on` if more lines follow.
pub(super) fn render(rows: &[Row], ending: &[u8], goes_on: bool) -> Vec<u8> {
    let limit = LINE_MAX + 1 - ending.len();
    let rows = without_spare_blanks(rows, goes_on);
    let columns = comment_columns(&rows);
    let mut out = Vec::new();
    for (row, column) in rows.into_iter().zip(columns) {
        match row {
            Row::Blank => {}
            Row::Laid(laid) | Row::Exact(laid) => line(&mut out, laid, column, limit),
            Row::Further(text) => out.extend_from_slice(text),
            Row::AsIs(raw) => {
                out.extend_from_slice(raw);
                out.push(b'\n');
                continue;
            }
        }
        out.extend_from_slice(ending);
    }
    out
}

/// One empty line where there are several, none at the edges of the file and of blocks.
fn without_spare_blanks(rows: &[Row], goes_on: bool) -> Vec<&Row> {
    let mut out: Vec<&Row> = Vec::with_capacity(rows.len());
    let mut blank = None;
    let mut after_edge = true;
    for row in rows {
        if *row == Row::Blank {
            blank = Some(row);
            continue;
        }
        let (opens, closes) = match row {
            Row::Laid(l) | Row::Exact(l) => (l.opens, l.closes),
            _ => (false, false),
        };
        if !after_edge && !closes {
            out.extend(blank);
        }
        out.push(row);
        blank = None;
        after_edge = opens;
    }
    if goes_on && !after_edge {
        out.extend(blank);
    }
    out
}

/// One line; a comment behind code starts in `column` if there is room.
fn line(out: &mut Vec<u8>, laid: &Laid, column: usize, limit: usize) {
    let room = limit - laid.code.len() - laid.comment.len();
    let both = !laid.code.is_empty() && !laid.comment.is_empty();
    let gap = if both {
        column.saturating_sub(width(laid)).max(GAP).min(room)
    } else {
        0
    };
    let indent = (laid.depth * INDENT).min(room - gap);
    out.resize(out.len() + indent, b' ');
    out.extend_from_slice(&laid.code);
    out.resize(out.len() + gap, b' ');
    out.extend_from_slice(&laid.comment);
}

/// The columns that code with its indentation takes up.
fn width(laid: &Laid) -> usize {
    let columns = String::from_utf8_lossy(&laid.code).chars().count();
    laid.depth * INDENT + columns
}

/// For every row the column of its comment: the same for neighbours unless they differ too much.
fn comment_columns(rows: &[&Row]) -> Vec<usize> {
    let commented = |row: &&Row| match row {
        Row::Laid(l) if !l.code.is_empty() && !l.comment.is_empty() => Some(width(l)),
        _ => None,
    };
    let mut columns = vec![0; rows.len()];
    let mut start = 0;
    while start < rows.len() {
        let run: Vec<usize> = rows[start..].iter().map_while(commented).collect();
        let widest = run.iter().copied().max().unwrap_or(0);
        let narrowest = run.iter().copied().min().unwrap_or(0);
        if widest - narrowest <= ALIGNED_WITHIN {
            columns[start..start + run.len()].fill(widest + GAP);
        }
        start += run.len().max(1);
    }
    columns
}
