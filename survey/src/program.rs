//! Servers, and decoders in other languages, under test through the command `everysplit`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;
use std::{env, fs};

use everysplit::Property;

use crate::row::Row;

/// A server or decoder under test.
pub(crate) struct Program {
    /// Its name in the table.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The properties that it is known to violate.
    pub(crate) violates: &'static [&'static str],
}

/// How a program is put under test.
pub(crate) enum Kind {
    /// A script in `servers/` that starts it.
    Server,
    /// A decoder in `decoders/`.
    Decoder {
        /// The file: the part of a ready driver that a user writes.
        file: &'static str,
        /// The ready driver that it is a part of.
        driver: &'static str,
        /// A command that prints the version.
        version: &'static [&'static str],
        stream: &'static [u8],
        options: &'static [&'static str],
    },
}

/// This folder.
const SURVEY: &str = env!("CARGO_MANIFEST_DIR");
/// Debian's Netty.
const NETTY: &str = "/usr/share/java/netty-buffer.jar:/usr/share/java/netty-codec.jar:\
    /usr/share/java/netty-common.jar:/usr/share/java/netty-transport.jar:\
    /usr/share/java/netty-resolver.jar";

impl Program {
    /// Tests the program; returns an error if it, or something that it needs, is not installed.
    pub(crate) fn check(&self) -> Result<Row, String> {
        let folder = env::temp_dir().join(format!("everysplit-survey-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).map_err(|error| error.to_string())?;
        let started = Instant::now();
        let (source, version, door, output) = match &self.kind {
            Kind::Server => self.serve(&folder)?,
            Kind::Decoder { .. } => self.decode(&folder)?,
        };
        let time = started.elapsed();
        let _ = fs::remove_dir_all(&folder);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let violations: Vec<_> = violations(&stdout).collect();
        let tier = tier(&stdout);
        // A script also ends with 1 if the server could not start.
        let has_verdict = !violations.is_empty() || !tier.is_empty();
        if !matches!(output.status.code(), Some(0 | 1)) || !has_verdict {
            return Err(format!("{}: {stdout}{stderr}", self.name));
        }
        let found = violations.iter().map(|(property, _)| property.as_str());
        Ok(Row {
            package: self.name.into(),
            version,
            name: String::new(),
            door,
            lines: source.lines().count(),
            tier,
            declared: declared(&stdout),
            is_expected: found.eq(self.violates.iter().copied()),
            violations,
            time,
            details: stdout,
        })
    }

    /// Runs the script of a server. Returns it, with the version, the verb and the output.
    fn serve(&self, folder: &Path) -> Result<(String, String, String, Output), String> {
        let script = Path::new(SURVEY)
            .join("servers")
            .join(format!("{}.sh", self.name));
        let source = fs::read_to_string(&script).map_err(|error| error.to_string())?;
        // The port is free again when the listener is dropped.
        let listener = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let port = listener.map_err(|error| error.to_string())?.port();
        let mut command = Command::new("sh");
        command.arg("-e").arg(script).current_dir(folder);
        let output = run(command.env("FOLDER", folder).env("PORT", port.to_string()))?;
        let version = fs::read_to_string(folder.join("version")).unwrap_or_default();
        let verb = source
            .split("\neverysplit ")
            .nth(1)
            .and_then(|it| it.split(' ').next());
        let verb = verb.unwrap_or_default().to_owned();
        Ok((source, number(&version), verb, output))
    }

    /// Makes a driver of a decoder and runs it. Returns the decoder's file, with the version, the
    /// verb and the output.
    fn decode(&self, folder: &Path) -> Result<(String, String, String, Output), String> {
        let Kind::Decoder {
            file,
            driver,
            version,
            stream,
            options,
        } = &self.kind
        else {
            unreachable!("a decoder")
        };
        let path = Path::new(SURVEY).join("decoders").join(file);
        let source = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let ready = run(Command::new("everysplit").args(["driver", driver]))?;
        let ready = String::from_utf8_lossy(&ready.stdout).into_owned();
        let protocol = ["---- Nothing below", "---- The protocol"];
        let begin = protocol
            .iter()
            .find_map(|mark| ready.find(mark))
            .ok_or("a ready driver")?;
        let begin = ready[..begin].rfind('\n').unwrap_or(0);
        let imports = if driver.starts_with("go") {
            &ready[..ready.find("\n\nimport (\n\t\"encoding").unwrap_or(0)]
        } else {
            ""
        };
        let text = format!("{imports}{source}{}", &ready[begin..]);
        let command = start(folder, driver, &text)?;
        let bytes = stream.iter();
        let hex = bytes.fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let mut everysplit = Command::new("everysplit");
        everysplit.args(["exec", "--timeout", "60"]).args(*options);
        if !stream.is_empty() {
            everysplit.args(["--hex", &hex]);
        }
        let output = run(everysplit.arg("--").args(command))?;
        let version = run(Command::new(version[0]).args(&version[1..]))?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        Ok((source, number(&version), format!("exec, {driver}"), output))
    }
}

/// Writes a driver, and compiles it if need be. Returns the command that starts it.
fn start(folder: &Path, driver: &str, text: &str) -> Result<Vec<String>, String> {
    let language = driver.split('-').next().unwrap_or(driver);
    let (file, compiler, command): (_, &[&str], &[&str]) = match language {
        "python" => ("driver.py", &[], &["python3", "driver.py"]),
        "node" => ("driver.js", &[], &["node", "driver.js"]),
        "go" => ("driver.go", &["go", "build", "driver.go"], &["./driver"]),
        _ => (
            "Driver.java",
            &["javac", "-cp", NETTY, "Driver.java"],
            &["java", "-XX:TieredStopAtLevel=1", "-cp", NETTY, "Driver"],
        ),
    };
    fs::write(folder.join(file), text).map_err(|error| error.to_string())?;
    if let Some((program, arguments)) = compiler.split_first() {
        let output = run(Command::new(program).args(arguments).current_dir(folder))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    let in_folder = |word: &&str| match *word {
        NETTY => format!("{NETTY}:{}", folder.display()),
        "./driver" | "driver.py" | "driver.js" => folder.join(word).display().to_string(),
        word => word.to_owned(),
    };
    Ok(command.iter().map(in_folder).collect())
}

/// Runs a command with `everysplit` and the packages in its environment.
fn run(command: &mut Command) -> Result<Output, String> {
    let built = Path::new(SURVEY).join("../target/debug");
    let folders = env::var_os("PATH").unwrap_or_default();
    let folders = [PathBuf::from(
        env::var_os("EVERYSPLIT").unwrap_or_else(|| built.into()),
    )]
    .into_iter()
    .chain(env::split_paths(&folders));
    let path = env::join_paths(folders).map_err(|error| error.to_string())?;
    let packages = Path::new(SURVEY).join("target/packages");
    command
        .env("PATH", &path)
        .env("PYTHONPATH", packages.join("python"))
        .env("NODE_PATH", packages.join("node/node_modules"));
    // `Command` looks for the program in the PATH of this process.
    let program = env::split_paths(&path).map(|folder| folder.join(command.get_program()));
    let program = program.into_iter().find(|file| file.is_file());
    let Some(program) = program else {
        return Err(format!(
            "{} is not installed",
            command.get_program().display()
        ));
    };
    let mut found = Command::new(program);
    found.args(command.get_args());
    for (name, value) in command.get_envs() {
        found.env(name, value.unwrap_or_default());
    }
    if let Some(folder) = command.get_current_dir() {
        found.current_dir(folder);
    }
    found.output().map_err(|error| error.to_string())
}

/// Returns the first number with a point in a text, such as a version.
fn number(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    let number = words.find(|word| word.contains('.') && word.starts_with(|c: char| c != '.'));
    number.unwrap_or_default().trim_end_matches('.').into()
}

/// Returns the violations in the output of a run: the line of each property, and its token.
fn violations(output: &str) -> impl Iterator<Item = (String, String)> {
    Property::ALL.into_iter().filter_map(|property| {
        let line = format!("\n{}: {}\n", property.name(), property.sentence());
        let (_, violation) = output.split_once(&line)?;
        let token = violation.split("\n  replay    ").nth(1)?.lines().next()?;
        Some((property.name().into(), token.into()))
    })
}

/// Returns how far a run went.
fn tier(output: &str) -> String {
    let count = |word| output.lines().filter(|line| line.contains(word)).count();
    match (count(": proved: "), count(": bounded: ")) {
        (0, 0) => {
            let splits = output
                .lines()
                .rev()
                .find_map(|line| line.split_once(" splits"));
            splits.map_or(String::new(), |(splits, _)| format!("{splits} splits"))
        }
        (proved, 0) => format!("proved {proved}"),
        (0, bounded) => format!("bounded {bounded}"),
        (proved, bounded) => format!("proved {proved}, bounded {bounded}"),
    }
}

/// Returns what was declared.
fn declared(output: &str) -> Vec<String> {
    let declared = output
        .split_once("; declared: ")
        .and_then(|(_, it)| it.lines().next());
    declared
        .into_iter()
        .flat_map(|it| it.split(", "))
        .map(str::to_owned)
        .collect()
}
