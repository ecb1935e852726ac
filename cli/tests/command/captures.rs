//! `everysplit pcap` and `--pcap`: captures that tcpdump made, and captures built here with
//! segments that are lost, late, repeated or contradicting.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use crate::program::{PYTHON_DRIVER, Serve, fails, is_installed, run, script, server};

/// What a client sent in the captures of tcpdump, to a server that echoed it.
const ECHOED: &[u8] = b"\0\x05hello\0\x02ok\0\0";

fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Writes a capture; returns its path.
fn capture(name: &str, bytes: &[u8]) -> String {
    let path = script(&format!("capture-{name}"), "");
    fs::write(&path, bytes).unwrap();
    path
}

/// A link type, and the header of its packets with IPv4.
type Link = (u32, &'static [u8]);

const ETHERNET: Link = (1, b"\0\0\0\0\0\0\0\0\0\0\0\0\x08\0");
const RAW: Link = (101, b"");

/// A SYN from the client, port 1000, to the server, port 7.
fn syn(sequence: u32) -> Vec<u8> {
    segment(1000, 7, sequence, 2, b"")
}

/// Data from the client to the server.
fn data_segment(sequence: u32, data: &[u8]) -> Vec<u8> {
    segment(1000, 7, sequence, 0x10, data)
}

/// Makes an IPv4 packet with a TCP segment.
fn segment(from: u16, to: u16, sequence: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(40 + data.len()).unwrap();
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 1]);
    packet.extend([from.to_be_bytes(), to.to_be_bytes()].concat());
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 0, 0x50, flags, 255, 255, 0, 0, 0, 0]);
    packet.extend(data);
    packet
}

/// Makes a pcap file.
fn pcap((link, header): Link, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0".to_vec();
    file.extend(link.to_le_bytes());
    for packet in packets {
        let length = u32::try_from(header.len() + packet.len()).unwrap();
        file.extend([0; 8]);
        file.extend([length.to_le_bytes(), length.to_le_bytes()].concat());
        file.extend([header, packet].concat());
    }
    file
}

/// Makes a pcapng file, with an interface of another link type before the one that is used.
fn pcapng((link, header): Link, packets: &[Vec<u8>]) -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let length = u32::try_from(12 + body.len()).unwrap().to_be_bytes();
        [&kind.to_be_bytes()[..], &length, body, &length].concat()
    };
    let interface = |link: u32| {
        let link = u16::try_from(link).unwrap().to_be_bytes();
        block(1, &[&link[..], b"\0\0\0\0\0\0"].concat())
    };
    let section = b"\x1a\x2b\x3c\x4d\0\x01\0\0\xff\xff\xff\xff\xff\xff\xff\xff";
    let mut file = [block(0x0a0d_0d0a, section), interface(147), interface(link)].concat();
    for packet in packets {
        let mut data = [header, packet].concat();
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        data.resize(data.len().next_multiple_of(4), 0);
        let body = [b"\0\0\0\x01\0\0\0\0\0\0\0\0", &length[..], &length, &data].concat();
        file.extend(block(6, &body));
    }
    file
}

/// Lists a capture, and returns the stream of the client too.
#[track_caller]
fn list(name: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    let folder = format!("{}/capture-{name}-streams", env!("CARGO_TARGET_TMPDIR"));
    let _ = fs::remove_dir_all(&folder);
    let listed = run(&["pcap", &capture(name, bytes), "--save", &folder]).with_status(0);
    let stream = fs::read(format!("{folder}/0001-client")).unwrap_or_default();
    (listed, stream)
}

#[test]
fn lists_what_tcpdump_captured() {
    for (name, client, server) in [
        ("ethernet.pcap", "127.0.0.1:56560", "127.0.0.1:7555"),
        ("cooked-ipv6.pcap", "[::1]:41028", "[::1]:7555"),
    ] {
        let folder = format!("{}/captured-{name}", env!("CARGO_TARGET_TMPDIR"));
        let output = run(&["pcap", &data(name), "--save", &folder]).with_status(0);
        let client_line =
            format!("1: {client} -> {server} (client): 13 bytes in 4 segments; saved");
        let server_line =
            format!("1: {server} -> {client} (server): 13 bytes in 7 segments; saved");
        let lines: Vec<&str> = output.lines().collect();
        assert!(lines[0].starts_with(&client_line), "{output}");
        assert!(lines[1].starts_with(&server_line), "{output}");
        for sender in ["client", "server"] {
            let stream = fs::read(Path::new(&folder).join(format!("0001-{sender}"))).unwrap();
            assert_eq!(stream, ECHOED);
        }
    }
}

