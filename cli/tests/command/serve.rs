//! `everysplit serve` and `everysplit vectors`: the echo server, and streams with their expected
//! frames, which are compared to those that CPython wrote.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::program::{KilledOnDrop, concurrently, everysplit, fails, run, usage_error};
use serde_json::Value;

/// Starts the server; returns it with its address.
pub(crate) fn serve(arguments: &[&str]) -> (KilledOnDrop, String) {
    let serve = ["serve", "--port", "0", "--framing"];
    let mut command = everysplit(&[&serve, arguments].concat());
    let mut server = KilledOnDrop(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    let stdout = server.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap();
    (server, address.to_string())
}

/// The server passes `everysplit tcp --hostile` for each format, byte order and split.
#[test]
fn the_server_is_correct_in_every_format() {
    let framings = ["header12", "len16", "len32", "len32u", "json-header"];
    concurrently(framings, |framing| {
        for (order, split) in [
            ("little", "whole"),
            ("big", "bytes"),
            ("little", "1,3"),
            ("big", "random"),
        ] {
            let format = [framing, "--byte-order", order, "--size-limit", "100"];
            let more = ["--split", split, "--max-idle", "0.5"];
            let (server, address) = serve(&[&format[..], &more].concat());
            let tcp = ["tcp", "--connect", &address, "--reply-idle", "0.4"];
            let bounds = ["--hostile", "--max-connections", "40", "--framing"];
            let output = run(&[&tcp[..], &bounds, &format].concat()).with_status(0);
            // The reply is as long as the stream.
            let (_, stream) = output.split_once("concatenated: ").unwrap();
            let length = stream.split_once(" bytes").unwrap().0;
            let reply = format!(": the same reply of {length} bytes: \"");
            assert!(stream.contains(&reply), "{framing} {split}: {output}");
            assert!(
                output.contains("ok    claimed length: over the limit: "),
                "{output}"
            );
            drop(server);
        }
    });
}

/// A client gets each chunk of a reply after it has read the previous one.
#[test]
fn replies_are_split_as_requested() {
    let frame = b"\0\x05hello";
    for (split, chunks) in [
        ("whole", vec![&frame[..]]),
        ("3", vec![&frame[..3], &frame[3..]]),
        ("bytes", frame.chunks(1).collect()),
    ] {
        let (server, address) = serve(&["len16", "--split", split]);
        let mut socket = TcpStream::connect(address).unwrap();
        socket.write_all(frame).unwrap();
        let mut reply = vec![0; 100];
        for chunk in chunks {
            let read = socket.read(&mut reply).unwrap();
            assert_eq!(&reply[..read], chunk, "{split}");
        }
        drop(server);
    }
}

#[test]
fn bad_input_is_an_error() {
    usage_error(
        &["serve", "--port", "0"],
        "required arguments were not provided:\n  --framing",
    );
    let arguments = [
        "serve",
        "--port",
        "0",
        "--framing",
        "len16",
        "--split",
        "3,x",
    ];
    usage_error(&arguments, "bytes or random");
    let (server, address) = serve(&["len16"]);
    let port = address.rsplit_once(':').unwrap().1;
    let arguments = ["serve", "--port", port, "--framing", "len16"];
    fails(&arguments, "cannot listen on 127.0.0.1:");
    drop(server);
    fails(&["vectors"], "there is no format; add --framing");
    usage_error(&["vectors", "--framing", "len64"], "invalid value 'len64'");
}

/// Returns the vectors of some streams.
fn vectors(arguments: &[&str]) -> Vec<Value> {
    let output = run(&[&["vectors", "--framing"], arguments].concat()).with_status(0);
    serde_json::from_str(&output).unwrap()
}

/// The expected frames are those of CPython's `struct` and `json`.
#[test]
fn vectors_agree_with_cpython() {
    let golden = include_str!("../../../tests/data/vectors.json");
    let golden: Vec<Value> = serde_json::from_str(golden).unwrap();
    let mut compared = 0;
    for golden in &golden {
        let framing = match golden["framing"].as_str().unwrap() {
            "json_header" => "json-header",
            "auth" => continue,
            framing => framing,
        };
        let (max, stream) = (
            golden["max"].to_string(),
            golden["stream"].as_str().unwrap(),
        );
        let order = golden["order"].as_str().unwrap();
        let options = ["--size-limit", &max, "--byte-order", order, "--hex", stream];
        let vectors = vectors(&[&[framing], &options[..]].concat());
        let vector = vectors
            .iter()
            .find(|vector| vector["stream"] == stream)
            .unwrap();
        let names = ["framing", "order", "max", "frames", "outcome", "at"];
        for name in names {
            assert_eq!(vector[name], golden[name], "{name} of {golden}");
        }
        compared += 1;
    }
    assert!(compared > 40, "{compared}");
}

#[test]
fn generated_streams_contain_what_their_names_say() {
    let messages = ["--message", "a", "--message", "bc"];
    let vectors = vectors(&[&["len32", "--size-limit", "5"], &messages[..]].concat());
    let stream = |name: &str| {
        let vector = vectors.iter().find(|vector| vector["name"] == name);
        let vector = vector.unwrap_or_else(|| panic!("{name}: {vectors:?}"));
        (
            vector["stream"].as_str().unwrap(),
            vector["outcome"].as_str().unwrap(),
            vector["frames"].as_array().unwrap().len(),
        )
    };
    assert_eq!(stream("empty"), ("", "clean", 0));
    assert_eq!(
        stream("concatenated"),
        ("0100000061020000006263", "clean", 2)
    );
    assert_eq!(
        stream("truncated after 4 of 6"),
        ("010000006102000000", "truncated", 1)
    );
    assert_eq!(
        stream("at the limit"),
        ("0500000078787878780100000061", "clean", 2)
    );
    assert_eq!(
        stream("over the limit"),
        ("0100000061060000000100000061", "rejected", 1)
    );
    assert_eq!(
        stream("negative"),
        ("0100000061ffffffff0100000061", "rejected", 1)
    );
}

/// The limit of a stream that is not printed is said.
#[test]
fn vectors_without_a_body_at_the_limit_say_so() {
    for (limit, omitted) in [("65535", false), ("65536", true)] {
        let finished = run(&["vectors", "--framing", "len32", "--size-limit", limit]);
        let message = "everysplit: at the limit: left out, as a body of 65536 bytes is too long";
        assert_eq!(
            finished.stderr.starts_with(message),
            omitted,
            "{finished:?}"
        );
        let output = finished.with_status(0);
        assert_eq!(!output.contains("\"at the limit\""), omitted, "{limit}");
    }
}

/// What cannot be written is an error, except to a reader that has seen enough.
#[cfg(target_os = "linux")]
#[test]
fn a_full_stdout_is_an_error() {
    let driver = "read hello; echo ready 1; while read line; do echo ready; done";
    for arguments in [
        &["vectors", "--framing", "len16"][..],
        &[
            "exec",
            "--discards-at-end",
            "--hex",
            "00",
            "--",
            "sh",
            "-c",
            driver,
        ],
    ] {
        let full = || {
            std::fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap()
        };
        let output = everysplit(arguments).stdout(full()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.starts_with("everysplit: cannot write to stdout: "),
            "{stderr}"
        );
        // Without stderr, the status is the same.
        let mut both = everysplit(arguments);
        let status = both.stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(2));
    }
}

