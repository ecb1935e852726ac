//! Tests the `datagram` format, one frame per datagram, over real UDP on loopback: valid,
//! truncated, oversized and joined frames, and the error messages. Like UDP, the format guarantees
//! neither order nor delivery.

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use everysplit::reference::{Config, Frame, FrameRef};
use everysplit_formats::datagram::{self, DatagramError, EncodeError, MAX_DATAGRAM};

use crate::support::BYTE_ORDERS;

const CONFIG: Config = Config::DEFAULT;

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let timeout = Some(Duration::from_secs(10));
    socket.set_read_timeout(timeout).unwrap();
    socket.set_write_timeout(timeout).unwrap();
    socket
}

/// Returns two sockets connected to each other.
fn pair() -> (UdpSocket, UdpSocket) {
    let (one, other) = (socket(), socket());
    one.connect(other.local_addr().unwrap()).unwrap();
    other.connect(one.local_addr().unwrap()).unwrap();
    (one, other)
}

fn frame(cmd: u32, body: &[u8]) -> Frame {
    FrameRef { cmd, recv: 1, body }.into()
}

fn encode(frame: &Frame) -> BytesMut {
    let mut datagram = BytesMut::new();
    datagram::encode(CONFIG, frame, &mut datagram).unwrap();
    datagram
}

fn receive(socket: &UdpSocket) -> Result<Frame, DatagramError> {
    let mut buffer = vec![0; MAX_DATAGRAM];
    let received = socket.recv(&mut buffer).unwrap();
    datagram::decode(CONFIG, &buffer[..received]).map(Frame::from)
}

/// Unlike TCP, UDP neither coalesces frames sent together nor cuts a large one.
#[test]
fn each_datagram_is_one_frame() {
    let (client, server) = pair();
    let bodies = [&b"hello"[..], b"world", b"", b"musibii", &[7; 9000], b"1"];
    for body in bodies {
        client.send(&encode(&frame(1, body))).unwrap();
    }
    for body in bodies {
        assert_eq!(receive(&server), Ok(frame(1, body)));
    }
}

/// Starts a server that replies to the given number of requests, and returns a client's socket.
fn serve(requests: usize, reply: fn(FrameRef<'_>) -> Vec<u8>) -> (UdpSocket, JoinHandle<()>) {
    let (client, server) = (socket(), socket());
    client.connect(server.local_addr().unwrap()).unwrap();
    let serving = thread::spawn(move || {
        let mut buffer = vec![0; MAX_DATAGRAM];
        for _ in 0..requests {
            let (received, client) = server.recv_from(&mut buffer).unwrap();
            let request = datagram::decode(CONFIG, &buffer[..received]).unwrap();
            let reply = frame(request.cmd, &reply(request));
            server.send_to(&encode(&reply), client).unwrap();
        }
    });
    (client, serving)
}

fn exchange(client: &UdpSocket, request: &Frame) -> Frame {
    client.send(&encode(request)).unwrap();
    receive(client).unwrap()
}

#[test]
fn chat_server() {
    let lines = ["hello", "大家好", "", "bye"];
    let (client, serving) = serve(lines.len(), |request| request.body.to_ascii_uppercase());
    for (cmd, line) in (1..).zip(lines) {
        let reply = exchange(&client, &frame(cmd, line.as_bytes()));
        assert_eq!(reply, frame(cmd, line.to_ascii_uppercase().as_bytes()));
    }
    serving.join().unwrap();
}

/// The request's body is the unit of the time; an empty one means seconds.
#[test]
fn time_server() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let (client, serving) = serve(2, |request| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let time = match request.body {
            b"milliseconds" => now.as_millis(),
            _ => now.as_secs().into(),
        };
        time.to_string().into_bytes()
    });
    let time_in = |unit: &[u8]| -> u128 {
        let reply = exchange(&client, &frame(1, unit));
        str::from_utf8(&reply.body).unwrap().parse().unwrap()
    };
    let (before, seconds, milliseconds) = (now(), time_in(b""), time_in(b"milliseconds"));
    assert!((before.as_secs().into()..=now().as_secs().into()).contains(&seconds));
    assert!((before.as_millis()..=now().as_millis()).contains(&milliseconds));
    serving.join().unwrap();
}

/// The rest of a frame never arrives in a later datagram. The next datagram decodes as usual.
#[test]
fn rejects_a_truncated_frame() {
    let (client, server) = pair();
    let whole = encode(&frame(1, b"hello"));
    for end in 0..whole.len() {
        client.send(&whole[..end]).unwrap();
        client.send(&whole).unwrap();
        let due = if end < 4 { 12 } else { 17 };
        let received = end as u64;
        let error = DatagramError::Truncated { received, due };
        assert_eq!(receive(&server), Err(error), "the first {end} bytes");
        assert_eq!(receive(&server), Ok(frame(1, b"hello")));
    }
}

/// The kernel discards the bytes for which the buffer has no room.
#[test]
fn a_receive_buffer_that_is_too_small_is_an_error() {
    let (client, server) = pair();
    client.send(&encode(&frame(1, b"hello world"))).unwrap();
    let mut buffer = [0; 16];
    let received = server.recv(&mut buffer).unwrap();
    let error = DatagramError::Truncated {
        received: 16,
        due: 23,
    };
    assert_eq!(datagram::decode(CONFIG, &buffer[..received]), Err(error));
}

#[test]
fn rejects_two_frames_in_a_datagram() {
    let (client, server) = pair();
    let two = [encode(&frame(1, b"hello")), encode(&frame(2, b""))].concat();
    client.send(&two).unwrap();
    let error = DatagramError::Trailing {
        frame: 17,
        received: 29,
    };
    assert_eq!(receive(&server), Err(error));
}

