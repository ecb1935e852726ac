//! A server of many clients, on real TCP: no frame is lost, doubled or given to another,
//! whoever else is connected. How long anything takes decides nothing here.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::BytesMut;
use everysplit::check::{Expected, Outcome};
use everysplit::reference::{Codec, Config, DecodeError, Decoder, Frame, Framer, naive};
use everysplit::{Decode, Split};
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

/// How many connections are open at once, besides the hostile ones.
const CLIENTS: u32 = 200;

/// A test that hangs must end; no machine is so slow that a right one takes as long.
const PATIENCE: Duration = Duration::from_secs(120);

/// What became of a connection, as the server has it: its frames, and its end.
type Record<E> = (Vec<Frame>, Result<(), E>);

/// What a client does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Sends its frames, in a split of its own.
    Right,
    /// Sends its frames a byte at a time, and the last when all others are done.
    Dribbles,
    /// Sends two frames, then the header of one over the limit.
    OverLimit,
    /// Sends a frame and half of another, then nothing as long as others are served.
    FallsSilent,
    /// Connects and closes.
    Leaves,
    /// Sends its frames behind an answer that is wrong in one bit.
    WrongAnswer,
}

/// The frames of a client: each carries its client's number and its own.
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

/// A client's end of a connection, in the hands of the one thread that is all clients.
struct Client {
    number: u32,
    kind: Kind,
    socket: TcpStream,
    /// The right answer; none where none is due.
    due: Vec<u8>,
    stream: Vec<u8>,
    unsent: VecDeque<Vec<u8>>,
}

impl Client {
    /// Connects. `answer` reads what the server sends first, if it does, and returns
    /// what it must get for it.
    fn new(listener: &TcpListener, number: u32, kind: Kind, answer: AnswerTo) -> Self {
        let mut socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        let due = answer(&mut socket);
        let frames = frames(number);
        let mut stream = [&due[..], &encoded(&frames)].concat();
        match kind {
            Kind::Right | Kind::Dribbles => {}
            Kind::OverLimit => {
                stream.truncate(due.len() + encoded(&frames[..2]).len());
                stream.extend(2049_u32.to_le_bytes());
                stream.extend([0xff; 100]);
            }
            Kind::FallsSilent => stream.truncate(due.len() + encoded(&frames[..1]).len() + 6),
            Kind::Leaves => stream.clear(),
            Kind::WrongAnswer => stream[0] ^= 1,
        }
        let split = match (kind, number % 8) {
            (Kind::Dribbles, _) | (_, 0) => Split::bytes(stream.len()),
            (_, 1) => Split::whole(),
            (_, 2..5) => {
                let edges = naive::edges(CONFIG, &stream[due.len().min(stream.len())..]);
                let edges: Vec<usize> = edges.iter().map(|edge| due.len() + edge).collect();
                Split::sample(stream.len(), &edges, number.into())
            }
            _ => Split::sample(stream.len(), &[], number.into()),
        };
        let unsent = split.chunks(&stream).map(<[u8]>::to_vec).collect();
        Self {
            number,
            kind,
            socket,
            due,
            stream,
            unsent,
        }
    }

    /// Sends a chunk, if there is one left.
    fn send(&mut self) {
        let Some(chunk) = self.unsent.pop_front() else {
            return;
        };
        let sent = self.socket.write_all(&chunk);
        // Who is refused may find the connection closed.
        if !matches!(self.kind, Kind::OverLimit | Kind::WrongAnswer) {
            sent.unwrap();
        }
    }

    /// Ends the stream, and checks that the echo is of all its own frames and of no
    /// others.
    fn end(&mut self) {
        assert!(self.unsent.is_empty());
        let ended = self.socket.shutdown(Shutdown::Write);
        let mut echo = Vec::new();
        let read = self.socket.read_to_end(&mut echo);
        let frames = frames(self.number);
        let due = match self.kind {
            Kind::Right | Kind::Dribbles => &frames[..],
            Kind::FallsSilent => &frames[..1],
            Kind::Leaves => &[],
            // A connection that is closed on unread bytes may take the echo along.
            Kind::OverLimit | Kind::WrongAnswer => return,
        };
        ended.unwrap();
        read.unwrap();
        let (mut framer, mut echoed) = (Framer::new(CONFIG), Vec::new());
        framer.feed(&echo, &mut echoed).unwrap();
        framer.finish().unwrap();
        assert_eq!(echoed, due, "client {}", self.number);
    }
}

