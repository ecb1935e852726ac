//! vte 0.15.0: the same bytes print other text when they arrive in two reads.

use std::fmt::Write;

struct Terminal(String);

impl vte::Perform for Terminal {
    fn print(&mut self, c: char) {
        self.0.push(c);
    }

    fn execute(&mut self, byte: u8) {
        let _ = write!(self.0, "<{byte:02x}>");
    }
}

/// Returns what a terminal shows of these reads.
fn shown(reads: &[&[u8]]) -> String {
    let (mut parser, mut terminal) = (vte::Parser::new(), Terminal(String::new()));
    for read in reads {
        parser.advance(&mut terminal, read);
    }
    terminal.0
}

fn main() {
    // "éaé". The `a` is lost.
    assert_eq!(shown(&[b"\xc3\xa9a\xc3\xa9"]), "éaé");
    assert_eq!(shown(&[b"\xc3", b"\xa9a\xc3\xa9"]), "éé");
    // U+0080, a control character.
    assert_eq!(shown(&[b"\xc2\x80"]), "<80>");
    assert_eq!(shown(&[b"\xc2", b"\x80"]), "\u{80}");
    println!("confirmed");
}
