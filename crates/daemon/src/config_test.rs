//! `-t`: reads the configuration, says what is wrong with it, and does nothing else.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use rk_report::Format;
use rk_report::text::Colour;

use crate::cli::Options;
use crate::output::{FOUND, Output, colour_for};
use crate::parent::load;
use crate::sys;

/// Tests the configuration. Messages go to `log`; without one, text for people goes to standard
/// error, where keepalived has it, and what programs read to standard output.
///
/// The status is the daemon's contract with everybody's deployment scripts: 0, 2, 4, 5 or 6, and
/// 1 when `log` cannot be opened. A strict test also ends with 5 for a warning that keepalived
/// does not count.
pub(crate) fn run(options: &Options, log: Option<&Path>) -> ExitCode {
    let (mut out, colour): (Box<dyn Write>, Colour) = match log.map(open) {
        None if options.format == Format::Text => {
            (Box::new(io::stderr()), colour_for(&io::stderr()))
        }
        None => (Box::new(io::stdout()), Colour::No),
        Some(Ok(file)) => (Box::new(file), Colour::No),
        Some(Err(e)) => {
            let path = log.unwrap_or(Path::new("")).display();
            let _ = writeln!(
                io::stderr(),
                "Unable to open config-test log file {path}: {e}"
            );
            return ExitCode::from(1);
        }
    };
    sys::prefer_large_pages();
    // A namespace that cannot be entered is a finding like others.
    let loaded = match load::read_inside(options) {
        Ok(loaded) => loaded,
        Err((loaded, _)) => *loaded,
    };
    let mut output = Output::new(options.format, colour);
    output.loaded(&loaded);
    let counts = options.complaints || (options.strict && output.warnings > 0);
    // A reader that goes away early has read enough: the status says the rest.
    let _ = out
        .write_all(output.finish().as_bytes())
        .and_then(|()| out.flush());
    let found = if counts { FOUND } else { 0 };
    let status = loaded.exit_status().max(found);
    // The process ends: giving back the memory of a large configuration one by one is in vain.
    std::mem::forget(loaded);
    ExitCode::from(status)
}

/// Opens the file for messages: appended to, readable for its owner only, never through a link.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_log_is_appended_to_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        open(&path).unwrap().write_all(b"one\n").unwrap();
        open(&path).unwrap().write_all(b"two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(
            path.metadata().unwrap().permissions().mode() & 0o7777,
            0o600
        );
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(open(&link).is_err());
    }
}
