//! One byte at a time costs in proportion to the bytes, whatever is in them.
//!
//! Measured as a ratio in one run: a stream of four times the length takes four
//! times as long, and sixteen times where each byte reads everything again.

use std::time::{Duration, Instant};

use everysplit::{Config, Frame, Framer, Header, Sink, Subject};

const LEN: usize = 2 * 1024;

/// What is dribbled, for a length.
type Stream = fn(usize) -> Vec<u8>;

fn one_body(len: usize) -> Vec<u8> {
    let header = Config::default().encode_header(1, 0, len - Header::LEN);
    let mut stream = header.unwrap().to_vec();
    stream.resize(len, b'x');
    stream
}

fn empty_bodies(len: usize) -> Vec<u8> {
    let header = Config::default().encode_header(1, 0, 0).unwrap();
    header.into_iter().cycle().take(len).collect()
}

fn never_whole(len: usize) -> Vec<u8> {
    let mut stream = one_body(len + 1);
    stream.truncate(len);
    stream
}

fn refused(len: usize) -> Vec<u8> {
    vec![0xff; len]
}

fn time<S: Subject>(subject: S, stream: &[u8]) -> Duration {
    let (mut subject, mut frames) = (subject, Sink::new(LEN * 4));
    let start = Instant::now();
    for byte in stream.chunks(1) {
        let _ = subject.feed(byte, &mut frames);
    }
    start.elapsed()
}

/// How much longer four times the bytes take: the least of some tries, as other
/// work on the machine only adds to a time.
fn growth<S: Subject>(subject: impl Fn() -> S, stream: Stream) -> f64 {
    let (short, long) = (stream(LEN), stream(4 * LEN));
    let least = |stream| (0..7).map(|_| time(subject(), stream)).min().unwrap();
    least(&long).as_secs_f64() / least(&short).as_secs_f64()
}

#[test]
fn the_framer_is_linear() {
    for stream in [one_body, empty_bodies, never_whole, refused] {
        let growth = growth(|| Framer::new(Config::default()), stream);
        assert!(growth < 8.0, "{growth}");
    }
}

/// Reads everything again with each byte.
struct Rereads(Vec<u8>);

impl Subject for Rereads {
    type Frame = Frame;
    type Error = ();

    fn feed(&mut self, chunk: &[u8], _: &mut Sink<Frame>) -> Result<(), ()> {
        self.0.extend(chunk);
        let sum: u64 = self.0.iter().map(|&byte| u64::from(byte)).sum();
        assert_ne!(sum, 0);
        Ok(())
    }

    fn finish(&mut self, _: &mut Sink<Frame>) -> Result<(), ()> {
        Ok(())
    }
}

#[test]
fn one_that_is_not_is_found() {
    let growth = growth(|| Rereads(Vec::new()), one_body);
    assert!(growth > 10.0, "{growth}");
}
