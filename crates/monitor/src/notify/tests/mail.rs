//! The e-mail channel against a real mail server, and what its mails hold.

use std::collections::BTreeMap;

use plan::{Channel, MailSecurity};
use serde_json::Value;
use world::World;

use super::smtp::{Certificates, MailServer, playing};
use super::{CANARY, Case, from_environment, mail_server, secrets};
use crate::notify::send;

fn to_ada() -> Channel {
    Channel::Email {
        to: "ada@example.org".to_owned(),
    }
}

/// The mail's headers, unfolded, and its body.
fn read(taken: &str) -> (BTreeMap<String, String>, String) {
    let taken: Value = serde_json::from_str(taken).unwrap();
    let text = taken["message"].as_str().unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    let headers = head.split("\r\n").map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    });
    (headers.collect(), body.to_owned())
}

#[tokio::test]
async fn mails_of_an_incident_are_one_thread() {
    let Some(mut server) = MailServer::start("none", None, None) else {
        return;
    };
    let mut sent = Vec::new();
    for mut case in [
        Case::new().with_evidence(),
        Case::new(),
        Case::new().resolved(),
        Case::new().summarised(),
    ] {
        case.setup.contacts.mail_server = Some(mail_server(server.port, MailSecurity::None));
        if sent.len() == 2 {
            case.page.root = crate::incident::PageId(44);
        }
        let receipt = case.send(&to_ada()).await.unwrap();
        assert!(receipt.starts_with("250 2.0.0 OK: queued as "), "{receipt}");
        sent.push(read(&server.taken()));
    }
    let header = |index: usize, name: &str| sent[index].0.get(name).map_or("", String::as_str);
    assert_eq!(
        header(0, "Subject"),
        "[CRITICAL] NoStock: 0 boxes left at shop:1 (shop, incident 12)"
    );
    assert_eq!(header(0, "From"), "Belfry <belfry@example.org>");
    assert_eq!(header(0, "To"), "ada@example.org");
    assert_eq!(header(0, "Auto-Submitted"), "auto-generated");
    assert!(header(0, "Content-Type").starts_with("text/plain"));
    assert_eq!(
        header(0, "Message-ID"),
        "<belfry-12-1795424400000-30@example.org>"
    );
    assert_eq!(
        header(0, "Message-ID"),
        header(1, "Message-ID"),
        "sent again, it is the same mail"
    );
    assert_ne!(header(0, "Message-ID"), header(2, "Message-ID"));
    for index in 0..3 {
        assert_eq!(
            header(index, "In-Reply-To"),
            "<belfry-12-1795424400000@example.org>"
        );
        assert_eq!(
            header(index, "References"),
            "<belfry-12-1795424400000@example.org>"
        );
    }
    assert!(
        header(2, "Subject").starts_with("[RESOLVED] NoStock"),
        "{}",
        header(2, "Subject")
    );
    assert_eq!(header(3, "In-Reply-To"), "", "a summary is in no thread");
    assert!(
        sent[0].1.contains("stock =3D 0") || sent[0].1.contains("stock = 0"),
        "{}",
        sent[0].1
    );
}

