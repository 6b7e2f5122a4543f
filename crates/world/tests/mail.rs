//! Mail against a real server (aiosmtpd: STARTTLS, TLS, neither, with and without a login), against servers that misbehave,
//! and against the simulated one.

#![expect(clippy::unwrap_used, reason = "a test's helpers may end it")]

mod smtp;

use std::time::{Duration, Instant};

use bytes::Bytes;
use smtp::{Certificates, MailServer, playing};
use world::sim::SimMail;
use world::{Mail, MailError, MailLogin, MailRequest, MailSecurity, Smtp};

const PASSWORD: &str = "correct horse canary";

const MESSAGE: &[u8] = b"From: belfry@example.org\r\nTo: ada@example.org\r\nSubject: told\r\n\r\n.one\r\n..two\r\nend\r\n";

fn request(port: u16, security: MailSecurity) -> MailRequest {
    MailRequest {
        host: "localhost".to_owned(),
        port,
        security,
        extra_ca: Bytes::new(),
        login: None,
        from: "belfry@example.org".to_owned(),
        to: "ada@example.org".to_owned(),
        message: Bytes::from_static(MESSAGE),
        timeout: Duration::from_secs(20),
    }
}

fn login() -> MailLogin {
    MailLogin {
        user: "belfry".to_owned(),
        password: PASSWORD.to_owned(),
    }
}

