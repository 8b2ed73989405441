//! Configurations of many virtual servers.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use rk_ipvs::{Protocol, ServiceKey};

/// The port of all real servers that are asked.
pub(super) const PORT: u16 = 8000;

/// How the real servers are checked.
#[derive(Clone, Copy)]
pub(super) enum Checked {
    /// Not at all: they are up at once.
    Never,
    /// So many seconds after the last time.
    Every(u32),
}

/// Virtual servers, with real servers each, on loopback addresses.
#[derive(Clone, Copy)]
pub(super) struct Servers {
    pub(super) virtuals: u32,
    pub(super) reals: u32,
    pub(super) checked: Checked,
}

impl Servers {
    /// How many real servers there are.
    pub(super) const fn all(self) -> u32 {
        self.virtuals * self.reals
    }

    /// The service of a virtual server.
    pub(super) fn service(self, number: u32) -> ServiceKey {
        ServiceKey::Address {
            protocol: Protocol::Tcp,
            address: IpAddr::V4(virtual_address(number)),
            port: 80,
        }
    }

    /// The text; every real server has weight 1 but the very last one.
    pub(super) fn text(self, last: u32) -> String {
        let mut text = String::from("global_defs {\n    router_id bench\n}\n");
        for number in 0..self.virtuals {
            let virtual_address = virtual_address(number);
            let delay = match self.checked {
                Checked::Never => String::new(),
                Checked::Every(seconds) => format!("    delay_loop {seconds}\n"),
            };
            let _ = write!(
                text,
                "virtual_server {virtual_address} 80 {{\n{delay}    lvs_sched rr\n    \
                 lvs_method NAT\n    protocol TCP\n"
            );
            for real in 0..self.reals {
                let all = number * self.reals + real;
                let weight = if all + 1 == self.all() { last } else { 1 };
                let _ = write!(
                    text,
                    "    real_server {} {PORT} {{\n        weight {weight}\n",
                    real_address(all)
                );
                if let Checked::Every(_) = self.checked {
                    text.push_str(
                        "        TCP_CHECK {\n            connect_timeout 3\n        }\n",
                    );
                }
                text.push_str("    }\n");
            }
            text.push_str("}\n");
        }
        text
    }
}

/// The address of the virtual server of this number.
fn virtual_address(number: u32) -> Ipv4Addr {
    let [.., high, low] = ((number / 250) << 8 | (number % 250 + 1)).to_be_bytes();
    Ipv4Addr::new(10, 10, high, low)
}

/// The address of the real server of this number.
fn real_address(number: u32) -> String {
    let [_, a, b, c] = (number + 1).to_be_bytes();
    // Loopback, but not the machine's usual one.
    format!("127.{}.{b}.{c}", a + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_real_server_has_an_address_of_its_own() {
        let servers = Servers {
            virtuals: 300,
            reals: 4,
            checked: Checked::Every(5),
        };
        let text = servers.text(7);
        let lines = |part: &str| text.lines().filter(|line| line.contains(part)).count();
        let mut addresses: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("real_server"))
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), 1200);
        assert_eq!(lines("virtual_server"), 300);
        assert_eq!(lines("weight 7"), 1);
        assert_eq!(lines("delay_loop 5"), 300);
    }
}
