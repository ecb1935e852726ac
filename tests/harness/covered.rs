//! A property counts as checked only if some stream can violate it.

use std::io::{ErrorKind, Read};

use bytes::{Buf, BytesMut};
use everysplit::subject::{
    AsyncChunkReader, Buffered, ChunkReader, Decode, DecodeFn, FeedFn, Frames, ParseFn, Subject,
    TokioDecoder,
};
use everysplit::{
    Case, Deviation, Expected, Harness, Outcome, Property, Split, Status, Tier, Verdicts,
};
use tokio::io::AsyncReadExt;
use tokio_util::codec::LinesCodec;

/// Checks all streams of a harness.
macro_rules! verdicts {
    ($harness:expr) => {
        Verdicts::collect("framer", move |verdicts| {
            let harness = $harness;
            for stream in verdicts.streams(&harness) {
                verdicts.add(harness.check(&stream))?;
            }
            Ok(())
        })
    };
}

fn advice(verdicts: &Verdicts, property: Property) -> &'static str {
    match verdicts.status(property) {
        Status::NotChecked { advice } => advice,
        other => panic!("{other:?}\n{verdicts}"),
    }
}

fn holds(verdicts: &Verdicts, property: Property) -> bool {
    matches!(verdicts.status(property), Status::Held { .. })
}

type Parsed = Result<Option<(Vec<u8>, usize)>, &'static str>;

/// A length of two bytes, of at most 1000, then the body.
fn parse(bytes: &[u8]) -> Parsed {
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes(*length));
    if length > 1000 {
        return Err("too long");
    }
    let body = rest.get(..length);
    Ok(body.map(|body| (body.to_vec(), 2 + length)))
}

fn encode(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&length.to_be_bytes(), body].concat()
}

/// A frame of 256 bytes claims no more than any framer may hold, and one of 257 does.
#[test]
fn memory_is_checked_where_a_header_claims_more_than_may_be_held() {
    let verdicts = |body: usize| {
        verdicts!(
            Harness::parser(parse, "truncated")
                .encoder(|body| encode(body))
                .messages([vec![b'x'; body]])
                .unlimited()
                .truncation_error("truncated")
        )
    };
    assert_eq!(
        advice(&verdicts(254), Property::Memory),
        "add a frame of more than 256 bytes"
    );
    assert!(holds(&verdicts(255), Property::Memory));

    let preallocates = verdicts!(
        Harness::parser(parse, "truncated")
            .encoder(|body| encode(body))
            .messages([vec![b'x'; 255]])
            .unlimited()
            .preallocates(1000)
            .truncation_error("truncated")
    );
    assert_eq!(
        advice(&preallocates, Property::Memory),
        "add a frame longer than 256 bytes and what is preallocated"
    );
}

/// A framer that rejects a header may never reserve what it claims.
#[test]
fn memory_is_not_checked_by_a_header_that_is_rejected() {
    let verdicts = verdicts!(
        Harness::parser(parse, "truncated")
            .encoder(|body| encode(body))
            .messages([b"ok".to_vec()])
            .over_limit(encode(&[b'x'; 1001]), 2, "too long")
            .unlimited()
            .truncation_error("truncated")
    );
    assert_eq!(
        advice(&verdicts, Property::Memory),
        "add a frame of more than 256 bytes"
    );
}

/// Its limit is that of `parse`.
#[test]
fn a_specification_may_have_a_limit() {
    let harness = || {
        Harness::parser(parse, "truncated")
            .specification(|| Buffered::new(ParseFn::new(parse, "truncated")))
            .limit_errors(|error| *error == "too long")
            .limit_frames(|frame| frame.len() == 1000)
            .streams([encode(&[b'x'; 1000]), encode(&[b'x'; 1001])])
    };
    let verdicts = verdicts!(harness());
    verdicts.assert_held();
    assert!(holds(&verdicts, Property::Limit), "{verdicts}");
}

#[test]
#[should_panic(expected = "no size limit is declared")]
fn a_specification_must_say_which_errors_are_for_a_size() {
    let verdicts = verdicts!(
        Harness::parser(parse, "truncated")
            .specification(|| Buffered::new(ParseFn::new(parse, "truncated")))
            .streams([encode(b"ok")])
    );
    verdicts.assert_held();
}

#[test]
#[should_panic(expected = "no size limit is declared")]
fn an_oracle_must_say_which_errors_are_for_a_size() {
    let verdicts = verdicts!(
        Harness::parser(parse, "truncated")
            .oracle(|_: &[u8]| Expected::<Vec<u8>, _> {
                frames: Vec::new(),
                at_end: Vec::new(),
                outcome: Outcome::Truncated("truncated"),
            })
            .streams([b"\0"])
    );
    verdicts.assert_held();
}

#[test]
#[should_panic(expected = "CountsHeader is declared, and nothing is held to it")]
fn a_deviation_of_a_limit_needs_one() {
    let _ = verdicts!(
        Harness::parser(parse, "truncated")
            .encoder(|body: &Vec<u8>| encode(body))
            .messages([b"ok".to_vec()])
            .truncation_error("truncated")
            .declare([Deviation::CountsHeader])
    );
}

