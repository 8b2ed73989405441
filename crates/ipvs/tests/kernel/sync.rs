//! Sync daemons, timeouts, and what the kernel says of itself.

use rk_ipvs::{Command, Info, SyncDaemon, SyncState, Table, Timeouts};

use crate::{apply, block_on, ip, name, open, run, sh};

#[test]
fn sync_daemons_run_as_they_were_told() {
    rk_lab::in_guest(|| {
        let mut table = open();
        sh("ip link add sync0 type dummy; ip link set sync0 up; ip addr add 10.0.0.1/24 dev sync0");
        assert_eq!(block_on(table.daemons()).unwrap(), []);

        let master = SyncDaemon {
            max_len: Some(1300),
            group: Some(ip("224.0.0.82")),
            port: Some(8850),
            ttl: Some(4),
            ..SyncDaemon::new(SyncState::Master, name("sync0"), 9)
        };
        let backup = SyncDaemon::new(SyncState::Backup, name("sync0"), 51);
        apply(
            &mut table,
            &[Command::NewDaemon(master), Command::NewDaemon(backup)],
        );
        // What was not said the kernel decides, and tells.
        let told = SyncDaemon {
            max_len: Some(1472),
            group: Some(ip("224.0.0.81")),
            port: Some(8848),
            ttl: Some(1),
            ..backup
        };
        assert_eq!(block_on(table.daemons()).unwrap(), [master, told]);
        let shown = run("ipvsadm", &["-L", "--daemon"]);
        assert_eq!(
            shown.lines().collect::<Vec<_>>(),
            [
                "master sync daemon (mcast=sync0, syncid=9, maxlen=1300, group=224.0.0.82, \
                 port=8850, ttl=4)",
                "backup sync daemon (mcast=sync0, syncid=51, maxlen=1472, group=224.0.0.81, \
                 port=8848, ttl=1)",
            ]
        );

        for (state, left) in [(SyncState::Master, vec![told]), (SyncState::Backup, vec![])] {
            let sync_id = 0;
            apply(&mut table, &[Command::DelDaemon { state, sync_id }]);
            assert_eq!(block_on(table.daemons()).unwrap(), left);
        }

        let six = SyncDaemon {
            group: Some(ip("ff02::81")),
            ..backup
        };
        apply(&mut table, &[Command::NewDaemon(six)]);
        let daemons = block_on(table.daemons()).unwrap();
        assert_eq!(daemons[0].group, Some(ip("ff02::81")));
        let state = SyncState::Backup;
        let sync_id = 51;
        apply(&mut table, &[Command::DelDaemon { state, sync_id }]);
    });
}

#[test]
fn timeouts_are_set_and_set_back() {
    rk_lab::in_guest(|| {
        let mut table = open();
        let original = block_on(table.timeouts()).unwrap();
        let shown = || run("ipvsadm", &["-L", "--timeout"]).trim().to_owned();
        assert_eq!(shown(), "Timeout (tcp tcpfin udp): 900 120 300");
        let wanted = Timeouts {
            tcp: 7200,
            tcp_fin: 0,
            udp: 60,
        };
        apply(&mut table, &[Command::SetTimeouts(wanted.or(original))]);
        assert_eq!(shown(), "Timeout (tcp tcpfin udp): 7200 120 60");
        let now = block_on(table.timeouts()).unwrap();
        assert_eq!(now, wanted.or(original));
        apply(&mut table, &[Command::SetTimeouts(original)]);
        assert_eq!(shown(), "Timeout (tcp tcpfin udp): 900 120 300");

        let Info {
            version,
            connection_table_size: size,
        } = block_on(table.info()).unwrap();
        let (major, minor, patch) = version;
        let said = format!("IP Virtual Server version {major}.{minor}.{patch} (size={size})");
        assert!(run("ipvsadm", &["-Ln"]).starts_with(&said), "{said}");
    });
}
