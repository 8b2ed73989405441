//! The real machine, for the configuration language: its files, its users, its interfaces.

use std::ffi::CString;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, getgrouplist};
use rk_checker::probe::{RegexError, TlsError};
use rk_config::model::{Regex, Ssl};
use rk_config::{
    FileKind, Host, NameTable, NetworkFile, PatternError, ReadError, Source, Stat, TlsFile,
    TlsFileError, User,
};

use crate::checker::translate;

/// Where a bare program name is looked for when there is no `PATH`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The file system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemFiles;

impl Source for SystemFiles {
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, ReadError> {
        // Not waiting: a named pipe without a writer would hold the daemon up for ever.
        let file = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open(path)
            .map_err(|e| read_error(&e))?;
        let meta = file.metadata().map_err(|e| read_error(&e))?;
        if meta.is_dir() {
            return Err(ReadError::Directory);
        }
        if !meta.is_file() || meta.permissions().mode() & 0o111 != 0 {
            return Err(ReadError::NotPlain);
        }
        read_limited(file, meta.len(), limit)
    }

    fn glob(&self, pattern: &str, limit: usize) -> Vec<String> {
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let Ok(paths) = glob::glob_with(pattern, options) else {
            return Vec::new();
        };
        paths
            .flatten()
            .take(limit)
            .map(|path| {
                let mut text = path.to_string_lossy().into_owned();
                if path.is_dir() && !text.ends_with('/') {
                    text.push('/');
                }
                text
            })
            .collect()
    }

    fn is_dir(&self, path: &str) -> bool {
        Path::new(path).is_dir()
    }
}

/// What the system's refusal means for a configuration.
fn read_error(error: &std::io::Error) -> ReadError {
    match error.kind() {
        std::io::ErrorKind::NotFound => ReadError::Missing,
        std::io::ErrorKind::IsADirectory => ReadError::Directory,
        _ => ReadError::Io(error.to_string()),
    }
}

/// All of `file`, which says that it is `size` bytes long, unless that is more than `limit`.
fn read_limited(file: File, size: u64, limit: usize) -> Result<Vec<u8>, ReadError> {
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    if size > most {
        return Err(ReadError::TooLarge { size, limit });
    }
    // A file may grow while it is read, and those of /proc say that they are empty.
    let mut bytes = Vec::with_capacity(usize::try_from(size).map_or(0, |size| size + 1));
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| read_error(&e))?;
    if bytes.len() > limit {
        return Err(ReadError::TooLarge {
            size: most.saturating_add(1),
            limit,
        });
    }
    Ok(bytes)
}

/// The machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine;

impl Host for Machine {
    fn interface_exists(&self, name: &str) -> bool {
        // The kernel takes `eth0:1` for the interface of a label; there is none of that name.
        !name.contains(':') && nix::net::if_::if_nametoindex(name).is_ok()
    }

    fn interface_names(&self) -> Vec<String> {
        let Ok(interfaces) = nix::net::if_::if_nameindex() else {
            return Vec::new();
        };
        let names = interfaces.iter().map(|one| one.name().to_string_lossy());
        names.map(std::borrow::Cow::into_owned).collect()
    }

    fn interface_kind(&self, name: &str) -> Option<String> {
        let about = Path::new("/sys/class/net").join(name).join("uevent");
        let about = std::fs::read_to_string(about).ok()?;
        let kind = about.lines().find_map(|l| l.strip_prefix("DEVTYPE="));
        Some(kind.unwrap_or_default().to_owned())
    }

    fn network_file(&self, interface: &str) -> Option<NetworkFile> {
        let index = nix::net::if_::if_nametoindex(interface).ok()?;
        network_file(Path::new("/"), index)
    }

