//! Metrics whose names say what they are: those of client libraries (a process, a runtime) and of the exporters that most
//! teams run (a machine, Redis, PostgreSQL). Data, so that a further one is a few lines.

use super::{OVERVIEW, RESOURCES};
use crate::init::draft::{Draft, DraftPanel, DraftRule, Subject, Urgency};
use crate::init::survey::Survey;

/// What to add when all the metrics are there.
struct Known {
    needs: &'static [&'static str],
    panel: Option<KnownPanel>,
    rule: Option<KnownRule>,
}

struct KnownPanel {
    board: &'static str,
    title: &'static str,
    kind: &'static str,
    unit: &'static str,
    queries: &'static [(&'static str, &'static str)],
}

struct KnownRule {
    name: &'static str,
    expr: &'static str,
    hold: &'static str,
    urgency: Urgency,
    subject: Subject,
    summary: &'static str,
    description: &'static str,
}

const KNOWN: &[Known] = &[
    // A machine, as the node exporter shows it.
    Known {
        needs: &["node_cpu_seconds_total"],
        panel: Some(KnownPanel {
            board: OVERVIEW,
            title: "Processor in use",
            kind: "line",
            unit: "ratio",
            queries: &[(
                "1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[5m]))",
                "{{instance}}",
            )],
        }),
        rule: Some(KnownRule {
            name: "ProcessorBusy",
            expr: "1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[5m])) > 0.9",
            hold: "15m",
            urgency: Urgency::Warning,
            subject: Subject::Resources,
            summary: "The processors of {{ $labels.instance }} are {{ $value | humanizePercentage }} busy",
            description: "For a quarter of an hour there was hardly any idle time; everything on it waits.",
        }),
    },
    Known {
        needs: &[
            "node_memory_MemAvailable_bytes",
            "node_memory_MemTotal_bytes",
        ],
        panel: Some(KnownPanel {
            board: OVERVIEW,
            title: "Memory available",
            kind: "line",
            unit: "ratio",
            queries: &[(
                "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
                "{{instance}}",
            )],
        }),
        rule: Some(KnownRule {
            name: "MemoryShort",
            expr: "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1",
            hold: "5m",
            urgency: Urgency::Critical,
            subject: Subject::Resources,
            summary: "Only {{ $value | humanizePercentage }} of the memory of {{ $labels.instance }} is available",
            description: "When memory runs out the kernel kills processes, and not always the right ones.",
        }),
    },
    Known {
        needs: &["node_filesystem_avail_bytes", "node_filesystem_size_bytes"],
        panel: Some(KnownPanel {
            board: OVERVIEW,
            title: "Disk space in use",
            kind: "bars",
            unit: "ratio",
            queries: &[(
                "1 - node_filesystem_avail_bytes{fstype!~\"tmpfs|ramfs|overlay|squashfs\"} / node_filesystem_size_bytes{fstype!~\"tmpfs|ramfs|overlay|squashfs\"}",
                "{{mountpoint}}",
            )],
        }),
        rule: Some(KnownRule {
            name: "DiskAlmostFull",
            expr: "node_filesystem_avail_bytes{fstype!~\"tmpfs|ramfs|overlay|squashfs\"} / node_filesystem_size_bytes{fstype!~\"tmpfs|ramfs|overlay|squashfs\"} < 0.1",
            hold: "15m",
            urgency: Urgency::Critical,
            subject: Subject::Resources,
            summary: "{{ $labels.mountpoint }} of {{ $labels.instance }} has {{ $value | humanizePercentage }} left",
            description: "A full disk stops databases and logs at once.",
        }),
    },
    Known {
        needs: &["node_load1"],
        panel: Some(KnownPanel {
            board: RESOURCES,
            title: "Tasks that run or wait",
            kind: "line",
            unit: "count",
            queries: &[("node_load1", "over a minute")],
        }),
        rule: None,
    },
    Known {
        needs: &[
            "node_disk_read_bytes_total",
            "node_disk_written_bytes_total",
        ],
        panel: Some(KnownPanel {
            board: RESOURCES,
            title: "Disk I/O",
            kind: "line",
            unit: "bytes_per_second",
            queries: &[
                (
                    "sum by (device) (rate(node_disk_read_bytes_total[5m]))",
                    "read {{device}}",
                ),
                (
                    "sum by (device) (rate(node_disk_written_bytes_total[5m]))",
                    "written {{device}}",
                ),
            ],
        }),
        rule: None,
    },
    Known {
        needs: &[
            "node_network_receive_bytes_total",
            "node_network_transmit_bytes_total",
        ],
        panel: Some(KnownPanel {
            board: RESOURCES,
            title: "Network",
            kind: "line",
            unit: "bytes_per_second",
            queries: &[
                (
                    "sum by (device) (rate(node_network_receive_bytes_total{device!=\"lo\"}[5m]))",
                    "received {{device}}",
                ),
                (
                    "sum by (device) (rate(node_network_transmit_bytes_total{device!=\"lo\"}[5m]))",
                    "sent {{device}}",
                ),
            ],
        }),
        rule: None,
    },
    // Redis.
    Known {
        needs: &["redis_connected_clients", "redis_config_maxclients"],
        panel: Some(KnownPanel {
            board: OVERVIEW,
            title: "Clients",
            kind: "line",
            unit: "count",
            queries: &[("redis_connected_clients", "connected")],
        }),
        rule: Some(KnownRule {
            name: "ClientsNearLimit",
            expr: "redis_connected_clients / redis_config_maxclients > 0.8",
            hold: "5m",
            urgency: Urgency::Critical,
            subject: Subject::Resources,
            summary: "{{ $value | humanizePercentage }} of the allowed connections are taken",
            description: "At the limit further clients are refused.",
        }),
    },
    Known {
        needs: &["redis_commands_processed_total"],
        panel: Some(KnownPanel {
            board: OVERVIEW,
            title: "Commands a second",
            kind: "line",
            unit: "per_second",
            queries: &[("rate(redis_commands_processed_total[5m])", "commands")],
        }),
        rule: None,
    },
    Known {
        needs: &["redis_memory_used_bytes", "redis_memory_max_bytes"],
        panel: Some(KnownPanel {
            board: OVERVIEW,
            title: "Memory",
            kind: "line",
            unit: "bytes",
            queries: &[
                ("redis_memory_used_bytes", "used"),
                ("redis_memory_max_bytes > 0", "limit"),
            ],
        }),
        rule: Some(KnownRule {
            name: "CacheMemoryNearLimit",
            // A limit of 0 means that there is none.
            expr: "redis_memory_used_bytes / (redis_memory_max_bytes > 0) > 0.9",
            hold: "5m",
            urgency: Urgency::Warning,
            subject: Subject::Resources,
            summary: "{{ $value | humanizePercentage }} of the memory limit is in use",
            description: "At the limit keys are evicted or writes are refused, as the server's policy says.",
        }),
    },
    Known {
        needs: &["redis_keyspace_hits_total", "redis_keyspace_misses_total"],
        panel: Some(KnownPanel {
            board: OVERVIEW,
            title: "Share of look-ups that hit",
            kind: "line",
            unit: "ratio",
            queries: &[(
                "rate(redis_keyspace_hits_total[5m]) / (rate(redis_keyspace_hits_total[5m]) + rate(redis_keyspace_misses_total[5m]))",
                "hits",
            )],
        }),
        rule: None,
    },
    Known {
        needs: &["redis_rejected_connections_total"],
        panel: None,
        rule: Some(KnownRule {
            name: "ConnectionsRejected",
            expr: "increase(redis_rejected_connections_total[5m]) > 0",
            hold: "1m",
            urgency: Urgency::Critical,
            subject: Subject::Failures,
            summary: "{{ $value }} connections were refused in five minutes",
            description: "The server is at its connection limit: clients cannot reach it.",
        }),
    },
    Known {
        needs: &["redis_rdb_last_bgsave_status"],
        panel: None,
        rule: Some(KnownRule {
            name: "LastSaveFailed",
            expr: "redis_rdb_last_bgsave_status == 0",
            hold: "5m",
            urgency: Urgency::Warning,
            subject: Subject::Failures,
            summary: "The last snapshot could not be written",
            description: "After a restart everything since the snapshot before would be gone.",
        }),
    },
    // PostgreSQL.
    Known {
        needs: &["pg_stat_activity_count", "pg_settings_max_connections"],
        panel: Some(KnownPanel {
            board: OVERVIEW,
            title: "Connections",
            kind: "line",
            unit: "count",
            queries: &[
                ("sum(pg_stat_activity_count)", "open"),
                ("max(pg_settings_max_connections)", "allowed"),
            ],
        }),
        rule: Some(KnownRule {
            name: "ConnectionsNearLimit",
            expr: "sum(pg_stat_activity_count) / max(pg_settings_max_connections) > 0.8",
            hold: "5m",
            urgency: Urgency::Critical,
            subject: Subject::Resources,
            summary: "{{ $value | humanizePercentage }} of the allowed connections are open",
            description: "At the limit new connections are refused.",
        }),
    },
    Known {
        needs: &[
            "pg_stat_database_xact_commit",
            "pg_stat_database_xact_rollback",
        ],
        panel: Some(KnownPanel {
            board: OVERVIEW,
            title: "Transactions a second",
            kind: "line",
            unit: "per_second",
            queries: &[
                ("sum(rate(pg_stat_database_xact_commit[5m]))", "committed"),
                (
                    "sum(rate(pg_stat_database_xact_rollback[5m]))",
                    "rolled back",
                ),
            ],
        }),
        rule: None,
    },
    // Any process, as client libraries show it.
    Known {
        needs: &["process_cpu_seconds_total"],
        panel: Some(KnownPanel {
            board: RESOURCES,
            title: "Processors used by the process",
            kind: "line",
            unit: "cores",
            queries: &[("rate(process_cpu_seconds_total[5m])", "{{instance}}")],
        }),
        rule: None,
    },
    Known {
        needs: &["process_resident_memory_bytes"],
        panel: Some(KnownPanel {
            board: RESOURCES,
            title: "Memory of the process",
            kind: "line",
            unit: "bytes",
            queries: &[("process_resident_memory_bytes", "{{instance}}")],
        }),
        rule: None,
    },
    Known {
        needs: &["process_open_fds", "process_max_fds"],
        panel: Some(KnownPanel {
            board: RESOURCES,
            title: "Open files of the process",
            kind: "line",
            unit: "count",
            queries: &[("process_open_fds", "open")],
        }),
        rule: Some(KnownRule {
            name: "FilesNearLimit",
            expr: "process_open_fds / process_max_fds > 0.8",
            hold: "5m",
            urgency: Urgency::Critical,
            subject: Subject::Resources,
            summary: "{{ $value | humanizePercentage }} of the allowed files and sockets are open",
            description: "At the limit the process can neither accept a connection nor open a file.",
        }),
    },
    Known {
        needs: &["process_start_time_seconds"],
        panel: None,
        rule: Some(KnownRule {
            name: "RestartsOften",
            expr: "changes(process_start_time_seconds[1h]) > 2",
            hold: "1m",
            urgency: Urgency::Warning,
            subject: Subject::Presence,
            summary: "{{ $labels.instance }} was started {{ $value }} times in an hour",
            description: "A process that is started again and again crashes, or something kills it.",
        }),
    },
    // Runtimes.
    Known {
        needs: &["go_goroutines"],
        panel: Some(KnownPanel {
            board: RESOURCES,
            title: "Goroutines",
            kind: "line",
            unit: "count",
            queries: &[("go_goroutines", "{{instance}}")],
        }),
        rule: None,
    },
    Known {
        needs: &["nodejs_eventloop_lag_p99_seconds"],
        panel: Some(KnownPanel {
            board: RESOURCES,
            title: "Event loop lag",
            kind: "line",
            unit: "seconds",
            queries: &[("nodejs_eventloop_lag_p99_seconds", "p99")],
        }),
        rule: Some(KnownRule {
            name: "EventLoopBlocked",
            expr: "nodejs_eventloop_lag_p99_seconds > 0.25",
            hold: "10m",
            urgency: Urgency::Warning,
            subject: Subject::Resources,
            summary: "The event loop lags by {{ $value }} s",
            description: "While the loop is blocked no request is answered.",
        }),
    },
    Known {
        needs: &[
            "nodejs_heap_size_used_bytes",
            "nodejs_heap_size_total_bytes",
        ],
        panel: Some(KnownPanel {
            board: RESOURCES,
            title: "Heap",
            kind: "line",
            unit: "bytes",
            queries: &[
                ("nodejs_heap_size_used_bytes", "used"),
                ("nodejs_heap_size_total_bytes", "reserved"),
            ],
        }),
        rule: None,
    },
    Known {
        needs: &["python_gc_collections_total"],
        panel: Some(KnownPanel {
            board: RESOURCES,
            title: "Garbage collections a second",
            kind: "line",
            unit: "per_second",
            queries: &[(
                "sum by (generation) (rate(python_gc_collections_total[5m]))",
                "generation {{generation}}",
            )],
        }),
        rule: None,
    },
    Known {
        needs: &["jvm_memory_used_bytes", "jvm_memory_max_bytes"],
        panel: Some(KnownPanel {
            board: RESOURCES,
            title: "Heap in use",
            kind: "line",
            unit: "ratio",
            queries: &[(
                "sum(jvm_memory_used_bytes{area=\"heap\"}) / sum(jvm_memory_max_bytes{area=\"heap\"} > 0)",
                "heap",
            )],
        }),
        rule: Some(KnownRule {
            name: "HeapAlmostFull",
            expr: "sum(jvm_memory_used_bytes{area=\"heap\"}) / sum(jvm_memory_max_bytes{area=\"heap\"} > 0) > 0.9",
            hold: "10m",
            urgency: Urgency::Warning,
            subject: Subject::Resources,
            summary: "{{ $value | humanizePercentage }} of the heap is in use",
            description: "With a full heap the collector takes the processor, and then the process ends.",
        }),
    },
];

