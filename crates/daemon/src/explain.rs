//! `rkeepalived explain`: what codes mean and keywords do.

use std::io::{self, Write as _};
use std::process::ExitCode;

/// Explains what the words after `explain` name. The status is 1 for a word that is neither a code
/// nor a keyword, 2 without a word.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    let wanted = words.iter().filter(|word| !word.starts_with('-'));
    let texts: Vec<_> = wanted
        .map(|word| rk_report::explain::explain(word))
        .collect();
    if texts.is_empty() {
        let usage = "Usage: rkeepalived explain CODE|LINT|KEYWORD...\n";
        drop(io::stderr().write_all(usage.as_bytes()));
        return ExitCode::from(2);
    }
    for text in texts {
        // A reader that goes away early has read enough.
        match text {
            Ok(text) => drop(io::stdout().write_all(text.as_bytes())),
            Err(text) => {
                drop(io::stderr().write_all(text.as_bytes()));
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}
