//! TLS as `SSL_GET` speaks it: with anyone, in any version, and without believing anything.
//!
//! keepalived checks that a server answers, not who it is, so nothing is verified unless
//! [`Tls::verify`] asks for it. What the certificate says is reported either way.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContext, SslFiletype, SslMethod, SslOptions, SslRef, SslVerifyMode};
use openssl::x509::{X509NameRef, X509VerifyResult};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::Endpoint;

/// All suites, even such as nobody should use any more; only not those without a certificate.
const CIPHERS: &str = "ALL:!aNULL:@SECLEVEL=0";

/// What block `SSL` of the configuration holds, read and ready. Cheap to clone; make one for all
/// checkers that share it.
#[derive(Clone)]
pub struct Client {
    context: SslContext,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// The certificate that this side shows when it is asked for one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Identity {
    /// `certificate`: PEM, with its chain.
    pub certificate: Option<PathBuf>,
    /// `key`: PEM.
    pub key: Option<PathBuf>,
    /// `password`: what the key is encrypted with.
    pub password: Option<Password>,
}

/// A password, which no log or dump shows.
#[derive(Clone, Eq, PartialEq)]
pub struct Password(String);

impl Password {
    /// Takes the password as configured.
    #[must_use]
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }
}

/// Its length only.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} octets>", self.0.len())
    }
}

/// Whose signatures count, where [`Verify`] asks for that.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Trust {
    /// The system's list.
    #[default]
    System,
    /// `ca`: the certificates in this file.
    File(PathBuf),
}

/// A file of block `SSL` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificates of `ca`.
    #[error("Cannot load CA file {}: {source}", path.display())]
    Ca {
        /// Which file.
        path: PathBuf,
        /// OpenSSL's words.
        source: ErrorStack,
    },
    /// The certificate.
    #[error("Cannot load certificate file {}: {source}", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// OpenSSL's words.
        source: ErrorStack,
    },
    /// The key: unreadable, or the password is wrong, or it belongs to another certificate.
    #[error("Cannot load key file {}: {source}", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// OpenSSL's words.
        source: ErrorStack,
    },
    /// The file itself cannot be read.
    #[error("Cannot read {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// OpenSSL is not usable at all.
    #[error("Cannot initialize SSL: {0}")]
    Library(#[from] ErrorStack),
}

impl TlsError {
    /// What is wrong with the file, in few words: OpenSSL's own also tell where in its code it
    /// found that out.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::File { source, .. } => source.to_string(),
            Self::Ca { source, .. }
            | Self::Certificate { source, .. }
            | Self::Key { source, .. }
            | Self::Library(source) => {
                let errors = source.errors().iter();
                let mut reasons: Vec<&str> =
                    errors.filter_map(openssl::error::Error::reason).collect();
                reasons.dedup();
                reasons.join(", ")
            }
        }
    }
}

impl Client {
    /// Reads the files of `identity` and `trust`.
    ///
    /// # Errors
    /// [`TlsError`] names the file.
    pub fn new(identity: &Identity, trust: &Trust) -> Result<Self, TlsError> {
        let mut builder = SslContext::builder(SslMethod::tls_client())?;
        // The handshake goes on whatever the certificate is; what is wrong with it is asked for
        // afterwards.
        builder.set_verify(SslVerifyMode::NONE);
        builder.set_min_proto_version(None)?;
        builder.set_cipher_list(CIPHERS)?;
        builder.set_options(legacy() | SslOptions::IGNORE_UNEXPECTED_EOF);
        match trust {
            Trust::System => builder.set_default_verify_paths()?,
            Trust::File(path) => builder.set_ca_file(path).map_err(|source| TlsError::Ca {
                path: path.clone(),
                source,
            })?,
        }
        if let Some(path) = &identity.certificate {
            builder
                .set_certificate_chain_file(path)
                .map_err(|source| TlsError::Certificate {
                    path: path.clone(),
                    source,
                })?;
        }
        if let Some(path) = &identity.key {
            let refused = |source| TlsError::Key {
                path: path.clone(),
                source,
            };
            match &identity.password {
                Some(Password(password)) => {
                    let key =
                        PKey::private_key_from_pem_passphrase(&read(path)?, password.as_bytes());
                    builder.set_private_key(&*key.map_err(refused)?)
                }
                None => {
                    // Without a callback OpenSSL would ask the terminal for a password.
                    let key = PKey::private_key_from_pem_callback(&read(path)?, |_| Ok(0));
                    match key {
                        Ok(key) => builder.set_private_key(&key),
                        Err(_) => builder.set_private_key_file(path, SslFiletype::ASN1),
                    }
                }
            }
            .map_err(refused)?;
            if identity.certificate.is_some() {
                builder.check_private_key().map_err(refused)?;
            }
        }
        Ok(Self {
            context: builder.build(),
        })
    }
}

/// SSL_OP_LEGACY_SERVER_CONNECT: servers that know nothing of RFC 5746. The wrapper does not name
/// it, so it is taken by its number, which OpenSSL fixes as part of its ABI.
fn legacy() -> SslOptions {
    SslOptions::from_bits_retain(0x4)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

/// What makes an `HTTP_GET` an `SSL_GET`.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The shared part.
    pub client: Client,
    /// The name in the Server Name Indication; `None` without `enable_sni`.
    pub server_name: Option<String>,
    /// `tls_compliant`.
    pub farewell: Farewell,
    /// Whether the certificate counts. keepalived has nothing like it.
    pub verify: Verify,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Farewell {
    /// Without a word.
    #[default]
    Quiet,
    /// `tls_compliant`: with the close_notify of RFC 5246 §7.2.1.
    CloseNotify,
}

/// What the server's certificate must be for the check to succeed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Verify {
    /// Anything.
    #[default]
    Off,
    /// Valid now, and signed by someone trusted.
    Chain,
    /// That, and made out to this name, or to the address if there is none.
    Name(Option<String>),
}