/// The same segments, in every kind of file and link.
#[test]
fn every_file_and_link_has_the_same_stream() {
    let packets = [syn(0), data_segment(1, b"he"), data_segment(3, b"llo")];
    let cooked = b"\0\0\0\x01\0\x06\0\0\0\0\0\0\0\0\x08\0";
    let cooked2 = b"\x08\0\0\0\0\0\0\x01\0\x01\0\x06\0\0\0\0\0\0\0\0";
    let vlan = b"\0\0\0\0\0\0\0\0\0\0\0\0\x81\0\0\x01\x08\0";
    let links = [
        ETHERNET,
        RAW,
        (1, vlan),
        (0, b"\x02\0\0\0"),
        (108, b"\0\0\0\x02"),
        (12, b""),
        (228, b""),
        (113, cooked),
        (276, cooked2),
    ];
    for link in links {
        for (kind, file) in [
            ("pcap", pcap(link, &packets)),
            ("pcapng", pcapng(link, &packets)),
        ] {
            let (listed, stream) = list(&format!("link-{}-{}-{kind}", link.0, link.1.len()), &file);
            assert!(
                listed.contains("(client): 5 bytes in 2 segments"),
                "{listed}"
            );
            assert_eq!(stream, b"hello");
        }
    }
}

/// Segments are put in order by their sequence numbers, which begin again at 0.
#[test]
fn segments_are_put_in_order() {
    let last = u32::MAX;
    let cases: [(&str, Vec<Vec<u8>>, &[u8], &str); 9] = [
        (
            "late",
            vec![syn(9), data_segment(12, b"lo"), data_segment(10, b"el")],
            b"ello",
            "4 bytes in 2 segments, 1 out of order",
        ),
        (
            "again",
            vec![
                syn(9),
                data_segment(10, b"ab"),
                data_segment(10, b"ab"),
                data_segment(12, b"c"),
                data_segment(10, b"ab"),
            ],
            b"abc",
            "3 bytes in 2 segments, 2 retransmitted; ",
        ),
        (
            "overlap",
            vec![syn(9), data_segment(10, b"abc"), data_segment(11, b"bcde")],
            b"abcde",
            "5 bytes in 2 segments, 1 retransmitted",
        ),
        (
            "contradicting",
            vec![syn(9), data_segment(10, b"abc"), data_segment(11, b"xcd")],
            b"abcd",
            "1 retransmitted, 1 retransmitted with other bytes",
        ),
        (
            "gap",
            vec![syn(9), data_segment(10, b"ab"), data_segment(15, b"cd")],
            b"ab",
            " up to a gap of 3 bytes (client): 2 bytes in 1 segment",
        ),
        (
            "wraps",
            vec![
                syn(last - 2),
                data_segment(last - 1, b"ab"),
                data_segment(0, b"cd"),
            ],
            b"abcd",
            "4 bytes in 2 segments",
        ),
        (
            "wraps-late",
            vec![
                syn(last - 2),
                data_segment(0, b"cd"),
                data_segment(last - 1, b"ab"),
            ],
            b"abcd",
            "4 bytes in 2 segments, 1 out of order",
        ),
        (
            "without-syn",
            vec![data_segment(12, b"cd"), data_segment(10, b"ab")],
            b"abcd",
            "4 bytes in 2 segments, 1 out of order",
        ),
        (
            "keep-alive",
            vec![
                syn(9),
                data_segment(10, b"ab"),
                data_segment(11, b"?"),
                data_segment(12, b"c"),
            ],
            b"abc",
            "3 bytes in 2 segments, 1 retransmitted, 1 retransmitted with other bytes",
        ),
    ];
    for (name, packets, stream, expected) in cases {
        let (listed, saved) = list(name, &pcap(RAW, &packets));
        assert!(listed.contains(expected), "{name}: {listed}");
        assert_eq!(saved, stream, "{name}");
        assert_eq!(listed.lines().count(), 1, "{listed}");
    }
}

