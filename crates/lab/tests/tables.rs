//! The rig for comparing IPVS tables, tried with keepalived on both sides.

use rk_lab::{Lab, Rivals, Which, in_guest};

/// A service with every forwarding method, whose real servers nobody checks.
const FIRST: &str = "
virtual_server 192.0.2.80 80 {
    lb_algo wrr
    lb_kind DR
    protocol TCP
    persistence_timeout 300
    real_server 10.0.0.1 80 {
        weight 3
        uthreshold 100
        lthreshold 50
    }
    real_server 10.0.0.2 80 {
        lvs_method TUN
    }
}
virtual_server fwmark 5 {
    lb_algo sh
    lb_kind NAT
    real_server 10.0.0.3 8080 {
    }
}
";

/// The second service is gone, and a weight has changed.
const SECOND: &str = "
virtual_server 192.0.2.80 80 {
    lb_algo wrr
    lb_kind DR
    protocol TCP
    persistence_timeout 300
    real_server 10.0.0.1 80 {
        weight 7
        uthreshold 100
        lthreshold 50
    }
    real_server 10.0.0.2 80 {
        lvs_method TUN
    }
}
";

#[test]
fn two_keepalived_make_the_same_tables() {
    in_guest(|| {
        let lab = Lab::new("tables").unwrap();
        let nodes = [lab.node("one"), lab.node("two")];
        for node in &nodes {
            node.void("eth0", &["10.0.0.100/24"]);
        }
        let both = [&nodes[0], &nodes[1]];
        let mut rivals = Rivals::start(both, Which::Keepalived, FIRST);
        let table = rivals.same_ipvs("start");
        assert_eq!(
            table.lines(),
            [
                "-A -f 5 -s sh",
                "-A -t 192.0.2.80:80 -s wrr -p 300",
                "-a -f 5 -r 10.0.0.3:8080 -m -w 1",
                "-a -t 192.0.2.80:80 -r 10.0.0.1:80 -g -w 3 -x 100 -y 50",
                "-a -t 192.0.2.80:80 -r 10.0.0.2:80 -i -w 1 --tun-type ipip",
            ]
        );
        rivals.reload(SECOND);
        let table = rivals.same_ipvs("reload");
        assert_eq!(
            table.lines(),
            [
                "-A -t 192.0.2.80:80 -s wrr -p 300",
                "-a -t 192.0.2.80:80 -r 10.0.0.1:80 -g -w 7 -x 100 -y 50",
                "-a -t 192.0.2.80:80 -r 10.0.0.2:80 -i -w 1 --tun-type ipip",
            ]
        );
        // Where keepalived's own reload is no model, one that starts cold is.
        let third = lab.node("three");
        third.void("eth0", &["10.0.0.100/24"]);
        assert_eq!(table, Rivals::cold_ipvs(&third, SECOND));
        rivals.other_is(&table, "reload");
        assert!(rivals.stop().is_empty());

        // The nodes serve again, and a difference is one.
        let mut rivals = Rivals::start(both, Which::Keepalived, SECOND);
        let table = rivals.same_ipvs("second start");
        nodes[1].ipvsadm(&["-d", "-t", "192.0.2.80:80", "-r", "10.0.0.2"]);
        let other = nodes[1].ipvs();
        assert_ne!(table, other);
        assert_eq!(other.destinations("-t 192.0.2.80:80").len(), 1);
    });
}
