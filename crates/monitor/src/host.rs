//! The machine's own figures: CPU, memory, disk, network, from `/proc`, read through `Disk` like any other file.
//!
//! Names follow the units and the shape of Prometheus' node exporter with a prefix of their own, so that both can run side by side.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::{Labels, Timestamp};
use world::{Disk, Ticker, World};

use crate::metrics::{Recorder, series};
use crate::scrape::spread;
use crate::self_metrics::SelfMetrics;

/// Clock ticks a second in `/proc/stat`; 100 on every Linux that Rust runs on (the kernel's `USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Bytes of a sector in `/proc/diskstats`, whatever the device's own size (kernel documentation, "I/O statistics fields").
const SECTOR_BYTES: f64 = 512.0;

/// The most devices, interfaces or mounts that are reported, so that a machine full of containers stays readable.
const DEVICES_MAX: usize = 32;

/// File systems that hold files of people and programs.
const REAL_FILE_SYSTEMS: [&str; 7] = ["ext4", "ext3", "ext2", "xfs", "btrfs", "zfs", "overlay"];

type Samples = Vec<(Labels, f64)>;
type Reader = fn(&str, &mut Samples);

/// Collects the machine's figures for ever.
pub(crate) struct HostCollector {
    /// Time and files.
    pub world: World,
    /// Where samples go.
    pub recorder: Arc<Recorder>,
    /// Counters.
    pub metrics: Arc<SelfMetrics>,
    /// How often.
    pub interval: Duration,
}

impl HostCollector {
    /// Collects on the grid until dropped.
    pub(crate) async fn run(self) {
        let mut ticker = Ticker::new(
            self.world.clock.clone(),
            self.interval,
            spread("host", self.interval),
        );
        loop {
            let at = Timestamp::from(ticker.tick().await.at);
            let disk = self.world.disk.clone();
            let samples = self.world.run_blocking(move || read_all(&*disk)).await;
            if self.recorder.record(at, samples).await.is_err() {
                self.metrics.own_samples_lost.inc();
            }
        }
    }
}

/// Whatever the machine tells; files that are missing (another system, a simulation) leave their figures out.
fn read_all(disk: &dyn Disk) -> Samples {
    let mut samples = Samples::new();
    let sources: [(&str, Reader); 5] = [
        ("/proc/stat", cpu),
        ("/proc/meminfo", memory),
        ("/proc/diskstats", disks),
        ("/proc/net/dev", network),
        ("/proc/loadavg", load),
    ];
    for (path, read) in sources {
        if let Some(text) = text_of(disk, path) {
            read(&text, &mut samples);
        }
    }
    if let Some(mounts) = text_of(disk, "/proc/mounts") {
        file_systems(disk, &mounts, &mut samples);
    }
    samples
}

fn text_of(disk: &dyn Disk, path: &str) -> Option<String> {
    disk.read(Path::new(path))
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
}

fn cpu(text: &str, samples: &mut Samples) {
    let Some(line) = text.lines().find(|line| line.starts_with("cpu ")) else {
        return;
    };
    let ticks: Vec<f64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    let sum = |columns: &[usize]| {
        columns
            .iter()
            .filter_map(|column| ticks.get(*column))
            .sum::<f64>()
    };
    // Columns: user nice system idle iowait irq softirq steal (guest time is part of user).
    let modes: [(&str, &[usize]); 5] = [
        ("user", &[0, 1]),
        ("system", &[2]),
        ("idle", &[3]),
        ("iowait", &[4]),
        ("other", &[5, 6, 7]),
    ];
    for (mode, columns) in modes {
        samples.push((
            series("host_cpu_seconds_total", &[("mode", mode)]),
            sum(columns) / TICKS_PER_SECOND,
        ));
    }
    let cores = text
        .lines()
        .filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "))
        .count();
    samples.push((series("host_cpu_cores", &[]), cores as f64));
}

fn memory(text: &str, samples: &mut Samples) {
    let names = [
        ("MemTotal:", "host_memory_total_bytes"),
        ("MemAvailable:", "host_memory_available_bytes"),
    ];
    for (key, name) in names {
        let kib = text
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|word| word.parse::<f64>().ok());
        if let Some(kib) = kib {
            samples.push((series(name, &[]), kib * 1024.0));
        }
    }
}

