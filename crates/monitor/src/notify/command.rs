//! The command channel: a local program that gets the page, the same JSON as a webhook, on its standard input. For what has
//! no channel of its own: a pager on a serial line, a company's own script.

use bytes::Bytes;
use world::{CommandRequest, World};

use super::message::one_line;
use super::{ATTEMPT_TIMEOUT, PageContext, payload};

/// How much of what it writes is kept: the first line is wanted.
const OUTPUT_BYTES_MAX: usize = 4 * 1024;

/// The longest piece of it that is passed on, in characters.
const SAID_CHARS_MAX: usize = 200;

/// Runs the program. Exit code 0 means that it took the page; otherwise the first line of its standard error says why not.
pub(super) async fn send(
    world: &World,
    argv: &[String],
    context: &PageContext<'_>,
) -> Result<String, String> {
    let request = CommandRequest {
        argv: argv.to_vec(),
        stdin: Bytes::from(payload(context).to_string()),
        environment: Vec::new(),
        timeout: ATTEMPT_TIMEOUT,
        output_max: OUTPUT_BYTES_MAX,
    };
    let output = world
        .commands
        .run(request)
        .await
        .map_err(|error| error.to_string())?;
    let said = first_line(if output.exit.is_success() {
        &output.stdout
    } else {
        &output.stderr
    });
    let words = if said.is_empty() {
        output.exit.to_string()
    } else {
        format!("{}: {said}", output.exit)
    };
    if output.exit.is_success() {
        Ok(words)
    } else {
        Err(format!("the command failed with {words}"))
    }
}

fn first_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let mut lines = text.lines().map(|line| one_line(line, SAID_CHARS_MAX));
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}
