//! Tests the formats that have settings against the vectors of `data/described.py`, which CPython
//! parsed: the naive parsers, and the decoders under every split.

use std::collections::BTreeMap;

use bytes::Bytes;
use everysplit::reference::ByteOrder;
use everysplit::subject::Decode;
use everysplit::{Expected, Outcome};
use everysplit_formats::length_field::{self, LengthField, Sign, Width};
use everysplit_formats::{delimited, netstring, varint};
use serde::Deserialize;

use crate::common;
use crate::support::prove_both_ways;

/// A stream, and what CPython parsed from it. `data/described.py` documents the fields.
#[derive(Deserialize)]
struct Described {
    framing: String,
    order: Option<String>,
    max: Option<u64>,
    #[serde(with = "hex")]
    stream: Vec<u8>,
    frames: Vec<Body>,
    outcome: common::Outcome,
    at: Option<usize>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(with = "hex")]
    body: Vec<u8>,
    end: usize,
}

impl Described {
    /// Returns the settings, each with its value.
    fn settings(&self) -> BTreeMap<&str, &str> {
        let (_, settings) = self.framing.split_once(':').unwrap_or_default();
        let settings = settings.split(',').filter(|setting| !setting.is_empty());
        settings
            .map(|setting| setting.split_once('=').unwrap_or((setting, "")))
            .collect()
    }

    fn max(&self) -> u64 {
        self.max.unwrap_or(u64::MAX)
    }

    fn length_field(&self) -> LengthField {
        let settings = self.settings();
        let number = |name| {
            settings
                .get(name)
                .map(|value| value.parse::<i32>().unwrap())
        };
        let offset = number("offset").unwrap_or(0).try_into().unwrap();
        let width = match number("width").unwrap() {
            1 => Width::One,
            2 => Width::Two,
            3 => Width::Three,
            4 => Width::Four,
            _ => Width::Eight,
        };
        let field = LengthField::new(offset, width);
        LengthField {
            byte_order: match self.order.as_deref() {
                Some("little") => ByteOrder::Little,
                _ => ByteOrder::Big,
            },
            sign: match settings.get("signed") {
                Some(_) => Sign::Signed,
                None => Sign::Unsigned,
            },
            adjustment: number("adjust").unwrap_or(0),
            strip: number("strip").map_or(field.strip, |strip| strip.try_into().unwrap()),
            max_size: self.max(),
            ..field
        }
    }

    fn varint(&self) -> varint::Config {
        varint::Config {
            width: match self.settings().get("bits") {
                Some(_) => varint::Width::U32,
                None => varint::Width::U64,
            },
            max_size: self.max(),
        }
    }

    fn delimited(&self) -> delimited::Config {
        let (_, name) = self.framing.split_once(':').unwrap();
        let delimiter = match name {
            "lf" => delimited::Delimiter::LF,
            "crlf" => delimited::Delimiter::CRLF,
            "nul" => delimited::Delimiter::NUL,
            digits => delimited::Delimiter::new(&hex::decode(digits).unwrap()).unwrap(),
        };
        delimited::Config {
            delimiter,
            max_size: self.max(),
        }
    }

    fn netstring(&self) -> netstring::Config {
        netstring::Config {
            max_size: self.max(),
        }
    }

    /// Asserts that a parse is the same as CPython's, and that a decoder gives it for every split.
    fn check<D>(
        &self,
        make: impl Fn() -> D + Clone + 'static,
        parse: impl Fn(&[u8]) -> Expected<Bytes, D::Error> + Clone,
    ) where
        D: Decode<Frame = Bytes> + Clone + Eq + 'static,
    {
        let parsed = parse(&self.stream);
        let frames: Vec<_> = self
            .frames
            .iter()
            .map(|frame| (frame.end, Bytes::copy_from_slice(&frame.body)))
            .collect();
        let stream = hex::encode(&self.stream);
        assert_eq!(parsed.frames, frames, "{} {stream}", self.framing);
        let (outcome, at) = match parsed.outcome {
            Outcome::Clean => (common::Outcome::Clean, None),
            Outcome::Truncated(_) => (common::Outcome::Truncated, None),
            Outcome::Rejected { at, .. } => (common::Outcome::Rejected, Some(at)),
        };
        let expected = (self.outcome, self.at);
        assert_eq!((outcome, at), expected, "{} {stream}", self.framing);
        prove_both_ways(make, parse, &self.stream);
    }
}

/// Returns the vectors of the formats with this name.
fn vectors(name: &str) -> Vec<Described> {
    let vectors: Vec<Described> =
        serde_json::from_str(include_str!("../data/described.json")).unwrap();
    let is_named = |vector: &Described| vector.framing.split(':').next() == Some(name);
    let vectors: Vec<_> = vectors.into_iter().filter(is_named).collect();
    assert!(vectors.len() > 40, "{}", vectors.len());
    vectors
}

#[test]
fn length_fields_match_cpython_under_every_split() {
    for vector in vectors("length") {
        let field = vector.length_field();
        let parse = move |stream: &[u8]| length_field::naive::parse(field, stream);
        vector.check(move || length_field::Decoder::new(field), parse);
    }
}

#[test]
fn varints_match_cpython_under_every_split() {
    for vector in vectors("varint") {
        let config = vector.varint();
        let parse = move |stream: &[u8]| varint::naive::parse(config, stream);
        vector.check(move || varint::Decoder::new(config), parse);
    }
}

#[test]
fn delimiters_match_cpython_under_every_split() {
    for vector in vectors("delimiter") {
        let config = vector.delimited();
        let parse = move |stream: &[u8]| delimited::naive::parse(config, stream);
        vector.check(move || delimited::Decoder::new(config), parse);
    }
}

#[test]
fn netstrings_match_cpython_under_every_split() {
    for vector in vectors("netstring") {
        let config = vector.netstring();
        let parse = move |stream: &[u8]| netstring::naive::parse(config, stream);
        vector.check(move || netstring::Decoder::new(config), parse);
    }
}
