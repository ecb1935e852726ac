//! The harness itself: what it finds, what it leaves alone, and how it reports both.

#[path = "../common/mod.rs"]
mod common;

/// Makes a wrapper a framer: it calls the one inside.
macro_rules! forward {
    ($wrapper:ty, $framer:ty) => {
        impl everysplit::subject::Subject for $wrapper {
            type Frame = <$framer as everysplit::subject::Subject>::Frame;
            type Error = <$framer as everysplit::subject::Subject>::Error;

            fn feed(
                &mut self,
                chunk: &[u8],
                frames: &mut everysplit::subject::Frames<Self::Frame>,
            ) -> Result<(), Self::Error> {
                self.0.feed(chunk, frames)
            }

            fn finish(
                &mut self,
                frames: &mut everysplit::subject::Frames<Self::Frame>,
            ) -> Result<(), Self::Error> {
                self.0.finish(frames)
            }
        }
    };
}

mod adapters;
mod asynchronous_codecs;
mod correct_framers;
mod covered;
mod fuzzing;
mod harness;
mod judged;
mod long_streams;
mod macros;
mod messages;
mod minimal;
mod planted;
mod premises;
mod progress;
mod proof;
mod proof_isolation;
mod queue;
mod readers;
mod readme;
mod shards;
mod split_map;
mod tokio_codecs;
mod tools;
mod verdicts;
mod ways;
mod writers;

use everysplit::{Certificate, NotProved, Tier};

/// Asserts that all splits of up to two cuts were checked, because the framer's states cannot be
/// compared.
#[track_caller]
fn assert_not_comparable(certificate: &Certificate) {
    assert!(
        matches!(
            certificate.tier,
            Tier::Bounded {
                cuts: 2,
                not_proved: Some(NotProved::NotComparable),
                ..
            }
        ),
        "{certificate}"
    );
}
