//! An arbitrary answer of a web server: the first octet is the size of the pieces it comes in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rk_checker::probe::{Digest, HttpProbe, Regex, RegexCheck, answer};

fuzz_target!(|data: &[u8]| {
    let Some((&size, octets)) = data.split_first() else {
        return;
    };
    let mut probe = HttpProbe::new("/");
    probe.digest = Some(Digest([0; 16]));
    let pieces = || octets.chunks(usize::from(size).max(1));
    let whole = answer::http(&probe, [octets]);
    let cut = answer::http(&probe, pieces());
    // How the network cuts it is nobody's business.
    assert_eq!(whole, cut);
    if let Some(reply) = whole.http {
        assert!(reply.received <= octets.len() as u64);
    }
    probe.digest = None;
    probe.regex = Regex::new("l+o?(a|b.)*$", []).ok().map(RegexCheck::new);
    answer::http(&probe, pieces());
});
