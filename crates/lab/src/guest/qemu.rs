//! Debian's kernel in an emulated machine: all that Debian's kernel has, at a tenth of the speed.
//! It boots in about ten seconds.
//!
//! ```text
//!  host                               guest
//!  / (9p, read-only)       ─────────► lower layer of its root directory
//!  shared directories (9p) ◄────────► the same paths
//!  stdout                  ◄───────── ttyS1: what the scenario writes
//!  stderr                  ◄───────── ttyS0: the kernel's messages
//! ```
//!
//! An initial memory file system of a few programs of the machine loads the kernel's drivers for
//! this, mounts it, and goes on as every guest does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::archive::Archive;
use super::boot::{Need, find, in_namespace};
use super::{Guest, GuestError};

const EMULATOR: &str = "qemu-system-x86_64";
/// What it needs of the machine, besides [`image`].
pub(super) const NEEDS: &[Need] = &[
    (EMULATOR, "qemu-system-x86"),
    ("ldd", "libc-bin"),
    ("switch_root", "util-linux"),
];
/// Where kernels are, and their modules.
const KERNELS: &str = "/boot";
const KERNEL: &str = "vmlinuz-";
const MODULES: &str = "/lib/modules";
/// Debian's kernels for PCs.
const FLAVOUR: &str = "-amd64";
/// Drivers of what the machine has, and of the file systems on it.
const DRIVERS: &[&str] = &["virtio_pci", "virtio_rng", "9pnet_virtio", "9p", "overlay"];
/// The programs of the first steps.
const PROGRAMS: &[&str] = &["sh", "mount", "mkdir", "stat", "insmod", "switch_root"];
/// How a directory of the host is mounted.
const MOUNT: &str = "mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144";

/// Process 1, behind the loading of drivers.
const INIT: &str = r#"
mkdir /low /rw /new
mount -t tmpfs tmpfs /rw || fail 'no memory file system'
mkdir /rw/over /rw/work
MOUNT,cache=loose,ro root /low || fail 'no root directory'
mount -t overlay -o lowerdir=/low,upperdir=/rw/over,workdir=/rw/work overlay /new \
    || fail 'no overlay'
mount -t devtmpfs dev /new/dev && mount -t proc proc /new/proc && mount -t sysfs sysfs /new/sys \
    && mount -t tmpfs -o mode=755 tmpfs /new/run || fail 'no file systems of the kernel'
mkdir /new/run/guest /new/run/lock
MOUNT,cache=none guest /new/run/guest || fail 'no shared directory'
# See the other kernel's guests: an ordinary user's files of root belong to somebody else.
again=
[ "$(stat -c %u /new)" = 0 ] || again='/usr/bin/setpriv --no-new-privs'
exec switch_root /new $again /bin/sh /run/guest/second
fail 'cannot change the root directory'
"#;

/// A kernel image and its release.
pub(super) struct Image {
    file: PathBuf,
    release: String,
}

/// The newest kernel that is here with its modules.
///
/// # Errors
/// There is none.
pub(super) fn image() -> Result<Image, GuestError> {
    let release = |file: &Path| {
        let name = file.file_name()?.to_str()?;
        let release = name.strip_prefix(KERNEL)?;
        (release.ends_with(FLAVOUR) && Path::new(MODULES).join(release).exists())
            .then(|| release.to_owned())
    };
    let kernels = std::fs::read_dir(KERNELS).into_iter().flatten().flatten();
    let images = kernels.filter_map(|entry| {
        let file = entry.path();
        std::fs::File::open(&file).ok()?;
        let release = release(&file)?;
        Some(Image { file, release })
    });
    let newest = images.max_by_key(|image| {
        let numbers = image.release.split(|c: char| !c.is_ascii_digit());
        numbers
            .map(|n| n.parse().unwrap_or(0))
            .collect::<Vec<u64>>()
    });
    newest.ok_or(GuestError::Missing {
        program: "a kernel in /boot",
        package: "linux-image-amd64",
    })
}

/// The words that mount shared directory `number`, before its path.
pub(super) fn mount(number: usize) -> String {
    format!("{MOUNT},cache=none share{number} ")
}

