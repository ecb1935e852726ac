//! Protocols of databases.

use std::io::ErrorKind;

use everysplit::subject::{AnyError, DecodeFn, TokioDecoder};
use everysplit::{Deviation, Harness, Verdicts};

use crate::framer::{Family, framer, verdicts};

pub(crate) fn family() -> Family {
    Family {
        title: "Databases",
        source: include_str!("databases.rs"),
        framers: vec![
            framer!("redis", "ValueCodec", redis_codec)
                .violates("every_split", "002100@whole")
                .violates("truncation", "00@whole"),
            framer!("redis", "Parser", redis_parser)
                .violates("every_split", "0000@whole")
                .violates("interrupted", "00@whole+interrupted"),
            framer!("redis-protocol", "codec::Resp2", resp2),
            framer!("redis-protocol", "codec::Resp3", resp3),
            framer!("postgres-protocol", "backend::Message::parse", postgres),
            framer!("mysql_common", "PacketCodec", mysql),
        ],
    }
}

const RESP2: [&str; 6] = [
    "*3\r\n$2\r\nhi\r\n:-7\r\n*0\r\n+OK\r\n$0\r\n\r\n$-1\r\n-ERR no\r\n",
    "$3\r\nab",
    "*1\r\n",
    "?+OK\r\n",
    "+OK\n",
    "$x\r\n",
];

const RESP3: [&str; 4] = [
    "%1\r\n+a\r\n#t\r\n,1.5\r\n_\r\n(12\r\n=5\r\ntxt:a\r\n~1\r\n:1\r\n>2\r\n+a\r\n+b\r\n",
    "|1\r\n+k\r\n+v\r\n+OK\r\n",
    "!3\r\nERR\r\n",
    "#x\r\n",
];

fn redis_codec() -> Verdicts {
    verdicts!(
        Harness::decoder(|| TokioDecoder::new(redis::ValueCodec::default()))
            .declare([Deviation::CallerStops])
            .streams(RESP2.into_iter().chain(RESP3))
    )
}

fn redis_parser() -> Verdicts {
    verdicts!(
        Harness::reader(|| {
            let mut parser = redis::Parser::new();
            move |reader: &mut everysplit::subject::ChunkReader<'_>| {
                parser
                    .parse_value(reader)
                    .map(Some)
                    .map_err(|error| error.kind())
            }
        })
        .declare([Deviation::CallerStops])
        .streams(RESP2.into_iter().chain(RESP3))
    )
}

fn resp2() -> Verdicts {
    let codec = redis_protocol::codec::Resp2::default;
    verdicts!(
        Harness::decoder(move || TokioDecoder::new(codec()))
            .declare([Deviation::CallerStops])
            .streams(RESP2)
    )
}

fn resp3() -> Verdicts {
    let codec = redis_protocol::codec::Resp3::default;
    let decoder = move || TokioDecoder::new(codec()).with_frames(|frame| format!("{frame:?}"));
    verdicts!(
        Harness::decoder(decoder)
            .declare([Deviation::CallerStops])
            .streams(RESP3)
    )
}

fn postgres() -> Verdicts {
    use postgres_protocol::message::backend::Message;
    let parse = |(): &mut (), buffer: &mut bytes::BytesMut| {
        let message = Message::parse(buffer).map_err(|error| error.kind())?;
        Ok(message.map(|it| std::mem::discriminant(&it)))
    };
    let end = move |(): &mut (), buffer: &mut bytes::BytesMut| match parse(&mut (), buffer)? {
        None if !buffer.is_empty() => Err(ErrorKind::UnexpectedEof),
        message => Ok(message),
    };
    verdicts!(
        Harness::decoder(move || DecodeFn::new((), parse, end))
            .declare([Deviation::CallerStops])
            .streams([
                &b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05ID\0\0\0\x0b\0\x01\0\0\0\x01aC\0\0\0\x05\0"[..],
                b"Z\0\0\0\x03",
                b"Z\0\0\0\x05",
                b"?\0\0\0\x04",
            ])
    )
}

fn mysql() -> Verdicts {
    use bytes::BytesMut;
    use mysql_common::proto::codec::PacketCodec;
    let decode = |codec: &mut PacketCodec, buffer: &mut BytesMut| {
        let mut packet = Vec::new();
        let whole = codec
            .decode(buffer, &mut packet)
            .map_err(|error| AnyError::new(&error))?;
        Ok(whole.then_some(packet))
    };
    let end = move |codec: &mut PacketCodec, buffer: &mut BytesMut| match decode(codec, buffer)? {
        None if !buffer.is_empty() => Err(AnyError::ANY),
        packet => Ok(packet),
    };
    verdicts!(
        Harness::decoder(move || DecodeFn::new(PacketCodec::default(), decode, end))
            .declare([Deviation::CallerStops])
            .streams([
                &b"\x02\0\0\0ok\0\0\0\x01\x01\0\0\x02!"[..],
                b"\x01\0\0\x05a",
                b"\x03\0\0\0a"
            ])
    )
}
