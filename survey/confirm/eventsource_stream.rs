//! eventsource-stream 0.2.3: a stream that begins with a byte order mark panics.

use std::panic::catch_unwind;

use eventsource_stream::Eventsource;
use tokio_stream::{Stream, StreamExt};

/// Returns whether a stream of these bytes panics.
fn panics(bytes: &'static [u8]) -> bool {
    let poll = || {
        let read = tokio_stream::once(Ok::<_, ()>(bytes));
        let mut events = Box::pin(read.eventsource().map(|event| event.map(|it| it.data)));
        let waker = std::task::Waker::noop();
        drop(
            events
                .as_mut()
                .poll_next(&mut std::task::Context::from_waker(waker)),
        );
    };
    catch_unwind(poll).is_err()
}

fn main() {
    assert!(!panics(b"data: a\n\n"));
    assert!(panics(b"\xef\xbb\xbfdata: a\n\n"));
    println!("confirmed");
}
