//! `andross replay`: look at, check, repair and find `.slp` files.

mod library;

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use andross::replay::{
    Problem, ProblemReport, Repaired, Report, Survey, SurveyError, is_being_recorded, plan, repair,
    survey,
};
use andross::shutdown::Shutdown;
use andross::slp::metadata::Facts;
use anyhow::{Context, anyhow, ensure};
use serde::Serialize;

/// A file that was written to less than this ago may still be recorded: the game pauses, but no
/// recorder does for long. Completing it would put the end of the recording into its middle.
const STILL_RECORDED: Duration = Duration::from_secs(30);

/// Look at, check, repair and find saved games.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Say what is in saved games: players, stage, length, how it ended.
    #[command(after_help = "\
Examples:
  andross replay info Game_20240504T201500.slp
  andross replay info --events replays/        every .slp file in the folder
  andross replay info --json replays/ | jq -r '.players[].code'

Exit code: 0, or 1 if a file could not be read.")]
    Info(Info),
    /// Check that saved games are whole: one line a file, `ok` or what is wrong where.
    #[command(after_help = "\
Examples:
  andross replay check replays/                every .slp file in the folder
  andross replay check Game_*.slp && echo all whole

A game without Game End is only noted: a console that is switched off, or a
quit to the menu, records none.

Exit code: 0, or 1 if a file has a problem.")]
    Check(Files),
    /// Complete games whose recording was cut short, in place.
    #[command(after_help = "\
Examples:
  andross replay repair --dry-run replays/     say what would be done
  andross replay repair Game_20240504T201500.slp

A file that was cut short, by a crash or a full disk, is cut at its last whole
event and gets its metadata and its length, in this order, so that a repair
that is itself cut short can be repeated. Events are never changed, readable
metadata is kept, complete files are left alone.

A file that was written to in the last 30 seconds may still be recorded, and
is left alone too.

Exit code: 0, or 1 if a file could not be repaired.")]
    Repair(RepairArgs),
    /// Bring the index of a folder of saved games up to date.
    #[command(after_help = "\
Examples:
  andross replay index                         the folder `replays`
  andross replay index /mnt/tournament

The index is the file `.andross-index.sqlite` in the folder. It is made from the
games alone and can be deleted at any time. Only games that are new or have
changed are read. A relay does the same by itself, and `andross replay list` too.

Exit code: 0, or 1 if not all of the folder could be looked through.")]
    Index(library::Index),
    /// List saved games: search, filter, sort.
    #[command(after_help = "\
Examples:
  andross replay list                          the newest 50 in the folder `replays`
  andross replay list /mnt/tournament --player ann --winner ann --character fox
  andross replay list --since 2026-03-14 --until 2026-03-15 --sort duration
  andross replay list --search 'bob battlefield' --json | jq -r .path

Everything that is given must hold. Upper case, accents and width do not count:
`pokemon` finds Pokémon Stadium.

Exit code: 0, or 1 if the folder cannot be read.")]
    List(library::List),
}

/// What every replay tool takes.
#[derive(clap::Args)]
pub struct Files {
    /// .slp files; a folder stands for every .slp file in it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON object a file, a line each
    #[arg(long)]
    json: bool,
}

/// `andross replay info`
#[derive(clap::Args)]
pub struct Info {
    #[command(flatten)]
    files: Files,
    /// Count the events of each kind
    #[arg(long)]
    events: bool,
}

/// `andross replay repair`
#[derive(clap::Args)]
pub struct RepairArgs {
    #[command(flatten)]
    files: Files,
    /// Say what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs one of the replay tools over every file it was given. One that fails does not stop the
/// others.
pub fn run(command: Command, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    let written = match command {
        Command::Info(args) => each(&args.files, |file| info(file, args.events)),
        Command::Check(files) => each(&files, check),
        Command::Repair(args) => each(&args.files, |file| complete(file, args.dry_run)),
        Command::Index(args) => library::index(&args, shutdown)?,
        Command::List(args) => library::list(args, shutdown)?,
    };
    match written {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

/// What a tool has to say about a file.
struct Told {
    /// Whether all is well.
    ok: bool,
    /// For people.
    text: String,
    /// For programs.
    json: String,
}

/// A file and its name as it may be printed.
struct Named<'a> {
    path: &'a Path,
    name: String,
}

impl<'a> Named<'a> {
    fn new(path: &'a Path) -> Self {
        // A file's name must not write to the terminal as it likes.
        let name = path.to_string_lossy();
        let name = name.replace(char::is_control, "\u{FFFD}");
        Self { path, name }
    }

    /// The file's JSON line: its name, then what was found.
    fn json(&self, told: impl Serialize) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Line<'a, T> {
            file: &'a str,
            #[serde(flatten)]
            told: T,
        }
        let file = &self.path.to_string_lossy();
        serde_json::to_string(&Line { file, told })
    }

