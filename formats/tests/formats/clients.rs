//! Tests servers with 200 concurrent clients and some hostile ones over real TCP. Each client must
//! receive an echo of all its own frames and of no others. The servers run a decoder in a thread or
//! a task per client, with and without the `auth` challenge. No result depends on timing.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::BytesMut;
use everysplit::reference::{Codec, Config, DecodeError, Decoder, Frame, Framer, naive};
use everysplit::subject::Decode;
use everysplit::{Expected, Outcome, Split};
use everysplit_formats::auth::GuardedError;
use everysplit_formats::auth::{Algorithm, AuthError, Challenge, Guarded};
use fastrand::Rng;
use tokio::io::AsyncWriteExt;
use tokio_stream::StreamExt;
use tokio_util::codec::{self, FramedRead};

const CONFIG: Config = Config {
    max_body_size: 2048,
    ..Config::DEFAULT
};

const KEY: &[u8] = b"shared key";

/// Number of well-behaved connections, all open at once.
const CLIENTS: u32 = 200;

/// Ends a test that hangs. Far longer than a passing test takes on a slow machine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The frames of a connection, and how its stream ended, as the server decoded them.
type Record<E> = (Vec<Frame>, Result<(), E>);

/// The behaviour of a client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Sends its frames, in its own split.
    WellBehaved,
    /// Sends its frames one byte at a time, and finishes after all others.
    Dribbles,
    /// Sends two frames, then a header over the limit.
    OverLimit,
    /// Sends a frame and part of the next, then nothing until all others are done.
    FallsSilent,
    /// Connects and closes.
    Leaves,
    /// Sends its frames after an answer with one flipped bit.
    WrongAnswer,
}

/// Returns the frames of a client. `cmd` is the client's number, `recv` the frame's.
fn frames(client: u32) -> Vec<Frame> {
    let mut rng = Rng::with_seed(client.into());
    let frame = |number| {
        let most = if rng.u8(..8) == 0 { 2048 } else { 64 };
        let size = rng.usize(..=most);
        let body = (0..size).map(|_| rng.u8(..)).collect();
        let (cmd, recv) = (client, number);
        Frame { cmd, recv, body }
    };
    (0..20).map(frame).collect()
}

fn encoded<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> Vec<u8> {
    let mut stream = BytesMut::new();
    for frame in frames {
        CONFIG.encode(frame, &mut stream).unwrap();
    }
    stream.to_vec()
}

/// The client's end of a connection. One thread drives all clients.
struct Client {
    number: u32,
    kind: Kind,
    socket: TcpStream,
    /// The correct answer to the server's challenge; empty where there is no challenge.
    answer: Vec<u8>,
    stream: Vec<u8>,
    unsent: VecDeque<Vec<u8>>,
}

impl Client {
    /// Connects, and computes the stream and the split to send.
    fn new(listener: &TcpListener, number: u32, kind: Kind, answer: ReadAnswer) -> Self {
        let mut socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        socket.set_write_timeout(Some(TIMEOUT)).unwrap();
        let answer = answer(&mut socket);
        let frames = frames(number);
        let mut stream = [&answer[..], &encoded(&frames)].concat();
        match kind {
            Kind::WellBehaved | Kind::Dribbles => {}
            Kind::OverLimit => {
                stream.truncate(answer.len() + encoded(&frames[..2]).len());
                stream.extend(2049_u32.to_le_bytes());
                stream.extend([0xff; 100]);
            }
            Kind::FallsSilent => stream.truncate(answer.len() + encoded(&frames[..1]).len() + 6),
            Kind::Leaves => stream.clear(),
            Kind::WrongAnswer => stream[0] ^= 1,
        }
        let split = match (kind, number % 8) {
            (Kind::Dribbles, _) | (_, 0) => Split::bytes(stream.len()),
            (_, 1) => Split::whole(),
            (_, 2..5) => {
                let edges = naive::edges(CONFIG, &stream[answer.len().min(stream.len())..]);
                let edges: Vec<usize> = edges.iter().map(|edge| answer.len() + edge).collect();
                Split::sample(stream.len(), &edges, number.into())
            }
            _ => Split::sample(stream.len(), &[], number.into()),
        };
        let unsent = split.chunks(&stream).map(<[u8]>::to_vec).collect();
        Self {
            number,
            kind,
            socket,
            answer,
            stream,
            unsent,
        }
    }

    /// Sends the next chunk, if any.
    fn send(&mut self) {
        let Some(chunk) = self.unsent.pop_front() else {
            return;
        };
        let sent = self.socket.write_all(&chunk);
        // The server may have closed the connection of a client that it rejects.
        if !matches!(self.kind, Kind::OverLimit | Kind::WrongAnswer) {
            sent.unwrap();
        }
    }

