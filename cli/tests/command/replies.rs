//! `everysplit tcp`: where replies end, and replies that are late, endless, or missing.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{
    REQUEST, Serve, concurrently, fails, free_port, is_installed, run, script, server,
};

const QUICK: &str = "--reply-idle=0.3";
/// The length of `REQUEST`.
const LEN: usize = REQUEST.len() / 2;

/// Tests a server in this process; returns stdout.
#[track_caller]
fn check(serve: Serve, status: i32, arguments: &[&str]) -> String {
    let address = server(serve).to_string();
    let connect = ["tcp", "--connect", &address, "--hex", REQUEST];
    run(&[&connect, arguments].concat()).with_status(status)
}

/// Tests a server in this process, which is an error with this message.
#[track_caller]
fn check_fails(serve: Serve, message: &str, arguments: &[&str]) {
    let address = server(serve).to_string();
    let connect = ["tcp", "--connect", &address, "--hex", REQUEST];
    fails(&[&connect, arguments].concat(), message);
}

/// Reads a request. Returns the number of bytes of each read.
fn reads(socket: &mut TcpStream, len: usize) -> Vec<usize> {
    let (mut reads, mut rest) = (Vec::new(), vec![0; len]);
    while !rest.is_empty() {
        let Ok(read @ 1..) = socket.read(&mut rest) else {
            break;
        };
        reads.push(read);
        rest.truncate(rest.len() - read);
    }
    reads
}

/// Waits until the client closes.
fn linger(mut socket: TcpStream) {
    let _ = socket.read_to_end(&mut Vec::new());
}

/// Gives up a request when its sender half-closes meanwhile, as nginx does as a proxy, but not
/// always in time.
fn aborts(mut socket: TcpStream) {
    static ABORTED: AtomicUsize = AtomicUsize::new(0);
    reads(&mut socket, LEN);
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let aborted = socket.read(&mut [0]).is_ok();
    if aborted && !ABORTED.fetch_add(1, Ordering::Relaxed).is_multiple_of(4) {
        return;
    }
    let _ = socket.write_all(b"done");
    socket.set_read_timeout(None).unwrap();
    linger(socket);
}

#[test]
fn a_reply_that_comes_by_itself_is_kept() {
    let output = check(aborts, 0, &["--max-connections=6", QUICK]);
    assert!(
        output.contains(": the same reply of 4 bytes: \"done\"\n"),
        "{output}"
    );
}

/// Says more after a half-close.
fn says_bye(mut socket: TcpStream) {
    reads(&mut socket, LEN);
    let _ = socket.write_all(b"ok");
    let _ = socket.read_to_end(&mut Vec::new());
    let _ = socket.write_all(b"bye");
}

#[test]
fn the_connection_is_half_closed_unless_that_is_forbidden() {
    let cases = [(&[][..], "\"okbye\""), (&["--no-half-close"], "\"ok\"")];
    concurrently(cases, |(arguments, reply)| {
        let output = check(says_bye, 0, &[&[QUICK], arguments].concat());
        assert!(output.contains(reply), "{output}");
    });
}

#[test]
fn an_endless_reply_is_cut_off() {
    let endless: Serve = |mut socket| {
        reads(&mut socket, 1);
        while socket.write_all(&[b'x'; 1 << 14]).is_ok() {}
    };
    let address = server(endless).to_string();
    let tcp = ["tcp", "--connect", &address, "--hex", REQUEST];
    let message = "is longer than 1000 bytes; allow more with --max-reply";
    fails(&[&tcp[..], &["--max-reply=1000"]].concat(), message);
    fails(&tcp, "is longer than 16777216 bytes");
    // Endless only if the request is cut.
    let buggy: Serve = |mut socket| {
        if reads(&mut socket, LEN).len() > 1 {
            while socket.write_all(&[b'x'; 1 << 14]).is_ok() {}
        }
        let _ = socket.write_all(b"ok");
        linger(socket);
    };
    let output = check(buggy, 1, &[QUICK, "--max-reply=1000"]);
    assert!(output.contains("more than --max-reply allows"), "{output}");
}

