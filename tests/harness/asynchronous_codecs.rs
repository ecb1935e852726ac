//! The codecs of the crate asynchronous-codec, in a [`DecodeFn`]. They are not `Eq`, but those
//! without a state can be made anew for each call, and are proved.

use std::io::ErrorKind;

use asynchronous_codec::{Decoder, Encoder, JsonCodec, JsonCodecError, LengthCodec, LinesCodec};
use bytes::{Bytes, BytesMut};
use everysplit::subject::{Decode, DecodeFn, ErrorsAsFrames};
use everysplit::{CallerBuffered, Deviation, Harness, Property, Tier};
use serde_json::{Value, json};

use crate::assert_not_comparable;

fn encode<E: for<'a> Encoder<Item<'a> = M>, M>(mut codec: E, message: M) -> Vec<u8> {
    let mut output = BytesMut::new();
    assert!(codec.encode(message, &mut output).is_ok());
    output.to_vec()
}

const BODIES: [&str; 3] = ["hello", "", "world"];

/// The caller of a codec reports a stream that ends inside a frame, the codec does not.
#[test]
fn length_codec_passes() {
    let harness = Harness::decoder(|| {
        DecodeFn::new(
            LengthCodec,
            |codec, buffer| codec.decode(buffer).map_err(|error| error.kind()),
            |codec, buffer| codec.decode_eof(buffer).map_err(|error| error.kind()),
        )
    });
    let harness = harness
        .encoder(|body| encode(LengthCodec, body.clone()))
        .declare([Deviation::DiscardsAtEnd])
        .messages(BODIES);
    for stream in harness.all_streams() {
        assert_not_comparable(&harness.check(&stream).unwrap());
    }
}

/// Returns a decoder that calls a fresh [`LengthCodec`] each time, and that reports a stream that
/// ends inside a frame. It leaves `left` bytes of each frame in the buffer.
fn length_decoder(left: usize) -> impl Decode<Frame = Bytes, Error = ErrorKind> + Clone + Eq {
    let decode = move |buffer: &mut BytesMut| {
        let rest = buffer.clone();
        let frame = LengthCodec.decode(buffer).map_err(|error| error.kind())?;
        if frame.is_some() {
            *buffer = rest[rest.len() - buffer.len() - left..].into();
        }
        Ok(frame)
    };
    DecodeFn::new(
        (),
        move |(), buffer| decode(buffer),
        move |(), buffer| match decode(buffer) {
            Ok(None) if !buffer.is_empty() => Err(ErrorKind::UnexpectedEof),
            decoded => decoded,
        },
    )
}

#[test]
fn a_codec_without_a_state_is_proved() {
    let harness = |left| {
        Harness::decoder(move || length_decoder(left))
            .encoder(|body: &Bytes| encode(LengthCodec, body.clone()))
            .messages(BODIES)
            .truncation_error(ErrorKind::UnexpectedEof)
    };
    let correct = harness(0);
    let streams = correct.all_streams();
    for stream in &streams {
        let certificate = correct.check(stream).unwrap();
        assert!(
            matches!(certificate.tier, Tier::Proved { states: 1, .. }),
            "{certificate}"
        );
    }
    let violation = harness(1).check(&streams[1]).unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
}

/// It goes on after a line that is not UTF-8.
#[test]
fn lines_codec_is_proved() {
    let decode = |(): &mut (), buffer: &mut BytesMut| {
        LinesCodec.decode(buffer).map_err(|error| error.kind())
    };
    let harness = Harness::decoder(move || ErrorsAsFrames(DecodeFn::new((), decode, decode)))
        .encoder(|line| encode(LinesCodec, line.clone().unwrap()))
        .declare([Deviation::Resynchronises, Deviation::DiscardsAtEnd])
        .messages(["one\n", "\n", "two\n"].map(|line| Ok(line.to_owned())))
        .frame_bytes(b"\xff\n", 2, Err(ErrorKind::InvalidData));
    for stream in harness.all_streams() {
        let certificate = harness.check(&stream).unwrap();
        assert!(
            matches!(certificate.tier, Tier::Proved { states: 1, .. }),
            "{certificate}"
        );
    }
}

type Json = JsonCodec<Value, Value>;

fn json_harness()
-> Harness<CallerBuffered<impl Decode<Frame = Value, Error = serde_json::error::Category>>> {
    let category = |error: JsonCodecError| match error {
        JsonCodecError::Io(error) => panic!("{error}"),
        JsonCodecError::Json(error) => error.classify(),
    };
    Harness::decoder(move || {
        DecodeFn::new(
            Json::new(),
            move |codec, buffer| codec.decode(buffer).map_err(category),
            move |codec, buffer| codec.decode_eof(buffer).map_err(category),
        )
    })
}

#[test]
fn json_codec_passes_with_objects() {
    let harness = json_harness()
        .encoder(|value| encode(Json::new(), value.clone()))
        .declare([Deviation::DiscardsAtEnd])
        .messages([json!({"a": [1, "}"]}), json!({}), json!({"b": null})]);
    for stream in harness.all_streams() {
        assert_not_comparable(&harness.check(&stream).unwrap());
    }
}

/// A number ends where the next byte is none of its digits, but the codec emits what has arrived of
/// it.
#[test]
fn json_codec_cuts_a_number() {
    let violation = json_harness().check(b"[1]23[4]").unwrap_err();
    assert_eq!(violation.property, Property::EverySplit, "{violation}");
    assert_eq!(violation.case.to_string(), "3000@whole", "{violation}");
}
