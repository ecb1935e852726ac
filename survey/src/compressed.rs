//! Compression, archives and images.

use std::io::{self, ErrorKind, Read, Write};

use everysplit::subject::{ChunkReader, FeedFn, Frames, Queue};
use everysplit::{Deviation, Harness, Verdicts};

use crate::framer::{Family, framer, verdicts};

pub(crate) fn family() -> Family {
    Family {
        title: "Compression, archives and images",
        source: include_str!("compressed.rs"),
        framers: vec![
            framer!("flate2", "write::GzDecoder", flate2_gzip),
            framer!("flate2", "Decompress", flate2),
            framer!("lz4_flex", "frame::FrameDecoder", lz4_flex)
                .violates("truncation", "00000000@whole"),
            framer!("ruzstd", "StreamingDecoder", ruzstd),
            framer!("snap", "read::FrameDecoder", snap),
            framer!("lzma-rs", "decompress::Stream", lzma_rs),
            framer!("weezl", "decode::Decoder", weezl),
            framer!("tar", "Archive::entries", tar).violates("interrupted", "@whole+interrupted"),
            framer!("png", "StreamingDecoder", png),
            framer!("gif", "streaming_decoder::StreamingDecoder", gif),
        ],
    }
}

const TEXT: &[u8] = b"abcabcabcabcabcabc, and what does not repeat";

/// Compresses with what implements `Write`.
fn compressed<W>(mut encoder: W, finish: impl FnOnce(W) -> io::Result<Vec<u8>>) -> Vec<u8>
where
    W: Write,
{
    encoder.write_all(TEXT).unwrap();
    finish(encoder).unwrap()
}

/// Returns a stream whole, twice, and truncated.
fn variants(stream: &[u8]) -> [Vec<u8>; 3] {
    [
        stream.to_vec(),
        stream.repeat(2),
        stream[..stream.len() - 1].to_vec(),
    ]
}

/// Reads one byte.
fn byte(reader: &mut impl Read) -> Result<Option<u8>, ErrorKind> {
    reader
        .bytes()
        .next()
        .transpose()
        .map_err(|error| error.kind())
}

fn flate2_gzip() -> Verdicts {
    use flate2::write::{GzDecoder, GzEncoder};
    let stream = compressed(
        GzEncoder::new(Vec::new(), flate2::Compression::new(6)),
        GzEncoder::finish,
    );
    let feed = |decoder: &mut GzDecoder<Vec<u8>>, bytes: &[u8], output: &mut Frames<u8>| {
        let written = decoder.write_all(bytes).and_then(|()| decoder.flush());
        output.extend(decoder.get_mut().drain(..));
        written.map_err(|error| error.kind())
    };
    let finish = |decoder: &mut GzDecoder<Vec<u8>>, output: &mut Frames<u8>| {
        let finished = decoder.try_finish();
        output.extend(decoder.get_mut().drain(..));
        finished.map_err(|error| error.kind())
    };
    let make = move || FeedFn::new(GzDecoder::new(Vec::new()), feed, finish);
    verdicts!(
        Harness::framer(make)
            // The checksum at the end belongs to no byte.
            .declare([Deviation::CallerStops, Deviation::BytesBetweenFrames])
            .streams([stream.clone(), stream[..stream.len() - 1].to_vec()])
    )
}

fn flate2() -> Verdicts {
    use flate2::{Decompress, FlushDecompress, Status, write::ZlibEncoder};
    let stream = compressed(
        ZlibEncoder::new(Vec::new(), flate2::Compression::new(6)),
        ZlibEncoder::finish,
    );
    let feed = |decoder: &mut Decompress, mut bytes: &[u8], output: &mut Frames<u8>| {
        loop {
            let (read, mut buffer) = (decoder.total_in(), Vec::with_capacity(16));
            let status = decoder.decompress_vec(bytes, &mut buffer, FlushDecompress::None);
            bytes = &bytes[usize::try_from(decoder.total_in() - read).unwrap()..];
            let full = buffer.len() == buffer.capacity();
            output.extend(buffer);
            match status {
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(_) if bytes.is_empty() && !full => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    };
    let make = move || FeedFn::new(Decompress::new(true), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::CallerStops, Deviation::DiscardsAtEnd])
            .streams(variants(&stream))
    )
}

