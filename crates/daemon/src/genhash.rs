//! `--genhash`, `-T`, or the program under the name of genhash: fetches a page and prints the
//! digest that `digest` in a `url` block must be.

use std::ffi::CStr;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sys::prctl;
use rk_checker::probe::genhash::{Part, Section, genhash, hex_rows};
use rk_checker::probe::{
    Client, Endpoint, Farewell, HttpProbe, HttpVersion, Identity, Tls, Trust, Verify,
};

use crate::cli::{Opt, Piece, Takes, opt, pieces};

/// How long genhash waits when it is not told.
const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);

/// Which option it is.
#[derive(Clone, Copy, Debug)]
enum Id {
    UseSsl,
    UseSni,
    Server,
    Port,
    Url,
    UseVirtualhost,
    Verbose,
    Help,
    Fwmark,
    Protocol,
    Timeout,
}

use Takes::{Nothing, Value};

/// All options, in the order of the help.
#[rustfmt::skip]
static OPTIONS: &[Opt<Id>] = &[
    opt(Id::Server, "server", 's', Value("ADDRESS"), "Ask the server at this address (required)"),
    opt(Id::Port, "port", 'p', Value("PORT"), "at this port (required)"),
    opt(Id::Url, "url", 'u', Value("PATH"), "for this page (required)"),
    opt(Id::UseVirtualhost, "use-virtualhost", 'V', Value("HOST"), "of this host"),
    opt(Id::UseSsl, "use-ssl", 'S', Nothing, "Speak TLS"),
    opt(Id::UseSni, "use-sni", 'I', Nothing, "and say there which host is meant (see -V)"),
    opt(Id::Protocol, "protocol", 'P', Value("VERSION"), "Speak HTTP 1.0, 1.0c (1.0 with Connection: close) or 1.1"),
    opt(Id::Fwmark, "fwmark", 'm', Value("MARK"), "Mark the packets"),
    opt(Id::Timeout, "timeout", 't', Value("SECONDS"), "Wait no longer for each answer"),
    opt(Id::Verbose, "verbose", 'v', Nothing, "Show what comes"),
    opt(Id::Help, "help", 'h', Nothing, "Show this help"),
];

/// What is asked for.
#[derive(Debug)]
enum Asked {
    Help,
    Page {
        endpoint: Endpoint,
        probe: Box<HttpProbe>,
        verbose: bool,
    },
}

/// The command name of the process, as keepalived has it; whatever it was started as.
const NAME: &CStr = c"genhash";

/// Runs genhash with the words behind its name. The status is 1 when there is no digest, for the
/// help, too.
pub(crate) fn run(words: &[String]) -> ExitCode {
    // It is only shown.
    let _ = prctl::set_name(NAME);
    // Nobody may be reading: that is no reason not to go on.
    let say = |text: &str| drop(io::stderr().write_all(text.as_bytes()));
    let print = |bytes: &[u8]| drop(io::stdout().write_all(bytes));
    let (endpoint, probe, verbose) = match read(words) {
        Err(complaint) => {
            say(&format!("{complaint}{}", usage()));
            return ExitCode::FAILURE;
        }
        Ok(Asked::Help) => {
            say(&usage());
            return ExitCode::FAILURE;
        }
        Ok(Asked::Page {
            endpoint,
            probe,
            verbose,
        }) => (endpoint, probe, verbose),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("cannot begin: {error}\n"));
            return ExitCode::FAILURE;
        }
    };
    let start = Instant::now();
    let show = |part: Part<'_>| {
        if verbose {
            print(&shown(part));
        }
    };
    match runtime.block_on(genhash(&endpoint, &probe, show)) {
        Err(why) => {
            say(&format!("{why}\n"));
            ExitCode::FAILURE
        }
        Ok(page) => {
            if verbose {
                print(b"\n");
                print(format!("{}\n", Section::DigestOctets).as_bytes());
                print(hex_rows(&page.digest.0).as_bytes());
                print(format!("{}\n", Section::Digest).as_bytes());
            }
            print(format!("{}\n", page.digest).as_bytes());
            if verbose {
                let (path, took) = (&probe.path, start.elapsed().as_micros());
                let text = format!("\nGlobal response time for [{path}] = {took} usecs\n");
                print(text.as_bytes());
            }
            ExitCode::SUCCESS
        }
    }
}

