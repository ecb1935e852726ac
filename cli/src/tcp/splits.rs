//! The splits of a stream: which are tried, and the smallest one with a different reply.

use std::collections::{HashMap, HashSet};
use std::iter;

use everysplit::Split;

use super::baseline::{Baseline, NotTestable, REPETITIONS};
use super::difference::{ConnectionEnd, Difference};
use super::{CRASH_TIME, TcpRun, Wait};
use crate::options::TcpOptions;
use crate::process::ENDING_TIME;
use crate::streams::NamedStream;
use crate::{Error, stop};

/// Maximum number of splits of a stream of which the reply may time out.
const MAX_TIMEOUTS: usize = 20;
/// Maximum number of random splits of a stream.
const RANDOM_SPLITS: usize = 64;
/// Number of random splits of a stream that `http` makes, besides those with one cut.
const HTTP_RANDOM_SPLITS: usize = 8;
/// Number of random splits of a `ClientHello`, besides those with one cut.
const TLS_RANDOM_SPLITS: usize = 64;
/// Maximum number of splits into chunks of equal size.
const EQUAL_SPLITS: usize = 64;
/// Size of these chunks, in bytes, unless there would be more than `MAX_EQUAL_CHUNKS`.
const EQUAL_CHUNK: usize = 64;
const MAX_EQUAL_CHUNKS: usize = 1024;
/// The longest stream of which byte by byte is the first split, not the last, in bytes.
const BYTES_FIRST: usize = 4096;

/// Returns the splits of a stream in the order in which they are tried: as captured, byte by byte,
/// with one cut, in chunks of equal size, random, random with two cuts, and all others with up to
/// two.
///
/// Where not all splits with one cut fit into --max-connections, these are spread over the whole
/// stream: at the edges of fields first, and then at multiples of a power of two, as buffers have
/// such sizes.
fn splits(
    stream: &NamedStream,
    edges: &[usize],
    options: &TcpOptions,
) -> impl Iterator<Item = Split> {
    let len = stream.bytes.len();
    let (seed, offsets) = (options.seed, len.saturating_sub(1));
    let (max, others) = (
        options.max_connections.get(),
        1 + EQUAL_SPLITS + 2 * RANDOM_SPLITS,
    );
    let (budget, random_splits) = match (&options.http, &options.client_hello) {
        (None, None) => (max, RANDOM_SPLITS),
        // The shapes are many, and short.
        (Some(_), _) => (
            max.min(offsets + 1 + HTTP_RANDOM_SPLITS),
            HTTP_RANDOM_SPLITS,
        ),
        // Each connection costs the server a signature.
        (None, Some(_)) => (max.min(offsets + 1 + TLS_RANDOM_SPLITS), TLS_RANDOM_SPLITS),
    };
    let share = if offsets + 1 + random_splits <= budget {
        offsets
    } else {
        budget.saturating_sub(others).max((budget * 5).div_ceil(8))
    };
    let one_cut: Box<dyn Iterator<Item = usize>> = if share == offsets {
        Box::new(1..len)
    } else {
        let near = edges
            .iter()
            .flat_map(|&edge| [edge, edge + 1, edge.saturating_sub(1)]);
        let near: Vec<usize> = near.take(share / 2).collect();
        Box::new(near.into_iter().chain(spread(len)).take(share))
    };
    let one_cut = one_cut.map(|cut| Split::new([cut]));
    let chunk = EQUAL_CHUNK.min(len / 8).max(len / MAX_EQUAL_CHUNKS).max(2);
    let equal_splits = if share < offsets {
        chunk.min(EQUAL_SPLITS)
    } else {
        0
    };
    let equal = (0..equal_splits).map(move |n| {
        let first = 1 + n * chunk / equal_splits;
        Split::new((first..len).step_by(chunk))
    });
    let edges = edges.to_vec();
    let sample = move |n: usize| Split::sample(len, &edges, seed.wrapping_add(n as u64));
    let random = (0..random_splits).map(sample.clone());
    let pairs = offsets.saturating_mul(offsets.saturating_sub(1)) / 2;
    let rest = Split::up_to(len, 2).filter(|split| split.cuts().len() == 2);
    let rest = spread(len).map(|cut| Split::new([cut])).chain(rest);
    let two: Box<dyn Iterator<Item = Split>> = if pairs <= budget {
        Box::new(iter::empty())
    } else {
        Box::new((RANDOM_SPLITS..RANDOM_SPLITS + budget).map(move |n| two_cuts(&sample(n), n)))
    };
    let bytes = || iter::once_with(move || Split::bytes(len));
    let (first, last) = if len <= BYTES_FIRST {
        (Some(bytes()), None)
    } else {
        (None, Some(bytes()))
    };
    let mut seen = HashSet::new();
    let is_new = move |split: &Split| {
        let inside = split.cuts().iter().all(|&cut| cut < len);
        !split.cuts().is_empty() && inside && seen.insert(split.clone())
    };
    let last_count = usize::from(last.is_some());
    let captured = stream.segments.clone();
    captured
        .into_iter()
        .chain(first.into_iter().flatten())
        .chain(one_cut)
        .chain(equal)
        .chain(random)
        .chain(two)
        .chain(rest)
        .filter(is_new)
        .take(budget - last_count.min(budget))
        .chain(last.into_iter().flatten())
}

