//! Tests the `length_field` format: every split of short streams under every kind of setting,
//! tokio-util's decoder as a second oracle, and the encoders.
//! `mutants.rs` shows that these checks find bugs.

use bytes::{Bytes, BytesMut};
use everysplit::reference::ByteOrder;
use everysplit::{Outcome, check_encoder};
use everysplit_formats::fuzzing::Format;
use everysplit_formats::length_field::{
    DecodeError, Decoder, EncodeError, LengthField, Sign, Width, naive,
};
use tokio_util::codec::{Decoder as _, LengthDelimitedCodec};

use crate::support::{BYTE_ORDERS, strings};

/// Returns fields of all widths, orders and signs, that count more and less than what follows.
fn fields() -> impl Iterator<Item = LengthField> {
    let widths = Width::ALL.into_iter();
    let orders = widths.flat_map(|width| BYTE_ORDERS.map(|order| (width, order)));
    let signs = orders
        .flat_map(|(width, order)| [Sign::Unsigned, Sign::Signed].map(|sign| (width, order, sign)));
    signs.flat_map(|(width, byte_order, sign)| {
        let header = u16::from(width.bytes());
        let settings = [
            (0, 0, header),
            (1, 0, 0),
            (0, -i32::from(header), header),
            (1, -1, header),
            (0, 1, header + 2),
        ];
        settings.map(|(offset, adjustment, strip)| LengthField {
            offset,
            width,
            byte_order,
            sign,
            adjustment,
            strip,
            max_size: 2,
        })
    })
}

/// Streams of up to nine bytes.
#[test]
fn every_split_of_every_short_stream() {
    let mut count = 0;
    for field in fields() {
        let harness = Format::LengthField(field).harness();
        // Without the bytes of a wide field that are always 0.
        let zeros = vec![0; usize::from(field.width.bytes()).saturating_sub(3)];
        for tail in (0..=4).flat_map(|len| strings(&[0, 2, 255], len)) {
            let stream = match field.byte_order {
                ByteOrder::Little if !tail.is_empty() => [&tail[..1], &zeros, &tail[1..]].concat(),
                _ => [&zeros[..], &tail].concat(),
            };
            harness.check(&stream).unwrap();
            count += 1;
        }
    }
    assert!(count > 10_000, "{count}");
}

