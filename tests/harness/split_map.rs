//! Split maps: what they show, and that the pictures in `docs` and `tests/pictures` are up to date.

use std::collections::BTreeSet;
use std::path::Path;

use bytes::BytesMut;
use everysplit::oracle::Parse;
use everysplit::reference::{Config, DecodeError, Decoder, Frame, FrameRef, Framer, naive};
use everysplit::subject::{Buffered, Decode, Frames, Subject};
use everysplit::{Case, Cell, Expected, Fed, Harness, Property, Split, SplitMap};

/// Decodes a size from the first chunk alone, with zeros for its missing bytes.
struct SizeCut(Decoder);

impl Decode for SizeCut {
    type Frame = Frame;
    type Error = DecodeError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        if !buffer.is_empty() && buffer.len() < 4 {
            buffer.resize(4, 0);
        }
        self.0.decode(buffer)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        self.0.decode_eof(buffer)
    }
}

/// Emits at most one frame per chunk: the next one waits for more bytes.
struct OnePerChunk {
    decoder: Decoder,
    buffer: BytesMut,
}

impl Subject for OnePerChunk {
    type Frame = Frame;
    type Error = DecodeError;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Frame>) -> Result<(), DecodeError> {
        self.buffer.extend_from_slice(chunk);
        frames.extend(self.decoder.decode(&mut self.buffer)?);
        Ok(())
    }

    fn finish(&mut self, frames: &mut Frames<Frame>) -> Result<(), DecodeError> {
        frames.extend(self.decoder.decode_eof(&mut self.buffer)?);
        Ok(())
    }
}

fn correct() -> Framer {
    Framer::new(Config::default())
}

fn size_cut() -> Buffered<SizeCut> {
    Buffered::new(SizeCut(Decoder::new(Config::default())))
}

fn one_per_chunk() -> OnePerChunk {
    OnePerChunk {
        decoder: Decoder::new(Config::default()),
        buffer: BytesMut::new(),
    }
}

/// Returns a stream of one frame for each body.
fn stream(bodies: &[&[u8]]) -> Vec<u8> {
    let mut stream = BytesMut::new();
    for (&body, cmd) in bodies.iter().zip(1..) {
        let frame = FrameRef { cmd, recv: 0, body };
        Config::default().encode(frame, &mut stream).unwrap();
    }
    stream.to_vec()
}

type Oracle = fn(&[u8]) -> Expected<Frame, DecodeError>;

