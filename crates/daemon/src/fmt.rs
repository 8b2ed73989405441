//! `rkeepalived fmt`: lays out configuration files.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};
use rk_config::fmt::{Formatted, format};
use similar::TextDiff;

use crate::cli;

/// Lays out configuration files: indentation, braces, blanks between words. What a file means
/// never changes, comments and the order of lines stay.
///
/// Files are rewritten in place. Without a file, or with `-`, standard input goes to standard
/// output. Ends with status 1 if --check finds something to change, with 2 for a file that cannot
/// be read, written or laid out.
#[derive(Debug, Parser)]
#[command(name = "rkeepalived fmt", verbatim_doc_comment)]
struct Arguments {
    /// Changes nothing, but shows what would change.
    #[arg(long)]
    check: bool,
    /// The files; `-` is standard input.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    files: Vec<String>,
}

/// What became of a file; the worst is the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// It is laid out, perhaps just now.
    Good = 0,
    /// It would be changed.
    Differs = 1,
    /// Nothing could be done.
    Failed = 2,
}

/// Where a text comes from and where messages go.
struct Streams<'a> {
    input: &'a mut dyn Read,
    output: &'a mut dyn Write,
    errors: &'a mut dyn Write,
}

/// The command for completions and the manual.
pub(crate) fn command() -> clap::Command {
    Arguments::command()
}

/// Lays out what the words after `fmt` name.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let arguments: Arguments = match cli::command_arguments("rkeepalived fmt", words) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let verdict = all(
        &arguments,
        &mut Streams {
            input: &mut io::stdin(),
            output: &mut io::stdout(),
            errors: &mut io::stderr(),
        },
    );
    ExitCode::from(verdict as u8)
}

fn all(arguments: &Arguments, streams: &mut Streams<'_>) -> Verdict {
    let standard_input = ["-".to_owned()];
    let files = match arguments.files.as_slice() {
        [] => &standard_input[..],
        files => files,
    };
    let mut worst = Verdict::Good;
    for name in files {
        let verdict = one(name, arguments.check, streams).unwrap_or_else(|error| {
            // Nobody may be reading: the status says it, too.
            let _ = writeln!(streams.errors, "{}: {error}", shown(name));
            Verdict::Failed
        });
        worst = worst.max(verdict);
    }
    worst
}

/// One file, or standard input.
fn one(name: &str, check: bool, streams: &mut Streams<'_>) -> io::Result<Verdict> {
    let mut text = Vec::new();
    let from_input = name == "-";
    if from_input {
        streams.input.read_to_end(&mut text)?;
    } else {
        File::open(name)?.read_to_end(&mut text)?;
    }
    let Formatted {
        text: formatted,
        left_from,
    } = match format(&text) {
        Ok(formatted) => formatted,
        Err(broken) => {
            let place = broken.line().map_or(String::new(), |l| format!(":{l}"));
            writeln!(
                streams.errors,
                "{}{place}: {broken}; the file stays as it is",
                shown(name)
            )?;
            return Ok(Verdict::Failed);
        }
    };
    if let Some(line) = left_from {
        writeln!(
            streams.errors,
            "{}:{line}: from here on the file stays as it is: which blocks are open depends on \
             conditions or sequences",
            shown(name)
        )?;
    }
    let same = formatted == text;
    if check {
        if !same {
            difference(streams.output, shown(name), &text, &formatted)?;
        }
        return Ok(if same {
            Verdict::Good
        } else {
            Verdict::Differs
        });
    }
    if from_input {
        streams.output.write_all(&formatted)?;
    } else if !same {
        replace(Path::new(name), &formatted)?;
    }
    Ok(Verdict::Good)
}

fn shown(name: &str) -> &str {
    if name == "-" { "<stdin>" } else { name }
}

/// What would change, in the form of `diff -u`.
fn difference(out: &mut dyn Write, name: &str, before: &[u8], after: &[u8]) -> io::Result<()> {
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff()
        .header(name, &format!("{name} (laid out)"))
        .to_writer(out)
}

