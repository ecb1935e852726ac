//! Runs every committed fuzz seed through the check of its fuzz target, without cargo-fuzz. Inputs
//! that a campaign left in `fuzz/corpus` and `fuzz/artifacts` run too. No new inputs are generated.
//!
//! A seed is a raw stream: one of the vectors or captures, or `regression-…`, the smallest input
//! that showed a past bug.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use arbitrary::{Arbitrary, Unstructured};

use everysplit::oracle::Oracle;
use everysplit::reference::{Framer, Sent, fuzzing};
use everysplit::{Case, Door, Harness, Interruption, Outcome, Split, Violation};
use everysplit_formats::auth::fuzzing as auth;
use everysplit_formats::fuzzing::FORMATS;
use everysplit_formats::json_header::fuzzing as json_header;
use everysplit_formats::len32::Config;
use everysplit_formats::len32::fuzzing as len32;

use crate::described::clean_streams;
use crate::support::simple_splits;

fn folder(kind: &str, target: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "fuzz", kind, target]
        .iter()
        .collect()
}

/// Returns the contents of a folder's files by name, empty if the folder does not exist.
fn files(folder: &PathBuf) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    let files = entries.map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    });
    files.collect()
}

/// Reads an input as the decoder targets do: a stream, and a split derived from its bytes.
fn received(input: &[u8]) -> Case {
    Case::arbitrary_take_rest(Unstructured::new(input)).unwrap()
}

/// Reads an input as the encoder targets do: frames, and a split of their stream.
fn sent(input: &[u8]) -> Sent {
    Sent::arbitrary_take_rest(Unstructured::new(input)).unwrap()
}

/// Returns the input's own split; for up to 256 bytes also the simple splits.
fn splits(len: usize, own: Split) -> impl Iterator<Item = Split> {
    [own]
        .into_iter()
        .chain(simple_splits(len).filter(move |_| len <= 256))
}

/// Returns an input's stream with each of its [`splits`].
fn cases(input: &[u8]) -> impl Iterator<Item = Case> {
    let Case { stream, split, .. } = received(input);
    splits(stream.len(), split).map(move |split| Case::new(stream.clone(), split))
}

fn decode(input: &[u8]) -> Result<(), Violation> {
    for case in cases(input) {
        for config in fuzzing::CONFIGS {
            check(
                &fuzzing::harness(move || Framer::new(config), config),
                case.clone(),
            )?;
        }
    }
    Ok(())
}

fn differential(input: &[u8]) -> Result<(), Violation> {
    for case in cases(input) {
        for config in fuzzing::CONFIGS {
            fuzzing::differential(move || Framer::new(config), config, &case)?;
        }
    }
    Ok(())
}

fn round_trip(input: &[u8]) -> Result<(), Violation> {
    let Sent { frames, split } = sent(input);
    for split in splits(input.len(), split) {
        let frames = frames.clone();
        let case = Sent { frames, split };
        for config in fuzzing::CONFIGS {
            fuzzing::round_trip(Framer::new, config.byte_order, &case)?;
        }
    }
    Ok(())
}

fn encode(input: &[u8]) -> Result<(), Violation> {
    for config in fuzzing::CONFIGS {
        for frame in &sent(input).frames {
            fuzzing::encode(fuzzing::encode_whole, config.byte_order, frame)?;
            fuzzing::encode(fuzzing::encode_in_parts, config.byte_order, frame)?;
        }
    }
    Ok(())
}

fn auth(input: &[u8]) -> Result<(), Violation> {
    for case in cases(input) {
        for algorithm in auth::ALGORITHMS {
            check(&auth::harness(algorithm), case.clone())?;
        }
    }
    Ok(())
}

fn json_header(input: &[u8]) -> Result<(), Violation> {
    for case in cases(input) {
        for config in json_header::CONFIGS {
            check(&json_header::harness(config), case.clone())?;
        }
    }
    Ok(())
}

fn len32(input: &[u8]) -> Result<(), Violation> {
    let body = received(input).stream;
    for config in len32::CONFIGS {
        len32::encode(Config::encode, config.byte_order, &body)?;
        for case in cases(input) {
            check(&len32::harness(config), case)?;
        }
    }
    Ok(())
}

fn described(input: &[u8]) -> Result<(), Violation> {
    for case in cases(input) {
        for format in FORMATS {
            check(&format.harness(), case.clone())?;
        }
    }
    Ok(())
}

/// Checks a case without and with empty chunks.
fn check<T: Door, O: Oracle<T>>(harness: &Harness<T, O>, case: Case) -> Result<(), Violation> {
    harness.one_split(&case.with(Interruption::EmptyChunk))
}

type Check = fn(&[u8]) -> Result<(), Violation>;

/// Returns streams by name.
type Seeds = fn() -> BTreeMap<String, Vec<u8>>;

