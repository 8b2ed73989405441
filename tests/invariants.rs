//! Rules about the code itself: what `doc/architecture.md` promises, checked. Needs no rights.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates that decide: no sockets, clocks, tasks, files or processes in them.
const CORES: &[&str] = &["base", "config", "report", "vrrp", "sim"];

/// The cores that share a crate with what does the work.
const CORE_MODULES: &[&str] = &["crates/checker/src/state"];

/// What none of them may name.
const FORBIDDEN_IN_CORES: &[&str] = &[
    "tokio",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "UnixStream",
    "Instant::now",
    "SystemTime",
    "std::fs",
    "std::net::Tcp",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "println!",
    "tracing::",
];

/// The modules that may hold `unsafe`: one per crate that needs a raw system call.
const UNSAFE_ALLOWED: &[&str] = &[
    "crates/checker/src/probe/sys.rs",
    "crates/daemon/src/sys.rs",
    "crates/net/src/sys.rs",
    "crates/script/src/spawn.rs",
];

/// Which of our crates each crate may build upon. Arrows point downwards only.
const ARROWS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("config", &["base"]),
    ("report", &["config"]),
    ("vrrp", &["base"]),
    ("status", &["base"]),
    ("checker", &["base", "script"]),
    ("net", &["base"]),
    ("ipvs-sys", &[]),
    ("ipvs", &["base", "ipvs-sys"]),
    ("script", &["base"]),
    ("notify", &["base", "script"]),
    ("sim", &["base", "vrrp"]),
    ("lab", &[]),
    ("xtask", &["config", "ipvs", "lab"]),
    (
        "daemon",
        &[
            "base", "config", "report", "vrrp", "checker", "ipvs", "net", "script", "notify",
            "status",
        ],
    ),
];

/// Libraries that talk to the kernel about the network, and the only crates that may use them.
const SPEAK_NETLINK: &[&str] = &["net", "ipvs"];
const NETLINK: &[&str] = &[
    "rtnetlink",
    "netlink-packet-route",
    "netlink-packet-core",
    "netlink-packet-generic",
    "netlink-sys",
    "netlink-proto",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `directory` whose name ends in `.extension`, relative to the root.
fn files(directory: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        let Ok(list) = fs::read_dir(&directory) else {
            continue;
        };
        for entry in list {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or("");
            if path.is_dir() && !["target", "corpus", "artifacts"].contains(&name) {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(
                    path.strip_prefix(root())
                        .expect("below the root")
                        .to_owned(),
                );
            }
        }
    }
    found.sort();
    found
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of a file that are code of the product: no comments, no tests. With line numbers.
fn code(path: &Path) -> Vec<(usize, String)> {
    let tests = |part: &str| part == "tests" || part == "tests.rs";
    if path
        .components()
        .any(|part| part.as_os_str().to_str().is_some_and(tests))
    {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for (number, line) in read(path).lines().enumerate() {
        // By house style tests end a file.
        if line.trim_start().starts_with("mod tests {") {
            break;
        }
        if !line.trim_start().starts_with("//") {
            lines.push((number + 1, line.to_owned()));
        }
    }
    lines
}

/// The packages in one table of a manifest.
fn dependencies(manifest: &str, table: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in read(manifest).lines() {
        if line.starts_with('[') {
            inside = line == format!("[{table}]");
        } else if let Some((name, _)) = line.split_once([' ', '.', '=']).filter(|_| inside) {
            found.insert(name.to_owned());
        }
    }
    found.remove("");
    found
}

#[test]
fn cores_know_no_sockets_clocks_tasks_or_files() {
    let crates = CORES.iter().map(|core| format!("crates/{core}/src"));
    let modules = CORE_MODULES.iter().map(|module| (*module).to_owned());
    for directory in crates.chain(modules) {
        let all = files(&directory, "rs");
        assert!(!all.is_empty(), "{directory} is empty");
        for file in all {
            for (number, line) in code(&file) {
                for word in FORBIDDEN_IN_CORES {
                    assert!(!line.contains(word), "{}:{number}: {line}", file.display());
                }
            }
        }
    }
    for core in CORES {
        let libraries = dependencies(&format!("crates/{core}/Cargo.toml"), "dependencies");
        for library in [
            "tokio", "nix", "libc", "socket2", "tracing", "rk-net", "chrono", "time",
        ] {
            assert!(!libraries.contains(library), "{core} depends on {library}");
        }
    }
}

#[test]
fn unsafe_only_where_it_is_allowed() {
    let allowed: Vec<&Path> = UNSAFE_ALLOWED.iter().map(Path::new).collect();
    for file in files("crates", "rs").into_iter().chain(files("src", "rs")) {
        let is_allowed = allowed.contains(&file.as_path());
        let text = read(&file);
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            let found = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]
                .iter()
                .any(|word| code.contains(word));
            assert!(
                !found || is_allowed,
                "{}:{}: {line}",
                file.display(),
                number + 1
            );
        }
    }
    for directory in fs::read_dir(root().join("crates")).expect("crates/") {
        let directory = directory.expect("an entry").path();
        let name = directory
            .file_name()
            .and_then(|n| n.to_str())
            .expect("a name")
            .to_owned();
        let head = ["lib.rs", "main.rs"]
            .iter()
            .find_map(|file| fs::read_to_string(directory.join("src").join(file)).ok())
            .unwrap_or_else(|| panic!("{name} has neither lib.rs nor main.rs"));
        let has_module = UNSAFE_ALLOWED
            .iter()
            .any(|m| m.starts_with(&format!("crates/{name}/")));
        let wanted = if has_module {
            "#![deny(unsafe_code)]"
        } else {
            "#![forbid(unsafe_code)]"
        };
        assert!(head.contains(wanted), "{name} does not start with {wanted}");
    }
    assert!(read("src/main.rs").contains("#![forbid(unsafe_code)]"));
}

