//! Escape sequences of terminals, and Telnet.

use everysplit::subject::{FeedFn, Frames, TokioDecoder};
use everysplit::{Deviation, Harness, Verdicts};

use crate::framer::{Family, framer, verdicts};

pub(crate) fn family() -> Family {
    Family {
        title: "Terminals",
        source: include_str!("terminal.rs"),
        framers: vec![
            framer!("vte", "Parser", vte).violates("every_split", "c280@whole"),
            framer!("vtparse", "VTParser", vtparse),
            framer!("anstyle-parse", "Parser", anstyle_parse),
            framer!("anstream", "adapter::StripBytes", anstream),
            framer!("libtelnet-rs", "Parser", libtelnet).violates("every_split", "ff00@whole"),
            framer!("nectar", "TelnetCodec", nectar).violates("every_split", "0d0a@whole"),
        ],
    }
}

/// Text of two- and four-byte characters, a colour, a title, and a sequence that is cut short.
const SEQUENCES: [&[u8]; 4] = [
    b"a\xc3\xa4\n\x1b[1;38:5:7mred\x1b]0;t\xc3\xa4\x07\x1bP1$qm\x1b\\",
    b"\xc3\xa9a\xc3\xa9",
    b"\xf0\x9f\x99\x82\xc3(\xe2\x82",
    b"\x1b[1;\x1b[2Jx\x18\x1b]8;;",
];

fn vte() -> Verdicts {
    struct Events<'a>(&'a mut Frames<String>);
    impl vte::Perform for Events<'_> {
        fn print(&mut self, c: char) {
            self.0.push(format!("print {c:?}"));
        }
        fn execute(&mut self, byte: u8) {
            self.0.push(format!("execute {byte}"));
        }
        fn hook(&mut self, params: &vte::Params, inter: &[u8], _: bool, action: char) {
            self.0.push(format!("hook {params:?} {inter:?} {action}"));
        }
        fn put(&mut self, byte: u8) {
            self.0.push(format!("put {byte}"));
        }
        fn unhook(&mut self) {
            self.0.push("unhook".into());
        }
        fn osc_dispatch(&mut self, params: &[&[u8]], bell: bool) {
            self.0.push(format!("osc {params:?} {bell}"));
        }
        fn csi_dispatch(&mut self, params: &vte::Params, inter: &[u8], _: bool, action: char) {
            self.0.push(format!("csi {params:?} {inter:?} {action}"));
        }
        fn esc_dispatch(&mut self, inter: &[u8], _: bool, byte: u8) {
            self.0.push(format!("esc {inter:?} {byte}"));
        }
    }
    let feed = |parser: &mut vte::Parser, bytes: &[u8], events: &mut Frames<_>| {
        parser.advance(&mut Events(events), bytes);
        Ok::<(), ()>(())
    };
    let make = move || FeedFn::new(vte::Parser::new(), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams(SEQUENCES)
    )
}

fn vtparse() -> Verdicts {
    let feed = |parser: &mut vtparse::VTParser, bytes: &[u8], actions: &mut Frames<_>| {
        let mut actor = vtparse::CollectingVTActor::default();
        parser.parse(bytes, &mut actor);
        actions.extend(actor.into_vec());
        Ok::<(), ()>(())
    };
    let make = move || FeedFn::new(vtparse::VTParser::new(), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams(SEQUENCES)
    )
}

fn anstyle_parse() -> Verdicts {
    struct Events<'a>(&'a mut Frames<String>);
    impl anstyle_parse::Perform for Events<'_> {
        fn print(&mut self, c: char) {
            self.0.push(format!("print {c:?}"));
        }
        fn execute(&mut self, byte: u8) {
            self.0.push(format!("execute {byte}"));
        }
        fn osc_dispatch(&mut self, params: &[&[u8]], bell: bool) {
            self.0.push(format!("osc {params:?} {bell}"));
        }
        fn csi_dispatch(
            &mut self,
            params: &anstyle_parse::Params,
            inter: &[u8],
            _: bool,
            action: u8,
        ) {
            self.0.push(format!("csi {params:?} {inter:?} {action}"));
        }
    }
    type Parser = anstyle_parse::Parser<anstyle_parse::Utf8Parser>;
    let feed = |parser: &mut Parser, bytes: &[u8], events: &mut Frames<_>| {
        for &byte in bytes {
            parser.advance(&mut Events(events), byte);
        }
        Ok::<(), ()>(())
    };
    let make = move || FeedFn::new(Parser::new(), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams(SEQUENCES)
    )
}

fn anstream() -> Verdicts {
    type Strip = anstream::adapter::StripBytes;
    let feed = |strip: &mut Strip, bytes: &[u8], printed: &mut Frames<u8>| {
        printed.extend(strip.strip_next(bytes).flatten().copied());
        Ok::<(), ()>(())
    };
    let make = move || FeedFn::new(Strip::new(), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams(SEQUENCES)
    )
}

/// Data, a command, two negotiations, a subnegotiation, and an escaped byte.
const TELNET: [&[u8]; 3] = [
    b"ab\xff\xf1\xff\xfd\x01\xff\xfb\x18\xff\xfa\x18\0xterm\xff\xf0c\xff\xffd\r\n",
    b"a\xff\xfd\x01b",
    b"\xff\xfa\x1f\0\x50\xff\xff\x18\xff\xf0\r\n",
];

fn libtelnet() -> Verdicts {
    use libtelnet_rs::{Parser, events::TelnetEvents};
    // Data may come in pieces.
    let feed = |parser: &mut Parser, bytes: &[u8], events: &mut Frames<(&str, Vec<u8>)>| {
        for event in parser.receive(bytes) {
            match event {
                TelnetEvents::DataReceive(data) => {
                    events.extend(data.iter().map(|&byte| ("data", vec![byte])));
                }
                TelnetEvents::DataSend(data) => events.push(("send", data.to_vec())),
                TelnetEvents::IAC(it) => events.push(("command", it.into_bytes())),
                TelnetEvents::Negotiation(it) => events.push(("negotiation", it.into_bytes())),
                TelnetEvents::Subnegotiation(it) => events.push(("sub", it.into_bytes())),
                TelnetEvents::DecompressImmediate(it) => events.push(("zip", it.to_vec())),
            }
        }
        Ok::<(), ()>(())
    };
    let make = move || FeedFn::new(Parser::new(), feed, |_, _| Ok(()));
    verdicts!(
        Harness::framer(make)
            .declare([Deviation::DiscardsAtEnd])
            .streams(TELNET)
    )
}

fn nectar() -> Verdicts {
    let codec = || TokioDecoder::new(nectar::TelnetCodec::new(64));
    verdicts!(
        Harness::decoder(move || codec().with_frames(|event| format!("{event:?}"))).streams(TELNET)
    )
}
