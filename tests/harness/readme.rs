//! The READMEs agree with the code, with each other, and with the files that they link to.

use std::io;
use std::path::Path;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use everysplit::{Harness, Property, Verdicts};
use tokio_util::codec::{Decoder, Encoder};

const ENGLISH: &str = include_str!("../../README.md");
const CHINESE: &str = include_str!("../../README.zh-CN.md");

const MAX_LINES: usize = 150;
const MAX_COLUMNS: usize = 100;

// The codec of the README's example, character for character.

/// A length of two bytes, then the body.
#[derive(Clone, PartialEq, Eq)]
struct MyCodec;

impl Decoder for MyCodec {
    type Item = Bytes;
    type Error = std::io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, Self::Error> {
        let Ok(length) = buffer.try_get_u16().map(usize::from) else {
            return Ok(None);
        };
        // The bug: if the body is not complete, the length is lost.
        let complete = buffer.len() >= length;
        Ok(complete.then(|| buffer.split_to(length).freeze()))
    }
}

impl Encoder<Bytes> for MyCodec {
    type Error = std::io::Error;

    fn encode(&mut self, body: Bytes, output: &mut BytesMut) -> Result<(), Self::Error> {
        output.put_u16(body.len().try_into().map_err(std::io::Error::other)?);
        output.extend(body);
        Ok(())
    }
}

/// The same with the bug fixed: the length stays in the buffer until the body is complete.
#[derive(Clone, PartialEq, Eq)]
struct FixedCodec;

impl Decoder for FixedCodec {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Bytes>> {
        let Ok(length) = buffer.as_ref().try_get_u16().map(usize::from) else {
            return Ok(None);
        };
        if buffer.len() < 2 + length {
            return Ok(None);
        }
        buffer.advance(2);
        Ok(Some(buffer.split_to(length).freeze()))
    }
}

impl Encoder<Bytes> for FixedCodec {
    type Error = io::Error;

    fn encode(&mut self, body: Bytes, output: &mut BytesMut) -> io::Result<()> {
        MyCodec.encode(body, output)
    }
}

/// Checks the streams of the README's example, as `framer_tests!` does.
fn verdicts<C>(make: fn() -> C) -> Verdicts
where
    C: Decoder<Item = Bytes, Error = io::Error>
        + Encoder<Bytes, Error = io::Error>
        + Clone
        + Eq
        + 'static,
{
    Verdicts::collect("my_codec", move |verdicts| {
        let harness = Harness::codec(make)
            .messages(["hello", "", "world"])
            .unlimited();
        for stream in verdicts.streams(&harness) {
            verdicts.add(harness.check(&stream))?;
        }
        Ok(())
    })
}

/// Returns the content of the code blocks whose info string begins with `language`.
fn code_blocks<'a>(readme: &'a str, language: &str) -> Vec<&'a str> {
    let fenced = readme.split("```").skip(1).step_by(2);
    let blocks = fenced.map(|block| block.split_once('\n').expect("a block has lines"));
    blocks
        .filter(|(info, _)| info.starts_with(language))
        .map(|(_, code)| code)
        .collect()
}

/// Returns the cells of the first two columns of the rows after a heading row.
fn table<'a>(readme: &'a str, heading: &str) -> Vec<(&'a str, &'a str)> {
    let (_, table) = readme.split_once(heading).expect("the table is there");
    let rows = table.lines().skip(2).take_while(|line| !line.is_empty());
    rows.map(|row| {
        let row = row
            .strip_prefix("| ")
            .and_then(|row| row.strip_suffix(" |"));
        let cells = row.and_then(|row| row.split_once(" | "));
        cells.expect("a row has two cells")
    })
    .collect()
}

