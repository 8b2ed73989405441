//! An arbitrary datagram of a name server; the first two octets are the number of the query.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rk_checker::probe::answer;

fuzz_target!(|data: &[u8]| {
    let Some((id, datagram)) = data.split_first_chunk::<2>() else {
        return;
    };
    if answer::dns(datagram, u16::from_be_bytes(*id)).is_some() {
        assert_eq!(
            datagram.first_chunk::<2>(),
            Some(id),
            "an answer to this query"
        );
        assert!(datagram.len() >= 12, "a whole header");
    }
});
