//! Lines, fields of tables, and character sets.

use asynchronous_codec::Decoder as _;
use everysplit::subject::{DecodeFn, FeedFn, Frames, Queue, TokioDecoder};
use everysplit::{Deviation, Harness, Verdicts};

use crate::framer::{Family, framer, verdicts};

pub(crate) fn family() -> Family {
    Family {
        title: "Text",
        source: include_str!("text.rs"),
        framers: vec![
            framer!("tokio-util", "LinesCodec", lines_codec),
            framer!(
                "tokio-util",
                "LinesCodec::new_with_max_length",
                lines_with_limit
            ),
            framer!("tokio-util", "AnyDelimiterCodec", any_delimiter),
            framer!("asynchronous-codec", "LinesCodec", asynchronous_lines),
            framer!("linereader", "LineReader", linereader),
            framer!("csv-core", "Reader", csv_core).violates("every_split", "efbbbf@whole"),
            framer!("encoding_rs", "Decoder (UTF-8)", decoder, || decoder(
                encoding_rs::UTF_8,
                UTF_8
            )),
            framer!("encoding_rs", "Decoder (UTF-16LE)", decoder, || decoder(
                encoding_rs::UTF_16LE,
                UTF_16
            )),
            framer!("encoding_rs", "Decoder (Shift_JIS)", decoder, || decoder(
                encoding_rs::SHIFT_JIS,
                SHIFT_JIS
            )),
            framer!("encoding_rs", "Decoder (ISO-2022-JP)", decoder, || decoder(
                encoding_rs::ISO_2022_JP,
                ISO_2022_JP
            )),
            framer!("utf8parse", "Parser", utf8parse),
        ],
    }
}

fn lines_codec() -> Verdicts {
    verdicts!(
        Harness::decoder(|| TokioDecoder::new(tokio_util::codec::LinesCodec::new()))
            .encoder(|line: &String| format!("{line}\n").into_bytes())
            .messages(["hello", "", "ä world"])
            .unlimited()
    )
}

fn lines_with_limit() -> Verdicts {
    let lines = || tokio_util::codec::LinesCodec::new_with_max_length(4);
    verdicts!(
        Harness::decoder(move || TokioDecoder::new(lines()))
            .declare([Deviation::CallerStops])
            .streams([
                "ok\nfour\ntoo long\nok\n",
                "four",
                "too long",
                "four\r\n",
                "five5\n"
            ])
    )
}

fn any_delimiter() -> Verdicts {
    let codec = || tokio_util::codec::AnyDelimiterCodec::new(b",;".to_vec(), b",".to_vec());
    verdicts!(
        Harness::decoder(move || TokioDecoder::new(codec())).streams(["one,two;;three", "one,"])
    )
}

fn asynchronous_lines() -> Verdicts {
    verdicts!(
        Harness::decoder(|| DecodeFn::new(
            (),
            |(), bytes| asynchronous_codec::LinesCodec
                .decode(bytes)
                .map_err(|it| it.kind()),
            |(), bytes| asynchronous_codec::LinesCodec
                .decode_eof(bytes)
                .map_err(|it| it.kind()),
        ))
        .declare([Deviation::DiscardsAtEnd])
        .streams(["one\n\ntwo\n", "one\ntw", "ä\n"])
    )
}

fn linereader() -> Verdicts {
    verdicts!(
        Harness::owning_reader(linereader::LineReader::<Queue>::new, |lines| {
            let line = lines
                .next_line()
                .transpose()
                .map_err(|error| error.kind())?;
            Ok::<_, std::io::ErrorKind>(line.map(<[u8]>::to_vec))
        })
        .declare([Deviation::NotResumable])
        .streams(["one\n\ntwo\n", "one\ntw"])
    )
}

