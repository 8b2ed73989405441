//! Entering a namespace by its name, as `ip netns` made it.

use std::process::Command;

use rk_net::netns;

use crate::sandbox::{sandboxed, skipped};

/// Deletes the name when the test ends, however it ends.
struct Named(String);

impl Drop for Named {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

#[test]
fn a_named_namespace_is_entered_by_this_thread_only() {
    sandboxed(
        "enter::a_named_namespace_is_entered_by_this_thread_only",
        || {
            let name = format!("rk-net-test-{}", std::process::id());
            let made = Command::new("ip")
                .args(["netns", "add", &name])
                .output()
                .unwrap();
            if !made.status.success() {
                let why = String::from_utf8_lossy(&made.stderr);
                skipped(
                    "enter",
                    &format!("named namespaces cannot be made here: {why}"),
                );
                return;
            }
            let named = Named(name);
            let own = || std::fs::read_link("/proc/thread-self/ns/net").unwrap();
            let before = own();
            let other = named.0.clone();
            let inside = std::thread::spawn(move || {
                netns::enter(&other).unwrap();
                own()
            });
            let inside = inside.join().unwrap();
            assert_ne!(inside, before);
            assert_eq!(own(), before);
        },
    );
}