    /// Surveys the file; the errors say what to do.
    fn survey(&self) -> anyhow::Result<Survey> {
        survey(self.path).map_err(|error| match error {
            SurveyError::Io(error) if error.kind() == ErrorKind::NotFound => {
                anyhow!("no such file: check its name")
            }
            SurveyError::NotSlp(_) | SurveyError::NotAFile => {
                anyhow!("{error}: name a recording that a Slippi recorder wrote")
            }
            other => other.into(),
        })
    }
}

/// Prints what `tool` says of each file: whether all is well with every one.
fn each(files: &Files, tool: impl Fn(&Named<'_>) -> anyhow::Result<Told>) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    let mut all_ok = true;
    for (path, listed) in files.files.iter().flat_map(|path| expand(path)) {
        let file = Named::new(&path);
        match listed.and_then(|()| tool(&file)) {
            Ok(told) => {
                all_ok &= told.ok;
                let line = if files.json { told.json } else { told.text };
                writeln!(out, "{line}")?;
            }
            Err(error) => {
                all_ok = false;
                let error = error.to_string();
                if files.json {
                    #[derive(Serialize)]
                    struct Failed {
                        error: String,
                    }
                    writeln!(out, "{}", file.json(Failed { error })?)?;
                } else {
                    eprintln!("andross: {}: {error}", file.name);
                }
            }
        }
    }
    out.flush()?;
    Ok(all_ok)
}

/// The files that an argument stands for: itself, or the .slp files of a folder in the order of
/// their names. What cannot be listed stays in the list, with the reason.
fn expand(path: &Path) -> Vec<(PathBuf, anyhow::Result<()>)> {
    if !path.is_dir() {
        return vec![(path.to_owned(), Ok(()))];
    }
    let reason = match slp_files(path) {
        Ok(files) if !files.is_empty() => return files.into_iter().map(|f| (f, Ok(()))).collect(),
        Ok(_) => anyhow!("no .slp file in this folder: name one that has some"),
        Err(error) => anyhow!("the folder cannot be read: {error}"),
    };
    vec![(path.to_owned(), Err(reason))]
}

fn slp_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        let is_slp = file.extension().is_some_and(|end| end.eq_ignore_ascii_case("slp"));
        if is_slp && !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn info(file: &Named<'_>, events: bool) -> anyhow::Result<Told> {
    let report = Report::new(&file.survey()?, events);
    Ok(Told { ok: true, text: format!("{}\n{report}", file.name), json: file.json(&report)? })
}

fn check(file: &Named<'_>) -> anyhow::Result<Told> {
    #[derive(Serialize)]
    struct Checked {
        ok: bool,
        problems: Vec<ProblemReport>,
    }
    let survey = file.survey()?;
    let ok = survey.is_ok();
    let problems = list(&survey.problems);
    let found = match (ok, problems.as_str()) {
        (true, "") => "ok".to_owned(),
        (true, notes) => format!("ok ({notes})"),
        (false, problems) => problems.to_owned(),
    };
    let problems = survey.problems.iter().map(ProblemReport::from).collect();
    Ok(Told {
        ok,
        text: format!("{}: {found}", file.name),
        json: file.json(Checked { ok, problems })?,
    })
}

fn complete(file: &Named<'_>, dry_run: bool) -> anyhow::Result<Told> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Done {
        dry_run: bool,
        #[serde(flatten)]
        repaired: Repaired,
        problems: Vec<ProblemReport>,
    }
    let survey = file.survey()?;
    let mut repaired = plan(&survey)?;
    let mut left = survey.problems;
    if repaired != Repaired::AlreadyComplete {
        ensure_at_rest(file.path)?;
        if dry_run {
            left.clear();
        } else {
            repaired = repair(file.path, &Facts::default())?;
            left = file.survey()?.problems;
        }
    }
    left.retain(|problem| !problem.is_note());

    let mut text = format!("{}: {}", file.name, describe(repaired, dry_run));
    if !left.is_empty() {
        text += &format!("; beyond repair: {}", list(&left));
    }
    let problems = left.iter().map(ProblemReport::from).collect();
    let done = Done { dry_run, repaired, problems };
    Ok(Told { ok: left.is_empty(), text, json: file.json(done)? })
}

fn describe(repaired: Repaired, dry_run: bool) -> String {
    let Repaired::Completed { events_len, cut, kept_metadata } = repaired else {
        return "complete, left as it is".to_owned();
    };
    let would = if dry_run { "would be " } else { "" };
    let metadata = if kept_metadata { "kept" } else { "written" };
    format!("{would}completed: {events_len} bytes of events, {cut} cut off, metadata {metadata}")
}

/// Refuses a file that someone seems to be recording right now.
fn ensure_at_rest(path: &Path) -> anyhow::Result<()> {
    ensure!(!is_being_recorded(path), "is being recorded by andross right now: end that first");
    // Another program's recording shows by its age only. A time in the future is a clock that was
    // set, not a recorder.
    let age = fs::metadata(path)?.modified()?.elapsed().unwrap_or(STILL_RECORDED);
    ensure!(
        age >= STILL_RECORDED,
        "was written to {} s ago and may still be recorded: try again when it is not",
        age.as_secs()
    );
    Ok(())
}

fn list(problems: &[Problem]) -> String {
    let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
    problems.join("; ")
}
