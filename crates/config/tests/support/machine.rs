//! A machine and a disk that only exist in memory.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rk_config::model::{Regex, Ssl};
use rk_config::{
    FileKind, Host, Loaded, NameTable, NetworkFile, Options, PatternError, ReadError, Source, Stat,
    TlsFile, TlsFileError, User, load,
};

/// Files by path; a mode with an execute bit makes one unusable as configuration.
#[derive(Default)]
pub struct Disk {
    pub files: BTreeMap<String, (Vec<u8>, u32)>,
}

impl Disk {
    pub fn with(mut self, path: &str, text: impl Into<Vec<u8>>) -> Self {
        self.files.insert(norm(path), (text.into(), 0o644));
        self
    }

    fn dirs(&self) -> BTreeSet<String> {
        let mut out = BTreeSet::from([String::new()]);
        for path in self.files.keys() {
            for (at, _) in path.match_indices('/') {
                out.insert(path[..at].to_owned());
            }
        }
        out
    }
}

/// `./a//b` as `a/b`.
fn norm(path: &str) -> String {
    let rooted = path.starts_with('/');
    let parts: Vec<_> = path
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect();
    format!("{}{}", if rooted { "/" } else { "" }, parts.join("/"))
}

/// `*` and `?` in one path.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            (0..=text.len()).any(|n| !text[..n].contains(&b'/') && matches(rest, &text[n..]))
        }
        (Some((b'?', p)), Some((c, t))) => *c != b'/' && matches(p, t),
        (Some((a, p)), Some((b, t))) => a == b && matches(p, t),
        _ => false,
    }
}

impl Source for Disk {
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, ReadError> {
        let path = norm(path);
        match self.files.get(&path) {
            Some((_, mode)) if mode & 0o111 != 0 => Err(ReadError::NotPlain),
            Some((text, _)) if text.len() > limit => Err(ReadError::TooLarge {
                size: text.len() as u64,
                limit,
            }),
            Some((text, _)) => Ok(text.clone()),
            None if self.dirs().contains(&path) => Err(ReadError::Directory),
            None => Err(ReadError::Missing),
        }
    }

    fn glob(&self, pattern: &str, limit: usize) -> Vec<String> {
        let dotted = pattern.starts_with("./");
        let wanted = norm(pattern);
        let show = |p: &str, dir: bool| {
            format!(
                "{}{p}{}",
                if dotted { "./" } else { "" },
                if dir { "/" } else { "" }
            )
        };
        let files = self
            .files
            .keys()
            .filter(|p| matches(wanted.as_bytes(), p.as_bytes()));
        let mut out: Vec<String> = files.map(|p| show(p, false)).collect();
        let dirs = self.dirs();
        let dirs = dirs
            .iter()
            .filter(|p| !p.is_empty() && matches(wanted.as_bytes(), p.as_bytes()));
        out.extend(dirs.map(|p| show(p, true)));
        out.sort();
        out.truncate(limit);
        out
    }

    fn is_dir(&self, path: &str) -> bool {
        self.dirs().contains(&norm(path))
    }
}

/// A Debian machine with merged /usr.
pub struct Machine {
    pub interfaces: BTreeSet<String>,
    pub users: HashMap<String, (u32, u32)>,
    pub groups: HashMap<String, u32>,
    /// Programs in /usr/bin.
    pub programs: BTreeSet<String>,
    /// Further files with their modes.
    pub files: HashMap<String, (FileKind, u32)>,
    pub env: HashMap<String, String>,
    pub host_name: String,
    pub tables: HashMap<String, u32>,
    pub hosts: BTreeSet<String>,
    /// Whether systemd-networkd keeps the addresses of the interfaces that it manages.
    pub networkd: BTreeMap<String, bool>,
}

impl Default for Machine {
    fn default() -> Self {
        let set = |names: &str| names.split_whitespace().map(str::to_owned).collect();
        let mut files = HashMap::new();
        for dir in "/ /usr /usr/bin /usr/sbin /usr/local /usr/local/bin /usr/lib /etc \
                    /etc/keepalived /etc/keepalived/scripts /etc/iproute2 /var /var/lib /var/log \
                    /run /root /home /opt /proc /sys /dev"
            .split_whitespace()
        {
            files.insert(dir.to_owned(), (FileKind::Directory, 0o755));
        }
        files.remove("/etc/keepalived/scripts");
        files.insert("/tmp".to_owned(), (FileKind::Directory, 0o1777));
        files.insert(".".to_owned(), (FileKind::Directory, 0o755));
        for link in ["/bin", "/sbin", "/var/run"] {
            files.insert(link.to_owned(), (FileKind::Symlink, 0o777));
        }
        files.insert("/dev/null".to_owned(), (FileKind::Other, 0o666));
        files.insert("/etc/passwd".to_owned(), (FileKind::File, 0o644));
        let users = [
            ("root", 0, 0),
            ("daemon", 1, 1),
            ("bin", 2, 2),
            ("sys", 3, 3),
            ("nobody", 65534, 65534),
            ("www-data", 33, 33),
        ];
        Self {
            interfaces: set("lo eth0 eth1"),
            users: users
                .iter()
                .map(|(n, u, g)| ((*n).to_owned(), (*u, *g)))
                .collect(),
            groups: [
                ("root", 0),
                ("daemon", 1),
                ("nogroup", 65534),
                ("adm", 4),
                ("disk", 6),
            ]
            .iter()
            .map(|(n, g)| ((*n).to_owned(), *g))
            .collect(),
            programs: set(
                "true false test bash sh killall pidof curl wget systemctl pgrep pkill ss netstat \
                 ipvsadm ls cat echo grep ps touch sleep logger stat mkdir rm date [ kill env \
                 python3 perl awk sed ip mount service id head",
            ),
            files,
            env: HashMap::new(),
            host_name: "vm.example.org".to_owned(),
            tables: [("link", 253), ("host", 254), ("main", 254), ("cosmos", 0)]
                .iter()
                .map(|(n, t)| ((*n).to_owned(), *t))
                .collect(),
            hosts: set("localhost"),
            networkd: BTreeMap::new(),
        }
    }
}

