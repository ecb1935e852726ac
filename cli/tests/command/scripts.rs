//! `everysplit tcp --script`: conversations with servers that speak first, or in turns.

use std::fs;

use crate::program::{becomes_free, concurrently, fails, free_port, is_installed, run, script};

/// Serves conversations over lines. BUG names what is wrong with it.
const SERVER: &str = r#"
import itertools, socket, sys, threading, time
port, kind, bug = int(sys.argv[1]), sys.argv[2], sys.argv[3]
listener = socket.create_server(("127.0.0.1", port))
nonces = itertools.count(100000)

class Lines:
    def __init__(self, socket):
        self.socket, self.buffer, self.chunks = socket, b"", 0
    def more(self):
        chunk = self.socket.recv(4096)
        if not chunk:
            raise EOFError
        self.buffer += chunk
        self.chunks += 1
        return chunk
    def line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line
    def data(self):
        if bug == "chunk":
            # Looks for the terminator in each chunk, not in what came before it.
            chunk = self.buffer
            while b"\r\n.\r\n" not in chunk:
                chunk = self.more()
        while b"\r\n.\r\n" not in self.buffer:
            self.more()
        data, self.buffer = self.buffer.split(b"\r\n.\r\n", 1)
        return data.replace(b"\r\n..", b"\r\n.")

def smtp(lines, send):
    send(b"220 ready\r\n")
    while True:
        line = lines.line()
        if line.startswith(b"EHLO "):
            send(b"250-hello\r\n")
            send(b"250 SIZE\r\n")
        elif line == b"DATA":
            send(b"354 go on\r\n")
            lines.chunks = 0
            send(b"250 %d bytes\r\n" % len(lines.data()))
            if bug == "late" and lines.chunks > 1:
                time.sleep(0.1)
                send(b"250 once more\r\n")
        elif line == b"QUIT":
            send(b"221 bye\r\n")
            return
        else:
            send(b"500 what\r\n")

