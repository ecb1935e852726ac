//! Tests that the harness detects the receive loops of socket tutorials that have no framing at
//! all: each `recv` counts as one message, or a decimal length without an end mark precedes it. No
//! correct framer exists for such streams, so these loops are not among the mutants. With the same
//! messages in `len32` frames, the harness proves every split.

use bytes::{Bytes, BytesMut};
use everysplit::oracle::Messages;
use everysplit::subject::{FeedFn, Frames, Subject};
use everysplit::{Case, Fed, Harness, Property, Split, Violation};
use everysplit_formats::len32;

use crate::support::assert_proved;

type Message = &'static [u8];

/// Asserts that `len32` frames carry the messages under every split.
#[track_caller]
fn assert_len32_carries(messages: &[Message]) {
    let config = len32::Config::DEFAULT;
    let encode = move |body: &Bytes| {
        let mut output = BytesMut::new();
        config.encode(body, &mut output).unwrap();
        output.to_vec()
    };
    let harness = Harness::decoder(move || len32::Decoder::new(config))
        .encoder(encode)
        .messages(messages.iter().copied().map(Bytes::from_static));
    for stream in harness.all_streams() {
        assert_proved(&harness.check(&stream).unwrap());
    }
}

/// Makes a harness that sends messages without framing to a receive loop.
fn unframed<S>(messages: &[Message], make: fn() -> S) -> Harness<Fed<S>, Messages<Vec<u8>, ()>>
where
    S: Subject<Frame = Vec<u8>, Error = ()> + 'static,
{
    Harness::framer(make)
        .encoder(Vec::clone)
        .messages(messages.iter().copied())
}

/// A server that calls `recv(size)` until the stream ends, and emits the result of each call as a
/// message.
#[derive(Clone, PartialEq, Eq)]
struct Recv {
    size: usize,
}

fn recv(size: usize) -> impl Subject<Frame = Vec<u8>, Error = ()> + Clone + Eq {
    FeedFn::new(
        Recv { size },
        |server: &mut Recv, chunk, messages| {
            messages.extend(chunk.chunks(server.size).map(<[u8]>::to_vec));
            Ok(())
        },
        |_, _| Ok(()),
    )
}

/// The tutorial's client sends these messages, and its server calls `recv(5)`.
const SENT: [Message; 4] = [b"hello", b"world", b"musibii", b"1"];

/// Returns the messages that the server emits for the given chunks.
fn received(size: usize, chunks: &[Message]) -> Vec<String> {
    let (mut server, mut messages) = (recv(size), Frames::new(100));
    for chunk in chunks {
        server.feed(chunk, &mut messages).unwrap();
    }
    let messages = messages.into_iter().map(String::from_utf8);
    messages.map(Result::unwrap).collect()
}

/// With messages of five bytes the loop seems correct, even when they are coalesced.
#[test]
fn recv_5_splits_messages_that_are_not_5_bytes() {
    let together: Message = b"helloworldmusibii1";
    assert_eq!(received(5, &SENT[..2]), ["hello", "world"]);
    assert_eq!(received(5, &[&together[..10]]), ["hello", "world"]);
    assert_eq!(received(5, &SENT), ["hello", "world", "musib", "ii", "1"]);
    assert_eq!(received(5, &[together]), ["hello", "world", "musib", "ii1"]);

    let harness = unframed(&SENT, || recv(5));
    let violation = harness.check(together).unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
    assert_eq!(violation.case.stream, b"musibii");
    assert_eq!(violation.case.split, Split::whole());
    let sent_apart = harness.replay("68656c6c6f776f726c646d75736962696931@5,10,17");
    assert_eq!(sent_apart.unwrap_err().property, Property::EverySplit);
    assert_len32_carries(&SENT);
}

/// Coalesced messages become one, 粘包.
#[test]
fn recv_1024_joins_coalesced_messages() {
    let together: Message = b"helloworldmusibii1";
    assert_eq!(received(1024, &SENT), ["hello", "world", "musibii", "1"]);
    assert_eq!(received(1024, &[together]), ["helloworldmusibii1"]);

    let violation = unframed(&SENT, || recv(1024)).check(together).unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
    // The smallest violation needs only two messages, and the shortest is one byte.
    assert_eq!(violation.case.stream, b"11");
    assert_eq!(violation.case.split, Split::whole());
}