/// Sends its last frame once more, 0.2 seconds later, if the request was cut and the client is
/// still there. Says more after a half-close.
fn repeats_late(mut socket: TcpStream) {
    let cut = reads(&mut socket, LEN).len() > 1;
    let _ = socket.write_all(b"[ok][a]");
    let late = Duration::from_millis(200);
    socket.set_read_timeout(Some(late)).unwrap();
    if socket.read(&mut [0]).is_ok() {
        let _ = socket.write_all(b"bye");
        return;
    }
    if cut {
        let _ = socket.write_all(b"[a]");
    }
    socket.set_read_timeout(None).unwrap();
    linger(socket);
}

#[test]
fn a_late_surplus_is_found() {
    let output = check(repeats_late, 1, &["--reply-idle=1"]);
    for text in [
        "FAIL  hex 026f6b0161: every_split\n",
        "  expected  as for the uncut stream: 7 bytes, from byte 7: \"\"\n",
        "  actual    10 bytes, from byte 7: \"[a]\"",
        "\n  split     4\n",
        "; listened for late bytes after ",
    ] {
        assert!(output.contains(text), "{output}");
    }
    // The split of the violation replays.
    let token = output
        .lines()
        .find_map(|line| line.strip_prefix("  replay    "))
        .unwrap();
    let address = server(repeats_late).to_string();
    let replay = [
        "replay",
        token,
        "tcp",
        "--connect",
        &address,
        "--reply-idle=1",
    ];
    let output = run(&replay).with_status(1);
    let listened = "; listened for late bytes after 1; ";
    assert!(output.contains(listened), "{output}");
}

/// Serves one client after another: connections that stay open side by side would block it.
#[test]
fn a_server_for_one_client_at_a_time_is_not_accused() {
    static ONE: Mutex<()> = Mutex::new(());
    let one: Serve = |mut socket| {
        let _turn = ONE.lock().unwrap();
        reads(&mut socket, LEN);
        let _ = socket.write_all(b"ok");
        linger(socket);
    };
    let output = check(one, 0, &[QUICK]);
    // The second of them gets no reply.
    assert!(
        output.contains("; listened for late bytes after 2; "),
        "{output}"
    );
}

/// Replies only if the request is cut.
fn needs_a_cut(mut socket: TcpStream) {
    if reads(&mut socket, LEN).len() > 1 {
        let _ = socket.write_all(b"ok");
    }
    linger(socket);
}

#[test]
fn no_reply_is_not_the_expectation() {
    let output = check(needs_a_cut, 1, &["--timeout=1", QUICK, "--no-half-close"]);
    assert!(
        output.contains("  expected  no reply, or the uncut stream gets the same: it gets none\n"),
        "{output}"
    );
    assert!(output.contains("  actual    2 bytes: \"ok\""), "{output}");
    // A stream that never gets a reply is not tested, and another one is.
    let silent: Serve = |mut socket| {
        let mut first = [0];
        while socket.read_exact(&mut first).is_ok() {
            if first == [0xff] {
                let _ = socket.write_all(b"ok");
            }
        }
    };
    let output = check(
        silent,
        0,
        &["--timeout=0.5", QUICK, "--no-half-close", "--hex=00ff"],
    );
    assert!(!output.contains("ok    hex 026f6b0161"), "{output}");
    assert!(
        output.contains(
            "skip  hex 026f6b0161: not checked, as the server does not reply to it within 500ms\n"
        ),
        "{output}"
    );
}

/// Its replies to `v` vary, and those to `r` only when they are cut.
fn varies_now_and_then(mut socket: TcpStream) {
    static REPLIES: AtomicUsize = AtomicUsize::new(0);
    let number = REPLIES.fetch_add(1, Ordering::Relaxed);
    let mut stream = [0; 3];
    let read = socket.read(&mut stream).unwrap_or(0);
    let _ = socket.read_exact(&mut stream[read..]);
    let _ = match (stream[0], read) {
        (b'v', _) => write!(socket, "reply {number}"),
        (b'r', 1..3) if number.is_multiple_of(2) => write!(socket, "odd"),
        _ => write!(socket, "ok"),
    };
}

