//! The golden vectors, written by CPython, and the captures, recorded from the original programs.
//! Checks every frame, the offset at which it is complete, how the stream ends and where it is
//! rejected.

use everysplit::reference::fuzzing::harness;
use everysplit::reference::{ByteOrder, Config, DecodeError, Frame, Framer, Walk, naive};
use everysplit::{Case, Expected, Harness, Outcome, Split};

/// Returns the byte-by-byte split and every split of up to two cuts.
fn splits(len: usize) -> impl Iterator<Item = Split> {
    [Split::bytes(len)].into_iter().chain(Split::up_to(len, 2))
}

#[test]
fn naive_parses_the_vectors() {
    for vector in crate::common::vectors() {
        let parsed = naive::parse(vector.config(), &vector.stream);
        assert_eq!(parsed, vector.expected(), "{}", vector.name);
    }
}

#[test]
fn the_framer_decodes_the_vectors() {
    for vector in crate::common::vectors() {
        let (config, expected) = (vector.config(), vector.expected());
        let harness =
            Harness::framer(move || Framer::new(config)).oracle(move |_: &[u8]| expected.clone());
        for split in splits(vector.stream.len()) {
            let case = Case::new(&vector.stream[..], split);
            if let Err(violation) = harness.one_split(&case) {
                panic!("{}: {violation}", vector.name);
            }
        }
    }
}

#[test]
fn the_walk_decodes_the_vectors() {
    for vector in crate::common::vectors() {
        let expected = vector.expected();
        let mut walk = Walk::new(vector.config(), &vector.stream);
        for (end, frame) in &expected.frames {
            let walked = walk.next_frame().unwrap().map(Frame::from);
            assert_eq!(walked.as_ref(), Some(frame), "{}", vector.name);
            assert_eq!(vector.stream.len() - walk.rest().len(), *end);
        }
        let (next, end) = match expected.outcome {
            Outcome::Clean => (Ok(None), Ok(())),
            Outcome::Truncated(error) => (Ok(None), Err(error)),
            Outcome::Rejected { error, .. } => (Err(error), Err(error)),
        };
        assert_eq!(walk.next_frame(), next, "{}", vector.name);
        assert_eq!(walk.next_frame(), next, "{}", vector.name);
        assert_eq!(walk.finish(), end, "{}", vector.name);
    }
}

#[test]
fn naive_encodes_the_vectors_as_cpython_did() {
    for vector in crate::common::vectors() {
        let mut written = Vec::new();
        for (end, frame) in &vector.expected().frames {
            written.extend(naive::encode(vector.config(), frame).unwrap());
            assert_eq!(written.len(), *end);
        }
        assert!(vector.stream.starts_with(&written), "{}", vector.name);
    }
}

/// Checks the framer on a capture, in the recorded chunks and in every split of [`splits`], and
/// returns the expected result.
fn frames(name: &str, config: Config) -> Expected<Frame, DecodeError> {
    let capture = crate::common::capture(name);
    let stream = capture.stream();
    let expected = naive::parse(config, &stream);
    let recorded = capture.chunks().scan(0, |end, chunk| {
        *end += chunk.len();
        Some(*end)
    });
    for split in splits(stream.len()).chain([Split::new(recorded)]) {
        let harness = harness(move || Framer::new(config), config);
        harness.one_split(&Case::new(&stream[..], split)).unwrap();
    }
    expected
}

fn fields(frame: &Frame) -> (u32, u32, &[u8]) {
    (frame.cmd, frame.recv, &frame.body)
}

#[test]
fn client_sends_one_frame() {
    let config = crate::common::capture("client-param").config();
    assert_eq!(config.byte_order, ByteOrder::Little);
    let Expected {
        frames, outcome, ..
    } = frames("client-param", config);
    let [(180, frame)] = &frames[..] else {
        panic!("{frames:?}");
    };
    assert_eq!((frame.cmd, frame.recv, frame.body.len()), (3, 1, 168));
    assert!(frame.body.starts_with(b"{\"type\": \"PARAM\", "));
    assert_eq!(outcome, Outcome::Clean);
}

#[test]
fn original_test_sends_four_frames_in_network_order() {
    let config = crate::common::capture("testpack").config();
    assert_eq!(config.byte_order, ByteOrder::Big);
    let Expected {
        frames, outcome, ..
    } = frames("testpack", config);
    let frames: Vec<_> = frames
        .iter()
        .map(|(end, frame)| (*end, fields(frame)))
        .collect();
    assert_eq!(
        frames,
        [
            (30, (1, 1, &b"{\"hello\": \"world\"}"[..])),
            (61, (1, 2, b"{\"hello\": \"world2\"}")),
            (92, (1, 3, b"{\"hello\": \"world3\"}")),
            (123, (1, 4, b"{\"hello\": \"world4\"}")),
        ]
    );
    assert_eq!(outcome, Outcome::Clean);
}

/// The original's test and server use different byte orders. The server reads the size of 18 in
/// network order as 301 989 888, and waits for that many bytes for ever. This framer rejects the
/// size at byte 4, and the error suggests the other byte order.
#[test]
fn original_test_and_server_disagree_on_the_byte_order() {
    let Expected {
        frames, outcome, ..
    } = frames("testpack", Config::default());
    assert_eq!(frames, []);
    let Outcome::Rejected { at: 4, error } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        error.to_string(),
        "bodySize 301989888 at offset 0 is over the limit of 8388608 bytes: \
         in the other byte order it is 18; check that both ends use the same byte order"
    );
}

/// The original's server ends with the four unframed bytes EXIT. As a bodySize they are
/// 1 414 092 869, and its client waits for that many bytes. This framer emits the reply before them
/// and rejects them at the fourth byte.
#[test]
fn original_server_ends_with_four_unframed_bytes() {
    let config = crate::common::capture("server-reply-then-exit").config();
    let Expected {
        frames, outcome, ..
    } = frames("server-reply-then-exit", config);
    let [(38, frame)] = &frames[..] else {
        panic!("{frames:?}");
    };
    assert_eq!((frame.cmd, frame.recv, frame.body.len()), (1, 0, 26));
    let error = DecodeError::BodyTooLarge {
        offset: 38,
        body_size: u32::from_le_bytes(*b"EXIT"),
        max_body_size: 8 * 1024 * 1024,
    };
    assert_eq!(outcome, Outcome::Rejected { at: 42, error });
    assert_eq!(
        error.to_string(),
        "bodySize 1414092869 at offset 38 is over the limit of 8388608 bytes: \
         close the connection, or raise max_body_size to accept larger bodies"
    );
}
