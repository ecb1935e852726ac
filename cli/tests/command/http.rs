//! `everysplit http`, and `--framing http1`: servers in Python with and without a bug, and nginx.
//! Tests of programs that are not installed are skipped, with a message.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::program::{
    Serve, concurrently, fails, free_port, is_installed, nginx, run, script, server, usage_error,
};

/// A small server for HTTP/1.1. Its second argument is the bug that it has.
const SERVER: &str = r"
import socket, sys, threading, time

BUG = sys.argv[2]

class Connection:
    def __init__(self, client):
        self.client, self.buffer, self.serial = client, b'', 0

    def until(self, end):
        while end not in self.buffer:
            self.more()
        found, self.buffer = self.buffer.split(end, 1)
        return found

    def exactly(self, size):
        while len(self.buffer) < size:
            self.more()
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found

    def more(self):
        read = self.client.recv(65536)
        if not read:
            raise EOFError
        if BUG == 'question' and read.startswith(b'?'):
            self.reply('400 Bad Request', b'')
            raise EOFError
        if BUG == 'field' and read.startswith(b'ccept: '):
            self.buffer = self.buffer[:-1]
            read = read.partition(b'\r\n')[2]
        self.buffer += read

    def chunks(self):
        body = b''
        while size := int(self.until(b'\r\n'), 16):
            body += self.exactly(size)
            self.until(b'\r\n')
        # Ends the body before its last CRLF if that has not come yet.
        while not (BUG == 'phantom' and not self.buffer) and self.until(b'\r\n'):
            pass
        return body

    def request(self):
        line, *fields = self.until(b'\r\n\r\n').decode().split('\r\n')
        method, target, _ = line.split(' ')
        fields = {name.lower(): value.strip() for name, value in (it.split(':', 1) for it in fields)}
        if fields.get('expect') == '100-continue' and not self.buffer:
            self.client.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
        if fields.get('transfer-encoding') == 'chunked':
            body = self.chunks()
        else:
            body = self.exactly(int(fields.get('content-length', '0')))
        text = f'{method} {target} {sorted(fields)} '.encode() + body
        self.reply('200 OK', text)
        return fields.get('connection') != 'close'

    def reply(self, status, body):
        date = f'Date: {time.time_ns()}\r\n'
        head = f'HTTP/1.1 {status}\r\n{date}Content-Length: {len(body)}\r\n\r\n'
        self.client.sendall(head.encode() + body)

def serve(client):
    connection = Connection(client)
    try:
        while connection.request():
            pass
    except ValueError:
        connection.reply('400 Bad Request', b'')
    except (EOFError, OSError):
        pass
    client.close()

server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
";

/// Tests the server above with a bug.
#[track_caller]
fn check(bug: &str, status: i32, arguments: &[&str]) -> String {
    let path = script(&format!("http-{bug}.py"), SERVER);
    let port = free_port().to_string();
    let start = ["--", "python3", "-S", &path, &port, bug];
    let http = [arguments, &["--port", &port, "--timeout=20"]].concat();
    run(&[&http[..], &start].concat()).with_status(status)
}

#[test]
fn a_correct_server_passes() {
    if !is_installed("python3") {
        return;
    }
    let output = check("none", 0, &["http", "--path=/a", "--body=hello"]);
    for text in [
        "ok    minimal: 36 bytes, uncut, 35 of 35 splits with 1 cut, ",
        ": \"200, then 200 to one more request...\"\n",
        ": \"200 200 200, then 200 to one more request...\"\n",
        "; 12 streams, 0 violated\n",
    ] {
        assert!(output.contains(text), "{text}: {output}");
    }
    assert!(!output.contains("warning"), "{output}");
}