/// Every fuzz target with its check and the seeds derived from the vectors and captures.
const TARGETS: [(&str, Check, Seeds); 8] = [
    ("auth", auth, auth_seeds),
    ("decode", decode, reference_seeds),
    ("described", described, described_seeds),
    ("differential", differential, reference_seeds),
    ("encode", encode, reference_seeds),
    ("json_header", json_header, json_header_seeds),
    ("len32", len32, || vector_seeds("len32")),
    ("round_trip", round_trip, reference_seeds),
];

#[test]
fn every_seed_and_artifact_passes_its_check() {
    for (target, check, _) in TARGETS {
        let mut count = 0;
        for kind in ["corpus", "artifacts"] {
            for (name, input) in files(&folder(kind, target)) {
                if let Err(violation) = check(&input) {
                    panic!("fuzz/{kind}/{target}/{name}: {violation}");
                }
                count += 1;
            }
        }
        println!("{target}: {count} inputs");
    }
}

/// Returns the vectors of one format.
fn vector_seeds(framing: &str) -> BTreeMap<String, Vec<u8>> {
    let vectors = crate::common::vectors_of(framing).into_iter();
    vectors.map(|vector| (vector.name, vector.stream)).collect()
}

/// Returns the `auth` vectors, which are answers only, and the little-endian seeds of the reference
/// format after a correct answer.
fn auth_seeds() -> BTreeMap<String, Vec<u8>> {
    let answered = auth::ALGORITHMS.into_iter().flat_map(|algorithm| {
        let streams = reference_seeds().into_iter();
        let little = streams.filter(|(name, _)| name.ends_with("-little"));
        little.map(move |(name, stream)| {
            let algorithm_name = format!("{algorithm:?}").to_lowercase();
            let answer = auth::answer(algorithm);
            let name = format!("answer-{algorithm_name}-{name}");
            (name, [answer, &stream].concat())
        })
    });
    vector_seeds("auth").into_iter().chain(answered).collect()
}

/// Returns the `json_header` vectors, which are little-endian, and a stream for the big-endian
/// configuration of the fuzz target.
fn json_header_seeds() -> BTreeMap<String, Vec<u8>> {
    let big = b"\0\0\0\x07{\"n\":2}ab\0\0\0\x07{\"n\":0}".to_vec();
    let big = [("big-endian".to_string(), big)];
    vector_seeds("json_header").into_iter().chain(big).collect()
}

/// Returns the longest valid vector of each format with settings.
fn described_seeds() -> BTreeMap<String, Vec<u8>> {
    let mut seeds: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (framing, order, stream) in clean_streams() {
        let name = framing
            .replace(['=', ':', ',', '.'], "-")
            .replace("--", "-minus-");
        let seed = seeds.entry(format!("{name}-{order}")).or_default();
        if seed.len() < stream.len() {
            *seed = stream;
        }
    }
    seeds
}

/// Returns the vectors and captures of the reference format.
fn reference_seeds() -> BTreeMap<String, Vec<u8>> {
    let vectors = crate::common::vectors().into_iter();
    let vectors = vectors.map(|vector| (vector.name, vector.stream));
    let captures = crate::common::captures().into_iter();
    let captures = captures.map(|capture| (format!("capture-{}", capture.name), capture.stream()));
    vectors.chain(captures).collect()
}

/// To write the seeds again after a change of the vectors or captures:
/// `UPDATE_SEEDS=1 cargo test --all-features -p everysplit-formats --test formats seeds`
#[test]
fn committed_seeds_match_the_vectors_and_captures() {
    for (target, _, seeds) in TARGETS {
        let folder = folder("corpus", target);
        if std::env::var_os("UPDATE_SEEDS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            for (name, stream) in seeds() {
                fs::write(folder.join(name), stream).unwrap();
            }
        }
        let mut found = files(&folder);
        found.retain(|name, _| name.contains('-') && !name.starts_with("regression-"));
        assert!(
            found == seeds(),
            "fuzz/corpus/{target} differs from the vectors and captures"
        );
    }
}

#[test]
fn an_input_is_a_raw_stream() {
    for vector in crate::common::vectors() {
        assert_eq!(received(&vector.stream).stream, vector.stream);
        let expected = vector.expected();
        if vector.name.ends_with("-little") && expected.outcome == Outcome::Clean {
            let frames = expected.frames.into_iter().map(|(_, frame)| frame);
            let frames: Vec<_> = frames.collect();
            assert_eq!(sent(&vector.stream).frames, frames, "{}", vector.name);
        }
    }
}

/// The regression seeds show their bugs only with the split they were found with.
#[test]
fn the_split_derived_from_an_input_is_stable() {
    let stream = crate::common::capture("testpack").stream();
    assert_eq!(received(&stream).split.to_string(), "2,3,7,8,9");
}
