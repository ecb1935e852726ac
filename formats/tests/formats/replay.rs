//! Every seed, every input that a campaign left in `fuzz/corpus` and every
//! artifact in `fuzz/artifacts`, through the check of its target, without
//! cargo-fuzz. It searches for nothing.
//!
//! A seed is a raw stream: those of the vectors and the captures, and under
//! `regression-…` the smallest input of every bug found.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use arbitrary::{Arbitrary, Unstructured};
use everysplit::check::{Outcome, Violation};
use everysplit::reference::{Framer, Sent, fuzzing};
use everysplit::{Buffered, Case, Split};
use everysplit_formats::len32;

fn folder(kind: &str, target: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "fuzz", kind, target]
        .iter()
        .collect()
}

/// The files of a folder by name; none where there is no folder.
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

fn received(input: &[u8]) -> Case {
    Case::arbitrary_take_rest(Unstructured::new(input)).unwrap()
}

fn sent(input: &[u8]) -> Sent {
    Sent::arbitrary_take_rest(Unstructured::new(input)).unwrap()
}

/// The input's own split, byte by byte, and every split of up to one cut; of a
/// long input its own alone.
fn splits(len: usize, own: Split) -> impl Iterator<Item = Split> {
    let more = [Split::bytes(len)].into_iter().chain(Split::up_to(len, 1));
    [own].into_iter().chain(more.filter(move |_| len <= 256))
}

fn decode(input: &[u8]) -> Result<(), Violation> {
    let Case { stream, split } = received(input);
    for split in splits(stream.len(), split) {
        let stream = stream.clone();
        let case = Case { stream, split };
        for config in fuzzing::CONFIGS {
            fuzzing::decode(Framer::new(config), config, &case)?;
            fuzzing::empty_chunk(|| Framer::new(config), config, &case)?;
        }
    }
    Ok(())
}

fn differential(input: &[u8]) -> Result<(), Violation> {
    let Case { stream, split } = received(input);
    for split in splits(stream.len(), split) {
        let stream = stream.clone();
        let case = Case { stream, split };
        for config in fuzzing::CONFIGS {
            fuzzing::differential(|| Framer::new(config), config, &case)?;
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
    let Case { stream, split } = received(input);
    for split in splits(stream.len(), split) {
        let stream = stream.clone();
        let case = Case { stream, split };
        for algorithm in everysplit_formats::auth::fuzzing::ALGORITHMS {
            everysplit_formats::auth::fuzzing::decode(
                everysplit_formats::auth::fuzzing::guarded(algorithm),
                algorithm,
                &case,
            )?;
        }
    }
    Ok(())
}

fn json_header(input: &[u8]) -> Result<(), Violation> {
    let Case { stream, split } = received(input);
    for split in splits(stream.len(), split) {
        let stream = stream.clone();
        let case = Case { stream, split };
        for config in everysplit_formats::json_header::fuzzing::CONFIGS {
            everysplit_formats::json_header::fuzzing::harness(config).check(&case)?;
        }
    }
    Ok(())
}

fn signed_lengths(input: &[u8]) -> Result<(), Violation> {
    let Case { stream, split } = received(input);
    for config in everysplit_formats::len32::fuzzing::CONFIGS {
        everysplit_formats::len32::fuzzing::encode(
            len32::Config::encode,
            config.byte_order,
            &stream,
        )?;
        for split in splits(stream.len(), split.clone()) {
            let stream = stream.clone();
            let case = Case { stream, split };
            let make = || Buffered::new(len32::Decoder::new(config));
            everysplit_formats::len32::fuzzing::decode(make, config, &case)?;
        }
    }
    Ok(())
}

type Check = fn(&[u8]) -> Result<(), Violation>;

/// Seeds by name.
type Seeds = fn() -> BTreeMap<String, Vec<u8>>;

/// Every target, its check, and the seeds that it begins with.
const TARGETS: [(&str, Check, Seeds); 7] = [
    ("auth", auth, auth_seeds),
    ("decode", decode, seeds),
    ("differential", differential, seeds),
    ("encode", encode, seeds),
    ("json_header", json_header, json_header_seeds),
    ("len32", signed_lengths, || seeds_of("len32")),
    ("round_trip", round_trip, seeds),
];

#[test]
fn every_input_holds() {
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

/// The vectors of another format.
fn seeds_of(framing: &str) -> BTreeMap<String, Vec<u8>> {
    let vectors = crate::common::vectors_of(framing).into_iter();
    vectors.map(|vector| (vector.name, vector.stream)).collect()
}

/// The answers of the vectors, and the streams of the byte order that is behind
/// answers, each behind a right one.
fn auth_seeds() -> BTreeMap<String, Vec<u8>> {
    let behind = everysplit_formats::auth::fuzzing::ALGORITHMS
        .into_iter()
        .flat_map(|algorithm| {
            let streams = seeds().into_iter();
            let little = streams.filter(|(name, _)| name.ends_with("-little"));
            little.map(move |(name, stream)| {
                let algorithm_name = format!("{algorithm:?}").to_lowercase();
                let answer = everysplit_formats::auth::fuzzing::answer(algorithm);
                let name = format!("answer-{algorithm_name}-{name}");
                (name, [answer, &stream].concat())
            })
        });
    seeds_of("auth").into_iter().chain(behind).collect()
}

/// The vectors, and a stream of the other configuration.
fn json_header_seeds() -> BTreeMap<String, Vec<u8>> {
    let big = b"\0\0\0\x07{\"n\":2}ab\0\0\0\x07{\"n\":0}".to_vec();
    let big = [("big-endian".to_string(), big)];
    seeds_of("json_header").into_iter().chain(big).collect()
}

/// The vectors of the reference format and the captures.
fn seeds() -> BTreeMap<String, Vec<u8>> {
    let vectors = crate::common::vectors().into_iter();
    let vectors = vectors.map(|vector| (vector.name, vector.stream));
    let captures = crate::common::captures().into_iter();
    let captures = captures.map(|capture| (format!("capture-{}", capture.name), capture.stream()));
    vectors.chain(captures).collect()
}

/// `UPDATE_SEEDS=1 cargo test --all-features --test replay` writes them anew.
#[test]
fn the_seeds_are_the_vectors_and_the_captures() {
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
            "fuzz/corpus/{target} is not what the data says"
        );
    }
}

#[test]
fn a_raw_stream_is_a_whole_input() {
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

#[test]
fn an_input_keeps_its_split() {
    let stream = crate::common::capture("testpack").stream();
    assert_eq!(received(&stream).split.to_string(), "2,3,7,8,9");
}
