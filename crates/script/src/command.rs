//! What is to be run.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use crate::user::Credentials;

/// A file mode creation mask, as `umask(2)` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Umask(pub u32);

impl Default for Umask {
    /// keepalived's own: nobody but the owner, and nothing executable.
    fn default() -> Self {
        Self(0o177)
    }
}

/// One command: the file, its argument vector, and whom it runs as.
///
/// There is no shell between: words are passed on as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The file that is executed, as it is: no search path is looked through.
    pub path: PathBuf,
    /// `argv`, with `argv[0]` as it was configured.
    pub argv: Vec<OsString>,
    /// User and groups the process gets.
    pub user: Credentials,
    /// The process's file mode creation mask.
    pub umask: Umask,
}

impl Command {
    /// The command `program` without arguments, run by `user` under the default mask.
    #[must_use]
    pub fn new(program: impl Into<OsString>, user: Credentials) -> Self {
        let program = program.into();
        Self {
            path: PathBuf::from(&program),
            argv: vec![program],
            user,
            umask: Umask::default(),
        }
    }

    /// The command made of configured words, `argv[0]` first; `None` if there are none.
    #[must_use]
    pub fn from_words(
        words: impl IntoIterator<Item = impl Into<OsString>>,
        user: Credentials,
    ) -> Option<Self> {
        let mut words = words.into_iter();
        let command = Self::new(words.next()?, user);
        Some(command.args(words))
    }

    /// The same command with `more` arguments at its end.
    #[must_use]
    pub fn args(mut self, more: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.argv.extend(more.into_iter().map(Into::into));
        self
    }

    /// `argv[0]`: the program as it was configured.
    #[must_use]
    pub fn program(&self) -> &OsStr {
        self.argv
            .first()
            .map_or(self.path.as_os_str(), OsString::as_os_str)
    }
}

/// The words in single quotes, a quote inside as `'\''`: can be pasted into a shell.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, word) in self.argv.iter().enumerate() {
            let gap = if n == 0 { "" } else { " " };
            write!(
                f,
                "{gap}'{}'",
                word.to_string_lossy().replace('\'', r"'\''")
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_print_as_a_shell_would_read_them() {
        let c = Command::from_words(["/n.sh", "a b", "it's"], Credentials::current()).unwrap();
        assert_eq!(c.to_string(), r"'/n.sh' 'a b' 'it'\''s'");
        assert_eq!(c.program(), "/n.sh");
    }

    #[test]
    fn no_words_are_no_command() {
        assert_eq!(Command::from_words([""; 0], Credentials::current()), None);
    }
}
