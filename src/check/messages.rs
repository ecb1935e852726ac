//! Messages and their encodings: streams are made of them, and what each must give
//! is known without a parser.

use alloc::vec;
use alloc::vec::Vec;

use super::{Deviation, Expected, Harness, Outcome};
use crate::subject::Subject;

/// The longest encoding that is truncated at every byte.
const SHORT: usize = 64;

/// What is known of a format from its encoder: some messages with their encodings,
/// and some beginnings that are refused.
///
/// [`streams`](Self::streams) makes streams of them, and [`harness`](Self::harness)
/// judges every stream that is put together from their encodings, in whatever
/// order and number, and truncated wherever. No encoding may be what another begins
/// with, and no error may tell where in the stream it happened.
///
/// ```
/// # #[cfg(feature = "tokio")]
/// # fn main() -> Result<(), everysplit::check::Violation> {
/// use std::io::ErrorKind;
///
/// use everysplit::check::Messages;
/// use everysplit::{Buffered, Tokio, encoder};
/// use everysplit::reference::{Codec, Config, Frame};
///
/// let codec = || Codec::new(Config { max_body_size: 8, ..Config::DEFAULT });
/// let frame = |body: &'static [u8]| Frame { cmd: 1, recv: 0, body: body.into() };
/// let messages = Messages::new(encoder(codec))
///     .messages([frame(b"one"), frame(b""), frame(b"eight...")])
///     .rejects(*b"\x09\0\0\0", 4, ErrorKind::InvalidData)
///     .truncation_error(ErrorKind::UnexpectedEof);
/// let harness = messages.harness(|| Buffered::new(Tokio::new(codec(), |error| error.kind())));
/// for stream in harness.streams() {
///     println!("{}", harness.prove(stream)?);
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "tokio"))]
/// # fn main() {}
/// ```
///
/// With messages of a proptest strategy it makes a property test; a [`Violation`]
/// is an error that `?` takes there.
///
/// ```
/// # #[cfg(feature = "proptest")]
/// # fn main() {
/// use everysplit::check::Messages;
/// use everysplit::reference::{Config, Framer, naive, strategy};
/// use proptest::collection::vec;
/// use proptest::prelude::*;
///
/// const CONFIG: Config = Config { max_body_size: 8, ..Config::DEFAULT };
/// proptest!(|(frames in vec(strategy::frame(CONFIG), 0..4))| {
///     let messages = Messages::new(|frame| naive::encode(CONFIG, frame).unwrap()).messages(frames);
///     let harness = messages.harness(|| Framer::new(CONFIG));
///     for stream in harness.streams() {
///         harness.prove(stream)?;
///     }
/// });
/// # }
/// # #[cfg(not(feature = "proptest"))]
/// # fn main() {}
/// ```
///
/// [`Violation`]: super::Violation
#[derive(Clone, Debug)]
pub struct Messages<C, F, E> {
    encode: C,
    known: Vec<Known<F>>,
    refused: Vec<Refused<E>>,
    truncated: Option<E>,
    declared: Vec<Deviation>,
    /// Whether messages at the limit have been added.
    limited: bool,
}

#[derive(Clone, Debug)]
struct Known<F> {
    bytes: Vec<u8>,
    /// How many of the bytes must be in for the frame to be out.
    at: usize,
    frame: F,
}

#[derive(Clone, Debug)]
struct Refused<E> {
    bytes: Vec<u8>,
    /// How many of the bytes decide it.
    at: usize,
    error: E,
}

