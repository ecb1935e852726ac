//! The framer on real TCP connections over loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use bytes::BytesMut;
use everysplit::reference::{Config, Frame, Framer};

/// Returns 40 frames. The largest takes several reads.
fn frames() -> Vec<Frame> {
    let frame = |n: u32| Frame {
        cmd: n,
        recv: n % 2,
        body: vec![n.to_le_bytes()[0]; (n * n) as usize].into(),
    };
    (0..40).map(frame).collect()
}

fn stream() -> BytesMut {
    let mut stream = BytesMut::new();
    for frame in &frames() {
        Config::default().encode(frame, &mut stream).unwrap();
    }
    stream
}

fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.set_nodelay(true).unwrap();
    (client, server)
}

/// Reads frames to the end of the stream, through a buffer of the given size.
fn read(mut socket: TcpStream, size: usize) -> Vec<Frame> {
    let (mut framer, mut frames) = (Framer::new(Config::default()), Vec::new());
    let mut buffer = vec![0; size];
    loop {
        match socket.read(&mut buffer).unwrap() {
            0 => break,
            read => framer.feed(&buffer[..read], &mut frames).unwrap(),
        }
    }
    framer.finish().unwrap();
    frames
}

#[test]
fn receives_frames_written_byte_by_byte() {
    let (mut client, server) = connection();
    let writer = thread::spawn(move || {
        for byte in stream().chunks(1) {
            client.write_all(byte).unwrap();
        }
    });
    assert_eq!(read(server, 16 * 1024), frames());
    writer.join().unwrap();
}

#[test]
fn receives_frames_read_byte_by_byte() {
    let (mut client, server) = connection();
    let writer = thread::spawn(move || client.write_all(&stream()).unwrap());
    assert_eq!(read(server, 1), frames());
    writer.join().unwrap();
}

#[test]
fn reports_a_connection_closed_inside_a_frame() {
    let (mut client, mut server) = connection();
    let stream = stream();
    client.write_all(&stream[..stream.len() - 1]).unwrap();
    drop(client);
    let mut received = Vec::new();
    server.read_to_end(&mut received).unwrap();
    let (mut framer, mut read) = (Framer::new(Config::default()), Vec::new());
    framer.feed(&received, &mut read).unwrap();
    assert_eq!(read, frames()[..39]);
    assert!(framer.finish().is_err());
}
