//! What a command says, line by line in the log, as long as it is not too much.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt};

use super::event::printable;

/// Lines of one run that are logged.
const MAX_LINES: usize = 100;

/// Bytes of one line that are logged.
const MAX_LINE: usize = 1000;

/// Bytes read with one call.
const PIECE: usize = 4096;

/// Where the lines of one run go; both of its outputs share what there is room for.
pub(super) struct Output {
    hook: &'static str,
    station: String,
    lines: AtomicUsize,
}

impl Output {
    pub(super) fn new(hook: &'static str, station: &str) -> Self {
        Self { hook, station: station.to_owned(), lines: AtomicUsize::new(0) }
    }

    /// Logs what `stream` says until its end. What is too much is read, too: a command must not
    /// wait for ever for somebody to listen.
    pub(super) async fn log(&self, stream: Option<impl AsyncRead + Unpin>) {
        let Some(mut stream) = stream else { return };
        let mut piece = [0; PIECE];
        let mut line = Vec::new();
        // An error is an end, too.
        while let Ok(read @ 1..) = stream.read(&mut piece).await {
            for &byte in &piece[..read] {
                if byte == b'\n' {
                    self.line(&line);
                    line.clear();
                } else if line.len() < MAX_LINE {
                    line.push(byte);
                }
            }
        }
        if !line.is_empty() {
            self.line(&line);
        }
    }

    fn line(&self, line: &[u8]) {
        let line = printable(String::from_utf8_lossy(line).trim_end());
        let lines = self.lines.fetch_add(1, Ordering::Relaxed);
        let (hook, station) = (self.hook, &self.station);
        if lines < MAX_LINES {
            tracing::info!(hook, %station, "{line}");
        } else if lines == MAX_LINES {
            tracing::warn!(hook, %station, "it says more than {MAX_LINES} lines: no more is logged");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everything_is_read_and_counted_however_much_it_is() {
        let output = Output::new("file", "Stream");
        let much = "x\n".repeat(10_000) + &"y".repeat(10 * PIECE);
        output.log(Some(much.as_bytes())).await;
        assert_eq!(output.lines.load(Ordering::Relaxed), 10_001);
        output.log(None::<&[u8]>).await;
    }
}
