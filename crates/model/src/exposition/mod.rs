//! Reads what a target exposes.
