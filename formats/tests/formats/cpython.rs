//! CPython at the other end of a connection: what its `struct` and `json` write the
//! framers read, and what they write it reads and sends back. The script is `tests/data/peer.py`;
//! without a `python3` nothing is tested, and that is said.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use everysplit::reference::{ByteOrder, Config, Frame, Framer};
use everysplit::{Buffered, Frames, Split, Subject};
use everysplit_formats::json_header::fuzzing::{Whole, whole};
use everysplit_formats::json_header::{self, Header, Md5};
use everysplit_formats::len32;
use serde_json::{Map, Value, json};

/// After so long without a byte something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

/// How many connections each way, each with a seed of its own.
const SEEDS: u64 = 3;

/// How many messages a connection has.
const MESSAGES: usize = 60;

/// What a format is to the tests.
struct Wire<S, F> {
    /// Its name in the script.
    name: &'static str,
    byte_order: ByteOrder,
    make: fn(ByteOrder) -> S,
    encode: fn(ByteOrder, &F, &mut BytesMut),
    /// Tells a message as the script does.
    tell: fn(&F) -> String,
    draw: fn(&mut fastrand::Rng) -> F,
}

type Header12 = Wire<Framer, Frame>;
type Len32 = Wire<Buffered<len32::Decoder>, Bytes>;
type JsonHeader = Wire<Whole, (Header, Vec<u8>)>;

const fn header12(byte_order: ByteOrder) -> Header12 {
    Wire {
        name: "header12",
        byte_order,
        make: |byte_order| Framer::new(config(byte_order)),
        encode: |byte_order, frame, dst| config(byte_order).encode(frame, dst).unwrap(),
        tell: |Frame { cmd, recv, body }| format!("{cmd} {recv} {}", hex::encode(body)),
        draw: |rng| Frame {
            cmd: rng.u32(..),
            recv: rng.u32(..),
            body: body(rng),
        },
    }
}

const fn config(byte_order: ByteOrder) -> Config {
    Config {
        byte_order,
        ..Config::DEFAULT
    }
}

const fn len32(byte_order: ByteOrder) -> Len32 {
    Wire {
        name: "len32",
        byte_order,
        make: |byte_order| Buffered::new(len32::Decoder::new(signed(byte_order))),
        encode: |byte_order, body, dst| signed(byte_order).encode(body, dst).unwrap(),
        tell: |body| hex::encode(body),
        draw: body,
    }
}

const fn signed(byte_order: ByteOrder) -> len32::Config {
    len32::Config {
        byte_order,
        ..len32::Config::DEFAULT
    }
}

const fn json_header(byte_order: ByteOrder) -> JsonHeader {
    Wire {
        name: "json_header",
        byte_order,
        make: |byte_order| whole(checked(byte_order)),
        encode: |byte_order, (header, body), dst| {
            let size = checked(byte_order).encode_header(&header.fields, dst);
            assert_eq!(size, Ok(header.size));
            dst.extend_from_slice(body);
        },
        tell: |(header, body)| {
            let fields = serde_json::to_vec(&header.fields).unwrap();
            format!("{} {}", hex::encode(fields), hex::encode(body))
        },
        draw: |rng| {
            let body = body(rng).to_vec();
            let name = ["a.txt", "大.bin", "\"quoted\"\\\n"][rng.usize(..3)];
            let key = json_header::Config::SIZE_KEYS[rng.usize(..4)];
            let fields = Map::from_iter([
                ("filename".to_string(), Value::from(name)),
                (key.to_string(), Value::from(body.len())),
                (
                    "tags".to_string(),
                    json!([null, true, rng.u64(..), {"depth": -1}]),
                ),
            ]);
            let size = body.len() as u64;
            (Header { size, fields }, body)
        },
    }
}

const fn checked(byte_order: ByteOrder) -> json_header::Config {
    json_header::Config {
        byte_order,
        md5: Md5::Check,
        ..json_header::Config::DEFAULT
    }
}

fn body(rng: &mut fastrand::Rng) -> Bytes {
    let most = [0, 1, 20, 300, 40_000][rng.usize(..5)];
    let size = rng.usize(..=most);
    (0..size).map(|_| rng.u8(..)).collect()
}

/// A script that is running. It does not outlive the test.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    /// Reads what it prints, to the end.
    fn told(mut self) -> String {
        let mut told = String::new();
        // Ends with the script, which is never longer without a byte than its own
        // timeout.
        let mut stdout = self.0.stdout.take().unwrap();
        stdout.read_to_string(&mut told).unwrap();
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{status}");
        told
    }
}

