//! Statistics of connections that were really made.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use rk_ipvs::{Command, Forward, Kernel, ServiceKey, Table};

use crate::{apply, block_on, dest, open, service, sh, tcp};

/// Waits until that many connections are counted: the kernel sums up every two seconds.
#[track_caller]
fn counted(table: &mut Kernel, key: &ServiceKey, connections: u64) {
    let deadline = Duration::from_secs(10);
    rk_lab::eventually(deadline, "connections are counted", || {
        let stats = block_on(table.service(key)).unwrap().unwrap().stats;
        (stats.connections == connections).then_some(())
    });
}

#[test]
fn connections_are_counted_and_zeroed() {
    rk_lab::in_guest(|| {
        let mut table = open();
        sh("ip addr add 10.0.0.1/32 dev lo; ip addr add 10.0.0.2/32 dev lo");
        let listener = TcpListener::bind("10.0.0.2:8080").unwrap();
        let one = tcp("10.0.0.1", 80);
        let real = dest("10.0.0.2", 8080, Forward::Nat);
        apply(
            &mut table,
            &[
                Command::NewService(service(one, "rr")),
                Command::NewDest(one, real),
            ],
        );
        let mut clients = Vec::new();
        for _ in 0..3 {
            let mut client = TcpStream::connect("10.0.0.1:80").unwrap();
            let (mut server, _) = listener.accept().unwrap();
            client.write_all(&[b'x'; 1000]).unwrap();
            server.read_exact(&mut [0; 1000]).unwrap();
            server.write_all(b"answer").unwrap();
            client.read_exact(&mut [0; 6]).unwrap();
            clients.push((client, server));
        }
        counted(&mut table, &one, 3);
        let all = block_on(table.snapshot()).unwrap();
        let [(of_service, of_dests)] = &all[..] else {
            panic!("{all:#?}");
        };
        assert_eq!(of_service.stats.connections, 3);
        assert!(of_service.stats.in_packets >= 9, "{of_service:#?}");
        assert!(of_service.stats.in_bytes >= 3000, "{of_service:#?}");
        let [of_dest] = &of_dests[..] else {
            panic!("{of_dests:#?}");
        };
        assert_eq!(of_dest.dest, real);
        assert_eq!(of_dest.stats.connections, 3);
        assert_eq!((of_dest.active, of_dest.inactive), (3, 0));

        // A changed weight ends no connection.
        let heavier = rk_ipvs::Dest { weight: 5, ..real };
        apply(&mut table, &[Command::SetDest(one, heavier)]);
        for (client, server) in &mut clients {
            client.write_all(b"still").unwrap();
            server.read_exact(&mut [0; 5]).unwrap();
        }
        let now = &block_on(table.dests(&one)).unwrap()[0];
        assert_eq!((now.dest, now.active), (heavier, 3));

        apply(&mut table, &[Command::Zero(Some(one))]);
        counted(&mut table, &one, 0);
        TcpStream::connect("10.0.0.1:80").unwrap();
        counted(&mut table, &one, 1);
        apply(&mut table, &[Command::Zero(None)]);
        counted(&mut table, &one, 0);
    });
}
