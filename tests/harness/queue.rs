//! Framers that own what they read from: published ones that are correct, and mutants of them.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::mem;

use asynchronous_codec::LengthCodec;
use bytes::{Buf, Bytes, BytesMut};
use everysplit::subject::{AsyncChunkReader, Queue};
use everysplit::{
    Case, Deviation, Door, Expected, Harness, Interruption, Outcome, Property, Split, Violation,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, join, sink};
use tokio_stream::StreamExt;
use tokio_util::codec::{Decoder, Framed, FramedRead, LinesCodec};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};
use tokio_util::io::StreamReader;

use crate::assert_not_comparable;
use crate::common::oracles::{self, Refusal};
use crate::harness::parse_or;

/// Each body has a length of one byte.
const BODIES: &[u8] = b"\x02ok\0\x05hello";
const LINES: &[u8] = b"one\r\n\ntwo\nthree";

#[track_caller]
fn assert_found(violation: &Violation, property: Property, token: &str) {
    assert_eq!(violation.property, property, "{violation}");
    assert_eq!(violation.case.to_string(), token, "{violation}");
}

/// Blocking readers.
mod blocking {
    use super::{
        BufRead, BufReader, Case, ErrorKind, Expected, Harness, Interruption, LINES, Outcome,
        Property, Queue, Read, Split, Violation, assert_found, assert_not_comparable, io, mem,
    };

    /// A reader of lines, and the beginning of the next line.
    type Lines = (BufReader<Queue>, Vec<u8>);

    type Next = fn(&mut Lines) -> io::Result<Option<Vec<u8>>>;

    fn correct((reader, line): &mut Lines) -> io::Result<Option<Vec<u8>>> {
        reader.read_until(b'\n', line)?;
        Ok(Some(mem::take(line)).filter(|line| !line.is_empty()))
    }

    fn forgets_the_beginning((reader, _): &mut Lines) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line)?;
        Ok(Some(line).filter(|line| !line.is_empty()))
    }

    fn does_not_retry(lines: &mut Lines) -> io::Result<Option<Vec<u8>>> {
        let _ = lines.0.fill_buf()?;
        correct(lines)
    }

    fn reads_ahead(lines: &mut Lines) -> io::Result<Option<Vec<u8>>> {
        let line = correct(lines)?;
        let _ = lines.0.fill_buf();
        Ok(line)
    }

    /// Checks a stream without an oracle, and replays the violation.
    fn check(next: Next, stream: &[u8]) -> Result<(), Violation> {
        let harness = Harness::owning_reader(
            |queue| (BufReader::new(queue), Vec::new()),
            move |lines| next(lines).map_err(|error| error.kind()),
        );
        match harness.check(stream) {
            Ok(certificate) => assert_not_comparable(&certificate),
            Err(violation) => {
                let replayed = harness.replay(&violation.case.to_string());
                assert_eq!(replayed.unwrap_err(), violation);
                return Err(violation);
            }
        }
        Ok(())
    }

    #[test]
    fn a_buf_reader_passes() {
        for stream in [LINES, b"", b"\n", b"one"] {
            check(correct, stream).unwrap();
        }
    }

    #[test]
    fn finds_what_interruptions_lose() {
        let found = check(forgets_the_beginning, LINES).unwrap_err();
        assert_found(&found, Property::Interrupted, "00@whole+would_block");
        let found = check(does_not_retry, LINES).unwrap_err();
        assert_found(&found, Property::Interrupted, "@whole+interrupted");
    }

    /// It waits for the next line before it returns one.
    #[test]
    fn finds_a_frame_that_waits_for_the_next() {
        let check = |next: Next| {
            let make = |queue| (BufReader::new(queue), Vec::new());
            let harness = Harness::owning_reader(make, move |lines| {
                next(lines).map_err(|error| error.kind())
            });
            harness.oracle(expected).check(b"one\ntwo\n")
        };
        check(correct).unwrap();
        let found = check(reads_ahead).unwrap_err();
        assert_found(&found, Property::Prompt, "0a@whole");
    }

    fn expected(stream: &[u8]) -> Expected<Vec<u8>, ErrorKind> {
        let (mut frames, mut at_end) = (Vec::new(), Vec::new());
        let mut end = 0;
        for line in stream.split_inclusive(|&byte| byte == b'\n') {
            end += line.len();
            if line.ends_with(b"\n") {
                frames.push((end, line.to_vec()));
            } else {
                at_end.push(line.to_vec());
            }
        }
        Expected {
            frames,
            at_end,
            outcome: Outcome::Clean,
        }
    }

    /// A reader may need `Send`, may be cloned, and may read in its constructor.
    #[test]
    fn a_queue_is_send_and_its_clones_share_a_position() {
        let harness = Harness::owning_reader(
            |queue: Queue| {
                let boxed: Box<dyn Read + Send> = Box::new(queue.clone());
                (boxed, queue)
            },
            |(boxed, queue)| {
                let mut byte = [0];
                let first = boxed.read(&mut byte).map_err(|error| error.kind())?;
                if first == 0 || byte[0] != b'!' {
                    return Ok::<_, ErrorKind>((first > 0).then_some(byte[0]));
                }
                let second = queue.read(&mut byte).map_err(|error| error.kind())?;
                Ok((second > 0).then_some(byte[0]))
            },
        );
        let expected = harness.expected(b"a!bc").unwrap();
        assert_eq!(expected.frames, [(1, b'a'), (3, b'b'), (4, b'c')]);
        harness
            .one_split(&Case::new(b"a!bc", Split::new([1, 2])))
            .unwrap();
    }

    #[test]
    fn a_constructor_that_reads_is_judged() {
        let harness = Harness::owning_reader(
            |mut queue: Queue| {
                let mut version = [0];
                queue.read_exact(&mut version).unwrap();
                (queue, version[0])
            },
            |(queue, version)| {
                let mut byte = [0];
                let read = queue.read(&mut byte).map_err(|error| error.kind())?;
                Ok::<_, ErrorKind>((read > 0).then_some((*version, byte[0])))
            },
        );
        harness
            .one_split(&Case::new(b"1ab", Split::new([1])))
            .unwrap();
        let case = Case::new(b"1ab", Split::new([1])).with(Interruption::WouldBlock);
        let found = harness.one_split(&case).unwrap_err();
        assert_found(&found, Property::Progress, "316162@1+would_block");
        assert!(found.actual.contains("WouldBlock"), "{found}");
    }
}