/// Errors are frames.
#[test]
fn no_stream_is_rejected_by_a_framer_that_resynchronises() {
    let verdicts = verdicts!(
        Harness::parser(parse, "truncated")
            .encoder(|body| encode(body))
            .messages([b"ok".to_vec()])
            .declare([Deviation::Resynchronises])
            .unlimited()
            .unlimited()
            .truncation_error("truncated")
    );
    for property in [Property::Rejection, Property::Poisoned] {
        assert_eq!(advice(&verdicts, property), "`Resynchronises` is declared");
    }
    let text = verdicts.certificates()[0].to_string();
    assert_eq!(text.matches("no size limit").count(), 1, "{text}");
}

/// A header that is cut short claims nothing yet.
#[test]
fn memory_is_checked_by_a_header_that_arrived() {
    let harness = Harness::parser(parse, "truncated")
        .encoder(|body| encode(body))
        .messages([vec![b'x'; 400]])
        .truncation_error("truncated");
    let stream = encode(&[b'x'; 400]);
    for (bytes, expected) in [(1, false), (63, false), (64, true), (402, true)] {
        let certificate = harness.check(&stream[..bytes]).unwrap();
        let held = certificate.held.contains(&Property::Memory);
        assert_eq!(held, expected, "{bytes} bytes");
    }
}

/// Reserves as much again as it has with each chunk of seven bytes. `==` does not compare that.
#[derive(Default, PartialEq, Eq)]
struct Reserves(Vec<u8>);

impl Clone for Reserves {
    fn clone(&self) -> Self {
        let mut bytes = Vec::with_capacity(self.0.capacity());
        bytes.extend(&self.0);
        Self(bytes)
    }
}

impl Subject for Reserves {
    type Frame = Vec<u8>;
    type Error = &'static str;

    fn feed(&mut self, chunk: &[u8], frames: &mut Frames<Vec<u8>>) -> Result<(), &'static str> {
        if chunk.len() == 7 {
            self.0.reserve_exact(self.0.capacity());
        }
        self.0.extend(chunk);
        while let Some((body, len)) = parse(&self.0)? {
            frames.push(body);
            self.0 = self.0[len..].to_vec();
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Frames<Vec<u8>>) -> Result<(), &'static str> {
        let whole = self.0.is_empty();
        if whole { Ok(()) } else { Err("truncated") }
    }

    fn buffered_bytes(&self) -> Option<usize> {
        Some(self.0.capacity())
    }
}

/// The bound on memory depends on the path to a state, and equal states merge.
#[test]
fn memory_is_never_said_to_be_proved() {
    let stream = encode(&[b'x'; 300]);
    let harness = || Harness::framer(Reserves::default).unlimited();
    let verdicts = verdicts!(harness().streams([encode(&[b'x'; 300])]));
    let (streams, proved) = (1, 0);
    let held = Status::Held { streams, proved };
    assert_eq!(verdicts.status(Property::Memory), held);
    let table = verdicts.to_string();
    assert!(table.contains("  memory        held on 1\n"), "{table}");
    assert!(
        table.contains("  every_split   held on 1, proved\n"),
        "{table}"
    );
    let line = verdicts.summary().to_string();
    let begin = "framer: proved on 1 stream (4 properties, memory for some splits only); not";
    assert!(line.starts_with(begin), "{line}");

    let sevens = Split::new((1..44).map(|n| 7 * n));
    let violation = harness().one_split(&Case::new(stream, sevens)).unwrap_err();
    assert_eq!(violation.property, Property::Memory, "{violation}");
}

/// Moves a body into a vector of its own, for which it reserves as much as the header claims.
#[derive(Clone, Default, PartialEq, Eq)]
struct OwnsBody {
    length: Option<usize>,
    body: Vec<u8>,
    reserves: bool,
}

impl OwnsBody {
    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        if self.length.is_none() && buffer.len() >= 2 {
            let length = usize::from(buffer.get_u16());
            if length > 1000 {
                return Err("too long");
            }
            self.length = Some(length);
            self.body = Vec::with_capacity(if self.reserves { length } else { 0 });
        }
        let Some(length) = self.length else {
            return Ok(None);
        };
        let missing = length - self.body.len();
        let part = buffer.split_to(missing.min(buffer.len()));
        self.body.extend_from_slice(&part);
        Ok((self.body.len() == length).then(|| {
            self.length = None;
            std::mem::take(&mut self.body)
        }))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, &'static str> {
        match self.decode(buffer)? {
            None if self.length.is_some() || !buffer.is_empty() => Err("truncated"),
            decoded => Ok(decoded),
        }
    }
}

#[test]
fn memory_of_a_decoder_that_owns_some_is_not_checked_unless_it_says_how_much() {
    fn verdicts<D>(make: fn(OwnsBody) -> D, reserves: bool) -> Verdicts
    where
        D: Decode<Frame = Vec<u8>, Error = &'static str> + Clone + Eq + 'static,
    {
        let fresh = move || OwnsBody {
            reserves,
            ..OwnsBody::default()
        };
        verdicts!(
            Harness::decoder(move || make(fresh()))
                .encoder(|body| encode(body))
                .messages([vec![b'x'; 300]])
                .unlimited()
                .truncate_up_to(8)
                .truncation_error("truncated")
        )
    }
    let unknown = |it| DecodeFn::new(it, OwnsBody::decode, OwnsBody::decode_eof);
    let known = |it| {
        DecodeFn::new(it, OwnsBody::decode, OwnsBody::decode_eof)
            .with_buffered_bytes(|it: &OwnsBody| it.body.capacity())
    };
    for reserves in [false, true] {
        assert_eq!(
            advice(&verdicts(unknown, reserves), Property::Memory),
            "the decoder owns memory beside its buffer: implement `Decode::buffered_bytes`, or \
             call `with_buffered_bytes`"
        );
    }
    let held = verdicts(known, false);
    assert!(holds(&held, Property::Memory));
    // How much it may hold does not depend on whether its caller or it holds the bytes.
    for certificate in held.certificates() {
        let proved = matches!(certificate.tier, Tier::Proved { .. });
        assert!(proved, "{certificate}");
    }
    let violation = verdicts(known, true);
    let violation = violation.smallest(Property::Memory).unwrap();
    assert!(violation.offset < 10, "{violation}");
}

