//! JSON, XML, HTML and BSON.

use std::io::{BufReader, ErrorKind};

use everysplit::subject::{FeedFn, Frames, Queue};
use everysplit::{Deviation, Harness, Verdicts};

use crate::framer::{Family, framer, verdicts};

pub(crate) fn family() -> Family {
    Family {
        title: "Documents",
        source: include_str!("documents.rs"),
        framers: vec![
            framer!("serde_json", "StreamDeserializer", serde_json),
            framer!("struson", "reader::JsonStreamReader", struson),
            framer!("actson", "JsonParser", actson),
            framer!("quick-xml", "Reader", quick_xml).violates("every_split", "efbbbf@whole"),
            framer!("xml", "EventReader", xml),
            framer!("rxml", "RawParser", rxml),
            framer!("html5gum", "Tokenizer", html5gum)
                .violates("interrupted", "00@whole+interrupted"),
            framer!("lol_html", "HtmlRewriter", lol_html),
            framer!("bson", "Document::from_reader", bson),
        ],
    }
}

const JSON: [&str; 5] = [
    "[\"a\",\"\\u00e4\u{e4}\\ud83d\\ude42\",-1.5e3,true,null]",
    "[\"a\",",
    "[\"\\ud83d\"]",
    "[01]",
    "[\"a\"]]",
];

fn serde_json() -> Verdicts {
    use serde_json::{Deserializer, StreamDeserializer, Value, de::IoRead};
    verdicts!(
        Harness::owning_reader(
            |queue| Deserializer::from_reader(queue).into_iter(),
            |values: &mut StreamDeserializer<'static, IoRead<Queue>, Value>| {
                values.next().transpose().map_err(|error| error.to_string())
            }
        )
        .declare([
            Deviation::NotResumable,
            Deviation::CallerStops,
            Deviation::BytesBetweenFrames
        ])
        .streams(JSON.into_iter().chain(["{\"a\":[]}1 2\n\"b\"[]", "tru"]))
    )
}

fn struson() -> Verdicts {
    use struson::reader::{JsonReader, JsonStreamReader, ReaderError, ValueType};
    type State = (JsonStreamReader<Queue>, bool);
    fn next((reader, open): &mut State) -> Result<Option<String>, ReaderError> {
        if !std::mem::replace(open, true) {
            reader.begin_array()?;
        }
        if !reader.has_next()? {
            return Ok(None);
        }
        Ok(Some(match reader.peek()? {
            ValueType::String => reader.next_string()?,
            ValueType::Number => reader.next_number_as_string()?,
            ValueType::Boolean => reader.next_bool()?.to_string(),
            ValueType::Null => reader.next_null().map(|()| "null".to_owned())?,
            ValueType::Array | ValueType::Object => {
                reader.skip_value().map(|()| "skipped".to_owned())?
            }
        }))
    }
    verdicts!(
        Harness::owning_reader(
            |queue| (JsonStreamReader::new(queue), false),
            |state: &mut State| next(state).map_err(|error| error.to_string())
        )
        .declare([
            Deviation::NotResumable,
            Deviation::CallerStops,
            Deviation::BytesBetweenFrames
        ])
        .streams(JSON.into_iter().take(4))
    )
}

fn actson() -> Verdicts {
    use actson::{JsonEvent, JsonParser, feeder::PushJsonFeeder};
    type Event = (JsonEvent, String);
    type Parser = (JsonParser<PushJsonFeeder>, bool);
    fn events((parser, ended): &mut Parser, events: &mut Frames<Event>) -> Result<(), String> {
        // A parser must not be called after its end.
        while !*ended {
            match parser.next_event().map_err(|error| error.to_string())? {
                Some(JsonEvent::NeedMoreInput) => break,
                Some(event) => {
                    let text = parser.current_str().unwrap_or_default();
                    events.push((event, text.to_owned()));
                }
                None => *ended = true,
            }
        }
        Ok(())
    }
    let feed = |parser: &mut Parser, mut bytes: &[u8], frames: &mut Frames<Event>| {
        while !bytes.is_empty() {
            let pushed = parser.0.feeder.push_bytes(bytes);
            bytes = &bytes[pushed..];
            events(parser, frames)?;
        }
        Ok(())
    };
    let finish = |parser: &mut Parser, frames: &mut Frames<Event>| {
        parser.0.feeder.done();
        events(parser, frames)
    };
    let make = move || {
        FeedFn::new(
            (JsonParser::new(PushJsonFeeder::new()), false),
            feed,
            finish,
        )
    };
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::CallerStops, Deviation::BytesBetweenFrames])
            .streams(JSON)
    )
}

const XML: [&str; 5] = [
    "<?xml version=\"1.0\"?><a b=\"c&amp;\u{e4}\"><!-- - --><![CDATA[]]]]>\r\n&lt;\u{20ac}<d/></a>",
    "<a>b",
    "<a>&#x;</a>",
    "<a></b>",
    "\u{feff}<a/>",
];

