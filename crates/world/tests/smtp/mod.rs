//! A real mail server that a test starts (aiosmtpd, see `server.py`), and one that plays a part line by line.
//!
//! aiosmtpd is taken from Debian's packages by `make test`, which sets `BELFRY_TOOLS`; without that variable and without
//! the packages, a test says loudly that it was skipped.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A certificate of `localhost` and the authority that signed it.
pub(crate) struct Certificates {
    folder: TempDir,
    /// The authority's certificate, as PEM.
    pub(crate) authority: String,
}

impl Certificates {
    pub(crate) fn new() -> Certificates {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let server_key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&server_key, &issuer).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("certificate"), certificate.pem()).unwrap();
        std::fs::write(folder.path().join("key"), server_key.serialize_pem()).unwrap();
        Certificates { folder, authority }
    }
}

/// A running aiosmtpd.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    child: Child,
    lines: BufReader<ChildStdout>,
    // It ends when this is closed.
    _stdin: Option<ChildStdin>,
}

impl MailServer {
    /// Starts one; `None`, loudly, where aiosmtpd is not there and need not be.
    pub(crate) fn start(
        security: &str,
        certificates: Option<&Certificates>,
        login: Option<&str>,
    ) -> Option<MailServer> {
        let packages = packages()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../world/tests/smtp/server.py");
        let mut command = Command::new("python3");
        command
            .env("PYTHONPATH", packages)
            .arg(script)
            .args(["--security", security])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(certificates) = certificates {
            let folder = certificates.folder.path();
            command.arg("--certificate").arg(folder.join("certificate"));
            command.arg("--key").arg(folder.join("key"));
        }
        if let Some(login) = login {
            command.args(["--login", login]);
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        lines.read_line(&mut port).unwrap();
        Some(MailServer {
            port: port.trim().parse().unwrap(),
            _stdin: child.stdin.take(),
            child,
            lines,
        })
    }

    /// The next message that it took, as JSON text.
    pub(crate) fn taken(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where aiosmtpd is.
fn packages() -> Option<PathBuf> {
    tool("usr/lib/python3/dist-packages/aiosmtpd")
        .and_then(|found| Some(found.parent()?.to_owned()))
}

/// Something that `make test` fetches, by its place among the tools. Where `BELFRY_TOOLS` says that it must be there, it is.
pub(crate) fn tool(place: &str) -> Option<PathBuf> {
    let wanted = std::env::var_os("BELFRY_TOOLS").map(PathBuf::from);
    let is_needed = wanted.is_some();
    let tools =
        wanted.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools"));
    let found = tools.join(place);
    if found.exists() {
        return Some(found);
    }
    assert!(!is_needed, "no {}", found.display());
    eprintln!(
        "SKIPPED: no {}; `cargo run -p xtask -- tools` fetches it",
        found.display()
    );
    None
}

/// A server that greets, then answers each line that begins with a word of its part; to a word without an answer it says
/// nothing, for ever. The answer to `.` is that to the message.
pub(crate) async fn playing(
    greeting: &'static str,
    part: &'static [(&'static str, &'static str)],
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut stream = tokio::io::BufReader::new(stream);
                if stream.write_all(greeting.as_bytes()).await.is_err() {
                    return;
                }
                let mut line = String::new();
                while stream
                    .read_line(&mut line)
                    .await
                    .is_ok_and(|length| length > 0)
                {
                    let answer = part.iter().find(|(word, _)| line.starts_with(word));
                    line.clear();
                    if let Some((_, answer)) = answer
                        && stream.write_all(answer.as_bytes()).await.is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    port
}
