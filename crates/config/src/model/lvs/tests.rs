use super::*;

#[test]
fn schedulers_have_their_names() {
    for scheduler in Scheduler::ALL {
        assert_eq!(Scheduler::named(scheduler.name()), Some(scheduler));
        let json = serde_json::to_string(&scheduler).unwrap();
        assert_eq!(json, format!("\"{scheduler}\""));
    }
    assert_eq!(Scheduler::named("zzz"), None);
}

#[test]
fn groups_list_their_addresses() {
    let row = GroupTarget::V4 {
        first: Ipv4Addr::new(192, 0, 2, 254),
        last: Ipv4Addr::new(192, 0, 3, 1),
        port: 80,
    };
    let shown: Vec<String> = row.addresses().map(|a| a.to_string()).collect();
    let want = ["192.0.2.254", "192.0.2.255", "192.0.3.0", "192.0.3.1"];
    assert_eq!(shown, want);
    let mark = GroupTarget::Fwmark {
        mark: 1,
        family: None,
    };
    assert_eq!(mark.addresses().count(), 0);
}

#[test]
fn services_are_named_as_in_the_log() {
    let addr = "2001:db8::1".parse().unwrap();
    for (service, shown) in [
        (
            Service::Address {
                addr,
                port: 80,
                protocol: Protocol::Tcp,
            },
            "[2001:db8::1]:tcp:80",
        ),
        (
            Service::Fwmark {
                mark: 9,
                family: Family::V4,
            },
            "FWM 9",
        ),
        (
            Service::Group {
                name: "G".into(),
                index: 0,
                protocol: Some(Protocol::Sctp),
                family: Family::V4,
            },
            "[G]:0",
        ),
    ] {
        assert_eq!(service.to_string(), shown);
    }
}