/// A message of 1025 bytes becomes two, 分包. A client takes the second for the reply to its next
/// request.
#[test]
fn recv_1024_splits_longer_messages() {
    const LONG: [Message; 2] = [&[b'a'; 1025], b"next"];
    let violation = unframed(&LONG, || recv(1024)).check(LONG[0]).unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
    assert_eq!(violation.case.split, Split::whole());
    assert_len32_carries(&LONG);
}

/// A client whose server sends a length in decimal, waits for the reply `recv_ready`, and then
/// sends the data. The wait usually puts the length and the data into different chunks, but TCP may
/// still cut the length itself.
#[derive(Clone, Default, PartialEq, Eq)]
struct RecvReady {
    length: Option<usize>,
    data: Vec<u8>,
}

impl RecvReady {
    fn feed(&mut self, chunk: &[u8], messages: &mut Frames<Vec<u8>>) -> Result<(), NotANumber> {
        if chunk.is_empty() {
            return Ok(());
        }
        let Some(length) = self.length else {
            let length = str::from_utf8(chunk).ok();
            let length = length.and_then(|digits| digits.parse().ok());
            self.length = Some(length.ok_or(NotANumber)?);
            return Ok(());
        };
        self.data.extend(chunk);
        if self.data.len() >= length {
            messages.push(std::mem::take(&mut self.data));
            self.length = None;
        }
        Ok(())
    }
}

/// The `ValueError` that `int(recv(1024))` raises.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NotANumber;

fn recv_ready() -> impl Subject<Frame = Vec<u8>, Error = NotANumber> + Clone + Eq {
    FeedFn::new(RecvReady::default(), RecvReady::feed, |_, _| Ok(()))
}

fn decimal(message: &[u8]) -> Vec<u8> {
    [message.len().to_string().as_bytes(), message].concat()
}

/// Checks the loop on one message of 1024 bytes, cut at the given offsets.
fn length_then_data(cuts: &[usize]) -> Result<(), Violation> {
    let message = vec![b'a'; 1024];
    let harness = Harness::framer(recv_ready)
        .encoder(|message| decimal(message))
        .messages([&message[..]]);
    let split = Split::new(cuts.iter().copied());
    harness.one_split(&Case::new(decimal(&message), split))
}

/// Outputs of remote commands, one of them empty.
const OUTPUTS: [Message; 3] = [b"12 files", b"", b"total 1024"];

/// The loop works only while the length is exactly one chunk: "10" is a prefix of "1024".
#[test]
fn recv_ready_relies_on_chunk_boundaries() {
    length_then_data(&[4]).unwrap();
    length_then_data(&[4, 100, 1000]).unwrap();
    // "10" is taken for the length, "24" and eight more bytes for the message.
    let cut = length_then_data(&[2, 12]).unwrap_err();
    assert_eq!((cut.property, cut.offset), (Property::EverySplit, 12));
    let together = length_then_data(&[]).unwrap_err();
    assert_eq!(together.property, Property::RoundTrip, "{together}");

    let harness = Harness::framer(recv_ready)
        .encoder(|message| decimal(message))
        .messages(OUTPUTS);
    let stream = &harness.all_streams()[1];
    assert_eq!(stream, b"812 files010total 1024");
    harness.check(stream).unwrap_err();
    assert_len32_carries(&OUTPUTS);
    assert_len32_carries(&[&[b'a'; 1024]]);
}

/// No loop can be correct, because the format is ambiguous: the same bytes encode five messages,
/// and also one.
#[test]
fn decimal_lengths_without_an_end_mark_are_ambiguous() {
    let five = ["1", "a", "b", "c", "wxyz"].map(|message| message.as_bytes().to_vec());
    let one = b"1a1b1c4wxyz".to_vec();
    assert_eq!(
        five.iter()
            .flat_map(|message| decimal(message))
            .collect::<Vec<u8>>(),
        decimal(&one)
    );
}