/// The smallest violation shows the least that would have to be declared.
#[test]
fn verdicts_say_how_much_the_streams_together_preallocate() {
    let harness = || {
        Harness::decoder(|| {
            let reserves = OwnsBody {
                reserves: true,
                ..OwnsBody::default()
            };
            DecodeFn::new(reserves, OwnsBody::decode, OwnsBody::decode_eof)
                .with_buffered_bytes(|it: &OwnsBody| it.body.capacity())
        })
        .encoder(|body| encode(body))
        .messages([vec![b'x'; 300], vec![b'x'; 900]])
        .unlimited()
        .truncate_up_to(8)
        .truncation_error("truncated")
    };
    let verdicts = verdicts!(harness());
    let smallest = verdicts.smallest(Property::Memory).unwrap();
    assert_eq!(
        smallest.declare,
        [Deviation::Preallocates(512)],
        "{smallest}"
    );
    let panic = std::panic::catch_unwind(move || verdicts.assert_held()).unwrap_err();
    let text: String = *panic.downcast().unwrap();
    let advice = "to allow every violation of `memory`: declare `Preallocates(1024)`";
    assert!(text.contains(advice), "{text}");

    // One violation says enough by itself.
    let one = Verdicts::collect("framer", move |verdicts| {
        let harness = harness();
        drop(verdicts.streams(&harness));
        verdicts.add(harness.check(&encode(&[b'x'; 300])))
    });
    let panic = std::panic::catch_unwind(move || one.assert_held()).unwrap_err();
    let text: String = *panic.downcast().unwrap();
    assert!(!text.contains("to allow every violation"), "{text}");
}

#[test]
fn what_a_declared_deviation_leaves_out_is_not_checked() {
    let stops = verdicts!(
        Harness::decoder(|| TokioDecoder::new(LinesCodec::new_with_max_length(3)))
            .declare([Deviation::CallerStops])
            .streams([b"long\nok\n"])
    );
    assert_eq!(
        advice(&stops, Property::Poisoned),
        "`CallerStops` is declared"
    );

    let reader = || {
        Harness::async_reader(|| {
            async |reader: &mut AsyncChunkReader<'_, '_>| {
                let mut byte = [0];
                match reader.read(&mut byte).await {
                    Ok(0) => Ok(None),
                    Ok(_) => Ok(Some(byte[0])),
                    Err(error) => Err(error.kind()),
                }
            }
        })
        .streams([b"ab"])
    };
    let not_resumable = verdicts!(reader().declare([Deviation::NotResumable]));
    assert_eq!(
        advice(&not_resumable, Property::Cancelled),
        "`NotResumable` is declared"
    );
    assert!(holds(&not_resumable, Property::Interrupted));
    assert!(holds(&verdicts!(reader()), Property::Cancelled));

    let reader = || {
        Harness::reader(|| {
            |reader: &mut ChunkReader<'_>| {
                let mut byte = [0];
                match reader.read_exact(&mut byte).map_err(|error| error.kind()) {
                    Err(ErrorKind::UnexpectedEof) => Ok(None),
                    result => result.map(|()| Some(byte[0])),
                }
            }
        })
        .streams([b"ab"])
    };
    let not_resumable = verdicts!(reader().declare([Deviation::NotResumable]));
    assert_eq!(
        advice(&not_resumable, Property::Interrupted),
        "only `Interrupted` is tried, as `NotResumable` is declared"
    );
    assert!(holds(&verdicts!(reader()), Property::Interrupted));
}

/// A decoder whose type owns no memory needs to say nothing.
#[test]
fn memory_of_a_decoder_that_owns_none_is_checked() {
    let verdicts = verdicts!(
        Harness::decoder(|| TokioDecoder::new(LinesCodec::new()).with_errors(|_| ()))
            .encoder(|line| format!("{line}\n").into_bytes())
            .messages(["x".repeat(300)])
            .unlimited()
    );
    assert!(holds(&verdicts, Property::Memory), "{verdicts}");
}