/// The command that boots it; its stdout is what the scenario writes, its stderr the kernel's.
pub(super) fn command(guest: &Guest, directory: &Path) -> Result<Command, GuestError> {
    let image = image()?;
    let first = directory.join("initramfs");
    std::fs::write(&first, memory_file_system(&image.release)?)?;
    let mut command = in_namespace(EMULATOR);
    command
        .args(["-accel", "tcg,thread=single", "-machine", "pc"])
        // Nothing that a program asks for first, but random numbers.
        .args(["-cpu", "qemu64,+rdrand", "-m", &guest.memory.to_string()])
        .args([
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
        ])
        .args(["-serial", "file:/dev/fd/2", "-serial", "file:/dev/fd/1"])
        .args(["-object", "rng-random,filename=/dev/urandom,id=random"])
        .args(["-device", "virtio-rng-pci,rng=random"])
        .args(["-kernel".as_ref(), image.file.as_os_str()])
        .args(["-initrd".as_ref(), first.as_os_str()])
        .args([
            "-append",
            "console=ttyS0 quiet oops=panic panic=-1 mitigations=off nokaslr random.trust_cpu=on",
        ])
        .args([
            "-virtfs",
            &export(Path::new("/"), "root", "readonly=on,multidevs=remap"),
        ])
        .args(["-virtfs", &export(directory, "guest", "multidevs=remap")]);
    for (number, shared) in guest.shared.iter().enumerate() {
        let tag = format!("share{number}");
        command.args(["-virtfs", &export(shared, &tag, "multidevs=remap")]);
    }
    Ok(command)
}

fn export(directory: &Path, tag: &str, more: &str) -> String {
    // The emulator's way to write a comma.
    let directory = directory.display().to_string().replace(',', ",,");
    format!("local,path={directory},mount_tag={tag},security_model=none,{more}")
}

/// The first file system: programs, what they are linked with, drivers, process 1.
fn memory_file_system(release: &str) -> Result<Vec<u8>, GuestError> {
    let missing = |program| GuestError::Missing {
        program,
        package: "util-linux",
    };
    let mut files = BTreeSet::new();
    for program in PROGRAMS {
        let file = find(program).ok_or_else(|| missing(program))?;
        files.extend(linked(&file)?);
        files.insert(file);
    }
    let mut archive = Archive::default();
    for directory in ["dev", "proc", "bin"] {
        archive.directory(directory);
    }
    let mut init = "#!/bin/sh\nexport PATH=".to_owned();
    let directories: BTreeSet<_> = files.iter().filter_map(|file| file.parent()).collect();
    let directories: Vec<_> = directories
        .iter()
        .map(|it| it.display().to_string())
        .collect();
    init.push_str(&directories.join(":"));
    init.push_str(
        "\nmount -t devtmpfs dev /dev\nmount -t proc proc /proc\nexec < /dev/null > /dev/console 2>&1\n\
         fail() { echo \"guest: $1\"; echo o > /proc/sysrq-trigger; while :; do :; done; }\n",
    );
    for (number, driver) in drivers(release)?.iter().enumerate() {
        let name = format!("driver{number}");
        archive.file(&name, 0o644, &std::fs::read(driver)?);
        let _ = writeln!(
            init,
            "insmod /{name} || fail 'no driver {}'",
            driver.display()
        );
    }
    init.push_str(&INIT.replace("MOUNT", MOUNT));
    for file in &files {
        archive.file(&file.display().to_string(), 0o755, &std::fs::read(file)?);
    }
    let shell = find("sh").ok_or_else(|| missing("sh"))?;
    archive.file("/bin/sh", 0o755, &std::fs::read(shell)?);
    archive.file("/init", 0o755, init.as_bytes());
    Ok(archive.end())
}

/// The libraries of a program, and its loader.
fn linked(program: &Path) -> std::io::Result<Vec<PathBuf>> {
    let output = Command::new("ldd")
        .arg(program)
        .stdin(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = text.split_whitespace();
    Ok(words
        .filter(|word| word.starts_with('/'))
        .map(Into::into)
        .collect())
}

/// The files of all drivers, in the order in which they are to be loaded.
fn drivers(release: &str) -> Result<Vec<PathBuf>, GuestError> {
    let modprobe = find("modprobe").unwrap_or_else(|| "modprobe".into());
    let mut files = Vec::new();
    for driver in DRIVERS {
        let output = Command::new(&modprobe)
            .args(["--set-version", release, "--show-depends", driver])
            .stdin(Stdio::null())
            .output()?;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            // A driver that is built in says so in another word.
            let file = line
                .strip_prefix("insmod ")
                .and_then(|it| it.split(' ').next());
            let file = file.map(PathBuf::from);
            files.extend(file.filter(|file| !files.contains(file)));
        }
    }
    Ok(files)
}