    fn cpu_limit(&self) -> u32 {
        let online = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_ONLN);
        let online = online.ok().flatten().and_then(|n| u32::try_from(n).ok());
        online.unwrap_or(1024)
    }

    fn net_namespace_exists(&self, name: &str) -> bool {
        !name.is_empty() && Path::new("/run/netns").join(name).exists()
    }

    fn user(&self, name: &str) -> Option<User> {
        let found = nix::unistd::User::from_name(name).ok().flatten()?;
        Some(User {
            name: found.name,
            uid: found.uid.as_raw(),
            gid: found.gid.as_raw(),
        })
    }

    fn group(&self, name: &str) -> Option<u32> {
        let group = Group::from_name(name).ok().flatten()?;
        Some(group.gid.as_raw())
    }

    fn current_user(&self) -> User {
        let uid = Uid::effective();
        let name = nix::unistd::User::from_uid(uid)
            .ok()
            .flatten()
            .map_or_else(|| uid.to_string(), |user| user.name);
        User {
            name,
            uid: uid.as_raw(),
            gid: Gid::effective().as_raw(),
        }
    }

    fn find_program(&self, name: &str) -> Option<String> {
        let path = std::env::var("PATH").unwrap_or_else(|_| DEFAULT_PATH.to_owned());
        path.split(':')
            .map(|dir| Path::new(if dir.is_empty() { "." } else { dir }).join(name))
            .find(|candidate| {
                candidate
                    .metadata()
                    .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
            })
            .map(|found| found.to_string_lossy().into_owned())
    }

    fn stat(&self, path: &str) -> Option<Stat> {
        let meta = std::fs::symlink_metadata(path).ok()?;
        let kind = meta.file_type();
        Some(Stat {
            kind: if kind.is_symlink() {
                FileKind::Symlink
            } else if kind.is_dir() {
                FileKind::Directory
            } else if kind.is_file() {
                FileKind::File
            } else {
                FileKind::Other
            },
            mode: meta.mode() & 0o7777,
            uid: meta.uid(),
            gid: meta.gid(),
        })
    }

    fn read_link(&self, path: &str) -> Option<String> {
        Some(
            std::fs::read_link(path)
                .ok()?
                .to_string_lossy()
                .into_owned(),
        )
    }

    fn is_dir(&self, path: &str) -> bool {
        Path::new(path).is_dir()
    }

    fn in_group(&self, uid: u32, gid: u32) -> bool {
        let user = nix::unistd::User::from_uid(Uid::from_raw(uid))
            .ok()
            .flatten();
        user.and_then(|user| {
            let name = CString::new(user.name).ok()?;
            getgrouplist(&name, user.gid).ok()
        })
        .is_some_and(|groups| groups.contains(&Gid::from_raw(gid)))
    }

    fn host_name(&self) -> String {
        nix::unistd::gethostname()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    fn env(&self, name: &str) -> Option<String> {
        // A name with `=` in it, or none, is no variable; asking for one is a panic elsewhere.
        if name.is_empty() || name.contains(['=', '\0']) {
            return None;
        }
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn random_seed(&self) -> u64 {
        // The standard library seeds its hash maps from the system: that is random enough here.
        use std::hash::{BuildHasher as _, RandomState};
        RandomState::new().hash_one(std::process::id())
    }

    fn iproute_name(&self, table: NameTable, name: &str) -> Option<u32> {
        let file = match table {
            NameTable::Table => "rt_tables",
            NameTable::Protocol => "rt_protos",
            NameTable::Scope => "rt_scopes",
            NameTable::Realm => "rt_realms",
            NameTable::DsField => "rt_dsfield",
            NameTable::Group => "group",
        };
        ["/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2"]
            .into_iter()
            .flat_map(|dir| {
                let dir = PathBuf::from(dir);
                let more = std::fs::read_dir(dir.join(format!("{file}.d")))
                    .into_iter()
                    .flatten();
                let more = more.flatten().map(|entry| entry.path());
                let more = more.filter(|path| path.extension().is_some_and(|e| e == "conf"));
                std::iter::once(dir.join(file))
                    .chain(more)
                    .collect::<Vec<_>>()
            })
            .filter_map(|path| std::fs::read_to_string(path).ok())
            .find_map(|text| number_of(&text, name))
    }

    fn regex_error(&self, regex: &Regex) -> Option<PatternError> {
        let error = translate::compile(regex).err()?;
        Some(match error {
            RegexError::Pattern {
                offset, message, ..
            } => PatternError { offset, message },
            RegexError::Option(_) => PatternError {
                offset: 0,
                message: error.to_string(),
            },
        })
    }

    fn tls_error(&self, ssl: &Ssl) -> Option<TlsFileError> {
        let error = translate::tls_client(Some(ssl)).err()?;
        let file = match &error {
            TlsError::Ca { .. } => TlsFile::Ca,
            TlsError::Certificate { .. } => TlsFile::Certificate,
            TlsError::Key { .. } | TlsError::File { .. } => TlsFile::Key,
            TlsError::Library(_) => return None,
        };
        let path = match file {
            TlsFile::Ca => &ssl.ca,
            TlsFile::Certificate => &ssl.certificate,
            TlsFile::Key => &ssl.key,
        };
        // OpenSSL's words about a file that it cannot open are hard to read.
        let opened = std::fs::read(path.as_deref().unwrap_or_default());
        let message = opened.map_or_else(|e| e.to_string(), |_| error.reason());
        Some(TlsFileError { file, message })
    }

    fn resolves(&self, name: &str) -> bool {
        use std::net::ToSocketAddrs as _;
        (name, 0)
            .to_socket_addrs()
            .is_ok_and(|mut addresses| addresses.next().is_some())
    }
}

/// What systemd-networkd says about the interface with this index, below `root`. Drop-ins count
/// as the file does; the last word holds (systemd.network(5)).
fn network_file(root: &Path, index: u32) -> Option<NetworkFile> {
    let inside = |path: &str| root.join(path.trim_start_matches('/'));
    let state = inside(&format!("run/systemd/netif/links/{index}"));
    let state = std::fs::read_to_string(state).ok()?;
    let path = state
        .lines()
        .find_map(|l| l.strip_prefix("NETWORK_FILE="))?;
    let name = path.rsplit('/').next()?;
    let mut texts = vec![std::fs::read_to_string(inside(path)).unwrap_or_default()];
    for dir in ["usr/lib", "run", "etc"] {
        let dropped = inside(&format!("{dir}/systemd/network/{name}.d"));
        let entries = std::fs::read_dir(dropped).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|e| e == "conf"));
        files.sort();
        let read = files
            .iter()
            .filter_map(|file| std::fs::read_to_string(file).ok());
        texts.extend(read);
    }
    let words = texts.iter().flat_map(|text| text.lines());
    let word = words.filter_map(|l| l.trim().strip_prefix("KeepConfiguration="));
    let word = word.map(str::trim).rfind(|word| !word.is_empty());
    Some(NetworkFile {
        path: path.to_owned(),
        keeps_addresses: word.is_some_and(|word| matches!(word, "static" | "yes" | "true" | "1")),
    })
}

