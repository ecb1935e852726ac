//! Framers that pull, right and wrong, from a reader that gives a chunk a call
//! and is interrupted between them.

use std::io::{self, ErrorKind, Read};

use everysplit::Split;
use everysplit::check::{
    self, ChunkReader, Expected, Interruption, Outcome, Property, Tier, Violation,
};
use everysplit::reference::{Config, DecodeError, Frame, Framer, naive};

const CONFIG: Config = Config {
    byte_order: everysplit::reference::ByteOrder::Little,
    max_body_size: 8,
};

/// Reads until the framer gives a frame: what any blocking client does.
#[derive(Default)]
struct Reader {
    framer: Option<Framer>,
    frames: Vec<Frame>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bug {
    Nothing,
    /// Gives up when it is interrupted.
    NoRetry,
    /// Starts anew when it would block: what it has read of a frame is lost.
    Forgets,
    /// Takes "need more" for the end of the stream.
    EndsEarly,
    /// Reads once more before it gives the frames that it has.
    ReadsOn,
}

impl Reader {
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
            // What came before an error is given first.
            let _ = framer.feed(&buffer[..read], &mut self.frames);
            if bug == Bug::EndsEarly && self.frames.len() == before {
                return Ok(None);
            }
        }
    }
}

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
    let refused = [&whole[..17], &[9, 0, 0, 0, 1, 0]].concat();
    [whole, truncated, refused]
}

fn check(bug: Bug, between: Interruption) -> Result<(), Violation> {
    for stream in streams() {
        let expected = naive::parse(CONFIG, &stream);
        for split in Split::up_to(stream.len(), 1).chain([Split::bytes(stream.len())]) {
            let mut reader = Reader::default();
            let next = |script: &mut ChunkReader<'_>| reader.next(bug, script);
            check::pull(next, &stream, &split, &expected, between)?;
        }
    }
    Ok(())
}

#[test]
fn a_right_one_passes() {
    for between in [
        Interruption::Nothing,
        Interruption::Interrupted,
        Interruption::WouldBlock,
    ] {
        check(Bug::Nothing, between).unwrap();
    }
}

#[track_caller]
fn finds(bug: Bug, between: Interruption, property: Property) {
    let violation = check(bug, between).unwrap_err();
    assert_eq!(violation.property, property, "{violation}");
}

#[test]
fn wrong_ones_are_found() {
    finds(Bug::EndsEarly, Interruption::Nothing, Property::EverySplit);
    finds(Bug::ReadsOn, Interruption::Nothing, Property::Prompt);
}

#[test]
fn what_interrupted_and_would_block_lose_is_found() {
    check(Bug::NoRetry, Interruption::Nothing).unwrap();
    check(Bug::Forgets, Interruption::Nothing).unwrap();
    finds(
        Bug::NoRetry,
        Interruption::Interrupted,
        Property::Interrupted,
    );
    finds(
        Bug::Forgets,
        Interruption::WouldBlock,
        Property::Interrupted,
    );
}

/// A header that is read whole before its size is looked at: where the size alone
/// is in, more is awaited than decides it.
#[test]
fn a_limit_that_is_checked_late_is_found() {
    let stream = &streams()[2][17..];
    let expected = naive::parse(CONFIG, stream);
    let next = |reader: &mut ChunkReader<'_>| {
        let mut header = [0; 12];
        let _ = reader.read_exact(&mut header);
        let header = everysplit::reference::Header::from_bytes(header, CONFIG.byte_order);
        Err::<Option<Frame>, _>(DecodeError::BodyTooLarge {
            offset: 0,
            body_size: header.body_size,
            max_body_size: 8,
        })
    };
    let between = Interruption::Nothing;
    let found = check::pull(next, stream, &Split::new([4]), &expected, between).unwrap_err();
    assert_eq!(found.property, Property::Limit, "{found}");
}

/// `read_exact` calls again when it is interrupted, and loses what it has read
/// when it would block: the one is right, the other is a well-known trap.
#[test]
fn read_exact_and_its_trap() {
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
    let expected = Expected {
        frames: vec![(3, b"ok".to_vec()), (4, Vec::new())],
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    };
    let stream = b"\x02ok\0";
    for split in Split::all(stream.len()) {
        check::pull(next, stream, &split, &expected, Interruption::Nothing).unwrap();
        check::pull(next, stream, &split, &expected, Interruption::Interrupted).unwrap();
    }
    let split = Split::new([2]);
    check::pull(next, stream, &split, &expected, Interruption::WouldBlock).unwrap_err();
}

