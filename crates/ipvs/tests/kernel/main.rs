//! Our IPVS against a real kernel's, and against `ipvsadm`. Each test has a kernel of its own (a
//! User-Mode-Linux guest); where none can run it says so.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod errors;
mod kinds;
mod scale;
mod sync;
mod traffic;

use std::net::IpAddr;
use std::process::Command as Program;

use rk_ipvs::{
    Command, Dest, DestKey, Forward, Kernel, Name, Protocol, Service, ServiceKey, Table,
};

/// Runs a future to its end.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// The table of this namespace.
#[track_caller]
fn open() -> Kernel {
    run("modprobe", &["ip_vs"]);
    Kernel::open().unwrap()
}

/// Runs a program to its end and returns what it wrote.
#[track_caller]
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Program::new(program).args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {} {stderr}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn sh(script: &str) -> String {
    run("sh", &["-ec", script])
}

/// The lines of `ipvsadm -Sn`, sorted: the kernel's order is that of a hash table.
#[track_caller]
fn ipvsadm() -> Vec<String> {
    let mut lines: Vec<String> = run("ipvsadm", &["-Sn"])
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.sort();
    lines
}

/// Does all of it.
#[track_caller]
fn apply(table: &mut Kernel, commands: &[Command]) {
    let refused = block_on(table.apply(commands)).unwrap();
    assert!(refused.is_empty(), "{refused:#?}");
}

fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

fn key(protocol: Protocol, address: &str, port: u16) -> ServiceKey {
    ServiceKey::Address {
        protocol,
        address: ip(address),
        port,
    }
}

fn tcp(address: &str, port: u16) -> ServiceKey {
    key(Protocol::Tcp, address, port)
}

fn service(key: ServiceKey, scheduler: &str) -> Service {
    Service::new(key, name(scheduler))
}

fn dest(address: &str, port: u16, forward: Forward) -> Dest {
    let address = ip(address);
    Dest::new(DestKey { address, port }, forward, 1)
}

fn ip(address: &str) -> IpAddr {
    address.parse().unwrap()
}
