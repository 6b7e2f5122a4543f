//! The Alertmanager channel against a real Alertmanager.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use model::Labels;
use plan::Channel;
use serde_json::Value;
use tempfile::TempDir;
use world::{HttpRequest, World};

use super::smtp::tool;
use super::{Case, alert};

const CONFIG: &str = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";

/// A running Alertmanager.
struct Alertmanager {
    url: String,
    world: World,
    child: Child,
    _folder: TempDir,
}

impl Alertmanager {
    async fn start() -> Option<Alertmanager> {
        let program = tool("usr/bin/prometheus-alertmanager")?;
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("alertmanager.yml");
        std::fs::write(&config, CONFIG).unwrap();
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        // Its templates lie beside it, in the tools folder.
        let tools = program.ancestors().nth(3).unwrap().to_owned();
        let child = Command::new(program)
            .current_dir(tools)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Alertmanager {
            url: format!("http://127.0.0.1:{port}"),
            world: World::real().unwrap(),
            child,
            _folder: folder,
        };
        for _ in 0..400 {
            if started.get("/-/ready").await.is_some() {
                return Some(started);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Alertmanager does not start");
    }

    async fn get(&self, path: &str) -> Option<String> {
        let url = format!("{}{path}", self.url);
        let request = HttpRequest::get(&url, Duration::from_secs(5), 1 << 20);
        let response = self.world.net.http(request).await.ok()?;
        let is_success = response.status.is_success();
        is_success.then(|| String::from_utf8_lossy(&response.body).into_owned())
    }

    /// Its active alerts.
    async fn alerts(&self) -> Vec<Value> {
        let text = self.get("/api/v2/alerts?active=true").await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn alerts_fire_and_resolve_in_a_real_one() {
    let Some(alertmanager) = Alertmanager::start().await else {
        return;
    };
    let channel = Channel::Alertmanager {
        url: format!("{}/", alertmanager.url),
    };
    let odd = |mut case: Case| {
        let labels = Labels::from_pairs([
            ("alertname", "NoStock"),
            ("severity", "critical"),
            ("instance", "shop:\"2\"\nä"),
            ("http.route", "/a"),
            ("1st", "x"),
        ]);
        let mut member = alert("shop:2", f64::NAN).1;
        member.resolved_at = case.detail.incident.resolved.as_ref().map(|own| own.at);
        case.detail.incident.members.insert(labels, member);
        case
    };
    let receipt = odd(Case::new()).send(&channel).await;
    assert_eq!(receipt.unwrap(), "200 OK");
    let mut alerts = alertmanager.alerts().await;
    alerts.sort_by_key(|alert| alert["labels"]["instance"].to_string());
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    let plain = alerts
        .iter()
        .find(|alert| alert["labels"]["instance"] == "shop:1")
        .unwrap();
    assert_eq!(plain["labels"]["service"], "shop");
    assert_eq!(plain["annotations"]["summary"], "0 boxes left at shop:1");
    assert_eq!(
        plain["generatorURL"],
        "http://belfry.test:9765/incidents/12"
    );
    assert_eq!(plain["status"]["state"], "active");
    let odd_one = alerts
        .iter()
        .find(|alert| alert["labels"]["instance"] != "shop:1")
        .unwrap();
    assert_eq!(odd_one["labels"]["http_route"], "/a");
    assert_eq!(odd_one["labels"]["_1st"], "x");

    // Told twice, it is the same alert.
    odd(Case::new()).send(&channel).await.unwrap();
    assert_eq!(alertmanager.alerts().await.len(), 2);
    odd(Case::new().resolved()).send(&channel).await.unwrap();
    assert_eq!(alertmanager.alerts().await, Vec::<Value>::new());

    let mut by_hand = Case::new();
    by_hand.detail.incident.members.clear();
    by_hand.send(&channel).await.unwrap();
    assert_eq!(alertmanager.alerts().await[0]["labels"]["incident"], "12");
    Case::new().summarised().send(&channel).await.unwrap();
    assert_eq!(
        alertmanager.alerts().await.len(),
        2,
        "three incidents of one alert"
    );
}
