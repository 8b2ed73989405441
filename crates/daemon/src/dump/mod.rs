//! Dump files: where they go, and how they are written without doing harm.
//!
//! The directory is one that anybody may write to. So a dump is made under a name that did not
//! exist, readable for its owner only, and then put in the place of the old one in one step: no
//! link is followed, no half-written dump is ever seen.

pub(crate) mod global;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rk_config::model::Command;

use crate::Config;
use crate::logging::Names;

/// A dump file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dump {
    /// `keepalived_parent.data`.
    ParentData,
    /// `keepalived_check.data`.
    CheckerData,
    /// `keepalived.data`.
    VrrpData,
    /// `keepalived.stats`.
    VrrpStats,
    /// `keepalived.json`.
    VrrpJson,
}

/// Each word in single quotes, as the dumps show commands.
pub(crate) fn quoted(c: &Command) -> String {
    let words: Vec<String> = c
        .argv
        .iter()
        .map(|w| format!("'{}'", w.replace('\'', r"'\''")))
        .collect();
    words.join(" ")
}

/// The directory for dump files: `TMPDIR` when it is an absolute path to a directory, else `/tmp`.
pub(crate) fn directory() -> PathBuf {
    directory_from(std::env::var_os("TMPDIR").map(PathBuf::from)).0
}

/// What is wrong with `TMPDIR`, if it is set to something that cannot be used.
pub(crate) fn directory_complaint() -> Option<String> {
    directory_from(std::env::var_os("TMPDIR").map(PathBuf::from)).1
}

/// [`directory`] and [`directory_complaint`] for a `TMPDIR`.
fn directory_from(tmpdir: Option<PathBuf>) -> (PathBuf, Option<String>) {
    let default = PathBuf::from("/tmp");
    match tmpdir {
        None => (default, None),
        Some(dir) if dir.is_absolute() && dir.is_dir() => (dir, None),
        Some(dir) => {
            let complaint = format!(
                "TMPDIR '{}' is not an absolute directory, using /tmp",
                dir.display()
            );
            (default, Some(complaint))
        }
    }
}

/// Where `dump` goes with this configuration.
pub(crate) fn path(dump: Dump, config: &Config, names: &Names) -> PathBuf {
    let global = &config.global;
    let (base, extension, given) = match dump {
        Dump::ParentData => ("keepalived_parent", "data", &global.state_dump_file),
        Dump::CheckerData => ("keepalived_check", "data", &global.state_dump_file),
        Dump::VrrpData => ("keepalived", "data", &global.state_dump_file),
        Dump::VrrpStats => ("keepalived", "stats", &global.stats_dump_file),
        Dump::VrrpJson => ("keepalived", "json", &global.json_dump_file),
    };
    // `data_use_instance` is for the data dumps only.
    let suffix = if global.data_use_instance && extension == "data" {
        match names.suffix().strip_prefix('_') {
            Some(suffix) => format!(".{suffix}"),
            None => String::new(),
        }
    } else {
        String::new()
    };
    let name = format!("{base}{suffix}.{extension}");
    match given {
        None => directory().join(name),
        Some(dir) if dir.ends_with('/') => Path::new(dir).join(name),
        // The others' dumps go beside the one that was named, which is the VRRP process's.
        Some(file) if matches!(dump, Dump::ParentData | Dump::CheckerData) => {
            let which = base.trim_start_matches("keepalived");
            let file = Path::new(file);
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            let extension = file
                .extension()
                .map(|e| format!(".{}", e.to_string_lossy()))
                .unwrap_or_default();
            file.with_file_name(format!("{stem}{which}{extension}"))
        }
        Some(file) => PathBuf::from(file),
    }
}

/// Puts `text` at `path`, in the place of what may be there.
///
/// # Errors
/// The directory cannot be written to, or the disk is full; then the old file is as it was.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no file name"))?
        .to_string_lossy()
        .into_owned();
    // Somebody may be guessing the name and making it first: try a few others.
    for attempt in 0..16_u32 {
        let new = path.with_file_name(format!(".{name}.{}.{attempt}", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&new);
        let mut file = match file {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e),
        };
        let done = file
            .write_all(text.as_bytes())
            .and_then(|()| std::fs::rename(&new, path));
        if done.is_err() {
            // The error that is returned says more than one about the tidying up.
            let _ = std::fs::remove_file(&new);
        }
        return done;
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Writes a dump and logs why when that fails: nobody is there to be told otherwise.
pub(crate) fn write_logged(path: &Path, text: &str) {
    if let Err(e) = write(path, text) {
        tracing::info!("Can't open {} ({e})", path.display());
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn links_are_replaced_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, dump) = (
            dir.path().join("victim"),
            dir.path().join("keepalived.data"),
        );
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &dump).unwrap();
        write(&dump, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(std::fs::read_to_string(&dump).unwrap(), "new");
        let meta = dump.symlink_metadata().unwrap();
        assert!(meta.is_file());
        assert_eq!(meta.permissions().mode() & 0o7777, 0o600);
        // A name that somebody took before us, as a link, is left alone.
        let guess = dir
            .path()
            .join(format!(".keepalived.data.{}.0", std::process::id()));
        std::os::unix::fs::symlink(&victim, &guess).unwrap();
        write(&dump, "newer").unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(std::fs::read_to_string(&dump).unwrap(), "newer");
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            3,
            "nothing is left behind"
        );
    }

    #[test]
    fn a_dump_that_cannot_be_made_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert!(write(&dir.path().join("missing/dump"), "x").is_err());
        let taken = dir.path().join("taken");
        std::fs::create_dir_all(taken.join("full")).unwrap();
        assert!(write(&taken, "x").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_an_absolute_directory_replaces_tmp() {
        let dir = tempfile::tempdir().unwrap();
        let tmp = PathBuf::from("/tmp");
        assert_eq!(directory_from(None), (tmp.clone(), None));
        assert_eq!(
            directory_from(Some(dir.path().into())),
            (dir.path().into(), None)
        );
        for bad in ["relative", "/no/such/dir", ""] {
            let (used, complaint) = directory_from(Some(bad.into()));
            assert_eq!(used, tmp);
            assert!(complaint.unwrap().contains(bad));
        }
    }

    #[test]
    fn names_follow_the_configuration() {
        let mut config = Config::default();
        let names = Names {
            namespace: Some("ns".into()),
            instance: Some("foo".into()),
        };
        let base = directory();
        assert_eq!(
            path(Dump::VrrpData, &config, &names),
            base.join("keepalived.data")
        );
        config.global.data_use_instance = true;
        assert_eq!(
            path(Dump::VrrpData, &config, &names),
            base.join("keepalived.ns_foo.data")
        );
        assert_eq!(
            path(Dump::VrrpStats, &config, &names),
            base.join("keepalived.stats")
        );
        config.global.data_use_instance = false;
        config.global.state_dump_file = Some("/var/x/state.txt".into());
        config.global.json_dump_file = Some("/var/x/".into());
        assert_eq!(
            path(Dump::VrrpData, &config, &names),
            Path::new("/var/x/state.txt")
        );
        assert_eq!(
            path(Dump::ParentData, &config, &names),
            Path::new("/var/x/state_parent.txt")
        );
        assert_eq!(
            path(Dump::CheckerData, &config, &names),
            Path::new("/var/x/state_check.txt")
        );
        assert_eq!(
            path(Dump::VrrpJson, &config, &names),
            Path::new("/var/x/keepalived.json")
        );
    }
}
