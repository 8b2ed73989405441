//! Whose turn it is: as many guests at once as the machine has room for.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// More than this many never help: their kernels have one processor each.
const MOST: u64 = 16;
/// How long to rest between two looks for a free place.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A place among the running guests, of all test processes of this user, and its directory for
/// what a guest shares with its host. It is a locked file, so a test that is killed leaves its
/// place as well; what it leaves in the directory goes when the place is taken again.
#[derive(Debug)]
pub(super) struct Slot {
    directory: PathBuf,
    _locked: File,
}

impl Drop for Slot {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

impl Slot {
    /// Waits for a place for a guest of `memory` MiB.
    pub(super) fn take(memory: u32) -> std::io::Result<Self> {
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let user = outer_user(nix::unistd::geteuid().as_raw(), &map);
        let directory = std::env::temp_dir().join(format!("rk-lab-guests-{user}"));
        std::fs::create_dir_all(&directory)?;
        loop {
            for number in 0..places(memory) {
                let file = File::options()
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(directory.join(number.to_string()))?;
                match file.try_lock() {
                    Ok(()) => {
                        return Self::in_directory(directory.join(format!("guest-{number}")), file);
                    }
                    Err(TryLockError::WouldBlock) => {}
                    Err(TryLockError::Error(error)) => return Err(error),
                }
            }
            crate::pause(LOOK_EVERY);
        }
    }

    fn in_directory(directory: PathBuf, locked: File) -> std::io::Result<Self> {
        match std::fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::create_dir(&directory)?,
        }
        Ok(Self {
            directory,
            _locked: locked,
        })
    }

    /// An empty directory that nobody else uses.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Who `user` is outside of this user namespace, whose `/proc/self/uid_map` is `map`. Root of a
/// namespace cannot write where root has been.
fn outer_user(user: u32, map: &str) -> u32 {
    map.lines()
        .find_map(|line| {
            let mut numbers = line.split_whitespace().map(str::parse::<u32>);
            let mut number = || numbers.next()?.ok();
            let (inside, outside, count) = (number()?, number()?, number()?);
            let offset = user.checked_sub(inside).filter(|offset| *offset < count)?;
            outside.checked_add(offset)
        })
        .unwrap_or(user)
}

/// How many guests may run now: one a processor, as starting programs keeps one busy, but two
/// anywhere, since scenarios also wait.
fn places(memory: u32) -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let fits = available(&meminfo).map_or(1, |free| free / 2 / u64::from(memory.max(1)));
    fits.clamp(1, processors.clamp(2, MOST))
}

/// `MemAvailable` of `/proc/meminfo` in MiB.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_is_read_from_the_kernels_list() {
        let text = "MemTotal:       24653840 kB\nMemFree:  1 kB\nMemAvailable:   23592960 kB\n";
        assert_eq!(available(text), Some(23040));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
    }

    #[test]
    fn root_of_a_user_namespace_is_somebody_outside() {
        assert_eq!(outer_user(0, "         0          0 4294967295\n"), 0);
        assert_eq!(outer_user(1000, "         0          0 4294967295\n"), 1000);
        assert_eq!(outer_user(0, "         0       1000          1\n"), 1000);
        assert_eq!(outer_user(7, ""), 7);
    }

    #[test]
    fn there_is_always_a_place_for_one() {
        assert_eq!(places(u32::MAX), 1);
        assert!(places(1) >= 2);
    }
}
