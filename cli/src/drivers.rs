//! `everysplit driver` and `everysplit protocol`: the ready drivers and the protocol, as the
//! installed command has them.

use crate::Error;
use crate::output::{print_line, write_all};

/// A ready driver, or a file that it needs.
struct ReadyDriver {
    name: &'static str,
    /// What it is for, in a line.
    purpose: &'static str,
    /// How it is made and started.
    usage: &'static str,
    text: &'static str,
}

/// Joins the part that a user changes and the protocol.
macro_rules! driver {
    ($name:literal, $purpose:literal, $usage:literal, $($file:literal),+) => {
        ReadyDriver {
            name: $name,
            purpose: $purpose,
            usage: $usage,
            text: concat!($(include_str!(concat!("../drivers/", $file))),+),
        }
    };
}

const DRIVERS: &[ReadyDriver] = &[
    driver!(
        "python",
        "Python: a decoder that is fed",
        "python3 driver.py",
        "python/fed.py",
        "python/loop.py"
    ),
    driver!(
        "python-buffer",
        "Python: a decoder whose caller owns the buffer",
        "python3 driver.py",
        "python/buffer.py",
        "python/loop.py"
    ),
    driver!(
        "python-protocol",
        "Python: an asyncio Protocol",
        "python3 driver.py",
        "python/protocol.py",
        "python/loop.py"
    ),
    driver!(
        "python-reader",
        "Python: a coroutine that reads from an asyncio StreamReader",
        "python3 driver.py",
        "python/reader.py",
        "python/loop.py"
    ),
    driver!(
        "node",
        "Node: a decoder that is fed",
        "node driver.js",
        "node/fed.js",
        "node/loop.js"
    ),
    driver!(
        "node-buffer",
        "Node: a decoder whose caller owns the buffer",
        "node driver.js",
        "node/buffer.js",
        "node/loop.js"
    ),
    driver!(
        "node-stream",
        "Node: a stream, such as a Transform",
        "node driver.js",
        "node/stream.js",
        "node/loop.js"
    ),
    driver!(
        "go",
        "Go: a decoder that is fed",
        "go build driver.go",
        "go/imports.go",
        "go/fed.go",
        "go/loop.go"
    ),
    driver!(
        "go-split",
        "Go: a bufio.SplitFunc, or another decoder whose caller owns the buffer",
        "go build driver.go",
        "go/imports.go",
        "go/split.go",
        "go/loop.go"
    ),
    driver!(
        "go-reader",
        "Go: a function that reads from an io.Reader",
        "go build driver.go",
        "go/imports.go",
        "go/reader.go",
        "go/loop.go"
    ),
    driver!(
        "java",
        "Java: a decoder that is fed",
        "javac Driver.java",
        "java/fed.java",
        "java/loop.java"
    ),
    driver!(
        "java-stream",
        "Java: a method that reads from an InputStream",
        "javac Driver.java",
        "java/stream.java",
        "java/loop.java"
    ),
    driver!(
        "java-netty",
        "Java: handlers of Netty",
        "javac -cp netty-all.jar Driver.java",
        "java/netty.java",
        "java/loop.java"
    ),
    driver!(
        "csharp",
        "C#: a decoder that is fed",
        "mcs Driver.cs, with Mono; or dotnet build",
        "csharp/fed.cs",
        "csharp/loop.cs"
    ),
    driver!(
        "c",
        "C: a decoder that is fed",
        "cc -o driver driver.c, with c-header",
        "c/driver.c"
    ),
    driver!(
        "c-buffer",
        "C: a decoder whose caller owns the buffer",
        "cc -o driver driver.c, with c-header",
        "c/buffer.c"
    ),
    driver!(
        "cpp",
        "C++: a decoder that is fed",
        "c++ -std=c++17 -o driver driver.cpp, with c-header",
        "c/driver.cpp"
    ),
    driver!(
        "c-header",
        "C and C++: everysplit.h, which their drivers include",
        "a header",
        "c/everysplit.h"
    ),
];

/// The names of the ready drivers.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    DRIVERS.iter().map(|driver| driver.name)
}

/// Prints the ready driver of this name.
pub(crate) fn print(name: &str) -> Result<(), Error> {
    let driver = DRIVERS.iter().find(|driver| driver.name == name);
    let driver = driver.ok_or_else(|| format!("there is no driver {name}"))?;
    Ok(write_all(driver.text.as_bytes())?)
}

/// Prints a line for each ready driver.
pub(crate) fn list() -> Result<(), Error> {
    let width = names().map(str::len).max().unwrap_or(0);
    for ReadyDriver {
        name,
        purpose,
        usage,
        ..
    } in DRIVERS
    {
        print_line(&format!("{name:width$}  {purpose} ({usage})"))?;
    }
    Ok(())
}

/// Prints the protocol between the command and a driver.
pub(crate) fn print_protocol() -> Result<(), Error> {
    Ok(write_all(include_bytes!("../drivers/PROTOCOL.md"))?)
}