/// The server goes on after it had too many open files.
#[cfg(target_os = "linux")]
#[test]
fn too_many_clients_do_not_end_the_server() {
    let program = env!("CARGO_BIN_EXE_everysplit");
    let shell = format!("ulimit -n 24; exec {program} serve --port 0 --framing len16");
    let mut command = std::process::Command::new("sh");
    let command = command.args(["-c", &shell]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = KilledOnDrop(child.spawn().unwrap());
    let mut line = String::new();
    let mut stdout = BufReader::new(server.0.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap();
    let connect = |_| TcpStream::connect(address).unwrap();
    let clients: Vec<_> = (0..40).map(connect).collect();
    let mut message = String::new();
    let mut stderr = BufReader::new(server.0.stderr.take().unwrap());
    stderr.read_line(&mut message).unwrap();
    let expected = "everysplit: a client was not served: ";
    assert!(message.starts_with(expected), "{message}");
    drop(clients);
    // The server may still be busy with those clients.
    let is_served = |_| {
        let mut socket = TcpStream::connect(address).unwrap();
        let mut reply = [0; 3];
        let sent = socket.write_all(b"\0\x01a");
        sent.and_then(|()| socket.read_exact(&mut reply)).is_ok() && &reply == b"\0\x01a"
    };
    assert!((0..100).any(is_served));
}