type Body = Result<Option<Vec<u8>>, ErrorKind>;

/// Reads from a `Stream` as from an `AsyncRead`.
type Bodies = (StreamReader<Queue, Bytes>, BytesMut);

fn bodies(queue: Queue) -> Bodies {
    (StreamReader::new(queue), BytesMut::new())
}

/// Keeps all that it has read outside its future.
async fn keeps((reader, buffer): &mut Bodies) -> Body {
    loop {
        if let Some(&length) = buffer.first()
            && buffer.len() > length.into()
        {
            buffer.advance(1);
            return Ok(Some(buffer.split_to(length.into()).to_vec()));
        }
        match reader.read_buf(buffer).await {
            Ok(0) if buffer.is_empty() => return Ok(None),
            Ok(0) => return Err(ErrorKind::UnexpectedEof),
            Ok(_) => {}
            Err(error) => return Err(error.kind()),
        }
    }
}

/// The bytes that `read_exact` has read are lost with the future.
async fn loses(reader: &mut (impl AsyncReadExt + Unpin)) -> Body {
    let mut length = [0];
    match reader.read_exact(&mut length).await {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other.map_err(|error| error.kind())?,
    };
    let mut body = vec![0; length[0].into()];
    let read = reader.read_exact(&mut body).await;
    read.map_err(|error| error.kind())?;
    Ok(Some(body))
}

#[test]
fn a_stream_reader_that_keeps_its_bytes_passes() {
    let harness = Harness::owning_async_reader(bodies, keeps);
    assert_not_comparable(&harness.check(BODIES).unwrap());
    let harness = harness.oracle(|stream: &[u8]| parse_or(stream, ErrorKind::UnexpectedEof));
    for stream in [BODIES, &BODIES[..7], b""] {
        assert_not_comparable(&harness.check(stream).unwrap());
    }
}

/// The violation is the one that a reader finds that is borrowed.
#[test]
fn finds_bytes_that_are_lost_with_a_future() {
    let owning = Harness::owning_async_reader(bodies, async |(reader, _)| loses(reader).await);
    let found = owning.check(BODIES).unwrap_err();
    assert_found(&found, Property::Cancelled, "01@whole+dropped");
    assert_eq!(owning.replay("01@whole+dropped").unwrap_err(), found);

    let borrowing =
        Harness::async_reader(|| async |reader: &mut AsyncChunkReader<'_, '_>| loses(reader).await);
    assert_eq!(borrowing.check(BODIES).unwrap_err(), found);
}

/// `tokio::io::Lines` can be cancelled; `read_until` into a local buffer cannot.
#[test]
fn lines_of_a_stream_reader_pass() {
    type Bytewise = StreamReader<Queue, Bytes>;

    let correct = Harness::owning_async_reader(
        |queue| Bytewise::new(queue).lines(),
        async |lines| lines.next_line().await.map_err(|error| error.kind()),
    );
    assert_not_comparable(&correct.check(LINES).unwrap());

    let loses = Harness::owning_async_reader(Bytewise::new, async |reader| {
        let mut line = Vec::new();
        let read = reader.read_until(b'\n', &mut line).await;
        read.map_err(|error| error.kind())?;
        Ok::<_, ErrorKind>(Some(line).filter(|line| !line.is_empty()))
    });
    let found = loses.check(LINES).unwrap_err();
    assert_found(&found, Property::Cancelled, "00@whole+dropped");
}

