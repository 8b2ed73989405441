//! Any bytes as a configuration: nothing panics, nothing hangs, and every place that a message
//! points at is in the text. What can be laid out is laid out for good.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rk_config::fmt::format;
use rk_config::{Host, Loaded, NameTable, Options, ReadError, Source, Stat, User, load};

/// The code of a definition that is not put in because the line would be too long.
const FULL: &str = "RK0205";

/// One file that can include itself.
struct OneFile<'a>(&'a [u8]);

impl Source for OneFile<'_> {
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, ReadError> {
        match path {
            "main.conf" if self.0.len() <= limit => Ok(self.0.to_vec()),
            "other.inc" => Ok(b"include main.conf\n$A=$B\n".to_vec()),
            _ => Err(ReadError::Missing),
        }
    }

    fn glob(&self, pattern: &str, limit: usize) -> Vec<String> {
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
struct Bare;

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

fuzz_target!(|data: &[u8]| {
    let (&mode, text) = data.split_first().unwrap_or((&0, &[]));
    let options = Options {
        config_id: Some("id".into()),
        strict_includes: mode & 1 != 0,
        test_mode: mode & 2 != 0,
    };
    let loaded = load("main.conf", &options, &OneFile(text), &Bare);
    assert!(matches!(loaded.exit_status(), 0 | 2 | 4 | 5 | 6));
    for diagnostic in &loaded.diagnostics {
        let places = diagnostic.place.iter().chain(diagnostic.via.iter().map(|v| &v.place));
        for place in places {
            assert!(place.line <= loaded.files.line_count(place.file).max(1));
            let line = loaded.files.line(place.file, place.line);
            assert!((place.column as usize) <= line.len());
        }
    }
    if let Ok(first) = format(text) {
        let second = format(&first.text).expect("what is laid out stays in order");
        assert!(second.text == first.text);
        // It means the same, but for a line that is so long that indentation decides whether a
        // definition still fits.
        let again = load("main.conf", &options, &OneFile(&first.text), &Bare);
        let told = |l: &Loaded| -> Vec<_> {
            l.diagnostics.iter().map(|d| (d.code.to_string(), d.class)).collect()
        };
        let (before, after) = (told(&loaded), told(&again));
        let full = |codes: &[(String, _)]| codes.iter().any(|(code, _)| code == FULL);
        assert!(before == after || full(&before) || full(&after), "{before:?} {after:?}");
    }
});
