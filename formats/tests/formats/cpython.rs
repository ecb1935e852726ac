//! Tests the framers against CPython over a TCP connection, in both directions: a framer decodes
//! what CPython's `struct` and `json` encode, and CPython decodes and echoes what the encoders
//! write. The script is `tests/data/peer.py`. Without a `python3` the tests print that they were
//! skipped.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use everysplit::Split;
use everysplit::reference::{ByteOrder, Config, Frame, Framer};
use everysplit::subject::{Buffered, Frames, Subject};
use everysplit_formats::json_header::fuzzing::{Whole, whole};
use everysplit_formats::json_header::{self, Header, Md5};
use everysplit_formats::len32;
use serde_json::{Map, Value, json};

use crate::support::BYTE_ORDERS;

/// A connection without a byte for this long fails the test.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Number of connections in each direction, each with its own random seed.
const SEEDS: u64 = 3;

/// Number of messages on a connection, the same as in the script.
const MESSAGES: usize = 60;

/// A format in one byte order, with all that these tests need of it.
struct Wire<S, F> {
    /// Its name on the script's command line.
    name: &'static str,
    byte_order: ByteOrder,
    make: fn(ByteOrder) -> S,
    encode: fn(ByteOrder, &F, &mut BytesMut),
    /// Formats a message as the line that the script prints for it.
    line: fn(&F) -> String,
    random: fn(&mut fastrand::Rng) -> F,
}

type Header12 = Wire<Framer, Frame>;
type Len32 = Wire<Buffered<len32::Decoder>, Bytes>;
type JsonHeader = Wire<Whole, (Header, Vec<u8>)>;

const fn header12(byte_order: ByteOrder) -> Header12 {
    Wire {
        name: "header12",
        byte_order,
        make: |byte_order| Framer::new(header12_config(byte_order)),
        encode: |byte_order, frame, dst| header12_config(byte_order).encode(frame, dst).unwrap(),
        line: |Frame { cmd, recv, body }| format!("{cmd} {recv} {}", hex::encode(body)),
        random: |rng| Frame {
            cmd: rng.u32(..),
            recv: rng.u32(..),
            body: body(rng),
        },
    }
}

const fn header12_config(byte_order: ByteOrder) -> Config {
    Config {
        byte_order,
        ..Config::DEFAULT
    }
}

const fn len32(byte_order: ByteOrder) -> Len32 {
    Wire {
        name: "len32",
        byte_order,
        make: |byte_order| Buffered::new(len32::Decoder::new(len32_config(byte_order))),
        encode: |byte_order, body, dst| len32_config(byte_order).encode(body, dst).unwrap(),
        line: |body| hex::encode(body),
        random: body,
    }
}

const fn len32_config(byte_order: ByteOrder) -> len32::Config {
    len32::Config {
        byte_order,
        ..len32::Config::DEFAULT
    }
}

const fn json_header(byte_order: ByteOrder) -> JsonHeader {
    Wire {
        name: "json_header",
        byte_order,
        make: |byte_order| whole(json_header_config(byte_order)),
        encode: |byte_order, (header, body), dst| {
            let size = json_header_config(byte_order).encode_header(&header.fields, dst);
            assert_eq!(size, Ok(header.size));
            dst.extend_from_slice(body);
        },
        line: |(header, body)| {
            let fields = serde_json::to_vec(&header.fields).unwrap();
            format!("{} {}", hex::encode(fields), hex::encode(body))
        },
        random: |rng| {
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

const fn json_header_config(byte_order: ByteOrder) -> json_header::Config {
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

/// The running script, killed on drop.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    /// Returns all that the script prints, and asserts that it succeeds.
    fn output(mut self) -> String {
        let mut output = String::new();
        // This ends, because the script's own socket timeout ends the script.
        let mut stdout = self.0.stdout.take().unwrap();
        stdout.read_to_string(&mut output).unwrap();
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{status}");
        output
    }
}

impl<S, F> Wire<S, F>
where
    S: Subject<Frame = F>,
    F: Clone + Eq + std::fmt::Debug,
{
    /// Starts the script and accepts its connection. `mode` is the script's `say` or `echo`.
    /// Returns `None` when there is no `python3`.
    fn connect(&self, seed: u64, mode: &str) -> Option<(Peer, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let order = match self.byte_order {
            ByteOrder::Little => "little",
            ByteOrder::Big => "big",
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/peer.py");
        let child = Command::new("python3")
            .args([script, self.name, order])
            .args([port.to_string(), seed.to_string(), mode.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let child = match child {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("skipped: no python3 found");
                return None;
            }
            child => child.unwrap(),
        };
        let mut peer = Peer(child);
        let socket = accept(&listener, &mut peer).unwrap();
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        socket.set_write_timeout(Some(TIMEOUT)).unwrap();
        socket.set_nodelay(true).unwrap();
        Some((peer, socket))
    }

    /// Reads frames to the end of the stream, in chunks of random sizes.
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
        let lines = frames.iter().map(|frame| (self.line)(frame) + "\n");
        lines.collect()
    }

    /// CPython encodes and sends, the framer decodes.
    fn decodes_cpython(&self) {
        for seed in 0..SEEDS {
            let Some((peer, socket)) = self.connect(seed, "say") else {
                return;
            };
            let frames = self.read(socket, seed);
            assert_eq!(frames.len(), MESSAGES);
            assert!(self.lines(&frames) == peer.output(), "seed {seed}");
        }
    }

    /// The encoder writes; CPython decodes, prints and echoes.
    fn is_decoded_by_cpython(&self) {
        for seed in 0..SEEDS {
            let Some((peer, socket)) = self.connect(seed, "echo") else {
                return;
            };
            let mut rng = fastrand::Rng::with_seed(seed);
            let sent: Vec<F> = (0..MESSAGES).map(|_| (self.random)(&mut rng)).collect();
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
            assert!(self.lines(&sent) == peer.output(), "seed {seed}");
        }
    }
}

/// Waits for the script to connect. Panics when it exits first, or after [`TIMEOUT`].
fn accept(listener: &TcpListener, peer: &mut Peer) -> io::Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let start = Instant::now();
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
        assert!(
            status.is_none(),
            "the peer exited without connecting: {status:?}"
        );
        assert!(start.elapsed() < TIMEOUT, "the peer did not connect");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Sends a stream in chunks and ends it. A pause after every 100th chunk keeps the kernel from
/// coalescing all of them.
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
fn reference_framer_decodes_what_cpython_encodes() {
    BYTE_ORDERS
        .map(header12)
        .iter()
        .for_each(Wire::decodes_cpython);
}

#[test]
fn cpython_decodes_what_the_reference_encoder_writes() {
    BYTE_ORDERS
        .map(header12)
        .iter()
        .for_each(Wire::is_decoded_by_cpython);
}

#[test]
fn len32_decodes_what_cpython_encodes() {
    BYTE_ORDERS
        .map(len32)
        .iter()
        .for_each(Wire::decodes_cpython);
}

#[test]
fn cpython_decodes_what_len32_encodes() {
    BYTE_ORDERS
        .map(len32)
        .iter()
        .for_each(Wire::is_decoded_by_cpython);
}

#[test]
fn json_header_decodes_what_cpython_encodes() {
    BYTE_ORDERS
        .map(json_header)
        .iter()
        .for_each(Wire::decodes_cpython);
}

#[test]
fn cpython_decodes_what_json_header_encodes() {
    BYTE_ORDERS
        .map(json_header)
        .iter()
        .for_each(Wire::is_decoded_by_cpython);
}
