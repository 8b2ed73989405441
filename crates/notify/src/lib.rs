//! What goes out when something happened: scripts in order, lines on named pipes, mail.
//!
//! In the order data flows: a [`Transition`] says whose state became what. [`Queue`] runs its
//! scripts, one after the other per [`Source`]; [`Fifo`] writes its line; [`Alert`] is its mail,
//! once [`Mailed`] has found that it is news, and [`Mailer`] brings it to the mail server. None of
//! these makes its caller wait: enqueueing and writing return at once, the work is done by tasks
//! on the caller's single-threaded tokio runtime. At the end of the daemon's life [`Queue::drain`]
//! and [`Mailer::drain`] wait for what is under way, up to a limit.
#![forbid(unsafe_code)]

mod alert;
mod event;
mod fifo;
mod mailer;
mod message;
mod queue;
mod session;

pub use alert::{Alert, Mailed};
pub use event::{Source, State, Transition};
pub use fifo::{Fifo, FifoError, FifoScript, FifoSettings, Written};
pub use mailer::{Mailer, Retry};
pub use message::{
    BadAddress, MailAddress, MailServer, MailSettings, Message, default_sender, local_host_name,
    render,
};
pub use queue::{Drained, Limits, Queue, Scripts};
pub use session::MailError;