fn harness<S>(make: impl Fn() -> S + 'static) -> Harness<Fed<S>, Parse<Oracle, Frame, DecodeError>>
where
    S: Subject<Frame = Frame, Error = DecodeError>,
{
    Harness::framer(make)
        .oracle((|stream| naive::parse(Config::default(), stream)) as Oracle)
        .limit_errors(|error| matches!(error, DecodeError::BodyTooLarge { .. }))
        .edges(|stream| naive::edges(Config::default(), stream))
}

fn map<S>(make: impl Fn() -> S + 'static, stream: &[u8]) -> SplitMap
where
    S: Subject<Frame = Frame, Error = DecodeError>,
{
    harness(make).split_map(stream)
}

#[track_caller]
fn assert_drawn(map: &SplitMap, expected: &str) {
    let drawn = map.to_string();
    assert_eq!(drawn, expected.trim_matches('\n'), "drawn:\n{drawn}");
}

#[test]
fn a_correct_framer_holds_everywhere() {
    assert_drawn(
        &map(correct, &stream(&[b"ok"])),
        "
14 bytes, 91 splits: one cut on the diagonal, two below it

   │ ·
   │ · ·
   │ · · ·
 4 ┤ ──────┼
   │ · · · │ ·
   │ · · · │ · ·
   │ · · · │ · · ·
 8 ┤ ──────┼───────┼
   │ · · · │ · · · │ ·
   │ · · · │ · · · │ · ·
   │ · · · │ · · · │ · · ·
12 ┤ ──────┼───────┼───────┼
   │ · · · │ · · · │ · · · │ ·
   └───────┬───────┬───────┬──
           4       8       12

·  held  91
whole: held, byte by byte: held",
    );
}

#[test]
fn a_size_from_the_first_chunk_is_violated_by_cuts_inside_a_size() {
    assert_drawn(
        &map(size_cut, &stream(&[b"", b"ok"])),
        "
26 bytes, 325 splits: one cut on the diagonal, two below it

   │ E
   │ E E
   │ E E E
 4 ┤ E E E ┼
   │ E E E │ ·
   │ E E E │ · ·
   │ E E E │ · · ·
 8 ┤ E E E ┼───────┼
   │ E E E │ · · · │ ·
   │ E E E │ · · · │ · ·
   │ E E E │ · · · │ · · ·
12 ┤ E E E ┼───────┼───────┼
   │ E E E E E E E E E E E E E
   │ E E E E E E E E E E E E E E
   │ E E E E E E E E E E E E E E E
16 ┤ E E E ┼───────┼───────┼ E E E ┼
   │ E E E │ · · · │ · · · │ E E E │ ·
   │ E E E │ · · · │ · · · │ E E E │ · ·
   │ E E E │ · · · │ · · · │ E E E │ · · ·
20 ┤ E E E ┼───────┼───────┼ E E E ┼───────┼
   │ E E E │ · · · │ · · · │ E E E │ · · · │ ·
   │ E E E │ · · · │ · · · │ E E E │ · · · │ · ·
   │ E E E │ · · · │ · · · │ E E E │ · · · │ · · ·
24 ┤ E E E ┼───────┼───────┼ E E E ┼───────┼───────┼
   │ E E E │ · · · │ · · · │ E E E │ · · · │ · · · │ ·
   └───────┬───────┬───────┬───────┬───────┬───────┬──
           4       8       12      16      20      24

·  held         190
E  every_split  135
whole: held, byte by byte: every_split",
    );
}

/// The stream is two frames and a header that is rejected at byte 28. The result is correct only
/// with one cut from byte 12 to 23 and one from 24 to 27.
#[test]
fn one_frame_per_chunk_holds_only_if_cuts_separate_the_frames() {
    let mut stream = stream(&[b"", b""]);
    stream.extend([0xff; 6]);
    assert_drawn(
        &map(one_per_chunk, &stream),
        "
30 bytes, 435 splits: one cut on the diagonal, two below it

   │ L
   │ L L
   │ L L L
 4 ┤ L L L L
   │ L L L L L
   │ L L L L L L
   │ L L L L L L L
 8 ┤ L L L L L L L L
   │ L L L L L L L L L
   │ L L L L L L L L L L
   │ L L L L L L L L L L L
12 ┤ L L L L L L L L L L L L
   │ L L L L L L L L L L L L L
   │ L L L L L L L L L L L L L L
   │ L L L L L L L L L L L L L L L
16 ┤ L L L L L L L L L L L L L L L L
   │ L L L L L L L L L L L L L L L L L
   │ L L L L L L L L L L L L L L L L L L
   │ L L L L L L L L L L L L L L L L L L L
20 ┤ L L L L L L L L L L L L L L L L L L L L
   │ L L L L L L L L L L L L L L L L L L L L L
   │ L L L L L L L L L L L L L L L L L L L L L L
   │ L L L L L L L L L L L L L L L L L L L L L L L
24 ┤ P P P P P P P P P P P ┼───────┼───────┼────── P
   │ P P P P P P P P P P P │ · · · │ · · · │ · · · P P
   │ P P P P P P P P P P P │ · · · │ · · · │ · · · P P P
   │ P P P P P P P P P P P │ · · · │ · · · │ · · · P P P P
28 ┤ L L L L L L L L L L L L L L L L L L L L L L L P P P P L
   │ L L L L L L L L L L L L L L L L L L L L L L L P P P P L L
   └───────┬───────┬───────┬───────┬───────┬───────┬───────┬──
           4       8       12      16      20      24      28

·  held    48
P  prompt  62
L  limit   325
whole: limit, byte by byte: held",
    );
}

#[test]
fn an_empty_stream_has_no_cuts() {
    assert_drawn(
        &map(correct, b""),
        "
0 bytes, 0 splits: one cut on the diagonal, two below it


·  held  0
whole: held, byte by byte: held",
    );
    assert_well_formed(&map(correct, b"").to_svg());
}

#[test]
fn a_cell_is_the_result_of_its_split() {
    let stream = stream(&[b"", b"ok"]);
    let map = map(size_cut, &stream);
    let harness = harness(size_cut);
    let violated = |split: Split| {
        let result = harness.one_split(&Case::new(&stream[..], split));
        result.map_or_else(|found| Cell::Violated(found.property), |()| Cell::Held)
    };
    for second in 1..stream.len() {
        for first in 1..=second {
            let split = Split::new([first, second]);
            assert_eq!(map.two_cuts(first, second), violated(split));
        }
    }
    assert_eq!(map.whole(), violated(Split::whole()));
    assert_eq!(map.bytes(), violated(Split::bytes(stream.len())));
    assert_eq!(map.bytes(), Cell::Violated(Property::EverySplit));
    assert_eq!(map.whole(), Cell::Held);
    // The second of two frames in one chunk is late.
    let whole = self::map(one_per_chunk, &self::stream(&[b"", b""])).whole();
    assert_eq!(whole, Cell::Violated(Property::Prompt));
}

#[test]
#[should_panic(expected = "no two cuts: 2,1 of 12")]
fn cuts_out_of_order_have_no_cell() {
    let _ = map(correct, &stream(&[b""])).two_cuts(2, 1);
}

#[test]
fn a_long_stream_shows_the_worst_of_several_cuts() {
    let stream = stream(&[&[7; 200], b""]);
    let map = map(size_cut, &stream);
    let drawn = map.to_string();
    assert!(drawn.contains("a character covers 5 by 5 cuts and shows the worst\n"));
    assert!(drawn.lines().all(|line| line.chars().count() <= 100));
    assert_eq!(map.two_cuts(6, 212), Cell::Held);
    let violated = Cell::Violated(Property::EverySplit);
    assert_eq!(map.two_cuts(6, 213), violated);
    // The row of the cuts 211 to 215, with the columns of 1 to 5 and of 6 to 10.
    let row = drawn.lines().find(|line| line.starts_with("212 ")).unwrap();
    assert!(row.starts_with("212 ┤ E E"), "{row}");
}

/// 47 cuts make 24 characters, the last of one cut.
#[test]
fn a_character_can_cover_two_cuts() {
    assert_drawn(
        &map(size_cut, &stream(&[b"", b"ok", b"ten bytes."])),
        "
48 bytes, 1128 splits: one cut on the diagonal, two below it
a character covers 2 by 2 cuts and shows the worst

   │ E
 4 ┤ E E
   │ E E ·
 8 ┤ E E ──┼
   │ E E · │ ·
12 ┤ E E ──┼───┼
   │ E E E E E E E
16 ┤ E E E E E E E E
   │ E E · │ · │ E E ·
20 ┤ E E ──┼───┼ E E ──┼
   │ E E · │ · │ E E · │ ·
24 ┤ E E ──┼───┼ E E ──┼───┼
26 ┤ E E ──┼───┼ E E ──┼───┼─┼
   │ E E E E E E E E E E E E E E
30 ┤ E E E E E E E E E E E E E E E
   │ E E · │ · │ E E · │ · │ │ E E ·
34 ┤ E E ──┼───┼ E E ──┼───┼─┼ E E ──┼
   │ E E · │ · │ E E · │ · │ │ E E · │ ·
38 ┤ E E ──┼───┼ E E ──┼───┼─┼ E E ──┼───┼
   │ E E · │ · │ E E · │ · │ │ E E · │ · │ ·
   │ E E · │ · │ E E · │ · │ │ E E · │ · │ · ·
   │ E E · │ · │ E E · │ · │ │ E E · │ · │ · · ·
   │ E E · │ · │ E E · │ · │ │ E E · │ · │ · · · ·
   │ E E · │ · │ E E · │ · │ │ E E · │ · │ · · · · ·
   └───┬───┬───┬───┬───┬───┬─┬───┬───┬───┬──────────
       4   8   12  16  20  24    30  34  38

·  held         741
E  every_split  387
whole: held, byte by byte: every_split",
    );
}

#[test]
fn cuts_share_a_character_or_a_cell_only_without_room() {
    let covers = |len: usize| {
        let map = map(correct, &vec![0xff; len]);
        let drawn = map.to_string();
        let text = drawn.split_once("a character covers ");
        let svg = map.to_svg();
        let svg = svg.split_once(">a cell: ");
        [text, svg].map(|shared| {
            let shared = shared.map(|(_, per)| per.split(' ').next().unwrap());
            shared.map_or(1, |per| per.parse::<usize>().unwrap())
        })
    };
    assert_eq!(covers(0), [1, 1]);
    assert_eq!(covers(46), [1, 1]);
    assert_eq!(covers(47), [2, 1]);
    assert_eq!(covers(91), [2, 1]);
    assert_eq!(covers(92), [3, 1]);
    assert_eq!(covers(481), [11, 1]);
    assert_eq!(covers(482), [11, 2]);
}

#[test]
fn leaves_out_offsets_that_would_touch() {
    let map = harness(correct)
        .edges(|_| vec![13, 0, 4, 11, 5, 10, 24, 25])
        .split_map(&[0; 24]);
    let drawn = map.to_string();
    let axes = drawn.lines().skip_while(|line| !line.starts_with("   └"));
    let axes: Vec<&str> = axes.take(2).collect();
    assert_eq!(
        axes,
        [
            "   └───────┬─┬─────────┬─┬───┬────────────────────",
            "           4 5         10    13",
        ]
    );
}

#[test]
#[should_panic(expected = "no two cuts: 1,12 of 12")]
fn a_cut_at_the_end_has_no_cell() {
    let _ = map(correct, &stream(&[b""])).two_cuts(1, 12);
}

#[test]
#[should_panic(expected = "no two cuts: 0,3 of 12")]
fn a_cut_before_the_stream_has_no_cell() {
    let _ = map(correct, &stream(&[b""])).two_cuts(0, 3);
}

/// Asserts that tags are balanced and all text is escaped.
#[track_caller]
fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap();
        assert!(!text.contains(['>', '&']), "{text}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap()),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_svg_names_edges_and_violated_properties() {
    let stream = stream(&[b"", b"ok"]);
    let svg = map(size_cut, &stream).to_svg();
    assert_well_formed(&svg);
    for edge in [4, 8, 12, 16, 20, 24] {
        // On both axes.
        assert_eq!(svg.matches(&format!(">{edge}</text>")).count(), 2, "{edge}");
    }
    let property = Property::EverySplit;
    assert!(svg.contains(&format!(">{}: ", property.name())));
    assert!(svg.contains(property.sentence()));
    assert!(svg.contains(">whole: held<"));
    assert!(svg.contains(">byte by byte: every_split<"));
    assert_eq!(svg, map(size_cut, &stream).to_svg());
}

/// A property that a split can violate has a letter and a colour of its own. The others share one.
#[test]
fn properties_differ_in_letter_and_colour() {
    let (mut letters, mut colours) = (BTreeSet::new(), BTreeSet::new());
    for property in Property::ALL {
        let map = SplitMap::of(3, &[], |_| Cell::Violated(property));
        let drawn = map.to_string();
        let name = format!("  {} ", property.name());
        let row = drawn.lines().find(|line| line.contains(&name)).unwrap();
        letters.insert(row.chars().next().unwrap());
        let svg = map.to_svg();
        let (_, colour) = svg.split_once(r#"<path fill=""#).unwrap();
        colours.insert(colour[..7].to_owned());
    }
    assert_eq!(letters.len(), 10, "{letters:?}");
    assert_eq!(colours.len(), 10, "{colours:?}");
}

/// A cut is four pixels wide here. Two offsets of two digits need a distance of five cuts side by
/// side, and of four one above the other.
#[test]
fn the_svg_leaves_out_offsets_that_would_touch() {
    let svg = harness(correct)
        .edges(|_| vec![20, 23, 24, 25])
        .split_map(&[0; 121])
        .to_svg();
    let offsets = |anchor: &str| {
        let anchor = format!(r#"text-anchor="{anchor}">"#);
        let texts = svg.split(&anchor).skip(1);
        let texts = texts.map(|text| text.split('<').next().unwrap().to_owned());
        let offsets = texts.filter(|text| text.parse::<usize>().is_ok());
        offsets.collect::<Vec<_>>()
    };
    assert_eq!(offsets("middle"), ["20", "25"]);
    assert_eq!(offsets("end"), ["20", "24"]);
}

#[test]
fn the_svg_of_a_long_stream_stays_small() {
    let stream = stream(&[&[7; 600]]);
    let svg = map(size_cut, &stream).to_svg();
    assert_well_formed(&svg);
    assert!(svg.contains("a cell: 2 by 2 cuts, the worst"));
    assert!(svg.len() < 20_000, "{}", svg.len());
}

/// The pictures of the README, one with several properties, and one with edges too close together
/// to show all their offsets. `UPDATE_PICTURES=1 cargo test` rewrites them.
#[test]
fn the_pictures_are_up_to_date() {
    let stream = stream(&[b"hello", b"", b"world"]);
    let mut rejected = self::stream(&[b"", b""]);
    rejected.extend([0xff; 6]);
    let long = self::stream(&[&[7; 430], &[7; 40], b""]);
    let pictures = [
        ("docs/split-map-right.svg", map(correct, &stream)),
        ("docs/split-map-wrong.svg", map(size_cut, &stream)),
        ("tests/pictures/rejected.svg", map(one_per_chunk, &rejected)),
        ("tests/pictures/long.svg", map(size_cut, &long)),
    ];
    for (name, map) in pictures {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let svg = map.to_svg();
        assert_well_formed(&svg);
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &svg).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == svg,
            "{name} is out of date: run UPDATE_PICTURES=1 cargo test and look at the change"
        );
    }
}

#[test]
fn splits_that_were_not_tried_are_blank() {
    let cell = |split: &Split| match *split.cuts() {
        [3] => Cell::Violated(Property::EverySplit),
        [] | [_] => Cell::Held,
        _ => Cell::Untried,
    };
    let map = SplitMap::of(5, &[2], cell);
    assert_eq!(
        map.to_string(),
        "\
5 bytes, 10 splits: one cut on the diagonal, two below it

  │ ·
2 ┤   ┼
  │     E
  │       ·
  └───┬────
      2

·  held         3
   untried      6
E  every_split  1
whole: held, byte by byte: untried"
    );
    let svg = map.to_svg();
    assert!(svg.contains("<title>untried</title>"), "{svg}");
    assert!(svg.contains(">untried: 6</text>"), "{svg}");
    // Each line of the legend is below the one before it.
    let heights = ["held: 3", "untried: 6", "every_split: 1"].map(|entry| {
        let line = svg.lines().find(|line| line.contains(&format!(">{entry}")));
        let text = line.and_then(|line| line.split(r#"class="ink""#).last());
        let y = text.and_then(|text| text.split('"').nth(3));
        y.and_then(|y| y.parse::<i32>().ok())
            .unwrap_or_else(|| panic!("{entry}: {svg}"))
    });
    assert_eq!(heights.map(|y| y - heights[0]), [0, 22, 44]);
    // Without a violation, `untried` is the widest name.
    let none = SplitMap::of(3, &[], |split| match split.cuts() {
        [_, _] => Cell::Untried,
        _ => Cell::Held,
    });
    let text = none.to_string();
    assert!(text.contains("\n·  held     2\n   untried  1\n"), "{text}");
    // A character that covers a split that was not tried is blank too.
    let long = SplitMap::of(100, &[], |split| match *split.cuts() {
        [first, second] if second == first + 1 => Cell::Untried,
        _ => Cell::Held,
    });
    let drawn = long.to_string();
    assert!(!drawn.lines().nth(3).unwrap().contains('·'), "{drawn}");
}