#[test]
fn limit_is_checked_if_both_sides_of_it_were_seen() {
    let at = || vec![b'x'; 1000];
    let over = encode(&[b'x'; 1001]);
    let messages = || {
        Harness::parser(parse, "truncated")
            .encoder(|body| encode(body))
            .messages(["ok"])
            .truncation_error("truncated")
    };
    let only_at = verdicts!(messages().at_limit(at()));
    assert_eq!(
        advice(&only_at, Property::Limit),
        "add a body over the limit with `over_limit`"
    );
    let over_limit = over.clone();
    let only_over = verdicts!(messages().over_limit(over_limit.clone(), 2, "too long"));
    assert_eq!(
        advice(&only_over, Property::Limit),
        "add a body of exactly the limit with `at_limit`"
    );
    let over_limit = over.clone();
    let both = verdicts!(
        messages()
            .at_limit(at())
            .over_limit(over_limit.clone(), 2, "too long")
    );
    assert!(holds(&both, Property::Limit), "{both}");

    let naive = |stream: &[u8]| {
        let (mut frames, mut at) = (Vec::new(), 0);
        let outcome = loop {
            match parse(&stream[at..]) {
                Ok(Some((frame, len))) => {
                    at += len;
                    frames.push((at, frame));
                }
                Ok(None) if at == stream.len() => break Outcome::Clean,
                Ok(None) => break Outcome::Truncated("truncated"),
                Err(error) => break Outcome::Rejected { at: at + 2, error },
            }
        };
        Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        }
    };
    let parsed = move |at_limit: bool, stream: Vec<u8>| {
        let over = over.clone();
        verdicts!({
            let harness = Harness::parser(parse, "truncated")
                .oracle(naive)
                .limit_errors(|error| *error == "too long")
                .streams([stream.clone(), over.clone()]);
            if at_limit {
                harness.limit_frames(|frame| frame.len() == 1000)
            } else {
                harness
            }
        })
    };
    let missing = "call `limit_frames`, and add a stream with a body of exactly the limit";
    let limit = encode(&at());
    assert_eq!(
        advice(&parsed(false, limit.clone()), Property::Limit),
        missing
    );
    assert_eq!(
        advice(&parsed(true, encode(b"ok")), Property::Limit),
        missing
    );
    assert!(holds(&parsed(true, limit.clone()), Property::Limit));
    let only_at = verdicts!(
        Harness::parser(parse, "truncated")
            .oracle(naive)
            .limit_frames(|frame| frame.len() == 1000)
            .streams([limit.clone()])
    );
    assert_eq!(
        advice(&only_at, Property::Limit),
        "call `limit_errors`, and add a stream with a body over the limit"
    );
}

/// A limit that is off by one shows first on a message that is cut short.
#[test]
fn a_limit_that_is_off_by_one_is_named_so_on_every_stream() {
    fn off_by_one(bytes: &[u8]) -> Parsed {
        match bytes {
            [3, 232, ..] => Err("too long"),
            _ => parse(bytes),
        }
    }
    let verdicts = verdicts!(
        Harness::parser(off_by_one, "truncated")
            .encoder(|body| encode(body))
            .messages(["ok"])
            .at_limit(vec![b'x'; 1000])
            .truncation_error("truncated")
    );
    let smallest = verdicts.smallest(Property::Limit).unwrap();
    assert_eq!(smallest.case.to_string(), "03e8@whole", "{smallest}");
    for property in Property::ALL {
        let expected = property == Property::Limit;
        let violated = verdicts.violations(property).next().is_some();
        assert_eq!(violated, expected, "{verdicts}");
    }
}

/// Only a stream that begins with the second message shows it.
#[test]
fn each_message_begins_a_stream() {
    #[derive(Clone, PartialEq, Eq, Default)]
    struct Greeting(bool);

    impl Greeting {
        fn decode(&mut self, buffer: &mut BytesMut) -> Parsed1 {
            let parsed = parse(buffer)?;
            Ok(parsed.map(|(body, len)| {
                buffer.advance(len);
                let first = !std::mem::replace(&mut self.0, true);
                if first && body == b"two" {
                    b"TWO".to_vec()
                } else {
                    body
                }
            }))
        }
    }
    type Parsed1 = Result<Option<Vec<u8>>, &'static str>;

    let verdicts = verdicts!(
        Harness::decoder(|| DecodeFn::new(Greeting::default(), Greeting::decode, Greeting::decode))
            .encoder(|body: &Vec<u8>| encode(body))
            .messages(["one", "two"])
            .unlimited()
    );
    let violation = verdicts.smallest(Property::RoundTrip).unwrap();
    assert_eq!(
        violation.case.to_string(),
        "000374776f@whole",
        "{violation}"
    );
}

/// A frame that does not equal itself would accuse every framer.
#[test]
#[should_panic(
    expected = "the frame or error NaN does not equal itself, as a NaN does not, so that no \
                framer can emit what is expected: compare the values that `with_frames` or \
                `with_errors` makes, such as the bits of a float"
)]
fn a_frame_that_does_not_equal_itself_cannot_be_expected() {
    let parse = |bytes: &[u8]| {
        let float = bytes.first_chunk().copied().map(f32::from_be_bytes);
        Ok(float.map(|float| (float, 4)))
    };
    let harness = Harness::parser(parse, ());
    let _ = harness.check(&f32::NAN.to_be_bytes());
}

/// What is held before the first byte is allowed in addition to the bound.
#[test]
fn memory_held_from_the_start_is_allowed() {
    for capacity in [32, 64, 4096] {
        let make = move || {
            let decode = |_: &mut Vec<u8>, buffer: &mut BytesMut| {
                Ok::<_, ()>((!buffer.is_empty()).then(|| buffer.get_u8()))
            };
            DecodeFn::new(Vec::with_capacity(capacity), decode, decode)
                .with_buffered_bytes(Vec::capacity)
        };
        Harness::decoder(make).check(b"abc").unwrap();
    }
}

