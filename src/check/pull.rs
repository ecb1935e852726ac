//! Checks framers that pull: that read from a reader and return the next frame.
//! The reader is a script that gives one chunk a call, and may be interrupted.

use alloc::vec::Vec;
use core::fmt::Debug;
use std::io::{self, Read};

use super::guard::guard;
use super::judge::{Call, Found, ended_early};
use super::{Certificate, Expected, Outcome, Property, Tier, Violation, minimize};
use crate::case::Case;
use crate::split::Split;

/// What a [`ChunkReader`] does before each chunk, and before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// Nothing: the next call of `read` gives the next chunk.
    Nothing,
    /// One call of `read` gives [`io::ErrorKind::Interrupted`], after which one
    /// is to call again at once.
    Interrupted,
    /// One call of `read` gives [`io::ErrorKind::WouldBlock`], which the framer
    /// passes on to its caller, who calls again later.
    WouldBlock,
    /// One poll is pending. For [`pull_async`]; to a framer that blocks it is
    /// [`io::ErrorKind::WouldBlock`], and an error.
    Pending,
    /// One poll is pending, and the future that polled is dropped. For
    /// [`pull_async`], as before.
    Dropped,
}

/// How often a framer may do what leads nowhere.
const PATIENCE: usize = 1000;

/// A reader that gives a stream chunk by chunk: never more than one a call, and
/// less where the buffer is smaller. A framer that reads on and on at the end is
/// stopped by a panic, which [`pull`] takes for a violation.
#[derive(Debug)]
pub struct ChunkReader<'a> {
    chunks: Vec<&'a [u8]>,
    between: Interruption,
    /// Whether the next call gives what stands between.
    pause: bool,
    /// Whether the last call gave [`io::ErrorKind::WouldBlock`].
    blocked: bool,
    /// How many bytes have been given.
    offset: usize,
    /// How many bytes had been given at each call that asked for more than the
    /// chunk at hand.
    asked: Vec<usize>,
    /// How often it has been read after the end.
    reads_at_end: usize,
}

impl<'a> ChunkReader<'a> {
    fn new(stream: &'a [u8], split: &'a Split, between: Interruption) -> Self {
        let mut chunks: Vec<&[u8]> = split.chunks(stream).collect();
        chunks.reverse();
        Self {
            chunks,
            between,
            pause: true,
            blocked: false,
            offset: 0,
            asked: Vec::new(),
            reads_at_end: 0,
        }
    }
}

impl Read for ChunkReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.blocked = false;
        if core::mem::take(&mut self.pause) {
            self.asked.push(self.offset);
            match self.between {
                Interruption::Nothing => {}
                Interruption::Interrupted => return Err(io::ErrorKind::Interrupted.into()),
                Interruption::WouldBlock => {
                    self.blocked = true;
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Interruption::Pending | Interruption::Dropped => {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
            }
        }
        let Some(chunk) = self.chunks.last_mut() else {
            self.reads_at_end += 1;
            assert!(
                self.reads_at_end <= PATIENCE,
                "the end of the stream was read {PATIENCE} times"
            );
            return Ok(0);
        };
        let given = chunk.read(buffer)?;
        self.offset += given;
        if chunk.is_empty() {
            self.chunks.pop();
            self.pause = true;
        }
        Ok(given)
    }
}

/// Checks a framer that pulls on one split of a stream: `next` is called until
/// it returns no frame, or an error. It must return what is expected, and must
/// not ask for more bytes while a frame is due, or an error.
///
/// ```
/// use std::io::Read;
///
/// use everysplit::Split;
/// use everysplit::check::{self, Interruption, Expected, Outcome};
///
/// // A length of one byte, then the body.
/// fn next(reader: &mut check::ChunkReader<'_>) -> Result<Option<Vec<u8>>, std::io::ErrorKind> {
///     let mut length = [0];
///     if reader.read(&mut length).map_err(|error| error.kind())? == 0 {
///         return Ok(None);
///     }
///     let mut body = vec![0; length[0].into()];
///     reader.read_exact(&mut body).map_err(|error| error.kind())?;
///     Ok(Some(body))
/// }
///
/// let expected = Expected {
///     frames: vec![(3, b"ok".to_vec())],
///     at_end: Vec::new(),
///     outcome: Outcome::Clean,
/// };
/// let split = Split::bytes(3);
/// check::pull(next, b"\x02ok", &split, &expected, Interruption::Nothing)?;
/// // `read` alone does not call again when it was interrupted.
/// assert!(check::pull(next, b"\x02ok", &split, &expected, Interruption::Interrupted).is_err());
/// # Ok::<(), check::Violation>(())
/// ```
///
/// # Errors
///
/// The first violation; [`Property::Interrupted`] where something stands between
/// the chunks.
pub fn pull<F, E>(
    mut next: impl FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E>,
    stream: &[u8],
    split: &Split,
    expected: &Expected<F, E>,
    between: Interruption,
) -> Result<(), Violation>
where
    F: Clone + Eq + Debug,
    E: Clone + Eq + Debug,
{
    let script = ChunkReader::new(stream, split, between);
    run(&mut next, script, stream.len(), expected).map_err(|found| {
        let violation = found.in_stream(stream, split.clone());
        let property = match between {
            _ if violation.property == Property::Progress => Property::Progress,
            Interruption::Nothing => violation.property,
            Interruption::Interrupted | Interruption::WouldBlock | Interruption::Pending => {
                Property::Interrupted
            }
            Interruption::Dropped => Property::Cancelled,
        };
        Violation {
            property,
            ..violation
        }
    })
}