#[test]
fn arrows_between_crates_point_downwards() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for manifest in files("crates", "toml") {
        if manifest.file_name().is_none_or(|name| name != "Cargo.toml") {
            continue;
        }
        let name = manifest
            .iter()
            .nth(1)
            .and_then(|n| n.to_str())
            .expect("crates/NAME/Cargo.toml");
        let manifest = manifest.to_str().expect("UTF-8");
        let all = dependencies(manifest, "dependencies");
        let ours: Vec<&str> = all
            .iter()
            .filter_map(|one| one.strip_prefix("rk-"))
            .collect();
        let may = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not in the list of arrows"));
        for one in ours {
            assert!(may.contains(&one), "{name} must not depend on {one}");
        }
        for library in NETLINK {
            assert!(
                SPEAK_NETLINK.contains(&name) || !all.contains(*library),
                "{name} uses {library}"
            );
        }
    }
    let root = dependencies("Cargo.toml", "dependencies");
    assert_eq!(
        root.into_iter().collect::<Vec<_>>(),
        ["rk-daemon"],
        "main is a page"
    );
}

#[test]
fn nothing_is_left_to_do_and_no_test_is_asleep() {
    // Put together here, so that this file does not find itself.
    let words = ["to", "unimplemen", "#[ig", "db"];
    let ends = ["do!(", "ted!(", "nore", "g!("];
    let words: Vec<String> = words
        .iter()
        .zip(ends)
        .map(|(a, b)| format!("{a}{b}"))
        .collect();
    let all = ["crates", "src", "tests", "fuzz"]
        .into_iter()
        .flat_map(|d| files(d, "rs"));
    for file in all {
        for (number, line) in read(&file).lines().enumerate() {
            let line = line.split("//").next().unwrap_or("");
            for word in &words {
                assert!(
                    !line.contains(word),
                    "{}:{}: {line}",
                    file.display(),
                    number + 1
                );
            }
        }
    }
}

#[test]
fn the_wall_clock_is_for_showing_only() {
    // Timers and time stamps come from one file, which says how it turns the kernel's wall-clock
    // stamps into monotonic ones. Elsewhere in the network code there is no wall clock at all.
    for file in files("crates/net/src", "rs") {
        for (number, line) in code(&file) {
            let converts = file.ends_with("clock.rs");
            let wall = line.contains("SystemTime") || line.contains("CLOCK_REALTIME");
            assert!(!wall || converts, "{}:{number}: {line}", file.display());
        }
    }
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    let mut checked = 0;
    for file in files("", "md") {
        let text = read(&file);
        let directory = file.parent().unwrap_or(Path::new(""));
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or("");
            let path = target.split('#').next().unwrap_or("");
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            checked += 1;
            let there = root().join(directory).join(path);
            assert!(there.exists(), "{}: no {target}", file.display());
        }
    }
    assert!(checked > 0, "no link in any page?");
}

