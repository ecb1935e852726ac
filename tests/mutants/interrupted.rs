//! Cancel, `WouldBlock`, `Interrupted`: framers that read, right as long as no read
//! is interrupted. All of them read frames of the format [`Short`].

use std::io::{ErrorKind, Read};

use bytes::BytesMut;
use everysplit::Split;
use everysplit::check::{self, AsyncChunkReader, ChunkReader, Interruption, Property, Violation};
use tokio::io::AsyncReadExt;

use crate::Mutant;
use crate::formats::{Format, Short};
use crate::toy::{Answer, Error, Next, Toy, limited};

pub(crate) fn mutants() -> Vec<Mutant> {
    let two_frames: &[&[u8]] = &[b"\x01a\x02bc"];
    vec![
        Mutant::reads(
            "what a future has read is dropped with it",
            "nteract PR2182, mirrord PR4609",
            (Interruption::Dropped, Property::Cancelled),
            reads_in_its_future,
            awaits,
            two_frames,
        ),
        Mutant::reads(
            "after a timeout a call gets the reply before",
            "redis-rs#1252",
            (Interruption::WouldBlock, Property::Interrupted),
            forgets_its_request,
            asks,
            two_frames,
        ),
        Mutant::reads(
            "an interrupted read is an error",
            "tokio PR8448",
            (Interruption::Interrupted, Property::Interrupted),
            gives_up,
            blocks,
            two_frames,
        ),
    ]
}

/// Returns the next frame, or none at the end of the stream. `fill` reads more into
/// the buffer, and says how much.
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

/// Reads once more when it was interrupted, and only then.
fn read_on(reader: &mut ChunkReader<'_>, buffer: &mut BytesMut) -> Result<usize, Error> {
    loop {
        match read(reader, buffer) {
            Err(ErrorKind::Interrupted) => {}
            other => return other.map_err(|_| Error::Blocked),
        }
    }
}

/// Right: what was read is in a buffer that stays.
fn blocks(stream: &[u8], split: &Split, between: Interruption) -> Result<(), Violation> {
    let mut buffer = BytesMut::new();
    let next = |reader: &mut ChunkReader<'_>| next(&mut buffer, |buffer| read_on(reader, buffer));
    check::pull(next, stream, split, &Short::parse(stream), between)
}

/// Whatever a read says but bytes is passed on.
fn gives_up(stream: &[u8], split: &Split, between: Interruption) -> Result<(), Violation> {
    let mut buffer = BytesMut::new();
    let next = |reader: &mut ChunkReader<'_>| {
        next(&mut buffer, |buffer| {
            read(reader, buffer).map_err(|_| Error::Blocked)
        })
    };
    check::pull(next, stream, split, &Short::parse(stream), between)
}

/// A reply with the number of the request that it is given for before it.
fn numbered(request: u8, reply: &[u8]) -> Vec<u8> {
    [&[request], reply].concat()
}

/// What clients must give that send a request and read its reply: the first reply
/// for the first request, and so on.
fn replies(stream: &[u8]) -> Answer {
    let mut answer = Short::parse(stream);
    for ((_, reply), request) in answer.frames.iter_mut().zip(1..) {
        *reply = numbered(request, reply);
    }
    answer
}

/// Right: a call after a timeout waits for the reply that is still to come.
fn asks(stream: &[u8], split: &Split, between: Interruption) -> Result<(), Violation> {
    let (mut answered, mut buffer) = (0, BytesMut::new());
    let next = |reader: &mut ChunkReader<'_>| {
        let reply = next(&mut buffer, |buffer| read_on(reader, buffer))?;
        Ok(reply.map(|reply| {
            answered += 1;
            numbered(answered, &reply)
        }))
    };
    check::pull(next, stream, split, &replies(stream), between)
}

/// Each call sends a request and takes the next reply for its own, be there one
/// outstanding or not.
fn forgets_its_request(
    stream: &[u8],
    split: &Split,
    between: Interruption,
) -> Result<(), Violation> {
    let (mut sent, mut buffer) = (0, BytesMut::new());
    let next = |reader: &mut ChunkReader<'_>| {
        sent += 1;
        let reply = next(&mut buffer, |buffer| read_on(reader, buffer))?;
        Ok(reply.map(|reply| numbered(sent, &reply)))
    };
    check::pull(next, stream, split, &replies(stream), between)
}

/// Right: what was read is in a buffer that no future owns.
fn awaits(stream: &[u8], split: &Split, between: Interruption) -> Result<(), Violation> {
    let mut buffer = BytesMut::new();
    let next = async |reader: &mut AsyncChunkReader<'_, '_>| loop {
        if let Some(frame) = Short.decode(&mut buffer)? {
            return Ok(Some(frame));
        }
        if reader.read_buf(&mut buffer).await.unwrap() == 0 {
            return end(&buffer);
        }
    };
    check::pull_async(next, stream, split, &Short::parse(stream), between)
}

/// What `read_exact` has read of a body is in its future.
fn reads_in_its_future(
    stream: &[u8],
    split: &Split,
    between: Interruption,
) -> Result<(), Violation> {
    let next = async |reader: &mut AsyncChunkReader<'_, '_>| {
        let mut length = [0];
        if reader.read(&mut length).await.unwrap() == 0 {
            return Ok(None);
        }
        let mut body = vec![0; limited(length[0].into())?];
        match reader.read_exact(&mut body).await {
            Ok(_) => Ok(Some(body)),
            Err(_) => Err(Error::Truncated),
        }
    };
    check::pull_async(next, stream, split, &Short::parse(stream), between)
}

const BLOCKING: [Interruption; 3] = [
    Interruption::Nothing,
    Interruption::Interrupted,
    Interruption::WouldBlock,
];
const AWAITING: [Interruption; 3] = [
    Interruption::Nothing,
    Interruption::Pending,
    Interruption::Dropped,
];

#[test]
fn the_right_ones_can_be_interrupted_by_anything() {
    for stream in Short::STREAMS {
        for split in Split::up_to(stream.len(), 2).chain([Split::bytes(stream.len())]) {
            for between in BLOCKING {
                blocks(stream, &split, between).unwrap();
                asks(stream, &split, between).unwrap();
            }
            for between in AWAITING {
                awaits(stream, &split, between).unwrap();
            }
        }
    }
}

#[test]
fn the_wrong_ones_are_right_as_long_as_nothing_interrupts_them() {
    for stream in Short::STREAMS {
        for split in Split::up_to(stream.len(), 2).chain([Split::bytes(stream.len())]) {
            for wrong in [reads_in_its_future, forgets_its_request, gives_up] {
                wrong(stream, &split, Interruption::Nothing).unwrap();
            }
        }
    }
}