/// The others go on.
#[test]
fn a_stream_whose_replies_vary_is_not_checked() {
    let address = server(varies_now_and_then).to_string();
    let json = script("replies-varies.json", "");
    let tcp = ["tcp", "--connect", &address, QUICK, "--report", &json];
    let output = run(&[&tcp[..], &["--hex=767676", "--hex=616161", "--hex=727272"]].concat());
    let output = output.with_status(0);
    for text in [
        "skip  hex 767676: not checked: the server's reply to hex 767676 varies by itself, from byte 6: ",
        "ok    hex 616161: ",
        "skip  hex 727272: not checked: the server's reply to hex 727272 in the split ",
        "\nevery_split  held, except on 2 streams not checked\n",
        "; 3 streams, 0 violated, 2 not checked\n",
    ] {
        assert!(output.contains(text), "{text}: {output}");
    }
    let json: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    let streams = json["streams"].as_array().unwrap();
    let stream = |name| {
        streams
            .iter()
            .find(|stream| stream["name"] == name)
            .unwrap()
    };
    let (varies, same) = (stream("hex 767676"), stream("hex 616161"));
    assert_eq!(
        (&varies["verdict"], &same["verdict"]),
        (&"not_checked".into(), &"held".into())
    );
    assert!(
        varies["reason"]
            .as_str()
            .unwrap()
            .starts_with("not checked: "),
        "{json}"
    );
    // A known violation may still be there.
    let known = script("replies-known", "every_split hex 767676\n");
    let streams = ["--hex=767676", "--hex=616161", "--known", &known];
    run(&[&tcp[..], &streams].concat()).with_status(0);
    // Without any other, there is no verdict.
    let finished = run(&[&tcp[..], &["--hex=767676"]].concat());
    let message = "the server's reply to hex 767676 varies by itself";
    assert!(finished.stderr.contains(message), "{finished:?}");
    finished.with_status(2);
}

/// The stream of 5000 bytes is too long for all cuts.
#[test]
fn the_splits_of_a_long_stream_are_spread_over_it() {
    let long: Serve = |mut socket| {
        let first = reads(&mut socket, 5000);
        let reply = if first.first() == Some(&3000) {
            "no"
        } else {
            "ok"
        };
        let _ = socket.write_all(reply.as_bytes());
    };
    let request = script("long-request", &"x".repeat(5000));
    let tcp = |serve, status| {
        let address = server(serve).to_string();
        run(&["tcp", "--connect", &address, "--stream", &request]).with_status(status)
    };
    let output = tcp(long, 1);
    assert!(output.contains("\n  split     3000\n"), "{output}");
    // Wherever else: every offset is a cut of some split.
    let anywhere: Serve = |mut socket| {
        let reads = reads(&mut socket, 5000);
        let ends = reads.iter().scan(0, |end, read| {
            *end += read;
            Some((*end, *read))
        });
        let wrong = ends.into_iter().any(|(end, read)| end == 4321 && read > 1);
        let _ = socket.write_all(if wrong { b"no" } else { b"ok" });
    };
    let output = tcp(anywhere, 1);
    assert!(output.contains("\n  split     4321\n"), "{output}");
    let correct: Serve = |mut socket| {
        reads(&mut socket, 5000);
        let _ = socket.write_all(b"ok");
    };
    let output = tcp(correct, 0);
    assert!(
        output.contains(" of 4999 splits with 1 cut (16 %, spread over the stream), "),
        "{output}"
    );
    assert!(
        output.contains("\n1000 splits (16 % of those with 1 cut), "),
        "{output}"
    );
}

/// Pauses in each reply, for longest in the first, as a server does on a busy machine.
#[test]
fn a_pause_in_the_first_reply_is_no_difference() {
    static REPLIES: AtomicUsize = AtomicUsize::new(0);
    let pauses: Serve = |mut socket| {
        if reads(&mut socket, LEN).is_empty() {
            return;
        }
        socket.write_all(b"first").unwrap();
        let is_first = REPLIES.fetch_add(1, Ordering::Relaxed) == 0;
        thread::sleep(Duration::from_millis(if is_first { 900 } else { 100 }));
        // The client may have closed the connection.
        let _ = socket.write_all(b"second");
        let _ = socket.read(&mut [0]);
    };
    check_fails(
        pauses,
        "the server's reply to hex 026f6b0161 varies by itself, from byte 5: \"\", then \"second\"",
        &[QUICK, "--no-half-close"],
    );
}

