//! `doc/lints.md`, made of the table.

use std::fmt::Write as _;

/// What the book says about every lint, in Markdown.
#[must_use]
pub fn book() -> String {
    let mut out = String::from(
        "# Lints\n\n\
         Lints point out what is allowed and works, but hardly as it was meant. They never change\n\
         the exit status of a configuration test unless `--strict` is given. Mistakes that make\n\
         part of a file useless are in [diagnostics.md](diagnostics.md) instead.\n\n\
         This file is made of the table of lints; the tests run every example.\n",
    );
    for lint in super::all() {
        let (code, name) = (lint.code, lint.name);
        let (summary, bad, good) = (lint.summary, lint.bad.trim(), lint.good.trim());
        let _infallible = write!(
            out,
            "\n## {code}: {name}\n\n{summary}\n\nFinds:\n\n```\n{bad}\n```\n\n\
             Mended:\n\n```\n{good}\n```\n"
        );
    }
    out.push_str(
        "\n# Cluster lints\n\n\
         These compare the files of the nodes of one cluster with each other. An instance of one\n\
         node belongs to the instance with the same name on another, else to the one with the\n\
         same virtual router id and family, else to one that shares an address.\n",
    );
    for rule in super::cluster::RULES {
        let (code, name, summary) = (rule.code, rule.name, rule.summary);
        let super::cluster::Pair { a, b, findings } = rule.example;
        let _infallible = write!(
            out,
            "\n## {code}: {name}\n\n{summary}\n\nNode a:\n\n```\n{a}```\n\n\
             Node b:\n\n```\n{b}```\n\nFinds:\n\n```\n{findings}```\n"
        );
    }
    out
}
