//! Building a harness: the doors, the oracles, and the streams.

use alloc::rc::Rc;
use alloc::vec::Vec;
#[cfg(feature = "std")]
use core::fmt::Debug;
#[cfg(feature = "std")]
use core::marker::PhantomData;

use super::effort::Effort;
use super::{Harness, SplitHarness};
use crate::deviation::Deviation;
#[cfg(feature = "tokio")]
use crate::door::AsyncReader;
#[cfg(feature = "std")]
use crate::door::Reader;
use crate::door::{CallerBuffered, Door, Fed};
use crate::expected::Expected;
use crate::oracle::{ByteByByte, Limited, Messages, Oracle, Parse, Specified};
#[cfg(feature = "tokio")]
use crate::subject::AsyncChunkReader;
#[cfg(feature = "std")]
use crate::subject::{ChunkReader, Queue};
use crate::subject::{Decode, ParseFn, Subject};

impl<T, O> Harness<T, O> {
    fn new(door: T, oracle: O) -> Self {
        let splits = SplitHarness {
            door,
            oracle,
            edges: None,
            deviations: Vec::new(),
            streams: Vec::new(),
            mutated: false,
            minimize_while: None,
        };
        Self::of(splits, Effort::default())
    }

    fn with_oracle<P>(self, oracle: P) -> Harness<T, P> {
        let (splits, effort) = self.into_parts();
        let splits = SplitHarness {
            door: splits.door,
            oracle,
            edges: splits.edges,
            deviations: splits.deviations,
            streams: splits.streams,
            mutated: splits.mutated,
            minimize_while: splits.minimize_while,
        };
        Harness::of(splits, effort)
    }
}

/// Doors.
impl<S: Subject> Harness<Fed<S>> {
    /// Takes a framer that is fed. `make` makes one at the beginning of a stream.
    ///
    /// ```
    /// use everysplit::Harness;
    /// use everysplit::reference::{Config, Framer};
    ///
    /// let harness = Harness::framer(|| Framer::new(Config::default()));
    /// println!("{}", harness.check(b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok")?);
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    pub fn framer(make: impl Fn() -> S + 'static) -> Self {
        let make = Rc::new(make);
        Self::new(Fed { make }, ByteByByte)
    }
}

/// Doors.
impl<D: Decode> Harness<CallerBuffered<D>> {
    /// Takes a decoder whose caller owns the buffer. `make` makes one at the beginning of a stream.
    ///
    /// ```
    /// use everysplit::Harness;
    /// use everysplit::reference::{Config, Decoder};
    ///
    /// let harness = Harness::decoder(|| Decoder::new(Config::default()));
    /// println!("{}", harness.check(b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok")?);
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    pub fn decoder(make: impl Fn() -> D + 'static) -> Self {
        let make = Rc::new(make);
        Self::new(CallerBuffered { make }, ByteByByte)
    }
}

/// Doors.
impl<P, F, E> Harness<CallerBuffered<ParseFn<P, E>>>
where
    P: Fn(&[u8]) -> Result<Option<(F, usize)>, E> + Clone + 'static,
    E: Clone + 'static,
    ParseFn<P, E>: Decode<Frame = F, Error = E>,
{
    /// Takes a function that parses the first frame of a slice.
    ///
    /// It returns the frame with the number of bytes that it takes, or `None` if more bytes are
    /// needed. `truncation_error` is the error of a stream that ends inside a frame. For a parser
    /// of whole frames see [`with_length`](crate::subject::with_length).
    ///
    /// ```
    /// use everysplit::Harness;
    ///
    /// // A length of one byte, then the body.
    /// fn parse(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, &'static str> {
    ///     let Some((&length, rest)) = bytes.split_first() else {
    ///         return Ok(None);
    ///     };
    ///     let body = rest.get(..length.into());
    ///     Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
    /// }
    ///
    /// let harness = Harness::parser(parse, "truncated")
    ///     .encoder(|body: &Vec<u8>| [&[body.len() as u8], &body[..]].concat())
    ///     .messages(["ok", ""])
    ///     .truncation_error("truncated");
    /// for stream in harness.all_streams() {
    ///     println!("{}", harness.check(&stream)?);
    /// }
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    pub fn parser(parse: P, truncation_error: E) -> Self {
        Self::decoder(move || ParseFn::new(parse.clone(), truncation_error.clone()))
    }
}

