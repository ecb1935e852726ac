//! What checks report: violations, certificates, and pictures of both.

mod certificate;
mod hexdump;
mod split_map;
mod verdicts;
mod violation;

pub use certificate::{Certificate, Tier};
pub use hexdump::{Hexdump, Row};
pub use split_map::{Cell, SplitMap};
pub use verdicts::Verdicts;
pub use violation::Violation;
