//! What every adapter of a seam must do. A new adapter adds one line to the test at the end of its seam's file.

mod drills;
mod incidents;
mod logs;
mod metrics;
mod pages;
mod response;
