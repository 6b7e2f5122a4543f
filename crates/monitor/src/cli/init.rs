//! `belfry init URL`: a commented plan for your own service, from what it exposes, in five questions.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use http::header::{CONTENT_TYPE, HeaderMap};
use model::exposition::{ExpositionFormat, parse};
use world::{Disk, HttpRequest, OsDisk, World, write_atomically};

use super::run::{self, RunArguments};
use crate::init::{self, Answers, HealthEndpoint, Receiver, Survey};
use crate::scrape::scrape_headers;

const TIMEOUT: Duration = Duration::from_secs(5);
const BODY_BYTES_MAX: usize = 32 << 20;
/// The most that is read of a health answer: its status is what counts.
const HEALTH_BYTES_MAX: usize = 1 << 20;

/// Where services answer for their health, readiness first.
const HEALTH_PATHS: [(&str, bool); 10] = [
    ("/ready", true),
    ("/readyz", true),
    ("/-/ready", true),
    ("/health/ready", true),
    ("/health", false),
    ("/healthz", false),
    ("/livez", false),
    ("/-/healthy", false),
    ("/health/live", false),
    ("/actuator/health", false),
];

#[derive(Args)]
pub(super) struct InitArguments {
    /// Where the service shows its metrics, such as http://127.0.0.1:8080/metrics. Asked for when it is not given.
    url: Option<String>,
    /// What the service is called.
    #[arg(long)]
    service: Option<String>,
    /// A health endpoint, by its address; `none` for no endpoint. Without it the usual paths are tried.
    #[arg(long)]
    health: Option<String>,
    /// How fast 95 of 100 requests should be answered.
    #[arg(long)]
    answer_within: Option<String>,
    /// Who is told first: a webhook's address, a mail address, or `nobody`.
    #[arg(long)]
    tell: Option<String>,
    /// The mail server for a mail address, as host or host:port.
    #[arg(long, default_value = "127.0.0.1:25")]
    mail_server: String,
    /// The plan's file.
    #[arg(long, short, default_value = "plan.yaml")]
    out: PathBuf,
    /// The contacts file.
    #[arg(long, default_value = "contacts.yaml")]
    contacts_out: PathBuf,
    /// Replace these files where they exist.
    #[arg(long)]
    force: bool,
    /// Ask nothing: take what is found, and what is usual.
    #[arg(long, short)]
    yes: bool,
    /// Run the plan at once.
    #[arg(long)]
    run: bool,
    /// The address to listen on with --run.
    #[arg(long, default_value = "127.0.0.1:9765")]
    listen: std::net::SocketAddr,
    /// The data folder with --run.
    #[arg(long, default_value = "./data/belfry")]
    data: PathBuf,
}

