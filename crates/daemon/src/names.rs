//! Names that the command line and the configuration decide together.

use crate::Config;
use crate::cli::{Options, Process};
use crate::logging::Names;
use crate::pidfile::Scheme;

/// The network namespace to run in: the command line's, else the configuration's.
pub(crate) fn namespace<'a>(options: &'a Options, config: &'a Config) -> Option<&'a str> {
    options
        .namespace
        .as_deref()
        .or(config.global.net_namespace.as_deref())
}

/// What is added to log idents and dump files.
pub(crate) fn names(options: &Options, config: &Config) -> Names {
    Names {
        namespace: namespace(options, config).map(str::to_owned),
        instance: config.global.instance.clone(),
    }
}

/// Where pid files are.
pub(crate) fn pid_files(options: &Options, config: &Config) -> Scheme {
    Scheme {
        given: options.pid_paths.clone(),
        namespace: namespace(options, config).map(str::to_owned),
        instance: config.global.instance.clone(),
        use_pid_dir: config.global.use_pid_dir,
    }
}

/// What `ps` shows for `process` (the parent for `None`), when the configuration names it.
pub(crate) fn process_name(config: &Config, process: Option<Process>) -> Option<String> {
    let global = &config.global;
    let (configured, own) = match process {
        None => (&global.process_name, None),
        Some(Process::Vrrp) => (&global.vrrp_process.name, Some("keepalived_vrrp")),
        Some(Process::Checker) => (&global.checker_process.name, Some("keepalived_ipvs")),
        Some(Process::Bfd) => (&global.bfd_process.name, Some("keepalived_bfd")),
    };
    configured
        .clone()
        .or_else(|| own.filter(|_| global.process_names).map(str::to_owned))
        .or_else(|| global.process_name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_names_the_namespace_first() {
        let mut config = Config::default();
        config.global.net_namespace = Some("conf".into());
        let mut options = Options::default();
        assert_eq!(namespace(&options, &config), Some("conf"));
        options.namespace = Some("line".into());
        assert_eq!(
            pid_files(&options, &config).namespace.as_deref(),
            Some("line")
        );
    }

    #[test]
    fn processes_are_named_as_configured() {
        let mut config = Config::default();
        let vrrp = Some(Process::Vrrp);
        assert_eq!(process_name(&config, vrrp), None);
        config.global.process_names = true;
        assert_eq!(
            process_name(&config, vrrp).as_deref(),
            Some("keepalived_vrrp")
        );
        assert_eq!(process_name(&config, None), None);
        config.global.vrrp_process.name = Some("mine".into());
        assert_eq!(process_name(&config, vrrp).as_deref(), Some("mine"));
    }
}