fn lz4_flex() -> Verdicts {
    use lz4_flex::frame::{FrameDecoder, FrameEncoder};
    let stream = compressed(FrameEncoder::new(Vec::new()), |encoder| {
        Ok(encoder.finish().unwrap())
    });
    verdicts!(
        Harness::owning_reader(FrameDecoder::<Queue>::new, byte)
            .declare([Deviation::NotResumable, Deviation::CallerStops])
            .streams(variants(&stream))
    )
}

fn ruzstd() -> Verdicts {
    use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    type State = (Option<Queue>, Option<StreamingDecoder<Queue, FrameDecoder>>);
    let stream = compress_to_vec(TEXT, CompressionLevel::Fastest);
    verdicts!(
        Harness::owning_reader(
            |queue| (Some(queue), None),
            |(queue, decoder): &mut State| {
                if let Some(queue) = queue.take() {
                    *decoder = StreamingDecoder::new(queue).ok();
                }
                byte(decoder.as_mut().ok_or(ErrorKind::InvalidData)?)
            }
        )
        .declare([Deviation::NotResumable, Deviation::CallerStops])
        .streams([stream.clone(), stream[..stream.len() - 1].to_vec()])
    )
}

fn snap() -> Verdicts {
    use snap::{read::FrameDecoder, write::FrameEncoder};
    let stream = compressed(FrameEncoder::new(Vec::new()), |encoder| {
        Ok(encoder.into_inner().unwrap())
    });
    verdicts!(
        Harness::owning_reader(FrameDecoder::<Queue>::new, byte)
            .declare([Deviation::NotResumable, Deviation::CallerStops])
            .streams(variants(&stream))
    )
}

fn lzma_rs() -> Verdicts {
    use lzma_rs::decompress::Stream;
    let mut stream = Vec::new();
    lzma_rs::lzma_compress(&mut &TEXT[..], &mut stream).unwrap();
    let feed =
        |decoder: &mut Option<Stream<Vec<u8>>>, bytes: &[u8], _: &mut Frames<u8>| match decoder {
            Some(decoder) => decoder.write_all(bytes).map_err(|error| error.to_string()),
            None => Ok(()),
        };
    // The output is complete at the end only.
    let finish = |decoder: &mut Option<Stream<Vec<u8>>>, output: &mut Frames<u8>| {
        if let Some(decoder) = decoder.take() {
            output.extend(decoder.finish().map_err(|error| error.to_string())?);
        }
        Ok(())
    };
    let make = move || FeedFn::new(Some(Stream::new(Vec::new())), feed, finish);
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::CallerStops])
            .streams([
                stream.clone(),
                stream[..stream.len() - 1].to_vec(),
                stream[..5].to_vec()
            ])
    )
}

fn weezl() -> Verdicts {
    use weezl::{BitOrder, LzwStatus, decode::Decoder, encode::Encoder};
    let stream = Encoder::new(BitOrder::Msb, 8).encode(TEXT).unwrap();
    let feed = |decoder: &mut Decoder, mut bytes: &[u8], output: &mut Frames<u8>| {
        loop {
            let mut buffer = [0; 16];
            let result = decoder.decode_bytes(bytes, &mut buffer);
            bytes = &bytes[result.consumed_in..];
            output.extend(buffer[..result.consumed_out].iter().copied());
            match result.status.map_err(|error| error.to_string())? {
                LzwStatus::Ok => {}
                LzwStatus::NoProgress | LzwStatus::Done => return Ok(()),
            }
        }
    };
    let make = move || {
        FeedFn::new(Decoder::new(BitOrder::Msb, 8), feed, |_, _| {
            Ok::<(), String>(())
        })
    };
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::CallerStops, Deviation::DiscardsAtEnd])
            .streams(variants(&stream))
    )
}