/// Every split of up to two cuts, and what is found is as small as it gets.
#[test]
fn what_is_found_is_minimal() {
    let all = [
        Interruption::Nothing,
        Interruption::Interrupted,
        Interruption::WouldBlock,
    ];
    let oracle = |stream: &[u8]| naive::parse(CONFIG, stream);
    let check = |bug, stream: &[u8], between: &[Interruption]| {
        let make = || {
            let mut reader = Reader::default();
            move |script: &mut ChunkReader<'_>| reader.next(bug, script)
        };
        check::pull_bounded(make, oracle, stream, 2, between)
    };
    for stream in streams() {
        let certificate = check(Bug::Nothing, &stream, &all).unwrap();
        let len = stream.len() as u64;
        let splits = 1 + (len - 1) + (len - 1) * (len - 2) / 2 + 1;
        let tier = Tier::Bounded {
            cuts: 2,
            splits,
            unmerged: None,
        };
        assert_eq!((certificate.tier, certificate.bytes), (tier, stream.len()));
    }
    let stream = &streams()[0];
    let forgets = check(Bug::Forgets, stream, &all).unwrap_err();
    assert_eq!(forgets.property, Property::Interrupted, "{forgets}");
    // One byte, and an end before which it would block.
    assert_eq!(forgets.case.to_string(), "05@whole", "{forgets}");
    assert_eq!(forgets.edges, [0]);
    let ends_early = check(Bug::EndsEarly, stream, &[Interruption::Nothing]).unwrap_err();
    assert_eq!(ends_early.property, Property::EverySplit, "{ends_early}");
    assert_eq!(ends_early.case.split.cuts().len(), 1, "{ends_early}");
}

/// Lines, and so often what is left behind the last one at the end of the stream.
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

/// What the end gives is all there and no more, and nobody waits for the end of too
/// much.
#[test]
fn frames_at_the_end_are_held_to() {
    let expected = Expected {
        frames: vec![(4, b"one\n".to_vec())],
        at_end: vec![b"2".to_vec()],
        outcome: Outcome::Clean,
    };
    let check = |times, split: &Split| {
        let next = lines(times);
        check::pull(next, b"one\n2", split, &expected, Interruption::Nothing)
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

/// Framers that await.
mod awaiting {
    use everysplit::check::AsyncChunkReader;
    use tokio::io::AsyncReadExt;

    use super::{
        CONFIG, ErrorKind, Expected, Framer, Interruption, Outcome, Property, Split, check, naive,
        streams,
    };

    /// The same framer over `AsyncRead`: what it has read is in itself and not in its
    /// future, so that the future can be dropped.
    #[test]
    fn a_reader_that_can_be_dropped() {
        for between in [
            Interruption::Nothing,
            Interruption::Pending,
            Interruption::Dropped,
        ] {
            for stream in streams() {
                let expected = naive::parse(CONFIG, &stream);
                for split in Split::up_to(stream.len(), 1).chain([Split::bytes(stream.len())]) {
                    let (mut framer, mut frames) = (Framer::new(CONFIG), Vec::new());
                    let next = async |reader: &mut AsyncChunkReader<'_, '_>| loop {
                        if !frames.is_empty() {
                            return Ok(Some(frames.remove(0)));
                        }
                        framer.feed(&[], &mut frames)?;
                        let mut buffer = [0; 64];
                        match reader.read(&mut buffer).await.unwrap() {
                            0 => return framer.finish().map(|()| None),
                            read => drop(framer.feed(&buffer[..read], &mut frames)),
                        }
                    };
                    check::pull_async(next, &stream, &split, &expected, between).unwrap();
                }
            }
        }
    }

    /// What `read_exact` has read is in its future: dropped with it.
    #[test]
    fn read_exact_loses_what_is_dropped() {
        let make = || {
            async |reader: &mut AsyncChunkReader<'_, '_>| {
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
                Ok::<_, ErrorKind>(Some(body))
            }
        };
        let oracle = |stream: &[u8]| {
            let (mut frames, mut start) = (Vec::new(), 0);
            while let Some((&length, rest)) = stream[start..].split_first() {
                let Some(body) = rest.get(..length.into()) else {
                    let outcome = Outcome::Truncated(ErrorKind::UnexpectedEof);
                    return Expected {
                        frames,
                        at_end: Vec::new(),
                        outcome,
                    };
                };
                start += 1 + body.len();
                frames.push((start, body.to_vec()));
            }
            Expected {
                frames,
                at_end: Vec::new(),
                outcome: Outcome::Clean,
            }
        };
        let pull = |between| check::pull_async_bounded(make, oracle, b"\0\x02ok\0", 4, &[between]);
        pull(Interruption::Nothing).unwrap();
        assert_eq!(pull(Interruption::Pending).unwrap().bytes, 5);
        let found = pull(Interruption::Dropped).unwrap_err();
        assert_eq!(found.property, Property::Cancelled, "{found}");
        // One byte, and an end before which the future is dropped.
        assert_eq!(found.case.to_string(), "02@whole", "{found}");
    }
}
