//! What the relay tells, as tables of at most 100 columns.

use std::fmt::Write as _;
use std::net::SocketAddr;

use andross::engine::{
    ClientStatus, Connection, ProgramStatus, ReloadReport, StationKind, StationStatus, Status,
};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::text::{ago, printable, seconds, span};

/// What a terminal has room for.
const WIDTH: u16 = 100;

/// A table; the columns in `numbers` are aligned to the right.
fn table(header: &[&str], numbers: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_width(WIDTH).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    table.add_rows(rows);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if numbers.contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// Everything.
pub fn status(status: &Status) -> String {
    let mut text = format!(
        "andross {}, up {}, {} of {} spectators, {}\n\n",
        printable(&status.version),
        ago(status.started_at),
        status.clients,
        status.max_clients,
        match &status.replays {
            Some(folder) => format!("games go to {}", printable(&folder.to_string_lossy())),
            None => "games are not saved".to_owned(),
        },
    );
    text += &stations(&status.stations);
    if let Some(shown) = &status.program {
        text.push('\n');
        text += &program(shown, &status.stations);
    }
    if !status.discovered.is_empty() {
        text.push('\n');
        text += &discovered(status);
    }
    text
}

/// The stations.
pub fn stations(stations: &[StationStatus]) -> String {
    let header = [
        "id", "name", "source", "state", "game", "frame", "watch", "p99 ms", "late", "delay",
        "rec", "ports",
    ];
    let rows = stations.iter().map(station_row).collect();
    table(&header, &[0, 4, 5, 6, 7, 8, 9], rows)
}

fn station_row(station: &StationStatus) -> Vec<String> {
    let watch: u64 = station.clients.values().sum();
    let (game, frame) = match &station.game {
        Some(game) if game.is_on => (game.number.to_string(), game.frame.to_string()),
        Some(game) => (game.number.to_string(), "over".into()),
        None => ("-".into(), "-".into()),
    };
    let rec = match &station.recording {
        recording if recording.is_failing => "FAILS",
        recording if recording.wanted => "on",
        _ => "off",
    };
    let delays = [station.console_delay, station.raw_delay, station.dolphin_delay];
    let delay = if delays.iter().all(|delay| *delay == delays[0]) {
        seconds(delays[0])
    } else {
        delays.map(seconds).join(" / ")
    };
    let port = |address: &SocketAddr| address.port().to_string();
    let ports: Vec<_> =
        [&station.console_address, &station.raw_address].into_iter().flatten().map(port).collect();
    let udp = station.dolphin_address.as_ref().map(|address| format!("{}/udp", port(address)));
    let ports: Vec<_> = ports.into_iter().chain(udp).collect();
    vec![
        station.id.to_string(),
        printable(&station.name),
        printable(&station.source),
        state(station).to_owned(),
        game,
        frame,
        watch.to_string(),
        format!("{:.1}", station.latency.p99_us as f64 / 1000.0),
        station.latency.window_misses.to_string(),
        delay,
        rec.to_owned(),
        ports.join(" "),
    ]
}

fn state(station: &StationStatus) -> &'static str {
    if station.kind == StationKind::Program {
        return "program";
    }
    match station.connection {
        Connection::Connecting => "away",
        Connection::Busy => "busy",
        Connection::Loop => "LOOP",
        Connection::Connected => "on",
    }
}

/// The spectators.
pub fn clients(clients: &[ClientStatus], stations: &[StationStatus]) -> String {
    let header = ["id", "station", "protocol", "address", "here for", "behind", "idle", ""];
    let rows = clients.iter().map(|client| {
        let behind = match client.lag_frames {
            Some(frames) => format!("{frames} frames"),
            None => format!("{} bytes", client.lag_bytes),
        };
        let note = match client {
            client if !client.is_greeted => "no handshake yet",
            client if client.is_relay => "a relay",
            _ => "",
        };
        vec![
            client.id.to_string(),
            name_of(client.station, stations),
            printable(&client.protocol),
            client.address.to_string(),
            ago(client.since),
            behind,
            span(i64::try_from(client.idle_ms).unwrap_or(i64::MAX)),
            note.to_owned(),
        ]
    });
    table(&header, &[0, 4, 5, 6], rows.collect())
}

/// The consoles that have announced themselves.
pub fn discovered(status: &Status) -> String {
    if status.discovered.is_empty() {
        return if status.discovers {
            "no console has announced itself lately; one that has a client is silent\n".into()
        } else {
            "this relay does not listen for consoles that announce themselves\n".into()
        };
    }
    let header = ["console", "nick", "address", "heard", "station"];
    let rows = status.discovered.iter().map(|console| {
        let station = match console.station {
            Some(id) => name_of(id, &status.stations),
            None if console.is_removed => "removed by hand".to_owned(),
            None => "-".to_owned(),
        };
        vec![
            printable(&console.mac),
            printable(&console.nick),
            console.ip.to_string(),
            format!("{} ago", ago(console.last_seen)),
            station,
        ]
    });
    table(&header, &[], rows.collect())
}

/// The program output, in a line.
pub fn program(program: &ProgramStatus, stations: &[StationStatus]) -> String {
    let name = |id: Option<u64>| id.map_or("nothing".into(), |id| name_of(id, stations));
    let mut text = format!("the program output shows {}", name(program.station));
    if program.next.is_some() {
        // Writing to a string cannot fail.
        let _ = write!(text, ", and {} when its next game begins", name(program.next));
    }
    text.push('\n');
    text
}

/// What a reload did.
pub fn reload(report: &ReloadReport) -> String {
    let mut text = String::new();
    for change in &report.changed {
        let _ = writeln!(text, "{}", printable(change));
    }
    for setting in &report.needs_restart {
        let _ = writeln!(text, "at the next start only: {}", printable(setting));
    }
    if text.is_empty() {
        text.push_str("nothing differs\n");
    }
    text
}

fn name_of(id: u64, stations: &[StationStatus]) -> String {
    let station = stations.iter().find(|station| station.id == id);
    station.map_or(format!("station {id}"), |station| printable(&station.name))
}