    /// Ends the stream, and asserts that the echo is all of the client's own frames and no others.
    fn end(&mut self) {
        assert!(self.unsent.is_empty());
        let ended = self.socket.shutdown(Shutdown::Write);
        let mut echo = Vec::new();
        let read = self.socket.read_to_end(&mut echo);
        let frames = frames(self.number);
        let expected = match self.kind {
            Kind::WellBehaved | Kind::Dribbles => &frames[..],
            Kind::FallsSilent => &frames[..1],
            Kind::Leaves => &[],
            // Closing a connection with unread bytes may discard the echo.
            Kind::OverLimit | Kind::WrongAnswer => return,
        };
        ended.unwrap();
        read.unwrap();
        let (mut framer, mut echoed) = (Framer::new(CONFIG), Vec::new());
        framer.feed(&echo, &mut echoed).unwrap();
        framer.finish().unwrap();
        assert_eq!(echoed, expected, "client {}", self.number);
    }
}

/// Reads the challenge, if the server sends one, and returns the correct answer.
type ReadAnswer = fn(&mut TcpStream) -> Vec<u8>;

fn no_challenge(_: &mut TcpStream) -> Vec<u8> {
    Vec::new()
}

fn read_challenge(socket: &mut TcpStream) -> Vec<u8> {
    let (mut buffer, mut byte) = (BytesMut::new(), [0]);
    loop {
        if let Some(challenge) = Challenge::decode(&mut buffer) {
            let answer = challenge.answer(Algorithm::Sha256, KEY);
            return answer.as_bytes().to_vec();
        }
        socket.read_exact(&mut byte).unwrap();
        buffer.extend_from_slice(&byte);
    }
}

/// Runs one test at a time. Each opens two sockets for each of some 200 connections, and all at
/// once could exceed the process's limit of open files.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs a server with well-behaved and hostile clients at once, and compares what the server
/// decoded with the oracle. `oracle` takes the correct answer and the stream sent.
fn run<E: Debug + PartialEq + Send + 'static>(
    server: impl FnOnce(TcpListener, usize) -> Vec<Record<E>> + Send + 'static,
    answer: ReadAnswer,
    hostile: &[Kind],
    oracle: impl Fn(&[u8], &[u8]) -> Expected<Frame, E>,
) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let kinds = (0..CLIENTS).map(|_| Kind::WellBehaved);
    let kinds: Vec<Kind> = hostile.iter().copied().chain(kinds).collect();
    let server = {
        let (listener, count) = (listener.try_clone().unwrap(), kinds.len());
        thread::spawn(move || server(listener, count))
    };
    let clients = kinds.into_iter().zip(0..);
    let mut clients: Vec<Client> = clients
        .map(|(kind, number)| Client::new(&listener, number, kind, answer))
        .collect();

    let mut rng = Rng::with_seed(0);
    let mut sending: Vec<usize> = (0..clients.len())
        .filter(|&client| clients[client].kind != Kind::Dribbles)
        .collect();
    while !sending.is_empty() {
        let next = rng.usize(..sending.len());
        let client = &mut clients[sending[next]];
        if client.unsent.is_empty() {
            if client.kind == Kind::Leaves {
                client.end();
            }
            sending.swap_remove(next);
        } else {
            client.send();
        }
    }
    let (mut late, others): (Vec<_>, Vec<_>) = clients
        .iter_mut()
        .filter(|client| client.kind != Kind::Leaves)
        .partition(|client| matches!(client.kind, Kind::Dribbles | Kind::FallsSilent));
    for client in others {
        client.end();
        for client in &mut late {
            client.send();
        }
    }
    for client in &mut late {
        while !client.unsent.is_empty() {
            client.send();
        }
        client.end();
    }

    let mut served = server.join().unwrap();
    let mut sent: Vec<Record<E>> = clients
        .iter()
        .map(|client| {
            let expected = oracle(&client.answer, &client.stream);
            let frames = expected.frames.into_iter().map(|(_, frame)| frame);
            let end = match expected.outcome {
                Outcome::Clean => Ok(()),
                Outcome::Truncated(error) | Outcome::Rejected { error, .. } => Err(error),
            };
            (frames.collect(), end)
        })
        .collect();
    // The server's records are in the order of its accepts, not of the clients.
    for records in [&mut served, &mut sent] {
        records.sort_by_key(|(frames, end)| {
            let client = frames.first().map(|frame| frame.cmd);
            (client, format!("{end:?}"))
        });
    }
    assert_eq!(served, sent);
}

