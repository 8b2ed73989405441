//! `rkeepalived lint`: everything worth saying about a file, or about the files of a cluster.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser};
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::SockaddrStorage;
use rk_base::Prefix;
use rk_config::Loaded;
use rk_config::lint::cluster::{self, Node};
use rk_config::lint::{self, Addresses, Subject};
use rk_report::Format;

use crate::cli;
use crate::output::{FOUND, Output, colour_for};
use crate::source::{Machine, SystemFiles};

/// Says what is wrong with configurations, and what is allowed but hardly meant.
#[derive(Debug, Parser)]
#[command(name = "rkeepalived lint")]
struct Arguments {
    /// Compares the files with each other, as those of nodes of one cluster.
    #[arg(long)]
    cluster: bool,
    /// Ends with status 5 for warnings, too.
    #[arg(long)]
    strict: bool,
    /// How to print: text, plain (one line each, for editors), json (one object a line) or sarif.
    #[arg(long, default_value = "text", value_name = "FORM")]
    format: Format,
    /// The files; with FILE@ID, `@ID` lines are those of configuration id ID.
    #[arg(required = true, value_name = "FILE[@ID]", value_hint = clap::ValueHint::FilePath)]
    files: Vec<String>,
}

/// The command for completions and the manual.
pub(crate) fn command() -> clap::Command {
    Arguments::command()
}

/// Lints what the words after `lint` name. The status is that of a configuration test.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let arguments: Arguments = match cli::command_arguments("rkeepalived lint", words) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    if arguments.cluster && arguments.files.len() < 2 {
        let text = "--cluster compares the files of two or more nodes";
        let error = Arguments::command().error(ErrorKind::TooFewValues, text);
        drop(error.print());
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
    }
    let loaded: Vec<(&str, Loaded)> = arguments
        .files
        .iter()
        .map(|file| (file.as_str(), load(file)))
        .collect();
    let mut output = Output::new(arguments.format, colour_for(&std::io::stdout()));
    for (_, loaded) in &loaded {
        output.loaded(loaded);
        let addresses = (!arguments.cluster).then(|| machine_addresses(loaded));
        let findings = lint::check(&Subject {
            config: &loaded.config,
            files: &loaded.files,
            host: &Machine,
            addresses: addresses.as_ref(),
        });
        output.findings(&loaded.files, &findings);
    }
    if arguments.cluster {
        let nodes: Vec<Node<'_>> = loaded
            .iter()
            .map(|(name, l)| Node {
                name,
                config: &l.config,
            })
            .collect();
        for finding in cluster::check(&nodes) {
            output.cluster(&finding);
        }
    }
    let warnings = output.warnings;
    // A reader that goes away early has read enough: the status says the rest.
    let _ = std::io::stdout().write_all(output.finish().as_bytes());
    let status = loaded
        .iter()
        .map(|(_, l)| l.exit_status())
        .max()
        .unwrap_or(0);
    let strict = if arguments.strict && warnings > 0 {
        FOUND
    } else {
        0
    };
    ExitCode::from(status.max(strict))
}

fn load(file: &str) -> Loaded {
    // An at sign may be part of a name.
    let (path, id) = match file.rsplit_once('@') {
        Some((path, id)) if !id.contains('/') && !Path::new(file).exists() => {
            (path, Some(id.to_owned()))
        }
        _ => (file, None),
    };
    let options = rk_config::Options {
        config_id: id,
        strict_includes: false,
        test_mode: true,
    };
    rk_config::load(path, &options, &SystemFiles, &Machine)
}

/// The addresses this machine has by itself, without those that the configuration sets.
fn machine_addresses(loaded: &Loaded) -> Addresses {
    let ours: BTreeSet<IpAddr> = loaded
        .config
        .instances
        .iter()
        .flat_map(|i| {
            i.virtual_ipaddress
                .iter()
                .chain(&i.virtual_ipaddress_excluded)
        })
        .map(|a| a.prefix.addr())
        .collect();
    let mut found = Addresses::new();
    for interface in getifaddrs().into_iter().flatten() {
        let addr = interface.address.as_ref().and_then(ip);
        let mask = interface.netmask.as_ref().and_then(ip);
        if let (Some(addr), Some(mask)) = (addr, mask)
            && !ours.contains(&addr)
            && let Ok(prefix) = Prefix::new(addr, bits(mask))
        {
            found
                .entry(interface.interface_name)
                .or_default()
                .push(prefix);
        }
    }
    found
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
}

/// The length of a netmask.
fn bits(mask: IpAddr) -> u8 {
    let ones = match mask {
        IpAddr::V4(m) => u32::from(m).leading_ones(),
        IpAddr::V6(m) => u128::from(m).leading_ones(),
    };
    u8::try_from(ones).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netmasks_have_lengths() {
        assert_eq!(bits("255.255.255.0".parse().unwrap()), 24);
        assert_eq!(bits("ffff:ffff:ffff:ffff::".parse().unwrap()), 64);
        assert_eq!(bits("0.0.0.0".parse().unwrap()), 0);
    }

    #[test]
    fn one_node_is_no_cluster() {
        let words = ["--cluster".to_owned(), "/nonexistent/one.conf".to_owned()];
        assert_eq!(
            format!("{:?}", run(&words)),
            format!("{:?}", ExitCode::from(2))
        );
    }

    #[test]
    fn the_loopback_has_its_address() {
        let loaded = load("/nonexistent/keepalived.conf");
        let addresses = machine_addresses(&loaded);
        let loopback = addresses.get("lo");
        assert!(
            loopback.is_none_or(|all| all.contains(&"127.0.0.1/8".parse().unwrap())),
            "{loopback:?}"
        );
    }

    #[test]
    fn a_configuration_id_follows_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("k.conf");
        std::fs::write(&file, "@one nonsense\n").unwrap();
        let name = file.to_str().unwrap();
        assert_eq!(load(&format!("{name}@one")).exit_status(), 5);
        assert_eq!(load(&format!("{name}@two")).exit_status(), 0);
        let odd = dir.path().join("k@one.conf");
        std::fs::write(&odd, "@one nonsense\n@k nonsense\n").unwrap();
        assert_eq!(load(odd.to_str().unwrap()).diagnostics, []);
    }
}