/// tokio-util's decoder emits the same messages. Its limit is about the field, so it has none here.
#[test]
fn tokio_util_decodes_the_same_messages() {
    let mut compared = 0;
    for field in fields() {
        if field.sign == Sign::Signed || field.width == Width::Eight {
            continue;
        }
        let field = LengthField {
            max_size: u64::MAX,
            ..field
        };
        for stream in (0..=6).flat_map(|len| strings(&[0, 1, 3], len)) {
            // There, the adjusted length is that of the message.
            let header = field.adjustment + i32::try_from(field.header_size()).unwrap();
            let adjustment = (header - i32::from(field.strip)).try_into().unwrap();
            let mut builder = LengthDelimitedCodec::builder();
            builder
                .length_field_offset(field.offset.into())
                .length_field_length(field.width.bytes().into())
                .length_adjustment(adjustment)
                .num_skip(field.strip.into())
                .max_frame_length(usize::MAX);
            match field.byte_order {
                ByteOrder::Little => builder.little_endian(),
                ByteOrder::Big => builder.big_endian(),
            };
            let (mut codec, mut buffer) = (builder.new_codec(), BytesMut::from(&stream[..]));
            let expected = naive::parse(field, &stream).frames;
            for (_, message) in &expected {
                let decoded = codec.decode(&mut buffer).unwrap().unwrap();
                assert_eq!(decoded, message, "{field:?} {stream:?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 10_000, "{compared}");
}

#[test]
fn encoders_agree_and_write_what_is_decoded() {
    let mut written = 0;
    for field in fields() {
        for (before, after) in [0, 1, 2]
            .into_iter()
            .flat_map(|before| (0..12).map(move |after| (before, after)))
        {
            let (before, after) = (vec![7; before], vec![8; after]);
            let expected = naive::encode(field, &before, &after);
            let borrowed = expected.as_deref().map_err(|error| *error);
            check_encoder(|output| field.encode(&before, &after, output), borrowed).unwrap();
            if let Ok(frame) = expected {
                let frames = naive::parse(field, &frame).frames;
                let message = Bytes::copy_from_slice(&frame[field.strip.into()..]);
                assert_eq!(frames, [(frame.len(), message)], "{field:?}");
                written += 1;
            }
        }
    }
    assert!(written > 100, "{written}");
}

const FIELD: LengthField = LengthField {
    adjustment: -4,
    max_size: 5,
    ..LengthField::new(2, Width::Two)
};

#[test]
fn errors_are_decided_by_the_length_field() {
    let decode = |bytes: &[u8]| Decoder::new(FIELD).decode(&mut BytesMut::from(bytes));
    let (offset, max) = (0, 5);
    assert_eq!(decode(b"!!\0"), Ok(None));
    assert_eq!(decode(b"!!\0\x09"), Ok(None));
    let too_large = DecodeError::TooLarge {
        offset,
        length: 10,
        max,
    };
    assert_eq!(decode(b"!!\0\x0a"), Err(too_large));
    let too_short = DecodeError::TooShort { offset, length: 3 };
    assert_eq!(decode(b"!!\0\x03"), Err(too_short));
    let (size, max) = (6, 5);
    let mut output = BytesMut::new();
    let error = EncodeError::TooLarge { size, max };
    assert_eq!(FIELD.encode(b"!!", b"123456", &mut output), Err(error));
    let error = EncodeError::Before { size: 1, offset: 2 };
    assert_eq!(FIELD.encode(b"!", b"", &mut output), Err(error));
    assert_eq!(output, "");
}

/// Of 8 bytes, every length is possible, and none overflows.
#[test]
fn the_largest_lengths_do_not_overflow() {
    for (sign, adjustment) in [(Sign::Unsigned, i32::MAX), (Sign::Signed, i32::MIN)] {
        let field = LengthField {
            sign,
            adjustment,
            offset: u16::MAX,
            strip: 0,
            max_size: u64::MAX,
            ..LengthField::new(0, Width::Eight)
        };
        for number in [0, 1, i64::MAX.cast_unsigned(), 1 << 63, u64::MAX] {
            let stream = [&vec![0; 0xffff][..], &number.to_be_bytes()].concat();
            let expected = naive::parse(field, &stream);
            let mut buffer = BytesMut::from(&stream[..]);
            let decoded = Decoder::new(field).decode_eof(&mut buffer);
            let error = match expected.outcome {
                Outcome::Truncated(error) | Outcome::Rejected { error, .. } => error,
                Outcome::Clean => unreachable!(),
            };
            assert_eq!(decoded, Err(error), "{number}");
        }
    }
}

#[test]
fn the_largest_length_and_message_fit_in_the_field() {
    for (width, sign, max_length) in [
        (Width::One, Sign::Unsigned, 0xff),
        (Width::One, Sign::Signed, 0x7f),
        (Width::Three, Sign::Unsigned, 0xff_ffff),
        (Width::Three, Sign::Signed, 0x7f_ffff),
        (Width::Eight, Sign::Unsigned, u64::MAX),
        (Width::Eight, Sign::Signed, u64::MAX >> 1),
    ] {
        let field = LengthField {
            sign,
            max_size: u64::MAX,
            ..LengthField::new(2, width)
        };
        assert_eq!(field.max_length(), max_length);
        assert_eq!(field.max_message(), max_length);
        // With one byte more before the body, and three that are no longer stripped.
        let field = LengthField {
            adjustment: 1,
            strip: field.strip - 3,
            ..field
        };
        assert_eq!(field.max_message(), max_length.saturating_add(4));
    }
}

#[test]
fn the_field_limits_a_message_without_a_size_limit() {
    for (sign, max_length) in [(Sign::Unsigned, 255), (Sign::Signed, 127)] {
        for (adjustment, strip) in [(0, 2), (0, 1), (3, 2), (-1, 0)] {
            let field = LengthField {
                sign,
                adjustment,
                strip,
                max_size: u64::MAX,
                ..LengthField::new(1, Width::One)
            };
            let encode = |size| {
                let (mut output, body) = (BytesMut::new(), vec![7; size]);
                let encoded = field.encode(b"!", &body, &mut output);
                let encoded = encoded.map(|()| output.to_vec());
                assert_eq!(encoded, naive::encode(field, b"!", &body));
                encoded
            };
            let largest = usize::try_from(max_length + adjustment).unwrap();
            let length = u8::try_from(max_length).unwrap();
            assert_eq!(encode(largest).unwrap()[..3], [b'!', length, 7]);
            let max = 2 + largest - usize::from(strip);
            let (size, max) = (max + 1, max as u64);
            let error = EncodeError::TooLarge { size, max };
            assert_eq!(encode(largest + 1), Err(error));
        }
    }
}

#[test]
fn a_length_has_the_bytes_of_its_order() {
    for (byte_order, digits) in [(ByteOrder::Big, [1, 2]), (ByteOrder::Little, [2, 1])] {
        let field = LengthField {
            byte_order,
            ..LengthField::new(0, Width::Two)
        };
        let (mut output, body) = (BytesMut::new(), [7; 0x102]);
        field.encode(b"", &body, &mut output).unwrap();
        assert_eq!(output[..2], digits);
        assert_eq!(naive::encode(field, b"", &body).unwrap(), output);
    }
}

#[test]
fn edges_are_the_field_boundaries() {
    let edges = |stream| naive::edges(FIELD, stream);
    assert_eq!(edges(b""), [0]);
    assert_eq!(edges(b"!!\0"), [0, 2]);
    assert_eq!(edges(b"!!\0\x05a!!\0\x04!"), [0, 2, 4, 5, 7, 9]);
    assert_eq!(edges(b"!!\0\x05a!!\0\x05"), [0, 2, 4, 5, 7, 9]);
}

#[test]
fn error_messages_say_what_to_do() {
    let (offset, length) = (20, 3);
    assert_eq!(
        DecodeError::Negative { offset, length: -3 }.to_string(),
        "length -3 of the frame at offset 20 is negative: \
         check the sign and the byte order of the length field"
    );
    assert_eq!(
        DecodeError::TooShort { offset, length }.to_string(),
        "length 3 of the frame at offset 20 is less than its header: \
         check the adjustment, and how many bytes are stripped"
    );
    let max = 2;
    assert_eq!(
        DecodeError::TooLarge {
            offset,
            length,
            max
        }
        .to_string(),
        "length 3 of the frame at offset 20 is over the limit of 2 bytes for a message: \
         check the byte order, or raise max_size to accept larger messages"
    );
    let (received, due) = (5, 9);
    assert_eq!(
        DecodeError::Truncated {
            offset,
            received,
            due
        }
        .to_string(),
        "stream ended inside the frame at offset 20: received 5 of at least 9 bytes; \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        EncodeError::Before { size: 1, offset: 2 }.to_string(),
        "1 bytes before the length, and its offset is 2: give exactly 2"
    );
    assert_eq!(
        EncodeError::TooShort { size: 3 }.to_string(),
        "frame of 3 bytes is too short for the adjustment, or for the bytes to strip: \
         add bytes after the length"
    );
    assert_eq!(
        EncodeError::TooLarge { size: 3, max }.to_string(),
        "message of 3 bytes is over the limit of 2 bytes: \
         send it in several messages, or raise max_size or the width at both ends"
    );
}

#[test]
fn the_default_limit_is_8_mib() {
    assert_eq!(LengthField::new(0, Width::Four).max_size, 8_388_608);
}
