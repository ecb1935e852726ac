//! fastwebsockets 0.10.0: `read_frame` loses the beginning of a frame when its future is dropped, as
//! `select!` and timeouts do.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use fastwebsockets::{Role, WebSocket};
use tokio::io::AsyncWriteExt;

/// Polls a future once.
fn poll<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = Box::pin(future);
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

/// Returns the body of the first frame, if a read is given up after each of these writes.
fn first(writes: &[&[u8]]) -> Option<Vec<u8>> {
    let (server, mut client) = tokio::io::duplex(64);
    let mut server = WebSocket::after_handshake(server, Role::Server);
    server.set_auto_close(false);
    server.set_auto_pong(false);
    for write in writes {
        assert!(poll(client.write_all(write)).is_ready());
        if let Poll::Ready(frame) = poll(server.read_frame()) {
            return frame.ok().map(|frame| frame.payload.to_vec());
        }
    }
    None
}

fn main() {
    // "hi", and "ok" after it.
    let [hi, ok] = [b"\x82\x82\0\0\0\0hi", b"\x82\x82\0\0\0\0ok"];
    assert_eq!(first(&[hi, ok]).as_deref(), Some(&b"hi"[..]));
    let cut = first(&[&hi[..3], &hi[3..], ok]);
    assert_ne!(cut.as_deref(), Some(&b"hi"[..]));
    println!("confirmed");
}