#[test]
fn framed_read_passes_with_lines_codec() {
    let harness = Harness::owning_async_reader(
        |queue| FramedRead::new(queue, LinesCodec::new()),
        async |lines| lines.next().await.transpose().map_err(Refusal::from),
    );
    let harness = harness.oracle(|stream: &[u8]| oracles::lines(stream, usize::MAX));
    for stream in [LINES, b""] {
        assert_not_comparable(&harness.check(stream).unwrap());
    }
    // After an error it returns none, and then goes on.
    let harness = harness.declare([Deviation::CallerStops]);
    assert_not_comparable(&harness.check(b"one\n\xff\n").unwrap());
}

/// A length of one byte, then the body.
struct BodyCodec {
    /// Consumes the length before the body has arrived.
    hasty: bool,
}

impl Decoder for BodyCodec {
    type Item = Vec<u8>;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Vec<u8>>> {
        let Some(&length) = buffer.first() else {
            return Ok(None);
        };
        let whole = buffer.len() > length.into();
        if whole || self.hasty {
            buffer.advance(1);
        }
        Ok(whole.then(|| buffer.split_to(length.into()).to_vec()))
    }
}

fn framed_bodies(hasty: bool) -> Harness<impl Door<Frame = Vec<u8>, Error = ErrorKind>> {
    Harness::owning_async_reader(
        move |queue| FramedRead::new(queue, BodyCodec { hasty }),
        async |bodies| {
            let body = bodies.next().await.transpose();
            body.map_err(|error| error.kind())
        },
    )
}

#[test]
fn framed_read_shows_the_bug_of_its_codec() {
    let expected = |stream: &[u8]| parse_or(stream, ErrorKind::Other);
    for stream in [BODIES, &BODIES[..2]] {
        let correct = framed_bodies(false).oracle(expected).check(stream);
        assert_not_comparable(&correct.unwrap());
    }
    let found = framed_bodies(true).oracle(expected).check(BODIES);
    assert_found(&found.unwrap_err(), Property::EverySplit, "0100@1");
}

#[test]
fn the_framed_read_of_asynchronous_codec_passes() {
    type LengthRead = asynchronous_codec::FramedRead<Compat<Queue>, LengthCodec>;

    let harness = Harness::owning_async_reader(
        |queue| LengthRead::new(queue.compat(), LengthCodec),
        async |frames| {
            let frame = frames.next().await.transpose();
            frame.map_err(|error| error.kind())
        },
    );
    let harness = harness
        .encoder(|body: &Bytes| [&(body.len() as u64).to_be_bytes(), &body[..]].concat())
        .messages(["ok", ""])
        .truncation_error(ErrorKind::UnexpectedEof);
    for stream in harness.all_streams() {
        assert_not_comparable(&harness.check(&stream).unwrap());
    }
}

/// The sink of a `Framed` that is not tested.
#[test]
fn a_framer_that_also_writes_passes() {
    let harness = Harness::owning_async_reader(
        |queue| Framed::new(join(queue, sink()), LinesCodec::new()),
        async |lines| lines.next().await.transpose().map_err(Refusal::from),
    );
    assert_not_comparable(&harness.check(LINES).unwrap());
}

/// Each item of the stream is a chunk: a framer that takes chunks for frames depends on the split.
#[test]
fn finds_chunks_that_are_taken_for_frames() {
    let harness = Harness::owning_async_reader(
        |queue: Queue| queue,
        async |queue| queue.next().await.transpose().map_err(|error| error.kind()),
    );
    let found = harness.check(b"abc").unwrap_err();
    assert_found(&found, Property::EverySplit, "0000@whole");
}

/// Executors poll again only when they are woken.
#[test]
fn a_pending_read_wakes_an_executor_inside_the_framer() {
    let harness = Harness::owning_reader(
        |queue| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            (runtime.unwrap(), FramedRead::new(queue, LinesCodec::new()))
        },
        |(runtime, lines)| {
            let line = runtime.block_on(lines.next()).transpose();
            line.map_err(Refusal::from)
        },
    );
    for interruption in [Interruption::None, Interruption::WouldBlock] {
        for split in Split::up_to(LINES.len(), 1) {
            let case = Case::new(LINES, split).with(interruption);
            harness.one_split(&case).unwrap();
        }
    }
}