fn quick_xml() -> Verdicts {
    type Reader = (quick_xml::Reader<BufReader<Queue>>, Vec<u8>);
    verdicts!(
        Harness::owning_reader(
            |queue| (
                quick_xml::Reader::from_reader(BufReader::new(queue)),
                Vec::new()
            ),
            |(reader, buffer): &mut Reader| {
                buffer.clear();
                match reader
                    .read_event_into(buffer)
                    .map_err(|error| error.to_string())?
                {
                    quick_xml::events::Event::Eof => Ok::<_, String>(None),
                    event => Ok(Some(format!("{event:?}"))),
                }
            }
        )
        .declare([Deviation::NotResumable, Deviation::CallerStops])
        .streams(XML)
    )
}

fn xml() -> Verdicts {
    use xml::reader::{EventReader, XmlEvent};
    verdicts!(
        Harness::owning_reader(
            |queue| EventReader::new(BufReader::new(queue)),
            |reader| match reader.next().map_err(|error| error.to_string())? {
                XmlEvent::EndDocument => Ok::<_, String>(None),
                event => Ok(Some(event)),
            }
        )
        .declare([Deviation::NotResumable, Deviation::CallerStops])
        .streams(XML)
    )
}

fn rxml() -> Verdicts {
    use rxml::error::EndOrError;
    use rxml::{Parse, RawEvent, RawParser};
    fn parse(
        parser: &mut RawParser,
        mut bytes: &[u8],
        end: bool,
        events: &mut Frames<String>,
    ) -> Result<(), String> {
        loop {
            match parser.parse(&mut bytes, end) {
                // Text may come in pieces.
                Ok(Some(RawEvent::Text(_, text))) => events.extend(text.chars().map(String::from)),
                // The length of an event is that of a piece.
                Ok(Some(event)) => {
                    events.push(format!("{event:?}").replace(|c: char| c.is_ascii_digit(), ""));
                }
                Ok(None) | Err(EndOrError::NeedMoreData) => return Ok(()),
                Err(EndOrError::Error(error)) => return Err(error.to_string()),
            }
        }
    }
    let feed = |parser: &mut RawParser, bytes: &[u8], events: &mut Frames<String>| {
        parse(parser, bytes, false, events)
    };
    let finish =
        |parser: &mut RawParser, events: &mut Frames<String>| parse(parser, &[], true, events);
    let make = move || FeedFn::new(RawParser::default(), feed, finish);
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::CallerStops])
            .streams(XML)
    )
}

const HTML: [&str; 5] = [
    "<!DOCTYPE html><p class=a>\u{e4}&amp;&notit;\r\n<!-- - --><script>a</b></script><a href='b'>c</a>",
    "&am",
    "<p",
    "<textarea></p></textarea>&#x20ac",
    "<svg><![CDATA[a]]>",
];

fn html5gum() -> Verdicts {
    use html5gum::{IoReader, Tokenizer};
    verdicts!(
        Harness::owning_reader(
            |queue| Tokenizer::new(IoReader::new(queue)),
            |tokens| loop {
                match tokens.next().transpose() {
                    Ok(token) => return Ok(token.map(|token| format!("{token:?}"))),
                    // It leaves this to its caller.
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error.kind()),
                }
            }
        )
        .declare([Deviation::NotResumable])
        .streams(HTML)
    )
}

fn lol_html() -> Verdicts {
    use std::{cell::RefCell, rc::Rc};
    type Output = Rc<RefCell<Vec<u8>>>;
    type Rewriter = lol_html::HtmlRewriter<'static, Box<dyn FnMut(&[u8])>>;
    type State = (Option<Rewriter>, Output);
    fn make() -> State {
        let output = Output::default();
        let sink = Rc::clone(&output);
        let settings =
            lol_html::Settings::new()
                .append_element_content_handler(lol_html::element!("a[href]", |element| Ok(
                    element.set_attribute("href", "x")?
                )));
        let sink = Box::new(move |chunk: &[u8]| sink.borrow_mut().extend(chunk));
        (Some(Rewriter::new(settings, sink)), output)
    }
    let feed = |(rewriter, output): &mut State, bytes: &[u8], frames: &mut Frames<u8>| {
        if let Some(rewriter) = rewriter {
            rewriter.write(bytes).map_err(|error| error.to_string())?;
        }
        frames.extend(output.take());
        Ok::<(), String>(())
    };
    let finish = |(rewriter, output): &mut State, frames: &mut Frames<u8>| {
        if let Some(rewriter) = rewriter.take() {
            rewriter.end().map_err(|error| error.to_string())?;
        }
        frames.extend(output.take());
        Ok(())
    };
    verdicts!(Harness::framer(move || FeedFn::new(make(), feed, finish)).streams(HTML))
}

/// The end of the stream is an error wherever it is: a document must follow.
fn bson() -> Verdicts {
    verdicts!(
        Harness::owning_reader(
            |queue| queue,
            |queue: &mut Queue| {
                let document = bson::Document::from_reader(queue);
                document.map(Some).map_err(|error| error.to_string())
            }
        )
        .declare([Deviation::NotResumable, Deviation::CallerStops])
        .streams([
            &b"\x0c\0\0\0\x10a\0\x01\0\0\0\0\x05\0\0\0\0"[..],
            b"\x04\0\0\0",
            b"\xff\xff\xff\xff",
            b"\x06\0\0\0\x10\0",
        ])
    )
}