#[test]
fn finds_bugs_of_http_servers() {
    if !is_installed("python3") {
        return;
    }
    // The bug, the streams that show it, the smallest split, and the reply.
    let cases = [
        (
            "phantom",
            &["one chunk", "two chunks", "trailers", "three pipelined"][..],
            "79",
            "\"400 to one more request\\n200 OK",
        ),
        (
            "question",
            &["query string", "two pipelined"],
            "5",
            "\"400\\n400 Bad Request",
        ),
        (
            "field",
            &["usual header fields", "lower-case names"],
            "34",
            "\"host\\'] ",
        ),
    ];
    concurrently(cases, |(bug, streams, split, reply)| {
        let output = check(bug, 1, &["http"]);
        for name in streams {
            let fails = format!("FAIL  {name}: every_split\n");
            assert!(output.contains(&fails), "{name}: {output}");
        }
        let violated = format!("; 12 streams, {} violated", streams.len());
        assert!(output.contains(&violated), "{output}");
        assert!(
            output.contains(&format!("\n  split     {split}\n")),
            "{output}"
        );
        assert!(output.contains(reply), "{output}");
    });
}

/// The line to replay a violation finds it again.
#[test]
fn a_violation_is_replayed() {
    if !is_installed("python3") {
        return;
    }
    let token = format!(
        "{}@8",
        hex::encode(b"GET /abc?d HTTP/1.1\r\nHost: a\r\n\r\n")
    );
    let output = check("question", 1, &["replay", &token, "http"]);
    let line = format!("everysplit replay {token} http --port ");
    assert!(output.contains(&line), "{output}");
    check("question", 1, &["replay", &token, "tcp", "--framing=http1"]);
    let other = token.replace("@8", "@9");
    check("question", 0, &["replay", &other, "http"]);
}

#[test]
fn own_requests_are_sent_too() {
    if !is_installed("python3") {
        return;
    }
    let own = "PUT /x HTTP/1.1\r\nHost: a\r\nAccept: b\r\nContent-Length: 2\r\n\r\nok";
    let own = script("http-own", own);
    let tcp = [
        "tcp",
        "--framing=http1",
        "--stream",
        &own,
        "--max-connections=80",
    ];
    let output = check("none", 0, &tcp);
    assert!(
        output.contains("\"200, then 200 to one more request"),
        "{output}"
    );
    // A server for one client has nothing to listen to in the end.
    let fresh = ["tcp", "--framing=http1", "--stream", &own, "--fresh"];
    check("none", 0, &[&fresh[..], &["--max-connections=2"]].concat());
    let output = check("field", 1, &tcp);
    assert!(
        output.contains(" of 81 splits have a different reply\n"),
        "{output}"
    );
}

/// Reads a request without a body. Returns whether there is one.
fn has_request(socket: &mut TcpStream) -> bool {
    let mut request = [0; 4096];
    let mut len = 0;
    while !request[..len].ends_with(b"\r\n\r\n") {
        match socket.read(&mut request[len..]) {
            Ok(read @ 1..) => len += read,
            _ => return false,
        }
    }
    true
}

/// Replies at once, and closes without saying so.
fn closes(mut socket: TcpStream) {
    if has_request(&mut socket) {
        let _ = socket.write_all(b"HTTP/1.0 200 OK\r\n\r\nhello");
    }
}

