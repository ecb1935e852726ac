//! Decoders in other languages. Each has a file in `decoders/`.

use crate::program::{Kind, Program};

/// Two requests, the second one chunked.
const REQUESTS: &[u8] = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
    POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
const FRAMES: &[u8] = b"\x81\x82\0\0\0\0hi\x81\x83\0\0\0\0hi\x0a";
const REPLIES: &[u8] = b"*2\r\n$2\r\nhi\r\n:7\r\n+OK\r\n$0\r\n\r\n";
const VALUES: &[u8] = b"\x93\x01\xa2ok\xc0\xcd\x01\x02\x81\xa1a\xc4\x02hi";
const UTF_8: &[u8] = b"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82\xe2\x82";
const UTF_16: &[u8] = b"a\0\x3d\xd8\x42\xdea\0\x3d\xd8a\0";
const HTML: &[u8] = b"<p class=a>b<!-- d --></p><script>e</f></script>g";
const XML: &[u8] = b"<?xml version='1.0'?><a b='c&amp;\xc3\xa4'><![CDATA[]]]]>\r\n&lt;<d/></a>";
const EVENTS: &[u8] = b"data: a\n\nevent: e\r\ndata:b\r\ndata\r\nid: 1\r\n\r\n: c\r\rdata: d\r\r";

const PYTHON: &[&str] = &["python3", "--version"];
const NODE: &[&str] = &["node", "--version"];
const GO: &[&str] = &["go", "version"];

/// Returns the command that prints the version of a package of Python.
macro_rules! package {
    ($name:literal) => {
        &[
            "python3",
            "-c",
            concat!(
                "from importlib.metadata import version\nprint(version('",
                $name,
                "'))"
            ),
        ]
    };
}

/// Returns the command that prints the version of a package of Node.
macro_rules! module {
    ($name:literal) => {
        &[
            "sed",
            "-n",
            "s/\"version\"//p",
            concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/target/packages/node/node_modules/",
                $name,
                "/package.json"
            ),
        ]
    };
}

#[expect(clippy::too_many_lines, reason = "an entry for each decoder")]
pub(crate) fn decoders() -> Vec<Program> {
    let decoder = |name, file, driver, version, stream, options| {
        let kind = Kind::Decoder {
            file,
            driver,
            version,
            stream,
            options,
        };
        Program {
            name,
            kind,
            violates: &[],
        }
    };
    vec![
        decoder("h11", "h11.py", "python", package!("h11"), REQUESTS, &[]),
        decoder(
            "httptools",
            "httptools.py",
            "python",
            package!("httptools"),
            REQUESTS,
            &[],
        ),
        decoder(
            "wsproto",
            "wsproto.py",
            "python",
            package!("wsproto"),
            FRAMES,
            &[],
        ),
        decoder(
            "hiredis",
            "hiredis.py",
            "python",
            package!("hiredis"),
            REPLIES,
            &[],
        ),
        decoder(
            "msgpack",
            "msgpack.py",
            "python",
            package!("msgpack"),
            VALUES,
            &["--discards-at-end"],
        ),
        decoder(
            "CPython codecs, UTF-8",
            "codecs.py",
            "python",
            PYTHON,
            UTF_8,
            &["--config", "encoding=utf-8"],
        ),
        decoder(
            "CPython codecs, UTF-16",
            "codecs.py",
            "python",
            PYTHON,
            UTF_16,
            &["--config", "encoding=utf-16"],
        ),
        decoder(
            "CPython codecs, UTF-7",
            "codecs.py",
            "python",
            PYTHON,
            b"+AOQ-a+-+2D3eQg-",
            &["--config", "encoding=utf-7"],
        ),
        decoder(
            "CPython html.parser",
            "html_parser.py",
            "python",
            PYTHON,
            HTML,
            &[],
        ),
        decoder("CPython expat", "expat.py", "python", PYTHON, XML, &[]),
        decoder("ws", "ws.js", "node-stream", module!("ws"), FRAMES, &[]),
        decoder(
            "http-parser-js",
            "http_parser_js.js",
            "node",
            module!("http-parser-js"),
            REQUESTS,
            &[],
        ),
        decoder(
            "eventsource-parser",
            "eventsource_parser.js",
            "node",
            module!("eventsource-parser"),
            EVENTS,
            &["--discards-at-end"],
        ),
        decoder(
            "Node string_decoder, UTF-8",
            "string_decoder.js",
            "node",
            NODE,
            UTF_8,
            &["--config", "encoding=utf8"],
        ),
        Program {
            violates: &["every_split"],
            ..decoder(
                "Node string_decoder, UTF-16",
                "string_decoder.js",
                "node",
                NODE,
                UTF_16,
                &["--config", "encoding=utf16le", "--discards-at-end"],
            )
        },
        decoder(
            "Go bufio.Scanner",
            "scanner.go",
            "go-reader",
            GO,
            b"ab\n\ncd\r\n",
            &[],
        ),
        decoder(
            "Go json.Decoder",
            "json.go",
            "go-reader",
            GO,
            b"[\"a\", 1] {\"b\": 2}3 \"c\"",
            &[],
        ),
        decoder(
            "Netty LengthFieldBasedFrameDecoder",
            "netty.java",
            "java-netty",
            &["dpkg-query", "-W", "libnetty-java"],
            b"",
            &[
                "--framing=len16",
                "--message=ok",
                "--size-limit=8",
                "--counts-header",
                "--discards-at-end",
                "--resynchronises",
            ],
        ),
    ]
}
