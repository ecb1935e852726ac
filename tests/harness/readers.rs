//! Framers that read, correct and buggy, from a reader that returns one chunk per call and is
//! interrupted between chunks.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read};
use std::pin::pin;

use everysplit::oracle::Parse;
use everysplit::reference::{ByteOrder, Config, DecodeError, Frame, Framer, Header, naive};
use everysplit::subject::{AsyncChunkReader, ChunkReader};
use everysplit::{
    Case, Deviation, Expected, Harness, Interruption, NotProved, Outcome, Property, Reader, Split,
    Tier, Violation,
};
use tokio::io::AsyncReadExt;

use crate::assert_not_comparable;

const CONFIG: Config = Config {
    byte_order: ByteOrder::Little,
    max_body_size: 8,
};

/// Reads until the framer emits a frame, as a blocking client does.
#[derive(Default)]
struct FrameReader {
    framer: Option<Framer>,
    frames: Vec<Frame>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bug {
    None,
    /// Returns `Interrupted` to its caller instead of retrying.
    NoRetry,
    /// Loses the beginning of a frame when a read returns `WouldBlock`.
    Forgets,
    /// Reports the end of the stream when it needs more bytes.
    EndsEarly,
    /// Reads once more before it returns the frames that are complete.
    ReadsOn,
}

impl FrameReader {
    fn next(
        &mut self,
        bug: Bug,
        reader: &mut ChunkReader<'_>,
    ) -> Result<Option<Frame>, DecodeError> {
        let framer = self.framer.get_or_insert_with(|| Framer::new(CONFIG));
        let mut buffer = [0; 64];
        loop {
            if bug != Bug::ReadsOn && !self.frames.is_empty() {
                return Ok(Some(self.frames.remove(0)));
            }
            framer.feed(&[], &mut self.frames)?;
            let read = match reader.read(&mut buffer) {
                Ok(0) if self.frames.is_empty() => return framer.finish().map(|()| None),
                Ok(0) => return Ok(Some(self.frames.remove(0))),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted && bug != Bug::NoRetry => {
                    continue;
                }
                Err(_) => {
                    if bug == Bug::Forgets {
                        *framer = Framer::new(CONFIG);
                    }
                    return Err(DecodeError::Truncated {
                        offset: 0,
                        received: 0,
                        due: 0,
                    });
                }
            };
            let before = self.frames.len();
            // An error comes again after the frames before it have been returned.
            let _ = framer.feed(&buffer[..read], &mut self.frames);
            if bug == Bug::EndsEarly && self.frames.len() == before {
                return Ok(None);
            }
        }
    }
}

/// Returns three frames, the same truncated, and a frame before a size over the limit.
fn streams() -> [Vec<u8>; 3] {
    let frame = |cmd, body: &'static [u8]| Frame {
        cmd,
        recv: 1,
        body: body.into(),
    };
    let encode = |frame| naive::encode(CONFIG, &frame).unwrap();
    let whole = [
        encode(frame(1, b"first")),
        encode(frame(2, b"")),
        encode(frame(3, b"x")),
    ]
    .concat();
    let truncated = whole[..whole.len() - 1].to_vec();
    let rejected = [&whole[..17], &[9, 0, 0, 0, 1, 0]].concat();
    [whole, truncated, rejected]
}

type Returned = Result<Option<Frame>, DecodeError>;

/// Returns a harness without an oracle: a [`FrameReader`] must return for every split what it
/// returns byte by byte.
fn without_oracle(
    bug: Bug,
) -> Harness<Reader<impl FnMut(&mut ChunkReader<'_>) -> Returned, Frame, DecodeError>> {
    Harness::reader(move || {
        let mut frames = FrameReader::default();
        move |reader: &mut ChunkReader<'_>| frames.next(bug, reader)
    })
}

type Oracle = fn(&[u8]) -> Expected<Frame, DecodeError>;

fn over_limit(error: &DecodeError) -> bool {
    matches!(error, DecodeError::BodyTooLarge { .. })
}

