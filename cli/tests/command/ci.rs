//! The workflow of the guide: its steps run as they are, with a decoder, a server that the command
//! starts, and one that runs already.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{PYTHON_DRIVER, free_port, is_installed, start_listening};

const GUIDE: &str = include_str!("../../../docs/guide/ci.md");

/// Echoes frames, and closes the connection after an incomplete one.
const SERVER: &str = r#"
import socketserver

class Echo(socketserver.StreamRequestHandler):
    timeout = 3

    def handle(self):
        try:
            while len(size := self.rfile.read(2)) == 2:
                body = self.rfile.read(int.from_bytes(size, "big"))
                self.wfile.write(size + body)
        except (TimeoutError, ConnectionError):
            pass

socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 7000), Echo).serve_forever()
"#;

/// Returns the lines that the steps of the workflow run with the command.
fn steps() -> Vec<String> {
    let (_, workflow) = GUIDE.split_once("```yaml\n").unwrap();
    let (workflow, _) = workflow.split_once("```").unwrap();
    let steps = workflow.split("      - ").skip(1);
    let steps = steps.filter_map(|step| step.strip_prefix("run: >\n"));
    let lines = steps.map(|step| {
        let lines = step.lines().map(str::trim);
        let lines = lines.filter(|line| !line.starts_with('#'));
        lines.collect::<Vec<_>>().join(" ")
    });
    lines.collect()
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

#[test]
fn every_step_of_the_workflow_runs() {
    let steps = steps();
    assert_eq!(steps.len(), 3, "{steps:?}");
    if !is_installed("python3") || !is_installed("redis-server") {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("workflow");
    fs::create_dir_all(folder.join("tests")).unwrap();
    let [port, redis_port] = [free_port(), free_port()];
    write(&folder, "tests/driver.py", PYTHON_DRIVER);
    write(&folder, "tests/ping.txt", "PING\r\nECHO hello\r\n");
    write(
        &folder,
        "server.py",
        &SERVER.replace("7000", &port.to_string()),
    );
    let mut redis = Command::new("redis-server");
    redis.args(["--port", &redis_port.to_string(), "--bind", "127.0.0.1"]);
    redis.args(["--save", "", "--dir"]).arg(&folder);
    let _redis = start_listening(redis, redis_port);

    let command = Path::new(env!("CARGO_BIN_EXE_everysplit"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", command.parent().unwrap().display());
    for step in steps {
        let step = step
            .replace("7000", &port.to_string())
            .replace("localhost:6379", &format!("127.0.0.1:{redis_port}"));
        let output = Command::new("sh")
            .args(["-c", &step])
            .current_dir(&folder)
            .env("PATH", &path)
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{step}\n{stdout}");
        assert!(stdout.contains(" 0 violated"), "{step}\n{stdout}");
        for report in step.split_whitespace().filter(|word| is_report(word)) {
            assert!(
                fs::metadata(folder.join(report)).unwrap().len() > 0,
                "{report}"
            );
        }
    }
}

fn is_report(word: &str) -> bool {
    let extension = Path::new(word).extension();
    extension.is_some_and(|extension| extension == "xml" || extension == "html")
}
