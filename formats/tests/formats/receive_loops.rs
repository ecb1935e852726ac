//! The receive loops of the documents that have no format: messages stand in the
//! stream as they are, or behind a length of which nobody knows where it ends. No
//! right framer can be written for them, so that they are no mutants of one. For each
//! the harness finds what goes wrong, and finds nothing when the same messages go
//! behind a signed length.

use bytes::{Bytes, BytesMut};
use everysplit::check::{Harness, Messages, Property, Violation};
use everysplit::{Buffered, Case, FeedFn, Frames, Split, Subject};
use everysplit_formats::len32;

type Message = &'static [u8];
type Expected = everysplit::check::Expected<Vec<u8>, ()>;

/// What `framing::len32` does with the messages, on every split of the streams that
/// are made of them.
#[track_caller]
fn len32_passes(messages: &[Message]) {
    let config = len32::Config::DEFAULT;
    let encode = |body: &Bytes| {
        let mut output = BytesMut::new();
        config.encode(body, &mut output).unwrap();
        output.to_vec()
    };
    let messages = messages.iter().copied().map(Bytes::from_static);
    let harness = Messages::new(encode)
        .messages(messages)
        .harness(|| Buffered::new(len32::Decoder::new(config)));
    for stream in harness.streams() {
        let certificate = harness.prove_decoder(stream).unwrap().to_string();
        assert!(certificate.starts_with("proved"), "{certificate}");
    }
}

/// Messages that are sent as they are, and a loop that receives them.
fn unframed<S>(
    messages: &[Message],
    make: fn() -> S,
) -> Harness<impl Fn() -> S, impl Fn(&[u8]) -> Option<Expected>>
where
    S: Subject<Frame = Vec<u8>, Error = ()>,
{
    let messages = messages.iter().map(|message| message.to_vec());
    Messages::new(Vec::clone).messages(messages).harness(make)
}

/// A server that calls `recv(size)` as long as there is something, and takes what it
/// is given for a message.
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

/// What the documents' client says, and their server takes with `recv(5)`.
const SAID: [Message; 4] = [b"hello", b"world", b"musibii", b"1"];

/// What the server makes of what was sent in one go, or apart.
fn received(size: usize, chunks: &[Message]) -> Vec<String> {
    let (mut server, mut messages) = (recv(size), Frames::new(100));
    for chunk in chunks {
        server.feed(chunk, &mut messages).unwrap();
    }
    let messages = messages.into_iter().map(String::from_utf8);
    messages.map(Result::unwrap).collect()
}

/// As long as what is said has five letters it looks right, even in one piece.
#[test]
fn recv_of_five() {
    let together: Message = b"helloworldmusibii1";
    assert_eq!(received(5, &SAID[..2]), ["hello", "world"]);
    assert_eq!(received(5, &[&together[..10]]), ["hello", "world"]);
    assert_eq!(received(5, &SAID), ["hello", "world", "musib", "ii", "1"]);
    assert_eq!(received(5, &[together]), ["hello", "world", "musib", "ii1"]);

    let harness = unframed(&SAID, || recv(5));
    let violation = harness.prove(together).unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
    assert_eq!(violation.case.stream, b"musibii");
    assert_eq!(violation.case.split, Split::whole());
    let sent_apart = harness.replay("68656c6c6f776f726c646d75736962696931@5,10,17");
    assert_eq!(sent_apart.unwrap_err().property, Property::EverySplit);
    len32_passes(&SAID);
}

/// Sent together they are one message, 粘包.
#[test]
fn recv_of_1024_is_one_message() {
    let together: Message = b"helloworldmusibii1";
    assert_eq!(received(1024, &SAID), ["hello", "world", "musibii", "1"]);
    assert_eq!(received(1024, &[together]), ["helloworldmusibii1"]);

    let violation = unframed(&SAID, || recv(1024)).prove(together).unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
    // Two that are sent together are enough.
    assert_eq!(violation.case.stream, b"hello1");
    assert_eq!(violation.case.split, Split::whole());
}

