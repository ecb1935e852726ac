//! Protocols of messages: MQTT, AMQP, mail and chat.

use bytes::BytesMut;
use everysplit::subject::{DecodeFn, FeedFn, Frames, TokioDecoder};
use everysplit::{Deviation, Harness, Verdicts};

use crate::framer::{Family, framer, verdicts};

pub(crate) fn family() -> Family {
    Family {
        title: "Messages and mail",
        source: include_str!("messages.rs"),
        framers: vec![
            framer!("mqttbytes", "v4::read", mqttbytes),
            framer!("amq-protocol", "frame::parse_frame", amq_protocol),
            framer!("irc-proto", "IrcCodec", irc_proto),
            framer!("smtp-proto", "RequestReceiver", smtp_request),
            framer!("smtp-proto", "DataReceiver", smtp_data),
            framer!("smtp-proto", "ResponseReceiver", smtp_response),
            framer!("imap-codec", "CommandCodec", imap_command),
            framer!("imap-codec", "ResponseCodec", imap_response),
            framer!("imap-proto", "Response::parse", imap_proto),
        ],
    }
}

fn mqttbytes() -> Verdicts {
    use mqttbytes::Error;
    let read = |(): &mut (), buffer: &mut BytesMut| match mqttbytes::v4::read(buffer, 256) {
        Ok(packet) => Ok(Some(packet)),
        Err(Error::InsufficientBytes(_)) => Ok(None),
        Err(error) => Err(format!("{error:?}")),
    };
    let end = move |(): &mut (), buffer: &mut BytesMut| match read(&mut (), buffer)? {
        None if !buffer.is_empty() => Err("truncated".to_owned()),
        packet => Ok(packet),
    };
    let publish = [&b"\x30\x84\x01\0\x01a"[..], &[b'x'; 129], b"\xe0\0"].concat();
    verdicts!(
        Harness::decoder(move || DecodeFn::new((), read, end))
            .declare([Deviation::CallerStops])
            .streams([
                b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0\xc0\0\x32\x06\0\x01a\0\x01!\xe0\0".to_vec(),
                publish.clone(),
                b"\x30\xff\xff\xff\xff".to_vec(),
                b"\x30\x80\x80".to_vec(),
                b"\0\0".to_vec(),
                b"\x30\x85\x02".to_vec(),
            ])
    )
}

fn amq_protocol() -> Verdicts {
    use amq_protocol::frame::{AMQPFrame, parse_frame};
    fn parse(bytes: &[u8]) -> Result<Option<(AMQPFrame, usize)>, &'static str> {
        match parse_frame(bytes) {
            Ok((rest, frame)) => Ok(Some((frame, bytes.len() - rest.len()))),
            Err(error) if error.is_incomplete() => Ok(None),
            Err(_) => Err("invalid"),
        }
    }
    verdicts!(Harness::parser(parse, "truncated").streams([
        &b"AMQP\0\0\x09\x01\x08\0\0\0\0\0\0\xce\x03\0\x01\0\0\0\x02ok\xce"[..],
        b"\x01\0\0\0\0\0\x04\0\x0a\0\x33\xce",
        b"\x08\0\0\0\0\0\0\xcf",
        b"\x09",
        b"AMQQ",
    ]))
}

fn irc_proto() -> Verdicts {
    let codec = || TokioDecoder::new(irc_proto::IrcCodec::new("utf-8").unwrap());
    verdicts!(
        Harness::decoder(codec)
            .declare([Deviation::CallerStops])
            .streams([
                &b":a!b@c PRIVMSG #d :h\xc3\xa4 e\r\nPING :x\nQUIT\r\n"[..],
                b"PING\xff\n",
                b"PING :x",
                b"\r\nPING :x\r\n",
            ])
    )
}