/// Doors.
#[cfg(feature = "std")]
impl<N, F, E> Harness<Reader<N, F, E>>
where
    N: FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E>,
    Reader<N, F, E>: Door,
{
    /// Takes a framer that borrows a [`Read`](std::io::Read). For one that owns it see
    /// [`owning_reader`](Harness::owning_reader).
    ///
    /// `make` makes a function that reads the next frame and returns it, or `None` at the end of
    /// the stream. It must not wait for more bytes while a frame or an error is due, retry at once
    /// when a read returns `Interrupted`, and lose nothing when it returns `WouldBlock` to its
    /// caller.
    ///
    /// ```
    /// use std::io::{ErrorKind, Read};
    ///
    /// use everysplit::Harness;
    /// use everysplit::subject::ChunkReader;
    ///
    /// // Every byte is a frame.
    /// let harness = Harness::reader(|| {
    ///     |reader: &mut ChunkReader<'_>| {
    ///         let mut byte = [0];
    ///         match reader.read_exact(&mut byte) {
    ///             Ok(()) => Ok(Some(byte[0])),
    ///             Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
    ///             Err(error) => Err(error.kind()),
    ///         }
    ///     }
    /// });
    /// println!("{}", harness.check(b"abc")?);
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    pub fn reader(make: impl Fn() -> N + 'static) -> Self {
        Self::new(
            Reader {
                make: Rc::new(make),
                returns: PhantomData,
            },
            ByteByByte,
        )
    }
}

/// Doors.
#[cfg(feature = "tokio")]
impl<N, F, E> Harness<AsyncReader<N, F, E>>
where
    N: AsyncFnMut(&mut AsyncChunkReader<'_, '_>) -> Result<Option<F>, E>,
    AsyncReader<N, F, E>: Door,
{
    /// Takes a framer that borrows an [`AsyncRead`](tokio::io::AsyncRead). For one that owns it see
    /// [`owning_async_reader`](Harness::owning_async_reader).
    ///
    /// As [`reader`](Harness::reader). The function must lose nothing when a read is pending, nor
    /// when its future is then dropped and it is called again, as `select!` and timeouts do. It is
    /// dropped only where its read is pending, and only the reader wakes it: there is no runtime, and
    /// nothing waits for other threads. It may read ahead while bytes are there, but while it is
    /// pending no frame may be due.
    ///
    /// ```
    /// use everysplit::Harness;
    /// use everysplit::subject::AsyncChunkReader;
    /// use tokio::io::AsyncReadExt;
    ///
    /// // Every byte is a frame.
    /// let harness = Harness::async_reader(|| {
    ///     async |reader: &mut AsyncChunkReader<'_, '_>| {
    ///         let mut byte = [0];
    ///         match reader.read(&mut byte).await {
    ///             Ok(0) => Ok(None),
    ///             Ok(_) => Ok(Some(byte[0])),
    ///             Err(error) => Err(error.kind()),
    ///         }
    ///     }
    /// });
    /// println!("{}", harness.check(b"abc")?);
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    pub fn async_reader(make: impl Fn() -> N + 'static) -> Self {
        Self::new(
            AsyncReader {
                make: Rc::new(make),
                returns: PhantomData,
            },
            ByteByByte,
        )
    }
}

