//! The disk and the machine of the targets that read configurations.
#![allow(dead_code, reason = "each target uses what it needs of this")]

use rk_config::{Host, Loaded, NameTable, Options, ReadError, Source, Stat, User, load};

/// The text of an input as a configuration; its first byte says how it is read.
pub fn read(data: &[u8]) -> (&[u8], Options, Loaded) {
    let (&mode, text) = data.split_first().unwrap_or((&0, &[]));
    let options = Options {
        config_id: Some("id".into()),
        strict_includes: mode & 1 != 0,
        test_mode: mode & 2 != 0,
    };
    let loaded = load("main.conf", &options, &OneFile(text), &Bare);
    (text, options, loaded)
}

/// One file that can include itself.
pub struct OneFile<'a>(pub &'a [u8]);

impl Source for OneFile<'_> {
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, ReadError> {
        match path {
            "main.conf" if self.0.len() <= limit => Ok(self.0.to_vec()),
            "other.inc" => Ok(b"include main.conf\n$A=$B\n".to_vec()),
            _ => Err(ReadError::Missing),
        }
    }

    fn glob(&self, pattern: &str, _limit: usize) -> Vec<String> {
        match pattern {
            "main.conf" | "other.inc" => vec![pattern.to_owned()],
            "*" => vec!["main.conf".to_owned(), "other.inc".to_owned()],
            _ => Vec::new(),
        }
    }

    fn is_dir(&self, path: &str) -> bool {
        path == "."
    }
}

/// A machine with two interfaces and one user.
pub struct Bare;

impl Host for Bare {
    fn interface_exists(&self, name: &str) -> bool {
        matches!(name, "eth0" | "eth1")
    }
    fn net_namespace_exists(&self, _name: &str) -> bool {
        true
    }
    fn user(&self, name: &str) -> Option<User> {
        (name == "root").then(|| self.current_user())
    }
    fn group(&self, name: &str) -> Option<u32> {
        name.parse().ok()
    }
    fn current_user(&self) -> User {
        User { name: "root".into(), uid: 0, gid: 0 }
    }
    fn find_program(&self, _name: &str) -> Option<String> {
        None
    }
    fn stat(&self, _path: &str) -> Option<Stat> {
        None
    }
    fn read_link(&self, _path: &str) -> Option<String> {
        None
    }
    fn is_dir(&self, _path: &str) -> bool {
        true
    }
    fn host_name(&self) -> String {
        "fuzz.example".into()
    }
    fn env(&self, _name: &str) -> Option<String> {
        None
    }
    fn random_seed(&self) -> u64 {
        1
    }
    fn iproute_name(&self, _table: NameTable, _name: &str) -> Option<u32> {
        None
    }
    fn resolves(&self, _name: &str) -> bool {
        false
    }
}
