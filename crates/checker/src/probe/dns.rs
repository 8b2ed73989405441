//! `DNS_CHECK`: one query over UDP, and whether the answer's code is 0.

use std::str::FromStr;

use hickory_proto::op::{Header, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::socket::{NoConnection, text};
use super::udp::connect;
use super::{Endpoint, Report};

/// The longest datagram that DNS knows without extensions (RFC 1035 §4.2.1). Of a longer one the
/// beginning is enough.
const LONGEST: usize = 512;

/// The settings of a `DNS_CHECK`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DnsProbe {
    name: Name,
    kind: RecordType,
}

/// A question that cannot be asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadQuestion {
    /// `name` is no domain name.
    #[error("`{0}` is no domain name")]
    Name(String),
    /// `type` is none of those that `DNS_CHECK` knows.
    #[error("unknown DNS query type `{0}`")]
    Type(String),
}

/// The types that `DNS_CHECK` asks for.
const TYPES: [RecordType; 9] = [
    RecordType::A,
    RecordType::NS,
    RecordType::CNAME,
    RecordType::SOA,
    RecordType::MX,
    RecordType::TXT,
    RecordType::AAAA,
    RecordType::RRSIG,
    RecordType::DNSKEY,
];

/// The authority over the root.
impl Default for DnsProbe {
    fn default() -> Self {
        Self {
            name: Name::root(),
            kind: RecordType::SOA,
        }
    }
}

impl DnsProbe {
    /// Asks for records of type `kind` (`A`, `soa`, ...) of `name`, which is taken as absolute.
    ///
    /// # Errors
    /// [`BadQuestion`] says which of the two cannot be.
    pub fn new(name: &str, kind: &str) -> Result<Self, BadQuestion> {
        let mut parsed = Name::from_ascii(name).map_err(|_| BadQuestion::Name(name.to_owned()))?;
        parsed.set_fqdn(true);
        let kind = RecordType::from_str(&kind.to_ascii_uppercase())
            .ok()
            .filter(|kind| TYPES.contains(kind))
            .ok_or_else(|| BadQuestion::Type(kind.to_owned()))?;
        Ok(Self { name: parsed, kind })
    }

    /// The query: recursion desired, class IN, nothing else.
    fn query(&self, id: u16) -> Option<Vec<u8>> {
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(self.name.clone(), self.kind));
        message.to_vec().ok()
    }
}

/// The response code of `datagram`, if it answers the query `id`. What it says is nobody's
/// business here.
pub(super) fn response_code(datagram: &[u8], id: u16) -> Option<u16> {
    let header = Header::read(&mut BinDecoder::new(datagram)).ok()?.metadata;
    (header.id == id && header.message_type == MessageType::Response)
        .then(|| header.response_code.into())
}

pub(super) async fn attempt(endpoint: &Endpoint, probe: &DnsProbe) -> Report {
    let service = &endpoint.service;
    let line = |what: &str| format!("DNS_CHECK ({service}) {what}");
    let unable = |because| Report::unable(because, line("UDP socket bind failed. Rescheduling."));
    let failed = |error: &std::io::Error| {
        let number = error.raw_os_error().unwrap_or(0);
        let words = text(error);
        let what = format!("failed to read socket; errno {number} ({words})");
        Report::failure(line(&what))
    };
    let unreachable = || {
        Report::failure(line(&format!(
            "network unreachable for {}",
            endpoint.target()
        )))
    };
    let mut id = [0; 2];
    if openssl::rand::rand_bytes(&mut id).is_err() {
        return unable("Checker has no random numbers".to_owned());
    }
    let id = u16::from_be_bytes(id);
    let Some(query) = probe.query(id) else {
        return unable("Checker can't build the DNS query".to_owned());
    };
    let socket = match connect(endpoint) {
        Ok(socket) => socket,
        Err(NoConnection::Unable(because)) => return unable(because),
        Err(NoConnection::Unreachable(_)) => return unreachable(),
        Err(NoConnection::Failed(error)) => return failed(&error),
        Err(NoConnection::Timeout) => return Report::failure(line("read timeout from socket")),
    };
    match timeout(endpoint.connect_timeout, exchange(&socket, &query, id)).await {
        Ok(Ok(0)) => Report::success(),
        Ok(Ok(code)) => Report::failure(line(&format!("read error occurred. (rcode = {code})"))),
        Ok(Err(error)) => match NoConnection::from_io(error) {
            NoConnection::Unable(because) => unable(because),
            NoConnection::Unreachable(error) | NoConnection::Failed(error) => failed(&error),
            NoConnection::Timeout => Report::failure(line("read timeout from socket")),
        },
        Err(_) => Report::failure(line("read timeout from socket")),
    }
}

/// Asks and waits for the answer's code; what is no answer is passed over.
async fn exchange(socket: &UdpSocket, query: &[u8], id: u16) -> std::io::Result<u16> {
    socket.send(query).await?;
    let mut buffer = [0; LONGEST];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Some(code) = response_code(buffer.get(..length).unwrap_or_default(), id) {
            return Ok(code);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_query_as_keepalived_sends_it() {
        let query = DnsProbe::default().query(0x4e90).unwrap();
        assert_eq!(
            query,
            *b"N\x90\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01"
        );
        let query = DnsProbe::new("www.example.org", "aaaa")
            .unwrap()
            .query(1)
            .unwrap();
        assert_eq!(
            query,
            *b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x1c\x00\x01"
        );
        let absolute = DnsProbe::new("www.example.org.", "AAAA");
        assert_eq!(absolute, DnsProbe::new("www.example.org", "aaaa"));
    }

    #[test]
    fn questions_that_cannot_be_asked() {
        let label = "a".repeat(64);
        assert_eq!(DnsProbe::new(&label, "A"), Err(BadQuestion::Name(label)));
        assert_eq!(
            DnsProbe::new(".", "ANY"),
            Err(BadQuestion::Type("ANY".into()))
        );
        assert_eq!(
            DnsProbe::new(".", "frog"),
            Err(BadQuestion::Type("frog".into()))
        );
    }

    #[test]
    fn codes_and_what_is_no_answer() {
        let answer = |flags: [u8; 2]| [&[0x12, 0x34], &flags[..], &[0; 8]].concat();
        assert_eq!(response_code(&answer([0x81, 0x80]), 0x1234), Some(0));
        assert_eq!(response_code(&answer([0x81, 0x83]), 0x1234), Some(3));
        assert_eq!(response_code(&answer([0x81, 0x8f]), 0x1234), Some(15));
        assert_eq!(response_code(&answer([0x81, 0x80]), 0x1235), None);
        assert_eq!(
            response_code(&answer([0x01, 0x00]), 0x1234),
            None,
            "a query"
        );
        assert_eq!(response_code(&[0x12, 0x34, 0x81], 0x1234), None);
    }

    proptest! {
        #[test]
        fn no_datagram_breaks_it(bytes: Vec<u8>, id: u16) {
            response_code(&bytes, id);
        }
    }
}
