//! `--shard`: each stream is checked in exactly one shard, and so is each seed of the proxy.

use crate::program::{Finished, fails, free_port, is_installed, run, script, server, usage_error};
use std::io::{self, Write as _};
use std::net::TcpStream;

/// Returns the lines of all shards that begin with a prefix, sorted.
fn of_all_shards(count: usize, prefix: &str, run: impl Fn(&str) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    for number in 1..=count {
        let output = run(&format!("--shard={number}/{count}"));
        lines.extend(
            output
                .lines()
                .filter(|line| line.starts_with(prefix))
                .map(String::from),
        );
    }
    lines.sort();
    lines
}

#[test]
fn the_streams_of_all_shards_are_all_streams() {
    let verbs: [&[&str]; 4] = [
        &["http", "--connect=127.0.0.1:7", "--list"],
        &["tls", "127.0.0.1:7", "--list"],
        &[
            "tcp",
            "--connect=127.0.0.1:7",
            "--hex=00",
            "--hex=01",
            "--hex=02",
            "--list",
        ],
        &["exec", "--framing=len16", "--list"],
    ];
    for verb in verbs {
        let list = |options: &[&str]| {
            let driver: &[&str] = if verb[0] == "exec" {
                &["--", "cat"]
            } else {
                &[]
            };
            run(&[verb, options, driver].concat()).with_status(0)
        };
        let mut all: Vec<_> = list(&[]).lines().map(String::from).collect();
        all.sort();
        for count in 1..=all.len() {
            assert_eq!(of_all_shards(count, "", |shard| list(&[shard])), all);
        }
        assert_eq!(list(&["--shard=1/1"]), list(&[]));
    }
}

/// Also the probes of --hostile, and those that belong to no stream.
#[test]
fn the_probes_of_all_shards_are_all_probes() {
    let closes = |mut socket: TcpStream| {
        let _ = io::copy(&mut socket.try_clone().unwrap(), &mut socket);
    };
    let address = server(closes).to_string();
    let check = |shard: &str| {
        let tcp = [
            "tcp",
            "--connect",
            &address,
            "--hex=0001",
            "--hex=0002",
            "--hostile",
        ];
        let format = ["--framing=len16", "--message=a", "--size-limit=9"];
        let times = ["--max-idle=0.1", "--reply-idle=0.1", "--max-connections=3"];
        let Finished { stdout, .. } = run(&[&tcp[..], &format, &times, &[shard]].concat());
        // Without numbers.
        stdout.replace(|letter: char| letter.is_ascii_digit(), "")
    };
    let verdicts = |lines: Vec<String>| {
        let names = lines.into_iter().filter_map(|line| {
            let is_verdict = line.starts_with("ok ") || line.starts_with("FAIL ");
            is_verdict.then(|| line.split_once(": ").unwrap().0[6..].to_string())
        });
        names.collect::<Vec<_>>()
    };
    let mut all = verdicts(check("--shard=1/1").lines().map(String::from).collect());
    let mut shards = verdicts(of_all_shards(3, "", check));
    all.sort();
    shards.sort();
    assert!(
        all.iter().any(|name| name.starts_with("claimed length")),
        "{all:?}"
    );
    assert_eq!(shards, all);
}

#[test]
fn a_result_says_which_shard_it_is() {
    let driver = [
        "--",
        "sh",
        "-c",
        "read hello; echo ready 1; while read line; do echo ready; done",
    ];
    let exec = [
        "exec",
        "--discards-at-end",
        "--hex=00",
        "--hex=01",
        "--shard=2/2",
    ];
    let output = run(&[&exec[..], &driver].concat()).with_status(0);
    assert!(output.contains("ok    hex 01: "), "{output}");
    assert!(
        output.ends_with("; shard 2/2; 1 stream, 0 violated\n"),
        "{output}"
    );
    // Whether a known violation is stale shows only in all shards together.
    let known = script("shard-known", "prompt hex 00\nprompt *\nprompt hex 01\n");
    run(&[&exec[..], &["--known", &known], &driver].concat()).with_status(0);
}

#[test]
fn an_empty_shard_is_an_error() {
    let tcp = ["tcp", "--connect=127.0.0.1:7", "--hex=00", "--shard=2/2"];
    fails(
        &tcp,
        "the shard 2/2 is empty, as there is 1 stream; use fewer shards",
    );
    for shard in ["0/2", "3/2", "1/0", "1", "a/b", "-1/2", "1/2/3"] {
        let shard = format!("--shard={shard}");
        usage_error(
            &["exec", &shard, "--", "cat"],
            "expected K/N, such as 1/4, with K from 1 to N",
        );
    }
}

/// The test command sends a byte, so that there is something to cut.
#[cfg(unix)]
#[test]
fn the_seeds_of_all_shards_are_all_seeds() {
    if !is_installed("python3") {
        return;
    }
    let echoes = |mut socket: TcpStream| {
        let _ = socket.write_all(b"hello, hello");
    };
    let address = server(echoes).to_string();
    let client = script(
        "shard-client.py",
        "import os, socket\n\
         address = '127.0.0.1', int(os.environ['EVERYSPLIT_PORT'])\n\
         assert len(socket.create_connection(address).makefile('rb').read()) == 12\n",
    );
    let listen = free_port().to_string();
    let proxy = [
        "proxy", "--listen", &listen, "--to", &address, "--runs=3", "--seed=5",
    ];
    let check = |shard: &str| {
        let command = ["--", "python3", "-S", &client];
        run(&[&proxy[..], &[shard], &command].concat()).with_status(0)
    };
    let lines = of_all_shards(2, "ok ", check);
    assert_eq!(
        lines,
        [
            "ok    1 run with cuts passed, seeds 6 to 6, shard 2/2",
            "ok    2 runs with cuts passed, seeds 5 to 7, shard 1/2",
        ]
    );
    let empty = [&proxy[..], &["--shard=4/4", "--", "true"]].concat();
    fails(&empty, "the shard 4/4 is empty, as there are 3 seeds");
    // Seeds take no memory, however many there are.
    let many = [
        "proxy",
        "--listen",
        &listen,
        "--to",
        &address,
        "--runs=4294967295",
    ];
    let one = ["--shard=6/4294967295", "--", "python3", "-S", &client];
    let output = run(&[&many[..], &one].concat()).with_status(0);
    let line = "ok    1 run with cuts passed, seeds 5 to 5, shard ";
    assert!(output.starts_with(line), "{output}");
    let last = ["--seed=18446744073709551612", "--", "true"];
    fails(
        &[&many[..], &last].concat(),
        "--seed 18446744073709551612 leaves only 4 seeds for 4294967295 runs; choose a smaller one",
    );
}