/// Puts `text` in the place of a file in one step, with the file's owner and mode: whoever reads
/// it meanwhile sees the old text or the new one, and nobody sees secrets in a temporary file.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    // A symbolic link stays one.
    let path = fs::canonicalize(path)?;
    let old = fs::metadata(&path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".fmt-{}", std::process::id()));
    let beside = path.with_file_name(name);
    let written = write_beside(&beside, &old, text).and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // What went wrong before is worth more than that this may go wrong, too.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_beside(beside: &PathBuf, old: &fs::Metadata, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(beside)?;
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(&file, Some(old.uid()), Some(old.gid()))?;
    }
    file.write_all(text)?;
    file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the command; the status, standard output and standard error.
    fn fmt(words: &[&str], input: &str) -> (u8, String, String) {
        let arguments = Arguments::try_parse_from([&["fmt"], words].concat()).unwrap();
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let verdict = all(
            &arguments,
            &mut Streams {
                input: &mut input.as_bytes(),
                output: &mut output,
                errors: &mut errors,
            },
        );
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (verdict as u8, text(output), text(errors))
    }

    const UNTIDY: &str = "global_defs{\nrouter_id  a # c\n}\n";
    const TIDY: &str = "global_defs {\n    router_id a  # c\n}\n";

    #[test]
    fn standard_input_goes_to_standard_output() {
        for words in [&[][..], &["-"]] {
            let done = fmt(words, UNTIDY);
            assert_eq!(done, (0, TIDY.to_owned(), String::new()));
        }
        assert_eq!(fmt(&["--check"], TIDY), (0, String::new(), String::new()));
    }

    #[test]
    fn a_file_is_rewritten_with_its_mode_and_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.conf");
        let link = dir.path().join("b.conf");
        fs::write(&file, UNTIDY).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("a.conf", &link).unwrap();
        let done = fmt(&[link.to_str().unwrap()], "");
        assert_eq!(done, (0, String::new(), String::new()));
        assert_eq!(fs::read_to_string(&file).unwrap(), TIDY);
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        // A file that is laid out is not written again.
        let before = fs::metadata(&file).unwrap().ino();
        assert_eq!(fmt(&[file.to_str().unwrap()], "").0, 0);
        assert_eq!(fs::metadata(&file).unwrap().ino(), before);
    }

    #[test]
    fn a_check_shows_the_difference_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.conf");
        fs::write(&file, UNTIDY).unwrap();
        let name = file.to_str().unwrap();
        let (status, output, errors) = fmt(&["--check", name], "");
        assert_eq!((status, errors.as_str()), (1, ""));
        assert_eq!(
            output,
            format!(
                "--- {name}\n+++ {name} (laid out)\n@@ -1,3 +1,3 @@\n-global_defs{{\n\
                 -router_id  a # c\n+global_defs {{\n+    router_id a  # c\n }}\n"
            )
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), UNTIDY);
    }

    #[test]
    fn what_cannot_be_laid_out_is_named_and_left() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.conf");
        fs::write(&file, "a {\n  b {\n}\n").unwrap();
        let name = file.to_str().unwrap();
        let missing = dir.path().join("none");
        let (status, output, errors) = fmt(&[name, missing.to_str().unwrap()], "");
        assert_eq!((status, output.as_str()), (2, ""));
        let lines: Vec<&str> = errors.lines().collect();
        assert_eq!(
            lines[0],
            format!(
                "{name}:1: the block that is opened here is not closed in this file; the file \
                 stays as it is"
            )
        );
        assert!(lines[1].contains("No such file"), "{}", lines[1]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "a {\n  b {\n}\n");
        let (status, output, errors) = fmt(&[], "x  y\n@a b {\n@^a c {\n}\n");
        assert_eq!((status, output.as_str()), (0, "x y\n@a b {\n@^a c {\n}\n"));
        assert!(errors.starts_with("<stdin>:2: from here on"), "{errors}");
    }
}
