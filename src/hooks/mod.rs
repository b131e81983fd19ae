//! Commands that run when a console comes or goes, a game begins or ends, a file is complete.
//!
//! This is a client of the engine, like HTTP: it listens to the engine's changes and finds out from
//! successive states of a station what happened in between. All of it runs on the thread that calls
//! [`HookThread::run`]; a command that hangs makes nobody wait but the commands behind it.

mod event;
mod history;
mod output;
mod process;
mod queue;
mod stations;
mod thread;

pub use thread::HookThread;
