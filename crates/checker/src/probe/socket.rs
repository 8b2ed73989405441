//! Sockets as an endpoint wants them, and whose fault it is when there is none.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::Endpoint;

/// Why nothing was connected.
#[derive(Debug)]
pub(super) enum NoConnection {
    /// A matter of this host; the text says what was tried and the system's answer.
    Unable(String),
    /// No route, or the network says that there is no such host.
    Unreachable(io::Error),
    /// Refused, or any other answer that is no connection.
    Failed(io::Error),
    /// No answer in `connect_timeout`.
    Timeout,
}

impl NoConnection {
    /// What an error of `connect` or `send` means.
    pub(super) fn from_io(error: io::Error) -> Self {
        if is_local(&error) {
            return Self::Unable(format!("Checker connect failed: {}", text(&error)));
        }
        match error.raw_os_error() {
            Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::ENETDOWN) => {
                Self::Unreachable(error)
            }
            _ => Self::Failed(error),
        }
    }
}

/// Whether the error tells about this host and not about the other one.
pub(super) fn is_local(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::EMFILE
                | libc::ENFILE
                | libc::ENOBUFS
                | libc::ENOMEM
                | libc::EADDRNOTAVAIL
                | libc::EADDRINUSE
                | libc::EAGAIN
        )
    )
}

/// The system's words for an error, without its number.
pub(super) fn text(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => nix::errno::Errno::from_raw(number).desc().to_owned(),
        None => error.to_string(),
    }
}

/// A non-blocking socket for `endpoint`, marked and bound; the text says why there is none.
pub(super) fn open(
    endpoint: &Endpoint,
    kind: Type,
    protocol: Option<Protocol>,
) -> Result<Socket, String> {
    let domain = Domain::for_address(endpoint.addr);
    let socket = Socket::new(domain, kind.nonblocking().cloexec(), protocol)
        .map_err(|error| format!("Checker can't create a socket: {}", text(&error)))?;
    set_up(endpoint, &socket, kind)?;
    Ok(socket)
}

/// Mark, interface and source address.
pub(super) fn set_up(endpoint: &Endpoint, socket: &Socket, kind: Type) -> Result<(), String> {
    if endpoint.fwmark != 0 {
        socket.set_mark(endpoint.fwmark).map_err(|error| {
            let mark = endpoint.fwmark;
            format!("Checker can't set fwmark {mark}: {}", text(&error))
        })?;
    }
    let bind = &endpoint.bind;
    let mut scope = 0;
    if let Some(name) = &bind.interface {
        let refused = |why: String| format!("Checker can't bind to device {name}: {why}");
        socket
            .bind_device(Some(name.as_bytes()))
            .map_err(|error| refused(text(&error)))?;
        scope = if_nametoindex(name.as_str()).map_err(|errno| refused(errno.desc().to_owned()))?;
    }
    if bind.addr.is_none() && bind.port == 0 {
        return Ok(());
    }
    let addr = bind.addr.unwrap_or(match endpoint.addr {
        SocketAddr::V4(_) => IpAddr::from([0; 4]),
        SocketAddr::V6(_) => IpAddr::from([0; 16]),
    });
    let port = if kind == Type::STREAM || kind == Type::DGRAM {
        bind.port
    } else {
        0
    };
    let addr = match addr {
        IpAddr::V4(addr) => SocketAddr::from((addr, port)),
        IpAddr::V6(addr) => {
            let scope = if addr.is_unicast_link_local() {
                scope
            } else {
                0
            };
            SocketAddr::V6(SocketAddrV6::new(addr, port, 0, scope))
        }
    };
    let refused = |error: io::Error| format!("Checker bind failed: {}", text(&error));
    // The previous attempt from the same port may still be in TIME_WAIT.
    if port != 0 {
        socket.set_reuse_address(true).map_err(refused)?;
    }
    socket.bind(&SockAddr::from(addr)).map_err(refused)
}

/// A TCP connection to `endpoint`.
pub(super) async fn connect_tcp(endpoint: &Endpoint) -> Result<TcpStream, NoConnection> {
    let socket = open(endpoint, Type::STREAM, Some(Protocol::TCP)).map_err(NoConnection::Unable)?;
    let socket = TcpSocket::from_std_stream(std::net::TcpStream::from(socket));
    match timeout(endpoint.connect_timeout, socket.connect(endpoint.addr)).await {
        Ok(Ok(stream)) => {
            // Whoever closes first keeps the pair of addresses for a minute (TIME_WAIT), and with
            // a port of its own the next attempt would want that very pair. A reset keeps nothing.
            if endpoint.bind.port != 0 {
                SockRef::from(&stream)
                    .set_linger(Some(Duration::ZERO))
                    .map_err(NoConnection::from_io)?;
            }
            Ok(stream)
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => Err(NoConnection::Timeout),
        Ok(Err(error)) => Err(NoConnection::from_io(error)),
        Err(_) => Err(NoConnection::Timeout),
    }
}
