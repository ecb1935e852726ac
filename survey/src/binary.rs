//! Binary protocols of clients and servers: TLS, X11 and RTMP.

use std::io::ErrorKind;

use everysplit::subject::{ChunkReader, FeedFn, Frames};
use everysplit::{Deviation, Harness, Verdicts};

use crate::framer::{Family, framer, verdicts};

pub(crate) fn family() -> Family {
    Family {
        title: "TLS, X11 and RTMP",
        source: include_str!("binary.rs"),
        framers: vec![
            framer!("rustls", "server::Acceptor", rustls),
            framer!("x11rb-protocol", "packet_reader::PacketReader", x11rb),
            framer!("rml_rtmp", "chunk_io::ChunkDeserializer", rml_rtmp),
        ],
    }
}

/// A `ClientHello` with a signature algorithm, and its first half in a record of its own.
const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\0\x1a\x01\0\0\x33\x03\x03\
    01234567890123456789\x16\x03\x03\0\x1d012345678901\0\0\x02\x13\x01\x01\0\
    \0\x08\0\x0d\0\x04\0\x02\x04\x03";

fn rustls() -> Verdicts {
    use rustls::server::Acceptor;
    fn next(
        acceptor: &mut Acceptor,
        reader: &mut ChunkReader<'_>,
    ) -> Result<Option<String>, String> {
        loop {
            match acceptor.accept() {
                Ok(Some(hello)) => {
                    return Ok(Some(format!("{:?}", hello.client_hello().cipher_suites())));
                }
                Ok(None) => {}
                Err((error, _)) => return Err(error.to_string()),
            }
            match acceptor.read_tls(reader) {
                Ok(0) => return Err("truncated".into()),
                Ok(_) => {}
                // It leaves this to its caller.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
    verdicts!(
        Harness::reader(|| {
            let mut acceptor = Acceptor::default();
            move |reader: &mut ChunkReader<'_>| next(&mut acceptor, reader)
        })
        .declare([Deviation::NotResumable, Deviation::CallerStops])
        .streams([CLIENT_HELLO, &CLIENT_HELLO[..40], b"GET / HTTP/1.1"])
    )
}

fn x11rb() -> Verdicts {
    use x11rb_protocol::packet_reader::PacketReader;
    let feed = |reader: &mut PacketReader, mut bytes: &[u8], packets: &mut Frames<Vec<u8>>| {
        while !bytes.is_empty() {
            let buffer = reader.buffer();
            let len = buffer.len().min(bytes.len());
            buffer[..len].copy_from_slice(&bytes[..len]);
            packets.extend(reader.advance(len));
            bytes = &bytes[len..];
        }
        Ok::<(), ()>(())
    };
    let make = move || FeedFn::new(PacketReader::new(), feed, |_, _| Ok(()));
    let reply = [&b"\x01\0\0\0\x01\0\0\0"[..], &[7; 28], &[2; 32]].concat();
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams([reply.clone(), reply[..35].to_vec()])
    )
}

fn rml_rtmp() -> Verdicts {
    use rml_rtmp::chunk_io::ChunkDeserializer;
    type Message = (u32, u8, u32, Vec<u8>);
    let feed =
        |chunks: &mut ChunkDeserializer, mut bytes: &[u8], messages: &mut Frames<Message>| {
            loop {
                let message = chunks
                    .get_next_message(bytes)
                    .map_err(|error| error.to_string())?;
                let Some(it) = message else {
                    return Ok::<(), String>(());
                };
                messages.push((
                    it.timestamp.value,
                    it.type_id,
                    it.message_stream_id,
                    it.data.to_vec(),
                ));
                bytes = &[];
            }
        };
    let make = move || FeedFn::new(ChunkDeserializer::new(), feed, |_, _| Ok(()));
    let long = [
        &b"\x04\0\0\0\0\0\x82\x08\x01\0\0\0"[..],
        &[1; 128],
        b"\xc4",
        &[2; 2],
    ]
    .concat();
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd, Deviation::CallerStops])
            .streams([
                b"\x03\0\0\x01\0\0\x02\x14\0\0\0\0ok\x43\0\0\x02\0\0\x01\x14!\x83\0\0\x03?\xc3."
                    .to_vec(),
                long.clone(),
                b"\x03\xff\xff\xff\0\0\x01\x14\0\0\0\0\0\0\0\x05a".to_vec(),
                b"\x43\0\0".to_vec(),
            ])
    )
}
