//! postcard 1.1.3: of a message that is too long, the end is decoded as a message of its own if it
//! arrives in another read.

use postcard::accumulator::{CobsAccumulator, FeedResult};

/// Returns the messages of these reads.
fn messages(reads: &[&[u8]]) -> Vec<[u8; 3]> {
    let (mut accumulator, mut messages) = (CobsAccumulator::<6>::new(), Vec::new());
    for mut read in reads.iter().copied() {
        while !read.is_empty() {
            read = match accumulator.feed::<[u8; 3]>(read) {
                FeedResult::Consumed => break,
                FeedResult::OverFull(rest) | FeedResult::DeserError(rest) => rest,
                FeedResult::Success { data, remaining } => {
                    messages.push(data);
                    remaining
                }
            };
        }
    }
    messages
}

fn main() {
    // One message of eleven bytes, for an accumulator of six.
    assert_eq!(messages(&[b"\x0axxxxx\x04abc\0"]), [[0; 3]; 0]);
    assert_eq!(messages(&[b"\x0axxxxx\x04", b"abc\0"]), [*b"abc"]);
    println!("confirmed");
}
