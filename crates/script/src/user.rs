//! Users and groups that scripts run as.

use std::ffi::CString;

use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid, getgrouplist};

/// Numeric user, group and supplementary groups of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups; empty means none at all.
    pub groups: Vec<u32>,
}

/// Which supplementary groups a script gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Supplementary {
    /// None.
    #[default]
    None,
    /// All groups that the user is a member of.
    OfUser,
}

/// A name that the system's user or group database does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownUser {
    /// No such user.
    #[error("unknown user `{0}`")]
    User(String),
    /// No such group.
    #[error("unknown group `{0}`")]
    Group(String),
    /// The user exists, but its group list cannot be read.
    #[error("cannot read the groups of user `{user}`: {errno}")]
    Groups {
        /// The user's name.
        user: String,
        /// What the C library said.
        errno: nix::Error,
    },
}

impl Credentials {
    /// Those of this very process, without supplementary groups.
    #[must_use]
    pub fn current() -> Self {
        Self {
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            groups: Vec::new(),
        }
    }

    /// Those of the named user and group; without a group, the user's own.
    ///
    /// A name of digits is taken as a number if there is no such name. Asks the user database,
    /// which may be on the network: for start and reload only.
    ///
    /// # Errors
    /// [`UnknownUser`] names what does not exist.
    pub fn resolve(
        user: &str,
        group: Option<&str>,
        supplementary: Supplementary,
    ) -> Result<Self, UnknownUser> {
        let no_user = || UnknownUser::User(user.to_owned());
        let found = User::from_name(user)
            .ok()
            .flatten()
            .or_else(|| {
                let uid = Uid::from_raw(user.parse().ok()?);
                User::from_uid(uid).ok().flatten()
            })
            .ok_or_else(no_user)?;
        let gid = match group {
            None => found.gid,
            Some(name) => group_id(name).ok_or_else(|| UnknownUser::Group(name.to_owned()))?,
        };
        let groups = match supplementary {
            Supplementary::None => Vec::new(),
            Supplementary::OfUser => {
                let name = CString::new(found.name.as_str()).map_err(|_| no_user())?;
                let list = getgrouplist(&name, gid).map_err(|errno| UnknownUser::Groups {
                    user: found.name.clone(),
                    errno,
                })?;
                list.into_iter().map(Gid::as_raw).collect()
            }
        };
        Ok(Self {
            uid: found.uid.as_raw(),
            gid: gid.as_raw(),
            groups,
        })
    }
}

/// The id of the group called `name`, or numbered so.
fn group_id(name: &str) -> Option<Gid> {
    if let Ok(Some(group)) = Group::from_name(name) {
        return Some(group.gid);
    }
    let gid = Gid::from_raw(name.parse().ok()?);
    Group::from_gid(gid).ok().flatten().map(|group| group.gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_resolved_by_name_and_by_number() {
        let root = Credentials {
            uid: 0,
            gid: 0,
            groups: vec![],
        };
        assert_eq!(
            Credentials::resolve("root", None, Supplementary::None),
            Ok(root.clone())
        );
        assert_eq!(
            Credentials::resolve("0", Some("0"), Supplementary::None),
            Ok(root)
        );
        let all = Credentials::resolve("root", None, Supplementary::OfUser).unwrap();
        assert!(all.groups.contains(&0), "{:?}", all.groups);
    }

    #[test]
    fn unknown_names_are_named() {
        assert_eq!(
            Credentials::resolve("nosuchuser9", None, Supplementary::None),
            Err(UnknownUser::User("nosuchuser9".into()))
        );
        assert_eq!(
            Credentials::resolve("root", Some("nosuchgroup9"), Supplementary::None),
            Err(UnknownUser::Group("nosuchgroup9".into()))
        );
    }
}