/// Ingests what it can of a chunk, with `ingest`, which returns `None` if it needs more.
#[expect(clippy::unnecessary_wraps, reason = "as `feed` returns")]
fn ingest<T, F>(
    receiver: &mut T,
    chunk: &[u8],
    frames: &mut Frames<F>,
    ingest: impl Fn(&mut T, &mut std::slice::Iter<'_, u8>) -> Option<F>,
) -> Result<(), ()> {
    let mut bytes = chunk.iter();
    while !bytes.as_slice().is_empty() {
        let Some(frame) = ingest(receiver, &mut bytes) else {
            break;
        };
        frames.push(frame);
    }
    Ok(())
}

fn smtp_request() -> Verdicts {
    use smtp_proto::{Error, request::receiver::RequestReceiver};
    let feed = |receiver: &mut RequestReceiver, chunk: &[u8], requests: &mut Frames<String>| {
        ingest(
            receiver,
            chunk,
            requests,
            |receiver, bytes| match receiver.ingest(bytes) {
                Err(Error::NeedsMoreData { .. }) => None,
                request => Some(format!("{request:?}")),
            },
        )
    };
    let make = move || FeedFn::new(RequestReceiver::default(), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams([
                "EHLO a.b\r\nMAIL FROM:<a@b.c> SIZE=1\r\nRSET\r\n",
                "HELO a\nNOOP x\r\n",
                "XYZ a\r\nQUIT\r\n",
                "QU"
            ])
    )
}

fn smtp_data() -> Verdicts {
    use smtp_proto::request::receiver::DataReceiver;
    type State = (DataReceiver, Vec<u8>);
    let feed = |state: &mut State, chunk: &[u8], messages: &mut Frames<Vec<u8>>| {
        ingest(state, chunk, messages, |(receiver, message), bytes| {
            let whole = receiver.ingest(bytes, message);
            whole.then(|| {
                *receiver = DataReceiver::new();
                std::mem::take(message)
            })
        })
    };
    let make = move || FeedFn::new((DataReceiver::new(), Vec::new()), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams([
                "a\r\n..b\r\n.c\r\n.\r\nd\r\n\r\n.\r\n",
                "a\n.\nb\r\n.\rc\r\n.\r\n",
                ".\r\n"
            ])
    )
}

fn smtp_response() -> Verdicts {
    use smtp_proto::{Error, response::parser::ResponseReceiver};
    let feed = |receiver: &mut ResponseReceiver, chunk: &[u8], responses: &mut Frames<String>| {
        ingest(
            receiver,
            chunk,
            responses,
            |receiver, bytes| match receiver.parse(bytes) {
                Err(Error::NeedsMoreData { .. }) => None,
                response => {
                    receiver.reset();
                    Some(format!("{response:?}"))
                }
            },
        )
    };
    let make = move || FeedFn::new(ResponseReceiver::default(), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams([
                "250-a\r\n250 2.1.0 b\r\n354\r\n",
                "550 5.7.1 \u{e4}\r\n",
                "2x0 a\r\n"
            ])
    )
}

fn imap_command() -> Verdicts {
    use imap_codec::decode::{CommandDecodeError, Decoder};
    fn parse(bytes: &[u8]) -> Result<Option<(String, usize)>, &'static str> {
        match imap_codec::CommandCodec::default().decode(bytes) {
            Ok((rest, command)) => Ok(Some((format!("{command:?}"), bytes.len() - rest.len()))),
            Err(CommandDecodeError::Failed) => Err("invalid"),
            Err(_) => Ok(None),
        }
    }
    verdicts!(Harness::parser(parse, "truncated").streams([
        "A1 LOGIN {1}\r\na \"b\"\r\nA2 NOOP\r\n",
        "A3 FETCH 1:* (FLAGS BODY[HEADER])\r\n",
        "A NO\r\n",
        "A NOOP\n",
    ]))
}

fn imap_response() -> Verdicts {
    use imap_codec::decode::{Decoder, ResponseDecodeError};
    fn parse(bytes: &[u8]) -> Result<Option<(String, usize)>, &'static str> {
        match imap_codec::ResponseCodec::default().decode(bytes) {
            Ok((rest, response)) => Ok(Some((format!("{response:?}"), bytes.len() - rest.len()))),
            Err(ResponseDecodeError::Failed) => Err("invalid"),
            Err(_) => Ok(None),
        }
    }
    verdicts!(Harness::parser(parse, "truncated").streams(IMAP))
}

const IMAP: [&str; 4] = [
    "* OK [UIDVALIDITY 1] hi\r\n* 1 FETCH (FLAGS (\\Seen) BODY[] {2}\r\nab)\r\nA1 OK done\r\n",
    "* 3 EXISTS\r\n+ go on\r\n* LIST () \"/\" {1}\r\na\r\n",
    "* X\r\n",
    "A1 OK",
];

fn imap_proto() -> Verdicts {
    fn parse(bytes: &[u8]) -> Result<Option<(String, usize)>, &'static str> {
        match imap_proto::Response::parse(bytes) {
            Ok((rest, response)) => Ok(Some((format!("{response:?}"), bytes.len() - rest.len()))),
            Err(error) if error.is_incomplete() => Ok(None),
            Err(_) => Err("invalid"),
        }
    }
    verdicts!(Harness::parser(parse, "truncated").streams(IMAP))
}