/// Drops what came with a frame. Messages of any length, and a single one, follow one another.
#[test]
fn messages_are_coalesced() {
    fn drops_the_rest(buffer: &mut BytesMut) -> Option<Vec<u8>> {
        let length = buffer.first_chunk().copied()?;
        let length = 2 + usize::from(u16::from_be_bytes(length));
        let body = buffer.get(2..length)?.to_vec();
        buffer.clear();
        Some(body)
    }
    for messages in [vec![vec![1; 3]], vec![vec![1; 1200], vec![2; 1100]]] {
        let verdicts = verdicts!(
            Harness::decoder(|| {
                let decode =
                    |(): &mut (), buffer: &mut BytesMut| Ok::<_, ()>(drops_the_rest(buffer));
                DecodeFn::new((), decode, decode)
            })
            .encoder(|body: &Vec<u8>| encode(body))
            .messages(messages.clone())
            .unlimited()
        );
        let found = verdicts.violations(Property::RoundTrip).next();
        assert!(found.is_some(), "{verdicts}");
    }
}

/// Padding at the end of a stream is no incomplete frame.
#[test]
fn truncation_is_checked_where_a_stream_ends_inside_a_frame() {
    let frames = |bytes: &[u8]| -> Vec<(usize, u8)> {
        let bytes = bytes.iter().copied().enumerate();
        let frames = bytes.filter(|(_, byte)| *byte != 0xff);
        frames.map(|(index, byte)| (index + 1, byte)).collect()
    };
    let verdicts = verdicts!(
        Harness::framer(move || FeedFn::new(
            (),
            move |(): &mut (), chunk: &[u8], emitted: &mut Frames<u8>| {
                emitted.extend(frames(chunk).into_iter().map(|(_, byte)| byte));
                Ok::<(), ()>(())
            },
            |(), _| Ok(()),
        ))
        .oracle(move |stream: &[u8]| Expected {
            frames: frames(stream),
            at_end: Vec::new(),
            outcome: Outcome::Clean,
        })
        .declare([Deviation::BytesBetweenFrames])
        .streams([b"a\xff\xff"])
        .unlimited()
    );
    assert_eq!(
        advice(&verdicts, Property::Truncation),
        "add a stream that ends inside a frame"
    );
}

/// Frames of two bytes, and a byte at the end is dropped.
#[test]
fn truncation_is_checked_only_by_bytes_that_are_discarded() {
    let verdicts = |stream: &'static [u8]| {
        verdicts!(
            Harness::decoder(|| {
                let decode = |(): &mut (), buffer: &mut BytesMut| {
                    Ok::<_, ()>((buffer.len() > 1).then(|| buffer.get_u16()))
                };
                DecodeFn::new((), decode, decode)
            })
            .oracle(|stream: &[u8]| {
                let frames = stream.as_chunks().0.iter().enumerate();
                Expected {
                    frames: frames
                        .map(|(index, &frame)| (2 * index + 2, u16::from_be_bytes(frame)))
                        .collect(),
                    at_end: Vec::new(),
                    outcome: Outcome::Clean,
                }
            })
            .declare([Deviation::DiscardsAtEnd])
            .streams([stream])
            .unlimited()
        )
    };
    assert!(holds(&verdicts(b"abc"), Property::Truncation));
    assert_eq!(
        advice(&verdicts(b"ab"), Property::Truncation),
        "add a stream that ends inside a frame"
    );
}

/// Drops spaces between frames of two bytes, and panics at an end inside a frame.
fn panics_inside_frames() -> impl Decode<Frame = [u8; 2], Error = ()> + Clone + Eq {
    let decode = |(): &mut (), buffer: &mut BytesMut| {
        while buffer.first() == Some(&b' ') {
            buffer.advance(1);
        }
        Ok((buffer.len() >= 2).then(|| [buffer.get_u8(), buffer.get_u8()]))
    };
    DecodeFn::new((), decode, move |(): &mut (), buffer: &mut BytesMut| {
        let frame = decode(&mut (), buffer)?;
        assert!(
            frame.is_some() || buffer.is_empty(),
            "an end inside a frame"
        );
        Ok(frame)
    })
}

/// Padding may follow the last frame, even if the framer also drops an incomplete frame.
#[test]
fn truncation_is_not_checked_by_padding() {
    let declared = [Deviation::DiscardsAtEnd, Deviation::BytesBetweenFrames];
    let messages = || {
        Harness::decoder(panics_inside_frames)
            .recorded()
            .frame_bytes(b"ab", 2, *b"ab")
            .ignores(b" ")
            .declare([Deviation::DiscardsAtEnd])
            .unlimited()
    };
    let truncation = |stream: &[u8]| {
        let certificate = messages().check(stream).unwrap();
        certificate.held.contains(&Property::Truncation)
    };
    assert!(!truncation(b"ab "));
    let violation = messages().check(b"ab a").unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");

    let parsed = verdicts!(
        Harness::decoder(panics_inside_frames)
            .oracle(|stream: &[u8]| Expected {
                frames: vec![(2, [stream[0], stream[1]])],
                at_end: Vec::new(),
                outcome: Outcome::Clean,
            })
            .declare(declared)
            .streams([b"ab "])
            .unlimited()
    );
    assert_eq!(
        advice(&parsed, Property::Truncation),
        "with `DiscardsAtEnd` and `BytesBetweenFrames`, only `messages` show which end is inside a \
         frame"
    );
}

