//! Serial lines, sensors, navigation and music.

use bytes::BytesMut;
use everysplit::subject::{DecodeFn, FeedFn, Frames, TokioDecoder};
use everysplit::{Deviation, Harness, Verdicts};

use crate::framer::{Family, framer, verdicts};

pub(crate) fn family() -> Family {
    Family {
        title: "Serial lines and sensors",
        source: include_str!("serial.rs"),
        framers: vec![
            framer!("cobs", "CobsDecoderOwned", cobs),
            framer!("postcard", "accumulator::CobsAccumulator", postcard)
                .violates("every_split", "0101010101010100@whole"),
            framer!("slip-codec", "tokio::SlipCodec", slip_codec),
            framer!("sml-rs", "transport::Decoder", sml),
            framer!("ublox", "Parser::consume_ubx", ublox),
            framer!("nmea0183", "Parser", nmea0183),
            framer!("rtcm-rs", "next_msg_frame", rtcm),
            framer!("midly", "stream::MidiStream", midly),
        ],
    }
}

fn cobs() -> Verdicts {
    use cobs::CobsDecoderOwned;
    let feed = |decoder: &mut CobsDecoderOwned, mut bytes: &[u8], frames: &mut Frames<Vec<u8>>| {
        while let Some(report) = decoder.push(bytes).map_err(|error| error.to_string())? {
            frames.push(decoder.dest()[..report.frame_size()].to_vec());
            bytes = &bytes[report.parsed_size()..];
        }
        Ok::<(), String>(())
    };
    let make = move || FeedFn::new(CobsDecoderOwned::new(8), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd, Deviation::CallerStops])
            .streams([
                &b"\x04abc\0\x01\x01\0\x02a\x02b\0"[..],
                b"\x05ab\0",
                b"\x0a123456789\0",
                b"\0\0\x02a\0"
            ])
    )
}

fn postcard() -> Verdicts {
    use postcard::accumulator::{CobsAccumulator, FeedResult};
    type Frame = Result<[u8; 3], &'static str>;
    let feed =
        |accumulator: &mut CobsAccumulator<6>, mut bytes: &[u8], frames: &mut Frames<Frame>| {
            while !bytes.is_empty() {
                bytes = match accumulator.feed::<[u8; 3]>(bytes) {
                    FeedResult::Consumed => break,
                    FeedResult::OverFull(rest) => {
                        frames.push(Err("too long"));
                        rest
                    }
                    FeedResult::DeserError(rest) => {
                        frames.push(Err("invalid"));
                        rest
                    }
                    FeedResult::Success { data, remaining } => {
                        frames.push(Ok(data));
                        remaining
                    }
                };
            }
            Ok::<(), ()>(())
        };
    let make = move || FeedFn::new(CobsAccumulator::new(), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd, Deviation::Resynchronises])
            .streams([
                &b"\x04abc\0\x02a\x02b\0\x04abc\0"[..],
                b"\x0bmuch too long\0\x04abc\0",
                b"\0\x04abc\0"
            ])
    )
}

fn slip_codec() -> Verdicts {
    let codec = || TokioDecoder::new(slip_codec::tokio::SlipCodec::new());
    verdicts!(
        Harness::decoder(move || codec().with_errors(|error| format!("{error:?}")))
            .declare([Deviation::CallerStops, Deviation::DiscardsAtEnd])
            .streams([
                &b"\xc0ab\xc0\xc0\xdb\xdc\xdb\xddc\xc0"[..],
                b"ab",
                b"\xdba\xc0b\xc0",
                b"\xc0\xc0"
            ])
    )
}

