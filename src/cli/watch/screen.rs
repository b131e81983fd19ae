//! The match on a terminal of 80 columns and 24 lines.

use andross::session::SourceState;
use andross::slp::state::{Fighter, MatchState, PlayerState, Timer};
use andross::watch::{DolphinState, View};
use comfy_table::{ContentArrangement, Table, presets};

use crate::cli::ctl::text::printable;

/// The width that everything fits into.
const COLUMNS: u16 = 79;

/// The largest percent that the game shows.
const MAX_PERCENT: f32 = 999.0;

/// The kind of player whose name tag is missing without a reason to tell.
const HUMAN: u16 = 0;

/// The longest name of a player, tag and code together, in characters.
const MAX_NAME: usize = 32;

/// The longest name of a console or source, likewise.
const MAX_NICK: usize = 31;

/// The lines of the whole picture.
pub fn lines(view: &View<'_>) -> Vec<String> {
    let mut lines = vec![source(view), String::new()];
    lines.push(game(view.game, view.state));
    if view.state.stage.is_some() {
        lines.extend(players(view.state));
    }
    lines.push(String::new());
    lines.push(file(view));
    let s = if view.saved == 1 { "" } else { "s" };
    let folder = printable(&view.folder.display().to_string());
    lines.push(format!("Folder   {} game{s} saved in {folder}", view.saved));
    if let Some(dolphin) = view.dolphin {
        lines.push(format!("Dolphin  {}", words(dolphin)));
    }
    if view.is_disk_failing {
        lines.push(
            "The game cannot be saved: the disk is full, or the folder is closed.".to_owned(),
        );
        lines.push("It goes on by itself when that is over.".to_owned());
    }
    if view.gaps > 0 {
        let times = if view.gaps == 1 { "once".to_owned() } else { format!("{} times", view.gaps) };
        lines.push(format!("Bytes were lost {times} before they came here."));
    }
    lines.push("Ctrl-C ends it.".to_owned());
    lines
}

/// Who is watched, and whether the stream is on.
fn source(view: &View<'_>) -> String {
    let address = view.source.to_string();
    let name = short(view.name, MAX_NICK);
    let what = if *view.name == view.source.host { address } else { format!("{name} ({address})") };
    let nick = short(&String::from_utf8_lossy(&view.nick), MAX_NICK);
    let is_known = !view.nick.is_empty() && view.nick != view.name.as_bytes();
    let state = match view.connection {
        SourceState::Connected if is_known => format!("connected to {nick}"),
        SourceState::Connected => "connected".to_owned(),
        SourceState::Busy => "busy with another client; watch its relay, if it has one".to_owned(),
        SourceState::Connecting => "not there; trying again and again".to_owned(),
        state => state.to_string(),
    };
    printable(&format!("{what}: {state}"))
}

/// Which game, where, and when.
fn game(number: u64, state: &MatchState) -> String {
    let Some(stage) = &state.stage else {
        return "No game so far: it is shown when one begins.".to_owned();
    };
    let seconds = state.timer.as_ref().map_or(0, Timer::seconds);
    let frame = state.frame.unwrap_or(0);
    let end = match &state.end {
        Some(end) => {
            format!("   over: {}", end.method.as_ref().map_or("unknown", |how| &how.name))
        }
        None => String::new(),
    };
    let stage = &stage.name;
    format!("Game {number}   {stage}   {}:{:02}   frame {frame}{end}", seconds / 60, seconds % 60)
}