async fn delivers_securely(word: &str, security: MailSecurity) {
    let certificates = Certificates::new();
    let asks_for = format!("belfry:{PASSWORD}");
    let Some(mut server) = MailServer::start(word, Some(&certificates), Some(&asks_for)) else {
        return;
    };
    let mut mail = request(server.port, security);
    mail.login = Some(login());

    let untrusted = Smtp.send(mail.clone()).await.unwrap_err();
    assert!(matches!(untrusted, MailError::Tls(_)), "{untrusted:?}");
    assert!(untrusted.is_permanent());

    mail.extra_ca = Bytes::from(certificates.authority.clone());
    let receipt = Smtp.send(mail.clone()).await.unwrap();
    assert_eq!(receipt, "250 2.0.0 OK: queued as 1");
    let taken = server.taken();
    assert!(
        taken.contains(r#""encrypted": true, "authenticated": true"#),
        "{taken}"
    );
    assert!(
        taken.contains(r#"\r\n\r\n.one\r\n..two\r\nend\r\n"#),
        "dots arrive as they left: {taken}"
    );
    assert!(taken.contains(r#""hello": "example.org""#), "{taken}");

    // The certificate is of `localhost`, not of the address.
    mail.host = "127.0.0.1".to_owned();
    let other = Smtp.send(mail.clone()).await.unwrap_err();
    assert!(matches!(other, MailError::Tls(_)), "{other:?}");

    mail.host = "localhost".to_owned();
    mail.login = Some(MailLogin {
        password: "wrong canary".to_owned(),
        ..login()
    });
    let refused = Smtp.send(mail.clone()).await.unwrap_err();
    assert_eq!(refused, MailError::Permanent("535 to the login".to_owned()));
    mail.login = None;
    let refused = Smtp.send(mail).await.unwrap_err();
    assert!(
        matches!(&refused, MailError::Permanent(text) if text.starts_with("530")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn delivers_by_starttls() {
    delivers_securely("starttls", MailSecurity::StartTls).await;
}

#[tokio::test]
async fn delivers_by_tls_from_the_first_byte() {
    delivers_securely("tls", MailSecurity::Tls).await;
}

#[tokio::test]
async fn tells_what_a_real_server_refuses() {
    let Some(mut server) = MailServer::start("none", None, None) else {
        return;
    };
    let plain = request(server.port, MailSecurity::None);
    assert_eq!(
        Smtp.send(plain.clone()).await.unwrap(),
        "250 2.0.0 OK: queued as 1"
    );
    assert!(server.taken().contains(r#""encrypted": false"#));

    let to = |who: &str| MailRequest {
        to: format!("{who}@example.org"),
        ..plain.clone()
    };
    let gone = Smtp.send(to("nobody")).await.unwrap_err();
    let said = "550 5.1.1 <the recipient>: Recipient address rejected";
    assert_eq!(gone, MailError::Permanent(said.to_owned()));
    let later = Smtp.send(to("later")).await.unwrap_err();
    let said = "450 4.2.0 <the recipient>: Greylisted, try again";
    assert_eq!(later, MailError::Temporary(said.to_owned()));
    assert!(!later.is_permanent());

    // It offers no STARTTLS: then nothing is sent at all.
    let stripped = MailRequest {
        security: MailSecurity::StartTls,
        ..plain.clone()
    };
    let error = Smtp.send(stripped).await.unwrap_err();
    assert!(matches!(error, MailError::Unsupported(_)), "{error:?}");
    let logging_in = MailRequest {
        login: Some(login()),
        ..plain
    };
    let error = Smtp.send(logging_in.clone()).await.unwrap_err();
    assert_eq!(error, MailError::Permanent("535 to the login".to_owned()));
    let port = playing(GREETING, &[HELLO]).await;
    let error = Smtp.send(MailRequest { port, ..logging_in }).await;
    let error = error.unwrap_err();
    assert!(matches!(error, MailError::Unsupported(_)), "{error:?}");
}

const HELLO: (&str, &str) = ("EHLO", "250 mail.test\r\n");
const OK: &str = "250 OK\r\n";
const GREETING: &str = "220 mail.test\r\n";

/// What a server that plays this part makes of a mail, and how long it takes.
async fn outcome(
    greeting: &'static str,
    part: &'static [(&'static str, &'static str)],
) -> Result<String, MailError> {
    let port = playing(greeting, part).await;
    let mut mail = request(port, MailSecurity::None);
    mail.timeout = Duration::from_secs(1);
    let started = Instant::now();
    let outcome = Smtp.send(mail).await;
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    outcome
}

#[tokio::test]
async fn servers_that_hang_are_left() {
    let late = Err(MailError::Timeout(Duration::from_secs(1)));
    assert_eq!(outcome("", &[]).await, late, "without a banner");
    assert_eq!(outcome(GREETING, &[]).await, late, "after the banner");
    let before_data = &[HELLO, ("MAIL", OK), ("RCPT", OK)];
    assert_eq!(outcome(GREETING, before_data).await, late, "at DATA");
    let after_data = &[HELLO, ("MAIL", OK), ("RCPT", OK), ("DATA", "354 go on\r\n")];
    assert_eq!(
        outcome(GREETING, after_data).await,
        late,
        "after the message"
    );
}

#[tokio::test]
async fn a_server_that_hangs_after_it_accepted_has_accepted() {
    let part = &[
        HELLO,
        ("MAIL", OK),
        ("RCPT", OK),
        ("DATA", "354 go on\r\n"),
        (".\r\n", "250 queued\r\n"),
    ];
    assert_eq!(outcome(GREETING, part).await, Ok("250 queued".to_owned()));
}

#[tokio::test]
async fn refusals_at_every_stage_say_whether_to_retry() {
    let temporary = |text: &str| Err(MailError::Temporary(text.to_owned()));
    let permanent = |text: &str| Err(MailError::Permanent(text.to_owned()));
    let busy = outcome("421 too busy\r\n", &[]).await;
    assert_eq!(busy, temporary("421 too busy"));
    let sender = outcome(GREETING, &[HELLO, ("MAIL", "450 later\r\n")]).await;
    assert_eq!(sender, temporary("450 later"));
    let content = &[
        HELLO,
        ("MAIL", OK),
        ("RCPT", OK),
        ("DATA", "354 go on\r\n"),
        (".\r\n", "554-5.7.1 looks\r\n554 5.7.1 like spam\r\n"),
    ];
    let content = outcome(GREETING, content).await;
    assert!(
        matches!(&content, Err(MailError::Permanent(text)) if text.contains("like spam")),
        "{content:?}"
    );
    let recipient = &[
        HELLO,
        ("MAIL", OK),
        ("RCPT", "550 no ada@example.org here\r\n"),
    ];
    assert_eq!(
        outcome(GREETING, recipient).await,
        permanent("550 no the recipient here")
    );
    let nonsense = outcome("HTTP/1.1 400 Bad Request\r\n\r\n", &[]).await;
    assert!(
        matches!(nonsense, Err(MailError::Broken(_))),
        "{nonsense:?}"
    );
}

#[tokio::test]
async fn what_must_not_be_sent_is_not() {
    let refuses = async |mail: MailRequest, reason: &str| {
        let error = Smtp.send(mail.clone()).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
        assert!(!format!("{error} {error:?} {mail:?}").contains("canary"));
    };
    let mail = request(9, MailSecurity::None);
    let with = |change: fn(&mut MailRequest)| {
        let mut mail = mail.clone();
        change(&mut mail);
        mail
    };
    refuses(
        with(|mail| mail.to = "ada@example.org>\r\nRCPT TO:<eve@example.org".to_owned()),
        "bad_request",
    )
    .await;
    refuses(with(|mail| mail.from = "nobody".to_owned()), "bad_request").await;
    refuses(
        with(|mail| mail.message = Bytes::from_static(b"a\n.\nMAIL FROM:<x@y>\r\n")),
        "bad_request",
    )
    .await;
    refuses(
        with(|mail| mail.message = Bytes::from_static(b"a\r.\r\n")),
        "bad_request",
    )
    .await;
    refuses(
        with(|mail| mail.message = Bytes::from(vec![b'a'; 2_000_000])),
        "bad_request",
    )
    .await;
    refuses(
        with(|mail| mail.host = "169.254.169.254".to_owned()),
        "forbidden",
    )
    .await;
    refuses(
        with(|mail| mail.host = "0xa9fea9fe".to_owned()),
        "forbidden",
    )
    .await;
    refuses(
        with(|mail| {
            mail.host = "192.0.2.1".to_owned();
            mail.login = Some(login());
        }),
        "bad_request",
    )
    .await;
    refuses(mail, "connect").await;
}

#[tokio::test(start_paused = true)]
async fn the_simulated_server_keeps_the_same_rules() {
    let mail = SimMail::default();
    mail.server("localhost:25", |request| {
        Box::pin(async move {
            if request.to.starts_with("hang") {
                tokio::time::sleep(Duration::from_secs(600)).await;
            }
            Ok("250 queued".to_owned())
        })
    });
    let ask = request(25, MailSecurity::StartTls);
    assert_eq!(mail.send(ask.clone()).await, Ok("250 queued".to_owned()));
    let hanging = MailRequest {
        to: "hang@example.org".to_owned(),
        ..ask.clone()
    };
    assert_eq!(
        mail.send(hanging).await,
        Err(MailError::Timeout(ask.timeout))
    );
    let invalid = MailRequest {
        to: "nobody".to_owned(),
        ..ask.clone()
    };
    assert_eq!(
        mail.send(invalid).await.unwrap_err().reason(),
        "bad_request"
    );
    mail.unplug("localhost:25");
    assert_eq!(mail.send(ask).await.unwrap_err().reason(), "connect");
}