#[tokio::test]
async fn starttls_with_an_authority_and_a_login_of_the_contacts() {
    let certificates = Certificates::new();
    let login = format!("belfry:{CANARY}-PASSWORD");
    let Some(mut server) = MailServer::start("starttls", Some(&certificates), Some(&login)) else {
        return;
    };
    let folder = tempfile::TempDir::new().unwrap();
    let authority = folder.path().join("authority");
    std::fs::write(&authority, &certificates.authority).unwrap();
    let mut case = Case::new();
    let mut contacts_server = mail_server(server.port, MailSecurity::StartTls);
    contacts_server.ca_file = Some(authority.display().to_string());
    contacts_server.login = Some(("belfry".to_owned(), from_environment("PASSWORD")));
    case.setup.contacts.mail_server = Some(contacts_server.clone());
    case.send(&to_ada()).await.unwrap();
    let taken = server.taken();
    assert!(
        taken.contains(r#""encrypted": true, "authenticated": true"#),
        "{taken}"
    );
    assert!(!taken.contains(CANARY), "{taken}");

    contacts_server.login = Some(("belfry".to_owned(), from_environment("OTHER")));
    case.setup.contacts.mail_server = Some(contacts_server.clone());
    let error = case.send(&to_ada()).await.unwrap_err();
    assert_eq!(error, "the mail server refused for good: 535 to the login");
    contacts_server.ca_file = None;
    case.setup.contacts.mail_server = Some(contacts_server);
    let error = case.send(&to_ada()).await.unwrap_err();
    assert!(
        error.starts_with("no secure connection to the mail server: "),
        "{error}"
    );
    assert!(!error.contains(CANARY), "{error}");
    case.setup.contacts.mail_server = None;
    let error = case.send(&to_ada()).await.unwrap_err();
    assert_eq!(error, "the contacts have no mail_server");
}

/// Whatever an alert's labels, a template or a person's contacts hold: one header is one header.
#[tokio::test]
async fn nothing_enters_the_headers() {
    let Some(mut server) = MailServer::start("none", None, None) else {
        return;
    };
    let mut case = Case::new();
    case.setup.contacts.mail_server = Some(mail_server(server.port, MailSecurity::None));
    case.detail.incident.head.title =
        "a\r\nBcc: eve@example.org\r\n\r\nbody\u{2028}\u{85}\0".to_owned();
    case.setup.plan.messages.subject =
        Some("{{ title }}\nX-Injected: 1\r\n\n{{ person }} ünïcode".repeat(4));
    case.send(&to_ada()).await.unwrap();
    let (headers, _) = read(&server.taken());
    let mut names: Vec<&str> = headers.keys().map(String::as_str).collect();
    names.retain(|name| !["Received", "X-Peer", "X-MailFrom", "X-RcptTo"].contains(name));
    assert_eq!(
        names,
        [
            "Auto-Submitted",
            "Content-Transfer-Encoding",
            "Content-Type",
            "Date",
            "From",
            "In-Reply-To",
            "Message-ID",
            "References",
            "Subject",
            "To",
            "X-Auto-Response-Suppress"
        ]
    );
    let hostile = Channel::Email {
        to: "ada@example.org>\r\nRCPT TO:<eve@example.org".to_owned(),
    };
    let error = case.send(&hostile).await.unwrap_err();
    assert_eq!(error, "the recipient's mail address is invalid");
}

#[tokio::test]
async fn what_a_server_answers_is_told() {
    let hello = ("EHLO", "250 mail.test\r\n");
    let ok = "250 OK\r\n";
    let port = playing("421 4.3.2 too busy for ada@example.org\r\n", &[]).await;
    let mut case = Case::new();
    let mut said = async |port: u16| {
        case.setup.contacts.mail_server = Some(mail_server(port, MailSecurity::None));
        case.send(&to_ada()).await.unwrap_err()
    };
    assert_eq!(
        said(port).await,
        "the mail server refused for now: 421 4.3.2 too busy for the recipient"
    );
    let _ = (hello, ok);
    let port = playing(
        "220 mail.test\r\n",
        &[("EHLO", "250 mail.test\r\n"), ("MAIL", "550 go away\r\n")],
    )
    .await;
    assert_eq!(
        said(port).await,
        "the mail server refused for good: 550 go away"
    );
    let port = playing("220 mail.test\r\n", &[]).await;
    assert_eq!(
        said(port).await,
        "the mail server did not finish within 10000 ms"
    );
}

/// In the simulation the same mail goes to a function.
#[tokio::test(start_paused = true)]
async fn a_simulated_server_takes_the_same_mail() {
    let epoch = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_424_400);
    let sim = world::sim::SimWorld::new(1, epoch);
    sim.mail.server("localhost:25", |request| {
        let text = String::from_utf8_lossy(&request.message).into_owned();
        Box::pin(async move {
            assert!(
                text.contains("Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n"),
                "{text}"
            );
            Ok("250 simulated".to_owned())
        })
    });
    let mut case = Case::new();
    case.setup.contacts.mail_server = Some(mail_server(25, MailSecurity::None));
    let world: World = sim.world();
    let receipt = send(
        &world,
        &secrets(BTreeMap::new()),
        &to_ada(),
        &case.context(),
    )
    .await;
    assert_eq!(receipt, Ok("250 simulated".to_owned()));
}
