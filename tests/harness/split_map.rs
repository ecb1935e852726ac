//! The pictures of where a cut breaks a framer: what they show, and that those
//! in `docs` are what is drawn today.

use std::path::Path;

use bytes::BytesMut;
use everysplit::check::{self, Cell, Property, SplitMap};
use everysplit::reference::{Config, DecodeError, Decoder, Frame, FrameRef, Framer, naive};
use everysplit::{Buffered, Decode, Frames, Split, Subject};

/// Reads a size from the first chunk alone: what is missing of it is taken for 0.
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

/// Takes one frame from a chunk: the second waits for more bytes.
struct OneAChunk {
    decoder: Decoder,
    buffer: BytesMut,
}

impl Subject for OneAChunk {
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

fn right() -> Framer {
    Framer::new(Config::default())
}

fn size_cut() -> Buffered<SizeCut> {
    Buffered::new(SizeCut(Decoder::new(Config::default())))
}

fn one_a_chunk() -> OneAChunk {
    OneAChunk {
        decoder: Decoder::new(Config::default()),
        buffer: BytesMut::new(),
    }
}

fn stream(bodies: &[&[u8]]) -> Vec<u8> {
    let mut stream = BytesMut::new();
    for (&body, cmd) in bodies.iter().zip(1..) {
        let frame = FrameRef { cmd, recv: 0, body };
        Config::default().encode(frame, &mut stream).unwrap();
    }
    stream.to_vec()
}

fn map<S>(make: impl Fn() -> S, stream: &[u8]) -> SplitMap
where
    S: Subject<Frame = Frame, Error = DecodeError>,
{
    let expected = naive::parse(Config::default(), stream);
    let edges = naive::edges(Config::default(), stream);
    SplitMap::new(make, stream, &expected, &edges)
}

#[track_caller]
fn draws(map: &SplitMap, picture: &str) {
    let drawn = map.to_string();
    assert_eq!(drawn, picture.trim_matches('\n'), "drawn:\n{drawn}");
}

#[test]
fn a_right_framer_holds_everywhere() {
    draws(
        &map(right, &stream(&[b"ok"])),
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
fn a_size_from_the_first_chunk_alone_breaks_where_a_size_is_cut() {
    draws(
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

/// Two frames and a header that is refused at byte 28: right only with one cut
/// between the ends of the frames and one between the last of them and byte 28.
#[test]
fn one_frame_a_chunk_breaks_unless_cuts_part_the_frames() {
    let mut stream = stream(&[b"", b""]);
    stream.extend([0xff; 6]);
    draws(
        &map(one_a_chunk, &stream),
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
    draws(
        &map(right, b""),
        "
0 bytes, 0 splits: one cut on the diagonal, two below it


·  held  0
whole: held, byte by byte: held",
    );
    well_formed(&map(right, b"").to_svg());
}

/// What is drawn is what the check says.
#[test]
fn a_cell_is_the_verdict_on_its_split() {
    let stream = stream(&[b"", b"ok"]);
    let map = map(size_cut, &stream);
    let expected = naive::parse(Config::default(), &stream);
    let violated = |split: Split| {
        let verdict = check::split(size_cut(), &stream, &split, &expected);
        verdict.map_or_else(|found| Cell::Violated(found.property), |()| Cell::Held)
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
    // Of two frames in one chunk, the second is late.
    let whole = self::map(one_a_chunk, &self::stream(&[b"", b""])).whole();
    assert_eq!(whole, Cell::Violated(Property::Prompt));
}

#[test]
#[should_panic(expected = "no two cuts: 2,1 of 12")]
fn cuts_out_of_order_have_no_cell() {
    let _ = map(right, &stream(&[b""])).two_cuts(2, 1);
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
    // Cuts 211 to 215, and 1 to 5, then 6 to 10.
    let row = drawn.lines().find(|line| line.starts_with("212 ")).unwrap();
    assert!(row.starts_with("212 ┤ E E"), "{row}");
}

/// Of 47 cuts, two a character, and one in the last.
#[test]
fn a_character_for_two_cuts_is_drawn_like_one() {
    draws(
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

/// As long as there is room, a character or a cell is one cut.
#[test]
fn cuts_share_a_place_only_where_they_must() {
    let covers = |len: usize| {
        let map = map(right, &vec![0xff; len]);
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

/// Offsets that would touch each other are left out.
#[test]
fn the_offsets_of_edges_stand_apart() {
    let stream = [0; 24];
    let expected = naive::parse(Config::default(), &stream);
    let map = SplitMap::new(right, &stream, &expected, &[13, 0, 4, 11, 5, 10, 24, 25]);
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
    let _ = map(right, &stream(&[b""])).two_cuts(1, 12);
}

#[test]
#[should_panic(expected = "no two cuts: 0,3 of 12")]
fn a_cut_before_the_stream_has_no_cell() {
    let _ = map(right, &stream(&[b""])).two_cuts(0, 3);
}

/// Tags are balanced and all text is escaped.
#[track_caller]
fn well_formed(svg: &str) {
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
fn the_svg_names_the_edges_and_what_is_violated() {
    let stream = stream(&[b"", b"ok"]);
    let svg = map(size_cut, &stream).to_svg();
    well_formed(&svg);
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

/// Where a cut is four pixels wide: two offsets of two digits beside each other take
/// five cuts, and above each other four.
#[test]
fn the_svg_leaves_out_offsets_that_would_touch() {
    let stream = [0; 121];
    let expected = naive::parse(Config::default(), &stream);
    let svg = SplitMap::new(right, &stream, &expected, &[20, 23, 24, 25]).to_svg();
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
    well_formed(&svg);
    assert!(svg.contains("a cell: 2 by 2 cuts, the worst"));
    assert!(svg.len() < 20_000, "{}", svg.len());
}

/// The README's, and two that show what those do not: several properties, and edges
/// that are too close to each other for all their offsets. `UPDATE_PICTURES=1 cargo test`
/// draws them anew.
#[test]
fn the_pictures_are_up_to_date() {
    let stream = stream(&[b"hello", b"", b"world"]);
    let mut refused = self::stream(&[b"", b""]);
    refused.extend([0xff; 6]);
    let long = self::stream(&[&[7; 430], &[7; 40], b""]);
    let pictures = [
        ("docs/split-map-right.svg", map(right, &stream)),
        ("docs/split-map-wrong.svg", map(size_cut, &stream)),
        ("tests/pictures/refused.svg", map(one_a_chunk, &refused)),
        ("tests/pictures/long.svg", map(size_cut, &long)),
    ];
    for (name, map) in pictures {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let svg = map.to_svg();
        well_formed(&svg);
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &svg).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == svg,
            "{name} is not what is drawn: run UPDATE_PICTURES=1 cargo test, and look at it"
        );
    }
}

/// What was not tried is left blank, and is not told to have held.
#[test]
fn what_was_not_tried_is_blank() {
    let verdict = |split: &Split| match *split.cuts() {
        [3] => Cell::Violated(Property::EverySplit),
        [] | [_] => Cell::Held,
        _ => Cell::Untried,
    };
    let map = SplitMap::of(5, &[2], verdict);
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
    // A character that covers one that was not tried is blank too.
    let long = SplitMap::of(100, &[], |split| match *split.cuts() {
        [first, second] if second == first + 1 => Cell::Untried,
        _ => Cell::Held,
    });
    let drawn = long.to_string();
    assert!(!drawn.lines().nth(3).unwrap().contains('·'), "{drawn}");
}
