//! Senders: each writes frames of the format [`Short`](crate::formats::Short), and is correct as
//! long as the writer accepts everything at once, and is not interrupted.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::pin::Pin;

use bytes::{Buf, BytesMut};
use everysplit::subject::{AsyncChunkWriter, ChunkWriter};
use everysplit::{Case, Interruption, Property, Split, Violation, WriterHarness};
use tokio::io::{AsyncWrite, AsyncWriteExt, BufWriter};

use crate::Mutant;

pub(crate) fn mutants() -> Vec<Mutant> {
    let two_frames: &[&[u8]] = &[b"\x01a\x02bc"];
    let written = (Interruption::None, Property::Written);
    vec![
        Mutant::reader(
            "the count that a write returns is ignored",
            "smpclient#130",
            written,
            |stream, split, it| check(stream, split, it, ignores_count),
            sender,
            two_frames,
        ),
        Mutant::reader(
            "a short write does not shorten the rest",
            "FreeRDP PR365",
            written,
            |stream, split, it| check(stream, split, it, keeps_length),
            sender,
            two_frames,
        ),
        Mutant::reader(
            "a header is written again after a short write",
            "ESPAsyncWebServer#453",
            written,
            |stream, split, it| check(stream, split, it, repeats_header),
            sender,
            two_frames,
        ),
        Mutant::reader(
            "a short vectored write keeps the wrong part",
            "tokio#8158",
            written,
            |stream, split, it| check(stream, split, it, keeps_wrong_part),
            |stream, split, it| check(stream, split, it, vectored),
            two_frames,
        ),
        Mutant::reader(
            "a buffered frame is never flushed",
            "openssh-sftp-client PR155",
            written,
            buffered::<false>,
            buffered::<true>,
            two_frames,
        ),
        Mutant::reader(
            "a poll counts the bytes that it offered",
            "glommio#492",
            written,
            counts_offered,
            async_sender,
            two_frames,
        ),
        Mutant::reader(
            "a frame is sent again from its start",
            "EternalTerminal PR815",
            (Interruption::WouldBlock, Property::Interrupted),
            |stream, split, it| check(stream, split, it, starts_again),
            sender,
            two_frames,
        ),
        Mutant::reader(
            "an interrupted write is an error",
            "serial PR233",
            (Interruption::Interrupted, Property::Interrupted),
            |stream, split, it| check(stream, split, it, fails_on_interruption),
            sender,
            two_frames,
        ),
        Mutant::reader(
            "the rest of a frame is lost with its future",
            "moq-dev web-transport PR323",
            (Interruption::Dropped, Property::Cancelled),
            keeps_frame_in_its_future,
            async_sender,
            two_frames,
        ),
        Mutant::reader(
            "a write of no bytes is tried forever",
            "redb PR1392",
            (Interruption::WriteZero, Property::Progress),
            |stream, split, it| check(stream, split, it, retries_zero),
            sender,
            two_frames,
        ),
    ]
}

/// The frames that are not sent yet, without those that are.
type Unsent = VecDeque<Vec<u8>>;

/// Returns the frames of a stream.
fn frames(mut stream: &[u8]) -> Unsent {
    let mut frames = VecDeque::new();
    while let Some(&length) = stream.first() {
        let (frame, rest) = stream.split_at(1 + usize::from(length));
        frames.push_back(frame.to_vec());
        stream = rest;
    }
    frames
}

/// Checks one split of a sender. Its state is the frames, and the number of sent bytes of the first.
fn check(
    stream: &[u8],
    split: &Split,
    interruption: Interruption,
    send: fn(&mut Unsent, &mut usize, &mut ChunkWriter) -> io::Result<()>,
) -> Result<(), Violation> {
    let unsent = frames(stream);
    let make = move |mut writer: ChunkWriter| {
        let (mut unsent, mut sent) = (unsent.clone(), 0);
        move || send(&mut unsent, &mut sent, &mut writer)
    };
    let case = Case::new(stream, split.clone()).with(interruption);
    WriterHarness::new(make).resumes().one_split(&case)
}

