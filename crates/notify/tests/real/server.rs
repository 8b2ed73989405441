//! A mail server on loopback that behaves as each test tells it to.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What the server does next.
pub(crate) enum Reply {
    /// Sends these bytes.
    Say(&'static [u8]),
    /// Sends them one by one, each in a packet of its own.
    Dribble(&'static [u8]),
    /// Sends nothing, and goes on listening.
    Silence,
    /// Closes the connection.
    HangUp,
    /// Sends a reply that never ends.
    Flood,
}

/// What a client says to a server before it has said anything: its turn to greet.
pub(crate) const CONNECT: &str = "";
/// What stands for the whole message in the question to the test.
pub(crate) const END_OF_DATA: &str = ".";

/// The replies of a server that does everything right.
pub(crate) fn good(command: &str) -> Reply {
    Reply::Say(match command.split([' ', ':']).next().unwrap() {
        "" => b"220 test ready\r\n",
        "DATA" => b"354 go on\r\n",
        "QUIT" => b"221 bye\r\n",
        "HELO" | "MAIL" | "RCPT" | "." => b"250 ok\r\n",
        _ => b"502 unknown\r\n",
    })
}

type Manner = dyn Fn(usize, &str) -> Reply + Send + Sync;

/// The server. Dropped, it is gone with its connections.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    sessions: mpsc::UnboundedReceiver<String>,
    task: JoinHandle<()>,
}

/// A port on loopback that nobody listens on, kept from others.
pub(crate) fn closed_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

impl Server {
    /// A server that asks `manner` for each reply: to which line of the client's, on which
    /// connection (0, 1, ...).
    pub(crate) fn start(manner: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::open(closed_port().0, manner)
    }

    /// The same on a port that was closed so far.
    pub(crate) fn open(
        socket: TcpSocket,
        manner: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, sessions) = mpsc::unbounded_channel();
        let task = tokio::spawn(accept(listener, Arc::new(manner), sender));
        Self {
            address,
            sessions,
            task,
        }
    }

    /// All that the client said on the next connection to end.
    pub(crate) async fn session(&mut self) -> String {
        let limit = std::time::Duration::from_secs(20);
        timeout(limit, self.sessions.recv())
            .await
            .expect("no session ended")
            .unwrap()
    }

    /// How many connections have ended that nobody asked about.
    pub(crate) fn other_sessions(&mut self) -> usize {
        std::iter::from_fn(|| self.sessions.try_recv().ok()).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    manner: Arc<Manner>,
    sessions: mpsc::UnboundedSender<String>,
) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let (manner, sessions) = (Arc::clone(&manner), sessions.clone());
        tasks.spawn(async move {
            let said = serve(stream, number, &*manner).await;
            let _ = sessions.send(said);
        });
    }
}

async fn serve(stream: TcpStream, number: usize, manner: &Manner) -> String {
    stream.set_nodelay(true).unwrap();
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    let mut said = String::new();
    let mut command = CONNECT.to_owned();
    loop {
        let reply = manner(number, &command);
        let takes_data = command == "DATA" && matches!(reply, Reply::Say(b"354 go on\r\n"));
        let sent = match reply {
            Reply::Say(bytes) => writing.write_all(bytes).await,
            Reply::Dribble(bytes) => {
                for byte in bytes {
                    // Lets the client run in between.
                    tokio::task::yield_now().await;
                    let _ = writing.write_all(&[*byte]).await;
                }
                Ok(())
            }
            Reply::Silence => Ok(()),
            Reply::HangUp => return said,
            Reply::Flood => loop {
                if let Err(error) = writing.write_all(&[b'x'; 4096]).await {
                    break Err(error);
                }
            },
        };
        if sent.is_err() {
            return said;
        }
        let begun = said.len();
        if takes_data {
            while !said[begun..].ends_with("\r\n.\r\n") {
                if !matches!(reading.read_line(&mut said).await, Ok(n) if n > 0) {
                    return said;
                }
            }
            command = END_OF_DATA.to_owned();
        } else {
            if !matches!(reading.read_line(&mut said).await, Ok(n) if n > 0) {
                return said;
            }
            command = said[begun..].trim_end().to_owned();
        }
        if command == "QUIT" {
            if let Reply::Say(bytes) = manner(number, &command) {
                let _ = writing.write_all(bytes).await;
            }
            let _ = reading.read_to_string(&mut said).await;
            return said;
        }
    }
}