impl<C, F, E> Messages<C, F, E>
where
    C: Fn(&F) -> Vec<u8>,
    F: Clone,
    E: Clone,
{
    /// Takes the encoder.
    pub const fn new(encode: C) -> Self {
        Self {
            encode,
            known: Vec::new(),
            refused: Vec::new(),
            truncated: None,
            declared: Vec::new(),
            limited: false,
        }
    }

    /// Declares a deviation from the strict policy.
    ///
    /// # Panics
    ///
    /// When it is one of the limit or of the empty frame, and
    /// [`limit`](Self::limit) has been called, which asks for it.
    #[must_use]
    pub fn declare(mut self, deviation: Deviation) -> Self {
        let of_limit = matches!(deviation, Deviation::CountsHeader | Deviation::NoEmptyFrame);
        assert!(
            !(self.limited && of_limit),
            "\"{deviation}\" is declared behind the limit: declare it first"
        );
        self.declared.push(deviation);
        self
    }

    /// Adds messages that a right framer gives back.
    ///
    /// # Panics
    ///
    /// When the encoding of one is empty.
    #[must_use]
    pub fn messages(mut self, messages: impl IntoIterator<Item = F>) -> Self {
        for frame in messages {
            let bytes = (self.encode)(&frame);
            self = self.frame_bytes(bytes.clone(), bytes.len(), frame);
        }
        self
    }

    /// Adds bytes that a right framer answers with `frame` as soon as the first
    /// `at` of them are in, and behind which the stream goes on: for frames that are
    /// out early, and for framers that resynchronise, whose errors are among the
    /// frames.
    ///
    /// # Panics
    ///
    /// When `at` is 0, or more than there are bytes.
    #[must_use]
    pub fn frame_bytes(mut self, bytes: impl Into<Vec<u8>>, at: usize, frame: F) -> Self {
        let bytes = bytes.into();
        assert!(
            (1..=bytes.len()).contains(&at),
            "a frame is out after {at} of the {} bytes of its encoding; it must be one at least, and no more than there are",
            bytes.len()
        );
        self.known.push(Known { bytes, at, frame });
        self
    }

    /// Adds the beginning of a frame that a right framer refuses with `error` as
    /// soon as the first `at` bytes are in.
    ///
    /// # Panics
    ///
    /// When `at` is 0, or more than there are bytes.
    #[must_use]
    pub fn rejects(mut self, bytes: impl Into<Vec<u8>>, at: usize, error: E) -> Self {
        let bytes = bytes.into();
        assert!(
            (1..=bytes.len()).contains(&at),
            "a frame is refused after {at} of {} bytes; it must be one at least, and no more than there are",
            bytes.len()
        );
        self.refused.push(Refused { bytes, at, error });
        self
    }

    /// Takes the error with which a right framer answers an end inside a frame:
    /// without it no stream is truncated, unless
    /// [`DiscardsAtEnd`](Deviation::DiscardsAtEnd) is declared.
    #[must_use]
    pub fn truncation_error(mut self, error: E) -> Self {
        self.truncated = Some(error);
        self
    }

    /// Adds messages at the limit and around it. `sized` makes a message with a
    /// body of so many bytes, `most` is the limit, and a header that claims more is
    /// refused with `error` as soon as its first `at` bytes are in. A body of 0
    /// bytes, of one less than the limit and at the limit passes, one above it is
    /// refused.
    ///
    /// With [`CountsHeader`](Deviation::CountsHeader) declared, the limit is on all
    /// that the encoder writes for a frame; with
    /// [`NoEmptyFrame`](Deviation::NoEmptyFrame), a body of 0 bytes is refused as one
    /// above the limit is.
    ///
    /// # Panics
    ///
    /// When `at` is 0 or more than a header has bytes, and when a limit that counts
    /// the header is less than a header. The encoder is asked for a message above the
    /// limit: one that refuses it, as a right codec does, is to be given a higher limit
    /// of its own here.
    #[must_use]
    pub fn size_limit(
        mut self,
        most: usize,
        sized: impl Fn(usize) -> F,
        at: usize,
        error: E,
    ) -> Self {
        self.limited = true;
        let empty = sized(0);
        let header = (self.encode)(&empty);
        let most = if self.declared.contains(&Deviation::CountsHeader) {
            let room = most.checked_sub(header.len());
            room.expect("a limit that counts the header has room for one")
        } else {
            most
        };
        let above = (self.encode)(&sized(most + 1));
        self = self.rejects(above, at, error.clone());
        self = if self.declared.contains(&Deviation::NoEmptyFrame) {
            self.rejects(header, at, error)
        } else {
            self.messages([empty])
        };
        let mut sizes = vec![most.saturating_sub(1), most];
        sizes.dedup();
        self.messages(sizes.into_iter().filter(|&size| size > 0).map(sized))
    }

    /// Makes streams: nothing, all messages in a row, each bad beginning behind a
    /// message and before another, and each message truncated behind another.
    #[must_use]
    pub fn streams(&self) -> Vec<Vec<u8>> {
        let whole = self.known.iter().flat_map(|known| &known.bytes);
        let mut streams = vec![Vec::new(), whole.copied().collect()];
        let first = self.known.first().map_or(&[][..], |known| &known.bytes);
        for Refused { bytes, .. } in &self.refused {
            streams.push([first, bytes, first].concat());
        }
        let discards = self.declared.contains(&Deviation::DiscardsAtEnd);
        if self.truncated.is_some() || discards {
            let known = self.known.iter().map(|known| &known.bytes);
            for bytes in known.chain(self.refused.iter().map(|refused| &refused.bytes)) {
                let short = 1..bytes.len().min(SHORT);
                let last = bytes.len().saturating_sub(1).max(SHORT)..bytes.len();
                streams.extend(short.chain(last).map(|end| [first, &bytes[..end]].concat()));
            }
        }
        streams
    }

    /// Makes a harness that judges what is put together from the messages. Its
    /// [streams](Harness::streams) are those made here.
    #[expect(clippy::type_complexity, reason = "what the oracle is cannot be named")]
    pub fn harness<S, M>(self, make: M) -> Harness<M, impl Fn(&[u8]) -> Option<Expected<F, E>>>
    where
        S: Subject<Frame = F, Error = E>,
        M: Fn() -> S,
    {
        let (streams, declared) = (self.streams(), self.declared.clone());
        let harness = Harness::new(make, move |stream: &[u8]| self.expected(stream));
        harness.of_streams(streams).declare(declared).early()
    }

    /// Tells what a stream must give, `None` when it is not put together from the
    /// messages.
    fn expected(&self, stream: &[u8]) -> Option<Expected<F, E>> {
        let (mut frames, mut start) = (Vec::new(), 0);
        let outcome = loop {
            let rest = &stream[start..];
            if rest.is_empty() {
                break Outcome::Clean;
            }
            if let Some(known) = self.known.iter().find(|it| rest.starts_with(&it.bytes)) {
                frames.push((start + known.at, known.frame.clone()));
                start += known.bytes.len();
                continue;
            }
            let refused = |it: &&Refused<E>| rest.starts_with(&it.bytes[..it.at]);
            if let Some(Refused { at, error, .. }) = self.refused.iter().find(refused) {
                let (at, error) = (start + at, error.clone());
                break Outcome::Rejected { at, error };
            }
            if let Some(known) = self.known.iter().find(|it| it.bytes.starts_with(rest)) {
                if known.at <= rest.len() {
                    frames.push((start + known.at, known.frame.clone()));
                }
            } else if !self.refused.iter().any(|it| it.bytes.starts_with(rest)) {
                return None;
            }
            if self.declared.contains(&Deviation::DiscardsAtEnd) {
                break Outcome::Clean;
            }
            break Outcome::Truncated(self.truncated.clone()?);
        };
        Some(Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        })
    }
}