fn csv_core() -> Verdicts {
    type State = (csv_core::Reader, Vec<u8>);
    fn read(state: &mut State, bytes: &mut &[u8], fields: &mut Frames<(Vec<u8>, bool)>) -> bool {
        let (reader, field) = state;
        let mut output = [0; 8];
        let (result, read, written) = reader.read_field(bytes, &mut output);
        *bytes = &bytes[read..];
        field.extend(&output[..written]);
        if let csv_core::ReadFieldResult::Field { record_end } = result {
            fields.push((std::mem::take(field), record_end));
        }
        result == csv_core::ReadFieldResult::End
    }
    let feed = |state: &mut State, mut chunk: &[u8], fields: &mut Frames<_>| {
        while !chunk.is_empty() {
            read(state, &mut chunk, fields);
        }
        Ok::<(), ()>(())
    };
    let finish = |state: &mut State, fields: &mut Frames<_>| {
        while !read(state, &mut &[][..], fields) {}
        Ok(())
    };
    let make = move || FeedFn::new((csv_core::Reader::new(), Vec::new()), feed, finish);
    verdicts!(Harness::framer(make).streams([
        "a,\"b \"\"c\"\"\r\n\"\r\n\r\nlonger than eight,\n",
        "a,b",
        "\"open",
        "\u{feff}a\n"
    ]))
}

/// Decodes a character set, with its characters as frames.
fn decoder(encoding: &'static encoding_rs::Encoding, streams: &'static [&[u8]]) -> Verdicts {
    use encoding_rs::{CoderResult, Decoder};
    fn decode(decoder: &mut Decoder, mut bytes: &[u8], last: bool, chars: &mut Frames<char>) {
        loop {
            let mut text = String::with_capacity(8);
            let (result, read, _) = decoder.decode_to_string(bytes, &mut text, last);
            chars.extend(text.chars());
            bytes = &bytes[read..];
            if result == CoderResult::InputEmpty {
                return;
            }
        }
    }
    let feed = |decoder: &mut Option<Decoder>, bytes: &[u8], chars: &mut Frames<char>| {
        if let Some(decoder) = decoder {
            decode(decoder, bytes, false, chars);
        }
        Ok::<(), ()>(())
    };
    // A decoder must not be called after its end.
    let finish = |decoder: &mut Option<Decoder>, chars: &mut Frames<char>| {
        if let Some(mut decoder) = decoder.take() {
            decode(&mut decoder, &[], true, chars);
        }
        Ok(())
    };
    let make = move || FeedFn::new(Some(encoding.new_decoder()), feed, finish);
    verdicts!(Harness::framer(make).streams(streams.iter().copied()))
}

const UTF_8: &[&[u8]] = &[
    b"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82\xf0\x9f\xc3\xa4\xff\xe2\x82",
    b"\xef\xbb\xbfa",
    b"\xef\xbb",
];
const UTF_16: &[&[u8]] = &[
    b"\xff\xfea\0\x3d\xd8\x42\xde\x3d\xd8a\0\x42\xdea",
    b"\xff",
    b"\x3d\xd8",
];
const SHIFT_JIS: &[&[u8]] = &[b"a\x82\xa0\xb1\x82a\xff\x82", b"\x81\x30"];
const ISO_2022_JP: &[&[u8]] = &[
    b"a\x1b$B$\"\x1b(Bb\x1b$\x1b(J\x5c\x1b$Ba",
    b"\x1b$",
    b"\x1b(J\x1b(B",
];

fn utf8parse() -> Verdicts {
    struct Chars<'a>(&'a mut Frames<Option<char>>);
    impl utf8parse::Receiver for Chars<'_> {
        fn codepoint(&mut self, c: char) {
            self.0.push(Some(c));
        }
        fn invalid_sequence(&mut self) {
            self.0.push(None);
        }
    }
    let feed = |parser: &mut utf8parse::Parser, bytes: &[u8], chars: &mut Frames<_>| {
        for &byte in bytes {
            parser.advance(&mut Chars(chars), byte);
        }
        Ok::<(), ()>(())
    };
    let make = move || FeedFn::new(utf8parse::Parser::new(), feed, |_, _| Ok(()));
    verdicts!(Harness::framer(make).streams([&b"a\xc3\xa4\xf0\x9f\x99\x82\xe2\x82a\xff"[..]]))
}