/// Doors.
#[cfg(feature = "std")]
impl Harness<()> {
    /// Takes a framer that owns the [`Read`](std::io::Read) that it reads from, such as a
    /// [`BufReader`](std::io::BufReader).
    ///
    /// `make` makes one at the beginning of the [`Queue`]. `next` reads the next frame and returns
    /// it, or `None` at the end of the stream. All that holds for a [`reader`](Harness::reader)
    /// holds for it.
    ///
    /// ```
    /// use std::io::{BufRead, BufReader, ErrorKind};
    ///
    /// use everysplit::Harness;
    /// use everysplit::subject::Queue;
    ///
    /// /// Keeps the beginning of a line for when a read would block.
    /// struct Lines(BufReader<Queue>, Vec<u8>);
    ///
    /// fn next(Lines(reader, line): &mut Lines) -> Result<Option<Vec<u8>>, ErrorKind> {
    ///     reader.read_until(b'\n', line).map_err(|error| error.kind())?;
    ///     Ok(Some(std::mem::take(line)).filter(|line| !line.is_empty()))
    /// }
    ///
    /// let make = |queue| Lines(BufReader::new(queue), Vec::new());
    /// let harness = Harness::owning_reader(make, next);
    /// println!("{}", harness.check(b"one\ntwo\n")?);
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    pub fn owning_reader<R, F, E>(
        make: impl Fn(Queue) -> R + 'static,
        next: impl Fn(&mut R) -> Result<Option<F>, E> + 'static,
    ) -> Harness<Reader<impl FnMut(&mut ChunkReader<'_>) -> Result<Option<F>, E>, F, E>>
    where
        F: Clone + PartialEq + Debug,
        E: Clone + PartialEq + Debug,
    {
        let framer = Rc::new((make, next));
        Harness::reader(move || {
            let framer = Rc::clone(&framer);
            let mut reader = None;
            move |chunks: &mut ChunkReader<'_>| {
                let (make, next) = &*framer;
                next(reader.get_or_insert_with(|| make(chunks.queue())))
            }
        })
    }

    /// Takes a framer that owns the [`AsyncRead`](tokio::io::AsyncRead) or the
    /// [`Stream`](futures_core::Stream) that it reads from, such as a
    /// [`FramedRead`](tokio_util::codec::FramedRead).
    ///
    /// As [`owning_reader`](Harness::owning_reader). All that holds for an
    /// [`async_reader`](Harness::async_reader) holds for it.
    ///
    /// ```
    /// use everysplit::Harness;
    /// use tokio_stream::StreamExt;
    /// use tokio_util::codec::{FramedRead, LinesCodec};
    ///
    /// let harness = Harness::owning_async_reader(
    ///     |queue| FramedRead::new(queue, LinesCodec::new()),
    ///     async |lines| lines.next().await.transpose().map_err(|error| error.to_string()),
    /// );
    /// println!("{}", harness.check(b"one\ntwo\n")?);
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    #[cfg(feature = "tokio")]
    pub fn owning_async_reader<R, F, E>(
        make: impl Fn(Queue) -> R + 'static,
        next: impl AsyncFn(&mut R) -> Result<Option<F>, E> + 'static,
    ) -> Harness<
        AsyncReader<impl AsyncFnMut(&mut AsyncChunkReader<'_, '_>) -> Result<Option<F>, E>, F, E>,
    >
    where
        F: Clone + PartialEq + Debug,
        E: Clone + PartialEq + Debug,
    {
        let framer = Rc::new((make, next));
        Harness::async_reader(move || {
            let framer = Rc::clone(&framer);
            let mut reader = None;
            async move |chunks: &mut AsyncChunkReader<'_, '_>| {
                let (make, next) = &*framer;
                next(reader.get_or_insert_with(|| make(chunks.0.queue()))).await
            }
        })
    }
}

/// Oracles.
impl<T: Door, O> Harness<T, O> {
    /// Expects of a stream what `parse` returns for the whole of it.
    ///
    /// `parse` returns [`Expected`], or an `Option` of it: `None` for a stream that it cannot judge.
    /// Of such a stream, every split is expected to emit what the framer emits byte by byte.
    pub fn oracle<P, A>(self, parse: P) -> Harness<T, Parse<P, T::Frame, T::Error>>
    where
        P: Fn(&[u8]) -> A,
        A: Into<Option<Expected<T::Frame, T::Error>>>,
    {
        self.with_oracle(Parse::new(parse))
    }

