//! `andross replay index` and `list`: the library of a folder.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use andross::library::{
    Entry, EntryState, Library, LibraryError, MAX_LIMIT, Moment, Order, Progress, Query,
    ScanReport, SortBy,
};
use andross::shutdown::Shutdown;
use anyhow::{anyhow, bail};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::ctl::text::printable;

/// A scan that takes less needs no progress bar.
const QUICK: Duration = Duration::from_millis(500);

/// Columns of a table whose terminal is not known, such as in a pipe.
const WIDTH: u16 = 120;

/// `andross replay index`
#[derive(clap::Args)]
pub struct Index {
    /// The folder of saved games; those in it count, too
    #[arg(value_name = "FOLDER", default_value = "replays")]
    folder: PathBuf,
}

/// `andross replay list`
#[derive(clap::Args)]
pub struct List {
    /// The folder of saved games; those in it count, too
    #[arg(value_name = "FOLDER", default_value = "replays")]
    folder: PathBuf,
    /// Words: each is part of a name, tag, connect code, character, stage, station or path
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    /// Only games of this station
    #[arg(long, value_name = "NAME")]
    station: Option<String>,
    /// Only games in which this character plays; a part of its name does, such as `falcon`
    #[arg(long, value_name = "NAME")]
    character: Option<String>,
    /// Only games on this stage; a part of its name does
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Only games of this player: a part of a name, tag or connect code
    #[arg(long, value_name = "NAME")]
    player: Option<String>,
    /// Only games that this player won
    #[arg(long, value_name = "NAME")]
    winner: Option<String>,
    /// Only files of this kind
    #[arg(long, value_enum)]
    state: Option<EntryState>,
    /// Only games of this moment or later: 2026-03-14, 2026-03-14T20:15
    #[arg(long, value_name = "DATE")]
    since: Option<Moment>,
    /// Only games of this moment or earlier; a day counts to its end
    #[arg(long, value_name = "DATE")]
    until: Option<Moment>,
    /// What they are sorted by
    #[arg(long, value_enum, default_value_t)]
    sort: SortBy,
    /// Which way [default: the newest, longest, largest first; texts from A to Z]
    #[arg(long, value_enum)]
    order: Option<Order>,
    /// The most games that are listed
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: u32,
    /// Print one JSON object a game, a line each
    #[arg(long)]
    json: bool,
}

/// Brings the index up to date; whether all went well.
pub fn index(args: &Index, shutdown: &Shutdown) -> anyhow::Result<io::Result<bool>> {
    let report = scan(&Library::new(args.folder.clone()), shutdown)?;
    let mut line = format!(
        "{}: {}, {} read",
        printable(&args.folder.to_string_lossy()),
        games(report.games),
        report.read
    );
    for (number, what) in [(report.unreadable, "unreadable"), (report.removed, "gone")] {
        if number > 0 {
            line += &format!(", {number} {what}");
        }
    }
    if report.is_partial {
        line += "; not all of it could be looked through";
    }
    Ok(writeln!(io::stdout(), "{line}").map(|()| !report.is_partial))
}

/// Brings the index up to date and prints what is asked for; whether all went well.
pub fn list(args: List, shutdown: &Shutdown) -> anyhow::Result<io::Result<bool>> {
    let mut query = Query {
        search: args.search,
        station: args.station,
        character: args.character,
        stage: args.stage,
        player: args.player,
        winner: args.winner,
        state: args.state,
        since: args.since,
        until: args.until,
        hidden: None,
        sort: args.sort,
        order: args.order,
        page: 1,
        limit: MAX_LIMIT,
    };
    query.check()?;
    let library = Library::new(args.folder);
    scan(&library, shutdown)?;
    let wanted = args.limit as usize;
    let mut found = library.find(&query)?;
    let mut entries = std::mem::take(&mut found.games);
    while entries.len() < wanted && (entries.len() as u64) < found.total {
        query.page += 1;
        let more = library.find(&query)?.games;
        if more.is_empty() {
            break;
        }
        entries.extend(more);
    }
    entries.truncate(wanted);
    Ok(print(&entries, found.total, args.json).map(|()| true))
}

/// Brings the index up to date, with a bar if that takes its time.
fn scan(library: &Library, shutdown: &Shutdown) -> anyhow::Result<ScanReport> {
    let begin = Instant::now();
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    let style =
        ProgressStyle::with_template("reading games {wide_bar} {pos} of {len}, {eta} left")?;
    bar.set_style(style);
    let show = |progress: Progress| {
        if bar.is_hidden() && begin.elapsed() >= QUICK {
            // It hides itself where there is no terminal.
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_length(progress.of);
        bar.set_position(progress.read);
        if shutdown.is_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let report = library.scan(show);
    bar.finish_and_clear();
    if shutdown.is_requested() {
        bail!("interrupted; what was read is kept");
    }
    report.map_err(|error| match error {
        LibraryError::Folder { folder, error } if error.kind() == io::ErrorKind::NotFound => {
            anyhow!("{}: no such folder: name the one with the saved games", folder.display())
        }
        other => other.into(),
    })
}

fn print(entries: &[Entry], total: u64, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        for entry in entries {
            writeln!(out, "{}", serde_json::to_string(entry)?)?;
        }
        return out.flush();
    }
    if entries.is_empty() {
        writeln!(out, "no games")?;
        return out.flush();
    }
    writeln!(out, "{}", table(entries).trim_fmt())?;
    if (entries.len() as u64) < total {
        writeln!(out, "{} of {}; --limit NUMBER shows more", entries.len(), games(total))?;
    }
    out.flush()
}

fn games(number: u64) -> String {
    if number == 1 { "1 game".to_owned() } else { format!("{number} games") }
}

fn table(entries: &[Entry]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_none() {
        table.set_width(WIDTH);
    }
    table.set_header(["DATE", "STATION", "STAGE", "LENGTH", "PLAYERS, * WON", "STATE", "PATH"]);
    table.add_rows(entries.iter().map(row));
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if at == 3 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn row(entry: &Entry) -> [String; 7] {
    let date = jiff::Timestamp::from_millisecond(entry.started_at).map(|moment| {
        moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
    });
    let seconds = entry.seconds as u64;
    let player = |player: &andross::library::PlayerEntry| {
        let won = if player.is_winner { "*" } else { "" };
        format!("{}{won} ({})", printable(&player.name), printable(&player.character.name))
    };
    let players: Vec<String> = entry.players.iter().map(player).collect();
    [
        date.unwrap_or_default(),
        entry.station.as_deref().map(printable).unwrap_or_default(),
        entry.stage.as_ref().map(|stage| printable(&stage.name)).unwrap_or_default(),
        if entry.frames == 0 {
            "-".to_owned()
        } else {
            format!("{}:{:02}", seconds / 60, seconds % 60)
        },
        players.join(", "),
        entry.state.word().to_owned(),
        printable(&entry.path),
    ]
}
