//! TLS: how servers read a `ClientHello`. Tests of programs that are not installed are skipped,
//! with a message.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use crate::program::{
    Serve, concurrently, fails, free_port, is_installed, nginx, run, server, usage_error,
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
    let output = run(&["tls", &address, "--max-connections=40"]).with_status(0);
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
    let tls = ["tls", &address, "--max-connections=320"];
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