/// A part of the page as verbose output has it.
fn shown(part: Part<'_>) -> Vec<u8> {
    match part {
        Part::Head(head) => {
            let mut text = format!("{}\n{}", Section::HeadOctets, hex_rows(head)).into_bytes();
            text.extend(format!("{}\n", Section::Head).bytes());
            text.extend(head);
            text.extend(format!("\n{}\n", Section::Body).bytes());
            text
        }
        Part::Body(body) => hex_rows(body).into_bytes(),
    }
}

fn usage() -> String {
    let program = std::env::args_os().next().map(PathBuf::from);
    let called = match program.as_deref().and_then(Path::file_name) {
        Some(name) if name == "genhash" => "genhash",
        _ => "keepalived --genhash",
    };
    let mut text = format!(
        "Usage: {called} [-S] -s ADDRESS -p PORT -u PATH [OPTION...]\n\n\
         Prints the MD5 digest of a page.\n\n"
    );
    for opt in OPTIONS {
        let value = match opt.takes {
            Takes::Value(name) => format!(" {name}"),
            Takes::Nothing | Takes::Glued(_) => String::new(),
        };
        let long = format!("--{}{value}", opt.long);
        let letter = opt.short.unwrap_or(' ');
        let _ = writeln!(text, "  -{letter}, {long:<25} {}", opt.help);
    }
    text
}

/// The options as they were given.
#[derive(Debug)]
struct Given {
    server: Option<IpAddr>,
    port: Option<u16>,
    /// The page and how it is asked for; but for TLS.
    probe: HttpProbe,
    tls: bool,
    sni: bool,
    verbose: bool,
    fwmark: u32,
    timeout: Duration,
}

impl Given {
    /// Takes one option; an error is what to complain about.
    fn set(&mut self, id: Id, value: String) -> Result<(), String> {
        match id {
            // Answered before anything is taken.
            Id::Help => {}
            Id::UseSsl => self.tls = true,
            Id::UseSni => self.sni = true,
            Id::Verbose => self.verbose = true,
            Id::Url => self.probe.path = value,
            Id::UseVirtualhost => self.probe.virtualhost = Some(value),
            Id::Server => match value.parse::<IpAddr>() {
                Ok(address) => self.server = Some(address),
                Err(_) => return Err(format!("server should be an IP, not {value}")),
            },
            Id::Port => match value.parse::<u16>() {
                Ok(number) if number > 0 => self.port = Some(number),
                _ => return Err(format!("invalid port number '{value}'")),
            },
            Id::Fwmark => match value.parse() {
                Ok(mark) => self.fwmark = mark,
                Err(_) => return Err(format!("invalid fwmark '{value}'")),
            },
            Id::Protocol => match value.as_str() {
                "1.0" => self.probe.version = HttpVersion::V1_0,
                "1.0c" | "1.0C" => self.probe.version = HttpVersion::V1_0Close,
                "1.1" => self.probe.version = HttpVersion::V1_1,
                _ => return Err(format!("invalid HTTP protocol version '{value}'")),
            },
            Id::Timeout => match value.parse().map(Duration::try_from_secs_f64) {
                Ok(Ok(seconds)) if !seconds.is_zero() => self.timeout = seconds.min(FOR_EVER),
                _ => return Err(format!("invalid timeout '{value}'")),
            },
        }
        Ok(())
    }

    /// The page that is asked for; without server, port or path the usage is all there is to say.
    fn into_page(mut self) -> Result<Asked, String> {
        let (Some(server), Some(port), false) =
            (self.server, self.port, self.probe.path.is_empty())
        else {
            return Err(String::new());
        };
        if self.tls {
            let client = Client::new(&Identity::default(), &Trust::System)
                .map_err(|error| format!("{error}\n"))?;
            self.probe.tls = Some(Tls {
                client,
                server_name: self.probe.virtualhost.clone().filter(|_| self.sni),
                farewell: Farewell::Quiet,
                verify: Verify::Off,
            });
        }
        Ok(Asked::Page {
            endpoint: Endpoint {
                fwmark: self.fwmark,
                connect_timeout: self.timeout,
                ..Endpoint::new("", SocketAddr::from((server, port)))
            },
            probe: Box::new(self.probe),
            verbose: self.verbose,
        })
    }
}

