//! The files behind `FILE_CHECK`: a number each, read again when somebody has written it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use inotify::{EventStream, Inotify, WatchDescriptor, WatchMask, Watches};
use rk_config::model;
use tracing::{debug, warn};

/// Room for many events at once.
const BUFFER: usize = 4096;

/// A number that a file has now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// The name of the `track_file`.
    pub(super) file: Arc<str>,
    /// The number; 0 when it cannot be read.
    pub(super) value: i32,
}

/// The watched files of a directory by their names there: what they are called, and their paths.
type Directory = HashMap<OsString, Vec<(Arc<str>, PathBuf)>>;

/// Watches the directories of all files, so that files may come, go and be replaced.
pub(super) struct Files {
    events: EventStream<[u8; BUFFER]>,
    watches: Watches,
    directories: HashMap<WatchDescriptor, Directory>,
}

impl Files {
    /// Watches the files that checks of `config` follow; `None` if there are none. Gives their
    /// numbers now, too. Those that `before` did not have begin as `init_file` says.
    ///
    /// # Errors
    /// The kernel has no more watches to give.
    pub(super) fn watch(
        config: &model::Config,
        before: Option<&model::Config>,
    ) -> io::Result<Option<(Self, Vec<Value>)>> {
        let followed: Vec<&model::TrackFile> = config
            .track_files
            .iter()
            .filter(|file| follows(config, &file.name))
            .collect();
        if followed.is_empty() {
            return Ok(None);
        }
        let inotify = Inotify::init()?;
        let mut files = Self {
            watches: inotify.watches(),
            events: inotify.into_event_stream([0; BUFFER])?,
            directories: HashMap::new(),
        };
        let mut values = Vec::new();
        for file in followed {
            let path = PathBuf::from(&file.file);
            let name: Arc<str> = file.name.as_str().into();
            let known = before.is_some_and(|b| b.track_files.iter().any(|f| f.name == file.name));
            if let Some(init) = file.init_file.filter(|_| !known)
                && let Err(e) = begin(&path, init)
            {
                let (origin, path) = (&file.origin, path.display());
                warn!("{origin}: track_file {name}: cannot write {path}: {e}");
            }
            if let Err(e) = files.add(&path, &name) {
                warn!(
                    "{}: track_file {name}: cannot watch {}: {e}",
                    file.origin,
                    path.display()
                );
            }
            let value = read(&path);
            values.push(Value { file: name, value });
        }
        Ok(Some((files, values)))
    }

    fn add(&mut self, path: &Path, name: &Arc<str>) -> io::Result<()> {
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
        let gone = WatchMask::DELETE | WatchMask::MOVED_FROM;
        let mask = WatchMask::CLOSE_WRITE | WatchMask::MOVED_TO | gone;
        let watch = self
            .watches
            .add(directory.unwrap_or(Path::new(".")), mask)?;
        let file_name = path.file_name().unwrap_or_default().to_owned();
        self.directories
            .entry(watch)
            .or_default()
            .entry(file_name)
            .or_default()
            .push((name.clone(), path.to_owned()));
        Ok(())
    }

    /// The numbers of the files that were written since the last call. Cancelling loses nothing.
    ///
    /// # Errors
    /// The kernel's events cannot be read.
    pub(super) async fn changed(&mut self) -> io::Result<Vec<Value>> {
        loop {
            let Some(event) = self.events.next().await else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            let event = event?;
            let Some(files) = self.directories.get(&event.wd) else {
                continue;
            };
            let of_event = event.name.as_ref().and_then(|name| files.get(name));
            let values: Vec<Value> = of_event
                .into_iter()
                .flatten()
                .map(|(file, path)| Value {
                    file: file.clone(),
                    value: read(path),
                })
                .collect();
            if !values.is_empty() {
                return Ok(values);
            }
        }
    }
}

/// Writes the first number into a file, unless it has one that is to stay.
fn begin(path: &Path, init: model::InitFile) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    if init.overwrite {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    match options.open(path) {
        Ok(mut file) => writeln!(file, "{}", init.value),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}

/// Whether some check follows the file `name`.
fn follows(config: &model::Config, name: &str) -> bool {
    config
        .virtual_servers
        .iter()
        .flat_map(|v| &v.real_servers)
        .flat_map(|r| &r.checkers)
        .any(|c| matches!(&c.check, model::Check::File { track_file, .. } if **track_file == *name))
}

/// The number at the start of a file; 0 when there is none.
fn read(path: &Path) -> i32 {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) => {
            debug!("{}: {e}: taken as 0", path.display());
            return 0;
        }
    };
    let text = String::from_utf8_lossy(&text[..text.len().min(64)]);
    let text = text.trim_start();
    let end = text
        .char_indices()
        .position(|(at, c)| !(c.is_ascii_digit() || at == 0 && (c == '-' || c == '+')))
        .unwrap_or(text.len());
    match text[..end].parse::<i64>() {
        Ok(number) => i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX }),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_begins_with_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("number");
        let init = |value, overwrite| model::InitFile { value, overwrite };
        begin(&path, init(4, false)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "4\n");
        begin(&path, init(500, false)).unwrap();
        assert_eq!(read(&path), 4, "it has one");
        begin(&path, init(-5, true)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "-5\n");
        assert!(begin(&directory.path().join("no/where"), init(1, true)).is_err());
    }

    #[test]
    fn the_number_at_the_start_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("number");
        for (text, number) in [
            ("5\n", 5),
            ("  -12 and more", -12),
            ("+3", 3),
            ("", 0),
            ("none", 0),
            ("99999999999", i32::MAX),
            ("-99999999999", i32::MIN),
            ("7seven", 7),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(read(&path), number, "{text}");
        }
        assert_eq!(read(&directory.path().join("absent")), 0);
    }
}
