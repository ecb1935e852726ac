//! `everysplit exec` on decoders that others have published, and on drivers in every language: each
//! correct one passes with what it must declare, and a bug in each language is found.
//!
//! `.ci/run` installs the packages. A test whose packages are absent is skipped, with a message.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::program::{concurrently, is_installed, run, script};

/// Returns whether a folder or file exists; prints that a test is skipped if not.
#[track_caller]
pub(crate) fn is_there(path: &str, name: &str) -> bool {
    let exists = Path::new(path).exists();
    if !exists {
        let may_skip = std::env::var_os("EVERYSPLIT_SKIP_NO_TEST").is_none();
        assert!(may_skip, "{name} is not installed");
        eprintln!("skipped: {name} is not installed");
    }
    exists
}

/// Where `.ci/run` installs packages of Python and Node.
pub(crate) const PACKAGES: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../decoders");

/// Returns a ready driver of which the part that a user writes is replaced.
fn with_decoder(language: &str, decoder: &str) -> String {
    let text = run(&["driver", language]).with_status(0);
    let begin = text
        .find("---- Nothing below")
        .or(text.find("---- The protocol"));
    let begin = text[..begin.unwrap()].rfind('\n').unwrap();
    format!("{decoder}{}", &text[begin..])
}

/// Returns a ready driver after a change.
fn changed(language: &str, old: &str, new: &str) -> String {
    let text = run(&["driver", language]).with_status(0);
    assert!(text.contains(old), "{old}");
    text.replacen(old, new, 1)
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Checks a stream with a driver; returns stdout.
#[track_caller]
fn check(arguments: &[&str], driver: &[&str], status: i32) -> String {
    run(&[&["exec"], arguments, &["--"], driver].concat()).with_status(status)
}

/// A frame, and no other stream: each stream that is violated is minimized, which takes time.
const ONE_FRAME: [&str; 4] = ["--hex", "00026f6b", "--shard", "1/99"];

/// The smallest frame with a body that can be cut, and no other stream.
const CUT_BODY: [&str; 6] = ["--framing", "len16", "--hex", "00020000", "--shard", "1/99"];

const H11: &str = include_str!("../../../survey/decoders/h11.py");
const WSPROTO: &str = include_str!("../../../survey/decoders/wsproto.py");
const HIREDIS: &str = include_str!("../../../survey/decoders/hiredis.py");

/// Two requests, the second one chunked.
const REQUESTS: &str = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcPOST /b HTTP/1.1\r\n\
    Host: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
#[test]
fn packages_of_python() {
    let packages = format!("{PACKAGES}/python");
    let websocket = "818200000000686981830000000068690a";
    let replies = hex("*2\r\n$2\r\nhi\r\n:7\r\n+OK\r\n$0\r\n\r\n");
    let cases = [
        ("h11", H11, hex(REQUESTS), "proved: "),
        // Neither a generator nor an extension in C can be saved.
        ("wsproto", WSPROTO, websocket.into(), "bounded: "),
        ("hiredis", HIREDIS, replies, "bounded: "),
    ];
    if !is_installed("python3") {
        return;
    }
    concurrently(cases, |(name, decoder, stream, tier)| {
        if !is_there(&format!("{packages}/{name}"), name) {
            return;
        }
        let text = with_decoder(
            "python",
            &format!("import sys\nsys.path.insert(0, {packages:?})\n{decoder}"),
        );
        let path = script(&format!("package-{name}.py"), &text);
        let output = check(
            &["--hex", &stream, "--max-cuts", "1"],
            &["python3", &path],
            0,
        );
        assert!(output.contains(tier), "{name}: {output}");
        // A caller that passes on only what arrives with a request.
        let buggy = text.replace(
            "        yield Piece(",
            "        if chunk[-1:] != b'i': yield Piece(",
        );
        let buggy = buggy.replace(
            "reader.gets()) is not False:",
            "reader.gets()) is not False and len(chunk) > 1:",
        );
        let buggy = buggy.replace(
            "            yield Piece(bytes(event.data))",
            "            yield Piece(bytes(event.data) if len(chunk) > 1 else b'')",
        );
        let path = script(&format!("package-{name}-buggy.py"), &buggy);
        let output = check(
            &["--hex", &stream, "--max-cuts=1", "--bytes-between-frames"],
            &["python3", &path],
            1,
        );
        assert!(output.contains("\nevery_split: "), "{name}: {output}");
    });
}

const HTTP_PARSER_JS: &str = include_str!("../../../survey/decoders/http_parser_js.js");
const WS: &str = include_str!("../../../survey/decoders/ws.js");

/// http-parser-js counts all bytes of a chunk as those of a header, so its states depend on the
/// split, and no proof merges them.
#[test]
fn packages_of_node() {
    let packages = format!("{PACKAGES}/node/node_modules");
    let websocket = "818200000000686981830000000068690a";
    let cases = [
        (
            "http-parser-js",
            "node",
            HTTP_PARSER_JS,
            hex("PUT /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
            "length > 0 ? parser",
            "length !== 3 ? parser",
        ),
        (
            "ws",
            "node-stream",
            WS,
            websocket.into(),
            "(data) => emit(data)",
            "(data) => data.length !== 3 && emit(data)",
        ),
    ];
    if !is_installed("node") {
        return;
    }
    concurrently(
        cases,
        |(name, language, decoder, stream, correct, buggy)| {
            let package = format!("{packages}/{name}");
            if !is_there(&package, name) {
                return;
            }
            let decoder = decoder.replace(&format!("'{name}'"), &format!("{package:?}"));
            let text = with_decoder(language, &decoder);
            let path = script(&format!("package-{name}.js"), &text);
            let stream = ["--hex", &stream, "--max-cuts", "1"];
            let output = check(&stream, &["node", &path], 0);
            assert!(output.contains("ok    hex "), "{name}: {output}");
            if language == "node" {
                let path = script(
                    &format!("package-{name}-buggy.js"),
                    &text.replace(correct, buggy),
                );
                let output = check(&stream, &["node", &path], 1);
                assert!(
                    output.contains("\n  split     3\n") || output.contains("\nevery_split: "),
                    "{output}"
                );
            }
        },
    );
}

/// A reader that takes one byte for a header, and a stream that forgets the chunk before. Those of Go
/// and Java are below.
#[test]
fn drivers_for_readers_find_the_fewest_cuts() {
    let header = "read(1)
        if not header:
            break
        header += await reader.readexactly(1)";
    let one_read = "read(2)
        if not header:
            break";
    let concat = "Buffer.concat([buffer, chunk])";
    let cases = [
        ("python-reader", "python3", header, one_read),
        ("node-stream", "node", concat, "chunk"),
    ];
    for (language, program, correct, buggy) in cases {
        if !is_installed(program) {
            continue;
        }
        let text = changed(language, correct, buggy);
        let path = script(&format!("forgets-{language}"), &text);
        let output = check(&CUT_BODY, &[program, &path], 1);
        assert!(output.contains("\n  split     1\n"), "{language}: {output}");
    }
}

/// Makes a folder, writes files to it, and runs a compiler there.
#[track_caller]
fn compile(folder: &str, files: &[(&str, &str)], compiler: &[&str]) -> String {
    let folder = format!("{}/compiled-{folder}", env!("CARGO_TARGET_TMPDIR"));
    for (name, text) in files {
        let path = Path::new(&folder).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut command = Command::new(compiler[0]);
    let output = command
        .args(&compiler[1..])
        .current_dir(&folder)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    folder
}

/// Reads lines, with the scanner of the standard library.
const SCANNER: &str = include_str!("../../../survey/decoders/scanner.go");

#[test]
fn decoders_of_go() {
    if !is_installed("go") {
        return;
    }
    let imports = include_str!("../../drivers/go/imports.go");
    let scanner = format!("{imports}{SCANNER}");
    let framed = ["--framing", "len16", "--message", "ok"];
    let one = [&framed[..], &ONE_FRAME].concat();
    let frame = ["--hex", "00026f6b"];
    let lines = ["--hex", "61620a0a63640d0a"];
    let keeps = "if len(d.buffer) < end {";
    let consumes = "if len(d.buffer) < end {\n\t\t\td.buffer = d.buffer[2:]";
    let panics = "if len(d.buffer) == 3 {\n\t\t\tpanic(\"three bytes\")\n\t\t}\n\t\tend := 2";
    let end = "return end, data[2:end], nil";
    let skips =
        "return end, data[2:end], nil\n\t\t}\n\t\tif len(data) == 3 {\n\t\t\treturn 1, nil, nil";
    let whole = "io.ReadFull(reader, header[:])";
    let once = "reader.Read(header[:])";
    let cases: [(&str, String, &[&str], i32, &str); 7] = [
        (
            "go",
            changed("go", keeps, keeps),
            &framed,
            0,
            "proved: 8 bytes",
        ),
        (
            "go-buggy",
            changed("go", keeps, consumes),
            &one,
            1,
            "\n  split     2\n",
        ),
        (
            "go-panics",
            changed("go", "end := 2", panics),
            &frame,
            1,
            "; stderr: panic: three bytes, ",
        ),
        (
            "go-split",
            changed("go-split", end, end),
            &framed,
            0,
            "proved: 8 bytes",
        ),
        (
            "go-split-buggy",
            changed("go-split", end, skips),
            &one,
            1,
            "\nevery_split: ",
        ),
        (
            "go-reader-buggy",
            changed("go-reader", whole, once),
            &CUT_BODY,
            1,
            "\n  split     1\n",
        ),
        (
            "bufio-scanner",
            with_decoder("go-reader", &scanner),
            &lines,
            0,
            "bounded: 8 bytes",
        ),
    ];
    concurrently(cases, |(name, text, arguments, status, expected)| {
        let folder = compile(name, &[("driver.go", &text)], &["go", "build", "driver.go"]);
        let output = check(arguments, &[&format!("{folder}/driver")], status);
        assert!(output.contains(expected), "{name}: {output}");
        if status == 0 {
            let check = ["driver", "--check", "--", &format!("{folder}/driver")];
            run(&check).with_status(0);
        }
    });
}

/// Debian's Netty.
const NETTY: &str = "/usr/share/java/netty-buffer.jar:/usr/share/java/netty-codec.jar:\
    /usr/share/java/netty-common.jar:/usr/share/java/netty-transport.jar:\
    /usr/share/java/netty-resolver.jar:.";

/// Consumes the length before the body is complete.
const NETTY_BUG: &str = "pipeline.addLast(new io.netty.handler.codec.ByteToMessageDecoder() {
    @Override
    protected void decode(io.netty.channel.ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        if (in.readableBytes() < 2) return;
        int size = in.readUnsignedShort();
        if (in.readableBytes() >= size) out.add(in.readBytes(size));
    }
});";

#[test]
fn decoders_of_java() {
    if !is_installed("javac") || !is_installed("java") {
        return;
    }
    let has_netty = is_there("/usr/share/java/netty-codec.jar", "libnetty-java");
    let framed = ["--framing", "len16", "--message", "ok", "--size-limit", "8"];
    let declared = ["--counts-header", "--discards-at-end", "--resynchronises"];
    let netty = [&framed[..], &declared].concat();
    let one = [&framed[..], &ONE_FRAME].concat();
    let frame = ["--hex", "00026f6b"];
    let lines = ["--hex", "61620a0a63640d0a"];
    let keeps = "if (buffer.length < end) break;";
    let consumes = "if (buffer.length < end) { buffer = new byte[0]; break; }";
    let throws =
        "if (buffer.length == 3) throw new Error(\"three bytes\");\n            int end = 2";
    let fully = "data.readFully(body);";
    let once = "data.read(body);";
    let length = "pipeline.addLast(new LengthFieldBasedFrameDecoder(max, 0, 2, 0, 2));";
    let line = "pipeline.addLast(new io.netty.handler.codec.LineBasedFrameDecoder(20));";
    let cases: [(&str, String, &[&str], i32, &str); 7] = [
        (
            "java_fed",
            changed("java", keeps, keeps),
            &framed,
            0,
            "proved: 8 bytes",
        ),
        (
            "java_buggy",
            changed("java", keeps, consumes),
            &one,
            1,
            "\n  split     2\n",
        ),
        (
            "java_throws",
            changed("java", "int end = 2", throws),
            &frame,
            1,
            "java.lang.Error: three bytes, at java_throws.Decoder.feed",
        ),
        (
            "java_stream_buggy",
            changed("java-stream", fully, once),
            &CUT_BODY,
            1,
            "\n  split     3\n",
        ),
        (
            "netty_length",
            changed("java-netty", length, length),
            &netty,
            0,
            "proved: 8 bytes",
        ),
        (
            "netty_line",
            changed("java-netty", length, line),
            &lines,
            0,
            "proved: 8 bytes",
        ),
        (
            "netty_buggy",
            changed("java-netty", length, NETTY_BUG),
            &one,
            1,
            "\n  split     2\n",
        ),
    ];
    let mut cases = Vec::from(cases);
    cases.retain(|(name, ..)| has_netty || !name.starts_with("netty"));
    // A package for each: one compiler then serves all.
    let sources: Vec<_> = cases
        .iter()
        .map(|(name, text, ..)| {
            (
                format!("{name}/Driver.java"),
                format!("package {name};\n{text}"),
            )
        })
        .collect();
    let files: Vec<_> = sources
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let javac = ["javac", "-cp", NETTY];
    let names = files.iter().map(|&(name, _)| name);
    let javac: Vec<_> = javac.into_iter().chain(names).collect();
    let folder = compile("java", &files, &javac);
    concurrently(cases, |(name, _, arguments, status, expected)| {
        let path = format!("{NETTY}:{folder}");
        let main = format!("{name}.Driver");
        let java = ["java", "-XX:TieredStopAtLevel=1", "-cp", &path, &main];
        let output = check(&[arguments, &["--timeout", "60"]].concat(), &java, status);
        assert!(output.contains(expected), "{name}: {output}");
    });
}

/// C#, with Mono. The state of a task cannot be compared.
#[test]
fn decoders_of_csharp() {
    if !is_installed("mcs") || !is_installed("mono") {
        return;
    }
    let keeps = "if (buffer.Count < end) break;";
    let consumes = "if (buffer.Count < end) { buffer.RemoveRange(0, 2); break; }";
    let field = "readonly int limit;";
    let hidden = "readonly int limit; object task = System.Threading.Tasks.Task.FromResult(1);";
    let framed = ["--framing", "len16", "--message", "ok", "--max-cuts", "1"];
    let buggy = [&framed[..], &ONE_FRAME].concat();
    let cases: [(&str, String, &[&str], i32, &str); 3] = [
        (
            "csharp",
            changed("csharp", keeps, keeps),
            &framed,
            0,
            "proved: 8 bytes",
        ),
        (
            "csharp-buggy",
            changed("csharp", keeps, consumes),
            &buggy,
            1,
            "\n  split     2\n",
        ),
        (
            "csharp-hidden",
            changed("csharp", field, hidden),
            &framed,
            0,
            "bounded: 8 bytes",
        ),
    ];
    concurrently(cases, |(name, text, arguments, status, expected)| {
        let folder = compile(name, &[("Driver.cs", &text)], &["mcs", "Driver.cs"]);
        let driver = ["mono", &format!("{folder}/Driver.exe")];
        let output = check(arguments, &driver, status);
        assert!(output.contains(expected), "{name}: {output}");
        if status == 0 {
            run(&[&["driver", "--check", "--"], &driver[..]].concat()).with_status(0);
        }
    });
}

#[test]
fn decoders_of_c_and_cpp() {
    let framed = ["--framing", "len16", "--message", "ok", "--size-limit", "8"];
    let one = [&framed[..], &ONE_FRAME].concat();
    let header = run(&["driver", "c-header"]).with_status(0);
    let sanitized = [
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsanitize=address,undefined",
    ];
    let keeps = "if (d->length < end) break;";
    let consumes =
        "if (d->length < end) { memmove(d->buffer, d->buffer + 2, d->length -= 2); break; }";
    let longer = "if (length >= end) everysplit_frame";
    let beyond = "if (length >= end - 1) everysplit_frame";
    let erases = "if (buffer.size() < end) { buffer.erase(0, 2); break; }";
    let cases: [(&str, &str, String, i32, &str); 6] = [
        ("c", "c", changed("c", keeps, keeps), 0, "proved: 8 bytes"),
        (
            "c-buggy",
            "c",
            changed("c", keeps, consumes),
            1,
            "\n  split     2\n",
        ),
        (
            "c-buffer",
            "c",
            changed("c-buffer", longer, longer),
            0,
            "proved: 8 bytes",
        ),
        (
            "c-buffer-buggy",
            "c",
            changed("c-buffer", longer, beyond),
            1,
            "the decoder consumed 2 bytes of a buffer of 1",
        ),
        (
            "cpp",
            "cpp",
            changed("cpp", "break;", "break;"),
            0,
            "proved: 8 bytes",
        ),
        (
            "cpp-buggy",
            "cpp",
            changed("cpp", "if (buffer.size() < end) break;", erases),
            1,
            "\n  split     2\n",
        ),
    ];
    concurrently(cases, |(name, language, text, status, expected)| {
        let compiler: &[&str] = if language == "c" {
            &["cc", "-std=c11", "-D_GNU_SOURCE"]
        } else {
            &["c++", "-std=c++17"]
        };
        if !is_installed(compiler[0]) {
            return;
        }
        let file = format!("driver.{language}");
        let files = [(&*file, &*text), ("everysplit.h", &*header)];
        let compiler = [compiler, &sanitized, &["-o", "driver", &file]].concat();
        let folder = compile(name, &files, &compiler);
        let driver = format!("{folder}/driver");
        let arguments = if status == 0 { &framed[..] } else { &one };
        let output = check(arguments, &[&driver], status);
        assert!(output.contains(expected), "{name}: {output}");
        if status == 0 {
            run(&["driver", "--check", "--", &driver]).with_status(0);
        }
    });
}

/// The frames of a path that is fed again are no reply, even if they exceed the driver's buffer.
#[test]
fn large_frames_of_c() {
    if !is_installed("cc") {
        return;
    }
    let header = run(&["driver", "c-header"]).with_status(0);
    let emit = "everysplit_frame(d->buffer + 2, end - 2);";
    let large = "static char large[40000]; everysplit_frame(large, sizeof large);";
    let text = changed("c", emit, large);
    let files = [("driver.c", &*text), ("everysplit.h", &*header)];
    let compiler = ["cc", "-o", "driver", "driver.c"];
    let driver = format!("{}/driver", compile("c-large", &files, &compiler));
    let output = check(&["--hex", "00016100026262"], &[&driver], 0);
    assert!(output.contains("proved: 7 bytes"), "{output}");
}

/// The HTTP parser of Node's first years, as Debian has it. Its state is a plain structure.
const HTTP_PARSER: &str = r#"
#include "everysplit.h"
#include <http_parser.h>
#include <stddef.h>

static int part(http_parser *p, const char *at, size_t length) {
    (void)p;
    everysplit_piece(at, length);
    return 0;
}

static int body(http_parser *p, const char *at, size_t length) {
    return part(p, at, length);
}

static int complete(http_parser *p) {
    (void)p;
    everysplit_frame("", 0);
    return 0;
}

static const http_parser_settings settings = {.on_url = part, .on_body = body, .on_message_complete = complete};

static void *make(void) {
    http_parser *p = malloc(sizeof *p);
    http_parser_init(p, HTTP_REQUEST);
    return p;
}

static const char *feed(void *p, const unsigned char *chunk, size_t length) {
    http_parser *parser = p;
    /* No bytes are the end of the stream. */
    if (length) http_parser_execute(parser, &settings, (const char *)chunk, length);
    return parser->http_errno ? http_errno_name(parser->http_errno) : NULL;
}

static const char *finish(void *p) {
    http_parser *parser = p;
    http_parser_execute(parser, &settings, "", 0);
    return parser->http_errno ? http_errno_name(parser->http_errno) : NULL;
}

static void state(void *p) { everysplit_state(p, offsetof(http_parser, data)); }

int main(void) {
    everysplit_driver driver = {.make = make, .feed = feed, .finish = finish, .state = state};
    return everysplit_main(&driver);
}
"#;

#[test]
fn a_library_of_c() {
    let is_there = is_there("/usr/include/http_parser.h", "libhttp-parser-dev");
    if !is_installed("cc") || !is_there {
        return;
    }
    let header = run(&["driver", "c-header"]).with_status(0);
    // It loses the part of a body that has two bytes.
    let loses = HTTP_PARSER.replace("return part", "return length == 2 ? 0 : part");
    let one = hex("PUT *\nConTenT-LengTh:3\n\n\0\0\0");
    let cases = [
        (
            "http-parser",
            HTTP_PARSER,
            hex(REQUESTS),
            0,
            "proved: 120 bytes",
        ),
        ("http-parser-buggy", &loses, one, 1, "\n  split     25\n"),
    ];
    concurrently(cases, |(name, text, stream, status, expected)| {
        let files = [("driver.c", text), ("everysplit.h", &*header)];
        let flags = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"];
        let link = [
            "-fsanitize=address,undefined",
            "-o",
            "driver",
            "driver.c",
            "-lhttp_parser",
        ];
        let compiler = [&["cc"], &flags[..], &link].concat();
        let driver = format!("{}/driver", compile(name, &files, &compiler));
        let output = check(
            &["--hex", &stream, "--bytes-between-frames"],
            &[&driver],
            status,
        );
        assert!(output.contains(expected), "{name}: {output}");
    });
}