/// Understands the words; an error is what to complain about, in lines.
fn read(words: &[String]) -> Result<Asked, String> {
    let mut given = Given {
        server: None,
        port: None,
        probe: HttpProbe::new(""),
        tls: false,
        sni: false,
        verbose: false,
        fwmark: 0,
        timeout: FOR_EVER,
    };
    let mut complaints = String::new();
    let mut stray = Vec::new();
    for piece in pieces(OPTIONS, words) {
        let refused = match piece {
            Piece::Option(opt, _) if matches!(opt.id, Id::Help) => return Ok(Asked::Help),
            Piece::Option(opt, value) => given.set(opt.id, value.unwrap_or_default()),
            Piece::Unknown(spelt) => Err(format!("Unknown option {spelt}")),
            Piece::MissingValue(spelt) => Err(format!("Missing parameter for option {spelt}")),
            Piece::Word(word) => {
                stray.push(word);
                Ok(())
            }
        };
        if let Err(complaint) = refused {
            let _ = writeln!(complaints, "{complaint}");
        }
    }
    if !stray.is_empty() {
        let _ = writeln!(complaints, "Unexpected argument(s): {}", stray.join(" "));
    }
    if complaints.is_empty() {
        given.into_page()
    } else {
        Err(complaints)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Result<Asked, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        read(&words)
    }

    #[test]
    fn a_page_in_full() {
        let line = "-s 192.0.2.1 --port=8443 -u /a -SIVwww.example.org -P 1.1 -m 7 -t 2.5 -v";
        let Ok(Asked::Page {
            endpoint,
            probe,
            verbose,
        }) = read_line(line)
        else {
            panic!("refused");
        };
        assert_eq!(endpoint.addr.to_string(), "192.0.2.1:8443");
        assert_eq!(endpoint.fwmark, 7);
        assert_eq!(endpoint.connect_timeout, Duration::from_millis(2500));
        assert_eq!(probe.path, "/a");
        assert_eq!(probe.version, HttpVersion::V1_1);
        assert_eq!(probe.virtualhost.as_deref(), Some("www.example.org"));
        let tls = probe.tls.unwrap();
        assert_eq!(tls.server_name.as_deref(), Some("www.example.org"));
        assert!(verbose);
    }

    #[test]
    fn complaints_as_keepalived_makes_them() {
        for (line, complaint) in [
            ("-s 127.0.0.1", ""),
            ("-x", "Unknown option -x\n"),
            (
                "-s 127.0.0.1 -p 99 -u / -P 3",
                "invalid HTTP protocol version '3'\n",
            ),
            ("-s foo -p 99 -u /", "server should be an IP, not foo\n"),
            (
                "-s 127.0.0.1 -p 99999 -u /",
                "invalid port number '99999'\n",
            ),
            (
                "-s 127.0.0.1 -p 99 -u / extra",
                "Unexpected argument(s): extra\n",
            ),
            ("-s 127.0.0.1 -p 99 -u / -t x", "invalid timeout 'x'\n"),
            ("-s 127.0.0.1 -p 99 -u / -t -1", "invalid timeout '-1'\n"),
            ("-s 127.0.0.1 -p 99 -u", "Missing parameter for option -u\n"),
        ] {
            assert_eq!(read_line(line).unwrap_err(), complaint, "{line}");
        }
        assert!(matches!(read_line("-h"), Ok(Asked::Help)));
        for opt in OPTIONS {
            assert!(usage().contains(&format!("--{}", opt.long)));
        }
    }

    #[test]
    fn verbose_output_as_keepalived_prints_it() {
        let head = shown(Part::Head(b"HTTP/1.0 200 OK\r\n\r\n"));
        assert_eq!(
            String::from_utf8(head).unwrap(),
            "-----------------------[    HTTP Header Buffer    ]-----------------------\n\
             0000  48 54 54 50 2f 31 2e 30 - 20 32 30 30 20 4f 4b 0d   HTTP/1.0 200 OK.\n\
             0016  0a 0d 0a                -                           ...             \n\
             -----------------------[ HTTP Header Ascii Buffer ]-----------------------\n\
             HTTP/1.0 200 OK\r\n\r\n\n\
             -----------------------[        HTML Buffer        ]-----------------------\n"
        );
    }
}