impl<S, F> Wire<S, F>
where
    S: Subject<Frame = F>,
    F: Clone + Eq + std::fmt::Debug,
{
    /// Starts the script and waits until it is connected; `None` without a Python.
    fn connect(&self, seed: u64, what: &str) -> Option<(Peer, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let order = match self.byte_order {
            ByteOrder::Little => "little",
            ByteOrder::Big => "big",
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/peer.py");
        let child = Command::new("python3")
            .args([script, self.name, order])
            .args([port.to_string(), seed.to_string(), what.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let child = match child {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("skipped: there is no python3 to talk to");
                return None;
            }
            child => child.unwrap(),
        };
        let mut peer = Peer(child);
        let socket = accept(&listener, &mut peer).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Some((peer, socket))
    }

    /// Reads frames to the end of the stream, in pieces of all sizes.
    fn read(&self, mut socket: TcpStream, seed: u64) -> Vec<F> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut subject, mut frames) = ((self.make)(self.byte_order), Frames::new(2 * MESSAGES));
        let mut buffer = [0; 16 * 1024];
        loop {
            let most = [1, 7, 1000, buffer.len()][rng.usize(..4)];
            let read = socket.read(&mut buffer[..most]).unwrap();
            if read == 0 {
                break;
            }
            let fed = subject.feed(&buffer[..read], &mut frames);
            fed.unwrap();
        }
        subject.finish(&mut frames).unwrap();
        frames.to_vec()
    }

    fn lines(&self, frames: &[F]) -> String {
        let lines = frames.iter().map(|frame| (self.tell)(frame) + "\n");
        lines.collect()
    }

    /// CPython packs and sends, the framer reads.
    fn hears(&self) {
        for seed in 0..SEEDS {
            let Some((peer, socket)) = self.connect(seed, "say") else {
                return;
            };
            let frames = self.read(socket, seed);
            assert_eq!(frames.len(), MESSAGES);
            assert!(self.lines(&frames) == peer.told(), "seed {seed}");
        }
    }

    /// The encoder writes, CPython unpacks, tells and sends back.
    fn speaks(&self) {
        for seed in 0..SEEDS {
            let Some((peer, socket)) = self.connect(seed, "echo") else {
                return;
            };
            let mut rng = fastrand::Rng::with_seed(seed);
            let sent: Vec<F> = (0..MESSAGES).map(|_| (self.draw)(&mut rng)).collect();
            let mut stream = BytesMut::new();
            let mut edges = Vec::new();
            for frame in &sent {
                (self.encode)(self.byte_order, frame, &mut stream);
                edges.push(stream.len());
            }
            let split = Split::sample(stream.len(), &edges, seed);
            let writing = socket.try_clone().unwrap();
            let writer = thread::spawn(move || send(writing, &stream, &split));
            let echoed = self.read(socket, seed);
            writer.join().unwrap().unwrap();
            assert!(echoed == sent, "seed {seed}");
            assert!(self.lines(&sent) == peer.told(), "seed {seed}");
        }
    }
}

/// Waits for the peer to connect, and no longer than it lives.
fn accept(listener: &TcpListener, peer: &mut Peer) -> io::Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let begun = Instant::now();
    loop {
        match listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            accepted => {
                let (socket, _) = accepted?;
                socket.set_nonblocking(false)?;
                return Ok(socket);
            }
        }
        let status = peer.0.try_wait()?;
        assert!(status.is_none(), "the peer did not connect: {status:?}");
        assert!(begun.elapsed() < PATIENCE, "the peer did not connect");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Sends a stream in chunks, with a pause here and there so that a cut stays one, and
/// ends it.
fn send(mut socket: TcpStream, stream: &[u8], split: &Split) -> io::Result<()> {
    for (number, chunk) in split.chunks(stream).enumerate() {
        socket.write_all(chunk)?;
        if number % 100 == 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    socket.shutdown(Shutdown::Write)
}

#[test]
fn the_framer_reads_what_cpython_packs() {
    ORDERS.map(header12).iter().for_each(Wire::hears);
}

#[test]
fn cpython_unpacks_what_the_encoder_writes() {
    ORDERS.map(header12).iter().for_each(Wire::speaks);
}

#[test]
fn the_framer_of_signed_lengths_reads_what_cpython_packs() {
    ORDERS.map(len32).iter().for_each(Wire::hears);
}

#[test]
fn cpython_unpacks_signed_lengths() {
    ORDERS.map(len32).iter().for_each(Wire::speaks);
}

#[test]
fn the_framer_of_uploads_reads_what_cpython_writes() {
    ORDERS.map(json_header).iter().for_each(Wire::hears);
}

#[test]
fn cpython_reads_uploads() {
    ORDERS.map(json_header).iter().for_each(Wire::speaks);
}