/// After the first difference, replies are awaited for a shorter time, and not more than twenty in
/// vain.
#[test]
fn missing_replies_cost_little_time() {
    const BODY: usize = 40;
    static SHORTEST: Mutex<Duration> = Mutex::new(Duration::MAX);
    let whole: Serve = |mut socket| {
        if reads(&mut socket, BODY).len() == 1 {
            let _ = socket.write_all(b"ok");
            return linger(socket);
        }
        let begun = Instant::now();
        linger(socket);
        let mut shortest = SHORTEST.lock().unwrap();
        *shortest = shortest.min(begun.elapsed());
    };
    let address = server(whole).to_string();
    let stream = "61".repeat(BODY);
    let tcp = ["tcp", "--connect", &address, "--hex", &stream];
    let output = run(&[&tcp[..], &["--timeout=1", QUICK]].concat()).with_status(1);
    let text = "; 20 of 21 splits have a different reply\n";
    assert!(output.contains(text), "{output}");
    let shortest = *SHORTEST.lock().unwrap();
    assert!(shortest < Duration::from_millis(500), "{shortest:?}");
}

/// The server reads nothing for a while, and then does not reply for a while.
#[cfg(target_os = "linux")]
#[test]
fn waiting_takes_little_time_of_the_processor() {
    use crate::program::{KilledOnDrop, everysplit, processor_time};
    use std::process::Stdio;
    use std::sync::atomic::AtomicU32;

    static PROCESS: AtomicU32 = AtomicU32::new(0);
    static USED: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    fn pause() {
        let mut used = USED.lock().unwrap();
        while PROCESS.load(Ordering::Relaxed) == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        if used.len() < 2 {
            let before = processor_time(PROCESS.load(Ordering::Relaxed));
            thread::sleep(Duration::from_secs(1));
            used.push(processor_time(PROCESS.load(Ordering::Relaxed)) - before);
        }
    }
    let pauses: Serve = |mut socket| {
        pause();
        reads(&mut socket, LEN);
        pause();
        let _ = socket.write_all(b"ok");
    };
    let address = server(pauses).to_string();
    let mut command = everysplit(&["tcp", "--connect", &address, "--hex", REQUEST]);
    let child = command.stdout(Stdio::null()).spawn().unwrap();
    PROCESS.store(child.id(), Ordering::Relaxed);
    assert!(KilledOnDrop(child).0.wait().unwrap().success());
    let used = USED.lock().unwrap();
    assert!(
        used.iter().all(|&milliseconds| milliseconds < 500),
        "{used:?}"
    );
    assert_eq!(used.len(), 2);
}

#[test]
fn a_read_timeout_is_not_a_limit() {
    // Closes a connection without a byte for a while, and accepts any length.
    let timeout: Serve = |mut socket| {
        socket
            .set_read_timeout(Some(Duration::from_millis(600)))
            .unwrap();
        let mut size = [0; 4];
        while socket.read_exact(&mut size).is_ok() {
            let mut body = Vec::new();
            let mut rest = (&socket).take(u32::from_le_bytes(size).into());
            if rest.read_to_end(&mut body).is_err() || socket.write_all(&body).is_err() {
                return;
            }
        }
    };
    let address = server(timeout).to_string();
    let hostile = [
        "tcp",
        "--connect",
        &address,
        "--hostile",
        "--framing=len32",
        "--message=hi",
    ];
    let bounds = [
        "--timeout=20",
        "--max-idle=20",
        "--max-connections=4",
        QUICK,
    ];
    let limit = ["--size-limit=100"];
    let output = run(&[&hostile[..], &bounds, &limit].concat()).with_status(1);
    assert!(
        output.contains("FAIL  claimed length: over the limit: limit\n"),
        "{output}"
    );
    assert!(
        output.contains("when the server gives up: it also waits 0."),
        "{output}"
    );
    // Without a limit the maximal length is a length like any other.
    let output = run(&[&hostile[..], &bounds].concat()).with_status(1);
    assert!(
        output.contains("ok    claimed length: maximal: "),
        "{output}"
    );
}