/// Checks a framer that pulls on every split of up to `cuts` cuts, and byte by byte,
/// with each of `between`, against an oracle. `make` makes what [`pull`] takes, at the
/// beginning of a stream.
///
/// ```
/// use std::io::{ErrorKind, Read};
///
/// use everysplit::check::{self, Interruption, Expected, Outcome, ChunkReader};
///
/// // Every byte is a frame.
/// let make = || |reader: &mut ChunkReader<'_>| {
///     let mut byte = [0];
///     match reader.read_exact(&mut byte) {
///         Ok(()) => Ok(Some(byte[0])),
///         Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
///         Err(error) => Err(error.kind()),
///     }
/// };
/// let oracle = |stream: &[u8]| Expected {
///     frames: (1..).zip(stream.iter().copied()).collect(),
///     at_end: Vec::new(),
///     outcome: Outcome::Clean,
/// };
/// let between = [Interruption::Nothing, Interruption::Interrupted, Interruption::WouldBlock];
/// let certificate = check::pull_bounded(make, oracle, b"abc", 2, &between)?;
/// # Ok::<(), check::Violation>(())
/// ```
///
/// # Errors
///
/// A minimal violation.
pub fn pull_bounded<F, E, N>(
    make: impl Fn() -> N,
    oracle: impl Fn(&[u8]) -> Expected<F, E>,
    stream: &[u8],
    cuts: usize,
    between: &[Interruption],
) -> Result<Certificate, Violation>
where
    N: FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E>,
    F: Clone + Eq + Debug,
    E: Clone + Eq + Debug,
{
    let judge = |Case { stream, split }: &Case, between| {
        pull(make(), stream, split, &oracle(stream), between)
    };
    bounded(judge, &oracle, stream, cuts, between)
}

/// Checks a framer that pulls from an [`AsyncRead`](tokio::io::AsyncRead), as
/// [`pull_bounded`] does for one that blocks.
///
/// # Errors
///
/// A minimal violation.
#[cfg(feature = "tokio")]
pub fn pull_async_bounded<F, E, N>(
    make: impl Fn() -> N,
    oracle: impl Fn(&[u8]) -> Expected<F, E>,
    stream: &[u8],
    cuts: usize,
    between: &[Interruption],
) -> Result<Certificate, Violation>
where
    N: AsyncFnMut(&mut AsyncChunkReader<'_, '_>) -> Result<Option<F>, E>,
    F: Clone + Eq + Debug,
    E: Clone + Eq + Debug,
{
    let judge = |Case { stream, split }: &Case, between| {
        pull_async(make(), stream, split, &oracle(stream), between)
    };
    bounded(judge, &oracle, stream, cuts, between)
}

fn bounded<F, E>(
    judge: impl Fn(&Case, Interruption) -> Result<(), Violation>,
    oracle: &impl Fn(&[u8]) -> Expected<F, E>,
    stream: &[u8],
    cuts: usize,
    between: &[Interruption],
) -> Result<Certificate, Violation> {
    let (mut splits, mut feeds) = (0, 0);
    for split in Split::up_to(stream.len(), cuts).chain([Split::bytes(stream.len())]) {
        splits += 1;
        feeds += (between.len() * split.chunks(stream).count()) as u64;
        let stream = stream.to_vec();
        let case = Case { stream, split };
        for &between in between {
            judge(&case, between).map_err(|violation| {
                let judge = |case: &Case| judge(case, between).err();
                let ends = |stream: &[u8]| oracle(stream).ends();
                let minimal = minimize::minimize(violation, judge, ends);
                Violation {
                    edges: ends(&minimal.case.stream),
                    ..minimal
                }
            })?;
        }
    }
    Ok(Certificate {
        tier: Tier::Bounded {
            cuts,
            splits,
            unmerged: None,
        },
        bytes: stream.len(),
        feeds,
        declared: Vec::new(),
    })
}