fn disks(text: &str, samples: &mut Samples) {
    let lines = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let whole = lines
        .filter(|words| words.len() >= 14 && is_whole_disk(words[2]))
        .take(DEVICES_MAX);
    for words in whole {
        let device = [("device", words[2])];
        let number = |column: usize| words[column].parse::<f64>().unwrap_or(0.0);
        samples.push((
            series("host_disk_read_bytes_total", &device),
            number(5) * SECTOR_BYTES,
        ));
        samples.push((
            series("host_disk_written_bytes_total", &device),
            number(9) * SECTOR_BYTES,
        ));
        samples.push((
            series("host_disk_io_seconds_total", &device),
            number(12) / 1000.0,
        ));
    }
}

/// Partitions would count everything twice; loop and memory devices are not disks.
fn is_whole_disk(name: &str) -> bool {
    let ends_in_digit = name.ends_with(|last: char| last.is_ascii_digit());
    if let Some(rest) = name
        .strip_prefix("nvme")
        .or_else(|| name.strip_prefix("mmcblk"))
    {
        return !rest.contains('p');
    }
    ["sd", "vd", "xvd", "hd"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        && !ends_in_digit
}

fn network(text: &str, samples: &mut Samples) {
    let interfaces = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .take(DEVICES_MAX);
    for (name, rest) in interfaces {
        let interface = [("interface", name.trim())];
        let words: Vec<&str> = rest.split_whitespace().collect();
        let number = |column: usize| words.get(column).and_then(|word| word.parse::<f64>().ok());
        if let (Some(received), Some(sent)) = (number(0), number(8)) {
            samples.push((
                series("host_network_receive_bytes_total", &interface),
                received,
            ));
            samples.push((
                series("host_network_transmit_bytes_total", &interface),
                sent,
            ));
        }
    }
}

fn load(text: &str, samples: &mut Samples) {
    if let Some(load) = text
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
    {
        samples.push((series("host_load1", &[]), load));
    }
}

fn file_systems(disk: &dyn Disk, mounts: &str, samples: &mut Samples) {
    let mut devices: Vec<&str> = Vec::new();
    for line in mounts.lines() {
        let mut words = line.split(' ');
        let (Some(device), Some(mount), Some(kind)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        // A device that is mounted at several places is one file system; the first place names it.
        if !REAL_FILE_SYSTEMS.contains(&kind)
            || devices.contains(&device)
            || devices.len() >= DEVICES_MAX
        {
            continue;
        }
        if let Ok(space) = disk.space(Path::new(mount)) {
            devices.push(device);
            let label = [("mountpoint", mount)];
            samples.push((
                series("host_filesystem_size_bytes", &label),
                space.total as f64,
            ));
            samples.push((
                series("host_filesystem_available_bytes", &label),
                space.available as f64,
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(read: Reader, text: &str, expect: &[&str]) {
        let mut samples = Samples::new();
        read(text, &mut samples);
        let found: Vec<String> = samples
            .iter()
            .map(|(labels, value)| format!("{labels} {value}"))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn reads_proc() {
        check(
            cpu,
            "cpu  100 50 25 1000 10 1 2 3 0 0\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nintr 5\n",
            &[
                "host_cpu_seconds_total{mode=\"user\"} 1.5",
                "host_cpu_seconds_total{mode=\"system\"} 0.25",
                "host_cpu_seconds_total{mode=\"idle\"} 10",
                "host_cpu_seconds_total{mode=\"iowait\"} 0.1",
                "host_cpu_seconds_total{mode=\"other\"} 0.06",
                "host_cpu_cores 2",
            ],
        );
        check(
            memory,
            "MemTotal: 2 kB\nMemFree: 1 kB\n",
            &["host_memory_total_bytes 2048"],
        );
        check(
            disks,
            " 254 0 vda 1 0 4 0 1 0 8 0 0 500 0\n 254 1 vda1 1 0 4 0 1 0 8 0 0 500 0\n 7 0 loop0 1 0 4 0 1 0 8 0 0 5 0\n",
            &[
                "host_disk_read_bytes_total{device=\"vda\"} 2048",
                "host_disk_written_bytes_total{device=\"vda\"} 4096",
                "host_disk_io_seconds_total{device=\"vda\"} 0.5",
            ],
        );
        check(
            network,
            "Inter-| Receive\n face |bytes\n  lo: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n",
            &[
                "host_network_receive_bytes_total{interface=\"lo\"} 10",
                "host_network_transmit_bytes_total{interface=\"lo\"} 20",
            ],
        );
        check(load, "0.50 0.1 0.2 1/2 3\n", &["host_load1 0.5"]);
    }

    #[test]
    fn whole_disks() {
        for (name, expect) in [
            ("sda", true),
            ("sda1", false),
            ("nvme0n1", true),
            ("nvme0n1p2", false),
            ("mmcblk0", true),
            ("dm-0", false),
        ] {
            assert_eq!(is_whole_disk(name), expect, "{name}");
        }
    }
}
