//! The replay tools: info, check, repair.
