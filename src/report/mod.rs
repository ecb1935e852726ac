//! What checks report: violations, certificates, and pictures of both.

mod certificate;
mod every_stream;
mod hexdump;
mod not_proved;
mod split_map;
mod violation;

pub(crate) use certificate::Count;
pub use certificate::{Certificate, ProvedBy, Tier};
pub use every_stream::{EveryStream, MadeOf};
pub use hexdump::{Hexdump, Row};
pub use not_proved::NotProved;
pub use split_map::{Cell, SplitMap};
pub use violation::{Premise, Violation};