/// Returns a random split with the first two cuts of another, or its last two.
fn two_cuts(split: &Split, n: usize) -> Split {
    let cuts = split.cuts().iter().copied();
    if n.is_multiple_of(2) {
        Split::new(cuts.take(2))
    } else {
        Split::new(cuts.rev().take(2))
    }
}

/// Returns the offsets inside a stream, spread evenly over it however many are taken: multiples of
/// large powers of two first.
pub(super) fn spread(len: usize) -> impl Iterator<Item = usize> {
    let levels = len.checked_ilog2().map_or(0, |log| log + 1);
    (0..levels).rev().flat_map(move |level| {
        let step = 1 << level;
        let count = ((len - 1) / step).div_ceil(2);
        shuffled(count).map(move |index| (2 * index + 1) * step)
    })
}

/// Returns the numbers below a count, each once, any first part of them evenly spread: neighbours
/// are a golden section apart.
fn shuffled(count: usize) -> impl Iterator<Item = usize> {
    let golden = count * 5 / 8;
    let stride = (golden..=count)
        .find(|&stride| gcd(stride, count) == 1)
        .unwrap_or(1);
    (0..count).scan(0, move |index, _| {
        let this = *index;
        *index = (this + stride) % count;
        Some(this)
    })
}

const fn gcd(mut a: usize, mut b: usize) -> usize {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Returns the sort key of a split: fewer cuts first, then fewer cuts inside a field, and then the
/// first cuts.
fn size<'a>(split: &'a Split, edges: &[usize]) -> (usize, usize, &'a [usize]) {
    let inside = split.cuts().iter().filter(|cut| !edges.contains(cut));
    (split.cuts().len(), inside.count(), split.cuts())
}

/// A split with a reply that differs.
#[derive(Clone)]
pub(super) struct DifferingSplit {
    pub(super) split: Split,
    pub(super) difference: Difference,
}

/// A stream of which splits are tried.
#[derive(Clone, Copy)]
struct Search<'a> {
    stream: &'a NamedStream,
    baseline: &'a Baseline,
    edges: &'a [usize],
}

/// An end of the program that was not expected.
struct Crash {
    how: String,
    /// Whether the last split is the cause.
    is_cause: bool,
}

