//! The replay tools: look at `.slp` files, check them, complete what was left unfinished.
//!
//! [`survey`] reads a file of any size once, as a stream, and says what it holds and what is wrong
//! with it; it never changes anything. [`Glance`] reads no more
//! than a list of games needs. [`repair`] completes an unfinished file in place, in an
//! order that survives a crash at any step. [`Report`] tells people and programs about a survey.
//!
//! Nothing a file contains can make these functions panic or hold more than one incomplete event
//! and [`MAX_METADATA_LEN`] bytes of metadata at a time.

mod behind;
mod glance;
mod note;
mod problem;
mod repair;
mod report;
mod start_time;
mod survey;

pub use behind::{MAX_METADATA_LEN, MetadataError};
pub use glance::{Glance, GoOn, MAX_EVENTS, MAX_SURVEYED};
pub use note::{NOTE_SUFFIX, is_being_recorded, note_of};
pub use problem::Problem;
pub use repair::{RepairError, Repaired, plan, repair};
pub use report::{ProblemReport, Report};
pub use start_time::start_at;
pub use survey::{Survey, SurveyError, survey};
