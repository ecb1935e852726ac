//! WebSocket.

use std::io::{self, ErrorKind, Read, Write};

use everysplit::subject::Queue;
use everysplit::{Deviation, Harness, Verdicts};
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::framer::{Family, framer, verdicts};

pub(crate) fn family() -> Family {
    Family {
        title: "WebSocket",
        source: include_str!("websocket.rs"),
        framers: vec![
            framer!("tungstenite", "WebSocket", tungstenite),
            framer!("fastwebsockets", "WebSocket", fastwebsockets)
                .violates("cancelled", "000100@2+dropped"),
            framer!("soketto", "Receiver", soketto),
        ],
    }
}

/// A text in two frames with a ping between them, an empty one, 126 bytes, and a close; a frame that
/// is cut short; one without a mask; and one with an opcode that does not exist.
fn frames() -> Vec<Vec<u8>> {
    let long = [&b"\x82\xfe\0\x7e\0\0\0\0"[..], &[b'x'; 126]].concat();
    let text =
        b"\x01\x82\x01\x02\x03\x04\x69\x6b\x89\x81\0\0\0\0p\x80\x81\0\0\0\0!\x81\x80\0\0\0\0";
    vec![
        [&text[..], &long, b"\x88\x82\0\0\0\0\x03\xe8"].concat(),
        b"\x81\x83\0\0\0\0a".to_vec(),
        b"\x81\x01a".to_vec(),
        b"\x83\x80\0\0\0\0".to_vec(),
    ]
}

/// A connection that is read from a queue, and that forgets what is written.
struct Duplex(Queue);

impl Read for Duplex {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Duplex {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn tungstenite() -> Verdicts {
    use tungstenite::{Error, Message, WebSocket, protocol::Role};
    verdicts!(
        Harness::owning_reader(
            |queue| WebSocket::from_raw_socket(Duplex(queue), Role::Server, None),
            |socket| loop {
                match socket.read() {
                    Ok(message) => return Ok(Some(message)),
                    Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                        return Ok::<Option<Message>, String>(None);
                    }
                    // It leaves this to its caller.
                    Err(Error::Io(error)) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error.to_string()),
                }
            }
        )
        .declare([Deviation::CallerStops])
        .streams(frames())
    )
}

fn fastwebsockets() -> Verdicts {
    use fastwebsockets::{Role, WebSocket};
    verdicts!(
        Harness::owning_async_reader(
            |queue| {
                let socket = tokio::io::join(queue, tokio::io::sink());
                let mut socket = WebSocket::after_handshake(socket, Role::Server);
                socket.set_auto_pong(false);
                socket.set_auto_close(false);
                socket
            },
            async |socket| {
                let frame = socket
                    .read_frame()
                    .await
                    .map_err(|error| error.to_string())?;
                Ok::<_, String>(Some((
                    frame.fin,
                    frame.opcode as u8,
                    frame.payload.to_vec(),
                )))
            }
        )
        .declare([Deviation::CallerStops])
        .streams(frames())
    )
}

fn soketto() -> Verdicts {
    use soketto::connection::{Builder, Receiver};
    use soketto::{Data, Mode};
    type Socket = tokio_util::compat::Compat<tokio::io::Join<Queue, tokio::io::Sink>>;
    verdicts!(
        Harness::owning_async_reader(
            |queue| {
                let socket: Socket = tokio::io::join(queue, tokio::io::sink()).compat();
                Builder::new(socket, Mode::Server).finish().1
            },
            async |socket: &mut Receiver<Socket>| {
                let mut message = Vec::new();
                match socket.receive_data(&mut message).await {
                    Ok(kind) => Ok(Some((matches!(kind, Data::Text(_)), message))),
                    Err(soketto::connection::Error::Closed) => Ok(None),
                    Err(error) => Err(error.to_string()),
                }
            }
        )
        .declare([
            Deviation::NotResumable,
            Deviation::CallerStops,
            Deviation::DiscardsAtEnd
        ])
        .streams(frames())
    )
}