fn harness(
    bug: Bug,
) -> Harness<
    Reader<impl FnMut(&mut ChunkReader<'_>) -> Returned, Frame, DecodeError>,
    Parse<Oracle, Frame, DecodeError>,
> {
    let harness = without_oracle(bug).oracle((|stream| naive::parse(CONFIG, stream)) as Oracle);
    harness.limit_errors(over_limit)
}

/// What can happen between the chunks that a reader returns.
const INTERRUPTIONS: [Interruption; 3] = [
    Interruption::None,
    Interruption::Interrupted,
    Interruption::WouldBlock,
];

/// Checks every split of up to one cut, and byte by byte, with one interruption.
fn check(bug: Bug, interruption: Interruption) -> Result<(), Violation> {
    let harness = harness(bug);
    for stream in streams() {
        for split in Split::up_to(stream.len(), 1).chain([Split::bytes(stream.len())]) {
            harness.one_split(&Case::new(&stream[..], split).with(interruption))?;
        }
    }
    Ok(())
}

#[test]
fn a_correct_reader_passes() {
    for interruption in INTERRUPTIONS {
        check(Bug::None, interruption).unwrap();
    }
}

#[track_caller]
fn assert_found(bug: Bug, interruption: Interruption, property: Property) {
    let violation = check(bug, interruption).unwrap_err();
    assert_eq!(violation.property, property, "{violation}");
    assert_eq!(violation.case.interruption, interruption, "{violation}");
}

#[test]
fn finds_bugs_without_interruptions() {
    assert_found(Bug::EndsEarly, Interruption::None, Property::EverySplit);
    assert_found(Bug::ReadsOn, Interruption::None, Property::Prompt);
}

#[test]
fn finds_what_interrupted_and_would_block_lose() {
    check(Bug::NoRetry, Interruption::None).unwrap();
    check(Bug::Forgets, Interruption::None).unwrap();
    assert_found(
        Bug::NoRetry,
        Interruption::Interrupted,
        Property::Interrupted,
    );
    assert_found(
        Bug::Forgets,
        Interruption::WouldBlock,
        Property::Interrupted,
    );
}

/// The reader waits for a whole header before it checks the size, which is known after four bytes.
#[test]
fn finds_a_limit_that_is_checked_late() {
    let harness = Harness::reader(|| {
        |reader: &mut ChunkReader<'_>| {
            let mut header = [0; 12];
            let _ = reader.read_exact(&mut header);
            let header = Header::from_bytes(header, CONFIG.byte_order);
            Err::<Option<Frame>, _>(DecodeError::BodyTooLarge {
                offset: 0,
                body_size: header.body_size,
                max_body_size: 8,
            })
        }
    });
    let harness = harness
        .oracle(|stream: &[u8]| naive::parse(CONFIG, stream))
        .limit_errors(over_limit);
    let case = Case::new(&streams()[2][17..], Split::new([4]));
    let found = harness.one_split(&case).unwrap_err();
    assert_eq!(found.property, Property::Limit, "{found}");
}

/// `read_exact` retries when it is interrupted. When a read would block, it loses the bytes that it
/// has read: a well-known trap.
#[test]
fn read_exact_survives_interrupted_but_not_would_block() {
    fn next(reader: &mut ChunkReader<'_>) -> Result<Option<Vec<u8>>, ErrorKind> {
        let mut length = [0];
        let read = |result: io::Result<()>| result.map_err(|error| error.kind());
        match read(reader.read_exact(&mut length)) {
            Err(ErrorKind::UnexpectedEof) => return Ok(None),
            other => other?,
        }
        let mut body = vec![0; length[0].into()];
        read(reader.read_exact(&mut body))?;
        Ok(Some(body))
    }
    let harness = Harness::reader(|| next).oracle(|_: &[u8]| Expected {
        frames: vec![(3, b"ok".to_vec()), (4, Vec::new())],
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    });
    let stream = b"\x02ok\0";
    for split in Split::all(stream.len()) {
        let case = Case::new(stream, split);
        harness.one_split(&case).unwrap();
        let case = case.with(Interruption::Interrupted);
        harness.one_split(&case).unwrap();
    }
    let case = Case::new(stream, Split::new([2])).with(Interruption::WouldBlock);
    let found = harness.one_split(&case).unwrap_err();
    assert_eq!(found.declare, [Deviation::NotResumable]);

    // The caller of such a reader may never resume it.
    let harness = harness.declare([Deviation::NotResumable]);
    let certificate = harness.check(stream).unwrap();
    assert!(
        !certificate.held.contains(&Property::Interrupted),
        "{certificate}"
    );
    assert!(
        certificate
            .to_string()
            .ends_with("; declared: its caller does not resume a read")
    );
}

/// What is declared is not advised again: no check interrupts the reader like this, but a token can.
#[test]
fn a_declared_deviation_is_not_advised() {
    let harness = harness(Bug::Forgets).declare([Deviation::NotResumable]);
    let stream = &streams()[0];
    harness.check(stream).unwrap();
    let case = Case::new(&stream[..], Split::bytes(stream.len())).with(Interruption::WouldBlock);
    let found = harness.one_split(&case).unwrap_err();
    assert_eq!(found.property, Property::Interrupted, "{found}");
    assert!(found.declare.is_empty(), "{found}");
}

/// Reads the next byte, and returns what `would_block` does if that would block.
fn next_byte(
    reader: &mut ChunkReader<'_>,
    would_block: fn(io::Error) -> Result<Option<u8>, ErrorKind>,
) -> Result<Option<u8>, ErrorKind> {
    let mut byte = [0];
    loop {
        match reader.read(&mut byte) {
            Ok(read) => return Ok((read > 0).then_some(byte[0])),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return would_block(error),
        }
    }
}

/// Expects each byte as a frame, and an error at the first 0xff.
fn bytes_up_to_ff(stream: &[u8]) -> Expected<u8, ErrorKind> {
    let accepted = stream.iter().take_while(|&&byte| byte != 0xff);
    let frames: Vec<_> = (1..).zip(accepted.copied()).collect();
    let at = frames.len() + 1;
    Expected {
        at_end: Vec::new(),
        outcome: if at > stream.len() {
            Outcome::Clean
        } else {
            let error = ErrorKind::InvalidData;
            Outcome::Rejected { at, error }
        },
        frames,
    }
}

