//! Running other programs.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, bail};

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_owned()
}

/// The cargo that runs us, in the root of the checkout.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(cargo_path());
    command.current_dir(root());
    command
}

/// The path of that cargo.
pub(crate) fn cargo_path() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// The directory that cargo builds into: ours is where we were built.
pub(crate) fn target() -> Result<PathBuf> {
    let own = std::env::current_exe().context("where this program is")?;
    Ok(own
        .ancestors()
        .nth(2)
        .context("a program of cargo lies in target/PROFILE")?
        .to_owned())
}

/// Builds rkeepalived and returns its path; `profile` is `debug` or `release`.
pub(crate) fn rkeepalived(profile: &str) -> Result<PathBuf> {
    println!("building rkeepalived ({profile})");
    let target = target()?;
    let mut build = cargo();
    build
        .args(["build", "--quiet", "--bin", "rkeepalived", "--target-dir"])
        .arg(&target);
    if profile == "release" {
        build.arg("--release");
    }
    succeed(&mut build)?;
    Ok(target.join(profile).join("rkeepalived"))
}

/// Runs a command to its end.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// What a command wrote to stdout.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command, shows what it writes as it writes it, and returns that too.
pub(crate) fn show(command: &mut Command) -> Result<(ExitStatus, String)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{command:?}"))?;
    let stdout = child.stdout.take().context("stdout was piped")?;
    let stderr = child.stderr.take().context("stderr was piped")?;
    let (out, err) = std::thread::scope(|scope| {
        let out = scope.spawn(|| echo(stdout, false));
        (echo(stderr, true), out.join().unwrap_or_default())
    });
    Ok((child.wait()?, out + &err))
}

/// Copies lines to our own stdout or stderr.
fn echo(from: impl Read, to_stderr: bool) -> String {
    let mut all = String::new();
    let mut from = BufReader::new(from);
    let mut raw = Vec::new();
    while matches!(from.read_until(b'\n', &mut raw), Ok(1..)) {
        let line = String::from_utf8_lossy(&raw);
        // A reader that went away does not stop the work.
        if to_stderr {
            std::io::stderr().write_all(line.as_bytes()).ok();
        } else {
            std::io::stdout().write_all(line.as_bytes()).ok();
        }
        all.push_str(&line);
        raw.clear();
    }
    all
}
