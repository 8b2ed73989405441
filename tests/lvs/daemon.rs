//! The guest as a place for the daemon itself: whatever it asks of a kernel is there.

use rk_lab::{Daemon, in_guest};

use crate::bed::{Bed, DEV, SOON, ours};

#[test]
fn a_guest_has_all_that_a_failover_needs() {
    in_guest(|| {
        let bed = Bed::new("guest").expect("a guest can make namespaces");
        let configuration = |priority: u8| {
            format!(
                "vrrp_instance VI_1 {{
                    interface {DEV}
                    virtual_router_id 51
                    priority {priority}
                    advert_int 1
                    virtual_ipaddress {{
                        10.77.0.100/24
                    }}
                }}"
            )
        };
        let mut one = Daemon::start(&bed.one, ours(), &configuration(150));
        one.wait_state("VI_1", "MASTER", SOON);
        let mut two = Daemon::start(&bed.two, ours(), &configuration(100));
        two.wait_state("VI_1", "BACKUP", SOON);
        bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
        one.reload(&configuration(50));
        two.wait_state("VI_1", "MASTER", SOON);
        bed.two.wait_address(DEV, "10.77.0.100", true, SOON);
        bed.one.wait_address(DEV, "10.77.0.100", false, SOON);
        assert!(one.stop().success());
        assert!(two.stop().success());
    });
}