/// The splits of a stream that were tried.
pub(super) struct TriedSplits {
    /// Whether the reply was the same as to the uncut stream.
    pub(super) same: HashMap<Split, bool>,
    /// The smallest split with a reply that differs.
    pub(super) smallest: Option<DifferingSplit>,
    /// The last split, if its reply was the same. The program may be ending because of it.
    last: Option<Split>,
    /// The number of replies that timed out.
    timeouts: usize,
    /// How long to wait from now on: shorter after a difference.
    pub(super) wait: Wait,
    /// Why not all splits were tried.
    pub(super) stopped: Option<Error>,
}

impl TcpRun<'_> {
    /// Tries the splits of a stream, as many as --max-connections allows.
    pub(super) fn try_splits(
        &mut self,
        stream: &NamedStream,
        baseline: &Baseline,
        edges: &[usize],
    ) -> TriedSplits {
        let mut tried = TriedSplits {
            same: HashMap::from([(Split::whole(), true)]),
            smallest: None,
            last: None,
            timeouts: 0,
            wait: self.wait(),
            stopped: None,
        };
        let search = Search {
            stream,
            baseline,
            edges,
        };
        self.coverage.add_stream(stream.bytes.len());
        // Differences that were found before an error still count.
        tried.stopped = self.search(search, &mut tried).err();
        tried
    }

    fn search(&mut self, search: Search<'_>, tried: &mut TriedSplits) -> Result<(), Error> {
        for split in splits(search.stream, search.edges, self.options) {
            if tried.timeouts == MAX_TIMEOUTS {
                break;
            }
            let name = &search.stream.name;
            self.recorder.progress(format!("{name}: split {split}"));
            let difference = self.try_next(search, &split, tried)?;
            self.coverage.add_split(&split);
            self.add(search, split, difference, tried)?;
        }
        match self.crash_after_last(search, tried)? {
            Some(Crash {
                how,
                is_cause: false,
            }) => Err(how.into()),
            _ => Ok(()),
        }
    }

    /// Tries one split. If this shows that the program has ended because of the last one, adds that
    /// difference.
    fn try_next(
        &mut self,
        search: Search<'_>,
        split: &Split,
        tried: &mut TriedSplits,
    ) -> Result<Option<Difference>, Error> {
        let Search {
            stream, baseline, ..
        } = search;
        let difference = self.try_split(&stream.bytes, split, baseline, tried.wait);
        let may_have_ended = match &difference {
            Ok(None) => false,
            Ok(Some(difference)) => difference.end == ConnectionEnd::ClosedSilently,
            Err(_) => !stop::requested(),
        };
        if !may_have_ended {
            return difference;
        }
        let Some(crash) = self.crash_after_last(search, tried)? else {
            return difference;
        };
        let again = self.try_split(&stream.bytes, split, baseline, tried.wait)?;
        if again.is_none() && !crash.is_cause {
            return Err(crash.how.into());
        }
        Ok(again)
    }

    /// If the program has ended, sends the last split again, and adds it if that is the cause.
    fn crash_after_last(
        &mut self,
        search: Search<'_>,
        tried: &mut TriedSplits,
    ) -> Result<Option<Crash>, Error> {
        let Some(last) = tried.last.take() else {
            return Ok(None);
        };
        let Some(how) = self.crash(ENDING_TIME)? else {
            return Ok(None);
        };
        let wait = Wait {
            end: CRASH_TIME,
            ..tried.wait
        };
        let bytes = &search.stream.bytes;
        let difference = self.try_split(bytes, &last, search.baseline, wait)?;
        let is_cause = difference.is_some();
        if is_cause {
            self.add(search, last, difference, tried)?;
        }
        Ok(Some(Crash { how, is_cause }))
    }

    /// Adds a split that was tried.
    ///
    /// # Errors
    ///
    /// [`NotTestable`], if the reply to the uncut stream varies by itself.
    fn add(
        &mut self,
        search: Search<'_>,
        split: Split,
        difference: Option<Difference>,
        tried: &mut TriedSplits,
    ) -> Result<(), Error> {
        let Search {
            stream,
            baseline,
            edges,
        } = search;
        tried.same.insert(split.clone(), difference.is_none());
        let Some(mut difference) = difference else {
            // A fresh server has been watched already.
            tried.last = (!self.options.peer.is_fresh()).then_some(split);
            return Ok(());
        };
        tried.last = None;
        tried.timeouts += usize::from(!difference.in_time);
        if let Some(smallest) = &tried.smallest
            && size(&smallest.split, edges) <= size(&split, edges)
        {
            return Ok(());
        }
        self.note_crash(&mut difference)?;
        if tried.smallest.is_none() {
            self.check_repeatable(stream, baseline)?;
            // From now on, a timeout only adds one more example.
            let reply = tried.wait.reply;
            tried.wait.reply = (reply / 10).max(4 * baseline.took).min(reply);
        }
        tried.smallest = Some(DifferingSplit { split, difference });
        Ok(())
    }

    /// Removes cuts that are not needed for a difference: many at once first, then one by one.
    ///
    /// # Errors
    ///
    /// [`NotTestable`], if the difference does not occur every time.
    pub(super) fn minimize(
        &mut self,
        stream: &NamedStream,
        mut smallest: DifferingSplit,
        baseline: &Baseline,
        mut wait: Wait,
    ) -> Result<DifferingSplit, Error> {
        let NamedStream { name, bytes, .. } = stream;
        if smallest.difference.end == ConnectionEnd::Crashed {
            wait.end = CRASH_TIME;
        }
        smallest.split = smallest.split.reduce(|split| {
            // The uncut stream has the expected reply.
            if split.cuts().is_empty() {
                return Ok(false);
            }
            let difference = self.try_split(bytes, split, baseline, wait)?;
            let differs = difference.is_some();
            if let Some(difference) = difference {
                smallest.difference = difference;
            }
            Ok::<bool, Error>(differs)
        })?;
        for _ in 1..REPETITIONS {
            let split = &smallest.split;
            let Some(difference) = self.try_split(bytes, split, baseline, wait)? else {
                let (peer, reply) = (self.peer.name(), self.peer.reply_name());
                return Err(NotTestable(format!(
                    "the {peer}'s {reply} to {name} in the split {split} varies by itself: \"{}\", then the same as for the uncut stream; it depends on something other than the split",
                    smallest.difference.actual
                ))
                .into());
            };
            smallest.difference = difference;
        }
        if smallest.difference.end == ConnectionEnd::Crashed {
            self.check_goes_on(stream, baseline)?;
        }
        self.note_crash(&mut smallest.difference)?;
        Ok(smallest)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Arguments;
    use crate::options::{Options, Tested};

    fn options(verb: &str, max_connections: usize) -> Box<TcpOptions> {
        let max = format!("--max-connections={max_connections}");
        let words = ["everysplit", verb, "--connect=7", &max, "--seed=3"];
        let streams: &[&str] = if verb == "tcp" { &["--hex=00"] } else { &[] };
        let arguments = Arguments::parse_from([&words[..], streams].concat());
        match Options::try_from(arguments) {
            Ok(Options::Run(Tested::Tcp(options))) => options,
            _ => panic!("{verb} is a run"),
        }
    }

    /// Returns the splits of a stream, as lists of cuts. Checks that each is one inside the stream,
    /// and that none is tried twice.
    #[track_caller]
    fn cuts(verb: &str, len: usize, max_connections: usize, edges: &[usize]) -> Vec<Vec<usize>> {
        let stream = NamedStream::new("stream", vec![0; len]);
        let options = options(verb, max_connections);
        let all: Vec<Vec<usize>> = splits(&stream, edges, &options)
            .map(|split| split.cuts().to_vec())
            .collect();
        assert!(all.len() <= max_connections, "{}", all.len());
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        for cuts in &all {
            assert!(!cuts.is_empty());
            assert!(cuts.iter().all(|cut| (1..len).contains(cut)), "{cuts:?}");
        }
        all
    }

    fn with(cuts: &[Vec<usize>], count: usize) -> Vec<&[usize]> {
        let with = cuts.iter().filter(|cuts| cuts.len() == count);
        with.map(Vec::as_slice).collect()
    }

    /// Returns whether there are chunks between the cuts, all of this size.
    fn has_equal_chunks(cuts: &[usize], size: usize) -> bool {
        let mut sizes = cuts.windows(2).map(|pair| pair[1] - pair[0]);
        cuts.len() > 2 && sizes.all(|it| it == size)
    }

    #[test]
    fn every_offset_is_spread_once() {
        for len in 0..200 {
            let mut offsets: Vec<_> = spread(len).collect();
            offsets.sort_unstable();
            assert!(offsets.into_iter().eq(1..len.max(1)), "{len}");
        }
    }

    #[test]
    fn the_first_numbers_are_spread_evenly() {
        for count in [100, 128, 200, 256, 1000, 1024] {
            let mut low = 0;
            for (taken, number) in (1..).zip(shuffled(count)) {
                low += usize::from(number < count / 2);
                assert!(low.abs_diff(taken / 2) <= 2, "{count}, {taken}: {low}");
            }
        }
    }

    /// The first offsets leave no large part of a stream without a cut.
    #[test]
    fn the_first_offsets_are_spread_over_the_stream() {
        for len in [100, 1000, 4096, 100_000] {
            for count in [7, 20, 63] {
                let mut offsets: Vec<_> = spread(len).take(count).chain([0, len]).collect();
                offsets.sort_unstable();
                let gaps = offsets.windows(2).map(|pair| pair[1] - pair[0]);
                let widest = gaps.max().unwrap();
                assert!(widest <= len * 4 / count, "{len} {count}: {widest}");
            }
        }
        let multiples: Vec<_> = spread(1000).take(7).collect();
        assert!(
            multiples.iter().all(|offset| offset % 128 == 0),
            "{multiples:?}"
        );
    }

    #[test]
    fn a_short_stream_is_cut_in_every_way_with_two_cuts() {
        let all = cuts("tcp", 6, 1000, &[]);
        assert_eq!(all[0], [1, 2, 3, 4, 5]);
        assert_eq!(all[1..6], [[1], [2], [3], [4], [5]]);
        assert_eq!(with(&all, 2).len(), 10);
        assert!(cuts("tcp", 1, 1000, &[]).is_empty());
        assert_eq!(cuts("tcp", 2, 1000, &[]), [[1]]);
    }

    /// All splits with one cut, random ones, and as many others as there is room for.
    #[test]
    fn a_stream_is_cut_at_every_byte_if_there_is_room() {
        let all = cuts("tcp", 100, 500, &[]);
        assert_eq!(all.len(), 500);
        assert_eq!(all[0].len(), 99);
        assert_eq!(with(&all, 1).len(), 99);
        assert!(all[1..100].iter().flatten().copied().eq(1..100));
        // No chunks are of equal size.
        assert!(!all[100..].iter().any(|cuts| has_equal_chunks(cuts, 12)));
        // Those with one cut have room for no more than these random ones.
        let all = cuts("tcp", 100, 100 + RANDOM_SPLITS, &[]);
        assert_eq!(with(&all, 1).len(), 99);
        let all = cuts("tcp", 200, 199 + RANDOM_SPLITS, &[]);
        assert!(all[100..].iter().any(|cuts| has_equal_chunks(cuts, 25)));
    }

    /// Without room for all splits with one cut, most are of that kind, and near the edges first.
    #[test]
    fn a_part_of_the_splits_with_one_cut_is_spread() {
        let all = cuts("tcp", 1000, 400, &[10, 500]);
        assert_eq!(all.len(), 400);
        assert_eq!(all[0].len(), 999);
        assert_eq!(all[1..7], [[10], [11], [9], [500], [501], [499]]);
        let one = with(&all, 1);
        assert!((240..=260).contains(&one.len()), "{}", one.len());
        let half = one.iter().filter(|cuts| cuts[0] > 500).count();
        assert!((100..=150).contains(&half), "{half}");
        assert!(with(&all, 2).len() >= 21);
        // Chunks of equal size, from each first cut.
        let equal = all.iter().filter(|cuts| has_equal_chunks(cuts, 64));
        let first: Vec<usize> = equal.map(|cuts| cuts[0]).collect();
        assert!(first.into_iter().eq(1..=64));
        // Many edges leave room for the others.
        let edges: Vec<usize> = (100..900).collect();
        let all = cuts("tcp", 1000, 400, &edges);
        let near = with(&all, 1).iter().filter(|cuts| cuts[0] < 300).count();
        assert!(near < 180, "{near}");
        let far = with(&all, 1).iter().filter(|cuts| cuts[0] > 500).count();
        assert!(far > 50, "{far}");
        // An edge at the end is not cut.
        cuts("tcp", 1000, 400, &[999]);
        // More connections leave room for all others.
        let all = cuts("tcp", 2000, 1000, &[]);
        let one = all[1..].iter().take_while(|cuts| cuts.len() == 1).count();
        assert_eq!(one, 1000 - 1 - EQUAL_SPLITS - 2 * RANDOM_SPLITS);
    }

    /// Splits with two cuts are random first, unless there is room for all, and then in order.
    #[test]
    fn splits_with_two_cuts_are_in_order_at_the_end() {
        let random = 30 + RANDOM_SPLITS;
        let all = cuts("tcp", 30, 500, &[]);
        assert!(with(&all[random..], 2).is_sorted());
        let all = cuts("tcp", 34, 500, &[]);
        assert!(!with(&all[random..], 2).is_sorted());
        assert!(with(&all[480..], 2).is_sorted());
    }

    /// The first split of a long stream would cost as much as all others: it is the last.
    #[test]
    fn a_long_stream_is_cut_byte_by_byte_at_the_end() {
        let short = cuts("tcp", 4096, 50, &[]);
        assert_eq!((short.len(), short[0].len()), (50, 4095));
        assert!(short[49].len() < 4095);
        let long = cuts("tcp", 4097, 50, &[]);
        assert_eq!((long.len(), long[0].len(), long[49].len()), (50, 1, 4096));
        // The chunks of a very long stream are longer, so that there are not too many.
        let all = cuts("tcp", 640_000, 400, &[]);
        let equal = all.iter().filter(|cuts| has_equal_chunks(cuts, 625));
        assert_eq!(equal.count(), 64);
    }

    #[test]
    fn the_shapes_of_a_protocol_have_few_random_splits() {
        for (verb, random) in [("http", HTTP_RANDOM_SPLITS), ("tls", TLS_RANDOM_SPLITS)] {
            let all = cuts(verb, 100, 4000, &[]);
            assert_eq!(with(&all, 1).len(), 99, "{verb}");
            assert_eq!(all.len(), 99 + 1 + random, "{verb}");
        }
    }

    #[test]
    fn captured_chunks_come_first() {
        let mut stream = NamedStream::new("stream", vec![0; 50]);
        stream.segments = Some(Split::new([7, 20]));
        let options = options("tcp", 3);
        let all: Vec<_> = splits(&stream, &[], &options).collect();
        assert_eq!(all[..2], [Split::new([7, 20]), Split::bytes(50)]);
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn few_cuts_at_edges_are_smaller() {
        let edges = [4, 8];
        let mut splits = [[3, 5], [4, 8], [2, 4]].map(Split::new).to_vec();
        splits.extend([Split::new([6]), Split::new([4])]);
        splits.sort_by(|a, b| size(a, &edges).cmp(&size(b, &edges)));
        let sorted: Vec<_> = splits.iter().map(Split::cuts).collect();
        assert_eq!(sorted, [&[4][..], &[6], &[4, 8], &[2, 4], &[3, 5]]);
    }
}
