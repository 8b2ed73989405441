//! Whether a script can be run, and whether someone who is not root could swap it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{Metadata, read_link, symlink_metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::user::Credentials;

/// How many symbolic links a path may lead through, as in the kernel.
const MAX_LINKS: usize = 40;
/// `st_mode`: set user id, set group id, sticky.
const SET_UID: u32 = 0o4000;
/// See [`SET_UID`].
const SET_GID: u32 = 0o2000;
/// See [`SET_UID`].
const STICKY: u32 = 0o1000;

/// Where bare script names are looked for, as in the variable `PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPath(pub OsString);

impl SearchPath {
    /// The daemon's `PATH`, else the system's default.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self(std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into()))
    }
}

/// A part of a script's path that others than root can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The directory, link or file.
    pub component: PathBuf,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its permission bits (`st_mode & 0o7777`).
    pub mode: u32,
}

/// Says what is wrong and how it is put right.
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.component.display();
        if self.uid == 0 {
            write!(
                f,
                "{at} has mode {:04o} and gid {}: `chmod go-w {at}`",
                self.mode, self.gid
            )
        } else {
            write!(f, "{at} belongs to uid {}: `chown root {at}`", self.uid)
        }
    }
}

/// What is known about a script that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The file, found by way of the search path if the name was a bare one.
    pub path: PathBuf,
    /// Whether the search path was needed.
    pub searched: bool,
    /// Why it is unsafe to run it as root; always empty if it would not run as root.
    pub flaws: Vec<Flaw>,
}

/// Why a script cannot be run. Prints as keepalived says it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It does not exist, is in no directory of the search path, or cannot be looked at.
    #[error("Script {} cannot be accessed - {}", script.display(), errno.desc())]
    Inaccessible {
        /// As configured.
        script: PathBuf,
        /// Why.
        errno: nix::Error,
    },
    /// It is a directory, a socket, a device.
    #[error("Wrong file type found in script path '{}'.", script.display())]
    NotAFile {
        /// As configured.
        script: PathBuf,
    },
    /// The user it would run as may not execute it.
    #[error("WARNING - script '{}' is not executable for uid:gid {uid}:{gid} - disabling.", script.display())]
    NotExecutable {
        /// As configured.
        script: PathBuf,
        /// Whom it would run as.
        uid: u32,
        /// And as which group.
        gid: u32,
    },
}

/// Looks at `program` as `user` would run it.
///
/// What could run as root (or as root's group, or by a set-id bit) is walked component by
/// component, through every symbolic link and what it leads to: each must belong to root and be
/// writable by nobody else; a group counts as nobody else if it is root's, and a directory that
/// anyone may write to is fine if it is sticky.
///
/// # Errors
/// [`Unusable`] if it would not run at all.
pub fn inspect(
    program: &OsStr,
    user: &Credentials,
    search: &SearchPath,
) -> Result<Inspection, Unusable> {
    let searched = !program.as_bytes().contains(&b'/');
    let path = if searched {
        find(program, user, search)?
    } else {
        let absolute = std::path::absolute(program);
        absolute.map_err(|e| inaccessible(program, &e))?
    };
    let steps = walk(&path).map_err(|e| inaccessible(program, &e))?;
    check_usable(program, &steps, user)?;
    let by_set_id = steps.last().is_some_and(|file| {
        let mode = file.metadata.mode();
        (mode & SET_UID != 0 && file.metadata.uid() == 0)
            || (mode & SET_GID != 0 && file.metadata.gid() == 0)
    });
    let flaws = if user.is_privileged() || by_set_id {
        steps.iter().filter_map(Step::flaw).collect()
    } else {
        Vec::new()
    };
    Ok(Inspection {
        path,
        searched,
        flaws,
    })
}

/// The first file in the search path that `user` may execute.
fn find(name: &OsStr, user: &Credentials, search: &SearchPath) -> Result<PathBuf, Unusable> {
    let mut refusal = None;
    // An empty element would mean the current directory, which is nobody's wish here.
    for directory in std::env::split_paths(&search.0).filter(|d| d.is_absolute()) {
        let path = directory.join(name);
        let Ok(steps) = walk(&path) else { continue };
        match check_usable(name, &steps, user) {
            Ok(()) => return Ok(path),
            Err(why) => refusal = refusal.or(Some(why)),
        }
    }
    Err(refusal.unwrap_or_else(|| Unusable::Inaccessible {
        script: name.into(),
        errno: nix::Error::ENOENT,
    }))
}

fn inaccessible(program: &OsStr, error: &std::io::Error) -> Unusable {
    let errno = error
        .raw_os_error()
        .map_or(nix::Error::UnknownErrno, nix::Error::from_raw);
    Unusable::Inaccessible {
        script: program.into(),
        errno,
    }
}

