//! TLS: how servers read a `ClientHello`, and what is inside. Tests of programs that are not
//! installed are skipped, with a message.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::program::{
    Serve, concurrently, fails, free_port, is_installed, nginx, run, script, server,
    start_listening, usage_error,
};

/// Makes a key and a certificate for localhost. Returns their paths.
fn certificate(name: &str) -> (String, String) {
    let path = |end| format!("{}/{name}-{end}.pem", env!("CARGO_TARGET_TMPDIR"));
    let (key, certificate) = (path("key"), path("certificate"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-nodes", "-days=2", "-subj=/CN=localhost"]);
    openssl.args(["-newkey=ec", "-pkeyopt=ec_paramgen_curve:P-256"]);
    openssl.args(["-addext=subjectAltName=DNS:localhost,IP:127.0.0.1"]);
    openssl.args(["-keyout", &key, "-out", &certificate]);
    let made = openssl.output().unwrap();
    assert!(made.status.success(), "{made:?}");
    (key, certificate)
}

/// Reads a `ClientHello`, and replies with an alert: the same for any, as it has no key.
fn refuses(mut socket: TcpStream) {
    let mut header = [0; 5];
    let _ = socket.read_exact(&mut header);
    let len = u16::from_be_bytes([header[3], header[4]]);
    let _ = socket.read_exact(&mut vec![0; len.into()]);
    let _ = socket.write_all(b"\x15\x03\x03\0\x02\x02\x28");
}

/// Expects a `ClientHello` in one read of at most 1024 bytes, and takes the end of those for its
/// end: <https://tldr.fail>.
fn reads_once(mut socket: TcpStream) {
    let mut hello = [0; 1024];
    let read = socket.read(&mut hello).unwrap_or(0);
    let is_cut = read < 5 || usize::from(u16::from_be_bytes([hello[3], hello[4]])) + 5 > read;
    let alert = if is_cut { 50 } else { 40 };
    let _ = socket.write_all(&[0x15, 3, 3, 0, 2, 2, alert]);
    let _ = socket.read_to_end(&mut Vec::new());
}

#[test]
fn a_server_that_refuses_all_is_a_warning() {
    let address = server(refuses as Serve).to_string();
    let output = run(&[
        "tls",
        &address,
        "--server-name=localhost",
        "--max-connections=40",
    ])
    .with_status(0);
    for text in [
        "ok    ClientHello: 240 bytes, ",
        "ok    ClientHello with a large key share: 1462 bytes, ",
        "warning: ClientHello: the server refuses it: \"alert fatal handshake_failure in TLS 1.2\"; ",
        ", 2 warnings\n",
    ] {
        assert!(output.contains(text), "{text}: {output}");
    }
}

#[test]
fn a_client_hello_that_must_be_read_at_once_is_found() {
    let address = server(reads_once as Serve).to_string();
    let tls = [
        "tls",
        &address,
        "--server-name=localhost",
        "--max-connections=320",
    ];
    let output = run(&tls).with_status(1);
    for text in [
        "FAIL  ClientHello: every_split\n",
        // It is never read at once.
        "ok    ClientHello with a large key share: ",
        ": \"handshake_failure in TLS 1.2\"\n",
        ": \"decode_error in TLS 1.2\"; 304 of 305 splits have a different reply\n",
        "warning: ClientHello with a large key share: the server refuses it: \"alert fatal decode_",
        "\n  split     5\n",
    ] {
        assert!(output.contains(text), "{text}: {output}");
    }
    // The line to replay it finds it again.
    let line = output
        .lines()
        .find_map(|line| line.split_once("everysplit replay "));
    let words: Vec<_> = line.unwrap().1.split(' ').collect();
    let output = run(&[&["replay"], &words[..]].concat()).with_status(1);
    assert!(output.contains("decode_error"), "{output}");
}

/// Refuses all, and ends the connection in another way if the `ClientHello` was cut.
fn ends_in_two_ways(mut socket: TcpStream) {
    let mut hello = [0; 2000];
    let mut read = socket.read(&mut hello).unwrap_or(0);
    let is_cut = read < 5 || usize::from(u16::from_be_bytes([hello[3], hello[4]])) + 5 > read;
    while read >= 5 && read < 5 + usize::from(u16::from_be_bytes([hello[3], hello[4]])) {
        match socket.read(&mut hello[read..]) {
            Ok(more @ 1..) => read += more,
            _ => return,
        }
    }
    let _ = socket.write_all(&[0x15, 3, 3, 0, 2, 2, 40]);
    let _ = socket.read_to_end(&mut Vec::new());
    if is_cut {
        let _ = socket.write_all(&[0x15, 3, 3, 0, 2, 1, 0]);
    }
}

/// What a server sends when the client has ended the connection is compared, too.
#[test]
fn the_end_of_a_connection_is_compared() {
    let address = server(ends_in_two_ways as Serve).to_string();
    let tls = ["tls", &address, "--server-name=localhost"];
    let output = run(&[&tls[..], &["--max-connections=10"]].concat()).with_status(1);
    for text in [
        "FAIL  ClientHello: every_split\n",
        ", alert warning close_notify in TLS 1.2\"; ",
    ] {
        assert!(output.contains(text), "{text}: {output}");
    }
}

/// A server inside TLS that sends back each line. Its last argument is the bug that it has.
const LINES: &str = r#"
import socket, ssl, sys, threading
port, key, certificate, bug = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
listener = socket.create_server(("127.0.0.1", int(port)))

def serve(client):
    try:
        with context.wrap_socket(client, server_side=True) as client:
            buffer = b""
            while read := client.recv(4096):
                if bug == "twice" and buffer:
                    read = read[:1] + read
                buffer += read
                while b"\n" in buffer:
                    line, buffer = buffer.split(b"\n", 1)
                    client.sendall(line + b"!\n")
                    if bug == "broken" and line == b"bc":
                        # Not inside TLS.
                        socket.socket.send(client, b"no record")
                        return
            if bug == "silent":
                client.sendall(b"rest: " + buffer + b"\n")
            if bug != "abrupt":
                client.unwrap()
    except OSError:
        pass

while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
"#;

/// Tests the server above with a bug. Returns its standard output.
#[track_caller]
fn check_lines(bug: &str, status: i32, verb: &[&str], streams: &[&str]) -> Option<String> {
    if !is_installed("python3") || !is_installed("openssl") {
        return None;
    }
    let (key, certificate) = certificate(&format!("tls-lines-{bug}-{}", streams.len()));
    let (path, port) = (script("tls-lines.py", LINES), free_port().to_string());
    let tls = ["--port", &port, "--tls", "--tls-ca", &certificate];
    let limits = ["--reply-idle=0.3"];
    let start = ["--", "python3", &path, &port, &key, &certificate, bug];
    let finished = run(&[verb, &tls, &limits, streams, &start].concat());
    Some(finished.with_status(status))
}

const TWO_LINES: &str = "--hex=610a62630a";

#[test]
fn a_stream_inside_tls_is_cut() {
    // However the server ends a connection, it has read everything.
    for bug in ["none", "silent", "abrupt", "broken"] {
        let Some(output) = check_lines(bug, 0, &["tcp"], &["--timeout=20", TWO_LINES]) else {
            return;
        };
        for text in [
            "ok    hex 610a62630a: 5 bytes, uncut, 4 of 4 splits with 1 cut, ",
            ", observed: each chunk was read before the next was sent; ",
        ] {
            assert!(output.contains(text), "{text}: {output}");
        }
        assert!(!output.contains("warning"), "{output}");
    }
}

#[test]
fn a_bug_inside_tls_is_found_and_replayed() {
    let Some(output) = check_lines("twice", 1, &["tcp"], &["--timeout=20", TWO_LINES]) else {
        return;
    };
    for text in [
        "  split     1\n",
        ", from byte 3: \"bc!\\n\"\n",
        ", from byte 3: \"!\\n",
        "everysplit replay 610a62630a@1 tcp --port ",
        " --tls --tls-ca ",
    ] {
        assert!(output.contains(text), "{text}: {output}");
    }
    check_lines(
        "twice",
        1,
        &["replay", "610a62630a@3", "tcp"],
        &["--timeout=20"],
    );
    check_lines(
        "twice",
        0,
        &["replay", "610a62630a@2", "tcp"],
        &["--timeout=20"],
    );
}

/// A chunk that is longer than a record, and invalid streams.
#[test]
fn long_and_hostile_streams_are_sent_inside_tls() {
    let stream = script("tls-long", &"x".repeat(20_000));
    let long = ["--stream", &stream, "--hostile", "--max-connections=3"];
    // It waits without end for the rest of a line, and this time for the first reply.
    let times = ["--timeout=3", "--max-idle=0.3"];
    let Some(output) = check_lines("silent", 1, &["tcp"], &[long.as_slice(), &times].concat())
    else {
        return;
    };
    for text in [
        ": the same reply of 20007 bytes: \"rest: xxx",
        "\ntruncation   held\n",
        "\nprogress     violated by 1 stream\n",
    ] {
        assert!(output.contains(text), "{text}: {output}");
    }
}

/// Reads the beginning of a handshake, and closes the connection.
fn closes(mut socket: TcpStream) {
    let _ = socket.read(&mut [0; 4096]);
}

/// Accepts a connection, and does not answer.
fn is_silent(mut socket: TcpStream) {
    let _ = io::copy(&mut socket, &mut io::sink());
}

#[test]
fn a_handshake_that_does_not_succeed_is_an_error() {
    for (serve, message) in [
        (
            closes as Serve,
            "the server closes the connection during the handshake",
        ),
        (is_silent, "the handshake takes more than 1s"),
    ] {
        let address = server(serve).to_string();
        let tls = ["--tls", "--tls-insecure", "--timeout=1"];
        let finished = run(&[&["http", "--connect", &address], &tls[..]].concat());
        assert!(finished.stderr.contains(message), "{finished:?}");
        assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
        finished.with_status(2);
    }
}

/// Each is one line that says what to do.
#[test]
fn certificates_that_do_not_verify_are_errors() {
    if !is_installed("openssl") {
        return;
    }
    let (key, own) = certificate("tls-own");
    let (_, other) = certificate("tls-other");
    let port = free_port();
    let accept = format!("127.0.0.1:{port}");
    let mut openssl = Command::new("openssl");
    openssl.args([
        "s_server", "-quiet", "-accept", &accept, "-key", &key, "-cert", &own,
    ]);
    openssl.stdin(Stdio::null());
    let _openssl = start_listening(openssl, port);
    let tcp = |options: &[&str], message| {
        let tcp = ["http", "--connect", &accept, "--timeout=5"];
        let finished = run(&[&tcp[..], options].concat());
        assert!(finished.stderr.contains(message), "{finished:?}");
        assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
        finished.with_status(2);
    };
    tcp(&["--tls"], "with --tls, add --tls-ca FILE ");
    tcp(
        &["--tls", "--tls-ca=no-such"],
        "cannot read the certificates no-such",
    );
    tcp(
        &["--tls", "--tls-ca", &key],
        " has no certificate; it must be a PEM file",
    );
    let unknown = "the certificate does not verify: it is not in --tls-ca";
    tcp(&["--tls", "--tls-ca", &other], unknown);
    let name = ["--tls", "--tls-insecure", "--server-name=a_%"];
    tcp(&name, "\"a_%\" is not the name of a server");
    let address = server(refuses as Serve).to_string();
    let refused = run(&["http", "--connect", &address, "--tls", "--tls-insecure"]);
    let message = "received fatal alert: HandshakeFailure";
    assert!(refused.stderr.contains(message), "{refused:?}");
    refused.with_status(2);
    usage_error(
        &["http", "--connect", &accept, "--tls-insecure"],
        "not provided",
    );
    usage_error(
        &["tcp", "--listen=7", "--tls", "--", "cat"],
        "cannot be used with",
    );
}

#[test]
fn http_inside_tls_passes() {
    if !is_installed("nginx") || !is_installed("openssl") {
        return;
    }
    let (key, certificate) = certificate("tls-https");
    let [plain, secure] = [(); 2].map(|()| free_port());
    let servers = format!(
        "ssl_certificate {certificate}; ssl_certificate_key {key};
         server {{ listen 127.0.0.1:{secure} ssl; location / {{ return 200 ok; }} }}
         server {{ listen 127.0.0.1:{plain}; }}"
    );
    let _nginx = nginx("tls-https", &servers, plain);
    let http = |port, options: &[&str]| {
        let address = format!("localhost:{port}");
        let limits = ["--timeout=20", "--max-connections=20"];
        run(&[&["http", "--connect", &address][..], &limits, options].concat())
    };
    let output = http(secure, &["--tls", "--tls-ca", &certificate]).with_status(0);
    assert!(output.contains("; 12 streams, 0 violated\n"), "{output}");
    assert!(
        output.contains(": \"200 200, then 200 to one more"),
        "{output}"
    );
    let finished = http(plain, &["--tls", "--tls-insecure"]);
    let message = "the server does not speak TLS; leave out --tls";
    assert!(finished.stderr.contains(message), "{finished:?}");
    finished.with_status(2);
}

#[test]
fn bad_input_is_an_error_with_one_line() {
    let http: Serve = |mut socket| {
        let _ = socket.read(&mut [0; 4096]);
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    };
    let address = server(http).to_string();
    let output = run(&["tls", &address]);
    let message = "the server does not speak TLS: its reply is \"HTTP/1.1 400 Bad Request";
    assert!(output.stderr.contains(message), "{output:?}");
    output.with_status(2);
    fails(&["tls", "192.0.2.1:1"], "add --allow-remote");
    usage_error(&["tls"], "<ADDRESS|--connect <ADDRESS>|--port <PORT>>");
    usage_error(
        &["tls", "127.0.0.1:1", "--connect=127.0.0.1:1"],
        "cannot be used with",
    );
    usage_error(&["tls", "127.0.0.1:1", "--", "cat"], "cannot be used with");
    let pid = ["tls", "--port=1", "--pid=1", "--", "cat"];
    usage_error(&pid, "<ADDRESS|--connect <ADDRESS>>");
}

#[test]
fn openssl_passes() {
    if !is_installed("openssl") {
        return;
    }
    let (key, certificate) = certificate("tls-openssl");
    let cases = [
        (&["-tls1_3"][..], "\"ServerHello of TLS 1.3 in TLS 1.2"),
        (
            &["-tls1_2"],
            "\"ServerHello of TLS 1.2 in TLS 1.2, Certificate",
        ),
        (&["-groups", "P-384"], "\"HelloRetryRequest of TLS 1.3"),
    ];
    concurrently(cases, |(options, answer)| {
        let port = free_port().to_string();
        let tls = [
            "tls",
            "--port",
            &port,
            "--timeout=20",
            "--max-connections=200",
        ];
        let accept = format!("127.0.0.1:{port}");
        let start = ["--", "openssl", "s_server", "-quiet", "-accept", &accept];
        let files = ["-key", &key, "-cert", &certificate];
        let arguments = [&tls[..], &start, &files, options].concat();
        let output = run(&arguments).with_status(0);
        assert_eq!(output.matches(answer).count(), 2, "{output}");
        assert!(!output.contains("warning"), "{output}");
    });
}

#[test]
fn nginx_passes() {
    if !is_installed("nginx") || !is_installed("openssl") {
        return;
    }
    let (key, certificate) = certificate("tls-nginx");
    let port = free_port();
    let servers = format!(
        "ssl_certificate {certificate}; ssl_certificate_key {key};
         server {{ listen 127.0.0.1:{port} ssl; }}"
    );
    let _nginx = nginx("tls-nginx", &servers, port);
    let address = format!("127.0.0.1:{port}");
    let tls = ["tls", &address, "--timeout=20", "--max-connections=400"];
    let output = run(&tls).with_status(0);
    assert!(output.contains("; 2 streams, 0 violated"), "{output}");
    assert!(!output.contains("warning"), "{output}");
}