/// It returns the end of the stream, and its caller does not call it again.
#[test]
fn a_reader_that_takes_would_block_for_the_end_is_found() {
    let harness =
        Harness::reader(|| |reader: &mut ChunkReader<'_>| next_byte(reader, |_| Ok(None)))
            .oracle(bytes_up_to_ff);
    let found = harness.check(b"ab").unwrap_err();
    assert_eq!(found.property, Property::Interrupted, "{found}");
    assert_eq!(found.case.to_string(), "00@whole+would_block", "{found}");
}

/// Its bytes are in a local variable, which is never lost because it does not return.
#[test]
fn a_reader_that_spins_while_a_read_would_block_is_found() {
    fn next(reader: &mut ChunkReader<'_>) -> Result<Option<[u8; 2]>, ErrorKind> {
        let (mut frame, mut filled) = ([0; 2], 0);
        while filled < frame.len() {
            match reader.read(&mut frame[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(ErrorKind::UnexpectedEof),
                Ok(read) => filled += read,
                Err(_) => {}
            }
        }
        Ok(Some(frame))
    }
    let found = Harness::reader(|| next).check(b"abcd").unwrap_err();
    assert_eq!(found.property, Property::Progress, "{found}");
    assert_eq!(found.case.interruption, Interruption::WouldBlock, "{found}");
    assert!(found.actual.contains("would block"), "{found}");
    assert_eq!(found.declare, [Deviation::NotResumable]);
    // Its caller never sees that a read would block.
    let harness = Harness::reader(|| next).declare([Deviation::NotResumable]);
    harness.check(b"abcd").unwrap();
}

/// What no read interrupts is not claimed.
#[test]
fn a_reader_that_does_not_read_is_not_interrupted() {
    let blocking = Harness::reader(|| |_: &mut ChunkReader<'_>| Err::<Option<u8>, _>("closed"));
    let asynchronous = Harness::async_reader(|| {
        async |_: &mut AsyncChunkReader<'_, '_>| Err::<Option<u8>, _>("closed")
    });
    for certificate in [blocking.check(b"ab"), asynchronous.check(b"ab")] {
        let held = certificate.unwrap().held;
        assert!(held.contains(&Property::Progress), "{held:?}");
        assert!(!held.contains(&Property::Interrupted), "{held:?}");
        assert!(!held.contains(&Property::Cancelled), "{held:?}");
    }
}

/// It returns a frame in its first call, and then each byte.
#[test]
fn a_frame_before_the_first_byte_is_found_without_an_oracle() {
    let blocking = Harness::reader(|| {
        let mut greeted = false;
        move |reader: &mut ChunkReader<'_>| {
            if !std::mem::replace(&mut greeted, true) {
                return Ok(Some(1));
            }
            next_byte(reader, |error| Err(error.kind()))
        }
    });
    let asynchronous = Harness::async_reader(|| {
        let mut greeted = false;
        async move |reader: &mut AsyncChunkReader<'_, '_>| {
            if !std::mem::replace(&mut greeted, true) {
                return Ok::<_, ErrorKind>(Some(1));
            }
            let mut byte = [0];
            let read = tokio::io::AsyncReadExt::read(reader, &mut byte).await;
            Ok((read.unwrap() > 0).then_some(byte[0]))
        }
    });
    for found in [blocking.check(b"ab"), asynchronous.check(b"ab")] {
        let found = found.unwrap_err();
        assert_eq!(found.property, Property::Progress, "{found}");
        assert_eq!(found.case.to_string(), "@whole", "{found}");
        assert_eq!(*found.actual, *"a frame", "{found}");
    }
    assert!(blocking.replay("6162@1").is_err());
}

/// Returns each byte when it has the next one, or the end, and 0xff as if it were a frame.
struct OneLate {
    held: Option<u8>,
    /// What it returns in place of each byte.
    returns: fn(u8) -> Result<Option<u8>, ErrorKind>,
}

impl OneLate {
    fn next(&mut self, reader: &mut ChunkReader<'_>) -> Result<Option<u8>, ErrorKind> {
        let failed = |error: io::Error| Err(error.kind());
        if self.held.is_none() {
            self.held = next_byte(reader, failed)?;
        }
        let next = match self.held {
            Some(_) => next_byte(reader, failed)?,
            None => return Ok(None),
        };
        let held = std::mem::replace(&mut self.held, next);
        held.map_or(Ok(None), self.returns)
    }
}

/// Which property a late frame or error violates depends on whether it comes at all.
#[test]
fn what_comes_late_violates_prompt_only_if_it_is_correct() {
    let violated = |stream: &[u8], interruption, returns: fn(u8) -> _| {
        let harness = Harness::reader(move || {
            let mut late = OneLate {
                held: None,
                returns,
            };
            move |reader: &mut ChunkReader<'_>| late.next(reader)
        });
        let case = Case::new(stream, Split::bytes(stream.len())).with(interruption);
        let found = harness.oracle(bytes_up_to_ff).one_split(&case).unwrap_err();
        (found.property, found.to_string())
    };
    let late = violated(b"abc", Interruption::None, |byte| Ok(Some(byte)));
    assert_eq!(late.0, Property::Prompt, "{}", late.1);
    let blocked = violated(b"abc", Interruption::WouldBlock, |byte| Ok(Some(byte)));
    assert_eq!(blocked.0, Property::Prompt, "{}", blocked.1);
    let changed = violated(b"abc", Interruption::None, |byte| Ok(Some(byte + 1)));
    assert_eq!(changed.0, Property::EverySplit, "{}", changed.1);
    let no_error = violated(b"\xffa", Interruption::None, |_| Ok(None));
    assert_eq!(no_error.0, Property::Rejection, "{}", no_error.1);
}

/// What a reader loses when it is merely interrupted is not excused.
#[test]
fn a_reader_that_is_not_resumed_must_retry() {
    let harness = harness(Bug::NoRetry).declare([Deviation::NotResumable]);
    let found = harness.check(&streams()[0]).unwrap_err();
    assert_eq!(found.property, Property::Interrupted, "{found}");
    assert_eq!(
        found.case.interruption,
        Interruption::Interrupted,
        "{found}"
    );
    assert!(found.declare.is_empty(), "{found}");
}

#[test]
fn checks_every_split_of_up_to_two_cuts() {
    for stream in streams() {
        let certificate = harness(Bug::None).bounded(&stream, 2).unwrap();
        let len = stream.len() as u64;
        let splits = 1 + (len - 1) + (len - 1) * (len - 2) / 2 + 1;
        let tier = |not_proved| Tier::Bounded {
            cuts: 2,
            splits,
            not_proved,
        };
        assert_eq!(
            (certificate.tier, certificate.bytes),
            (tier(None), stream.len())
        );
        let certificate = harness(Bug::None).check(&stream).unwrap();
        assert_eq!(
            (certificate.tier, certificate.bytes),
            (tier(Some(NotProved::NotComparable)), stream.len())
        );
    }
}

#[test]
fn violations_are_minimal() {
    let stream = &streams()[0];
    let forgets = harness(Bug::Forgets).bounded(stream, 2).unwrap_err();
    assert_eq!(forgets.property, Property::Interrupted, "{forgets}");
    // One byte, and an end before which a read would block.
    assert_eq!(
        forgets.case.to_string(),
        "00@whole+would_block",
        "{forgets}"
    );
    assert_eq!(forgets.edges, [0]);
    let ends_early = harness(Bug::EndsEarly).bounded(stream, 2).unwrap_err();
    assert_eq!(ends_early.property, Property::EverySplit, "{ends_early}");
    assert_eq!(ends_early.case.interruption, Interruption::None);
    assert_eq!(ends_early.case.split.cuts().len(), 1, "{ends_early}");
}

/// Returns a reader of lines that returns the bytes after the last one `times` times at the end of
/// the stream.
fn lines(times: usize) -> impl FnMut(&mut ChunkReader<'_>) -> Result<Option<Vec<u8>>, ErrorKind> {
    let (mut buffer, mut left) = (Vec::new(), times);
    move |reader| loop {
        if let Some(end) = buffer.iter().position(|&byte| byte == b'\n') {
            return Ok(Some(buffer.drain(..=end).collect()));
        }
        let mut chunk = [0; 8];
        match reader.read(&mut chunk).map_err(|error| error.kind())? {
            0 if left == 0 => return Ok(None),
            0 => {
                left -= 1;
                return Ok(Some(buffer.clone()));
            }
            read => buffer.extend(&chunk[..read]),
        }
    }
}

/// The first surplus frame ends the run, so that a reader with an endless supply is no problem.
#[test]
fn finds_missing_and_surplus_frames_at_the_end() {
    let check = |times, split: &Split| {
        Harness::reader(move || lines(times))
            .oracle(|_: &[u8]| Expected {
                frames: vec![(4, b"one\n".to_vec())],
                at_end: vec![b"2".to_vec()],
                outcome: Outcome::Clean,
            })
            .one_split(&Case::new(b"one\n2", split.clone()))
    };
    for split in Split::all(5) {
        check(1, &split).unwrap();
        for (times, actual) in [
            (0, "at the end ([], Ok(()))"),
            (2, "at the end ([[50], [50]], Ok(()))"),
            (50, "at the end ([[50], [50]], Ok(()))"),
        ] {
            let found = check(times, &split).unwrap_err();
            assert_eq!(found.property, Property::Truncation, "{found}");
            assert_eq!(*found.actual, *actual);
        }
    }
}

mod without_an_oracle {
    use super::{Bug, Interruption, Property, assert_not_comparable, streams, without_oracle};

    #[test]
    fn a_correct_reader_passes() {
        for stream in streams() {
            let certificate = without_oracle(Bug::None).check(&stream).unwrap();
            assert_not_comparable(&certificate);
        }
    }

    /// Byte by byte the reader returns the correct frames, so they are what is expected.
    #[test]
    fn finds_what_interruptions_lose() {
        for (bug, interruption, token) in [
            (
                Bug::NoRetry,
                Interruption::Interrupted,
                "@whole+interrupted",
            ),
            (
                Bug::Forgets,
                Interruption::WouldBlock,
                "00@whole+would_block",
            ),
        ] {
            let found = without_oracle(bug).check(&streams()[0]).unwrap_err();
            assert_eq!(found.property, Property::Interrupted, "{found}");
            assert_eq!(found.case.interruption, interruption, "{found}");
            assert_eq!(found.case.to_string(), token, "{found}");
            assert!(found.expected.starts_with("byte by byte: "), "{found}");
        }
    }
}

#[test]
fn tokens_replay_as_the_same_violation() {
    for (bug, suffix) in [
        (Bug::EndsEarly, "0000@1"),
        (Bug::NoRetry, "+interrupted"),
        (Bug::Forgets, "+would_block"),
    ] {
        let harness = harness(bug);
        let found = harness.check(&streams()[0]).unwrap_err();
        let token = found.case.to_string();
        assert!(token.ends_with(suffix), "{found}");
        assert_eq!(harness.replay(&token).unwrap_err(), found);
    }
}

/// Framers that read asynchronously.
mod asynchronous {
    use std::collections::VecDeque;
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::task::Poll;

    use everysplit::AsyncReader;
    use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

    use crate::harness::parse_or;

    use super::{
        AsyncChunkReader, CONFIG, Case, DecodeError, ErrorKind, Frame, Framer, Harness,
        Interruption, Property, Returned, Split, assert_not_comparable, naive, over_limit, streams,
    };

    const INTERRUPTIONS: [Interruption; 3] = [
        Interruption::None,
        Interruption::Pending,
        Interruption::Dropped,
    ];

    /// Returns a harness without an oracle. Its reader holds the bytes that it has read outside its
    /// future, so that the future can be dropped.
    fn without_oracle() -> Harness<
        AsyncReader<impl AsyncFnMut(&mut AsyncChunkReader<'_, '_>) -> Returned, Frame, DecodeError>,
    > {
        Harness::async_reader(|| {
            let (mut framer, mut frames) = (Framer::new(CONFIG), Vec::new());
            async move |reader: &mut AsyncChunkReader<'_, '_>| loop {
                if !frames.is_empty() {
                    return Ok(Some(frames.remove(0)));
                }
                framer.feed(&[], &mut frames)?;
                let mut buffer = [0; 64];
                match reader.read(&mut buffer).await.unwrap() {
                    0 => return framer.finish().map(|()| None),
                    read => drop(framer.feed(&buffer[..read], &mut frames)),
                }
            }
        })
    }

    /// A reader that takes a pending read for the end is wrong in a future that is kept, too.
    #[test]
    fn what_a_pending_read_breaks_is_not_blamed_on_a_dropped_future() {
        let harness = Harness::async_reader(|| {
            let mut framer = Framer::new(CONFIG);
            async move |reader: &mut AsyncChunkReader<'_, '_>| loop {
                let mut frames = Vec::new();
                let mut buffer = [0; 64];
                let mut buffer = ReadBuf::new(&mut buffer);
                let read = poll_fn(|cx| {
                    let read = Pin::new(&mut *reader).poll_read(cx, &mut buffer);
                    Poll::Ready(read)
                });
                match read.await {
                    Poll::Ready(read) => read.unwrap(),
                    Poll::Pending => return framer.finish().map(|()| None),
                }
                if buffer.filled().is_empty() {
                    return framer.finish().map(|()| None);
                }
                framer.feed(buffer.filled(), &mut frames)?;
                if !frames.is_empty() {
                    return Ok(Some(frames.remove(0)));
                }
            }
        });
        let case = Case::new([0; 12], Split::whole()).with(Interruption::Dropped);
        let found = harness
            .oracle(|stream: &[u8]| naive::parse(CONFIG, stream))
            .one_split(&case)
            .unwrap_err();
        assert_eq!(found.property, Property::Interrupted, "{found}");
    }

    #[test]
    fn a_reader_whose_future_can_be_dropped_passes() {
        let harness = without_oracle().oracle(|stream: &[u8]| naive::parse(CONFIG, stream));
        for interruption in INTERRUPTIONS {
            for stream in streams() {
                for split in Split::up_to(stream.len(), 1).chain([Split::bytes(stream.len())]) {
                    let case = Case::new(&stream[..], split).with(interruption);
                    harness.one_split(&case).unwrap();
                }
            }
        }
        for stream in streams() {
            assert_eq!(harness.bounded(&stream, 1).unwrap().bytes, stream.len());
        }
    }

    /// A reader that yields by itself, as long loops do, is not dropped while it does.
    #[test]
    fn a_reader_that_yields_by_itself_passes() {
        let harness = Harness::async_reader(|| {
            async |reader: &mut AsyncChunkReader<'_, '_>| {
                let mut byte = [0];
                let read = reader.read(&mut byte).await.unwrap();
                for _ in 0..10 {
                    let mut yielded = false;
                    poll_fn(|context| {
                        context.waker().wake_by_ref();
                        if std::mem::replace(&mut yielded, true) {
                            Poll::Ready(())
                        } else {
                            Poll::Pending
                        }
                    })
                    .await;
                }
                Ok::<_, ()>((read > 0).then_some(byte[0]))
            }
        });
        harness.check(b"abcdef").unwrap();
    }

    /// It takes the beginning of a frame, and is pending until the rest comes, but has no part of
    /// its reader that would wake it then.
    #[test]
    fn finds_a_reader_that_is_never_woken() {
        let harness = Harness::async_reader(|| {
            let mut halves = Vec::new();
            async move |reader: &mut AsyncChunkReader<'_, '_>| {
                let mut reader = std::pin::pin!(reader);
                poll_fn(|context| {
                    let mut bytes = [0; 2];
                    let mut buffer = ReadBuf::new(&mut bytes);
                    let read = reader.as_mut().poll_read(context, &mut buffer);
                    if read.is_pending() {
                        return Poll::Pending;
                    }
                    halves.extend_from_slice(buffer.filled());
                    match halves[..] {
                        [] => Poll::Ready(Ok::<_, ()>(None)),
                        [_] if buffer.filled().is_empty() => Poll::Ready(Err(())),
                        // Wrong: the reader was not pending, so nothing wakes this.
                        [_] => Poll::Pending,
                        [first, second, ..] => {
                            halves.drain(..2);
                            Poll::Ready(Ok(Some((first, second))))
                        }
                    }
                })
                .await
            }
        });
        let violation = harness.check(b"abcd").unwrap_err();
        assert_eq!(violation.property, Property::Progress);
        assert!(
            violation.actual.contains("pending, and nothing wakes it"),
            "{violation}"
        );
    }

    #[test]
    fn a_reader_passes_without_an_oracle() {
        for stream in streams() {
            let certificate = without_oracle().check(&stream).unwrap();
            assert_not_comparable(&certificate);
        }
    }

    /// How a reader reads ahead.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Ahead {
        Once,
        /// Reads again after its read was pending, and looks at those bytes when it is polled again,
        /// for which it was woken. Correct, and multer does so.
        Twice,
        /// Returns a frame only after the bytes that follow it.
        Late,
        /// Forgets the bytes of an incomplete frame when it waits.
        Forgets,
    }

    /// Returns a harness without an oracle. Its reader reads as long as bytes are there, and looks
    /// for frames when it would have to wait, as servers do that read pipelined requests.
    fn reads_ahead(
        how: Ahead,
    ) -> Harness<
        AsyncReader<impl AsyncFnMut(&mut AsyncChunkReader<'_, '_>) -> Returned, Frame, DecodeError>,
    > {
        Harness::async_reader(move || {
            let (mut framer, mut frames) = (Framer::new(CONFIG), Vec::new());
            async move |reader: &mut AsyncChunkReader<'_, '_>| {
                let mut reader = Pin::new(reader);
                poll_fn(|context| {
                    let (mut bytes, mut fresh, mut again) = ([0; 4], 0, None);
                    let ended = loop {
                        let mut buffer = ReadBuf::new(&mut bytes);
                        match reader.as_mut().poll_read(context, &mut buffer) {
                            Poll::Pending if how == Ahead::Twice && again.is_none() => {
                                again = Some(fresh);
                            }
                            Poll::Pending => break false,
                            Poll::Ready(_) if buffer.filled().is_empty() => break true,
                            Poll::Ready(_) => {
                                fresh += buffer.filled().len();
                                let _ = framer.feed(buffer.filled(), &mut frames);
                            }
                        }
                    };
                    if again.is_some_and(|before| before < fresh) {
                        return Poll::Pending;
                    }
                    let is_late = how == Ahead::Late && fresh > 0 && !ended;
                    if !frames.is_empty() && !is_late {
                        return Poll::Ready(Ok(Some(frames.remove(0))));
                    }
                    match framer.feed(&[], &mut frames) {
                        Err(error) => Poll::Ready(Err(error)),
                        Ok(()) if ended => Poll::Ready(framer.finish().map(|()| None)),
                        Ok(()) => {
                            if how == Ahead::Forgets {
                                framer = Framer::new(CONFIG);
                            }
                            Poll::Pending
                        }
                    }
                })
                .await
            }
        })
    }

    #[test]
    fn a_reader_that_reads_ahead_passes() {
        for how in [Ahead::Once, Ahead::Twice] {
            let with_oracle = reads_ahead(how).oracle(|stream: &[u8]| naive::parse(CONFIG, stream));
            for stream in streams() {
                assert_not_comparable(&reads_ahead(how).check(&stream).unwrap());
                let certificate = with_oracle.check(&stream).unwrap();
                assert!(
                    certificate.held.contains(&Property::Prompt),
                    "{certificate}"
                );
            }
        }
    }

    /// Reading ahead is no reason to hold a frame back while there is nothing to read.
    #[test]
    fn finds_a_reader_that_waits_while_a_frame_is_due() {
        let harness = reads_ahead(Ahead::Late).oracle(|stream: &[u8]| naive::parse(CONFIG, stream));
        let found = harness.check(&streams()[0]).unwrap_err();
        assert_eq!(found.property, Property::Prompt, "{found}");
        assert_eq!(found.case.interruption, Interruption::Pending, "{found}");
        assert_eq!(found.case.stream, [0; 12], "{found}");
        assert_eq!(harness.replay(&found.case.to_string()).unwrap_err(), found);
    }

    /// It loses the beginning of a frame only if it waits inside it.
    #[test]
    fn finds_what_a_pending_read_loses() {
        let with_oracle =
            reads_ahead(Ahead::Forgets).oracle(|stream: &[u8]| naive::parse(CONFIG, stream));
        for stream in streams() {
            let without = reads_ahead(Ahead::Forgets).check(&stream).unwrap_err();
            let with = with_oracle.check(&stream).unwrap_err();
            for found in [without, with] {
                assert_eq!(found.property, Property::Interrupted, "{found}");
                assert_eq!(found.case.interruption, Interruption::Pending, "{found}");
            }
        }
    }

    /// It reads a whole header before it checks the size, which is known after four bytes.
    #[test]
    fn finds_a_limit_that_is_checked_late() {
        let harness = Harness::async_reader(|| {
            let (mut header, mut is_read) = ([0; 12], false);
            async move |reader: &mut AsyncChunkReader<'_, '_>| {
                if !std::mem::replace(&mut is_read, true) {
                    let _ = reader.read_exact(&mut header).await;
                }
                Err::<Option<Frame>, _>(DecodeError::BodyTooLarge {
                    offset: 0,
                    body_size: u32::from_le_bytes(*header.first_chunk().unwrap()),
                    max_body_size: 8,
                })
            }
        });
        let harness = harness
            .oracle(|stream: &[u8]| naive::parse(CONFIG, stream))
            .limit_errors(over_limit);
        let stream = &streams()[2][17..];
        harness
            .one_split(&Case::new(stream, Split::new([4])))
            .unwrap();
        let case = Case::new(stream, Split::new([4])).with(Interruption::Pending);
        let found = harness.one_split(&case).unwrap_err();
        assert_eq!(found.property, Property::Limit, "{found}");
    }

    type Body = Result<Option<Vec<u8>>, ErrorKind>;

    /// Reads a length of one byte, then the body. The bytes read by `read_exact` are lost with its
    /// future.
    async fn read_exact(reader: &mut AsyncChunkReader<'_, '_>) -> Body {
        let mut length = [0];
        match reader.read_exact(&mut length).await {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            other => other.map_err(|error| error.kind())?,
        };
        let mut body = vec![0; length[0].into()];
        reader
            .read_exact(&mut body)
            .await
            .map_err(|error| error.kind())?;
        Ok(Some(body))
    }

    const BODIES: &[u8] = b"\0\x02ok\0";

    #[test]
    fn read_exact_loses_bytes_with_its_future() {
        let harness = Harness::async_reader(|| read_exact)
            .oracle(|stream: &[u8]| parse_or(stream, ErrorKind::UnexpectedEof));
        for split in Split::up_to(BODIES.len(), 4) {
            let case = Case::new(BODIES, split);
            harness.one_split(&case).unwrap();
            let case = case.with(Interruption::Pending);
            harness.one_split(&case).unwrap();
        }
        let found = harness.bounded(BODIES, 4).unwrap_err();
        assert_eq!(found.property, Property::Cancelled, "{found}");
        // One byte, and an end before which the future is dropped.
        assert_eq!(found.case.to_string(), "01@whole+dropped", "{found}");
        assert_eq!(harness.replay("01@whole+dropped").unwrap_err(), found);
    }

    #[test]
    fn finds_a_dropped_future_without_an_oracle() {
        let harness = Harness::async_reader(|| read_exact);
        let found = harness.check(BODIES).unwrap_err();
        assert_eq!(found.property, Property::Cancelled, "{found}");
        assert_eq!(found.case.to_string(), "01@whole+dropped", "{found}");
        assert!(found.expected.starts_with("byte by byte: "), "{found}");
        assert_eq!(harness.replay("01@whole+dropped").unwrap_err(), found);
    }

    /// Returns frames of two bytes, which are in a local variable of its future. It polls its
    /// source again after it was pending, up to `retries` times.
    async fn pairs(
        reader: &mut AsyncChunkReader<'_, '_>,
        retries: usize,
    ) -> Result<Option<[u8; 2]>, ErrorKind> {
        let (mut frame, mut filled) = ([0; 2], 0);
        while filled < frame.len() {
            let mut buffer = ReadBuf::new(&mut frame[filled..]);
            poll_fn(|context| {
                let mut poll = || Pin::new(&mut *reader).poll_read(context, &mut buffer);
                let mut retries = 0..retries;
                loop {
                    let polled = poll();
                    if polled.is_ready() || retries.next().is_none() {
                        return polled;
                    }
                }
            })
            .await
            .map_err(|error| error.kind())?;
            match buffer.filled().len() {
                0 if filled == 0 => return Ok(None),
                0 => return Err(ErrorKind::UnexpectedEof),
                read => filled += read,
            }
        }
        Ok(Some(frame))
    }

    /// A source that has nothing yet has nothing at once either.
    #[test]
    fn finds_a_dropped_future_that_polls_again() {
        let harness = Harness::async_reader(|| {
            async |reader: &mut AsyncChunkReader<'_, '_>| pairs(reader, 1).await
        });
        let found = harness.check(b"abcd").unwrap_err();
        assert_eq!(found.property, Property::Cancelled, "{found}");
        assert_eq!(found.case.interruption, Interruption::Dropped, "{found}");
    }

    #[test]
    fn finds_a_reader_that_spins_while_it_is_pending() {
        let harness = Harness::async_reader(|| {
            async |reader: &mut AsyncChunkReader<'_, '_>| pairs(reader, usize::MAX).await
        });
        let found = harness.check(b"abcd").unwrap_err();
        assert_eq!(found.property, Property::Progress, "{found}");
        assert!(found.actual.contains("would block"), "{found}");
    }

    /// It looks for more bytes before it returns each of the frames that it holds.
    #[test]
    fn a_reader_that_looks_for_more_bytes_before_each_frame_passes() {
        const FRAMES: usize = 500;
        let harness = Harness::async_reader(|| {
            let mut unread: VecDeque<u8> = VecDeque::new();
            async move |reader: &mut AsyncChunkReader<'_, '_>| {
                let mut bytes = [0; FRAMES];
                let mut buffer = ReadBuf::new(&mut bytes);
                let mut reader = Pin::new(reader);
                poll_fn(|context| {
                    let polled = reader.as_mut().poll_read(context, &mut buffer);
                    unread.extend(buffer.filled());
                    match (unread.pop_front(), polled) {
                        (None, Poll::Pending) => Poll::Pending,
                        (frame, _) => Poll::Ready(Ok::<_, ()>(frame)),
                    }
                })
                .await
            }
        });
        let stream = [7; FRAMES];
        for interruption in INTERRUPTIONS {
            let case = Case::new(stream, Split::new([1])).with(interruption);
            harness.one_split(&case).unwrap();
        }
    }

    /// Like the loop of a server that has something else to do.
    #[test]
    fn a_reader_that_selects_passes() {
        let harness = Harness::async_reader(|| {
            let mut ticks = 0;
            async move |reader: &mut AsyncChunkReader<'_, '_>| loop {
                let mut byte = [0];
                tokio::select! {
                    biased;
                    read = reader.read(&mut byte) => {
                        return Ok::<_, ()>((read.unwrap() > 0).then_some(byte[0]));
                    }
                    () = poll_fn(|_| if ticks % 3 == 0 { Poll::Pending } else { Poll::Ready(()) }) => {
                        ticks += 1;
                    }
                }
                ticks += 1;
            }
        });
        let held = harness.check(b"abcdef").unwrap().held;
        assert!(held.contains(&Property::Interrupted), "{held:?}");
        assert!(held.contains(&Property::Cancelled), "{held:?}");
    }

    /// Each byte is a frame, and a read that is pending is taken for the end of the stream.
    async fn ends_when_pending(reader: &mut AsyncChunkReader<'_, '_>) -> Result<Option<u8>, ()> {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        poll_fn(|context| {
            let _ = Pin::new(&mut *reader).poll_read(context, &mut buffer);
            Poll::Ready(())
        })
        .await;
        Ok(buffer.filled().first().copied())
    }

    #[test]
    fn finds_a_pending_read_taken_for_the_end() {
        let harness = Harness::async_reader(|| ends_when_pending);
        harness
            .one_split(&Case::new(b"abc", Split::new([2])))
            .unwrap();
        let found = harness.check(b"abc").unwrap_err();
        assert_eq!(found.property, Property::Interrupted, "{found}");
        let token = found.case.to_string();
        assert!(token.ends_with("@whole+pending"), "{found}");
        assert_eq!(harness.replay(&token).unwrap_err(), found);
    }
}

/// An error that depends on whether a read was pending is a difference, too.
#[test]
fn an_error_that_waiting_changes_violates_interrupted() {
    let harness = Harness::async_reader(|| {
        let mut has_waited = false;
        async move |reader: &mut AsyncChunkReader<'_, '_>| {
            let mut byte = [0];
            let read = {
                let mut read = pin!(reader.read(&mut byte));
                poll_fn(|context| {
                    let polled = read.as_mut().poll(context);
                    has_waited |= polled.is_pending();
                    polled
                })
                .await
            };
            match (read.map_err(|error| error.kind().to_string())?, byte) {
                (0, _) => Ok(None),
                (_, [b'!']) if has_waited => Err("rejected late".to_owned()),
                (_, [b'!']) => Err("rejected".to_owned()),
                (_, [byte]) => Ok(Some(byte)),
            }
        }
    });
    let harness = harness.declare([Deviation::CallerStops]);
    let violation = harness.check(b"a!").unwrap_err();
    assert_eq!(violation.property, Property::Interrupted, "{violation}");
}
