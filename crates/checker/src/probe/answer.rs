//! What a server says, judged without a network: for fuzzers, and for whoever has an answer.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Endpoint, HttpProbe, Report, dns, http, smtp};

/// Something that is no reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoReply;

/// The verdict of `probe` over an HTTP answer that came in these pieces and ended there.
#[must_use]
pub fn http<'a>(probe: &HttpProbe, pieces: impl IntoIterator<Item = &'a [u8]>) -> Report {
    let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    http::judge(&Endpoint::new("", nobody), probe, pieces)
}

/// The response code (RFC 1035 §4.1.1) of `datagram`, if it answers the query `id`.
#[must_use]
pub fn dns(datagram: &[u8], id: u16) -> Option<u16> {
    dns::response_code(datagram, id)
}

/// The code of the SMTP reply (RFC 5321 §4.2) that `octets` begin with; `None` while it has no end.
#[must_use]
pub fn smtp(octets: &[u8]) -> Option<Result<u16, NoReply>> {
    let mut reader = smtp::ReplyReader::default();
    let reply = octets.iter().find_map(|octet| reader.push(*octet))?;
    Some(reply.map_err(|smtp::NoReply| NoReply))
}
