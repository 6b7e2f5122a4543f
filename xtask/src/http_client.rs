//! A small HTTP/1.1 client over one kept connection. It reaches this machine only: traffic and checks are for programs
//! that stand here, and a mistyped address must not send either to somebody else. A library would bring TLS, proxies and
//! redirects, all of which would be wrong here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Longer than either program's own bound on a request, so that their answer comes first.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Largest answer that is read: above the largest page, image and exposition by far.
const BODY_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Most header lines that an answer may have.
const HEADERS_MAX: usize = 100;
/// Longest line of a head.
const LINE_BYTES_MAX: u64 = 16 * 1024;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Request {
        Request {
            method: "GET",
            path: path.into(),
            ..Request::default()
        }
    }

    pub(crate) fn post_json(path: impl Into<String>, body: &serde_json::Value) -> Request {
        Request {
            method: "POST",
            path: path.into(),
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection, opened when needed and kept.
pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Client {
        Client {
            address,
            connection: None,
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        self.send(&Request::get(path))
    }

    /// Sends and reads the answer. A kept connection that the server has closed meanwhile is replaced once.
    pub(crate) fn send(&mut self, request: &Request) -> Result<Answer> {
        let head = self.head(request);
        if let Some(kept) = self.connection.take() {
            let first = self.exchange(kept, request, &head);
            if first.is_ok() {
                return first;
            }
        }
        let fresh = TcpStream::connect_timeout(&self.address, TIMEOUT)
            .with_context(|| format!("nothing answers on {}", self.address))?;
        fresh.set_read_timeout(Some(TIMEOUT))?;
        fresh.set_write_timeout(Some(TIMEOUT))?;
        fresh.set_nodelay(true)?;
        self.exchange(BufReader::new(fresh), request, &head)
    }

    fn head(&self, request: &Request) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: xtask\r\nContent-Length: {}\r\n",
            request.method,
            request.path,
            self.address,
            request.body.len()
        );
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    fn exchange(
        &mut self,
        mut connection: BufReader<TcpStream>,
        request: &Request,
        head: &[u8],
    ) -> Result<Answer> {
        let mut message = head.to_vec();
        message.extend_from_slice(&request.body);
        connection.get_mut().write_all(&message)?;
        let answer = read_answer(&mut connection, request.method == "HEAD")?;
        let closes = answer
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if !closes {
            self.connection = Some(connection);
        }
        Ok(answer)
    }
}

/// Reads `http://127.0.0.1:8765` and refuses every host but this machine.
pub(crate) fn loopback(base: &str) -> Result<SocketAddr> {
    let rest = base
        .strip_prefix("http://")
        .with_context(|| format!("{base}: must begin with http://"))?;
    let authority = rest.trim_end_matches('/');
    let mut found = authority
        .to_socket_addrs()
        .with_context(|| format!("{authority}: must be HOST:PORT"))?;
    let address = found
        .next()
        .with_context(|| format!("{authority} has no address"))?;
    if !address.ip().is_loopback() {
        bail!("{authority} is not this machine: only loopback addresses are allowed");
    }
    Ok(address)
}

/// Text as the value of a query parameter.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn read_answer(from: &mut impl BufRead, head_only: bool) -> Result<Answer> {
    let first = line(from)?;
    let status: u16 = first
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(|digits| digits.parse().ok())
        .with_context(|| format!("no HTTP/1.1 answer: {first:?}"))?;
    let headers = headers(from)?;
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    let bodiless = head_only || status == 204 || status == 304 || status < 200;
    if !bodiless {
        answer.body = body(from, &answer)?;
    }
    Ok(answer)
}

fn headers(from: &mut impl BufRead) -> Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let text = line(from)?;
        if text.is_empty() {
            return Ok(headers);
        }
        if headers.len() == HEADERS_MAX {
            bail!("more than {HEADERS_MAX} header lines");
        }
        let (name, value) = text.split_once(':').context("a header without a colon")?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

fn body(from: &mut impl BufRead, answer: &Answer) -> Result<Vec<u8>> {
    let chunked = answer
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    if chunked {
        return chunks(from);
    }
    let length: u64 = answer
        .header("content-length")
        .context("an answer without a length")?
        .parse()
        .context("a length that is no number")?;
    let mut body = Vec::new();
    take_exactly(from, length, &mut body)?;
    Ok(body)
}

fn chunks(from: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(from)?;
        let digits = size.split(';').next().unwrap_or_default();
        let length = u64::from_str_radix(digits.trim(), 16).context("a chunk without a size")?;
        if length == 0 {
            headers(from)?;
            return Ok(body);
        }
        take_exactly(from, length, &mut body)?;
        line(from)?;
    }
}

fn take_exactly(from: &mut impl BufRead, length: u64, into: &mut Vec<u8>) -> Result<()> {
    let before = into.len() as u64;
    if before + length > BODY_BYTES_MAX {
        bail!("an answer of more than {BODY_BYTES_MAX} bytes");
    }
    from.take(length).read_to_end(into)?;
    if into.len() as u64 != before + length {
        bail!("the answer ended early");
    }
    Ok(())
}

fn line(from: &mut impl BufRead) -> Result<String> {
    let mut bytes = Vec::new();
    from.take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        bail!("the connection was closed");
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).context("a head that is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Result<Answer> {
        read_answer(&mut text.as_bytes(), false)
    }

    #[test]
    fn answers_with_a_length_and_in_chunks_are_read() {
        let plain = answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
        assert_eq!((plain.status, plain.text().as_str()), (200, "hello"));
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
        assert_eq!(answer(chunked).unwrap().text(), "hello");
        assert_eq!(
            answer("HTTP/1.1 204 No Content\r\n\r\n").unwrap().status,
            204
        );
    }

    #[test]
    fn broken_answers_are_errors() {
        for text in [
            "",
            "SSH-2.0\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        ] {
            assert!(answer(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_this_machine_is_reached() {
        assert!(loopback("http://127.0.0.1:8765").is_ok());
        assert!(loopback("http://[::1]:8765/").is_ok());
        for base in [
            "http://192.0.2.1:80",
            "https://127.0.0.1:1",
            "127.0.0.1:80",
            "http://127.0.0.1",
        ] {
            assert!(loopback(base).is_err(), "{base}");
        }
    }

    #[test]
    fn query_values_are_encoded() {
        assert_eq!(percent_encode("a b&c=é"), "a%20b%26c%3D%C3%A9");
    }
}
