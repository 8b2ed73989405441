//! `SSL_GET` against TLS servers with certificates of every kind, made here.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    NameType, ShutdownState, SslAcceptor, SslAcceptorBuilder, SslMethod, SslOptions, SslVerifyMode,
    SslVersion,
};
use openssl::symm::Cipher;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};
use rk_checker::probe::{
    Certificate, Client, Farewell, HttpProbe, Identity, Password, Probe, Tls, TlsError, Trust,
    Verify,
};

use crate::http::{Nginx, digest_of, get, probe};
use crate::server::{Seen, installed, own_address, tcp};
use crate::{RS, assert_verdict, endpoint, impatient, report};

/// A certificate and its key.
#[derive(Clone)]
struct Pair {
    certificate: X509,
    key: PKey<Private>,
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs().try_into().unwrap()
}

const DAY: i64 = 86_400;

/// A certificate for `name`, valid until `until` (in seconds since 1970), signed by `by` or by
/// itself.
fn pair(name: &str, until: i64, by: Option<&Pair>) -> Pair {
    let key = PKey::ec_gen("prime256v1").unwrap();
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&subject).unwrap();
    let issuer = by.map_or(&*subject, |by| by.certificate.subject_name());
    builder.set_issuer_name(issuer).unwrap();
    builder.set_pubkey(&key).unwrap();
    let from = Asn1Time::from_unix(now() - 1000 * DAY).unwrap();
    builder.set_not_before(&from).unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(until).unwrap())
        .unwrap();
    if by.is_none() {
        let ca = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(ca).unwrap();
    }
    let context = builder.x509v3_context(None, None);
    let mut names = SubjectAlternativeName::new();
    if name.starts_with("127.") {
        names.ip(name);
    } else {
        names.dns(name);
    }
    let names = names.build(&context).unwrap();
    builder.append_extension(names).unwrap();
    let signer = by.map_or(&key, |by| &by.key);
    builder.sign(signer, MessageDigest::sha256()).unwrap();
    Pair {
        certificate: builder.build(),
        key,
    }
}

/// A CA, and a directory with its certificate in `ca.pem`.
struct Authority {
    pair: Pair,
    directory: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        Self::named("Test CA")
    }

    fn named(name: &str) -> Self {
        let pair = pair(name, now() + 100 * DAY, None);
        let directory = tempfile::tempdir().unwrap();
        let authority = Self { pair, directory };
        authority.write("ca.pem", &authority.pair.certificate.to_pem().unwrap());
        authority
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn trust(&self) -> Trust {
        Trust::File(self.directory.path().join("ca.pem"))
    }

    fn signs(&self, name: &str, until: i64) -> Pair {
        pair(name, until, Some(&self.pair))
    }
}

const PAGE: &[u8] = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// A TLS server with `pair` that sees what name is asked for.
fn serves(pair: &Pair, change: impl FnOnce(&mut SslAcceptorBuilder)) -> (SocketAddr, Seen) {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    builder.set_private_key(&pair.key).unwrap();
    builder.set_certificate(&pair.certificate).unwrap();
    change(&mut builder);
    let acceptor = Arc::new(builder.build());
    tcp(move |visit| {
        use std::io::{Read, Write};
        let stream = visit.stream.try_clone().unwrap();
        let Ok(mut stream) = acceptor.accept(stream) else {
            visit.seen.add(b"no handshake");
            return;
        };
        let name = stream
            .ssl()
            .servername(NameType::HOST_NAME)
            .unwrap_or("none");
        visit.seen.add(name.as_bytes());
        let mut request = [0; 1000];
        let length = stream.read(&mut request).unwrap_or(0);
        visit.seen.add(&request[..length]);
        stream.write_all(PAGE).ok();
        // The end, without a close_notify as with many servers; then what the client says to that.
        visit.stream.shutdown(std::net::Shutdown::Write).ok();
        let _end_or_error = stream.read(&mut request);
        let end = stream.get_shutdown();
        visit.seen.add(if end.contains(ShutdownState::RECEIVED) {
            b"close_notify"
        } else {
            b"quiet"
        });
    })
}

fn tls(client: &Client) -> Tls {
    Tls {
        client: client.clone(),
        server_name: None,
        farewell: Farewell::Quiet,
        verify: Verify::Off,
    }
}

fn plain_client() -> Client {
    Client::new(&Identity::default(), &Trust::System).unwrap()
}

fn ssl_get(tls: Tls) -> Probe {
    let mut http: HttpProbe = get("/page");
    http.digest = Some(digest_of(b"hello"));
    http.tls = Some(tls);
    probe(http)
}