/// Whether the way walked ends in a regular file that `user` may reach and execute.
fn check_usable(program: &OsStr, steps: &[Step], user: &Credentials) -> Result<(), Unusable> {
    let script = || PathBuf::from(program);
    let file = steps.last().filter(|step| step.metadata.is_file());
    let Some(file) = file else {
        return Err(Unusable::NotAFile { script: script() });
    };
    let reachable = steps
        .iter()
        .filter(|step| step.metadata.is_dir())
        .all(|d| d.lets_in(user));
    if !reachable || !file.lets_in(user) {
        return Err(Unusable::NotExecutable {
            script: script(),
            uid: user.uid,
            gid: user.gid,
        });
    }
    Ok(())
}

/// One directory, link or file on the way to a script.
struct Step {
    path: PathBuf,
    metadata: Metadata,
}

impl Step {
    /// Whether `user` may search this directory or execute this file. Access lists are not looked
    /// at: exec has the last word.
    fn lets_in(&self, user: &Credentials) -> bool {
        let mode = self.metadata.mode();
        let in_group =
            user.gid == self.metadata.gid() || user.groups.contains(&self.metadata.gid());
        let needed = if user.uid == 0 {
            if self.metadata.is_dir() {
                return true;
            }
            0o111
        } else if user.uid == self.metadata.uid() {
            0o100
        } else if in_group {
            0o010
        } else {
            0o001
        };
        mode & needed != 0
    }

    /// What others than root can do to this component, if anything.
    fn flaw(&self) -> Option<Flaw> {
        let m = &self.metadata;
        let is_flawed = if m.is_symlink() {
            m.uid() != 0
        } else {
            others_can_write(m.uid(), m.gid(), m.mode(), m.is_dir())
        };
        is_flawed.then(|| Flaw {
            component: self.path.clone(),
            uid: m.uid(),
            gid: m.gid(),
            mode: m.mode() & 0o7777,
        })
    }
}

/// Whether someone else than root can change such a file, or replace what is in such a directory.
fn others_can_write(uid: u32, gid: u32, mode: u32, is_dir: bool) -> bool {
    let writable = mode & 0o002 != 0 || (mode & 0o020 != 0 && gid != 0);
    uid != 0 || (writable && !(is_dir && mode & STICKY != 0))
}

/// Every component of the absolute `path` from `/` on, with the symbolic links on the way.
fn walk(path: &Path) -> std::io::Result<Vec<Step>> {
    let mut at = PathBuf::from("/");
    let mut steps = vec![Step {
        path: at.clone(),
        metadata: symlink_metadata(&at)?,
    }];
    // What is still to be walked, last component first.
    let mut ahead: Vec<OsString> = parts(path).collect();
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let here = at.join(&name);
        let metadata = symlink_metadata(&here)?;
        let is_link = metadata.is_symlink();
        steps.push(Step {
            path: here.clone(),
            metadata,
        });
        if !is_link {
            at = here;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(std::io::Error::from_raw_os_error(nix::libc::ELOOP));
        }
        let target = read_link(&here)?;
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        ahead.extend(parts(&target));
    }
    Ok(steps)
}

