//! How much memory this process may use: the smallest of what cgroups (v2, v1), the configuration and the machine allow.
//!
//! A rule that divides usage by a limit is only as good as the limit: inside a container the machine's memory is the
//! wrong one, and a cgroup's parent may be tighter than the cgroup itself.

use std::path::{Path, PathBuf};

use crate::process;

/// The deepest cgroup path that is followed; systemd and Kubernetes stay under ten.
const CGROUP_DEPTH_MAX: usize = 64;

/// Where a limit comes from.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum LimitSource {
    /// A cgroup of version 2, the process's own or one above it.
    CgroupV2,
    /// A memory cgroup of version 1.
    CgroupV1,
    /// The program's configuration.
    Configured,
    /// The machine's memory.
    Physical,
}

/// The limit that holds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct MemoryLimit {
    /// In bytes.
    pub bytes: u64,
    /// What sets it.
    pub source: LimitSource,
}

/// The smallest limit; `None` only where nothing at all is known. Reads files: ask at start and now and then.
pub fn memory_limit(configured: Option<u64>) -> Option<MemoryLimit> {
    memory_limit_under(Path::new("/"), configured)
}

fn memory_limit_under(root: &Path, configured: Option<u64>) -> Option<MemoryLimit> {
    let cgroups = read(&root.join("proc/self/cgroup")).unwrap_or_default();
    let mounted = root.join("sys/fs/cgroup");
    let version_2 = cgroups
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .and_then(|path| smallest_up_to(&mounted, path, "memory.max"));
    let version_1 = cgroups
        .lines()
        .find_map(version_1_memory_path)
        .and_then(|path| smallest_up_to(&mounted.join("memory"), path, "memory.limit_in_bytes"));
    let physical = read(&root.join("proc/meminfo")).and_then(|text| physical_bytes(&text));
    [
        (version_2, LimitSource::CgroupV2),
        (version_1, LimitSource::CgroupV1),
        (configured, LimitSource::Configured),
        (physical, LimitSource::Physical),
    ]
    .into_iter()
    .filter_map(|(bytes, source)| bytes.map(|bytes| MemoryLimit { bytes, source }))
    .filter(|limit| limit.bytes > 0)
    // On a tie the machine's own figure is named: a cgroup of that size limits nothing.
    .rev()
    .min_by_key(|limit| limit.bytes)
}

/// The smallest value of `file` in the cgroup at `path` and all above it, up to and with the mount itself. Inside a
/// container the path may not exist under the mount: then the mount is the container's own cgroup.
fn smallest_up_to(mounted: &Path, path: &str, file: &str) -> Option<u64> {
    let mut folder: PathBuf = mounted.join(path.trim_start_matches('/'));
    let mut smallest = None;
    for _ in 0..CGROUP_DEPTH_MAX {
        // "max" is no number and means no limit.
        let here = read(&folder.join(file)).and_then(|text| text.trim().parse::<u64>().ok());
        smallest = match (smallest, here) {
            (Some(before), Some(here)) => Some(here.min(before)),
            (before, here) => before.or(here),
        };
        if folder == mounted || !folder.pop() {
            break;
        }
    }
    smallest
}

/// The path of a line such as `5:memory:/docker/abc`.
fn version_1_memory_path(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    controllers
        .split(',')
        .any(|name| name == "memory")
        .then_some(path)
}

fn physical_bytes(meminfo: &str) -> Option<u64> {
    let rest = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = rest.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn read(path: &Path) -> Option<String> {
    process::read(path.to_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up root with these files.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::DirBuilder::new()
                .recursive(true)
                .create(path.parent().unwrap())
                .unwrap();
            std::io::Write::write_all(
                &mut std::fs::OpenOptions::new()
                    .create_new(true)
                    .write(true)
                    .open(path)
                    .unwrap(),
                text.as_bytes(),
            )
            .unwrap();
        }
        root
    }

    fn check(files: &[(&str, &str)], configured: Option<u64>, expect: Option<(u64, LimitSource)>) {
        let found = memory_limit_under(root(files).path(), configured);
        assert_eq!(
            found.map(|limit| (limit.bytes, limit.source)),
            expect,
            "{files:?}"
        );
    }

    #[test]
    fn the_smallest_holds() {
        let memory = ("proc/meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\n");
        let physical = Some((1_024_000, LimitSource::Physical));
        check(&[], None, None);
        check(&[memory], None, physical);
        check(&[memory], Some(5000), Some((5000, LimitSource::Configured)));
        check(&[memory], Some(u64::MAX), physical);
        let own = ("proc/self/cgroup", "0::/a/b\n");
        let unlimited = ("sys/fs/cgroup/a/b/memory.max", "max\n");
        let parent = ("sys/fs/cgroup/a/memory.max", "700\n");
        check(&[memory, own, unlimited], None, physical);
        check(
            &[memory, own, unlimited, parent],
            Some(900),
            Some((700, LimitSource::CgroupV2)),
        );
        let namespaced = [
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "800\n"),
        ];
        check(&namespaced, None, Some((800, LimitSource::CgroupV2)));
        let old = [
            memory,
            ("proc/self/cgroup", "4:cpu,memory:/docker/x\n3:pids:/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "600\n"),
        ];
        check(&old, None, Some((600, LimitSource::CgroupV1)));
        let old_unlimited = [
            memory,
            ("proc/self/cgroup", "4:memory:/\n"),
            (
                "sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
        ];
        check(&old_unlimited, None, physical);
    }
}
