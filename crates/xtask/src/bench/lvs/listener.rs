//! What all real servers are: one socket that takes every connection and counts them.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow};
use nix::sys::socket::{Backlog, listen};
use rk_lab::Node;

use super::config::PORT;

/// How many connections may wait: what the kernel allows by itself.
const BACKLOG: i32 = 4096;

/// Listens on [`PORT`] of every address of a node until it is dropped.
pub(super) struct Listener<'a> {
    node: &'a Node,
    taken: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<'a> Listener<'a> {
    pub(super) fn start(node: &'a Node) -> Result<Self> {
        let socket = node
            .in_net(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)))
            .context("listening")?;
        // Thousands may come before the processor does.
        listen(&socket, Backlog::new(BACKLOG)?)?;
        let (taken, over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (count, end) = (Arc::clone(&taken), Arc::clone(&over));
        let accept = move || {
            while !end.load(Ordering::Relaxed) {
                if socket.accept().is_ok() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        let thread = std::thread::Builder::new()
            .spawn(accept)
            .map_err(|e| anyhow!("a thread: {e}"))?;
        Ok(Self {
            node,
            taken,
            over,
            thread: Some(thread),
        })
    }

    /// How many connections there have been.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // It waits for a connection.
        let woken = self
            .node
            .in_net(|| TcpStream::connect((Ipv4Addr::LOCALHOST, PORT)));
        if woken.is_ok()
            && let Some(thread) = self.thread.take()
        {
            thread.join().ok();
        }
    }
}