#[test]
fn rejects_a_body_over_the_limit() {
    let config = Config {
        max_body_size: 4,
        ..CONFIG
    };
    let datagram = encode(&frame(1, b"hello"));
    let error = DatagramError::BodyTooLarge {
        body_size: 5,
        max_body_size: 4,
    };
    // The length field decides, even while the rest is missing.
    for end in 4..=datagram.len() {
        assert_eq!(datagram::decode(config, &datagram[..end]), Err(error));
    }
    let mut output = BytesMut::from("before");
    let error = EncodeError::BodyTooLarge {
        body_size: 5,
        max_body_size: 4,
    };
    let encoded = datagram::encode(config, &frame(1, b"hello"), &mut output);
    assert_eq!((encoded, &output[..]), (Err(error), &b"before"[..]));

    let at_the_limit = frame(1, b"four");
    let decoded = datagram::decode(config, &encode(&at_the_limit)).map(Frame::from);
    assert_eq!(decoded, Ok(at_the_limit));
}

/// The largest datagram arrives. One byte more is rejected by the encoder, and by the kernel.
#[test]
fn accepts_frames_up_to_the_largest_datagram() {
    let (client, server) = pair();
    let largest = frame(1, &vec![7; MAX_DATAGRAM - 12]);
    let sent = encode(&largest);
    assert_eq!(sent.len(), 65_507);
    client.send(&sent).unwrap();
    assert_eq!(receive(&server), Ok(largest));

    let over = frame(1, &vec![7; MAX_DATAGRAM - 11]);
    let mut output = BytesMut::from("before");
    let error = EncodeError::DatagramTooLarge { size: 65_508 };
    let encoded = datagram::encode(CONFIG, &over, &mut output);
    assert_eq!((encoded, &output[..]), (Err(error), &b"before"[..]));

    CONFIG.encode(&over, &mut output).unwrap();
    let error = client.send(&output[b"before".len()..]).unwrap_err();
    if cfg!(target_os = "linux") {
        let emsgsize = 90;
        assert_eq!(error.raw_os_error(), Some(emsgsize), "{error}");
    }
}

/// Frames that carry a number can be matched in any order.
#[test]
fn frames_decode_in_any_order() {
    let (client, server) = pair();
    let numbers = [3, 0, 9, 1, 7, 2, 8, 4, 6, 5];
    for number in numbers {
        client.send(&encode(&frame(number, b"part"))).unwrap();
    }
    let received = numbers.map(|_| receive(&server).unwrap());
    let numbers: BTreeSet<u32> = received.iter().map(|frame| frame.cmd).collect();
    assert!(numbers.into_iter().eq(0..10));
}

/// Every shorter datagram is truncated, and one more byte is trailing data.
#[test]
fn a_datagram_must_be_exactly_one_frame() {
    for byte_order in BYTE_ORDERS {
        let config = Config {
            byte_order,
            ..CONFIG
        };
        for body in [&b""[..], b"a", b"hello"] {
            let mut whole = BytesMut::new();
            datagram::encode(config, &frame(1, body), &mut whole).unwrap();
            assert_eq!(
                datagram::decode(config, &whole).map(Frame::from),
                Ok(frame(1, body))
            );
            for end in 0..whole.len() {
                let error = datagram::decode(config, &whole[..end]).unwrap_err();
                assert!(matches!(error, DatagramError::Truncated { .. }), "{end}");
            }
            whole.extend_from_slice(b"x");
            let error = datagram::decode(config, &whole).unwrap_err();
            assert!(matches!(error, DatagramError::Trailing { .. }));
        }
    }
}

#[test]
fn error_messages_say_what_to_do() {
    let over = |body_size| DatagramError::BodyTooLarge {
        body_size,
        max_body_size: 64,
    };
    assert_eq!(
        over(65).to_string(),
        "bodySize 65 of a datagram is over the limit of 64 bytes: \
         drop the datagram, or raise max_body_size to accept larger bodies"
    );
    assert_eq!(
        over(5 << 24).to_string(),
        "bodySize 83886080 of a datagram is over the limit of 64 bytes: \
         in the other byte order it is 5; check that both ends use the same byte order"
    );
    let truncated = |received, due| DatagramError::Truncated { received, due };
    assert_eq!(
        truncated(13, 17).to_string(),
        "datagram ends inside its frame, after 13 of 17 bytes: \
         receive into a buffer of 65507 bytes, and send each frame in one datagram"
    );
    assert_eq!(
        truncated(4, 17).to_string(),
        "datagram ends inside its frame, after 4 of 17 bytes: \
         receive into a buffer of 65507 bytes, and send each frame in one datagram"
    );
    assert_eq!(
        truncated(0, 12).to_string(),
        "datagram ends inside its frame, after 0 of at least 12 bytes: \
         receive into a buffer of 65507 bytes, and send each frame in one datagram"
    );
    let trailing = DatagramError::Trailing {
        frame: 17,
        received: 29,
    };
    assert_eq!(
        trailing.to_string(),
        "datagram of 29 bytes continues after its frame of 17 bytes: \
         send each frame in its own datagram"
    );
    let over = EncodeError::BodyTooLarge {
        body_size: 65,
        max_body_size: 64,
    };
    assert_eq!(
        over.to_string(),
        "body of 65 bytes is over the limit of 64 bytes: \
         send it in several frames, or raise max_body_size at both ends"
    );
    let over = EncodeError::DatagramTooLarge { size: 65_508 };
    assert_eq!(
        over.to_string(),
        "frame of 65508 bytes is over the datagram limit of 65507 bytes: \
         send it in several frames, or over TCP"
    );
}