/// A message of 1025 bytes is two, and the second is taken for the answer to the next
/// question, 分包.
#[test]
fn recv_of_1024_cuts_what_is_longer() {
    const LONG: [Message; 2] = [&[b'a'; 1025], b"next"];
    let violation = unframed(&LONG, || recv(1024)).prove(LONG[0]).unwrap_err();
    assert_eq!(violation.property, Property::RoundTrip, "{violation}");
    assert_eq!(violation.case.split, Split::whole());
    len32_passes(&LONG);
}

/// The server sends the length in decimal, waits for `recv_ready`, and sends the
/// data. What it is answered with keeps the two apart in time, and so mostly in
/// chunks; nothing keeps the length in one.
#[derive(Clone, Default, PartialEq, Eq)]
struct RecvReady {
    length: Option<usize>,
    data: Vec<u8>,
}

impl RecvReady {
    fn feed(&mut self, chunk: &[u8], messages: &mut Frames<Vec<u8>>) -> Result<(), NoNumber> {
        if chunk.is_empty() {
            return Ok(());
        }
        let Some(length) = self.length else {
            let length = str::from_utf8(chunk).ok();
            let length = length.and_then(|digits| digits.parse().ok());
            self.length = Some(length.ok_or(NoNumber)?);
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

/// `int(recv(1024))` raises a `ValueError`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NoNumber;

fn recv_ready() -> impl Subject<Frame = Vec<u8>, Error = NoNumber> + Clone + Eq {
    FeedFn::new(RecvReady::default(), RecvReady::feed, |_, _| Ok(()))
}

fn decimal(message: &[u8]) -> Vec<u8> {
    [message.len().to_string().as_bytes(), message].concat()
}

/// What the loop makes of a message of 1024 bytes, in chunks.
fn length_then_data(cuts: &[usize]) -> Result<(), Violation> {
    let message = vec![b'a'; 1024];
    let harness = Messages::new(|message: &Vec<u8>| decimal(message))
        .messages([message.clone()])
        .harness(recv_ready);
    harness.check(&Case {
        stream: decimal(&message),
        split: Split::new(cuts.iter().copied()),
    })
}

/// What a server lists.
const LISTED: [Message; 3] = [b"12 files", b"", b"total 1024"];

/// Right as long as the length comes alone and in one piece. "10" is a prefix of
/// "1024".
#[test]
fn recv_ready_relies_on_chunks() {
    length_then_data(&[4]).unwrap();
    length_then_data(&[4, 100, 1000]).unwrap();
    // "10" is the length, "24" and eight bytes the message.
    let cut = length_then_data(&[2, 12]).unwrap_err();
    assert_eq!((cut.property, cut.offset), (Property::EverySplit, 12));
    let together = length_then_data(&[]).unwrap_err();
    assert_eq!(together.property, Property::Limit, "{together}");

    let harness = Messages::new(|message: &Vec<u8>| decimal(message))
        .messages(LISTED.map(<[u8]>::to_vec))
        .harness(recv_ready);
    let stream = &harness.streams()[1];
    assert_eq!(stream, b"812 files010total 1024");
    harness.prove(stream).unwrap_err();
    len32_passes(&LISTED);
    len32_passes(&[&[b'a'; 1024]]);
}

/// Not the loop is wrong but the format: the same bytes are five messages and one, and
/// both are whole.
#[test]
fn decimal_lengths_without_a_mark_say_two_things() {
    let five = ["1", "a", "b", "c", "wxyz"].map(|said| said.as_bytes().to_vec());
    let one = b"1a1b1c4wxyz".to_vec();
    assert_eq!(
        five.iter()
            .flat_map(|said| decimal(said))
            .collect::<Vec<u8>>(),
        decimal(&one)
    );
}
