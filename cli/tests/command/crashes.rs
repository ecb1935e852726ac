//! Servers that reply correctly and then end by mistake. Tests that need Python are skipped, with a
//! message, if it is not installed.

use crate::program::{Finished, concurrently, free_port, is_installed, run, script};

/// Replies to requests of four bytes, one client after another. How it ends depends on its first
/// argument.
const SERVER: &str = "
import os, resource, signal, socket, sys
port, kind, marker = int(sys.argv[1]), sys.argv[2], sys.argv[3]
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
server = socket.create_server(('127.0.0.1', port))

def crash():
    os.kill(os.getpid(), signal.SIGABRT)

def crash_once():
    if not os.path.exists(marker):
        open(marker, 'w').close()
        crash()

def serve(client):
    chunks = []
    while sum(map(len, chunks)) < 4:
        chunk = client.recv(4)
        if not chunk:
            # The end of a whole request is no error.
            if chunks and kind == 'truncated':
                crash()
            return
        chunks.append(chunk)
    client.sendall(b'ok ' + b''.join(chunks))
    if kind == 'cut' and len(chunks) > 1 or kind == 'always':
        crash()
    if kind == 'second' and [len(chunk) for chunk in chunks] == [2, 2]:
        crash()
    if kind == 'once' and len(chunks) == 3:
        crash_once()
    client.recv(1)
    client.close()
    if kind == 'closed' and len(chunks) > 1:
        crash()

if kind == 'detached' and os.fork():
    # The server goes on without this process.
    sys.exit()
while True:
    client, _ = server.accept()
    client.settimeout(0.5)
    with client:
        try:
            serve(client)
        except OSError:
            pass
    if kind == 'one':
        break
";

/// Tests a server of one kind.
fn check(kind: &str, options: &[&str]) -> Finished {
    let path = script("crashing-server.py", SERVER);
    let port = free_port().to_string();
    let marker = format!("{}/crashed-{port}", env!("CARGO_TARGET_TMPDIR"));
    let _ = std::fs::remove_file(&marker);
    let tcp = [
        "tcp",
        "--hex",
        "61626364",
        "--reply-idle=0.3",
        "--timeout=20",
    ];
    let server = [
        "--port", &port, "--", "python3", "-S", &path, &port, kind, &marker,
    ];
    run(&[&tcp[..], options, &server].concat())
}

const ABORTED: &str = "the server ended (signal: 6 (SIGABRT)";

#[test]
fn a_crash_after_a_correct_reply_is_a_violation() {
    if !is_installed("python3") {
        return;
    }
    let each = &["--fresh"][..];
    let cases = [
        ("cut", each, "61626364@1"),
        ("closed", each, "61626364@1"),
        ("second", each, "61626364@2"),
        ("cut", &[], "61626364@1"),
        ("closed", &[], "61626364@1"),
        ("second", &[], "61626364@2"),
    ];
    concurrently(cases, |(kind, options, token)| {
        let output = check(kind, options).with_status(1);
        let expected = [
            "FAIL  hex 61626364: every_split\n",
            "  expected  a server that goes on, as after the uncut stream\n",
            "  actual    the same reply, and then ",
            ABORTED,
            &format!("\n  replay    {token}\n"),
        ];
        for text in expected {
            assert!(output.contains(text), "{kind} {options:?}: {output}");
        }
    });
}

#[test]
fn a_violation_by_a_crash_is_replayed() {
    if !is_installed("python3") {
        return;
    }
    let path = script("crashing-server.py", SERVER);
    concurrently([&["--fresh"][..], &[]], |options| {
        let port = free_port().to_string();
        for (token, status) in [("61626364@1", 1), ("61626364@whole", 0)] {
            let replay = ["replay", token, "tcp", "--reply-idle=0.3", "--timeout=20"];
            let server = [
                "--port", &port, "--", "python3", "-S", &path, &port, "cut", "none",
            ];
            run(&[&replay[..], options, &server].concat()).with_status(status);
        }
    });
}

/// What the split does not cause is an error.
#[test]
fn a_crash_that_does_not_depend_on_the_split_is_an_error() {
    if !is_installed("python3") {
        return;
    }
    let cases = [
        ("always", &["--fresh"][..]),
        ("always", &[]),
        ("once", &["--fresh"]),
        ("once", &[]),
    ];
    concurrently(cases, |(kind, options)| {
        let finished = check(kind, options);
        assert!(finished.stderr.contains(ABORTED), "{kind}: {finished:?}");
        // It serves more than one client.
        assert!(!finished.stderr.contains("--fresh"), "{kind}: {finished:?}");
        finished.with_status(2);
    });
}

#[test]
fn a_server_for_one_client_may_exit() {
    if !is_installed("python3") {
        return;
    }
    let output = check("one", &["--fresh"]).with_status(0);
    assert!(output.contains("ok    hex 61626364: "), "{output}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_detaches_itself_goes_on() {
    if !is_installed("python3") {
        return;
    }
    check("none", &[]).with_status(0);
    let output = check("detached", &["--max-connections=3", "--hostile"]);
    output.with_status(0);
}

#[test]
fn a_fresh_server_that_crashes_does_not_survive_hostile_input() {
    if !is_installed("python3") {
        return;
    }
    let output = check("truncated", &["--fresh", "--hostile"]).with_status(1);
    for text in [
        "FAIL  hex 61626364, truncated: progress\n",
        ABORTED,
        "\n  replay    61@whole\n",
    ] {
        assert!(output.contains(text), "{output}");
    }
}
