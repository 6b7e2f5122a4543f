//! Scraping: one loop a target, from bytes to appended samples, and what is known about each target.
//!
//! A scrape is whole or it failed: a malformed line, too many samples or a cut body store nothing but `up 0`. Series that
//! were there in the last scrape and are not in this one end with a staleness marker, so that no query sees their last value
//! for another five minutes.

mod board;
mod cache;
mod families;
mod own;
mod run;

pub(crate) use board::is_fresh;
pub use board::{ScrapeBoard, TargetHealth, TargetStatus};
pub(crate) use own::run_own;
pub use run::Scraper;
pub(crate) use run::{UP, scrape_headers, spread};