/// Headings and a line a player.
fn players(state: &MatchState) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(COLUMNS)
        .set_header(["PORT", "CHARACTER", "NAME", "STOCKS", "PERCENT", ""]);
    for player in &state.players {
        let fighter = player.fighter.as_ref();
        let stocks = fighter.and_then(|fighter| fighter.stocks).unwrap_or(player.starting_stocks);
        let percent = fighter.and_then(|fighter| fighter.percent).unwrap_or(0.0);
        let note = match fighter {
            Some(Fighter { stocks: Some(0), .. }) => "out",
            Some(fighter) if fighter.is_dying() => "KO",
            _ => "",
        };
        table.add_row([
            format!("P{}", player.port),
            player.character_now().into_owned(),
            name(player),
            stocks.to_string(),
            format!("{} %", percent.clamp(0.0, MAX_PERCENT) as u16),
            note.to_owned(),
        ]);
        // A name that is too wide is cut off: a second line would move everything below.
        if let Some(row) = table.row_iter_mut().last() {
            row.max_height(1);
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Name and connect code of who plays online, else the name tag.
fn name(player: &PlayerState) -> String {
    let online = player.display_name.as_deref().filter(|name| !name.is_empty());
    let code = player.connect_code.as_deref().filter(|code| !code.is_empty());
    let name = match (online, code, player.name_tag.as_str()) {
        (Some(name), Some(code), _) => format!("{name} {code}"),
        (Some(name), None, _) => name.to_owned(),
        (None, _, "") if player.kind.id != HUMAN => player.kind.name.clone().into_owned(),
        (None, _, tag) => tag.to_owned(),
    };
    short(&name, MAX_NAME)
}

fn file(view: &View<'_>) -> String {
    let name = view.file.as_ref().and_then(|path| path.file_name());
    match name {
        Some(name) => format!("File     {}", printable(&name.to_string_lossy())),
        None => "File     none yet".to_owned(),
    }
}

fn words(dolphin: DolphinState) -> &'static str {
    match dolphin {
        DolphinState::Waiting => "starts with the first game",
        DolphinState::Running => "plays it",
        DolphinState::Restarting => "died; it is started again in a moment",
        DolphinState::Closed => "was closed",
    }
}

/// Text from the network, fit for the terminal and not too long for a line.
fn short(text: &str, most: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use andross::config::Source;
    use andross::slp::Event;
    use andross::slp::state::MatchReader;
    use std::path::Path;

    fn state(file: &[u8]) -> MatchState {
        let mut reader = MatchReader::new();
        reader.feed(&file[15..]);
        reader.state().clone()
    }

    fn view<'a>(source: &'a Source, state: &'a MatchState, nick: &str) -> View<'a> {
        View {
            name: &source.name,
            source,
            connection: SourceState::Connected,
            nick: nick.into(),
            game: 2,
            state,
            file: Some("/games/Game_Stream_20260314T201502.slp".into()),
            folder: Path::new("/games"),
            saved: 1,
            gaps: 0,
            is_disk_failing: false,
            dolphin: Some(DolphinState::Running),
        }
    }

    #[test]
    fn a_game_of_four_fits_with_everything_that_can_go_wrong() {
        let source: Source = "Stream=192.168.1.5".parse().unwrap();
        let state = state(include_bytes!("../../../fixtures/v3.18.0-four-players.slp"));
        let mut view = view(&source, &state, "Stream Wii");
        (view.gaps, view.is_disk_failing) = (3, true);
        let lines = lines(&view);
        assert_eq!(lines[0], "Stream (192.168.1.5:51441): connected to Stream Wii");
        assert!(lines[2].starts_with("Game 2   "), "{lines:#?}");
        assert!(lines.iter().any(|line| line.starts_with("P4")), "{lines:#?}");
        assert!(lines.len() < 24, "{lines:#?}");
        assert!(lines.iter().all(|line| line.chars().count() < 80), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("lost 3 times")), "{lines:#?}");
    }

    #[test]
    fn nothing_from_the_network_moves_the_terminal_or_the_lines() {
        let source: Source = "192.168.1.5".parse().unwrap();
        let mut state = state(include_bytes!("../../../fixtures/v3.18.0-rollback-names.slp"));
        let count = lines(&view(&source, &state, "x")).len();
        for player in &mut state.players {
            player.display_name =
                Some("\u{1b}[2J\n街街街街街街街街街街街街街街街街街街街街街".into());
            player.connect_code = Some("\u{202e}A\u{7}#1".into());
        }
        let hostile = lines(&view(&source, &state, &"\u{1b}]0;x\u{7}\r\n".repeat(40)));
        assert_eq!(hostile.len(), count, "{hostile:#?}");
        let harmful = |c: char| c.is_control() || c == '\u{202e}';
        assert!(hostile.iter().all(|line| !line.contains(harmful)), "{hostile:#?}");
        assert!(hostile[0].chars().count() < 80, "{hostile:#?}");
    }

    #[test]
    fn before_the_first_game_it_says_what_is_awaited() {
        let source: Source = "192.168.1.5".parse().unwrap();
        let state = MatchState::new();
        let mut view = view(&source, &state, "");
        view.connection = SourceState::Connecting;
        (view.file, view.dolphin) = (None, None);
        let lines = lines(&view);
        assert_eq!(lines[0], "192.168.1.5:51441: not there; trying again and again");
        assert!(lines[2].starts_with("No game so far"));
        assert!(!lines.iter().any(|line| line.starts_with("Dolphin")));
        let mut cut = MatchState::new();
        cut.observe(Event::new(&[0x36, 3]).unwrap());
        view.state = &cut;
        assert!(super::lines(&view)[2].starts_with("No game so far"));
    }
}