/// Replies to every request.
fn stays_open(mut socket: TcpStream) {
    while has_request(&mut socket) {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
}

/// Replies to the first of several requests only.
fn replies_once(mut socket: TcpStream) {
    let _ = socket.read(&mut [0; 4096]);
    let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let _ = socket.read_to_end(&mut Vec::new());
}

/// The uncut request is sent three times.
#[test]
fn servers_in_rust_pass() {
    let get = hex::encode(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    for (serve, reply) in [
        (closes as Serve, ": \"200...\"\n"),
        (stays_open, ": \"200, then 200 to one more request...\"\n"),
    ] {
        let address = server(serve).to_string();
        let tcp = ["tcp", "--connect", &address, "--framing=http1"];
        let stream = ["--hex", &get, "--max-connections=20"];
        let output = run(&[&tcp[..], &stream].concat()).with_status(0);
        for text in [reply, "; 23 connections in "] {
            assert!(output.contains(text), "{output}");
        }
    }
}

/// Refuses each request, or only those with a body.
const REFUSES: &str = r"
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        self.answer(400 if sys.argv[2] == 'all' else 200)

    def answer(self, status):
        self.send_response(status)
        self.send_header('Content-Length', '0')
        self.end_headers()

http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
";

#[test]
fn a_server_that_replies_only_with_errors_is_a_warning() {
    if !is_installed("python3") {
        return;
    }
    let path = script("http-refuses.py", REFUSES);
    concurrently(
        [
            ("all", " to 12 of 12 streams, such as \"400, "),
            ("bodies", " of 12 streams, such as \"501"),
        ],
        |(kind, expected)| {
            let port = free_port().to_string();
            let http = [
                "http",
                "--timeout=20",
                "--max-connections=2",
                "--port",
                &port,
            ];
            let start = ["--", "python3", &path, &port, kind];
            let output = run(&[&http[..], &start].concat()).with_status(0);
            let warning = "warning: the server has only errors as replies to ";
            assert!(
                output.contains(warning) && output.contains(expected),
                "{output}"
            );
            assert_eq!(output.contains(" to 12 of 12 "), kind == "all", "{output}");
        },
    );
}

/// What is not replied to is not tested, and costs little time.
#[test]
fn pipelined_requests_without_a_reply_are_a_warning() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let two = hex::encode(get.repeat(2));
    let address = server(replies_once as Serve).to_string();
    let tcp = [
        "tcp",
        "--connect",
        &address,
        "--framing=http1",
        "--hex",
        &two,
    ];
    let message = "the server did not reply to any stream";
    let output = run(&[&tcp[..], &["--timeout=0.3"]].concat());
    assert!(output.stderr.contains(message), "{output:?}");
    let warning = ": not checked, as the server does not reply to all of it within 300ms\n";
    assert!(output.with_status(2).contains(warning));
}

#[test]
fn bad_input_is_an_error_with_one_line() {
    let tcp = |arguments: &[&str], message| {
        let tcp = ["tcp", "--connect", "127.0.0.1:7", "--framing=http1"];
        fails(&[&tcp[..], arguments].concat(), message);
    };
    tcp(
        &["--hex", "00"],
        "the stream hex 00 has no whole HTTP/1.1 request at byte 0; ",
    );
    tcp(
        &["--hex", "00", "--message=a"],
        "--framing http1 has no --message",
    );
    tcp(&[], "there is no stream to test");
    let http = |arguments: &[&str], message| {
        usage_error(
            &[&["http", "--connect", "127.0.0.1:7"], arguments].concat(),
            message,
        );
    };
    http(&["--path", "a"], "must begin with /");
    http(&["--path", "/a b"], "must be ASCII without spaces");
    http(&["--host", ""], "must be ASCII without spaces");
    http(&["--host", "a b"], "must be ASCII without spaces");
    http(&["--stream", "a"], "unexpected argument '--stream'");
    usage_error(&["http"], "<--connect <ADDRESS>|--port <PORT>>");
    fails(
        &["exec", "--framing=http1", "--", "cat"],
        "--framing http1 is only for `everysplit tcp`",
    );
    let listen = [
        "tcp",
        "--listen=7",
        "--framing=http1",
        "--hex=00",
        "--",
        "true",
    ];
    fails(&listen, "--framing http1 is for servers, not with --listen");
}

/// Also as a proxy, and with `Connection: close`.
#[test]
fn nginx_passes() {
    if !is_installed("nginx") {
        return;
    }
    let [plain, proxy, close] = [(); 3].map(|()| free_port());
    let replies = r#"location / { return 200 "$request_method $request_uri\n"; }"#;
    let servers = format!(
        "server {{ listen 127.0.0.1:{plain}; {replies} }}
         server {{ listen 127.0.0.1:{close}; keepalive_timeout 0; {replies} }}
         server {{ listen 127.0.0.1:{proxy}; location / {{ proxy_pass http://127.0.0.1:{plain}; }} }}"
    );
    let _nginx = nginx("http-nginx", &servers, proxy);
    for port in [plain, proxy, close] {
        let address = format!("127.0.0.1:{port}");
        let http = ["http", "--connect", &address, "--timeout=20"];
        let output = run(&http).with_status(0);
        assert!(output.contains("; 12 streams, 0 violated"), "{output}");
    }
}
