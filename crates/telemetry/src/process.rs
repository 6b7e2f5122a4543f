//! The standard `process_*` metrics, from `/proc/self`.
//!
//! Read at scrape time. A figure that the system does not tell (another operating system, a sandbox) is left out rather
//! than shown as 0.

use crate::Collected;

/// Linux shows times in `/proc` in hundredths of a second on every platform (USER_HZ is part of its ABI).
const TICKS_PER_SECOND: f64 = 100.0;

/// Figures of this process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessStats {
    /// Processor time, user and system.
    pub cpu_seconds: Option<f64>,
    /// File descriptors open.
    pub open_fds: Option<u64>,
    /// File descriptors allowed.
    pub max_fds: Option<u64>,
    /// Address space in use.
    pub virtual_bytes: Option<u64>,
    /// Memory in use: the resident set.
    pub resident_bytes: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// When the process started, in seconds since the Unix epoch.
    pub start_time_seconds: Option<f64>,
}

/// Reads the figures of this process.
pub fn stats() -> ProcessStats {
    let status = read("/proc/self/status").unwrap_or_default();
    let stat = read("/proc/self/stat").unwrap_or_default();
    let limits = read("/proc/self/limits").unwrap_or_default();
    let times = cpu_and_start(&stat);
    ProcessStats {
        cpu_seconds: times.map(|(cpu, _)| cpu),
        open_fds: std::fs::read_dir("/proc/self/fd")
            .ok()
            // One of them is the directory handle of this very count.
            .map(|entries| (entries.count() as u64).saturating_sub(1)),
        max_fds: limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok()),
        virtual_bytes: kilobytes(&status, "VmSize:"),
        resident_bytes: kilobytes(&status, "VmRSS:"),
        threads: field(&status, "Threads:"),
        start_time_seconds: times
            .and_then(|(_, start)| Some(boot_time(&read("/proc/stat")?)? + start)),
    }
}

/// The resident set alone: cheaper, for gauges that are asked more often.
pub fn resident_bytes() -> Option<u64> {
    kilobytes(&read("/proc/self/status")?, "VmRSS:")
}

/// Shows the standard set; for [`Registry::collector`](crate::Registry::collector).
pub fn collect(collected: &mut Collected) {
    let stats = stats();
    let mut gauge = |name, help, value: Option<f64>| {
        if let Some(value) = value {
            collected.gauge(name, help, value);
        }
    };
    let whole = |value: Option<u64>| value.map(|value| value as f64);
    gauge(
        "process_open_fds",
        "Number of open file descriptors.",
        whole(stats.open_fds),
    );
    gauge(
        "process_max_fds",
        "Maximum number of open file descriptors.",
        whole(stats.max_fds),
    );
    gauge(
        "process_virtual_memory_bytes",
        "Virtual memory size in bytes.",
        whole(stats.virtual_bytes),
    );
    gauge(
        "process_resident_memory_bytes",
        "Resident memory size in bytes.",
        whole(stats.resident_bytes),
    );
    gauge(
        "process_threads",
        "Number of threads of the process.",
        whole(stats.threads),
    );
    gauge(
        "process_start_time_seconds",
        "Start time of the process since unix epoch in seconds.",
        stats.start_time_seconds,
    );
    if let Some(cpu) = stats.cpu_seconds {
        collected.float_counter(
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
            cpu,
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the kernel's own figures about this process are no file of the program's world"
)]
pub(crate) fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn field(status: &str, name: &str) -> Option<u64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    field(status, name).map(|kilobytes| kilobytes * 1024)
}

/// Processor seconds, and start in seconds since boot.
fn cpu_and_start(stat: &str) -> Option<(f64, f64)> {
    // The second field is the program's name in parentheses, and may hold anything: count from its end.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    // proc(5): utime is field 14, stime 15, starttime 22; `rest` begins with field 3.
    let cpu = (ticks(11)? + ticks(12)?) / TICKS_PER_SECOND;
    Some((cpu, ticks(19)? / TICKS_PER_SECOND))
}

fn boot_time(stat: &str) -> Option<f64> {
    stat.lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_may_hold_anything() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 4 0 9000 1 2";
        assert_eq!(cpu_and_start(stat), Some((2.0, 90.0)));
        assert_eq!(cpu_and_start("nonsense"), None);
    }

    #[test]
    fn this_process_has_figures() {
        let stats = stats();
        assert!(stats.resident_bytes.is_some_and(|bytes| bytes > 100_000));
        assert!(stats.threads.is_some_and(|threads| threads >= 1));
        assert!(stats.open_fds.is_some_and(|fds| fds >= 1));
        assert!(stats.max_fds > stats.open_fds);
        assert!(stats.cpu_seconds.is_some());
        assert!(stats.start_time_seconds.is_some_and(|at| at > 1e9));
    }
}
