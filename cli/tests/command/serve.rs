//! `everysplit serve` and `everysplit vectors`: the peer that gives back what it gets, and
//! streams with what they must give, which are held to those that CPython wrote.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::program::{Ends, cannot, everysplit, run};
use serde_json::Value;

/// Starts the peer; returns it with its address.
fn serve(arguments: &[&str]) -> (Ends, String) {
    let serve = ["serve", "--port", "0", "--framing"];
    let mut command = everysplit(&[&serve, arguments].concat());
    let mut peer = Ends(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    let stdout = peer.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap();
    (peer, address.to_string())
}

/// Bears all that a server under test is asked, hostile or not, whatever the format and its
/// own split.
#[test]
fn the_peer_is_right_in_every_format() {
    for framing in ["header12", "len16", "len32", "len32u", "json-header"] {
        for (order, split) in [
            ("little", "whole"),
            ("big", "bytes"),
            ("little", "1,3"),
            ("big", "random"),
        ] {
            let format = [framing, "--order", order, "--limit", "100"];
            let more = ["--split", split, "--idle", "0.2"];
            let (peer, address) = serve(&[&format[..], &more].concat());
            let ask = ["tcp", "--connect", &address, "--quiet", "0.2", "--hostile"];
            let bounds = ["--budget", "40", "--framing"];
            let told = run(&[&ask[..], &bounds, &format].concat()).with(0);
            // What comes back is what was sent.
            let (_, sent) = told.split_once("in a row: ").unwrap();
            let length = sent.split_once(" bytes").unwrap().0;
            let replied = format!(": one reply of {length} bytes\n");
            assert!(sent.contains(&replied), "{framing} {split}: {told}");
            assert!(told.contains("ok    a length over the limit: "), "{told}");
            drop(peer);
        }
    }
}

/// A client gets each chunk of a reply when it has read the last one.
#[test]
fn replies_are_cut_as_asked() {
    let frame = b"\0\x05hello";
    for (split, chunks) in [
        ("whole", vec![&frame[..]]),
        ("3", vec![&frame[..3], &frame[3..]]),
        ("bytes", frame.chunks(1).collect()),
    ] {
        let (peer, address) = serve(&["len16", "--split", split]);
        let mut socket = TcpStream::connect(address).unwrap();
        socket.write_all(frame).unwrap();
        let mut reply = vec![0; 100];
        for chunk in chunks {
            let read = socket.read(&mut reply).unwrap();
            assert_eq!(&reply[..read], chunk, "{split}");
        }
        drop(peer);
    }
}

#[test]
fn bad_input_is_told() {
    let serve = |arguments: &[&str], said| {
        cannot(&[&["serve"], arguments].concat(), said);
    };
    serve(
        &["--port", "0"],
        "required arguments were not provided: --framing",
    );
    let arguments = ["--port", "0", "--framing", "len16", "--split", "3,x"];
    serve(&arguments, "bytes or random");
    let (peer, address) = self::serve(&["len16"]);
    let port = address.rsplit_once(':').unwrap().1;
    let arguments = ["--port", port, "--framing", "len16"];
    serve(&arguments, "cannot listen on 127.0.0.1:");
    drop(peer);
    cannot(&["vectors"], "there is no format: name one with --framing");
    cannot(&["vectors", "--framing", "len64"], "invalid value 'len64'");
}

/// Prints the vectors of some streams.
fn vectors(arguments: &[&str]) -> Vec<Value> {
    let told = run(&[&["vectors", "--framing"], arguments].concat()).with(0);
    serde_json::from_str(&told).unwrap()
}

/// What is said of a stream is what CPython's `struct` and `json` say of it.
#[test]
fn vectors_are_those_of_cpython() {
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
        let limit = ["--limit", &max, "--order", order, "--hex", stream];
        let vectors = vectors(&[&[framing], &limit[..]].concat());
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

/// What a stream is called is what is in it.
#[test]
fn streams_are_made_of_messages() {
    let vectors = vectors(&["len32", "--limit", "5", "--message", "a", "--message", "bc"]);
    let told = |name: &str| {
        let vector = vectors.iter().find(|vector| vector["name"] == name);
        let vector = vector.unwrap_or_else(|| panic!("{name}: {vectors:?}"));
        (
            vector["stream"].as_str().unwrap(),
            vector["outcome"].as_str().unwrap(),
            vector["frames"].as_array().unwrap().len(),
        )
    };
    assert_eq!(told("nothing"), ("", "clean", 0));
    assert_eq!(told("in a row"), ("0100000061020000006263", "clean", 2));
    assert_eq!(
        told("truncated after 4 of 6"),
        ("010000006102000000", "truncated", 1)
    );
    assert_eq!(
        told("at the limit"),
        ("0500000078787878780100000061", "clean", 2)
    );
    assert_eq!(
        told("over the limit"),
        ("0100000061060000000100000061", "rejected", 1)
    );
    assert_eq!(
        told("negative"),
        ("0100000061ffffffff0100000061", "rejected", 1)
    );
}