/// A connection from the same port is another one, but a repeated SYN is not.
#[test]
fn a_second_connection_from_the_same_port_is_another() {
    let packets = [
        syn(9),
        syn(9),
        segment(7, 1000, 70, 0x12, b""),
        data_segment(10, b"first"),
        segment(7, 1000, 71, 0x10, b"reply"),
        syn(100),
        data_segment(101, b"second"),
    ];
    let (listed, _) = list("second", &pcap(ETHERNET, &packets));
    assert_lines(
        &listed,
        &[
            "1: 10.0.0.1:1000 -> 10.0.0.1:7 (client): 5 bytes",
            "1: 10.0.0.1:7 -> 10.0.0.1:1000 (server): 5 bytes",
            "2: 10.0.0.1:1000 -> 10.0.0.1:7 (client): 6 bytes",
        ],
    );
}

/// Asserts that there are as many lines as parts, and that each contains its part.
#[track_caller]
fn assert_lines(listed: &str, parts: &[&str]) {
    assert_eq!(listed.lines().count(), parts.len(), "{listed}");
    for (line, part) in listed.lines().zip(parts) {
        assert!(line.contains(part), "{part}: {listed}");
    }
}

/// In a capture that begins inside a connection, a SYN and its answer still show which end is the
/// client, and where the next connection begins. Without them, the client has the higher port.
#[test]
fn a_syn_inside_a_connection_is_understood() {
    let from_server = [segment(7, 1000, 70, 0x10, b"reply")];
    let (listed, _) = list("syn-from-server", &pcap(RAW, &from_server));
    let expected = "1: 10.0.0.1:7 -> 10.0.0.1:1000 (server): 5 bytes";
    assert!(listed.contains(expected), "{listed}");

    // A SYN with an acknowledgement is the server's.
    let answered = [
        segment(7, 1000, 10, 0x10, b"hello"),
        segment(1000, 7, 70, 0x12, b""),
        segment(1000, 7, 71, 0x10, b"reply"),
    ];
    let (listed, _) = list("syn-answered", &pcap(RAW, &answered));
    assert_lines(
        &listed,
        &[
            "1: 10.0.0.1:7 -> 10.0.0.1:1000 (client): ",
            "1: 10.0.0.1:1000 -> 10.0.0.1:7 (server): ",
        ],
    );

    let followed = [
        data_segment(10, b"first"),
        segment(7, 1000, 71, 0x10, b"reply"),
        syn(100),
        data_segment(101, b"second"),
    ];
    let (listed, _) = list("syn-followed", &pcap(RAW, &followed));
    let expected = "2: 10.0.0.1:1000 -> 10.0.0.1:7 (client): 6 bytes";
    assert!(listed.contains(expected), "{listed}");
}

/// What is left out is said in one line, wherever the file ends.
#[test]
fn a_file_that_is_cut_off_is_read_as_far_as_it_goes() {
    let packets = [
        syn(9),
        data_segment(10, b"hello"),
        data_segment(15, b"world"),
    ];
    for (kind, file) in [
        ("pcap", pcap(RAW, &packets)),
        ("pcapng", pcapng(RAW, &packets)),
    ] {
        for end in 0..file.len() {
            let path = capture(&format!("cut-off-{kind}"), &file[..end]);
            let finished = run(&["pcap", &path]);
            assert!(
                finished.stderr.lines().count() <= 1,
                "{kind} {end}: {finished:?}"
            );
            assert!(
                !finished.stderr.contains("panicked"),
                "{kind} {end}: {finished:?}"
            );
            let is_error = finished.stdout.is_empty();
            assert_eq!(
                finished.status,
                Some(if is_error { 2 } else { 0 }),
                "{finished:?}"
            );
        }
        let path = capture(&format!("cut-off-{kind}"), &file[..file.len() - 1]);
        let finished = run(&["pcap", &path]);
        let message = "the file is cut off; its last packet is left out\n";
        assert!(finished.stderr.ends_with(message), "{kind}: {finished:?}");
        assert!(
            finished.stdout.contains("5 bytes in 1 segment"),
            "{kind}: {finished:?}"
        );
    }
}

#[test]
fn bad_captures_are_an_error_with_one_line() {
    fails(&["pcap", "no/such"], "cannot read the capture no/such: ");
    let text = capture("text", b"GET / HTTP/1.1\r\n\r\n");
    fails(
        &["pcap", &text],
        "it begins with neither a pcap nor a pcapng header",
    );
    let empty = capture("no-data", &pcap(RAW, &[syn(1)]));
    fails(
        &["pcap", &empty],
        "has no bytes of a TCP stream in 1 packet",
    );
    let link = capture("link", &pcap((147, b""), &[data_segment(1, b"a")]));
    fails(
        &["pcap", &link],
        "1 packet of the unknown link type 147, left out",
    );
    let one_way = capture("one-way", &pcap(RAW, &[syn(1), data_segment(2, b"a")]));
    let arguments = ["tcp", "--listen", "1", "--pcap", &one_way, "--", "true"];
    fails(&arguments, "has no stream of this direction");
}