/// Checks a framer that pulls from an [`AsyncRead`](tokio::io::AsyncRead), as
/// [`pull`] does for one that blocks: `next` is awaited until it returns no frame,
/// or an error. With [`Interruption::Dropped`] its future is dropped whenever it is
/// pending, and `next` is called again, as `select!` and timeouts do.
///
/// # Errors
///
/// The first violation; [`Property::Interrupted`] and [`Property::Cancelled`]
/// where something stands between the chunks.
#[cfg(feature = "tokio")]
pub fn pull_async<F, E>(
    mut next: impl AsyncFnMut(&mut AsyncChunkReader<'_, '_>) -> Result<Option<F>, E>,
    stream: &[u8],
    split: &Split,
    expected: &Expected<F, E>,
    between: Interruption,
) -> Result<(), Violation>
where
    F: Clone + Eq + Debug,
    E: Clone + Eq + Debug,
{
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    // The script is pending once a chunk.
    let mut polls = 0..stream.len() + PATIENCE;
    let poll = |script: &mut ChunkReader<'_>| loop {
        let mut reader = AsyncChunkReader(script);
        let mut future = pin!(next(&mut reader));
        let returned = loop {
            poll_again(&mut polls);
            match future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Ready(returned) => break Some(returned),
                Poll::Pending if between == Interruption::Dropped => break None,
                Poll::Pending => {}
            }
        };
        if let Some(returned) = returned {
            return returned;
        }
    };
    pull(poll, stream, split, expected, between)
}

/// Stops a future that is pending without end.
#[cfg(feature = "tokio")]
fn poll_again(polls: &mut core::ops::Range<usize>) {
    assert!(polls.next().is_some(), "pending {} times", polls.end);
}

/// A [`ChunkReader`] as an [`AsyncRead`](tokio::io::AsyncRead).
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub struct AsyncChunkReader<'a, 's>(&'a mut ChunkReader<'s>);

#[cfg(feature = "tokio")]
impl tokio::io::AsyncRead for AsyncChunkReader<'_, '_> {
    fn poll_read(
        mut self: core::pin::Pin<&mut Self>,
        _: &mut core::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> core::task::Poll<io::Result<()>> {
        match self.0.read(buffer.initialize_unfilled()) {
            Ok(given) => {
                buffer.advance(given);
                core::task::Poll::Ready(Ok(()))
            }
            // Whoever polls does so again without being woken.
            Err(_) => core::task::Poll::Pending,
        }
    }
}

fn run<F: Eq + Debug, E: Eq + Debug>(
    next: &mut impl FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E>,
    mut script: ChunkReader<'_>,
    len: usize,
    expected: &Expected<F, E>,
) -> Result<(), Found> {
    let (mut delivered, mut at_end) = (0, Vec::new());
    loop {
        script.blocked = false;
        let returned = guard(0, || next(&mut script)).map_err(|found| found.at(script.offset))?;
        if script.blocked && returned.is_err() {
            // Passed on, as it should be.
            continue;
        }
        for offset in script.asked.drain(..) {
            expected.judge_wait(delivered, offset, &Ok(()))?;
        }
        let result = match returned {
            Ok(Some(frame)) if delivered < expected.frames.len() => {
                expected.judge_frame(delivered, script.offset, &frame)?;
                delivered += 1;
                continue;
            }
            Ok(Some(frame)) if at_end.len() <= expected.at_end.len() => {
                at_end.push(frame);
                continue;
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        let decided = match expected.outcome {
            Outcome::Rejected { at, .. } => at,
            Outcome::Clean | Outcome::Truncated(_) => len,
        };
        if script.offset < decided {
            return Err(ended_early(script.offset, &result));
        }
        if let Outcome::Rejected { .. } = expected.outcome {
            return expected.judge_wait(delivered, script.offset, &result);
        }
        let (frames, result) = (&at_end[..], &result);
        return expected.judge_finish(len, &Call { frames, result });
    }
}
