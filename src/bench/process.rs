//! What another process has used, where the system tells without further ado.

use std::time::Duration;

/// The use of one process so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Usage {
    /// Processor time of all its threads, in user and system mode.
    pub(super) cpu: Duration,
    /// Memory it has now, in KiB.
    pub(super) rss_kib: u64,
    /// The most it ever had, in KiB.
    pub(super) peak_rss_kib: u64,
}

#[cfg(target_os = "linux")]
pub(super) use linux::usage;

/// This system is not asked.
#[cfg(not(target_os = "linux"))]
pub(super) fn usage(_pid: u32) -> Option<Usage> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::Usage;

    /// Ticks a second in `/proc/PID/stat`: 100 for every program, whatever the kernel's own are.
    const USER_HZ: u64 = 100;

    /// What process `pid` has used; `None` if it is gone.
    pub(in super::super) fn usage(pid: u32) -> Option<Usage> {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let status = fs::read_to_string(folder.join("status")).ok()?;
        Some(Usage {
            cpu: run_time(&folder).or_else(|| ticks(&folder))?,
            rss_kib: kib(&status, "VmRSS:")?,
            peak_rss_kib: kib(&status, "VmHWM:")?,
        })
    }

    /// The sum over the threads, in nanoseconds; `None` where the kernel keeps no such account.
    fn run_time(folder: &Path) -> Option<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(folder.join("task")).ok()? {
            let account = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            nanoseconds += account.split(' ').next()?.parse::<u64>().ok()?;
        }
        (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
    }

    /// Of the coarser account, the 14th and 15th field: `utime` and `stime`. The second is the
    /// program's name in brackets and may hold anything.
    fn ticks(folder: &Path) -> Option<Duration> {
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut next = || fields.next()?.parse::<u64>().ok();
        Some(Duration::from_millis((next()? + next()?) * (1000 / USER_HZ)))
    }

    fn kib(status: &str, name: &str) -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn this_process_uses_something_and_no_process_nothing() {
            let usage = usage(std::process::id()).unwrap();
            assert!(usage.peak_rss_kib >= usage.rss_kib && usage.rss_kib > 100);
            assert!(super::usage(u32::MAX).is_none());
        }

        #[test]
        fn both_accounts_are_of_the_same_process() {
            let folder = PathBuf::from("/proc/self");
            let begin = ticks(&folder).unwrap();
            let mut waste = 0u64;
            while ticks(&folder).unwrap() < begin + Duration::from_millis(50) {
                waste = std::hint::black_box(waste + 1);
            }
            assert!(run_time(&folder).is_none_or(|time| time > Duration::from_millis(20)));
        }
    }
}
