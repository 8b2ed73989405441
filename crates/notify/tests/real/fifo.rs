//! Named pipes.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rk_notify::{Fifo, FifoError, FifoScript, FifoSettings, Source, State, Transition, Written};
use rk_script::{Credentials, Umask};

use crate::lab::{Lab, Log, until_dead};

fn settings(path: impl AsRef<Path>) -> FifoSettings {
    let (path, owner) = (path.as_ref().to_owned(), Credentials::current());
    FifoSettings {
        path,
        owner,
        umask: Umask::default(),
    }
}

fn reader(path: &Path) -> File {
    OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)
        .unwrap()
}

fn line(name: &str) -> String {
    let source = Source::Instance(name.into());
    Transition {
        source,
        state: State::Master,
        priority: 100,
    }
    .line()
}

#[test]
fn a_new_pipe_is_private_carries_lines_and_goes() {
    let lab = Lab::new();
    let path = lab.path("fifo");
    let mut fifo = Fifo::open(settings(&path)).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    // Written before anyone reads, and neither blocks nor fails.
    assert_eq!(fifo.write(&line("A")), Written::Whole);
    let mut lines = BufReader::new(reader(&path));
    assert_eq!(fifo.write(&line("B")), Written::Whole);
    let mut text = String::new();
    lines.read_line(&mut text).unwrap();
    lines.read_line(&mut text).unwrap();
    assert_eq!(
        text,
        "INSTANCE \"A\" MASTER 100\nINSTANCE \"B\" MASTER 100\n"
    );
    drop(fifo);
    assert!(!path.exists());
}

#[test]
fn the_mask_decides_the_mode() {
    let lab = Lab::new();
    let settings = FifoSettings {
        umask: Umask(0o137),
        ..settings(lab.path("fifo"))
    };
    let fifo = Fifo::open(settings).unwrap();
    assert_eq!(
        fs::metadata(fifo.path()).unwrap().permissions().mode() & 0o7777,
        0o640
    );
}

#[test]
fn one_that_exists_is_used_as_it_is_and_stays() {
    let lab = Lab::new();
    let path = lab.path("fifo");
    mkfifo(&path, Mode::from_bits_truncate(0o600)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let mut fifo = Fifo::open(settings(&path)).unwrap();
    assert_eq!(fifo.write("x\n"), Written::Whole);
    drop(fifo);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o666
    );
}

#[test]
fn whatever_else_is_there_is_left_alone() {
    let lab = Lab::new();
    let (file, link) = (lab.path("file"), lab.path("link"));
    fs::write(&file, "precious").unwrap();
    assert!(matches!(
        Fifo::open(settings(&file)),
        Err(FifoError::NotAFifo(_))
    ));
    mkfifo(&lab.path("target"), Mode::from_bits_truncate(0o600)).unwrap();
    symlink("target", &link).unwrap();
    assert!(matches!(
        Fifo::open(settings(&link)),
        Err(FifoError::NotAFifo(_))
    ));
    let nowhere = Fifo::open(settings(lab.path("no/such/place")))
        .unwrap_err()
        .to_string();
    assert!(nowhere.starts_with("cannot create FIFO "), "{nowhere}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(link.exists());
}

#[test]
fn a_strangers_pipe_is_refused() {
    let lab = Lab::new();
    let path = lab.path("fifo");
    mkfifo(&path, Mode::from_bits_truncate(0o600)).unwrap();
    if std::os::unix::fs::chown(&path, Some(54321), None).is_err() {
        eprintln!("skipped: needs root over more than one user");
        return;
    }
    let stranger = Fifo::open(settings(&path));
    assert!(
        matches!(stranger, Err(FifoError::ForeignOwner { uid: 54321, .. })),
        "{stranger:?}"
    );
    let theirs = Credentials {
        uid: 54321,
        gid: 54321,
        groups: vec![],
    };
    assert!(
        Fifo::open(FifoSettings {
            owner: theirs,
            ..settings(&path)
        })
        .is_ok()
    );
}

#[test]
fn a_new_pipe_belongs_to_the_script_user() {
    let lab = Lab::new();
    let owner = Credentials {
        uid: 54321,
        gid: 54322,
        groups: vec![],
    };
    let settings = FifoSettings {
        owner,
        ..settings(lab.path("fifo"))
    };
    match Fifo::open(settings) {
        Ok(fifo) => {
            let found = fs::metadata(fifo.path()).unwrap();
            assert_eq!((found.uid(), found.gid()), (54321, 54322));
        }
        Err(FifoError::Kernel {
            step: "set the owner of",
            ..
        }) => {
            eprintln!("skipped: needs root over more than one user");
            assert!(!lab.path("fifo").exists(), "half-made pipe left behind");
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_full_pipe_loses_whole_lines_says_so_once_and_recovers() {
    let lab = Lab::new();
    let log = Log::capture();
    let path = lab.path("fifo");
    let mut fifo = Fifo::open(settings(&path)).unwrap();
    let long = format!("{}\n", "x".repeat(4000));
    let mut written = 0;
    while fifo.write(&long) == Written::Whole {
        written += 1;
        assert!(written < 100_000, "the pipe never fills");
    }
    assert_eq!(fifo.write(&long), Written::Lost);
    log.wait_until("the loss", |line| {
        line.ends_with("it is full, is its reader running?")
    })
    .await;
    let mut text = vec![0; written * long.len()];
    reader(&path).read_exact(&mut text).unwrap();
    assert!(
        text.chunks(long.len()).all(|line| line == long.as_bytes()),
        "a line was torn"
    );
    assert_eq!(fifo.write(&line("A")), Written::Whole);
    log.wait_until("the recovery", |line| {
        line.ends_with("read again, 2 lines were lost")
    })
    .await;
    let torn = format!("{}\n", "x".repeat(5000));
    assert_eq!(
        fifo.write(&torn),
        Written::Lost,
        "longer than a pipe takes in one piece"
    );
}

#[tokio::test]
async fn the_script_gets_the_path_last_and_ends_with_its_handle() {
    let lab = Lab::new();
    let path = lab.path("fifo");
    let mut fifo = Fifo::open(settings(&path)).unwrap();
    let body = "echo \"$# $1 $2\" > args; echo $$ > pid; while read l; do echo \"$l\" >> read; done <\"$2\"";
    let command = lab.script("reader.sh", body).args(["word"]);
    let script = FifoScript::start(command.clone(), &path, "vrrp");
    assert_eq!(script.command(), &command);
    assert_eq!(
        lab.lines("args").await,
        format!("2 word {}\n", path.display())
    );
    fifo.write(&line("A"));
    assert_eq!(lab.lines("read").await, line("A"));
    let pid = lab.lines("pid").await;
    drop(script);
    until_dead(&pid).await;
}

#[tokio::test]
async fn a_script_that_ends_is_reported_and_so_is_one_that_cannot_start() {
    let lab = Lab::new();
    let log = Log::capture();
    let short = FifoScript::start(lab.script("short.sh", "exit 1"), Path::new("/x"), "vrrp");
    log.wait_for("vrrp notify fifo script terminated").await;
    let gone = rk_script::Command::new(lab.path("gone"), Credentials::current());
    let absent = FifoScript::start(gone, Path::new("/x"), "lvs");
    log.wait_until("the error", |line| {
        line.starts_with("lvs notify fifo script: ")
    })
    .await;
    drop((short, absent));
}