/// Returns the number of columns of a line in a monospaced font: Chinese characters take two.
fn columns(line: &str) -> usize {
    let wide = |c| ('\u{2e80}'..='\u{ffee}').contains(&c);
    line.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[test]
fn the_table_of_properties_is_that_of_the_library() {
    let expected = Property::ALL.map(|it| (format!("`{}`", it.name()), it.sentence()));
    let expected = expected.iter().map(|(name, sentence)| (&**name, *sentence));
    let english = table(ENGLISH, "| property | what must hold |");
    assert_eq!(english, expected.clone().collect::<Vec<_>>());
    let chinese = table(CHINESE, "| 性质 | 必须成立的是 |");
    let names = chinese.into_iter().map(|(name, _)| name);
    assert!(names.eq(expected.map(|(name, _)| name)));
}

#[test]
fn the_front_page_lists_the_features_of_the_package() {
    let package = include_str!("../../Cargo.toml");
    let (_, features) = package.split_once("[features]\n").unwrap();
    let (features, _) = features.split_once("\n\n").unwrap();
    let lines = features.lines().filter(|line| !line.starts_with('#'));
    let names = lines.map(|line| line.split_once(" = ").unwrap().0);
    let mut expected: Vec<&str> = names.filter(|&name| name != "default").collect();
    expected.sort_unstable();
    let lines = include_str!("../../src/lib.rs").lines();
    let lines = lines.map_while(|line| line.strip_prefix("//!"));
    let front_page: Vec<&str> = lines.map(str::trim_start).collect();
    let front_page = front_page.join("\n");
    let rows = table(&front_page, "| feature | adds |").into_iter();
    let mut names: Vec<&str> = rows
        .map(|(name, _)| name.split('`').nth(1).unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, expected);
}

/// A documentation test of the library compiles and runs the example.
#[test]
fn the_example_is_the_code_of_this_file() {
    let blocks = code_blocks(ENGLISH, "rust");
    let [example] = blocks[..] else {
        panic!("{} examples", blocks.len());
    };
    let at = |text| example.find(text).expect("the example has this text");
    let codec = &example[at("/// A length")..at("#[cfg(test)]")];
    let tests = &example[at("#[cfg(test)]")..];
    let source = include_str!("readme.rs");
    assert!(source.contains(codec), "{codec}");
    assert!(tests.contains(r#".messages(["hello", "", "world"])"#));
    let lines = tests.lines().filter(|line| !line.is_empty());
    assert!(lines.count() <= 11, "{tests}");
    assert_eq!(tests.matches("MyCodec").count(), 1);
}

#[test]
fn the_results_of_the_example_are_those_of_the_library() {
    let buggy = verdicts(|| MyCodec);
    let violation = buggy.smallest(Property::EverySplit).unwrap().to_string();
    let fixed = verdicts(|| FixedCodec);
    for property in Property::ALL {
        assert_eq!(fixed.smallest(property), None);
        let fails = matches!(
            property,
            Property::EverySplit | Property::EmptyChunk | Property::Truncation
        );
        assert_eq!(buggy.smallest(property).is_some(), fails, "{property:?}");
    }
    fixed.assert_held();
    // The README breaks the line.
    let summary = fixed.summary().to_string();
    let shown = code_blocks(ENGLISH, "text");
    let [first, second] = shown[..] else {
        panic!("{} blocks", shown.len());
    };
    assert_eq!(first, format!("{violation}\n"));
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(words(second), words(&summary));
}

#[test]
fn the_code_blocks_are_the_same_in_both_languages() {
    assert_eq!(code_blocks(CHINESE, ""), code_blocks(ENGLISH, ""));
}

/// A line with a URL may be longer, and so may a row with a property's sentence.
#[test]
fn the_readmes_are_short_and_narrow() {
    for readme in [ENGLISH, CHINESE] {
        assert!(readme.lines().count() <= MAX_LINES);
        let sentences = Property::ALL.map(Property::sentence);
        let exempt = |line: &str| {
            line.contains("](https://")
                || sentences
                    .iter()
                    .any(|it| line.ends_with(it) || line.ends_with(&format!("{it} |")))
        };
        for line in readme.lines().filter(|line| !exempt(line)) {
            assert!(columns(line) <= MAX_COLUMNS, "{line}");
        }
    }
}

#[test]
fn every_relative_link_points_to_a_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for readme in [ENGLISH, CHINESE] {
        let targets = readme.split("](").skip(1);
        let targets = targets.map(|rest| rest.split_once(')').expect("a link ends").0);
        let mut links = 0;
        let missing = targets.filter(|target| {
            links += 1;
            !target.starts_with("https://") && !root.join(target).exists()
        });
        assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
        assert!(links > 10, "{links} links");
    }
}