/// Without `TCP_NODELAY`, the second part waits until the first is acknowledged.
#[test]
fn bytes_are_acknowledged_at_once() {
    static FASTEST: Mutex<Option<Duration>> = Mutex::new(None);
    let parts: Serve = |mut socket| {
        let (mut begun, mut cut_later) = (Instant::now(), false);
        for part in 0..4 {
            cut_later |= reads(&mut socket, LEN).len() > 1 && part > 0;
            if part == 0 {
                begun = Instant::now();
            }
            for _ in 0..2 {
                let _ = socket.write_all(b"part");
            }
        }
        linger(socket);
        let mut fastest = FASTEST.lock().unwrap();
        // At its beginning, a connection acknowledges at once anyway.
        if cut_later {
            let time = fastest.unwrap_or(Duration::MAX).min(begun.elapsed());
            *fastest = Some(time);
        }
    };
    let address = server(parts).to_string();
    let request = REQUEST.repeat(4);
    run(&[
        "tcp",
        "--connect",
        &address,
        "--hex",
        &request,
        "--max-connections=20",
        QUICK,
    ])
    .with_status(0);
    let fastest = FASTEST.lock().unwrap().unwrap();
    assert!(fastest < Duration::from_millis(30), "{fastest:?}");
}

/// Ends at a request that is cut, with an exception. `END` stands for what it does before.
const CRASHES: &str = "
import socket, sys, time
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    client, _ = server.accept()
    read = client.recv(100)
    if len(read) < 5:
        END
        raise ValueError('cut')
    client.sendall(read)
    client.close()
";

/// Checks that a server is restarted that ends at every split. The program does not wait for the end
/// of the process after each of them.
#[track_caller]
fn check_restarted(name: &str, end: &str) {
    if !is_installed("python3") {
        return;
    }
    let path = script(name, &CRASHES.replace("END", end));
    let port = free_port().to_string();
    let start = ["--", "python3", "-S", &path, &port];
    let tcp = ["tcp", "--port", &port, "--hex", REQUEST, "--timeout=20"];
    let output = run(&[&tcp[..], &start].concat()).with_status(1);
    for text in [
        "\n  split     1\n",
        "; the server ended (exit status: 1); last line of stderr: ValueError: cut",
        "; 15 of 16 splits have a different reply\n",
    ] {
        assert!(output.contains(text), "{output}");
    }
}

#[test]
fn a_server_that_ends_at_every_split_is_restarted() {
    check_restarted("replies-crashes.py", "pass");
}

/// As on a busy machine.
#[test]
fn a_server_that_takes_time_to_end_is_restarted() {
    let end = "client.close(); time.sleep(0.2)";
    check_restarted("replies-crashes-slowly.py", end);
}

/// The next connection is refused while the process still runs.
#[test]
fn a_server_that_listens_no_more_before_it_ends_is_restarted() {
    let end = "server.close(); client.close(); time.sleep(0.2)";
    check_restarted("replies-listens-no-more.py", end);
}

/// Ends at a stream that is not cut.
const ENDS: &str = "
import socket, sys
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    client, _ = server.accept()
    stream = b''
    while len(stream) < 5 and (chunk := client.recv(100)):
        stream += chunk
    if stream.startswith(b'!'):
        raise ValueError('uncut')
    client.sendall(b'ok')
    client.close()
";

/// The streams after it are not tested.
#[test]
fn a_server_that_ends_at_an_uncut_stream_is_an_error() {
    if !is_installed("python3") {
        return;
    }
    let path = script("replies-ends.py", ENDS);
    let port = free_port().to_string();
    let tcp = ["tcp", "--port", &port, "--timeout=20"];
    let streams = ["--hex", REQUEST, "--hex=2121212121", "--hex=0102030405"];
    let finished = run(&[&tcp[..], &streams, &["--", "python3", "-S", &path, &port]].concat());
    let message = "the server ended (exit status: 1); last line of stderr: ValueError: uncut";
    assert!(finished.stderr.contains(message), "{finished:?}");
    let output = finished.with_status(2);
    assert!(!output.contains("hex 0102030405"), "{output}");
}

