//! Tests the formats that have settings against the vectors of `data/described.py`, which CPython
//! parsed: the naive parsers, and the decoders under every split.

use std::collections::BTreeMap;

use bytes::Bytes;
use everysplit::Outcome;
use everysplit::reference::ByteOrder;
use everysplit_formats::fuzzing::Format;
use everysplit_formats::length_field::{LengthField, Sign, Width};
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

    fn format(&self) -> Format {
        match self.framing.split(':').next() {
            Some("length") => Format::LengthField(self.length_field()),
            Some("varint") => Format::Varint(self.varint()),
            Some("delimiter") => Format::Delimited(self.delimited()),
            _ => Format::Netstring(netstring::Config {
                max_size: self.max(),
            }),
        }
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

    /// Asserts that the naive parse is the same as CPython's, and that the decoder gives it for
    /// every split.
    fn check(&self) {
        let format = self.format();
        let parsed = format.parse(&self.stream);
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
        prove_both_ways(
            move || format.decoder(),
            move |stream: &[u8]| format.parse(stream),
            &self.stream,
        );
    }
}

fn all_vectors() -> Vec<Described> {
    serde_json::from_str(include_str!("../data/described.json")).unwrap()
}

/// Returns the valid streams, each with its format and byte order.
pub(crate) fn clean_streams() -> impl Iterator<Item = (String, String, Vec<u8>)> {
    let vectors = all_vectors().into_iter();
    let clean = vectors.filter(|vector| vector.outcome == common::Outcome::Clean);
    clean.map(|vector| {
        let order = vector.order.unwrap_or("any".into());
        (vector.framing, order, vector.stream)
    })
}

/// Checks all vectors of the formats with this name.
fn check(name: &str) {
    let is_named = |vector: &Described| vector.framing.split(':').next() == Some(name);
    let vectors: Vec<_> = all_vectors().into_iter().filter(is_named).collect();
    assert!(vectors.len() > 40, "{}", vectors.len());
    vectors.iter().for_each(Described::check);
}

#[test]
fn length_fields_match_cpython_under_every_split() {
    check("length");
}

#[test]
fn varints_match_cpython_under_every_split() {
    check("varint");
}

#[test]
fn delimiters_match_cpython_under_every_split() {
    check("delimiter");
}

#[test]
fn netstrings_match_cpython_under_every_split() {
    check("netstring");
}