/// What keepalived's `SSL_GET` does without any option.
pub(crate) fn anonymous_ssl_get() -> Probe {
    ssl_get(tls(&plain_client()))
}

/// A server with a certificate that nobody should take any more.
pub(crate) fn expired() -> SocketAddr {
    serves(&pair("www.example.org", now() - DAY, None), |_| {}).0
}

#[tokio::test]
async fn certificates_do_not_count_unless_asked() {
    let ca = Authority::new();
    let soon = now() + 3 * DAY;
    let address = "127.0.0.1";
    let client = Client::new(&Identity::default(), &ca.trust()).unwrap();
    let by_name = || Verify::Name(Some("www.example.org".into()));
    let failed =
        |problem: &str| format!("SSL certificate verification failed to server {RS} ({problem}).");
    let own = pair("www.example.org", soon, None);
    let cases = [
        (ca.signs("www.example.org", soon), by_name(), None),
        (ca.signs("www.example.org", soon), Verify::Chain, None),
        (ca.signs(address, soon), Verify::Name(None), None),
        (
            ca.signs("www.example.org", now() - DAY),
            by_name(),
            Some("certificate has expired"),
        ),
        (own, by_name(), Some("self-signed certificate")),
        (
            ca.signs("www.example.net", soon),
            by_name(),
            Some("hostname mismatch"),
        ),
        (
            ca.signs("www.example.org", soon),
            Verify::Name(None),
            Some("IP address mismatch"),
        ),
        (
            Authority::named("Other CA").signs("www.example.org", soon),
            Verify::Chain,
            Some("unable to get local issuer certificate"),
        ),
    ];
    for (pair, verify, problem) in cases {
        let (server, seen) = serves(&pair, |_| {});
        // As keepalived does it: whatever it is.
        let found = report(&endpoint(server), &ssl_get(tls(&client))).await;
        assert_verdict(&found, "success");
        assert!(seen.nth(1).starts_with(b"GET /page HTTP/1.0\r\n"));

        let mut strict = tls(&client);
        strict.verify = verify;
        let found = report(&endpoint(server), &ssl_get(strict)).await;
        let expected = problem.map_or("success".to_owned(), failed);
        assert_verdict(&found, &expected);
        let told = found.certificate.unwrap();
        assert_eq!(told.problem.as_deref(), problem);
        if problem.is_some() {
            assert_eq!(
                seen.nth(4),
                b"",
                "not a word goes to a server that is not trusted"
            );
        }
    }
}

#[tokio::test]
async fn the_end_of_a_certificate_is_reported() {
    let ca = Authority::new();
    let until = now() + 3 * DAY;
    let (server, _) = serves(&ca.signs("www.example.org", until), |_| {});
    let found = report(&endpoint(server), &ssl_get(tls(&plain_client()))).await;
    assert_verdict(&found, "success");
    let certificate = found.certificate.unwrap();
    assert_eq!(
        certificate,
        Certificate {
            subject: "CN=www.example.org".into(),
            not_after: until,
            problem: Some("unable to get local issuer certificate".into()),
        }
    );
    assert_eq!(certificate.seconds_left(until - 60), 60);
    assert_eq!(certificate.seconds_left(until + 60), -60);
}

#[tokio::test]
async fn server_name_and_farewell() {
    let own = pair("www.example.org", now() + DAY, None);
    let (server, seen) = serves(&own, |_| {});
    let mut settings = tls(&plain_client());
    assert_verdict(
        &report(&endpoint(server), &ssl_get(settings.clone())).await,
        "success",
    );
    assert_eq!(seen.nth(0), b"none");
    assert_eq!(seen.nth(2), b"quiet");
    settings.server_name = Some("sni.example.org".into());
    settings.farewell = Farewell::CloseNotify;
    assert_verdict(
        &report(&endpoint(server), &ssl_get(settings)).await,
        "success",
    );
    assert_eq!(seen.nth(3), b"sni.example.org");
    assert_eq!(seen.nth(5), b"close_notify");
}

#[tokio::test]
async fn any_version_of_tls() {
    let own = pair("www.example.org", now() + DAY, None);
    for version in [
        SslVersion::TLS1,
        SslVersion::TLS1_1,
        SslVersion::TLS1_2,
        SslVersion::TLS1_3,
    ] {
        let (server, _) = serves(&own, |builder| {
            builder.clear_options(
                SslOptions::NO_TLSV1 | SslOptions::NO_TLSV1_1 | SslOptions::NO_TLSV1_3,
            );
            builder.set_min_proto_version(Some(version)).unwrap();
            builder.set_max_proto_version(Some(version)).unwrap();
            builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
        });
        let found = report(&endpoint(server), &ssl_get(tls(&plain_client()))).await;
        assert_verdict(&found, "success");
    }
}

