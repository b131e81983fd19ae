//! The pretend console.
