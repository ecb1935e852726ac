//! Cancel, `WouldBlock`, `Interrupted`: framers that read from a reader, and are correct as long as
//! no read is interrupted. All of them read frames of the format [`Short`].

use std::io::{ErrorKind, Read};

use bytes::BytesMut;
use everysplit::subject::{AsyncChunkReader, ChunkReader};
use everysplit::{Case, Harness, Interruption, Property, Split, Violation};
use tokio::io::AsyncReadExt;

use crate::Mutant;
use crate::formats::{Format, Short};
use crate::toy::{Error, Expected, Next, Toy, limited};

pub(crate) fn mutants() -> Vec<Mutant> {
    let two_frames: &[&[u8]] = &[b"\x01a\x02bc"];
    vec![
        Mutant::reader(
            "bytes read by a dropped future are lost",
            "nteract PR2182, mirrord PR4609",
            (Interruption::Dropped, Property::Cancelled),
            async_reader_that_buffers_in_its_future,
            async_reader,
            two_frames,
        ),
        Mutant::reader(
            "a call after a timeout gets the old reply",
            "redis-rs#1252",
            (Interruption::WouldBlock, Property::Interrupted),
            client_that_forgets_a_request,
            client,
            two_frames,
        ),
        Mutant::reader(
            "an interrupted read is an error",
            "tokio PR8448",
            (Interruption::Interrupted, Property::Interrupted),
            reader_that_fails_on_interruption,
            reader,
            two_frames,
        ),
    ]
}

/// Returns the next frame, or `None` at the end of the stream. `fill` reads into the buffer and
/// returns how many bytes it read.
fn next(
    buffer: &mut BytesMut,
    mut fill: impl FnMut(&mut BytesMut) -> Result<usize, Error>,
) -> Next {
    loop {
        if let Some(frame) = Short.decode(buffer)? {
            return Ok(Some(frame));
        }
        if fill(buffer)? == 0 {
            return end(buffer);
        }
    }
}

/// Returns the result at the end of the stream.
fn end(buffer: &BytesMut) -> Next {
    if buffer.is_empty() {
        Ok(None)
    } else {
        Err(Error::Truncated)
    }
}

fn read(reader: &mut ChunkReader<'_>, buffer: &mut BytesMut) -> Result<usize, ErrorKind> {
    let mut bytes = [0; 16];
    let read = reader.read(&mut bytes).map_err(|error| error.kind())?;
    buffer.extend_from_slice(&bytes[..read]);
    Ok(read)
}

/// Retries a read that was interrupted. Other errors are returned.
fn read_retrying(reader: &mut ChunkReader<'_>, buffer: &mut BytesMut) -> Result<usize, Error> {
    loop {
        match read(reader, buffer) {
            Err(ErrorKind::Interrupted) => {}
            other => return other.map_err(|_| Error::Blocked),
        }
    }
}

/// Correct: the bytes that were read are kept in a buffer outside the call.
fn reader(stream: &[u8], split: &Split, interruption: Interruption) -> Result<(), Violation> {
    let make = || {
        let mut buffer = BytesMut::new();
        move |reader: &mut ChunkReader<'_>| {
            next(&mut buffer, |buffer| read_retrying(reader, buffer))
        }
    };
    let case = Case::new(stream, split.clone()).with(interruption);
    Harness::reader(make).oracle(Short::parse).one_split(&case)
}

/// Every error of a read is returned, `Interrupted` included.
fn reader_that_fails_on_interruption(
    stream: &[u8],
    split: &Split,
    interruption: Interruption,
) -> Result<(), Violation> {
    let make = || {
        let mut buffer = BytesMut::new();
        move |reader: &mut ChunkReader<'_>| {
            next(&mut buffer, |buffer| {
                read(reader, buffer).map_err(|_| Error::Blocked)
            })
        }
    };
    let case = Case::new(stream, split.clone()).with(interruption);
    Harness::reader(make).oracle(Short::parse).one_split(&case)
}

/// Returns a reply with the number of its request before it.
fn numbered(request: u8, reply: &[u8]) -> Vec<u8> {
    [&[request], reply].concat()
}