/// A packet that was not captured to its end leaves a gap.
#[test]
fn a_short_snapshot_is_said() {
    let mut cut = data_segment(10, b"hello");
    cut.truncate(cut.len() - 2);
    let file = pcap(RAW, &[syn(9), cut, data_segment(15, b"world")]);
    let finished = run(&["pcap", &capture("short", &file)]);
    assert!(
        finished.stderr.contains("1 packet not captured to the end"),
        "{finished:?}"
    );
    assert!(
        finished.stdout.contains(" up to a gap of 2 bytes"),
        "{finished:?}"
    );
}

/// A decoder gets both directions, once each, also as they were captured.
#[test]
fn a_decoder_is_tested_with_a_capture() {
    if !is_installed("python3") {
        return;
    }
    let driver = script(
        "capture-driver.py",
        &PYTHON_DRIVER.replace("\"ready 1 states\"", "\"ready 1\""),
    );
    let packets = [
        syn(9),
        data_segment(10, b"\0\x05he"),
        data_segment(14, b"llo"),
    ];
    let built = capture("driver", &pcap(RAW, &packets));
    let ethernet = data("ethernet.pcap");
    let arguments = [
        "exec",
        "--framing",
        "len16",
        "--pcap",
        &built,
        "--pcap",
        &ethernet,
    ];
    let output = run(&[&arguments[..], &["--", "python3", "-S", &driver]].concat()).with_status(0);
    let line = |name: &str| {
        let line = output.lines().find(|line| line.contains(name));
        line.unwrap_or_else(|| panic!("{output}"))
    };
    assert!(
        line("1: 10.0.0.1:1000 -> 10.0.0.1:7").ends_with("; also in its 2 segments, as captured")
    );
    assert!(line("127.0.0.1:56560 -> ").ends_with("; also in its 4 segments, as captured"));
    // The server sent the same bytes.
    assert!(!output.contains("127.0.0.1:7555 -> "), "{output}");
}

/// A server gets what clients sent, in the captured segments first.
#[test]
fn a_server_is_tested_with_a_capture() {
    // Replies how many bytes it reads at once.
    let counts: Serve = |mut socket| {
        let mut chunk = [0; 100];
        while let Ok(read @ 1..) = socket.read(&mut chunk) {
            if socket.write_all(read.to_string().as_bytes()).is_err() {
                return;
            }
        }
    };
    let packets = [
        syn(9),
        data_segment(10, b"abc"),
        segment(7, 1000, 70, 0x10, b"reply"),
        data_segment(13, b"de"),
    ];
    let path = capture("server", &pcap(RAW, &packets));
    let address = server(counts).to_string();
    let options = [
        "--max-connections",
        "1",
        "--reply-idle",
        "0.2",
        "--pcap",
        &path,
    ];
    let output = run(&[&["tcp", "--connect", &address], &options[..]].concat()).with_status(1);
    assert!(
        output.contains("1: 10.0.0.1:1000 -> 10.0.0.1:7: every_split\n"),
        "{output}"
    );
    assert!(output.contains("\n  replay    6162636465@3\n"), "{output}");
    assert!(!output.contains("10.0.0.1:7 -> "), "{output}");
}

/// Makes a fragment of an IPv4 packet, one of IPv4 with UDP, and a packet of ARP.
fn other_packets() -> [Vec<u8>; 3] {
    let mut fragment = data_segment(15, b"lost");
    // More fragments follow.
    fragment[6] = 0x20;
    let mut udp = vec![0x45, 0, 0, 29, 0, 0, 0, 0, 64, 17, 0, 0];
    udp.extend([10, 0, 0, 1, 10, 0, 0, 1, 0, 7, 0, 7, 0, 9, 0, 0, b'u']);
    let mut arp = vec![0, 1, 8, 0, 6, 4, 0, 1];
    arp.resize(28, 0);
    [fragment, udp, arp]
}

