//! The contacts file beside a drafted plan.

use plan::Place;

use super::draft::Receiver;

/// The file's text.
pub fn contacts_text(receiver: &Receiver) -> String {
    let head = "# Who the roles of the plan are, and how they are reached. No secret stands here: keys such as `token_file` and\n\
                # `token_environment` say where one is read. `belfry test-contact` sends a test page.\nformat: 1\n\npeople:\n  \
                - name: On call\n    roles: [on-call]\n    channels:\n";
    let channel = match receiver {
        Receiver::Log => {
            "      # Nobody is told yet: pages go to Belfry's own log. Put a webhook, a mailbox or another channel here.\n      \
             - type: log\n"
                .to_owned()
        }
        Receiver::Webhook(url) => format!("      - type: webhook\n        url: {}\n", scalar(url)),
        Receiver::Mail { to, .. } => format!("      - type: email\n        to: {}\n", scalar(to)),
    };
    let server = match receiver {
        Receiver::Mail { server, .. } => {
            let (host, port) = server.split_once(':').unwrap_or((server, ""));
            let port = if port.is_empty() {
                String::new()
            } else {
                format!("  port: {port}\n")
            };
            // Without encryption only to this machine: to any other it is an error.
            let security = if host == "127.0.0.1" || host == "localhost" {
                "  security: none\n"
            } else {
                ""
            };
            format!(
                "\nmail_server:\n  host: {}\n{port}{security}  from: belfry@{}\n",
                scalar(host),
                if host.contains('.') && !host.ends_with(".1") {
                    host
                } else {
                    "localhost"
                },
            )
        }
        Receiver::Log | Receiver::Webhook(_) => String::new(),
    };
    format!("{head}{channel}{server}")
}

fn scalar(text: &str) -> String {
    plan::scalar(text, Place::Block)
}