pub(super) fn add(draft: &mut Draft, survey: &Survey) {
    let present = |known: &&Known| known.needs.iter().all(|name| survey.has(name));
    for known in KNOWN.iter().filter(present) {
        if let Some(panel) = &known.panel {
            let queries = panel.queries.iter();
            draft.panel(
                panel.board,
                DraftPanel {
                    title: panel.title.to_owned(),
                    kind: panel.kind,
                    unit: panel.unit,
                    queries: queries
                        .map(|(expr, legend)| ((*expr).to_owned(), (*legend).to_owned()))
                        .collect(),
                },
            );
        }
        if let Some(rule) = &known.rule {
            draft.rules.push(DraftRule {
                name: rule.name.to_owned(),
                expr: rule.expr.to_owned(),
                hold: rule.hold,
                urgency: rule.urgency,
                subject: rule.subject,
                summary: rule.summary.to_owned(),
                description: rule.description.to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rule that reads what its recipe does not ask for would be drafted for services that lack it.
    #[test]
    fn recipes_read_what_they_need() {
        for known in KNOWN {
            let panel = known.panel.iter().flat_map(|panel| panel.queries);
            let rule = known.rule.iter().map(|rule| rule.expr);
            for expr in panel.map(|(expr, _)| *expr).chain(rule) {
                let parsed = promql::parse(expr).expect("a recipe's expression parses");
                for selector in parsed.selectors() {
                    let name = selector.name.expect("a recipe's selector has a name");
                    assert!(known.needs.contains(&name), "{expr} reads {name}");
                }
            }
        }
    }
}