/// Reads what the server sends first, and returns the right answer.
type AnswerTo = fn(&mut TcpStream) -> Vec<u8>;

/// There is no challenge.
fn nothing(_: &mut TcpStream) -> Vec<u8> {
    Vec::new()
}

fn answer(socket: &mut TcpStream) -> Vec<u8> {
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

/// Two sockets a connection and some hundreds of connections: one test at a time, or
/// there are too many for a process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Serves right clients and hostile ones at once, and holds what both ends have to
/// `oracle`, which is told the right answer and what was sent.
fn run<E: Debug + PartialEq + Send + 'static>(
    server: impl FnOnce(TcpListener, usize) -> Vec<Record<E>> + Send + 'static,
    answer: AnswerTo,
    hostile: &[Kind],
    oracle: impl Fn(&[u8], &[u8]) -> Expected<Frame, E>,
) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let kinds = (0..CLIENTS).map(|_| Kind::Right);
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
            let expected = oracle(&client.due, &client.stream);
            let frames = expected.frames.into_iter().map(|(_, frame)| frame);
            let end = match expected.outcome {
                Outcome::Clean => Ok(()),
                Outcome::Truncated(error) | Outcome::Rejected { error, .. } => Err(error),
            };
            (frames.collect(), end)
        })
        .collect();
    // The server has them in the order in which it accepted them.
    for records in [&mut served, &mut sent] {
        records.sort_by_key(|(frames, end)| {
            let client = frames.first().map(|frame| frame.cmd);
            (client, format!("{end:?}"))
        });
    }
    assert_eq!(served, sent);
}

/// Reads one client to its end, and echoes each frame.
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

/// A thread for each client. `make` returns what is sent first, and the decoder.
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

/// A task for each client, on one thread. `error` takes a codec's error apart.
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
                            Err(told) => return (frames, Err(error(told))),
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
fn a_thread_for_each_client() {
    let server = threads(|| (Vec::new(), Decoder::new(CONFIG)));
    run(server, nothing, HOSTILE, parse);
}

#[test]
fn a_task_for_each_client() {
    let server = tasks(
        || (Vec::new(), Codec::new(CONFIG)),
        |error| error.downcast().unwrap(),
    );
    run(server, nothing, HOSTILE, parse);
}

const HOSTILE_TO_KEYS: &[Kind] = &[
    Kind::WrongAnswer,
    Kind::Dribbles,
    Kind::OverLimit,
    Kind::FallsSilent,
    Kind::Leaves,
];

/// Makes what waits for the answer to a challenge of this connection's own.
fn guarded<D>(inner: D) -> (Vec<u8>, Guarded<D>) {
    let challenge = Challenge::random().unwrap();
    let due = challenge.answer(Algorithm::Sha256, KEY);
    (challenge.as_bytes().to_vec(), Guarded::new(due, inner))
}

fn parse_behind(due: &[u8], stream: &[u8]) -> Expected<Frame, GuardedError<DecodeError>> {
    everysplit_formats::auth::naive::parse(Algorithm::Sha256, due, stream, |behind| {
        naive::parse(CONFIG, behind)
    })
}

#[test]
fn a_thread_and_a_challenge_for_each_client() {
    let server = threads(|| guarded(Decoder::new(CONFIG)));
    run(server, answer, HOSTILE_TO_KEYS, parse_behind);
}

#[test]
fn a_task_and_a_challenge_for_each_client() {
    let server = tasks(
        || guarded(Codec::new(CONFIG)),
        |error| match error.downcast::<AuthError>() {
            Ok(error) => GuardedError::Answer(error),
            Err(error) => GuardedError::Inner(error.downcast().unwrap()),
        },
    );
    run(server, answer, HOSTILE_TO_KEYS, parse_behind);
}
