//! A few of the numbers, as the protocol has them. They tell a wrong header from a right one.

#[test]
fn the_numbers_are_those_of_the_protocol() {
    use rk_ipvs_sys as sys;
    assert_eq!(sys::IPVS_GENL_NAME, b"IPVS\0");
    assert_eq!(sys::IPVS_GENL_VERSION, 1);
    let commands = [
        sys::IPVS_CMD_NEW_SERVICE,
        sys::IPVS_CMD_GET_DEST,
        sys::IPVS_CMD_FLUSH,
    ];
    assert_eq!(commands, [1, 8, 17]);
    assert_eq!(sys::IPVS_DEST_ATTR_TUN_FLAGS, 15);
    assert_eq!(sys::IPVS_DAEMON_ATTR_MCAST_TTL, 8);
    assert_eq!(size_of::<sys::ip_vs_flags>(), 8);
}
