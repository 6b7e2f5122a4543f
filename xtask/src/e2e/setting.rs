//! The two programs with ports, plan and data of their own, so that a run disturbs nobody's `make run`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::program::{self, Program};
use crate::repository::{self, BELFRY_ADDRESS, PLAN, SERVICE_ADDRESS};
use crate::signals::StopRequests;

/// Debug builds on a loaded machine included.
const START_MAX: Duration = Duration::from_secs(60);

/// How the programs differ from the usual ones.
#[derive(Default)]
pub(crate) struct Extra {
    /// Further flags of the service.
    pub(crate) service: Vec<&'static str>,
    /// The text of a contacts file, if there is one.
    pub(crate) contacts: Option<String>,
}

pub(crate) struct Setting {
    pub(crate) folder: PathBuf,
    /// Where the programs were built.
    pub(crate) programs: PathBuf,
    pub(crate) plan: PathBuf,
    pub(crate) service_address: SocketAddr,
    pub(crate) belfry_address: SocketAddr,
    service: Program,
    belfry: Program,
}

impl Setting {
    /// Builds, starts and waits until both answer.
    pub(crate) fn start(
        root: &Path,
        release: bool,
        extra: &Extra,
        stop: &StopRequests,
    ) -> Result<Setting> {
        let programs = build(root, release)?;
        let target = repository::target_folder(root)?;
        let folder = target.join(format!("e2e/run-{}", std::process::id()));
        let service_address = program::free_address()?;
        let belfry_address = program::free_address()?;
        let plan = own_plan(root, &folder, service_address, belfry_address)?;

        let mut service = Command::new(programs.join("qr-service"));
        service
            .args(["--listen", &service_address.to_string()])
            .args(["--ship-logs", &format!("http://{belfry_address}")])
            .arg("--data")
            .arg(folder.join("data/qr-service"))
            .args(&extra.service)
            .current_dir(&folder);
        let log = folder.join("qr-service.log");
        let mut service = Program::start("qr-service", &mut service, &log)?;
        service.wait_ready(service_address, "/ready", START_MAX, stop)?;

        let mut belfry = Command::new(programs.join("belfry"));
        belfry
            .arg("run")
            .arg(&plan)
            .args(["--listen", &belfry_address.to_string()])
            .arg("--data")
            .arg(folder.join("data/belfry"))
            .current_dir(&folder);
        if let Some(contacts) = &extra.contacts {
            let path = folder.join("contacts.yaml");
            fs::write(&path, contacts)?;
            belfry.arg("--contacts").arg(path);
        }
        let log = folder.join("belfry.log");
        let mut belfry = Program::start("belfry", &mut belfry, &log)?;
        belfry.wait_ready(belfry_address, "/-/ready", START_MAX, stop)?;
        println!("qr-service on {service_address}, belfry on {belfry_address}");
        Ok(Setting {
            folder,
            programs,
            plan,
            service_address,
            belfry_address,
            service,
            belfry,
        })
    }

    /// Drains both, the service first, and says for each whether it ended well.
    pub(crate) fn stop(&mut self, stop: &StopRequests) -> [(&'static str, bool); 2] {
        let service = self.service.drain(stop);
        let belfry = self.belfry.drain(stop);
        [(self.service.name, service), (self.belfry.name, belfry)]
    }

    pub(crate) fn remove_folder(&self) {
        // What is left lies under target/ and disturbs nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn build(root: &Path, release: bool) -> Result<PathBuf> {
    let mut cargo = Command::new(repository::cargo());
    cargo.args(["build", "-p", "qr-service", "-p", "monitor", "--bins"]);
    if release {
        cargo.arg("--release");
    }
    repository::must_succeed(cargo.current_dir(root))?;
    let profile = if release { "release" } else { "debug" };
    Ok(repository::target_folder(root)?.join(profile))
}

/// A copy of the plans in which the fixed addresses are ours.
fn own_plan(
    root: &Path,
    folder: &Path,
    service: SocketAddr,
    belfry: SocketAddr,
) -> Result<PathBuf> {
    let plan = root.join(PLAN);
    let from = plan.parent().context("the plan has no folder")?;
    let to = folder.join("plans");
    fs::create_dir_all(&to).with_context(|| format!("{} cannot be made", to.display()))?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name().filter(|_| path.is_file()) else {
            continue;
        };
        let text = fs::read_to_string(&path)?;
        fs::write(to.join(name), with_addresses(&text, service, belfry))?;
    }
    let name = plan.file_name().context("the plan has no name")?;
    Ok(to.join(name))
}

fn with_addresses(text: &str, service: SocketAddr, belfry: SocketAddr) -> String {
    text.replace(SERVICE_ADDRESS, &service.to_string())
        .replace(BELFRY_ADDRESS, &belfry.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_points_at_our_ports() {
        let service = SocketAddr::from(([127, 0, 0, 1], 1));
        let belfry = SocketAddr::from(([127, 0, 0, 1], 2));
        let text = "url: http://127.0.0.1:8765/metrics # beside 127.0.0.1:9765";
        assert_eq!(
            with_addresses(text, service, belfry),
            "url: http://127.0.0.1:1/metrics # beside 127.0.0.1:2"
        );
        let root = repository::root().unwrap();
        let plan = fs::read_to_string(root.join(PLAN)).unwrap();
        assert!(
            plan.contains(SERVICE_ADDRESS),
            "the plan names another address"
        );
    }
}
