//! Installed servers are left alone. Tests of servers that are not installed are skipped, with a
//! message. For nginx see `http`.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{free_port, is_installed, run, script, start_listening};

/// Asserts that no split of a stream is accused.
#[track_caller]
fn passes(port: u16, stream: &[u8], options: &[&str]) {
    let (address, stream) = (format!("127.0.0.1:{port}"), hex::encode(stream));
    let tcp = ["tcp", "--connect", &address, "--hex", &stream];
    let tcp = [
        &tcp[..],
        &["--timeout=20", "--max-connections=100"],
        options,
    ];
    let output = run(&tcp.concat()).with_status(0);
    assert!(output.contains(" 0 violated"), "{output}");
}

#[test]
fn redis() {
    if !is_installed("redis-server") {
        return;
    }
    let port = free_port();
    let mut command = Command::new("redis-server");
    let arguments = ["--port", &port.to_string(), "--bind", "127.0.0.1"];
    command.args(arguments).args(["--save", "", "--dir"]);
    command.arg(env!("CARGO_TARGET_TMPDIR"));
    let _redis = start_listening(command, port);
    passes(
        port,
        b"PING\r\n*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n*1\r\n$4\r\nPING\r\n",
        &[],
    );
}

#[test]
fn mosquitto() {
    if !is_installed("mosquitto") {
        return;
    }
    let port = free_port();
    let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\n");
    let config = script("mosquitto.conf", &text);
    let mut command = Command::new("mosquitto");
    command.args(["-c", &config]);
    let _mosquitto = start_listening(command, port);
    // CONNECT, PINGREQ and DISCONNECT.
    passes(
        port,
        b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0\xc0\0\xe0\0",
        &[],
    );
}

/// The folder of a database. When the test ends, its server ends, and it is removed.
struct Database(String);

impl Drop for Database {
    fn drop(&mut self) {
        let file = format!("{}/postmaster.pid", self.0);
        let text = fs::read_to_string(&file).unwrap_or_default();
        if let Some(process) = text.lines().next() {
            let _ = Command::new("kill").args(["-INT", process]).status();
        }
        // The server removes this file when it ends.
        let deadline = Instant::now() + Duration::from_secs(20);
        while fs::exists(&file).unwrap_or(false) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `PostgreSQL` does not run as root, so root runs it as the user postgres.
#[test]
fn postgresql() {
    if !is_installed("psql") {
        return;
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut programs = versions.flatten().map(|version| version.path().join("bin"));
    let Some(programs) = programs.find(|bin| bin.join("initdb").exists()) else {
        // Only the client is installed here.
        assert!(!is_installed("postgres"), "it is in an unknown place");
        return;
    };
    let user = Command::new("id").arg("-u").output().unwrap();
    let program = |name: &str| {
        let path = programs.join(name);
        if user.stdout == b"0\n" {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        }
    };
    let name = format!("everysplit-postgresql-{}", std::process::id());
    let folder = Database(std::env::temp_dir().join(name).to_str().unwrap().to_owned());
    let mut initdb = program("initdb");
    initdb.args([
        "--no-sync",
        "-A",
        "trust",
        "-U",
        "postgres",
        "-D",
        &folder.0,
    ]);
    let made = initdb.stdout(Stdio::null()).status().unwrap();
    assert!(made.success());
    let port = free_port();
    let mut command = program("postgres");
    let address = ["-p", &port.to_string(), "-h", "127.0.0.1"].map(str::to_owned);
    command
        .args(["-D", &folder.0, "-k", &folder.0, "-F"])
        .args(address);
    let _postgres = start_listening(command, port);
    // The start-up message, a query, and the end. The reply has a random key.
    let mut stream = b"\0\0\0\x25\0\x03\0\0user\0postgres\0database\0".to_vec();
    stream.extend(b"template1\0\0");
    let len = u32::try_from(stream.len()).unwrap();
    stream[..4].copy_from_slice(&len.to_be_bytes());
    stream.extend(b"Q\0\0\0\x0dselect 1\0X\0\0\0\x04");
    // It listens before it can serve.
    let mask = r"--mask=(?s-u)K\x00\x00\x00\x0c.{8}";
    passes(port, &stream, &[mask, "--ready=^R"]);
    // The same as a conversation, with a second query, as the guide shows it.
    let guide = include_str!("../../../docs/guide/servers-and-clients.md");
    let mut blocks = guide.split("```");
    let text = blocks.find(|block| block.contains("SELECT 1")).unwrap();
    let file = script("postgresql.script", text.strip_prefix("text\n").unwrap());
    let address = format!("127.0.0.1:{port}");
    let tcp = ["tcp", "--connect", &address, "--script", &file];
    let limits = ["--timeout=20", "--max-connections=100"];
    let output = run(&[&tcp[..], &limits].concat()).with_status(0);
    assert!(output.contains(" 0 violated"), "{output}");
    assert!(!output.contains("warning"), "{output}");
}