/// What the server's certificate says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    /// To whom it is made out: `CN=www.example.org`.
    pub subject: String,
    /// Seconds from 1970-01-01T00:00:00Z to the end of its validity.
    pub not_after: i64,
    /// What is wrong with it, in OpenSSL's words, whether or not that counts: `certificate has
    /// expired`. The name is looked at only for [`Verify::Name`].
    pub problem: Option<String>,
}

impl Certificate {
    /// How many seconds it is valid after `now` (in seconds since 1970); negative when expired.
    #[must_use]
    pub fn seconds_left(&self, now: i64) -> i64 {
        self.not_after.saturating_sub(now)
    }

    fn of(ssl: &SslRef) -> Option<Self> {
        let certificate = ssl.peer_certificate()?;
        let result = ssl.verify_result();
        Some(Self {
            subject: words(certificate.subject_name()),
            not_after: unix_seconds(certificate.not_after()).unwrap_or(i64::MAX),
            problem: (result != X509VerifyResult::OK).then(|| result.error_string().to_owned()),
        })
    }
}

/// `CN=www.example.org, O=Example`.
fn words(name: &X509NameRef) -> String {
    let part = |entry: &openssl::x509::X509NameEntryRef| {
        let key = entry.object().nid().short_name().unwrap_or("?");
        let value = String::from_utf8_lossy(entry.data().as_slice()).into_owned();
        format!("{key}={value}")
    };
    name.entries().map(part).collect::<Vec<_>>().join(", ")
}

fn unix_seconds(time: &Asn1TimeRef) -> Option<i64> {
    let since = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    Some(i64::from(since.days) * 86_400 + i64::from(since.secs))
}

/// Why there is no encrypted connection.
#[derive(Debug)]
pub(super) enum NoTls {
    /// A matter of this host.
    Unable(String),
    /// The other side speaks no TLS, or none that this side understands.
    Handshake,
    /// The certificate is not as [`Verify`] wants it; the text says why.
    Certificate(String),
}

/// The certificate, and the connection if it is one that counts.
pub(super) type Greeted = (Option<Certificate>, Result<SslStream<TcpStream>, NoTls>);

/// Makes the connection an encrypted one.
pub(super) async fn greet(tls: &Tls, endpoint: &Endpoint, stream: TcpStream) -> Greeted {
    let unable = |error: ErrorStack| NoTls::Unable(format!("Checker can't set up TLS: {error}"));
    let ssl = match prepare(tls, endpoint) {
        Ok(ssl) => ssl,
        Err(error) => return (None, Err(unable(error))),
    };
    let mut stream = match SslStream::new(ssl, stream) {
        Ok(stream) => stream,
        Err(error) => return (None, Err(unable(error))),
    };
    let greeted = Pin::new(&mut stream).connect().await;
    let certificate = Certificate::of(stream.ssl());
    let result = match greeted {
        Err(_) => Err(NoTls::Handshake),
        Ok(()) if tls.verify == Verify::Off => Ok(stream),
        Ok(()) => match &certificate {
            None => Err(NoTls::Certificate("no certificate".to_owned())),
            Some(Certificate {
                problem: Some(problem),
                ..
            }) => Err(NoTls::Certificate(problem.clone())),
            Some(_) => Ok(stream),
        },
    };
    (certificate, result)
}

/// The state of one connection.
fn prepare(tls: &Tls, endpoint: &Endpoint) -> Result<Ssl, ErrorStack> {
    let mut ssl = Ssl::new(&tls.client.context)?;
    if let Some(name) = &tls.server_name {
        ssl.set_hostname(name)?;
    }
    match &tls.verify {
        Verify::Off | Verify::Chain => {}
        Verify::Name(Some(name)) => ssl.param_mut().set_host(name)?,
        Verify::Name(None) => ssl.param_mut().set_ip(endpoint.addr.ip())?,
    }
    Ok(ssl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let identity = Identity {
            password: Some(Password::new("secret")),
            ..Identity::default()
        };
        let shown = format!("{identity:?}");
        assert!(
            !shown.contains("secret") && shown.contains("<6 octets>"),
            "{shown}"
        );
    }

    #[test]
    fn files_that_are_not_there_are_named() {
        let path = PathBuf::from("/nonexistent/file.pem");
        let error = Client::new(&Identity::default(), &Trust::File(path.clone())).unwrap_err();
        assert!(
            matches!(&error, TlsError::Ca { path: named, .. } if *named == path),
            "{error}"
        );
        let identity = Identity {
            certificate: Some(path.clone()),
            ..Identity::default()
        };
        let error = Client::new(&identity, &Trust::System).unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/file.pem"),
            "{error}"
        );
        let identity = Identity {
            key: Some(path),
            ..Identity::default()
        };
        let error = Client::new(&identity, &Trust::System).unwrap_err();
        assert!(matches!(error, TlsError::File { .. }), "{error}");
    }
}