fn tar() -> Verdicts {
    type Files = Vec<(String, Vec<u8>)>;
    fn read(reader: &mut ChunkReader<'_>) -> io::Result<Files> {
        let mut files = Vec::new();
        for entry in tar::Archive::new(reader).entries()? {
            let (mut entry, mut body) = (entry?, Vec::new());
            entry.read_to_end(&mut body)?;
            files.push((entry.path()?.display().to_string(), body));
        }
        Ok(files)
    }
    let mut archive = tar::Builder::new(Vec::new());
    for (path, body) in [("a", &b"body"[..]), ("b", b"")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(body.len() as u64);
        header.set_cksum();
        archive.append_data(&mut header, path, body).unwrap();
    }
    let stream = archive.into_inner().unwrap();
    verdicts!(
        Harness::reader(|| {
            let mut is_read = false;
            move |reader: &mut ChunkReader<'_>| {
                if std::mem::replace(&mut is_read, true) {
                    let rest = io::copy(reader, &mut io::sink());
                    return rest.map(|_| None::<Files>).map_err(|error| error.kind());
                }
                read(reader).map(Some).map_err(|error| error.kind())
            }
        })
        .declare([
            Deviation::NotResumable,
            Deviation::CallerStops,
            Deviation::BytesBetweenFrames
        ])
        .streams([stream.clone(), stream[..600].to_vec()])
    )
}

/// Feeds a decoder of images that returns how many bytes it took, and what it decoded.
fn update<D, E: std::fmt::Display>(
    mut bytes: &[u8],
    frames: &mut Frames<String>,
    mut update: impl FnMut(&[u8]) -> Result<(usize, D), E>,
    shown: impl Fn(D) -> Option<String>,
) -> Result<(), String> {
    while !bytes.is_empty() {
        let (read, decoded) = update(bytes).map_err(|error| error.to_string())?;
        frames.extend(shown(decoded));
        bytes = &bytes[read..];
    }
    Ok(())
}

fn png() -> Verdicts {
    use png::{Decoded, StreamingDecoder};
    let mut stream = Vec::new();
    let mut encoder = png::Encoder::new(&mut stream, 2, 2);
    encoder.add_text_chunk("Title".into(), "a".into()).unwrap();
    encoder
        .write_header()
        .unwrap()
        .write_image_data(b"\x01\x02\x03\x04")
        .unwrap();
    let feed = |decoder: &mut StreamingDecoder, bytes: &[u8], frames: &mut Frames<String>| {
        update(
            bytes,
            frames,
            |bytes| decoder.update(bytes, None),
            |decoded| match decoded {
                Decoded::Nothing | Decoded::ImageData => None,
                decoded => Some(format!("{decoded:?}")),
            },
        )
    };
    let make = move || FeedFn::new(StreamingDecoder::new(), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::CallerStops, Deviation::DiscardsAtEnd])
            .streams([stream.clone(), b"\x89PNX".to_vec()])
    )
}

fn gif() -> Verdicts {
    use gif::streaming_decoder::{Decoded, OutputBuffer, StreamingDecoder};
    let mut stream = Vec::new();
    let mut encoder = gif::Encoder::new(&mut stream, 2, 2, &[0, 0, 0, 255, 255, 255]).unwrap();
    encoder
        .write_frame(&gif::Frame::from_indexed_pixels(
            2,
            2,
            vec![0, 1, 1, 0],
            None,
        ))
        .unwrap();
    drop(encoder);
    let feed = |decoder: &mut StreamingDecoder, bytes: &[u8], frames: &mut Frames<String>| {
        update(
            bytes,
            frames,
            |bytes| decoder.update(bytes, &mut OutputBuffer::Slice(&mut [0; 4])),
            |decoded| match decoded {
                // Pixels may come in pieces.
                Decoded::Nothing | Decoded::BytesDecoded(_) => None,
                decoded => Some(format!("{decoded:?}")),
            },
        )
    };
    let make = move || FeedFn::new(StreamingDecoder::new(), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::CallerStops, Deviation::DiscardsAtEnd])
            .streams([stream.clone(), b"GIF88a".to_vec()])
    )
}
