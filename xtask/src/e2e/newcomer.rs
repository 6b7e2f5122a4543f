//! A newcomer's first minute, three times: programs that are not ours, of which Belfry knows nothing but the address. `belfry init`
//! drafts a plan, runs it, and the first dashboard shows data.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::checks::Checks;
use crate::http_client::{Client, percent_encode};
use crate::program::{self, Program};
use crate::signals::StopRequests;
use crate::tools;

/// From the command to a dashboard with data in every panel: what a newcomer is promised.
const FIRST_DASHBOARD_WITHIN: Duration = Duration::from_secs(60);
/// How long a foreign program may take to start.
const START_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(500);

/// A program that is not ours, as Debian has it.
struct Foreign {
    name: &'static str,
    /// Its program in the tools folder, and how it is told where to listen.
    program: &'static str,
    listen: &'static str,
    /// Where it shows that it has started.
    ready: &'static str,
    /// An alert that its plan must have, because everybody who runs it wants to know.
    alert: &'static str,
}

const FOREIGN: [Foreign; 3] = [
    Foreign {
        name: "prometheus",
        program: "usr/bin/prometheus",
        listen: "--web.listen-address=",
        ready: "/-/ready",
        alert: "RequestsFail",
    },
    Foreign {
        name: "node-exporter",
        program: "usr/bin/prometheus-node-exporter",
        listen: "--web.listen-address=",
        ready: "/metrics",
        alert: "DiskAlmostFull",
    },
    Foreign {
        name: "redis-exporter",
        program: "usr/bin/prometheus-redis-exporter",
        listen: "-web.listen-address=",
        ready: "/metrics",
        alert: "RedisDown",
    },
];

impl Checks {
    /// Each of the three.
    pub(super) fn newcomer(
        &mut self,
        root: &Path,
        belfry: &Path,
        folder: &Path,
        stop: &StopRequests,
    ) {
        let tools = tools::tools_folder(root);
        for foreign in FOREIGN {
            let what = format!(
                "belfry init: {} has a dashboard within a minute",
                foreign.name
            );
            self.check(&what, |_| {
                let tools = tools
                    .as_ref()
                    .map_err(|error| anyhow::anyhow!("{error:#}"))?;
                let folder = folder.join("newcomer").join(foreign.name);
                fs::create_dir_all(&folder)?;
                let mut server = match foreign.name {
                    "redis-exporter" => Some(start_redis(tools, &folder)?),
                    _ => None,
                };
                let redis = server.as_ref().map(|(_, address)| *address);
                let (mut program, address) = start(&foreign, tools, &folder, redis, stop)?;
                first_minute(&foreign, belfry, &folder, address, stop)?;
                program.drain(stop);
                if let Some((server, _)) = &mut server {
                    server.drain(stop);
                }
                Ok(())
            });
        }
    }
}

fn start(
    foreign: &Foreign,
    tools: &Path,
    folder: &Path,
    redis: Option<SocketAddr>,
    stop: &StopRequests,
) -> Result<(Program, SocketAddr)> {
    let address = program::free_address()?;
    let mut command = Command::new(tools.join(foreign.program));
    command
        .arg(format!("{}{address}", foreign.listen))
        .current_dir(folder);
    if foreign.name == "prometheus" {
        fs::write(folder.join("prometheus.yml"), "scrape_configs: []\n")?;
        command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"]);
    }
    if let Some(redis) = redis {
        command.arg(format!("-redis.addr=redis://{redis}"));
    }
    let mut program = Program::start(foreign.name, &mut command, &folder.join("program.log"))?;
    program.wait_ready(address, foreign.ready, START_MAX, stop)?;
    Ok((program, address))
}

/// A Redis for its exporter, with the libraries that were fetched beside it.
fn start_redis(tools: &Path, folder: &Path) -> Result<(Program, SocketAddr)> {
    let address = program::free_address()?;
    let mut command = Command::new(tools.join("usr/bin/redis-server"));
    command
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(["--port", &address.port().to_string()])
        .env("LD_LIBRARY_PATH", tools::libraries(tools)?)
        .current_dir(folder);
    let mut program = Program::start("redis-server", &mut command, &folder.join("redis.log"))?;
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        if started.elapsed() > START_MAX {
            program.drain(&StopRequests::default());
            bail!("redis-server does not listen:\n{}", program.log_tail());
        }
        thread::sleep(POLL);
    }
    Ok((program, address))
}

/// `belfry init --run`, and then the dashboard until every panel of it has data.
fn first_minute(
    foreign: &Foreign,
    belfry: &Path,
    folder: &Path,
    address: SocketAddr,
    stop: &StopRequests,
) -> Result<()> {
    let listen = program::free_address()?;
    let mut command = Command::new(belfry);
    command
        .args(["init", &address.to_string(), "--yes", "--run"])
        .args(["--listen", &listen.to_string()])
        .current_dir(folder);
    let started = Instant::now();
    let mut running = Program::start("belfry init", &mut command, &folder.join("belfry.log"))?;
    running.wait_ready(listen, "/-/ready", START_MAX, stop)?;
    let mut client = Client::new(listen);
    let missing = loop {
        let missing = panels_without_data(&mut client)?;
        if missing.is_empty() || started.elapsed() > FIRST_DASHBOARD_WITHIN {
            break missing;
        }
        thread::sleep(POLL);
    };
    ensure!(
        missing.is_empty(),
        "these panels have no data: {}",
        missing.join(", ")
    );
    println!(
        "  {}: {:.1} s",
        foreign.name,
        started.elapsed().as_secs_f64()
    );
    let plan = fs::read_to_string(folder.join("plan.yaml"))?;
    ensure!(
        plan.contains(&format!("- alert: {}\n", foreign.alert)),
        "its plan has no {}",
        foreign.alert
    );
    let missing = value(
        &mut client,
        "count(belfry_plan_metric_present{required=\"true\"} == 0)",
    )?;
    ensure!(
        missing.is_none(),
        "{missing:?} required metrics are missing"
    );
    running.drain(stop);
    let checked = Command::new(belfry)
        .args(["check", "plan.yaml", "--contacts", "contacts.yaml"])
        .current_dir(folder)
        .output()
        .context("belfry check cannot be started")?;
    let said = String::from_utf8_lossy(&checked.stdout);
    ensure!(checked.status.success(), "belfry check: {said}");
    Ok(())
}

/// The first dashboard's panels for which no query has a value.
fn panels_without_data(client: &mut Client) -> Result<Vec<String>> {
    let answer: Value = serde_json::from_str(&client.get("/api/belfry/v1/dashboards")?.text())?;
    let Some(panels) = answer[0]["panels"].as_array() else {
        bail!("there is no dashboard: {answer}");
    };
    let mut missing = Vec::new();
    for panel in panels {
        let queries = panel["queries"]
            .as_array()
            .context("a panel without queries")?;
        let mut shown = false;
        for query in queries {
            let expr = query["expr"]
                .as_str()
                .context("a query without expression")?;
            shown = shown || value(client, expr)?.is_some();
        }
        if !shown {
            missing.push(panel["title"].to_string());
        }
    }
    Ok(missing)
}

/// The first value of an instant query.
fn value(client: &mut Client, expr: &str) -> Result<Option<String>> {
    let path = format!("/api/v1/query?query={}", percent_encode(expr));
    let answer: Value = serde_json::from_str(&client.get(&path)?.text())?;
    ensure!(answer["status"] == "success", "{expr}: {answer}");
    Ok(answer["data"]["result"][0]["value"][1]
        .as_str()
        .map(str::to_owned))
}