/// The words of a page that are set as code.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn paths_that_pages_name_exist() {
    let tops = [
        "crates/",
        "tests/",
        "doc/",
        "conf-samples/",
        "fuzz/",
        "src/",
    ];
    let mut checked = 0;
    for page in files("", "md") {
        // That of differences has paths relative to what its sections say; another test reads it.
        // Those inside a crate may speak of other people's files.
        if page.ends_with("doc/compatibility.md") || page.starts_with("crates") {
            continue;
        }
        for word in quoted(&read(&page)) {
            let is_path = tops.iter().any(|top| word.starts_with(top));
            if is_path && !word.contains(char::is_whitespace) {
                checked += 1;
                assert!(root().join(word).exists(), "{}: no {word}", page.display());
            }
        }
    }
    assert!(checked > 10, "{checked} paths are named");
}

/// The requirements that some test names above it (`//= ID`).
fn proven_requirements() -> BTreeSet<String> {
    ["crates", "tests"]
        .into_iter()
        .flat_map(|directory| files(directory, "rs"))
        .flat_map(|file| {
            let text = read(file);
            let tags = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("//= "));
            let ids = tags.flat_map(|tag| tag.split([' ', ',']));
            ids.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_difference_names_a_test_that_exists() {
    let page = read("doc/compatibility.md");
    let proven = proven_requirements();
    let mut named = 0;
    for section in page.split("\n## ").skip(1) {
        let (intro, table) = section.split_once("\n|").unwrap_or((section, ""));
        // "The tests are in `crates/x/tests`": what the rows name lies there or further out.
        let mut places = vec![root().to_owned()];
        for base in quoted(intro).filter(|word| word.contains('/')) {
            places.extend(Path::new(base).ancestors().map(|place| root().join(place)));
        }
        let exists = |path: &str| places.iter().any(|place| place.join(path).exists());
        let mut rows = table.lines();
        let last_column_is_tests = rows.next().is_some_and(|head| head.ends_with("| test |"));
        for row in rows.skip(1).take_while(|row| row.starts_with('|')) {
            for word in quoted(row) {
                let is_path = word.ends_with(".rs")
                    || ["crates/", "tests/"]
                        .iter()
                        .any(|top| word.starts_with(top));
                let module = word
                    .strip_prefix("lvs::")
                    .map(|it| format!("tests/lvs/{it}.rs"));
                let path = module.or_else(|| is_path.then(|| word.to_owned()));
                if let Some(path) = path {
                    named += 1;
                    assert!(exists(&path), "doc/compatibility.md: no {path}:\n{row}");
                }
            }
            let cell = row
                .trim_end_matches([' ', '|'])
                .rsplit('|')
                .next()
                .unwrap_or("");
            if last_column_is_tests && !cell.contains('`') {
                for id in cell
                    .split(", ")
                    .map(str::trim)
                    .filter(|id| id.contains('-'))
                {
                    named += 1;
                    assert!(
                        proven.contains(id),
                        "doc/compatibility.md: no test of {id}:\n{row}"
                    );
                }
            }
        }
    }
    assert!(named > 80, "{named} tests are named");
}

#[test]
fn every_sample_is_explained() {
    let page = read("conf-samples/README.md");
    for entry in fs::read_dir(root().join("conf-samples")).expect("conf-samples/") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        assert!(
            !path.is_dir() || page.contains(&format!("[{name}]({name})")),
            "conf-samples/README.md does not know {name}"
        );
    }
}

#[test]
fn the_promises_of_the_architecture_page_are_the_ones_kept_here() {
    let page = read("doc/architecture.md");
    for (name, _) in ARROWS {
        assert!(
            page.contains(name),
            "doc/architecture.md does not know crate {name}"
        );
    }
    for module in UNSAFE_ALLOWED {
        let crate_name = module.split('/').nth(1).expect("crates/NAME/src/MODULE.rs");
        let stem = Path::new(module)
            .file_stem()
            .and_then(|s| s.to_str())
            .expect("a name");
        let told = page.lines().any(|line| {
            line.contains("unsafe")
                && line.contains(&format!("`{stem}`"))
                && line.contains(&format!("`{crate_name}`"))
        });
        assert!(
            told,
            "doc/architecture.md does not say that {module} holds unsafe code"
        );
    }
}
