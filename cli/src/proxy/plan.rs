//! Where each stream is cut: nowhere, as a seed says, or at given offsets.

use fastrand::Rng;

use super::cuts::{Cuts, Side, Stream};

/// Number of times that chunks become twice as long, so that the cuts reach far into a long stream.
const DOUBLINGS: u64 = 10;

/// How the connections of a run are cut.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    Uncut,
    /// Each stream has a random split of its own.
    Seed {
        seed: u64,
        /// Maximum number of cuts in a stream.
        max_cuts: u64,
    },
    Exact(Cuts),
}

impl Plan {
    /// Returns the cuts of one stream, whose length is unknown.
    pub(super) fn cutter(&self, stream: Stream) -> Cutter {
        match self {
            Self::Uncut => Cutter::Exact(Vec::new().into_iter()),
            Self::Seed { seed, max_cuts } => {
                Cutter::Random(RandomCuts::new(*seed, stream, *max_cuts))
            }
            Self::Exact(cuts) => Cutter::Exact(cuts.of(stream).into_iter()),
        }
    }
}

/// Returns the offsets of the cuts in a stream, one after the other.
#[derive(Debug)]
pub(super) enum Cutter {
    Random(RandomCuts),
    Exact(std::vec::IntoIter<u64>),
}

impl Cutter {
    /// Returns whether it would make more cuts if their number had no maximum.
    pub(super) const fn is_limited(&self) -> bool {
        matches!(self, Self::Random(_))
    }
}

impl Iterator for Cutter {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        match self {
            Self::Random(cuts) => cuts.next(),
            Self::Exact(cuts) => cuts.next(),
        }
    }
}

/// Random cuts, whose chunks are all of one kind.
#[derive(Debug)]
pub(super) struct RandomCuts {
    random: Rng,
    chunks: Chunks,
    at: u64,
    made: u64,
    max_cuts: u64,
}

/// The lengths of the chunks of a stream.
#[derive(Clone, Copy, Debug)]
enum Chunks {
    /// One byte.
    Bytes,
    /// 1 to 8 bytes.
    Short,
    /// A power of two up to 4096, one byte less, or one more.
    PowersOfTwo,
    /// 1 to 1024 bytes, each order of magnitude equally often.
    Mixed,
    /// 16 to 4096 bytes, likewise.
    Long,
}

impl RandomCuts {
    fn new(seed: u64, stream: Stream, max_cuts: u64) -> Self {
        let side = match stream.from {
            Side::Client => 0,
            Side::Server => 1,
        };
        // Neighbouring seeds, connections and sides have unrelated cuts.
        let words = [seed, stream.connection, side];
        let seed = words.into_iter().fold(0, |mixed: u64, word| {
            Rng::with_seed(mixed.rotate_left(21) ^ word).u64(..)
        });
        let mut random = Rng::with_seed(seed);
        let chunks = match random.u8(..5) {
            0 => Chunks::Bytes,
            1 => Chunks::Short,
            2 => Chunks::PowersOfTwo,
            3 => Chunks::Mixed,
            _ => Chunks::Long,
        };
        Self {
            random,
            chunks,
            at: 0,
            made: 0,
            max_cuts,
        }
    }

    fn length(&mut self) -> u64 {
        let random = &mut self.random;
        match self.chunks {
            Chunks::Bytes => 1,
            Chunks::Short => random.u64(1..=8),
            Chunks::PowersOfTwo => ((1 << random.u32(0..=12)) + random.u64(0..=2)).max(2) - 1,
            Chunks::Mixed => {
                let longest = 1 << random.u32(0..=10);
                random.u64(1..=longest)
            }
            Chunks::Long => {
                let longest = 1 << random.u32(5..=12);
                random.u64(16..=longest)
            }
        }
    }
}

impl Iterator for RandomCuts {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if self.made == self.max_cuts {
            return None;
        }
        let doublings = self.made * DOUBLINGS / self.max_cuts;
        self.at += self.length() << doublings;
        self.made += 1;
        Some(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::iter;

    use super::*;

    fn cuts(seed: u64, connection: u64, from: Side) -> Vec<u64> {
        let plan = Plan::Seed {
            seed,
            max_cuts: 100,
        };
        plan.cutter(Stream { connection, from }).collect()
    }

    #[test]
    fn each_stream_has_a_split_of_its_own() {
        let mut seen = HashSet::new();
        let mut bytewise = 0;
        for seed in 0..10 {
            for connection in 1..=10 {
                for from in Side::BOTH {
                    let cuts = cuts(seed, connection, from);
                    assert_eq!(cuts.len(), 100);
                    assert!(cuts.is_sorted_by(|a, b| a < b), "{cuts:?}");
                    assert!(cuts[0] > 0);
                    bytewise += usize::from(cuts.starts_with(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
                    seen.insert(cuts);
                }
            }
        }
        // All that are cut byte by byte are equal.
        assert!((20..80).contains(&bytewise), "{bytewise}");
        assert_eq!(seen.len(), 200 - bytewise + 1);
        assert_eq!(cuts(3, 4, Side::Client), cuts(3, 4, Side::Client));
    }

    /// Even one byte at a time, 100 cuts reach the ten thousandth byte.
    #[test]
    fn the_cuts_reach_far_into_a_long_stream() {
        for connection in 1..100 {
            let cuts = cuts(0, connection, Side::Client);
            assert!(cuts[99] > 10_000, "{cuts:?}");
        }
    }

    #[test]
    fn chunks_are_as_long_as_their_kind_says() {
        for (chunks, shortest, longest) in [
            (Chunks::Bytes, 1, 1),
            (Chunks::Short, 1, 8),
            (Chunks::PowersOfTwo, 1, 4097),
            (Chunks::Mixed, 1, 1024),
            (Chunks::Long, 16, 4096),
        ] {
            let mut cuts = RandomCuts {
                random: Rng::with_seed(1),
                chunks,
                at: 0,
                made: 0,
                max_cuts: 1,
            };
            let lengths: Vec<u64> = iter::repeat_with(|| cuts.length()).take(2000).collect();
            let range = shortest..=longest;
            assert!(
                lengths.iter().all(|length| range.contains(length)),
                "{chunks:?}"
            );
            if matches!(chunks, Chunks::PowersOfTwo) {
                let near = |length: u64| [length - 1, length, length + 1];
                let is_near = |&length: &u64| near(length).into_iter().any(u64::is_power_of_two);
                assert!(lengths.iter().all(is_near), "{lengths:?}");
                assert!(
                    [1023, 1024, 1025]
                        .iter()
                        .all(|length| lengths.contains(length))
                );
            }
        }
    }

    #[test]
    fn few_cuts_are_possible() {
        for max_cuts in [0, 1, 5] {
            let plan = Plan::Seed { seed: 1, max_cuts };
            let stream = Stream {
                connection: 1,
                from: Side::Server,
            };
            assert_eq!(plan.cutter(stream).count() as u64, max_cuts);
        }
    }
}