#[test]
fn packets_that_are_no_segments_are_left_out() {
    let [fragment, udp, arp] = other_packets();
    let ethernet = |kind: [u8; 2], packet: &[u8]| [&[0; 12], &kind[..], packet].concat();
    let tcp = |packet: &[u8]| ethernet([8, 0], packet);
    let packets = [
        tcp(&syn(9)),
        ethernet([8, 6], &arp),
        tcp(&udp),
        tcp(&data_segment(10, b"hello")),
        tcp(&fragment),
        // It ends inside its header.
        tcp(&syn(9)[..10]),
    ];
    let path = capture("others", &pcap((1, b""), &packets));
    let finished = run(&["pcap", &path]);
    assert!(
        finished.stdout.contains(" 5 bytes in 1 segment"),
        "{finished:?}"
    );
    assert!(
        finished
            .stderr
            .contains("1 fragment of IP packets, left out"),
        "{finished:?}"
    );
}

/// Without a SYN, the client is the one with the higher port; with the answer to one, the other.
#[test]
fn a_capture_may_begin_inside_a_connection() {
    let request = data_segment(10, b"hello");
    let reply = segment(7, 1000, 70, 0x10, b"hi");
    let answer = segment(7, 1000, 69, 0x12, b"");
    for (name, packets) in [
        ("begun", vec![request.clone(), reply.clone()]),
        ("begun-by-server", vec![reply.clone(), request.clone()]),
        (
            "answered",
            vec![answer.clone(), request.clone(), reply.clone()],
        ),
        (
            "answered-late",
            vec![request.clone(), answer, reply.clone()],
        ),
    ] {
        let (listed, stream) = list(name, &pcap(RAW, &packets));
        assert!(
            listed.contains("10.0.0.1:1000 -> 10.0.0.1:7 (client): 5 bytes in 1 segment"),
            "{name}: {listed}"
        );
        assert!(
            listed.contains("10.0.0.1:7 -> 10.0.0.1:1000 (server): 2 bytes in 1 segment"),
            "{name}: {listed}"
        );
        assert_eq!(stream, b"hello", "{name}");
    }
}

/// Simple packets name no interface: they are of the first one. Other blocks hold no packets.
#[test]
fn simple_packets_and_unknown_blocks_of_a_pcapng_file_are_read() {
    let block = |kind: u32, body: &[u8]| {
        let mut padded = body.to_vec();
        padded.resize(body.len().next_multiple_of(4), 0);
        let length = u32::try_from(12 + padded.len()).unwrap().to_le_bytes();
        [&kind.to_le_bytes()[..], &length, &padded, &length].concat()
    };
    let simple = |packet: &[u8]| {
        let length = u32::try_from(packet.len()).unwrap().to_le_bytes();
        block(3, &[&length[..], packet].concat())
    };
    let section = b"\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff";
    let file = [
        block(0x0a0d_0d0a, section),
        block(1, &[101, 0, 0, 0, 0, 0, 0, 0]),
        simple(&syn(9)),
        block(0x0bad, b"a block of another program"),
        simple(&data_segment(10, b"hello")),
    ]
    .concat();
    let (listed, stream) = list("simple", &file);
    assert!(listed.contains(" 5 bytes in 1 segment"), "{listed}");
    assert_eq!(stream, b"hello");
    // Packets of no interface have no link type.
    let path = capture(
        "no-interface",
        &[block(0x0a0d_0d0a, section), simple(&syn(9))].concat(),
    );
    let finished = run(&["pcap", &path]);
    let unknown = "1 packet of the unknown link type -1, left out";
    assert!(finished.stderr.contains(unknown), "{finished:?}");
    // The file itself is no stream, in either byte order.
    let path = capture("simple-as-stream", &file);
    fails(
        &["exec", "--stream", &path, "--", "cat"],
        "is a capture with packets",
    );
}

/// A block whose two lengths differ.
#[test]
fn a_damaged_file_is_read_as_far_as_it_goes() {
    let mut file = pcapng(
        RAW,
        &[syn(9), data_segment(10, b"hello"), data_segment(15, b"x")],
    );
    let end = file.len();
    file[end - 1] ^= 4;
    let finished = run(&["pcap", &capture("damaged", &file)]);
    assert!(
        finished.stdout.contains(" 5 bytes in 1 segment"),
        "{finished:?}"
    );
    assert!(
        finished
            .stderr
            .contains("the file is damaged; the packets after that are left out"),
        "{finished:?}"
    );
    // A capture that is used says so too.
    let path = capture("damaged", &file);
    let exec = ["exec", "--pcap", &path, "--discards-at-end", "--"];
    let driver = [
        "sh",
        "-c",
        "read hello; echo ready 1; while read line; do echo ready; done",
    ];
    let finished = run(&[&exec[..], &driver].concat());
    assert!(
        finished.stderr.contains("the file is damaged"),
        "{finished:?}"
    );
}