    /// Expects of a stream what another framer emits byte by byte: one that is simple enough to be
    /// trusted, such as a state machine. `make` makes one at the beginning of a stream.
    ///
    /// For [`every_stream`](Harness::every_stream) it must be `Clone + Eq`.
    pub fn specification<S>(self, make: impl Fn() -> S + 'static) -> Harness<T, Specified<S>>
    where
        S: Subject<Frame = T::Frame, Error = T::Error>,
    {
        self.with_oracle(Specified::new(make))
    }

    /// Expects of every split what the framer emits byte by byte. This is what a harness does
    /// without another oracle.
    #[must_use]
    pub fn byte_by_byte(self) -> Harness<T, ByteByByte> {
        self.with_oracle(ByteByByte)
    }

    /// Takes the format's encoder. The expected result of a stream follows from the
    /// [messages](Harness::messages) that it is made of.
    pub fn encoder(
        self,
        encode: impl Fn(&T::Frame) -> Vec<u8> + 'static,
    ) -> Harness<T, Messages<T::Frame, T::Error>> {
        let mut messages = Messages::new(encode);
        Oracle::<T>::declare(&mut messages, &self.deviations);
        self.with_oracle(messages)
    }

    /// Takes frames as they were recorded, for a format without an encoder. Add them with
    /// [`frame_bytes`](Harness::frame_bytes) and [`rejects`](Harness::rejects).
    ///
    /// ```
    /// use everysplit::Harness;
    ///
    /// // Every byte is a frame.
    /// let harness = Harness::parser(|bytes| Ok(bytes.first().map(|&byte| (byte, 1))), ())
    ///     .recorded()
    ///     .frame_bytes(b"a", 1, b'a')
    ///     .frame_bytes(b"b", 1, b'b');
    /// println!("{}", harness.check(b"abba")?);
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    ///
    /// # Panics
    ///
    /// [`messages`](Harness::messages) panics, as there is no encoder.
    #[must_use]
    pub fn recorded(self) -> Harness<T, Messages<T::Frame, T::Error>> {
        self.encoder(|_| panic!("there is no encoder: add frames with `frame_bytes`"))
    }

    /// Sets the function that returns the offsets at which a stream's fields begin and end. Random
    /// splits cut there, and violations show them. By default these are the ends of the frames.
    #[must_use]
    pub fn edges(mut self, edges: impl Fn(&[u8]) -> Vec<usize> + 'static) -> Self {
        self.splits_mut().edges = Some(Rc::new(edges));
        self
    }

    /// Adds streams to check, as raw bytes. Where the oracle cannot judge one, the framer itself does,
    /// byte by byte.
    #[must_use]
    pub fn streams<B: Into<Vec<u8>>>(mut self, streams: impl IntoIterator<Item = B>) -> Self {
        let streams = streams.into_iter().map(Into::into);
        self.splits_mut().streams.extend(streams);
        self
    }

    /// Adds mutated streams: in short streams of the harness each byte is changed, left out, and
    /// doubled, and each frame is cut short by the next one. The oracle judges them or, where it
    /// cannot, the framer itself, byte by byte.
    #[must_use]
    pub fn mutated(mut self) -> Self {
        self.splits_mut().mutated = true;
        self
    }

    /// Adds the streams in a folder, such as a fuzzer's corpus: the content of each file, in the
    /// order of their names.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder or a file cannot be read.
    #[cfg(feature = "std")]
    pub fn corpus(self, folder: impl AsRef<std::path::Path>) -> std::io::Result<Self> {
        let folder = folder.as_ref();
        let streams = read_files(folder).map_err(|error| {
            let text = std::format!("cannot read the corpus {}: {error}", folder.display());
            std::io::Error::new(error.kind(), text)
        })?;
        Ok(self.streams(streams))
    }

    /// Makes a violation smaller only while `goes_on` returns true, for framers whose runs take long.
    #[must_use]
    pub fn minimize_while(mut self, goes_on: impl Fn() -> bool + 'static) -> Self {
        self.splits_mut().minimize_while = Some(Rc::new(goes_on));
        self
    }

    /// Sets how many different states at one offset a proof follows, 64 by default. A framer with
    /// more is not proved.
    #[must_use]
    pub fn max_states(mut self, max_states: usize) -> Self {
        self.effort_mut().set_max_states(max_states);
        self
    }

    /// Sets how many bytes the proof of a stream may feed, for a framer with one state at each
    /// offset. A stream that needs more is proved at some of its offsets only.
    ///
    /// A framer that is fed needs n^3/6 bytes for all offsets of a stream of n bytes, and one whose
    /// caller owns the buffer n^2/2. By default they may feed 2^30 and 2^27 bytes, which is enough
    /// for streams of 1.8 kB and of 16 KiB. A proof at some offsets may feed 2^26.
    ///
    /// ```
    /// use everysplit::reference::{Config, Decoder};
    /// use everysplit::{Harness, Tier};
    ///
    /// let mut stream = vec![0; 20_000];
    /// stream[..4].copy_from_slice(&19_988_u32.to_le_bytes());
    /// let harness = Harness::decoder(|| Decoder::new(Config::DEFAULT));
    /// assert!(matches!(harness.check(&stream)?.tier, Tier::ProvedAt { .. }));
    /// let harness = harness.max_work(1 << 28);
    /// assert!(matches!(harness.check(&stream)?.tier, Tier::Proved { .. }));
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    #[must_use]
    pub fn max_work(mut self, bytes: u64) -> Self {
        self.effort_mut().set_max_work(bytes);
        self
    }
}

/// Deviations.
impl<T: Door, O: Oracle<T>> Harness<T, O> {
    /// Declares where the framer is meant to differ from the strict policy. Every result names it,
    /// and what the oracle expects must agree with it.
    ///
    /// # Panics
    ///
    /// Panics if a deviation of the size limit is declared after
    /// [`size_limit`](Harness::size_limit).
    #[must_use]
    #[track_caller]
    pub fn declare(mut self, deviations: impl IntoIterator<Item = Deviation>) -> Self {
        let splits = self.splits_mut();
        for deviation in deviations {
            if !splits.deviations.contains(&deviation) {
                splits.deviations.push(deviation);
            }
        }
        splits.oracle.declare(&splits.deviations);
        self
    }

