//! IPVS commands written to a file instead of told to the kernel: for benches, which have more
//! real servers and checks than a kernel at hand has room for.
//!
//! Only a first word that no option can be ([`HIDDEN`]) leads here, and the log says so at once.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rk_ipvs::{Recorder, TableError};
use tracing::error;

/// The hidden first word of the command line, up to the path of the file.
const HIDDEN: &str = "--rk-record-ipvs=";

/// The file that the first word of a command line names, if it is the hidden one.
pub(crate) fn file(word: &str) -> Option<PathBuf> {
    let path = word.strip_prefix(HIDDEN)?;
    (!path.is_empty()).then(|| path.into())
}

/// An empty table that behaves as the kernel's; each command it is told is appended to `path` as a
/// line.
///
/// # Errors
/// The file cannot be made.
pub(super) fn open(path: &Path) -> Result<Recorder, TableError> {
    error!(
        "IPVS: nothing is balanced: commands are only written to {}",
        path.display()
    );
    let mut lines = File::create(path)?;
    let mut table = Recorder::new();
    table.watch(move |command| lines.write_all(format!("{command}\n").as_bytes()));
    Ok(table)
}

#[cfg(test)]
mod tests {
    use rk_ipvs::{Command, Table as _};

    use super::*;

    #[test]
    fn only_the_hidden_word_with_a_path_records() {
        assert_eq!(file("--rk-record-ipvs=/run/told"), Some("/run/told".into()));
        for word in [
            "",
            "-I",
            "--rk-record-ipvs",
            "--rk-record-ipvs=",
            "/run/told",
        ] {
            assert_eq!(file(word), None, "{word}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn each_command_is_a_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("told");
        let mut table = open(&path).unwrap();
        let refusals = table
            .apply(&[Command::Flush, Command::Flush])
            .await
            .unwrap();
        assert!(refusals.is_empty());
        let told = std::fs::read_to_string(&path).unwrap();
        assert_eq!(told, format!("{0}\n{0}\n", Command::Flush));
    }
}
