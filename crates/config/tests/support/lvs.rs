//! Small files about load balancing, and the parts of what they mean.

use rk_config::Loaded;
use rk_config::model::{Checker, RealServer, VirtualServer};
use serde_json::Value;

use super::{Machine, messages, test};

pub const HEAD: &str = "global_defs {\nenable_script_security\nscript_user root\n}\n\
                    track_file F {\nfile /tmp/f\nweight 3\n}\n\
                    bfd_instance B {\nneighbor_ip 192.0.2.99\n}\n";

pub const BASICS: &str = "lb_algo rr\nlb_kind NAT\nprotocol TCP\n";

/// A file whose line ends are `;` here.
pub fn load(text: &str) -> Loaded {
    let text = format!("{HEAD}{}\n", text.replace(';', "\n"));
    test(text, &Machine::default())
}

/// The only service of a file.
#[track_caller]
pub fn only(loaded: &Loaded) -> &VirtualServer {
    let [server] = loaded.config.virtual_servers.as_slice() else {
        panic!("{}", messages(loaded));
    };
    server
}

/// A TCP service on port 80 with these lines and one real server.
pub fn service(lines: &str) -> Loaded {
    load(&format!(
        "virtual_server 192.0.2.10 80 {{;{BASICS};{lines};real_server 192.0.2.20 8080 {{;}};}}"
    ))
}

/// A real server with these lines.
pub fn server(lines: &str) -> Loaded {
    load(&format!(
        "virtual_server 192.0.2.10 80 {{;{BASICS};real_server 192.0.2.20 8080 {{;{lines};}};}}"
    ))
}

/// A checker of this kind with these lines.
pub fn checker(kind: &str, lines: &str) -> Loaded {
    server(&format!("{kind} {{;{lines};}}"))
}

pub fn json(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

pub fn first_server(loaded: &Loaded) -> &RealServer {
    &only(loaded).real_servers[0]
}

#[track_caller]
pub fn first_checker(loaded: &Loaded) -> &Checker {
    let [checker] = first_server(loaded).checkers.as_slice() else {
        panic!("{}", messages(loaded));
    };
    checker
}
