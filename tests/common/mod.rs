//! The golden vectors, the captures, and the oracles that several tests share.
#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(unreachable_pub, reason = "each test file is a crate of its own")]

pub mod oracles;

use everysplit::Expected;
use everysplit::reference::{ByteOrder, Config, DecodeError, Frame};
use serde::Deserialize;

/// A stream written by CPython, and its expected result. `tests/data/generate.py` documents the
/// fields.
#[derive(Deserialize)]
pub struct Vector {
    pub name: String,
    pub framing: String,
    order: Order,
    pub max: u32,
    #[serde(with = "hex")]
    pub stream: Vec<u8>,
    pub frames: serde_json::Value,
    pub outcome: Outcome,
    pub at: Option<usize>,
    pub size: Option<i64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    Little,
    Big,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Clean,
    Truncated,
    Rejected,
}

#[derive(Deserialize)]
struct VectorFrame {
    cmd: u32,
    recv: u32,
    #[serde(with = "hex")]
    body: Vec<u8>,
    end: usize,
}

impl From<Order> for ByteOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Little => Self::Little,
            Order::Big => Self::Big,
        }
    }
}

impl Vector {
    pub fn byte_order(&self) -> ByteOrder {
        self.order.into()
    }

    pub fn config(&self) -> Config {
        Config {
            byte_order: self.order.into(),
            max_body_size: self.max,
        }
    }

    /// Returns the expected result. If the stream ends inside a frame, the sizes in the error are
    /// derived from its last bytes.
    pub fn expected(&self) -> Expected<Frame, DecodeError> {
        let frames = Vec::<VectorFrame>::deserialize(&self.frames).unwrap();
        let frames = frames.into_iter().map(|frame| {
            let (cmd, recv, body) = (frame.cmd, frame.recv, frame.body.into());
            (frame.end, Frame { cmd, recv, body })
        });
        let frames: Vec<_> = frames.collect();
        let start = frames.last().map_or(0, |&(end, _)| end);
        let rest = &self.stream[start..];
        let offset = start as u64;
        let outcome = match self.outcome {
            Outcome::Clean => everysplit::Outcome::Clean,
            Outcome::Truncated => everysplit::Outcome::Truncated(DecodeError::Truncated {
                offset,
                received: rest.len() as u64,
                due: 12 + self.body_size(rest),
            }),
            Outcome::Rejected => everysplit::Outcome::Rejected {
                at: self.at.unwrap(),
                error: DecodeError::BodyTooLarge {
                    offset,
                    body_size: self.size.unwrap().try_into().unwrap(),
                    max_body_size: self.max,
                },
            },
        };
        Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        }
    }

    /// Returns the `bodySize` of a header, or 0 if it has fewer than four bytes.
    fn body_size(&self, header: &[u8]) -> u64 {
        let Some(&size) = header.first_chunk() else {
            return 0;
        };
        u64::from(match self.order {
            Order::Little => u32::from_le_bytes(size),
            Order::Big => u32::from_be_bytes(size),
        })
    }
}

/// Returns the vectors of the reference format.
pub fn vectors() -> Vec<Vector> {
    let vectors = vectors_of("header12");
    assert_eq!(vectors.len(), 36);
    vectors
}

/// Returns the vectors whose `framing` field is this name.
pub fn vectors_of(framing: &str) -> Vec<Vector> {
    let mut vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../data/vectors.json")).unwrap();
    vectors.retain(|vector| vector.framing == framing);
    vectors
}

/// A stream recorded from the original programs.
#[derive(Deserialize)]
pub struct Capture {
    pub name: String,
    order: Order,
    #[serde(rename = "segments")]
    chunks: Vec<Chunk>,
}

#[derive(Deserialize)]
struct Chunk(#[serde(with = "hex")] Vec<u8>);

impl Capture {
    pub fn config(&self) -> Config {
        Config {
            byte_order: self.order.into(),
            ..Config::default()
        }
    }

    /// Returns the chunks as they were received from the socket.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        self.chunks.iter().map(|chunk| &chunk.0[..])
    }

    pub fn stream(&self) -> Vec<u8> {
        self.chunks().flatten().copied().collect()
    }
}

pub fn captures() -> Vec<Capture> {
    serde_json::from_str(include_str!("../data/captures.json")).unwrap()
}

pub fn capture(name: &str) -> Capture {
    let mut captures = captures().into_iter();
    captures.find(|capture| capture.name == name).unwrap()
}
