//! Lengths before bodies, in many encodings.

use std::io::ErrorKind;

use asynchronous_codec::Decoder as _;
use bytes::{Buf, Bytes};
use everysplit::subject::{AnyError, DecodeFn, Queue, TokioDecoder};
use everysplit::{Deviation, Harness, Verdicts};
use tokio_util::codec::LengthDelimitedCodec;
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::framer::{Family, framer, verdicts};

pub(crate) fn family() -> Family {
    Family {
        title: "Lengths before bodies",
        source: include_str!("lengths.rs"),
        framers: vec![
            framer!("tokio-util", "LengthDelimitedCodec", length_delimited)
                .violates("truncation", "00000005@whole"),
            framer!("asynchronous-codec", "LengthCodec", asynchronous_length),
            framer!("asynchronous-codec", "JsonCodec", asynchronous_json),
            framer!("asynchronous-codec", "CborCodec", asynchronous_cbor),
            framer!("unsigned-varint", "UviBytes", uvi_bytes),
            framer!("prost", "decode_length_delimiter", prost),
            framer!("protobuf", "CodedInputStream", protobuf),
            framer!("minicbor-io", "AsyncReader", minicbor_io),
            framer!("minicbor-io", "Reader", minicbor_io_blocking),
            framer!("rmpv", "decode::read_value", rmpv),
            framer!("capnp", "serialize::try_read_message", capnp),
        ],
    }
}

fn length_delimited() -> Verdicts {
    let codec = || {
        LengthDelimitedCodec::builder()
            .max_frame_length(8)
            .new_codec()
    };
    let decoder = move || TokioDecoder::new(codec()).with_frames(bytes::BytesMut::freeze);
    verdicts!(
        Harness::decoder(decoder)
            .encoder(
                |body: &Bytes| [&u32::try_from(body.len()).unwrap().to_be_bytes(), &body[..]]
                    .concat()
            )
            .truncation_error(AnyError::ANY)
            .messages([&b"hello"[..], b"", b"world"])
            .declare([Deviation::CallerStops])
            .size_limit(8, |len| vec![b'x'; len].into(), 4, AnyError::ANY)
    )
}

/// Takes a codec of asynchronous-codec without state.
macro_rules! decode {
    ($codec:expr) => {
        DecodeFn::new(
            (),
            |(), bytes| $codec.decode(bytes).map_err(|error| AnyError::new(&error)),
            |(), bytes| {
                $codec
                    .decode_eof(bytes)
                    .map_err(|error| AnyError::new(&error))
            },
        )
    };
}

fn asynchronous_length() -> Verdicts {
    verdicts!(
        Harness::decoder(|| decode!(asynchronous_codec::LengthCodec))
            .declare([Deviation::DiscardsAtEnd])
            .streams([
                &b"\0\0\0\0\0\0\0\x02ok\0\0\0\0\0\0\0\0"[..],
                b"\0\0\0\0\0\0\0\x02o"
            ])
    )
}

fn asynchronous_json() -> Verdicts {
    type Codec = asynchronous_codec::JsonCodec<(), Vec<String>>;
    verdicts!(
        Harness::decoder(|| decode!(Codec::new()))
            .declare([Deviation::DiscardsAtEnd, Deviation::CallerStops])
            .streams(["[\"a\",\"\u{e4}\"] []\n[\"b\"]", "[\"a\"", "[1]", "[]"])
    )
}

fn asynchronous_cbor() -> Verdicts {
    type Codec = asynchronous_codec::CborCodec<(), Vec<String>>;
    verdicts!(
        Harness::decoder(|| decode!(Codec::new()))
            .declare([Deviation::DiscardsAtEnd, Deviation::CallerStops])
            .streams([
                &b"\x82\x61a\x62\xc3\xa4\x80\x81\x61b"[..],
                b"\x82\x61a",
                b"\x81\x01"
            ])
    )
}