/// An incomplete frame that is dropped as declared is an end inside a frame.
#[test]
fn truncation_is_checked_where_an_incomplete_frame_is_dropped() {
    let discards = || {
        Harness::decoder(|| {
            let decode = |(): &mut (), buffer: &mut BytesMut| {
                let whole = buffer.len() >= 2;
                Ok::<_, ()>(whole.then(|| [buffer.get_u8(), buffer.get_u8()]))
            };
            DecodeFn::new((), decode, decode)
        })
        .declare([Deviation::DiscardsAtEnd])
    };
    let recorded = discards().recorded().frame_bytes(b"ab", 2, *b"ab");
    let parsed = discards().oracle(|stream: &[u8]| Expected {
        frames: vec![(2, [stream[0], stream[1]])],
        at_end: Vec::new(),
        outcome: Outcome::Clean,
    });
    for certificate in [recorded.check(b"aba"), parsed.check(b"aba")] {
        let held = certificate.unwrap().held;
        assert!(held.contains(&Property::Truncation), "{held:?}");
    }
    // A frame of one byte has no end inside.
    let bytes = verdicts!(
        Harness::parser(
            |bytes| Ok::<_, ()>(bytes.first().map(|&byte| (byte, 1))),
            ()
        )
        .recorded()
        .frame_bytes(b"a", 1, b'a')
        .declare([Deviation::DiscardsAtEnd])
        .unlimited()
    );
    assert_eq!(
        advice(&bytes, Property::Truncation),
        "add a stream that ends inside a frame"
    );
}

/// A message at the limit may also be one of the messages, and so may a frame over it.
#[test]
fn limit_is_checked_by_messages_that_stand_twice() {
    let verdicts = verdicts!(
        Harness::parser(parse, "truncated")
            .encoder(|body| encode(body))
            .messages([vec![b'x'; 1000]])
            .rejects(b"\x03\xe9", 2, "too long")
            .size_limit(1000, |size| vec![b'x'; size], 2, "too long")
            .truncate_up_to(usize::MAX)
    );
    assert!(holds(&verdicts, Property::Limit), "{verdicts}");
}

#[test]
#[should_panic(expected = "no result was added: call `add` for each stream")]
fn verdicts_without_a_result_panic() {
    let verdicts = Verdicts::collect("nothing", |verdicts| {
        let harness = Harness::parser(parse, "truncated").streams([b"\0\0"]);
        let _ = verdicts.streams(&harness);
        Ok(())
    });
    verdicts.assert_held();
}

impl tokio_util::codec::Decoder for OwnsBody {
    type Item = Vec<u8>;
    type Error = std::io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> std::io::Result<Option<Vec<u8>>> {
        Self::decode(self, buffer).map_err(std::io::Error::other)
    }
}

impl tokio_util::codec::Encoder<Vec<u8>> for OwnsBody {
    type Error = std::io::Error;

    fn encode(&mut self, body: Vec<u8>, output: &mut BytesMut) -> std::io::Result<()> {
        output.extend_from_slice(&encode(&body));
        Ok(())
    }
}

/// A codec says how much memory it holds through its harness.
#[test]
fn memory_of_a_codec_can_be_told_to_its_harness() {
    let verdicts = |reserves| {
        let fresh = move || OwnsBody {
            reserves,
            ..OwnsBody::default()
        };
        verdicts!(
            Harness::codec(fresh)
                .messages([vec![b'x'; 300]])
                .unlimited()
                .truncate_up_to(8)
                .with_buffered_bytes(|it| it.body.capacity())
        )
    };
    assert!(holds(&verdicts(false), Property::Memory));
    assert!(verdicts(true).smallest(Property::Memory).is_some());
}

/// What is masked is not checked, whether or not something could be added to check it.
#[test]
fn properties_of_streams_with_another_violation_are_not_checked() {
    const MASKED: &str = "every stream that checks it violates another property";
    let panics = |bytes: &[u8]| -> Result<Option<((), usize)>, ()> {
        assert!(bytes.is_empty(), "it panics");
        Ok(None)
    };
    let stuck = verdicts!(Harness::parser(panics, ()).streams([b"abc"]));
    for property in [Property::EverySplit, Property::EmptyChunk] {
        assert_eq!(advice(&stuck, property), MASKED);
    }
}

/// An oracle that judges no stream checks nothing that needs one.
#[test]
fn an_oracle_must_judge_a_stream() {
    let verdicts = verdicts!(
        Harness::parser(parse, "truncated")
            .oracle(|_: &[u8]| None)
            .streams([encode(b"one")])
            .unlimited()
    );
    assert_eq!(
        advice(&verdicts, Property::RoundTrip),
        "add a stream with a frame that the oracle judges"
    );
}

/// One random split may be the whole stream.
#[test]
fn every_split_is_checked_by_a_sample_with_a_cut() {
    let harness = || {
        Harness::parser(parse, "truncated")
            .edges(|_| Vec::new())
            .streams([b"\0\x03one"])
            .unlimited()
    };
    let is_whole = |&seed: &u64| Split::sample(5, &[], seed) == Split::whole();
    let whole = (0..100).find(is_whole).unwrap();
    let cut = (0..100).find(|seed| !is_whole(seed)).unwrap();
    let sampled = |seed, splits| {
        Verdicts::collect("parser", move |verdicts| {
            let harness = harness();
            for stream in verdicts.streams(&harness) {
                verdicts.add(harness.sampled(&stream, seed, splits))?;
            }
            Ok(())
        })
    };
    assert_eq!(
        advice(&sampled(whole, 1), Property::EverySplit),
        "no split that was tried checks it: try more splits"
    );
    assert!(holds(&sampled(cut, 1), Property::EverySplit));
    assert!(holds(&sampled(whole, 100), Property::EverySplit));
    assert!(holds(&sampled(whole, 1), Property::Progress));
}