#[test]
fn a_server_that_is_not_ready_is_awaited() {
    static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
    let starts: Serve = |mut socket| {
        reads(&mut socket, LEN);
        let ready = CONNECTIONS.fetch_add(1, Ordering::Relaxed) >= 2;
        let _ = socket.write_all(if ready { b"ready" } else { b"wait!" });
    };
    check(starts, 0, &["--ready", "^ready"]);
    CONNECTIONS.store(0, Ordering::Relaxed);
    let message = "the server is not ready after 500ms: its reply to hex 026f6b0161 is \"ready\", which --ready does not match";
    check_fails(starts, message, &["--timeout=0.5", "--ready", "never"]);
}

#[test]
fn a_stream_of_one_byte_has_no_splits() {
    let echo: Serve = |mut socket| {
        reads(&mut socket, 1);
        let _ = socket.write_all(b"ok");
    };
    let address = server(echo).to_string();
    let output = run(&["tcp", "--connect", &address, "--hex", "00"]).with_status(0);
    assert!(
        output.contains("\nno split was tried; 3 connections in "),
        "{output}"
    );
}

#[test]
fn an_empty_file_in_a_corpus_is_skipped() {
    let folder = format!("{}/replies-corpus", env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(&folder).unwrap();
    let (empty, full) = (format!("{folder}/empty"), format!("{folder}/full"));
    fs::write(&empty, "").unwrap();
    let address = server(says_bye).to_string();
    let tcp = ["tcp", "--connect", &address, "--corpus", &folder, QUICK];
    let _ = fs::remove_file(&full);
    fails(&tcp, "contains only empty files");
    // A folder in it is no stream.
    let inner = format!("{folder}/inner");
    fs::create_dir_all(&inner).unwrap();
    let nothing = ["tcp", "--connect", &address, "--corpus", &inner, QUICK];
    fails(&nothing, "contains no files");
    fs::write(&full, "12345").unwrap();
    let finished = run(&tcp);
    let skipped = format!("everysplit: skipped the stream {empty}: it is empty\n");
    assert_eq!(finished.stderr, skipped);
    finished.with_status(0);
}

/// Replies, and closes the connection if `closes` says so of the number of reads. Else the client must
/// close it.
fn replies(mut socket: TcpStream, closes: impl FnOnce(usize) -> bool) {
    let reads = reads(&mut socket, LEN).len();
    let _ = socket.write_all(b"ok");
    if !closes(reads) {
        linger(socket);
    }
}

/// It closes the connection after its reply only if the whole request arrives at once.
#[test]
fn finds_a_server_that_closes_only_after_some_splits() {
    let leaves_open: Serve = |socket| replies(socket, |reads| reads == 1);
    let output = check(leaves_open, 1, &["--timeout=1", QUICK]);
    let text = "  expected  the server closes the connection, as after the uncut stream
  actual    the same reply, and the connection stays open for ";
    assert!(output.contains(text), "{output}");
    let text = " splits have a different reply or leave the connection open\n";
    assert!(output.contains(text), "{output}");
}

/// It need not close the connection after a split if it does not always do so without one.
#[test]
fn a_server_that_closes_only_sometimes_is_not_accused() {
    const LIMITS: [&str; 4] = [
        "--timeout=1",
        QUICK,
        "--max-connections=3",
        "--no-half-close",
    ];
    static ONCE: AtomicUsize = AtomicUsize::new(0);
    static FOR_SOME_TIME: AtomicUsize = AtomicUsize::new(0);
    let once: Serve = |socket| {
        let before = ONCE.fetch_add(1, Ordering::Relaxed);
        replies(socket, |_| before < 1);
    };
    check(once, 0, &LIMITS);
    let for_some_time: Serve = |socket| {
        let before = FOR_SOME_TIME.fetch_add(1, Ordering::Relaxed);
        replies(socket, |_| before < 3);
    };
    let message = "only sometimes; give it more time with --timeout";
    check_fails(for_some_time, message, &LIMITS);
}