impl Machine {
    pub fn with_interfaces(names: &str) -> Self {
        let interfaces = names.split_whitespace().map(str::to_owned).collect();
        Self {
            interfaces,
            ..Self::default()
        }
    }

    pub fn with_file(mut self, path: &str, mode: u32) -> Self {
        self.files.insert(path.to_owned(), (FileKind::File, mode));
        self
    }
}

impl Host for Machine {
    fn interface_exists(&self, name: &str) -> bool {
        self.interfaces.contains(name)
    }

    fn interface_names(&self) -> Vec<String> {
        self.interfaces.iter().map(ToString::to_string).collect()
    }

    fn interface_kind(&self, name: &str) -> Option<String> {
        self.interfaces.contains(name).then(String::new)
    }

    fn net_namespace_exists(&self, _name: &str) -> bool {
        false
    }

    fn user(&self, name: &str) -> Option<User> {
        let found = self.users.iter().find(|(n, _)| *n == name);
        found.map(|(name, (uid, gid))| User {
            name: name.clone(),
            uid: *uid,
            gid: *gid,
        })
    }

    fn group(&self, name: &str) -> Option<u32> {
        self.groups.get(name).copied()
    }

    fn current_user(&self) -> User {
        User {
            name: "root".into(),
            uid: 0,
            gid: 0,
        }
    }

    fn find_program(&self, name: &str) -> Option<String> {
        self.programs
            .contains(name)
            .then(|| format!("/usr/bin/{name}"))
    }

    fn stat(&self, path: &str) -> Option<Stat> {
        let of = |kind, mode| {
            Some(Stat {
                kind,
                mode,
                uid: 0,
                gid: 0,
            })
        };
        if let Some((kind, mode)) = self.files.get(path) {
            return of(*kind, *mode);
        }
        let program = path
            .strip_prefix("/usr/bin/")
            .or_else(|| path.strip_prefix("/usr/sbin/"))?;
        self.programs
            .contains(program)
            .then(|| of(FileKind::File, 0o755))?
    }

    fn read_link(&self, path: &str) -> Option<String> {
        Some(match path {
            "/bin" => "usr/bin".to_owned(),
            "/sbin" => "usr/sbin".to_owned(),
            "/var/run" => "/run".to_owned(),
            _ => return None,
        })
    }

    fn is_dir(&self, path: &str) -> bool {
        let path = path.replace("/var/run", "/run");
        let path = if path.len() > 1 {
            path.trim_end_matches('/')
        } else {
            &path
        };
        self.files
            .get(path)
            .is_some_and(|(kind, _)| *kind == FileKind::Directory)
    }

    fn host_name(&self) -> String {
        self.host_name.clone()
    }

    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn random_seed(&self) -> u64 {
        4
    }

    fn iproute_name(&self, _table: NameTable, name: &str) -> Option<u32> {
        self.tables.get(name).copied()
    }

    /// A pattern is right if its parentheses pair.
    fn regex_error(&self, regex: &Regex) -> Option<PatternError> {
        let count = |byte: u8| regex.pattern.iter().filter(|b| **b == byte).count();
        (count(b'(') != count(b')')).then(|| PatternError {
            offset: regex.pattern.len(),
            message: "missing closing parenthesis".to_owned(),
        })
    }

    /// A file is right if it is there.
    fn tls_error(&self, ssl: &Ssl) -> Option<TlsFileError> {
        let files = [
            (TlsFile::Ca, &ssl.ca),
            (TlsFile::Certificate, &ssl.certificate),
            (TlsFile::Key, &ssl.key),
        ];
        let absent = |path: &Option<String>| {
            let path = path.as_deref();
            path.is_some_and(|path| !self.files.contains_key(path))
        };
        let (file, _) = files.into_iter().find(|(_, path)| absent(path))?;
        Some(TlsFileError {
            file,
            message: "no such file".to_owned(),
        })
    }

    fn network_file(&self, interface: &str) -> Option<NetworkFile> {
        let keeps_addresses = *self.networkd.get(interface)?;
        let path = format!("/etc/systemd/network/{interface}.network");
        Some(NetworkFile {
            path,
            keeps_addresses,
        })
    }

    fn resolves(&self, name: &str) -> bool {
        self.hosts.contains(name)
    }
}

/// A configuration test of `text` on `machine`.
pub fn test(text: impl Into<Vec<u8>>, machine: &Machine) -> Loaded {
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    load(
        "main.conf",
        &options,
        &Disk::default().with("main.conf", text),
        machine,
    )
}