    /// Declares that a body may have any length. [`framer_tests!`](crate::framer_tests) fails if
    /// neither this nor a size limit is declared.
    #[must_use]
    #[track_caller]
    pub fn unlimited(self) -> Self {
        self.declare([Deviation::Unlimited])
    }

    /// Declares that the framer may hold so many bytes in advance, for example because it reserves
    /// them when it has read a header.
    #[must_use]
    #[track_caller]
    pub fn preallocates(self, bytes: usize) -> Self {
        self.declare([Deviation::Preallocates(bytes)])
    }
}

/// The size limit.
impl<T: Door, O: Limited<T>> Harness<T, O> {
    /// Says which errors reject a body over the size limit.
    ///
    /// What goes wrong with them violates [`Property::Limit`](crate::Property::Limit). Add streams
    /// with a header that claims one byte more than the limit, and with a body of exactly the
    /// limit; [`limit_frames`](Self::limit_frames) says which frames have one.
    #[must_use]
    pub fn limit_errors(mut self, errors: impl Fn(&T::Error) -> bool + 'static) -> Self {
        self.splits_mut().oracle.limit().errors = Some(Rc::new(errors));
        self
    }

    /// Says which frames have a body of exactly the size limit. Without it,
    /// [`Property::Limit`](crate::Property::Limit) is not checked: only what is over the limit is
    /// known.
    #[must_use]
    pub fn limit_frames(mut self, frames: impl Fn(&T::Frame) -> bool + 'static) -> Self {
        self.splits_mut().oracle.limit().frames = Some(Rc::new(frames));
        self
    }
}

/// Messages.
impl<T: Door> Harness<T, Messages<T::Frame, T::Error>> {
    /// Adds messages that a correct framer returns.
    ///
    /// The streams to check are made of them: none, all of them concatenated, each rejected frame
    /// (and each message of more than 1024 bytes) between two messages, and each encoding
    /// [truncated](Harness::truncate_up_to), alone and after a message.
    ///
    /// # Panics
    ///
    /// Panics if the encoding of a message is empty, if it is that of a different message, and if it
    /// begins with what [`rejects`](Self::rejects) has.
    #[must_use]
    #[track_caller]
    pub fn messages<M: Into<T::Frame>>(mut self, messages: impl IntoIterator<Item = M>) -> Self {
        for message in messages {
            let message = message.into();
            let bytes = self.oracle.encode(&message);
            let at = bytes.len();
            self.splits_mut().oracle.accept(bytes, at, Some(message));
        }
        self
    }