/// Decodes one client's stream to its end, and echoes each frame.
fn serve<D: Decode<Frame = Frame>>(mut socket: TcpStream, mut decoder: D) -> Record<D::Error> {
    let (mut buffer, mut chunk, mut frames) = (BytesMut::new(), [0; 512], Vec::new());
    loop {
        let read = socket.read(&mut chunk).unwrap();
        buffer.extend_from_slice(&chunk[..read]);
        loop {
            let decoded = match read {
                0 => decoder.decode_eof(&mut buffer),
                _ => decoder.decode(&mut buffer),
            };
            match decoded {
                Ok(Some(frame)) => {
                    socket.write_all(&encoded([&frame])).unwrap();
                    frames.push(frame);
                }
                Ok(None) if read == 0 => return (frames, Ok(())),
                Ok(None) => break,
                Err(error) => return (frames, Err(error)),
            }
        }
    }
}

/// Serves each client on its own thread. `make` returns the bytes to send first, and the decoder.
fn threads<D: Decode<Frame = Frame, Error: Send + 'static> + 'static>(
    make: fn() -> (Vec<u8>, D),
) -> impl FnOnce(TcpListener, usize) -> Vec<Record<D::Error>> + Send {
    move |listener, count| {
        let accept = |_| {
            let (mut socket, _) = listener.accept().unwrap();
            thread::spawn(move || {
                let (first, decoder) = make();
                socket.write_all(&first).unwrap();
                serve(socket, decoder)
            })
        };
        let clients: Vec<_> = (0..count).map(accept).collect();
        let records = clients.into_iter().map(|client| client.join().unwrap());
        records.collect()
    }
}

/// Serves each client as a task, all on one thread. `error` extracts the decoder's error from the
/// codec's.
fn tasks<D, E>(
    make: fn() -> (Vec<u8>, D),
    error: fn(io::Error) -> E,
) -> impl FnOnce(TcpListener, usize) -> Vec<Record<E>> + Send
where
    D: codec::Decoder<Item = Frame, Error = io::Error> + Send + 'static,
    E: Send + 'static,
{
    move |listener, count| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        runtime.block_on(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let mut clients = Vec::new();
            for _ in 0..count {
                let (socket, _) = listener.accept().await.unwrap();
                clients.push(tokio::spawn(async move {
                    let (first, decoder) = make();
                    let (read, mut write) = socket.into_split();
                    write.write_all(&first).await.unwrap();
                    let mut read = FramedRead::new(read, decoder);
                    let mut frames = Vec::new();
                    while let Some(frame) = read.next().await {
                        match frame {
                            Ok(frame) => {
                                let echo = encoded([&frame]);
                                write.write_all(&echo).await.unwrap();
                                frames.push(frame);
                            }
                            Err(failed) => return (frames, Err(error(failed))),
                        }
                    }
                    (frames, Ok(()))
                }));
            }
            let mut records = Vec::new();
            for client in clients {
                records.push(client.await.unwrap());
            }
            records
        })
    }
}

const HOSTILE: &[Kind] = &[
    Kind::Dribbles,
    Kind::OverLimit,
    Kind::FallsSilent,
    Kind::Leaves,
];

fn parse(_: &[u8], stream: &[u8]) -> Expected<Frame, DecodeError> {
    naive::parse(CONFIG, stream)
}

#[test]
fn thread_per_client() {
    let server = threads(|| (Vec::new(), Decoder::new(CONFIG)));
    run(server, no_challenge, HOSTILE, parse);
}

#[test]
fn task_per_client() {
    let server = tasks(
        || (Vec::new(), Codec::new(CONFIG)),
        |error| error.downcast().unwrap(),
    );
    run(server, no_challenge, HOSTILE, parse);
}

const HOSTILE_WITH_CHALLENGE: &[Kind] = &[
    Kind::WrongAnswer,
    Kind::Dribbles,
    Kind::OverLimit,
    Kind::FallsSilent,
    Kind::Leaves,
];

/// Returns a fresh challenge, and a decoder that requires its answer first.
fn guarded<D>(inner: D) -> (Vec<u8>, Guarded<D>) {
    let challenge = Challenge::random().unwrap();
    let answer = challenge.answer(Algorithm::Sha256, KEY);
    (challenge.as_bytes().to_vec(), Guarded::new(answer, inner))
}

fn parse_answered(answer: &[u8], stream: &[u8]) -> Expected<Frame, GuardedError<DecodeError>> {
    everysplit_formats::auth::naive::parse(Algorithm::Sha256, answer, stream, |rest| {
        naive::parse(CONFIG, rest)
    })
}

#[test]
fn thread_per_client_with_challenge() {
    let server = threads(|| guarded(Decoder::new(CONFIG)));
    run(
        server,
        read_challenge,
        HOSTILE_WITH_CHALLENGE,
        parse_answered,
    );
}

#[test]
fn task_per_client_with_challenge() {
    let server = tasks(
        || guarded(Codec::new(CONFIG)),
        |error| match error.downcast::<AuthError>() {
            Ok(error) => GuardedError::Answer(error),
            Err(error) => GuardedError::Inner(error.downcast().unwrap()),
        },
    );
    run(
        server,
        read_challenge,
        HOSTILE_WITH_CHALLENGE,
        parse_answered,
    );
}