/// A reader that reads nothing is not interrupted.
#[test]
fn interruptions_are_checked_by_a_stream_with_a_byte() {
    let never_reads =
        || Harness::reader(|| |_: &mut ChunkReader<'_>| Ok::<Option<u8>, ()>(None)).streams([b""]);
    let verdicts = verdicts!(never_reads());
    assert!(holds(&verdicts, Property::Progress));
    assert_eq!(
        advice(&verdicts, Property::Memory),
        "the memory of a reader is not visible"
    );
    for of_framers in [Property::Linear, Property::Differential] {
        assert_eq!(verdicts.status(of_framers), Status::NotConcerned);
    }
    assert_eq!(
        advice(&verdicts, Property::Interrupted),
        "add a stream that is not empty"
    );

    let never_reads = || {
        Harness::async_reader(|| {
            async |_: &mut AsyncChunkReader<'_, '_>| Ok::<Option<u8>, ()>(None)
        })
        .streams([b""])
    };
    let verdicts = verdicts!(never_reads());
    for property in [Property::Interrupted, Property::Cancelled] {
        assert_eq!(
            advice(&verdicts, property),
            "add a stream that is not empty"
        );
    }
}

/// No number of bytes or offset is too large.
#[test]
fn numbers_may_be_as_large_as_they_get() {
    let harness = || Harness::parser(parse, "truncated").streams([b"\0\x03one"]);
    let stream = b"\0\x03one";
    harness().preallocates(usize::MAX).check(stream).unwrap();
    let edges = harness().edges(|_| vec![usize::MAX, usize::MAX - 1]);
    edges.check(stream).unwrap();
    edges.sampled(stream, 0, 100).unwrap();

    let holds_all = || {
        Harness::framer(|| {
            let feed = |fed: &mut bool, chunk: &[u8], _: &mut Frames<u8>| {
                *fed |= !chunk.is_empty();
                Ok::<_, ()>(())
            };
            let held = |fed: &bool| if *fed { usize::MAX } else { 0 };
            FeedFn::new(false, feed, |_, _| Ok(())).with_buffered_bytes(held)
        })
        .declare([Deviation::BytesBetweenFrames])
    };
    let violation = holds_all().check(b"ab").unwrap_err();
    assert_eq!(violation.property, Property::Memory, "{violation}");
    assert_eq!(violation.declare, [Deviation::Preallocates(usize::MAX)]);
    holds_all().preallocates(usize::MAX).check(b"ab").unwrap();

    let certificate = harness().bounded(stream, usize::MAX).unwrap();
    assert!(
        matches!(certificate.tier, Tier::Bounded { splits: 16, .. }),
        "{certificate}"
    );
    for seed in 0..100 {
        let split = Split::sample(usize::MAX, &[usize::MAX, 0], seed);
        assert!(!split.cuts().contains(&usize::MAX), "{split}");
    }
    let owns = |buffered_bytes: fn(&bool) -> usize| {
        Harness::decoder(move || {
            let take = |taken: &mut bool, buffer: &mut BytesMut| {
                let byte = buffer.try_get_u8().ok();
                *taken |= byte.is_some();
                Ok::<_, ()>(byte)
            };
            DecodeFn::new(false, take, take).with_buffered_bytes(buffered_bytes)
        })
    };
    // What it holds before it is fed is allowed.
    owns(|_| usize::MAX).check(b"ab").unwrap();
    let grows = owns(|&taken| if taken { usize::MAX } else { 0 });
    let violation = grows.check(b"ab").unwrap_err();
    assert_eq!(violation.property, Property::Memory, "{violation}");
    let violation = grows.bounded(b"ab", usize::MAX).unwrap_err();
    assert_eq!(violation.property, Property::Memory, "{violation}");
}

#[test]
#[should_panic(expected = "no body is over a limit of usize::MAX bytes: call `unlimited`")]
fn a_limit_that_no_body_exceeds_is_refused() {
    let encode = |body: &Vec<u8>| body.clone();
    let harness = Harness::parser(parse, "truncated").encoder(encode);
    let _ = harness.size_limit(usize::MAX, |size| vec![0; size.min(3)], 2, "too long");
}

#[test]
#[should_panic(expected = "`sampled` needs one split at least")]
fn no_splits_are_no_sample() {
    let _ = Harness::parser(parse, "truncated").sampled(b"\0\x03one", 0, 0);
}

/// Returns what to do for each property that a stream did not check.
fn all_advice(verdicts: &Verdicts) -> Vec<(Property, &'static str)> {
    let advice = |property| match verdicts.status(property) {
        Status::NotChecked { advice } => Some((property, advice)),
        _ => None,
    };
    Property::ALL.into_iter().filter_map(advice).collect()
}

/// Checks a stream of one byte, after the streams of the harness are known.
macro_rules! one_byte {
    ($harness:expr) => {
        Verdicts::collect("framer", move |verdicts| {
            let harness = $harness;
            drop(verdicts.streams(&harness));
            verdicts.add(harness.check(b"\0"))
        })
    };
}

/// A byte of a header checks nothing that needs a frame, an error or two chunks.
#[test]
fn what_a_stream_of_one_byte_does_not_check_is_said_for_each_oracle() {
    const OWN_ORACLE: &str = "the framer is its own oracle: add `messages` or an `oracle`";
    const JUDGED: &str = "add a stream with a frame that the oracle judges";
    let parser = || Harness::parser(parse, "truncated");
    let always = [
        (Property::EverySplit, "add a stream of two bytes or more"),
        (Property::Memory, "add a frame of more than 256 bytes"),
        (Property::Linear, "call `linear`"),
        (Property::Differential, "call `differential`"),
    ];
    let by_itself = one_byte!(parser().streams([b"\0"]));
    let specified = one_byte!(
        parser()
            .specification(|| Buffered::new(ParseFn::new(parse, "truncated")))
            .streams([b"\0"])
    );
    let encoded = one_byte!(
        parser()
            .encoder(|body: &Vec<u8>| encode(body))
            .messages::<Vec<u8>>([])
    );
    let expected = [
        (
            by_itself,
            &[
                (Property::RoundTrip, OWN_ORACLE),
                (Property::Prompt, OWN_ORACLE),
                (Property::Limit, OWN_ORACLE),
                (Property::Rejection, OWN_ORACLE),
                (Property::Truncation, OWN_ORACLE),
                (Property::Poisoned, "add a stream that is rejected"),
            ][..],
        ),
        (
            specified,
            &[
                (Property::RoundTrip, JUDGED),
                (Property::Prompt, JUDGED),
                (
                    Property::Limit,
                    "add a stream that is rejected for its size",
                ),
                (Property::Rejection, "add a stream with an invalid frame"),
                (Property::Poisoned, "add a stream that is rejected"),
            ],
        ),
        (
            encoded,
            &[
                (Property::RoundTrip, "add a stream with a frame"),
                (Property::Prompt, "add a stream with a frame"),
                (Property::Limit, "add `size_limit`"),
                (Property::Rejection, "add an invalid frame with `rejects`"),
                (Property::Truncation, "set `truncation_error`"),
                (Property::Poisoned, "add `size_limit` or `rejects`"),
                (Property::Encode, "call `check_encoder`"),
            ],
        ),
    ];
    for (verdicts, others) in expected {
        let expected = Property::ALL.into_iter().filter_map(|property| {
            let all = always.iter().chain(others);
            all.copied().find(|(concerns, _)| *concerns == property)
        });
        assert_eq!(all_advice(&verdicts), expected.collect::<Vec<_>>());
        // A line for each property, and none for what is omitted.
        let concerns = |it: &Property| verdicts.status(*it) != Status::NotConcerned;
        let lines = Property::ALL.into_iter().filter(concerns).count();
        assert_eq!(
            verdicts.to_string().lines().count(),
            1 + lines,
            "{verdicts}"
        );
    }
}

/// Reserves memory, in the caller's buffer or in its own, where the third frame of 16 bytes comes in
/// chunks that end after 3, 6, 7 and 11 of its bytes. Of all splits, few have such chunks.
#[test]
fn memory_that_few_splits_show_is_found_by_the_proof() {
    const CHUNKS: [usize; 4] = [3, 6, 7, 11];
    #[derive(Clone, Default, PartialEq, Eq)]
    struct State {
        frames: usize,
        chunks: usize,
        reserved: usize,
    }
    let reserving = |in_buffer: usize, own: usize| {
        let decode = move |state: &mut State, buffer: &mut BytesMut| {
            if buffer.len() >= 16 {
                let frames = state.frames + 1;
                *state = State {
                    frames,
                    ..State::default()
                };
                return Ok::<_, ()>(Some(buffer.split_to(16)));
            }
            if buffer.is_empty() {
                return Ok(None);
            }
            let due = CHUNKS.get(state.chunks) == Some(&buffer.len());
            state.chunks = match state.frames {
                2 if due => state.chunks + 1,
                _ => usize::MAX,
            };
            if state.chunks == CHUNKS.len() {
                state.reserved = own;
                buffer.reserve(in_buffer);
            }
            Ok(None)
        };
        let make = move || {
            DecodeFn::new(State::default(), decode, decode)
                .with_buffered_bytes(|state| state.reserved)
        };
        Harness::decoder(make).check(&[b'x'; 48])
    };
    reserving(0, 0).unwrap();
    for found in [reserving(1 << 20, 0), reserving(0, 150)] {
        let violation = found.unwrap_err();
        assert_eq!(violation.property, Property::Memory, "{violation}");
        let cuts = violation.case.split.cuts();
        assert!(cuts.ends_with(&[35, 38, 39, 43]), "{violation}");
    }
}

/// What is left out of the streams that are made is said with the results.
#[test]
fn messages_that_are_not_truncated_everywhere_are_named() {
    let omitted = |body: usize, truncates: bool, discards: bool| {
        let verdicts = Verdicts::collect("framer", move |verdicts| {
            let harness = Harness::parser(parse, "truncated")
                .encoder(|body: &Vec<u8>| encode(body))
                .messages([vec![b'x'; body]]);
            let harness = if truncates {
                harness.truncation_error("truncated")
            } else {
                harness
            };
            let harness = if discards {
                harness.declare([Deviation::DiscardsAtEnd])
            } else {
                harness
            };
            drop(verdicts.streams(&harness));
            Ok(())
        });
        let text = verdicts.to_string();
        let named = text.contains(
            "\n  messages of up to 130 bytes are truncated at each of their first 128 bytes, and at \
             a few more (see `truncate_up_to`)\n",
        );
        assert_eq!(named, text.contains("truncate"), "{text}");
        named
    };
    assert!(omitted(128, true, false));
    assert!(omitted(128, false, true));
    assert!(!omitted(128, false, false));
    assert!(!omitted(127, true, false));
}