    /// Adds bytes for which a correct framer emits `frame` as soon as the first `at` of them have
    /// been fed, and after which the stream goes on: for frames that are complete before their last
    /// byte, and for the errors of framers that resynchronise. A stream that ends before the last of
    /// them is truncated.
    ///
    /// # Panics
    ///
    /// Panics if `at` is 0 or greater than the number of bytes, and if the bytes contradict what was
    /// added before.
    #[must_use]
    #[track_caller]
    pub fn frame_bytes(mut self, bytes: impl Into<Vec<u8>>, at: usize, frame: T::Frame) -> Self {
        self.splits_mut()
            .oracle
            .accept(bytes.into(), at, Some(frame));
        self
    }

    /// Adds the beginning of a frame that a correct framer rejects with `error` as soon as its first
    /// `at` bytes have been fed.
    ///
    /// # Panics
    ///
    /// Panics if `at` is 0 or greater than the number of bytes, if a message begins with these bytes,
    /// and if they are rejected with a different error, too.
    #[must_use]
    #[track_caller]
    pub fn rejects(mut self, bytes: impl Into<Vec<u8>>, at: usize, error: T::Error) -> Self {
        self.splits_mut().oracle.reject(bytes.into(), at, error);
        self
    }

    /// Adds bytes that belong to no frame, such as padding, a keep-alive or an epilogue. They may
    /// stand between any two messages, and the stream may end inside them.
    ///
    /// # Panics
    ///
    /// Panics if there are no bytes.
    #[must_use]
    #[track_caller]
    pub fn ignores(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let at = bytes.len();
        self.splits_mut().oracle.accept(bytes, at, None);
        self.declare([Deviation::BytesBetweenFrames])
    }

    /// Sets the length, in bytes, up to which a message is truncated at every byte: 128 by default.
    /// After so many bytes it is truncated at a few more, its last one among them.
    #[must_use]
    pub fn truncate_up_to(mut self, bytes: usize) -> Self {
        self.splits_mut().oracle.truncate_up_to(bytes);
        self
    }

    /// Sets the error of a stream that ends inside a frame. Without it no stream is truncated, unless
    /// [`DiscardsAtEnd`](Deviation::DiscardsAtEnd) is declared.
    #[must_use]
    pub fn truncation_error(mut self, error: T::Error) -> Self {
        self.splits_mut().oracle.set_truncation_error(error);
        self
    }