/// The names in `path`, last one first; what is neither a name nor `..` does not matter.
fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components()
        .rev()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A directory `d` with an executable `d/s.sh` in it.
    fn script() -> (tempfile::TempDir, PathBuf) {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("d")).unwrap();
        chmod(&top.path().join("d"), 0o755);
        chmod(top.path(), 0o755);
        let file = top.path().join("d/s.sh");
        fs::write(&file, "#!/bin/sh\n").unwrap();
        chmod(&file, 0o755);
        (top, file)
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn root() -> Credentials {
        Credentials {
            uid: 0,
            gid: 0,
            groups: vec![],
        }
    }

    fn no_search() -> SearchPath {
        SearchPath(OsString::new())
    }

    /// The flaws below `top`, by name; outside of it the machine may be as it likes.
    fn flaws(top: &Path, file: &Path) -> Vec<(String, u32)> {
        let found = inspect(file.as_os_str(), &root(), &no_search()).unwrap();
        let inside = |f: &Flaw| Some(f.component.strip_prefix(top).ok()?.display().to_string());
        found
            .flaws
            .iter()
            .filter_map(|f| Some((inside(f)?, f.mode)))
            .collect()
    }

    #[test]
    fn what_keepalived_calls_insecure() {
        // (uid, gid, mode, is a directory, insecure), as keepalived 2.2.7 decides.
        for (uid, gid, mode, is_dir, insecure) in [
            (0, 0, 0o755, false, false),
            (0, 0, 0o775, true, false),
            (0, 0, 0o775, false, false),
            (0, 1, 0o775, true, true),
            (0, 1, 0o775, false, true),
            (0, 0, 0o1777, true, false),
            (0, 0, 0o777, true, true),
            (0, 0, 0o1777, false, true),
            (1, 0, 0o755, true, true),
            (1, 0, 0o755, false, true),
            (0, 1, 0o1775, true, false),
            (1, 0, 0o1777, true, true),
        ] {
            let found = others_can_write(uid, gid, mode, is_dir);
            assert_eq!(found, insecure, "{uid}:{gid} {mode:o} dir={is_dir}");
        }
    }

    #[test]
    fn the_flawed_component_is_named_with_its_mode() {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: needs root");
            return;
        }
        let (top, file) = script();
        assert_eq!(flaws(top.path(), &file), []);
        chmod(&top.path().join("d"), 0o777);
        assert_eq!(flaws(top.path(), &file), [("d".to_owned(), 0o777)]);
        chmod(&file, 0o757);
        assert_eq!(
            flaws(top.path(), &file),
            [("d".into(), 0o777), ("d/s.sh".into(), 0o757)]
        );
        let flaw = Flaw {
            component: "/x".into(),
            uid: 0,
            gid: 0,
            mode: 0o777,
        };
        assert_eq!(
            flaw.to_string(),
            "/x has mode 0777 and gid 0: `chmod go-w /x`"
        );
    }

    #[test]
    fn both_sides_of_a_link_are_walked() {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: needs root");
            return;
        }
        let (top, file) = script();
        let link = top.path().join("link");
        symlink("d/../d", &link).unwrap();
        assert_eq!(
            flaws(top.path(), &link.join("s.sh")),
            [],
            "a clean link is fine"
        );
        chmod(file.parent().unwrap(), 0o777);
        let found = flaws(top.path(), &link.join("s.sh"));
        assert!(found.contains(&("d".into(), 0o777)), "{found:?}");
    }

    #[test]
    fn only_what_runs_as_root_is_judged() {
        let (top, file) = script();
        chmod(&top.path().join("d"), 0o777);
        let nobody = Credentials {
            uid: 65534,
            gid: 65534,
            groups: vec![],
        };
        let found = inspect(file.as_os_str(), &nobody, &no_search()).unwrap();
        assert_eq!(
            found,
            Inspection {
                path: file,
                searched: false,
                flaws: vec![]
            }
        );
    }

    #[test]
    fn unusable_scripts_are_told_apart() {
        let (top, file) = script();
        let missing = top.path().join("gone");
        assert_eq!(
            inspect(missing.as_os_str(), &root(), &no_search())
                .unwrap_err()
                .to_string(),
            format!(
                "Script {} cannot be accessed - No such file or directory",
                missing.display()
            )
        );
        let directory = inspect(top.path().as_os_str(), &root(), &no_search());
        assert_eq!(
            directory,
            Err(Unusable::NotAFile {
                script: top.path().into()
            })
        );
        chmod(&file, 0o644);
        assert_eq!(
            inspect(file.as_os_str(), &root(), &no_search()),
            Err(Unusable::NotExecutable {
                script: file.clone(),
                uid: 0,
                gid: 0
            })
        );
        let round = top.path().join("round");
        symlink("round", &round).unwrap();
        assert!(matches!(
            inspect(round.as_os_str(), &root(), &no_search()),
            Err(Unusable::Inaccessible {
                errno: nix::Error::ELOOP,
                ..
            })
        ));
    }

    #[test]
    fn execution_is_asked_for_the_class_the_user_is_in() {
        let (_top, file) = script();
        let m = fs::metadata(&file).unwrap();
        let other = |uid, gid, groups: &[u32]| Credentials {
            uid,
            gid,
            groups: groups.to_vec(),
        };
        chmod(&file, 0o610);
        let runs = |user: &Credentials| inspect(file.as_os_str(), user, &no_search()).is_ok();
        assert!(!runs(&other(54321, 54321, &[])));
        assert!(runs(&other(54321, m.gid(), &[])));
        assert!(runs(&other(54321, 54321, &[m.gid()])));
        chmod(&file, 0o701);
        assert!(runs(&other(54321, 54321, &[])));
        assert!(
            !runs(&other(54321, m.gid(), &[])),
            "the group's bits count, not the others'"
        );
    }

    #[test]
    fn bare_names_are_searched_for() {
        let (top, file) = script();
        let search = SearchPath(format!(":/nonexistent:{}/d", top.path().display()).into());
        let found = inspect(OsStr::new("s.sh"), &root(), &search).unwrap();
        assert_eq!(
            (found.path.as_path(), found.searched),
            (file.as_path(), true)
        );
        chmod(&file, 0o644);
        assert!(matches!(
            inspect(OsStr::new("s.sh"), &root(), &search),
            Err(Unusable::NotExecutable { .. })
        ));
        assert!(matches!(
            inspect(OsStr::new("nosuch"), &root(), &search),
            Err(Unusable::Inaccessible {
                errno: nix::Error::ENOENT,
                ..
            })
        ));
    }
}
