//! The harness itself: what it finds, what it leaves alone, and how it reports both.

#[path = "../common/mod.rs"]
mod common;

mod adapters;
mod correct_framers;
mod harness;
mod judged;
mod macros;
mod messages;
mod planted;
mod progress;
mod proof;
mod readers;
mod readme;
mod split_map;
mod tokio_codecs;
mod tools;