    /// Adds messages around the size limit.
    ///
    /// `sized` makes a message with a body of the given number of bytes. Bodies of 0 bytes, of one
    /// less than `limit` and of `limit` bytes pass. One byte more is rejected with `error` as soon as
    /// the first `at` bytes of the frame have been fed.
    ///
    /// With [`CountsHeader`](Deviation::CountsHeader) declared, the limit applies to all that the
    /// encoder writes for a frame; with [`NoEmptyFrame`](Deviation::NoEmptyFrame), an empty body is
    /// rejected with `error` too. Declare them first.
    ///
    /// # Panics
    ///
    /// Panics if `at` is 0 or greater than the length of a header, if a limit that counts the header
    /// is less than a header, if no body can be over the limit, and if the encoder panics: it must be
    /// able to encode a message above the limit.
    #[must_use]
    #[track_caller]
    pub fn size_limit(
        mut self,
        limit: usize,
        sized: impl Fn(usize) -> T::Frame + 'static,
        at: usize,
        error: T::Error,
    ) -> Self {
        let declared = |deviation| self.deviations.contains(&deviation);
        let empty = sized(0);
        let header = self.oracle.encode(&empty);
        let limit = if declared(Deviation::CountsHeader) {
            limit.checked_sub(header.len()).unwrap_or_else(|| {
                panic!(
                    "a limit of {limit} bytes that counts the header is less than a header of {}",
                    header.len()
                )
            })
        } else {
            limit
        };
        let no_empty_frame = declared(Deviation::NoEmptyFrame);
        let splits = self.splits_mut();
        splits.oracle.limited_with(&splits.deviations);
        let over = limit.checked_add(1).unwrap_or_else(|| {
            panic!("no body is over a limit of usize::MAX bytes: call `unlimited`")
        });
        let above = self.oracle.encode(&sized(over));
        self = self.over_limit(above, at, error.clone());
        self = if no_empty_frame {
            self.rejects(header, at, error)
        } else {
            self.messages([empty])
        };
        if limit > 1 {
            self = self.messages([sized(limit - 1)]);
        }
        let at_limit = sized(limit);
        self.splits_mut().oracle.sized(limit, sized);
        if limit == 0 {
            self.splits_mut().oracle.last_is_at_limit();
            return self;
        }
        self.at_limit(at_limit)
    }

    /// Adds a message with a body of exactly the size limit. With [`over_limit`](Self::over_limit)
    /// it takes the place of [`size_limit`](Self::size_limit) where the encoder refuses a message
    /// over the limit.
    ///
    /// # Panics
    ///
    /// Panics if the encoding of the message is empty.
    #[must_use]
    #[track_caller]
    pub fn at_limit(mut self, message: impl Into<T::Frame>) -> Self {
        self = self.messages([message]);
        self.splits_mut().oracle.last_is_at_limit();
        self
    }

    /// Adds the beginning of a frame over the size limit, which a correct framer rejects with
    /// `error` as soon as its first `at` bytes have been fed.
    ///
    /// # Panics
    ///
    /// Panics if `at` is 0 or greater than the number of bytes.
    #[must_use]
    #[track_caller]
    pub fn over_limit(mut self, bytes: impl Into<Vec<u8>>, at: usize, error: T::Error) -> Self {
        self = self.rejects(bytes, at, error);
        self.splits_mut().oracle.last_is_over_limit();
        self
    }
}

#[cfg(feature = "tokio")]
mod codec {
    use core::fmt::Debug;

    use alloc::rc::Rc;
    use bytes::BytesMut;
    use tokio_util::codec::{Decoder, Encoder};

    use super::{CallerBuffered, Harness, Messages, SplitHarness};
    use crate::check::finding::excerpt;
    use crate::subject::{AnyError, Decode, TokioDecoder};