/// The number that a name table of iproute2 gives to `name`: lines of `NUMBER NAME`.
fn number_of(text: &str, name: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let number = words.next()?;
        if words.next()? != name {
            return None;
        }
        match number.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => number.parse().ok(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networkd_tells_whether_it_keeps_addresses() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        assert_eq!(network_file(root.path(), 2), None);
        write("run/systemd/netif/links/2", "ADMIN_STATE=unmanaged\n");
        assert_eq!(network_file(root.path(), 2), None);
        let path = "/run/systemd/network/10-netplan-eth0.network";
        write(
            "run/systemd/netif/links/2",
            &format!("ADMIN_STATE=configured\nNETWORK_FILE={path}\n"),
        );
        write(&path[1..], "[Match]\nName=eth0\n\n[Network]\nDHCP=no\n");
        let file = network_file(root.path(), 2).unwrap();
        assert_eq!((file.path.as_str(), file.keeps_addresses), (path, false));
        let more = "etc/systemd/network/10-netplan-eth0.network.d/keepalived.conf";
        write(more, "[Network]\nKeepConfiguration=static\n");
        assert!(network_file(root.path(), 2).unwrap().keeps_addresses);
        write(&format!("{more}~"), "[Network]\nKeepConfiguration=no\n");
        assert!(network_file(root.path(), 2).unwrap().keeps_addresses);
    }

    #[test]
    fn only_plain_files_are_read_and_only_so_much_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("plain"), "12345").unwrap();
        std::fs::write(path("program"), "").unwrap();
        std::fs::set_permissions(path("program"), std::fs::Permissions::from_mode(0o755)).unwrap();
        nix::unistd::mkfifo(path("pipe").as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let read = |name: &str, limit| SystemFiles.read(&path(name), limit);
        assert_eq!(read("plain", 5), Ok(b"12345".to_vec()));
        assert_eq!(
            read("plain", 4),
            Err(ReadError::TooLarge { size: 5, limit: 4 })
        );
        assert_eq!(read("missing", 5), Err(ReadError::Missing));
        assert_eq!(read("", 5), Err(ReadError::Directory));
        assert_eq!(read("program", 5), Err(ReadError::NotPlain));
        assert_eq!(read("pipe", 5), Err(ReadError::NotPlain));
    }

    #[test]
    fn patterns_match_sorted_and_mark_directories() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        for name in ["b.conf", "a.conf", ".hidden.conf", "c.txt"] {
            std::fs::write(path(name), "").unwrap();
        }
        std::fs::create_dir(path("d.conf")).unwrap();
        let want = [path("a.conf"), path("b.conf"), path("d.conf/")];
        assert_eq!(SystemFiles.glob(&path("*.conf"), 9), want);
        assert_eq!(SystemFiles.glob(&path("*.conf"), 2), want[..2]);
        assert_eq!(SystemFiles.glob(&path("a.conf"), 9), [path("a.conf")]);
        assert!(SystemFiles.glob(&path("none"), 9).is_empty());
        assert!(SystemFiles.glob(&path("["), 9).is_empty());
    }

    #[test]
    fn the_machine_knows_itself() {
        assert!(Machine.interface_exists("lo"));
        assert!(Machine.interface_names().contains(&"lo".to_owned()));
        assert!(!Machine.interface_exists("no-such-if"));
        assert_eq!(Machine.user("root").map(|u| (u.uid, u.gid)), Some((0, 0)));
        assert_eq!(Machine.user("0"), None, "a number is no name");
        assert_eq!(Machine.user("no such user"), None);
        assert_eq!(Machine.group("root"), Some(0));
        assert_eq!(Machine.group("0"), None);
        assert!(
            Machine
                .find_program("sh")
                .is_some_and(|p| p.ends_with("/sh"))
        );
        assert_eq!(Machine.find_program("no-such-program"), None);
        assert!(Machine.in_group(0, 0));
        assert!(!Machine.in_group(0, 4_000_000_000));
        assert!(Machine.is_dir("/") && !Machine.is_dir("/no-such-dir"));
        assert_eq!(Machine.env(""), None);
        assert_eq!(Machine.env("A=B"), None);
        assert_eq!(Machine.stat("/").map(|s| s.kind), Some(FileKind::Directory));
    }

    #[test]
    fn patterns_are_compiled_before_they_are_needed() {
        let regex = |pattern: &[u8]| Regex {
            pattern: pattern.to_vec(),
            ..Regex::default()
        };
        assert_eq!(Machine.regex_error(&regex(b"a(b|c)")), None);
        let error = Machine.regex_error(&regex(b"a[b(c")).unwrap();
        assert_eq!(error.offset, 5);
        assert!(error.message.contains("missing"), "{error}");
    }

    #[test]
    fn files_of_tls_are_opened_before_they_are_needed() {
        let dir = tempfile::tempdir().unwrap();
        let text = dir.path().join("text").to_string_lossy().into_owned();
        std::fs::write(&text, "no certificate\n").unwrap();
        let absent = Some("/no/such/file".to_owned());
        let said = |ssl: Ssl| Machine.tls_error(&ssl).map(|e| (e.file, e.message));
        assert_eq!(said(Ssl::default()), None);
        let missing = "No such file or directory (os error 2)".to_owned();
        let ca = absent.clone();
        let found = said(Ssl {
            ca,
            ..Ssl::default()
        });
        assert_eq!(found, Some((TlsFile::Ca, missing.clone())));
        let key = absent;
        let found = said(Ssl {
            key,
            ..Ssl::default()
        });
        assert_eq!(found, Some((TlsFile::Key, missing)));
        let certificate = Some(text);
        let (file, message) = said(Ssl {
            certificate,
            ..Ssl::default()
        })
        .unwrap();
        assert_eq!(file, TlsFile::Certificate);
        assert!(
            !message.is_empty() && !message.contains("error:"),
            "{message}"
        );
    }

    #[test]
    fn name_tables_are_read_as_iproute2_does() {
        let text = "#\n# reserved\n255\tlocal\n0x10 af11\n\n7 blue extra\nx y\n";
        assert_eq!(number_of(text, "local"), Some(255));
        assert_eq!(number_of(text, "af11"), Some(16));
        assert_eq!(number_of(text, "blue"), Some(7));
        assert_eq!(number_of(text, "reserved"), None);
        assert_eq!(number_of(text, "y"), None);
    }
}