def login(lines, send):
    # The lengths vary.
    nonce = b"%d" % next(nonces) * (1 + next(nonces) // 2 % 2)
    send(b"challenge " + nonce + b"\r\n")
    answer = lines.buffer
    if bug == "chunk":
        answer = lines.more().strip()
    else:
        answer = lines.line()
    send(b"welcome " + nonce + b"\r\n" if answer == b"answer " + nonce else b"denied\r\n")
    send(b"you said " + lines.line() + b"\r\n")

def serve(client):
    with client:
        try:
            {"smtp": smtp, "login": login}[kind](Lines(client), client.sendall)
        except (EOFError, OSError):
            pass

while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
"#;

const SMTP: &str = r#"# A message with a stuffed dot.
expect "^220 .*\r\n"
send "EHLO me\r\n"
expect "(?m)^250 .*\r\n"
send "DATA\r\n"
expect "^354 .*\r\n"

send "a\r\n..b\r\n.\r\n"
expect "^250 .*\r\n"
send "QUIT\r\n"
expect "^221 .*\r\n"
"#;

const LOGIN: &str = r#"expect "^challenge (?<nonce>\d+)\r\n"
send "answer ${nonce}\r\n"
expect "\r\n"
send-hex 6f6b 0d0a
expect "you said .*\r\n"
"#;

/// Tests a server with a script. Returns stdout.
#[track_caller]
fn check(kind: &str, bug: &str, text: &str, status: i32, more: &[&str]) -> Option<String> {
    if !is_installed("python3") {
        return None;
    }
    let server = script("conversations.py", SERVER);
    let file = script(
        &format!("{kind}-{bug}-{status}-{}.script", text.len()),
        text,
    );
    let port = free_port().to_string();
    let options = [
        "tcp",
        "--port",
        &port,
        "--script",
        &file,
        "--reply-idle=0.3",
    ];
    let limits = ["--timeout=3", "--max-connections=60"];
    let program = ["--", "python3", &server, &port, kind, bug];
    let finished = run(&[&options[..], &limits, more, &program].concat());
    Some(finished.with_status(status))
}

#[test]
fn every_turn_of_a_conversation_is_cut() {
    concurrently([("smtp", SMTP), ("login", LOGIN)], |(kind, text)| {
        let Some(output) = check(kind, "none", text, 0, &[]) else {
            return;
        };
        assert!(output.contains("observed"), "{output}");
        assert!(output.contains(": the same reply of "), "{output}");
        assert!(!output.contains("warning"), "{output}");
    });
}

/// Returns the line that runs a violation again.
#[track_caller]
fn replay_line(output: &str) -> Vec<String> {
    let mut lines = output.lines();
    let line = lines.find_map(|line| line.find("everysplit replay ").map(|at| &line[at..]));
    shlex(line.unwrap_or_else(|| panic!("{output}")))
}

/// Splits a line of words without blanks.
fn shlex(line: &str) -> Vec<String> {
    let words = line.split_whitespace().skip(1);
    words.map(|word| word.trim_matches('\'').into()).collect()
}

#[test]
fn a_violation_names_the_turn_and_can_be_run_again() {
    let cases = [
        ("smtp", SMTP, "into turn 3 ("),
        ("login", LOGIN, "into turn 1 ("),
    ];
    concurrently(cases, |(kind, text, place)| {
        let Some(output) = check(kind, "chunk", text, 1, &[]) else {
            return;
        };
        assert!(output.contains(place), "{output}");
        let words = replay_line(&output);
        assert!(words.contains(&"--script".into()), "{output}");
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let again = run(&words).with_status(1);
        assert!(again.contains(place), "{again}");
    });
}

#[test]
fn a_late_surplus_after_a_conversation_is_found() {
    let (text, _) = SMTP.split_once("send \"QUIT").unwrap();
    for (bug, status) in [("none", 0), ("late", 1)] {
        let Some(output) = check("smtp", bug, text, status, &["--no-half-close"]) else {
            return;
        };
        assert!(
            output.contains("listened for late bytes after 16;"),
            "{output}"
        );
        assert_eq!(output.contains("250 once more"), status == 1, "{output}");
    }
}

/// Sends a mail. BUG is what is wrong with it.
const CLIENT: &str = r#"
import smtplib, socket, sys
port, bug = int(sys.argv[1]), sys.argv[2]
if bug == "none":
    with smtplib.SMTP("127.0.0.1", port, local_hostname="me") as smtp:
        print(smtp.sendmail("a@me", "b@you", "hello"), smtp.esmtp_features)
else:
    client = socket.create_connection(("127.0.0.1", port))
    # Takes each read for a whole reply.
    def reply():
        return client.recv(4096).split(b" ")[0]
    print(reply())
    client.sendall(b"EHLO me\r\n")
    print(reply())
    client.sendall(b"QUIT\r\n")
    print(reply())
"#;

const GREETS: &str = r#"send "220 ready\r\n"
expect "(?i)^ehlo (?<name>[^\r]*)\r\n"
send "250-${name}\r\n250 SIZE\r\n"
"#;

/// A client, to which the script plays the server.
#[test]
fn conversations_with_clients_are_cut_too() {
    if !is_installed("python3") {
        return;
    }
    let client = script("conversations-client.py", CLIENT);
    let mail = format!(
        "{GREETS}expect \"(?i)^mail .*\\r\\n\"\nsend \"250 ok\\r\\n\"\n\
         expect \"(?i)^rcpt .*\\r\\n\"\nsend \"250 ok\\r\\n\"\n\
         expect \"(?i)^data\\r\\n\"\nsend \"354 go on\\r\\n\"\n\
         expect \"hello\\r\\n.\\r\\n\"\nsend \"250 ok\\r\\n\"\n\
         expect \"(?i)^quit\\r\\n\"\nsend \"221 bye\\r\\n\"\n"
    );
    let quit = format!("{GREETS}expect \"^QUIT\\r\\n\"\nsend \"221 bye\\r\\n\"\n");
    let cases = [("none", mail, 0), ("chunk", quit, 1)];
    concurrently(cases, |(bug, text, status)| {
        let file = script(&format!("client-{bug}.script"), &text);
        let port = free_port().to_string();
        let tcp = ["tcp", "--listen", &port, "--script", &file, "--timeout=20"];
        let start = [
            "--max-connections=12",
            "--",
            "python3",
            "-S",
            &client,
            &port,
            bug,
        ];
        let output = run(&[&tcp[..], &start].concat()).with_status(status);
        assert!(output.contains("observed"), "{output}");
        if status == 0 {
            assert!(!output.contains("warning"), "{output}");
            return;
        }
        assert!(output.contains("into turn "), "{output}");
        let words = replay_line(&output);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        run(&words).with_status(1);
    });
}

#[test]
fn invalid_input_is_not_for_conversations() {
    let file = script("hostile.script", "send \"a\"\n");
    let tcp = [
        "tcp",
        "--connect=127.0.0.1:1",
        "--hostile",
        "--script",
        &file,
    ];
    fails(
        &tcp,
        "--hostile sends parts of single streams, not of conversations; ",
    );
}

#[test]
fn a_token_of_another_script_is_not_run() {
    let file = script("other.script", "send \"a\"\n");
    let replay = [
        "replay",
        "0102@1",
        "tcp",
        "--connect=127.0.0.1:1",
        "--script",
        &file,
    ];
    fails(&replay, "the stream of the token is not one of");
}

#[test]
fn a_server_that_never_matches_is_no_violation() {
    if !is_installed("python3") {
        return;
    }
    let server = script("conversations.py", SERVER);
    let file = script(
        "never.script",
        "expect \"^220 \"\nsend \"HELO\\r\\n\"\nexpect \"^250\"\n",
    );
    let port = free_port();
    let text = port.to_string();
    let options = ["tcp", "--port", &text, "--script", &file, "--timeout=0.5"];
    let program = ["--", "python3", &server, &text, "smtp", "none"];
    let finished = run(&[&options[..], &program].concat());
    let message = "line 3: no reply matches \"^250\" within 500ms; the last line is \"500 what\"";
    assert!(
        finished.stderr.contains(message) || finished.stdout.contains(message),
        "{finished:?}"
    );
    finished.with_status(2);
    assert!(becomes_free(port));
}

#[test]
fn scripts_that_do_not_parse_are_refused() {
    let cases = [
        ("", "sends nothing"),
        ("expect \"a\"", "sends nothing"),
        (
            "# a\n\nsay \"a\"",
            "line 3: expected expect, send or send-hex, not \"say\"",
        ),
        ("send a", "line 1: expected a text in quotation marks"),
        ("send \"a", "line 1: expected a text in quotation marks"),
        ("send \"\"", "line 1: nothing to send"),
        ("send-hex", "line 1: nothing to send"),
        (
            "send-hex 0g",
            "line 1: expected bytes as hexadecimal digits",
        ),
        ("send \"\\q\"", "line 1: expected one of \\r \\n"),
        ("send \"\\x8\"", "line 1: expected one of \\r \\n"),
        ("send \"${a\"", "line 1: ${ without }"),
        (
            "send \"${a}\"",
            "line 1: no expect before this line captures ${a}",
        ),
        (
            "expect \"(\"\nsend \"a\"",
            "line 1: \"(\" is not a regular expression",
        ),
    ];
    for (index, (text, message)) in cases.into_iter().enumerate() {
        let file = script(&format!("bad-{index}.script"), text);
        let port = free_port();
        let options = ["tcp", "--port", &port.to_string(), "--script", &file];
        // The server is not even started.
        fails(&[&options[..], &["--", "false"]].concat(), message);
    }
    let connect = ["tcp", "--connect=127.0.0.1:1", "--script"];
    fails(
        &[&connect[..], &["no-such"]].concat(),
        "cannot read the script no-such",
    );
    let binary = script("binary.script", "");
    fs::write(&binary, b"send \"\xff\"").unwrap();
    fails(
        &[&connect[..], &[&binary]].concat(),
        "cannot read the script",
    );
}
