//! Where the log goes and what it looks like.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// What the lines of the log look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people: the time on the wall, colours in a terminal
    Human,
    /// For programs: a JSON object a line, the time in UTC
    Json,
}

/// Lines of the log that may wait for the terminal; beyond, the newest are dropped.
const LOG_LINES: usize = 8192;

/// Logs go to standard error, so that what a command prints can be piped. `RUST_LOG` says what is
/// logged; else `default`. What still waits is written when the guard is dropped, if that goes quickly.
///
/// A thread of its own writes them: a terminal that takes no output (text is selected in it, a pipe
/// is stuck) or a log file on a full disk must not stop anybody who serves frames.
pub fn init(format: LogFormat, default: &str) -> WorkerGuard {
    let (log, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LOG_LINES)
        .thread_name("log")
        .finish(stderr());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(log)
        .log_internal_errors(false);
    match format {
        LogFormat::Human => {
            lines.with_timer(LocalTime).with_ansi(stderr().is_terminal()).with_target(false).init();
        }
        LogFormat::Json => lines
            .json()
            .with_current_span(false)
            .with_span_list(false)
            .with_timer(UniversalTime)
            .with_ansi(false)
            .init(),
    }
    guard
}

/// The time as the clock on the wall has it: what someone compares a log with.
struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        write!(out, "{}", jiff::Zoned::now().strftime("%H:%M:%S%.3f"))
    }
}

/// The time that machines in different places agree on, as RFC 3339 writes it.
struct UniversalTime;

impl FormatTime for UniversalTime {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        write!(out, "{:.6}", jiff::Timestamp::now())
    }
}
