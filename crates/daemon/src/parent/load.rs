//! Reading the configuration, and saying what is wrong with it.

use std::sync::Arc;

use rk_config::model::join_services;
use rk_config::{Diagnostic, Loaded, Outcome, Severity, SourceMap};
use rk_net::netns::{self, NetnsError};
use rk_report::text::headline;

use crate::Config;
use crate::cli::Options;
use crate::names;
use crate::source::{Machine, SystemFiles};

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "/etc/keepalived/keepalived.conf";

/// How many diagnostics are told: a file of another kind makes thousands.
pub(crate) const SHOWN: usize = 200;

/// Why there is no configuration to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// No file, or one that must be there is not.
    NoFile,
    /// A keyword lacks its value, so that nobody knows what follows, or an interface is not there,
    /// or two instances are one virtual router.
    Broken,
}

impl Unusable {
    /// The daemon's exit status.
    pub(crate) fn exit_status(self) -> u8 {
        match self {
            Self::NoFile => 6,
            Self::Broken => 2,
        }
    }
}

/// The main configuration file of these options.
pub(crate) fn main_file(options: &Options) -> &str {
    options.config_file.as_deref().unwrap_or(DEFAULT_FILE)
}

/// Reads the configuration without a word, in the network namespace it is for: interfaces are
/// looked for there. This process is in it from then on. keepalived also makes a mount namespace,
/// to have `/run/keepalived` for itself; here the pid files of a namespace have a directory of
/// their own, so scripts see the file system that everybody sees.
///
/// # Errors
/// The namespace cannot be entered; with what was read outside of it.
pub(crate) fn read_inside(options: &Options) -> Result<Loaded, (Box<Loaded>, NetnsError)> {
    if let Some(name) = &options.namespace
        && let Err(e) = netns::enter(name)
    {
        return Err((Box::new(read(options)), e));
    }
    let loaded = read(options);
    match names::namespace(options, &loaded.config) {
        Some(name) if options.namespace.is_none() => match netns::enter(name) {
            Ok(()) => Ok(read(options)),
            Err(e) => Err((Box::new(loaded), e)),
        },
        _ => Ok(loaded),
    }
}

/// Reads the configuration without a word.
pub(crate) fn read(options: &Options) -> Loaded {
    let how = rk_config::Options {
        config_id: options.config_id.clone(),
        strict_includes: options.all_config,
        test_mode: options.config_test.is_some(),
    };
    rk_config::load(main_file(options), &how, &SystemFiles, &Machine)
}

/// Logs what is wrong with a configuration, and tells whether it can run.
///
/// # Errors
/// [`Unusable`]: there is nothing to run.
pub(crate) fn judge(mut loaded: Loaded) -> Result<Arc<Config>, Unusable> {
    for (_, name) in loaded.files.files() {
        tracing::debug!("Opening file '{name}'.");
    }
    if let Some((_, name)) = loaded.files.files().next() {
        tracing::info!("Configuration file {name}");
    }
    for diagnostic in loaded.diagnostics.iter().take(SHOWN) {
        log(&loaded.files, diagnostic);
    }
    let more = loaded.diagnostics.len().saturating_sub(SHOWN) + loaded.dropped;
    if more > 0 {
        tracing::error!("{more} more messages about the configuration are not shown");
    }
    if let Some(why) = unusable(&loaded) {
        return Err(why);
    }
    for keyword in &loaded.unsupported {
        let times = if keyword.count > 1 {
            format!(" ({} times)", keyword.count)
        } else {
            String::new()
        };
        tracing::warn!(
            "({}: Line {}) {} in {} is not supported yet{times}",
            loaded.files.name(keyword.file),
            keyword.line,
            keyword.keyword,
            keyword.context,
        );
    }
    for (service, origin) in join_services(&mut loaded.config.virtual_servers) {
        tracing::warn!(
            "({}: Line {}) virtual server {service} is there already - its real servers join those",
            origin.file,
            origin.line,
        );
    }
    Ok(Arc::new(loaded.config))
}

/// Whether what was read is no configuration.
fn unusable(loaded: &Loaded) -> Option<Unusable> {
    match loaded.outcome {
        Outcome::Usable => None,
        Outcome::NoMainFile | Outcome::IncludeFailed => Some(Unusable::NoFile),
        Outcome::Permanent => Some(Unusable::Broken),
    }
}

/// Logs one diagnostic.
fn log(files: &SourceMap, diagnostic: &Diagnostic) {
    let line = line(files, diagnostic);
    match diagnostic.severity {
        Severity::Note => tracing::info!("{line}"),
        Severity::Warning => tracing::warn!("{line}"),
        Severity::Error => tracing::error!("{line}"),
    }
}

/// `(FILE: Line N) message (help)`, as keepalived's users know it.
fn line(files: &SourceMap, diagnostic: &Diagnostic) -> String {
    let help = diagnostic
        .help
        .as_deref()
        .map(|help| format!(" ({help})"))
        .unwrap_or_default();
    headline(files, diagnostic) + &help
}