fn sml() -> Verdicts {
    use sml_rs::transport::{DecodeErr, Decoder};
    type Frame = Result<Vec<u8>, DecodeErr>;
    let feed = |decoder: &mut Decoder<Vec<u8>>, bytes: &[u8], frames: &mut Frames<Frame>| {
        for &byte in bytes {
            let frame = decoder
                .push_byte(byte)
                .map(|frame| frame.map(<[u8]>::to_vec));
            frames.extend(frame.transpose());
        }
        Ok::<(), DecodeErr>(())
    };
    let finish = |decoder: &mut Decoder<Vec<u8>>, _: &mut Frames<Frame>| {
        decoder.finalize().map_or(Ok(()), Err)
    };
    let make = move || FeedFn::new(Decoder::new(), feed, finish);
    let message = sml_rs::transport::encode::<Vec<u8>>(b"\x12\x34\x56\x1b\x1b\x1b\x1b").unwrap();
    let noise = [&b"?"[..], &message, &message].concat();
    verdicts!(Harness::framer(make).streams([
        noise.clone(),
        message[..12].to_vec(),
        b"\x1b\x1b\x1b\x1b\x01".to_vec()
    ]))
}

/// ACK-ACK, preceded by noise and by the first byte of a header, and the same with a bad checksum.
fn ublox() -> Verdicts {
    type Parser = ublox::Parser<Vec<u8>>;
    let feed = |parser: &mut Parser, bytes: &[u8], packets: &mut Frames<String>| {
        let mut iterator = parser.consume_ubx(bytes);
        while let Some(packet) = iterator.next() {
            packets.push(match packet {
                Ok(packet) => format!("{packet:?}"),
                Err(error) => format!("{error:?}"),
            });
        }
        Ok::<(), ()>(())
    };
    let make = move || {
        FeedFn::new(
            ublox::ParserBuilder::new().with_vec_buffer(),
            feed,
            |_, _| Ok(()),
        )
    };
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams([
                &b"\xb5\x62\x05\x01\x02\0\x06\x01\x0f\x38\xb5\x62\x05\x01\x02\0\x06\x01\x0f\x38"[..],
                b"?\xb5\xb5\x62\x05\x01\x02\0\x06\x01\x0f\x38",
                b"\xb5\x62\x05\x01\x02\0\x06\x01\x0f\x39\xb5\x62\x05\x01\x02\0\x06\x01\x0f\x38",
            ])
    )
}

fn nmea0183() -> Verdicts {
    let feed = |parser: &mut nmea0183::Parser, bytes: &[u8], sentences: &mut Frames<String>| {
        sentences.extend(
            parser
                .parse_from_bytes(bytes)
                .map(|sentence| format!("{sentence:?}")),
        );
        Ok::<(), ()>(())
    };
    let make = move || FeedFn::new(nmea0183::Parser::new(), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams(["$GPGLL,4916.45,N,12311.12,W,225444,A*31\r\n$X*00\r\n?$GPXXX*48\r\n"])
    )
}

fn rtcm() -> Verdicts {
    let decode = |(): &mut (), buffer: &mut BytesMut| {
        let (consumed, frame) = rtcm_rs::next_msg_frame(buffer);
        let frame = frame.map(|frame| frame.data().to_vec());
        let _ = buffer.split_to(consumed);
        Ok::<_, ()>(frame)
    };
    verdicts!(
        Harness::decoder(move || DecodeFn::new((), decode, decode))
            .declare([Deviation::DiscardsAtEnd])
            .streams([
                &b"\xd3\0\x04L\xe0\0\x80\xed\xed\xd6?\xd3\0\0\x47\xea\x4b"[..],
                b"\xd3\0\x04L\xe0\0\x80\xed\xed\xd7\xd3\0\x04L\xe0\0\x80\xed\xed\xd6",
                b"\xd3\xff\xd3\0\x04L\xe0\0\x80\xed\xed\xd6",
            ])
    )
}

fn midly() -> Verdicts {
    use midly::stream::MidiStream;
    let feed = |stream: &mut MidiStream, bytes: &[u8], events: &mut Frames<String>| {
        stream.feed(bytes, |event| events.push(format!("{event:?}")));
        Ok::<(), ()>(())
    };
    let finish = |stream: &mut MidiStream, events: &mut Frames<String>| {
        stream.flush(|event| events.push(format!("{event:?}")));
        Ok(())
    };
    let make = move || FeedFn::new(MidiStream::new(), feed, finish);
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams([
                &b"\x90\x40\x7f\x41\xf8\0\xf0\x01\x02\xf7\xc1\x05\xf1\x01"[..],
                b"\xf0\x01",
                b"\x40\xf7\x90\x40"
            ])
    )
}