/// Writes once. An interrupted write is tried again.
fn write(writer: &mut ChunkWriter, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match writer.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Correct: the number of sent bytes is kept outside the call.
fn send(unsent: &mut Unsent, sent: &mut usize, writer: &mut ChunkWriter) -> io::Result<()> {
    while let Some(frame) = unsent.front() {
        *sent += write(writer, &frame[*sent..])?;
        if *sent == frame.len() {
            unsent.pop_front();
            *sent = 0;
        }
    }
    Ok(())
}

fn sender(stream: &[u8], split: &Split, interruption: Interruption) -> Result<(), Violation> {
    check(stream, split, interruption, send)
}

fn ignores_count(unsent: &mut Unsent, _: &mut usize, writer: &mut ChunkWriter) -> io::Result<()> {
    while let Some(frame) = unsent.front() {
        write(writer, frame)?;
        unsent.pop_front();
    }
    Ok(())
}

/// Each write offers as many bytes as the first: the rest of the frame, and what follows it in a
/// larger buffer.
fn keeps_length(unsent: &mut Unsent, sent: &mut usize, writer: &mut ChunkWriter) -> io::Result<()> {
    while let Some(frame) = unsent.front() {
        let buffer = [&frame[..], &[0; 16]].concat();
        while *sent < frame.len() {
            *sent += write(writer, &buffer[*sent..*sent + frame.len()])?;
        }
        unsent.pop_front();
        *sent = 0;
    }
    Ok(())
}

/// The rest of a body is sent as a frame is: after the header.
fn repeats_header(
    unsent: &mut Unsent,
    sent: &mut usize,
    writer: &mut ChunkWriter,
) -> io::Result<()> {
    while let Some(frame) = unsent.front() {
        let (header, body) = frame.split_at(1);
        while *sent < body.len() {
            *sent += write(writer, &[header, &body[*sent..]].concat())? - 1;
        }
        unsent.pop_front();
        *sent = 0;
    }
    Ok(())
}

/// Writes the rest of a header and of a body at once.
fn write_parts(writer: &mut ChunkWriter, parts: [&[u8]; 2]) -> io::Result<usize> {
    loop {
        match writer.write_vectored(&parts.map(IoSlice::new)) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Correct: what is sent is left out, first of the header, then of the body.
fn vectored(unsent: &mut Unsent, sent: &mut usize, writer: &mut ChunkWriter) -> io::Result<()> {
    while let Some(frame) = unsent.front() {
        let (header, body) = frame.split_at(1);
        let of_body = sent.saturating_sub(1);
        *sent += write_parts(writer, [&header[(*sent).min(1)..], &body[of_body..]])?;
        if *sent == frame.len() {
            unsent.pop_front();
            *sent = 0;
        }
    }
    Ok(())
}

/// The part of the body that was sent is kept, instead of the rest.
fn keeps_wrong_part(
    unsent: &mut Unsent,
    sent: &mut usize,
    writer: &mut ChunkWriter,
) -> io::Result<()> {
    while let Some(frame) = unsent.front() {
        let (header, body) = frame.split_at(1);
        let rest = match *sent {
            0 | 1 => body,
            sent => &body[..sent - 1],
        };
        *sent += write_parts(writer, [&header[(*sent).min(1)..], rest])?;
        if *sent >= frame.len() {
            unsent.pop_front();
            *sent = 0;
        }
    }
    Ok(())
}

/// Counts the sent bytes of a frame from the beginning of the call.
fn starts_again(unsent: &mut Unsent, _: &mut usize, writer: &mut ChunkWriter) -> io::Result<()> {
    send(unsent, &mut 0, writer)
}

fn fails_on_interruption(
    unsent: &mut Unsent,
    sent: &mut usize,
    writer: &mut ChunkWriter,
) -> io::Result<()> {
    while let Some(frame) = unsent.front() {
        *sent += writer.write(&frame[*sent..])?;
        if *sent == frame.len() {
            unsent.pop_front();
            *sent = 0;
        }
    }
    Ok(())
}

fn retries_zero(unsent: &mut Unsent, sent: &mut usize, writer: &mut ChunkWriter) -> io::Result<()> {
    loop {
        match send(unsent, sent, writer) {
            Err(error) if error.kind() == ErrorKind::WriteZero => {}
            other => return other,
        }
    }
}

/// Writes frames through a buffer, which a correct sender flushes.
fn buffered<const FLUSHES: bool>(
    stream: &[u8],
    split: &Split,
    interruption: Interruption,
) -> Result<(), Violation> {
    let unsent = frames(stream);
    let make = move |writer| {
        let (mut writer, unsent) = (BufWriter::new(writer), unsent.clone());
        async move || {
            for frame in &unsent {
                writer.write_all(frame).await?;
            }
            if FLUSHES {
                writer.flush().await?;
            }
            Ok::<_, io::Error>(())
        }
    };
    let case = Case::new(stream, split.clone()).with(interruption);
    WriterHarness::new_async(make).one_split(&case)
}

/// Correct: the bytes that are not sent yet are kept outside the future.
fn async_sender(stream: &[u8], split: &Split, interruption: Interruption) -> Result<(), Violation> {
    let unsent = BytesMut::from(stream);
    let make = move |mut writer: AsyncChunkWriter| {
        let mut unsent = unsent.clone();
        async move || {
            while !unsent.is_empty() {
                match writer.write(&unsent).await? {
                    0 => return Err(io::Error::from(ErrorKind::WriteZero)),
                    sent => unsent.advance(sent),
                }
            }
            Ok(())
        }
    };
    let case = Case::new(stream, split.clone()).with(interruption);
    WriterHarness::new_async(make).resumes().one_split(&case)
}

/// A poll that is ready is taken for one that accepted everything.
fn counts_offered(
    stream: &[u8],
    split: &Split,
    interruption: Interruption,
) -> Result<(), Violation> {
    let unsent = BytesMut::from(stream);
    let make = move |mut writer: AsyncChunkWriter| {
        let mut unsent = unsent.clone();
        async move || {
            poll_fn(|context| Pin::new(&mut writer).poll_write(context, &unsent)).await?;
            unsent.clear();
            Ok::<_, io::Error>(())
        }
    };
    let case = Case::new(stream, split.clone()).with(interruption);
    WriterHarness::new_async(make).resumes().one_split(&case)
}

/// A frame leaves the queue before it is sent.
fn keeps_frame_in_its_future(
    stream: &[u8],
    split: &Split,
    interruption: Interruption,
) -> Result<(), Violation> {
    let unsent = frames(stream);
    let make = move |mut writer: AsyncChunkWriter| {
        let mut unsent = unsent.clone();
        async move || {
            while let Some(frame) = unsent.pop_front() {
                writer.write_all(&frame).await?;
            }
            Ok::<_, io::Error>(())
        }
    };
    let case = Case::new(stream, split.clone()).with(interruption);
    WriterHarness::new_async(make).resumes().one_split(&case)
}

/// Every mutant is correct if the writer accepts each write whole and is not interrupted. Only the
/// missing flush shows then, too.
#[test]
fn buggy_senders_pass_when_the_writer_accepts_everything() {
    let stream = b"\x01a\x02bc";
    for send in [
        ignores_count,
        keeps_length,
        repeats_header,
        keeps_wrong_part,
        starts_again,
        fails_on_interruption,
        retries_zero,
    ] {
        check(stream, &Split::whole(), Interruption::None, send).unwrap();
    }
    counts_offered(stream, &Split::whole(), Interruption::None).unwrap();
    keeps_frame_in_its_future(stream, &Split::whole(), Interruption::None).unwrap();
}