/// Returns the expected result of a client that sends requests and reads their replies: the first
/// reply belongs to the first request, and so on.
fn replies(stream: &[u8]) -> Expected {
    let mut expected = Short::parse(stream);
    for ((_, reply), request) in expected.frames.iter_mut().zip(1..) {
        *reply = numbered(request, reply);
    }
    expected
}

/// Correct: a call after a timeout waits for the reply that is still outstanding.
fn client(stream: &[u8], split: &Split, interruption: Interruption) -> Result<(), Violation> {
    let make = || {
        let (mut answered, mut buffer) = (0, BytesMut::new());
        move |reader: &mut ChunkReader<'_>| {
            let reply = next(&mut buffer, |buffer| read_retrying(reader, buffer))?;
            Ok(reply.map(|reply| {
                answered += 1;
                numbered(answered, &reply)
            }))
        }
    };
    let case = Case::new(stream, split.clone()).with(interruption);
    Harness::reader(make).oracle(replies).one_split(&case)
}

/// Each call sends a request and takes the next reply for its own, even if an earlier reply is
/// still outstanding.
fn client_that_forgets_a_request(
    stream: &[u8],
    split: &Split,
    interruption: Interruption,
) -> Result<(), Violation> {
    let make = || {
        let (mut sent, mut buffer) = (0, BytesMut::new());
        move |reader: &mut ChunkReader<'_>| {
            sent += 1;
            let reply = next(&mut buffer, |buffer| read_retrying(reader, buffer))?;
            Ok(reply.map(|reply| numbered(sent, &reply)))
        }
    };
    let case = Case::new(stream, split.clone()).with(interruption);
    Harness::reader(make).oracle(replies).one_split(&case)
}

/// Correct: the bytes that were read are kept in a buffer outside the future.
fn async_reader(stream: &[u8], split: &Split, interruption: Interruption) -> Result<(), Violation> {
    let make = || {
        let mut buffer = BytesMut::new();
        async move |reader: &mut AsyncChunkReader<'_, '_>| loop {
            if let Some(frame) = Short.decode(&mut buffer)? {
                return Ok(Some(frame));
            }
            if reader.read_buf(&mut buffer).await.unwrap() == 0 {
                return end(&buffer);
            }
        }
    };
    let case = Case::new(stream, split.clone()).with(interruption);
    Harness::async_reader(make)
        .oracle(Short::parse)
        .one_split(&case)
}

/// The future owns the bytes of a body that `read_exact` has read so far.
fn async_reader_that_buffers_in_its_future(
    stream: &[u8],
    split: &Split,
    interruption: Interruption,
) -> Result<(), Violation> {
    let make = || {
        async |reader: &mut AsyncChunkReader<'_, '_>| {
            let mut length = [0];
            if reader.read(&mut length).await.unwrap() == 0 {
                return Ok(None);
            }
            let mut body = vec![0; limited(length[0].into())?];
            match reader.read_exact(&mut body).await {
                Ok(_) => Ok(Some(body)),
                Err(_) => Err(Error::Truncated),
            }
        }
    };
    let case = Case::new(stream, split.clone()).with(interruption);
    Harness::async_reader(make)
        .oracle(Short::parse)
        .one_split(&case)
}

/// The interruptions of blocking readers.
const BLOCKING: [Interruption; 3] = [
    Interruption::None,
    Interruption::Interrupted,
    Interruption::WouldBlock,
];
/// The interruptions of asynchronous readers.
const ASYNC: [Interruption; 3] = [
    Interruption::None,
    Interruption::Pending,
    Interruption::Dropped,
];

#[test]
fn correct_readers_survive_every_interruption() {
    for stream in Short::STREAMS {
        for split in Split::up_to(stream.len(), 2).chain([Split::bytes(stream.len())]) {
            for between in BLOCKING {
                reader(stream, &split, between).unwrap();
                client(stream, &split, between).unwrap();
            }
            for between in ASYNC {
                async_reader(stream, &split, between).unwrap();
            }
        }
    }
}

#[test]
fn buggy_readers_pass_without_interruptions() {
    for stream in Short::STREAMS {
        for split in Split::up_to(stream.len(), 2).chain([Split::bytes(stream.len())]) {
            for buggy in [
                async_reader_that_buffers_in_its_future,
                client_that_forgets_a_request,
                reader_that_fails_on_interruption,
            ] {
                buggy(stream, &split, Interruption::None).unwrap();
            }
        }
    }
}