pub(super) fn init(arguments: InitArguments) -> anyhow::Result<ExitCode> {
    for path in [&arguments.out, &arguments.contacts_out] {
        if !arguments.force && OsDisk.len(path).is_ok() {
            bail!(
                "{} exists already; name another file with --out and --contacts-out, or replace it with --force",
                path.display()
            );
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (survey, answers) = runtime.block_on(ask_and_look(&arguments))?;
    drop(runtime);
    let draft = init::draft(&survey, &answers);
    let mut text = init::plan_text(&survey, &answers, &draft);
    let contacts = init::contacts_text(&answers.receiver);
    let (people, _) = plan::parse_contacts("contacts.yaml", &contacts);
    let linted = plan::lint("plan.yaml", &text, people.as_ref());
    text.push_str(&init::waivers_text(&linted.findings));
    // A draft that is no plan is our mistake, and must not be left to the newcomer.
    let name = arguments.out.display().to_string();
    let (plan, diagnostics) = plan::parse(&name, &text);
    let Some(plan) = plan else {
        bail!(
            "the drafted plan has errors; please report this with the metrics of the service:\n{}",
            plan::render(&diagnostics, &text, &name)
        );
    };
    write(&arguments.out, &text)?;
    write(&arguments.contacts_out, &contacts)?;
    println!(
        "{}: {} metrics, {} rules, {} dashboards, {} probes, {} promises\n{}: who is told",
        name,
        plan.metrics.len(),
        plan.rules().count(),
        plan.dashboards.len(),
        plan.probes.len(),
        plan.objectives.len(),
        arguments.contacts_out.display(),
    );
    let board = plan
        .dashboards
        .first()
        .map_or("", |board| board.id.as_str());
    let listen = arguments.listen;
    if !arguments.run {
        println!(
            "\nStart it:  belfry run {name} --contacts {}\nThen look:  http://{listen}/dashboards/{board}",
            arguments.contacts_out.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!("\nThe first dashboard: http://{listen}/dashboards/{board}");
    run::run(RunArguments::of(
        arguments.out,
        Some(arguments.contacts_out),
        listen,
        arguments.data,
    ))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    write_atomically(&OsDisk, path, text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The five questions, and what the service answers meanwhile.
async fn ask_and_look(arguments: &InitArguments) -> anyhow::Result<(Survey, Answers)> {
    let world = World::real().context("cannot set up the network")?;
    let asks = !arguments.yes && std::io::stdin().is_terminal();
    let ask = |given: &Option<String>, question: &str, usual: &str| -> anyhow::Result<String> {
        match given {
            Some(given) => Ok(given.clone()),
            None if asks => prompt(question, usual),
            None => Ok(usual.to_owned()),
        }
    };
    let question = "1/5 Where does the service show its metrics?";
    let url = ask(&arguments.url, question, "http://127.0.0.1:8080/metrics")?;
    let url = metrics_address(&url);
    let base = origin(&url).to_owned();
    // The first answers may create what the second one shows: the count of requests, for one.
    look(&world, &url).await?;
    let health = match arguments.health.as_deref() {
        Some("none") => Vec::new(),
        Some(given) => vec![
            endpoint(&world, given, readiness_by_name(given))
                .await
                .with_context(|| format!("{given} does not answer with a status of 200 to 399"))?,
        ],
        None => usual_endpoints(&world, &base).await,
    };
    let survey = look(&world, &url).await?;
    eprintln!("{} metrics at {url}", survey.len());
    let question = "2/5 What is the service called?";
    let service = ask(&arguments.service, question, &usual_name(&survey, &url))?;
    let health = confirm_health(&world, arguments, asks, health).await?;
    let question = "4/5 Within what time should 95 of 100 requests be answered?";
    let within = ask(&arguments.answer_within, question, "500ms")?;
    let answer_within = model::parse_duration(&within)
        .map_err(|error| anyhow::anyhow!("{within}: {error}"))?
        .as_secs_f64();
    let question = "5/5 Who is told first? A webhook's address, a mail address, or nobody.";
    let tell = ask(&arguments.tell, question, "nobody")?;
    let answers = Answers {
        service,
        metrics_url: url,
        health,
        answer_within,
        receiver: receiver(&tell, &arguments.mail_server)?,
    };
    Ok((survey, answers))
}

async fn confirm_health(
    world: &World,
    arguments: &InitArguments,
    asks: bool,
    found: Vec<HealthEndpoint>,
) -> anyhow::Result<Vec<HealthEndpoint>> {
    let urls: Vec<&str> = found.iter().map(|endpoint| endpoint.url.as_str()).collect();
    let shown = if urls.is_empty() {
        "none".to_owned()
    } else {
        urls.join(" and ")
    };
    if !asks || arguments.health.is_some() {
        eprintln!("health endpoints: {shown}");
        return Ok(found);
    }
    let said = prompt("3/5 Where does it answer for its health?", &shown)?;
    if said == shown {
        return Ok(found);
    }
    if said == "none" {
        return Ok(Vec::new());
    }
    let given = endpoint(world, &said, readiness_by_name(&said)).await;
    Ok(vec![given.with_context(|| {
        format!("{said} does not answer with a status of 200 to 399")
    })?])
}

/// One line from the terminal; an empty one means what is usual.
fn prompt(question: &str, usual: &str) -> anyhow::Result<String> {
    eprint!("{question} [{usual}] ");
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let said = line.trim();
    Ok(if said.is_empty() { usual } else { said }.to_owned())
}

/// The address with a scheme and a path: `127.0.0.1:9100` is enough to say.
fn metrics_address(said: &str) -> String {
    let with_scheme = if said.contains("://") {
        said.to_owned()
    } else {
        format!("http://{said}")
    };
    if origin(&with_scheme).len() == with_scheme.trim_end_matches('/').len() {
        return format!("{}/metrics", with_scheme.trim_end_matches('/'));
    }
    with_scheme
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url[after_scheme..].find('/');
    end.map_or(url, |end| &url[..after_scheme + end])
}

async fn look(world: &World, url: &str) -> anyhow::Result<Survey> {
    let mut request = HttpRequest::get(url, TIMEOUT, BODY_BYTES_MAX);
    request.headers = scrape_headers(TIMEOUT);
    let response = world
        .net
        .http(request)
        .await
        .with_context(|| format!("does the service run, and are its metrics at {url}?"))?;
    if !response.status.is_success() {
        bail!("{url} answers {}; where are the metrics?", response.status);
    }
    let body = String::from_utf8(response.body.to_vec())
        .with_context(|| format!("what {url} answers is not text"))?;
    let exposition = parse(&body, format_of(&response.headers)).map_err(|error| {
        anyhow::anyhow!("{url} does not show metrics that can be read: {error}")
    })?;
    let survey = Survey::of(&exposition);
    if survey.is_empty() {
        bail!("{url} answers, but shows no metric");
    }
    Ok(survey)
}

/// Old exporters say no type, or a wrong one; their text is the text format.
fn format_of(headers: &HeaderMap) -> ExpositionFormat {
    let said = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    said.and_then(ExpositionFormat::from_content_type)
        .unwrap_or(ExpositionFormat::Text)
}

/// The first readiness endpoint and the first other one that answer.
async fn usual_endpoints(world: &World, base: &str) -> Vec<HealthEndpoint> {
    let mut found: Vec<HealthEndpoint> = Vec::new();
    for (path, readiness) in HEALTH_PATHS {
        if found.iter().any(|endpoint| endpoint.readiness == readiness) {
            continue;
        }
        let url = format!("{base}{path}");
        found.extend(endpoint(world, &url, readiness).await);
    }
    found
}

fn readiness_by_name(url: &str) -> bool {
    url.contains("ready")
}

async fn endpoint(world: &World, url: &str, readiness: bool) -> Option<HealthEndpoint> {
    let request = HttpRequest::get(url, TIMEOUT, HEALTH_BYTES_MAX);
    let response = world.net.http(request).await.ok()?;
    let answers = response.status.is_success();
    // An exporter that shows its start page for every path has no health endpoint.
    let page = response
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("text/html"));
    (answers && !page).then(|| HealthEndpoint {
        readiness,
        url: url.to_owned(),
    })
}

/// The program's name, as a build metric tells it, or the host's.
fn usual_name(survey: &Survey, url: &str) -> String {
    let build = survey
        .of_type(plan::MetricType::Gauge)
        .filter_map(|(name, _)| name.strip_suffix("_build_info"))
        .find(|name| !matches!(*name, "go" | "app"));
    let host = origin(url).rsplit("://").next().unwrap_or("service");
    let host = host.split(':').next().unwrap_or("service");
    let is_name = host.contains(|c: char| c.is_ascii_alphabetic());
    let name = build.unwrap_or(if is_name { host } else { "service" });
    name.replace(['_', '.'], "-")
}

fn receiver(said: &str, mail_server: &str) -> anyhow::Result<Receiver> {
    if said == "nobody" || said == "none" {
        return Ok(Receiver::Log);
    }
    if said.starts_with("http://") || said.starts_with("https://") {
        return Ok(Receiver::Webhook(said.to_owned()));
    }
    if said.contains('@') {
        return Ok(Receiver::Mail {
            to: said.to_owned(),
            server: mail_server.to_owned(),
        });
    }
    bail!(
        "{said} is neither the address of a webhook (http://…) nor of a mailbox; `nobody` for none yet"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_metrics() {
        let check = |said: &str, expect: &str| assert_eq!(metrics_address(said), expect, "{said}");
        check("127.0.0.1:9100", "http://127.0.0.1:9100/metrics");
        check("http://shop.example:80/", "http://shop.example:80/metrics");
        check(
            "https://shop.example/internal/prometheus",
            "https://shop.example/internal/prometheus",
        );
    }

    #[test]
    fn whoever_is_told() {
        assert_eq!(receiver("nobody", "").expect("fits"), Receiver::Log);
        assert!(matches!(
            receiver("https://x.example/hook", "").expect("fits"),
            Receiver::Webhook(_)
        ));
        assert!(matches!(
            receiver("a@x.example", "mail.x.example").expect("fits"),
            Receiver::Mail { .. }
        ));
        assert!(receiver("robin", "").is_err());
    }
}
