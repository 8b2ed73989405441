//! `TCP_CHECK`: connect and close.

use super::socket::{NoConnection, connect_tcp};
use super::{Endpoint, Report};

pub(super) async fn attempt(endpoint: &Endpoint) -> Report {
    let service = &endpoint.service;
    match connect_tcp(endpoint).await {
        Ok(_closed_here) => Report::success(),
        Err(NoConnection::Timeout) => {
            Report::failure(format!("TCP connection to {service} timeout."))
        }
        Err(NoConnection::Failed(_) | NoConnection::Unreachable(_)) => {
            Report::failure(format!("TCP connection to {service} failed."))
        }
        Err(NoConnection::Unable(because)) => {
            Report::unable(because, "TCP socket bind failed. Rescheduling.")
        }
    }
}
