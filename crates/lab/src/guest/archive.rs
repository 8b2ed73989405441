//! The archive that a kernel unpacks into its first file system: cpio in its "newc" form
//! (Documentation/driver-api/early-userspace/buffer-format of Linux).

use std::collections::BTreeSet;

const DIRECTORY: u32 = 0o040_755;
const FILE: u32 = 0o100_000;
/// The name of the last entry.
const END: &str = "TRAILER!!!";

/// An archive that is being written.
#[derive(Debug, Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    directories: BTreeSet<String>,
    entries: u32,
}

impl Archive {
    /// Adds a directory, and those above it; once.
    pub(super) fn directory(&mut self, path: &str) {
        let path = path.trim_matches('/');
        if let Some((above, _)) = path.rsplit_once('/') {
            self.directory(above);
        }
        if !path.is_empty() && self.directories.insert(path.to_owned()) {
            self.entry(path, DIRECTORY, &[]);
        }
    }

    /// Adds a file, and the directories above it.
    pub(super) fn file(&mut self, path: &str, mode: u32, content: &[u8]) {
        let path = path.trim_matches('/');
        if let Some((above, _)) = path.rsplit_once('/') {
            self.directory(above);
        }
        self.entry(path, FILE | mode, content);
    }

    /// The whole archive.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.entry(END, 0, &[]);
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.entries += 1;
        let size = u32::try_from(content.len()).expect("a file of the first steps is small");
        let name = u32::try_from(path.len() + 1).expect("a path is short");
        self.bytes.extend_from_slice(b"070701");
        // Inode, mode, owner, group, links, time, size, device, device file, name, checksum.
        for number in [self.entries, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name, 0] {
            self.bytes
                .extend_from_slice(format!("{number:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_directories_before_their_files() {
        let mut archive = Archive::default();
        archive.file("/usr/bin/x", 0o755, b"hello");
        archive.file("/usr/y", 0o644, b"");
        let bytes = archive.end();
        assert_eq!(bytes.len() % 4, 0);
        let header = "070701000000030000".to_owned() + "81ed";
        let at = |part: &[u8]| bytes.windows(part.len()).position(|w| w == part).unwrap();
        assert!(at(b"usr\0") < at(b"usr/bin\0") && at(b"usr/bin\0") < at(header.as_bytes()));
        assert_eq!(at(b"hello") % 4, 0);
        assert_eq!(bytes.windows(4).filter(|w| w == b"usr\0").count(), 1);
        assert!(at(b"TRAILER!!!") > at(b"usr/y"));
    }
}
