//! libtelnet-rs 2.0.0: a command that is cut after its first byte is delivered as data.

use libtelnet_rs::{Parser, events::TelnetEvents};

/// Returns the events of these reads.
fn events(reads: &[&[u8]]) -> Vec<String> {
    let mut parser = Parser::new();
    let events = reads.iter().flat_map(|read| parser.receive(read));
    let text = events.map(|event| match event {
        TelnetEvents::DataReceive(data) => format!("data {data:?}"),
        TelnetEvents::DataSend(data) => format!("reply {data:?}"),
        TelnetEvents::Negotiation(it) => format!("negotiation {} {}", it.command, it.option),
        TelnetEvents::IAC(it) => format!("command {}", it.command),
        _ => "other".to_owned(),
    });
    text.collect()
}

fn main() {
    // `a`, IAC DO ECHO, `b`.
    let whole = events(&[b"a\xff\xfd\x01b"]);
    let cut = events(&[b"a\xff", b"\xfd\x01b"]);
    println!("whole: {whole:?}\ncut:   {cut:?}");
    // The option is refused, and the data is `a` and `b`.
    assert!(whole.iter().any(|event| event.starts_with("reply")));
    assert!(!cut.iter().any(|event| event.starts_with("reply")));
    assert!(cut.contains(&r#"data b"\xfd\x01b""#.to_owned()));
    println!("confirmed");
}
