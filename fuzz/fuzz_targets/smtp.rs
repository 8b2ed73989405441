//! Arbitrary octets of a mail server.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rk_checker::probe::answer;

fuzz_target!(|data: &[u8]| {
    if let Some(Ok(code)) = answer::smtp(data) {
        let digits = format!("{code:03}");
        // The last line of the reply begins with it.
        assert!(
            data.split(|octet| *octet == b'\n')
                .any(|line| line.starts_with(digits.as_bytes()))
        );
    }
});