    /// Doors.
    impl<C, F> Harness<CallerBuffered<TokioDecoder<C>>, Messages<F, AnyError>>
    where
        C: Decoder<Item = F, Error: Debug> + Encoder<F, Error: Debug> + 'static,
        F: Clone + PartialEq + Debug + 'static,
    {
        /// Takes a tokio-util codec: decoder, encoder and buffer in one. `make` makes one at the
        /// beginning of a stream.
        ///
        /// Add [`messages`](Harness::messages) next. Any error equals any other: only where an error
        /// occurs is compared, unless [`errors`](Harness::errors) says how to compare them. A
        /// stream that ends inside a frame must give an error.
        ///
        /// ```
        /// use everysplit::Harness;
        /// use everysplit::reference::{Codec, Config, Frame};
        ///
        /// let frame = |body: &'static str| Frame { cmd: 1, recv: 0, body: body.into() };
        /// let harness = Harness::codec(|| Codec::new(Config::default()))
        ///     .messages([frame("one"), frame(""), frame("three")]);
        /// for stream in harness.all_streams() {
        ///     println!("{}", harness.check(&stream)?);
        /// }
        /// # Ok::<(), everysplit::Violation>(())
        /// ```
        ///
        /// # Panics
        ///
        /// [`messages`](Harness::messages) panics if the codec does not encode a message.
        pub fn codec(make: impl Fn() -> C + 'static) -> Self {
            let make = Rc::new(make);
            let encoder = Rc::clone(&make);
            let encode = move |message: &F| {
                let mut output = BytesMut::new();
                let encoded = encoder().encode(message.clone(), &mut output);
                if let Err(error) = encoded {
                    panic!(
                        "the codec does not encode a message: {error:?}; for one over the size \
                         limit, call `at_limit` and `over_limit` instead of `size_limit`; the \
                         message is {}",
                        excerpt(message)
                    );
                }
                output.to_vec()
            };
            let mut messages = Messages::new(encode);
            messages.set_truncation_error(AnyError::ANY);
            let make = Rc::new(move || TokioDecoder::new(make()));
            Self::new(CallerBuffered { make }, messages)
        }

        /// Compares errors by the value that `map` makes of them, such as `|error| error.kind()`.
        /// Set [`truncation_error`](Harness::truncation_error) next: without it there are no streams
        /// of messages.
        ///
        /// The value must depend on the stream alone. The `Debug` text of an `anyhow::Error` may
        /// hold a backtrace, which differs from run to run, and an offset in the buffer depends on
        /// the split.
        ///
        /// # Panics
        ///
        /// Panics if rejected frames have been added, as their errors are not known: call it first.
        #[must_use]
        #[track_caller]
        pub fn errors<E: Clone + PartialEq + Debug + 'static>(
            self,
            map: fn(<C as Decoder>::Error) -> E,
        ) -> Harness<CallerBuffered<TokioDecoder<C, E>>, Messages<F, E>>
        where
            TokioDecoder<C, E>: Decode<Frame = F, Error = E>,
        {
            let (old, effort) = self.into_parts();
            let Some(messages) = old.oracle.without_errors() else {
                panic!("`errors` comes before `rejects` and `size_limit`");
            };
            let make = old.door.make;
            let make = Rc::new(move || make().with_errors(map));
            let splits = SplitHarness {
                door: CallerBuffered { make },
                oracle: messages,
                edges: old.edges,
                deviations: old.deviations,
                streams: old.streams,
                mutated: old.mutated,
                minimize_while: old.minimize_while,
            };
            Harness::of(splits, effort)
        }
    }

    /// How to look into codecs.
    impl<C, E, F, O> Harness<CallerBuffered<TokioDecoder<C, E, F>>, O>
    where
        C: Decoder + 'static,
        E: 'static,
        F: 'static,
        TokioDecoder<C, E, F>: Decode,
    {
        /// Takes a function that returns how many bytes of memory a codec itself holds, beside its
        /// caller's buffer, so that [`Property::Memory`](crate::Property::Memory) is checked. It is
        /// needed only for a codec that owns memory.
        #[must_use]
        pub fn with_buffered_bytes(mut self, buffered_bytes: fn(&C) -> usize) -> Self {
            let make = Rc::clone(&self.door.make);
            let make = move || make().with_buffered_bytes(buffered_bytes);
            self.splits_mut().door.make = Rc::new(make);
            self
        }
    }
}

/// Reads the files of a folder, in the order of their names.
#[cfg(feature = "std")]
fn read_files(folder: &std::path::Path) -> std::io::Result<Vec<Vec<u8>>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let files = paths.into_iter().filter(|path| path.is_file());
    files.map(std::fs::read).collect()
}