#[tokio::test]
async fn client_certificates() {
    let ca = Authority::new();
    let server = ca.signs("www.example.org", now() + DAY);
    let client = ca.signs("checker", now() + DAY);
    let certificate = ca.write("client.pem", &client.certificate.to_pem().unwrap());
    let key = ca.write(
        "client.key",
        &client.key.private_key_to_pem_pkcs8().unwrap(),
    );
    let locked = client
        .key
        .private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), b"secret")
        .unwrap();
    let locked = ca.write("locked.key", &locked);
    let trusted = ca.directory.path().join("ca.pem");
    let (address, seen) = serves(&server, |builder| {
        builder.set_ca_file(&trusted).unwrap();
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    });
    let identity = |key: &PathBuf, password: Option<&str>| Identity {
        certificate: Some(certificate.clone()),
        key: Some(key.clone()),
        password: password.map(Password::new),
    };
    for identity in [identity(&key, None), identity(&locked, Some("secret"))] {
        let client = Client::new(&identity, &ca.trust()).unwrap();
        let found = report(&endpoint(address), &ssl_get(tls(&client))).await;
        assert_verdict(&found, "success");
    }
    let found = report(&endpoint(address), &ssl_get(tls(&plain_client()))).await;
    assert_ne!(crate::verdict(&found), "success");
    assert_eq!(seen.nth(6), b"no handshake");

    // The wrong password, none (and nobody is asked for it), and another's key.
    let stranger = pair("stranger", now() + DAY, None);
    let other = ca.write(
        "other.key",
        &stranger.key.private_key_to_pem_pkcs8().unwrap(),
    );
    for identity in [
        identity(&locked, Some("guess")),
        identity(&locked, None),
        identity(&other, None),
    ] {
        let error = Client::new(&identity, &Trust::System).unwrap_err();
        assert!(matches!(error, TlsError::Key { .. }), "{error}");
    }
}

#[tokio::test]
async fn servers_that_speak_no_tls() {
    let (nonsense, _) = tcp(|mut visit| visit.say(b"nonsense, not TLS at all"));
    let (silent, _) = tcp(|mut visit| visit.hold());
    let (deaf, _) = tcp(|_| ());
    let probe = ssl_get(tls(&plain_client()));
    let handshake = format!("SSL handshake/communication error connecting to server {RS}.");
    assert_verdict(&report(&endpoint(nonsense), &probe).await, &handshake);
    assert_verdict(&report(&endpoint(deaf), &probe).await, &handshake);
    assert_verdict(
        &report(&impatient(silent), &probe).await,
        &format!("Timeout connecting server {RS}."),
    );
}

#[tokio::test]
async fn nginx() {
    if !installed("nginx") {
        return;
    }
    let ca = Authority::new();
    let until = now() + 30 * DAY;
    let good = ca.signs("www.example.org", until);
    let address = SocketAddr::from((own_address(), 8443));
    let servers = format!(
        "server {{ listen {address} ssl; server_name www.example.org;\n\
         ssl_certificate ROOT/good.pem; ssl_certificate_key ROOT/good.key; }}\n"
    );
    let files: [(&str, &[u8]); 3] = [
        ("page", b"hello"),
        ("good.pem", &good.certificate.to_pem().unwrap()),
        ("good.key", &good.key.private_key_to_pem_pkcs8().unwrap()),
    ];
    let _nginx = Nginx::start(address, &servers, &files);
    let mut endpoint = endpoint(address);
    endpoint.connect_timeout = Duration::from_secs(10);
    let client = Client::new(&Identity::default(), &ca.trust()).unwrap();
    let mut strict = tls(&client);
    strict.server_name = Some("www.example.org".into());
    strict.verify = Verify::Name(Some("www.example.org".into()));
    strict.farewell = Farewell::CloseNotify;
    let found = report(&endpoint, &ssl_get(strict.clone())).await;
    assert_verdict(&found, "success");
    assert_eq!(found.certificate.unwrap().not_after, until);
    strict.verify = Verify::Name(Some("www.example.com".into()));
    assert_verdict(
        &report(&endpoint, &ssl_get(strict)).await,
        &format!("SSL certificate verification failed to server {RS} (hostname mismatch)."),
    );
}
