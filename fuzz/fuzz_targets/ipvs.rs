//! Arbitrary answers of a kernel: the first octet is the command, the rest are attributes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rk_ipvs::wire::Message;
use rk_ipvs::{Command, Entry, State};

fuzz_target!(|data: &[u8]| {
    let Some((&command, attributes)) = data.split_first() else {
        return;
    };
    // What is understood can be asked for again.
    if let Ok(Message::Service(entry)) = Message::parse(command, attributes) {
        assert_eq!(entry.service, entry.service.normal());
        let mut state = State::new();
        state.put(Entry::new(entry.service));
        let again = Command::NewService(entry.service);
        assert_eq!(state.apply(&again), Err(17), "it is there already");
    }
});
