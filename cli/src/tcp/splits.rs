//! The splits of a stream: which are tried, and the smallest one with a different reply.

use std::collections::{HashMap, HashSet};
use std::iter;
use std::time::Duration;

use everysplit::Split;

use super::TcpRun;
use super::baseline::{Baseline, REPETITIONS};
use super::difference::Difference;
use crate::Error;
use crate::options::TcpOptions;

/// Maximum number of splits of a stream of which the reply may time out.
const MAX_TIMEOUTS: usize = 20;
/// Maximum number of random splits of a stream.
const RANDOM_SPLITS: u64 = 64;

/// Returns the splits of a stream in the order in which they are tried: byte by byte, with one
/// cut, random, with two cuts.
fn splits(len: usize, options: &TcpOptions) -> impl Iterator<Item = Split> {
    let seed = options.seed;
    let one = Split::up_to(len, 1).skip(1);
    let random = (0..RANDOM_SPLITS).map(move |n| Split::sample(len, &[], seed.wrapping_add(n)));
    let two = Split::up_to(len, 2).filter(|split| split.cuts().len() == 2);
    let mut seen = HashSet::new();
    iter::once(Split::bytes(len))
        .chain(one)
        .chain(random)
        .chain(two)
        .filter(move |split| !split.cuts().is_empty() && seen.insert(split.clone()))
        .take(options.max_connections.get())
}

/// Returns the sort key of a split: fewer cuts first, and then fewer cuts inside a field.
fn size(split: &Split, edges: &[usize]) -> (usize, usize) {
    let inside = split.cuts().iter().filter(|cut| !edges.contains(cut));
    (split.cuts().len(), inside.count())
}

/// A split with a reply that differs.
#[derive(Clone)]
pub(super) struct DifferingSplit {
    pub(super) split: Split,
    pub(super) difference: Difference,
}

/// The splits of a stream that were tried.
pub(super) struct TriedSplits {
    /// Whether the reply was the same as to the uncut stream.
    pub(super) same: HashMap<Split, bool>,
    /// The smallest split with a reply that differs.
    pub(super) smallest: Option<DifferingSplit>,
    /// The time to wait for a reply from now on: shorter after a difference.
    pub(super) timeout: Duration,
    /// Why not all splits were tried.
    pub(super) stopped: Option<Error>,
}

impl TcpRun<'_> {
    /// Tries the splits of a stream, as many as --max-connections allows.
    ///
    /// # Errors
    ///
    /// If the reply to the uncut stream varies by itself.
    pub(super) fn try_splits(
        &mut self,
        name: &str,
        stream: &[u8],
        baseline: &Baseline,
        edges: &[usize],
    ) -> Result<TriedSplits, Error> {
        let mut tried = TriedSplits {
            same: HashMap::from([(Split::whole(), true)]),
            smallest: None,
            timeout: self.options.timeout,
            stopped: None,
        };
        let mut timeouts = 0;
        for split in splits(stream.len(), self.options) {
            if timeouts == MAX_TIMEOUTS {
                break;
            }
            self.recorder.progress(format!("{name}: split {split}"));
            let difference = match self.try_split(stream, &split, baseline, tried.timeout) {
                Ok(difference) => difference,
                // Differences that were found before still count.
                Err(error) => {
                    tried.stopped = Some(error);
                    break;
                }
            };
            tried.same.insert(split.clone(), difference.is_none());
            let Some(difference) = difference else {
                continue;
            };
            timeouts += usize::from(!difference.in_time);
            match &tried.smallest {
                None => {
                    self.check_repeatable(name, stream, baseline)?;
                    // From now on, a timeout only adds one more example.
                    tried.timeout = (tried.timeout / 10)
                        .max(4 * baseline.took)
                        .min(tried.timeout);
                }
                Some(smallest) if size(&smallest.split, edges) <= size(&split, edges) => continue,
                Some(_) => {}
            }
            tried.smallest = Some(DifferingSplit { split, difference });
        }
        Ok(tried)
    }

    /// Removes cuts that are not needed for a difference: many at once first, then one by one.
    ///
    /// # Errors
    ///
    /// If the difference does not occur every time.
    pub(super) fn minimize(
        &mut self,
        name: &str,
        stream: &[u8],
        mut smallest: DifferingSplit,
        baseline: &Baseline,
        timeout: Duration,
    ) -> Result<DifferingSplit, Error> {
        smallest.split = smallest.split.reduce(|split| {
            // The uncut stream has the expected reply.
            if split.cuts().is_empty() {
                return Ok(false);
            }
            let difference = self.try_split(stream, split, baseline, timeout)?;
            let differs = difference.is_some();
            if let Some(difference) = difference {
                smallest.difference = difference;
            }
            Ok::<bool, Error>(differs)
        })?;
        let DifferingSplit { split, difference } = &smallest;
        for _ in 1..REPETITIONS {
            if self.try_split(stream, split, baseline, timeout)?.is_none() {
                let (peer, reply) = (self.peer.name(), self.peer.reply_name());
                return Err(format!(
                    "the {peer}'s {reply} to {name} in the split {split} varies by itself: \"{}\", then the same as for the uncut stream; it depends on something other than the split",
                    difference.actual
                )
                .into());
            }
        }
        Ok(smallest)
    }
}