fn uvi_bytes() -> Verdicts {
    let codec = || {
        let mut codec = unsigned_varint::codec::UviBytes::<Bytes>::default();
        codec.set_max_len(300);
        codec
    };
    let decoder = move || TokioDecoder::new(codec()).with_frames(bytes::BytesMut::freeze);
    let long = [&b"\xac\x02"[..], &[b'x'; 300]].concat();
    verdicts!(
        Harness::decoder(decoder)
            // It reserves a frame as soon as its length is in, up to the limit.
            .declare([Deviation::CallerStops, Deviation::Preallocates(512)])
            .streams([
                b"\x02ok\0\x05hello".to_vec(),
                long.clone(),
                b"\xad\x02x".to_vec(),
                b"\xff\xff".to_vec(),
                vec![0x80; 11]
            ])
    )
}

fn prost() -> Verdicts {
    fn parse(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
        let mut rest = bytes;
        let length = match prost::decode_length_delimiter(&mut rest) {
            Ok(length) => length,
            // As the documentation of the function says.
            Err(_) if bytes.len() < 10 => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let header = bytes.len() - rest.remaining();
        Ok(rest
            .get(..length)
            .map(|body| (body.to_vec(), header + length)))
    }
    verdicts!(Harness::parser(parse, "truncated".into()).streams([
        &b"\x02ok\0\x85\0hello"[..],
        &[0xff; 12],
        b"\x03ok"
    ]))
}

fn protobuf() -> Verdicts {
    fn parse(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
        let mut input = protobuf::CodedInputStream::from_bytes(bytes);
        let body = input.read_bytes();
        match body {
            Ok(body) => Ok(Some((body, usize::try_from(input.pos()).unwrap()))),
            Err(error) if error.to_string().contains("EOF") => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
    verdicts!(Harness::parser(parse, "truncated".into()).streams([
        &b"\x02ok\0\x85\0hello"[..],
        &[0xff; 12],
        b"\x03ok"
    ]))
}

const CBOR: [&[u8]; 5] = [
    b"\0\0\0\x04\x63one\0\0\0\x01\x60\0\0\0\x04\x63two",
    b"\0\0\0\x04\x63o",
    b"\0\0",
    b"\xff\xff\xff\xff",
    b"\0\0\0\x01\x01",
];

fn minicbor_io() -> Verdicts {
    verdicts!(
        Harness::owning_async_reader(
            |queue| minicbor_io::AsyncReader::new(queue.compat()),
            async |reader| {
                let text = reader.read::<String>().await;
                text.map_err(|error| error.to_string())
            },
        )
        .declare([Deviation::CallerStops])
        .streams(CBOR)
    )
}

fn minicbor_io_blocking() -> Verdicts {
    verdicts!(
        Harness::owning_reader(minicbor_io::Reader::<Queue>::new, |reader| {
            reader.read::<String>().map_err(|error| error.to_string())
        })
        .declare([Deviation::NotResumable, Deviation::CallerStops])
        .streams(CBOR)
    )
}

fn rmpv() -> Verdicts {
    fn parse(bytes: &[u8]) -> Result<Option<(rmpv::Value, usize)>, ErrorKind> {
        let mut rest = bytes;
        match rmpv::decode::read_value(&mut rest) {
            Ok(value) => Ok(Some((value, bytes.len() - rest.len()))),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error.kind()),
        }
    }
    verdicts!(Harness::parser(parse, ErrorKind::UnexpectedEof).streams([
        &b"\x93\x01\xa2ok\xc0\xcd\x01\x02\x81\xa1a\xc4\x02hi"[..],
        b"\xc1",
        b"\xdb\0\0"
    ]))
}

fn capnp() -> Verdicts {
    verdicts!(
        Harness::owning_reader(
            |queue| queue,
            |queue| {
                let message = capnp::serialize::try_read_message(queue, Default::default());
                let message = message.map_err(|error| error.kind)?;
                Ok::<_, capnp::ErrorKind>(message.map(|it| {
                    let segments = it.into_segments();
                    capnp::message::ReaderSegments::get_segment(&segments, 0).map(<[u8]>::to_vec)
                }))
            }
        )
        .declare([Deviation::NotResumable, Deviation::CallerStops])
        .streams([
            &b"\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..],
            b"\0\0\0\0\x01",
            b"\xff\xff\xff\xff\0\0\0\0"
        ])
    )
}
