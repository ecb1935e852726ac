//! `lz4_flex` 0.14.0: a frame that ends after its magic number is taken for a clean end.

use std::io::Read;

use lz4_flex::frame::FrameDecoder;

fn main() {
    let ends = |stream: &[u8]| FrameDecoder::new(stream).read_to_end(&mut Vec::new());
    assert!(ends(b"\x04\x22\x4d").is_err());
    assert!(ends(b"\x04\x22\x4d\x18\x60").is_err());
    assert_eq!(ends(b"\x04\x22\x4d\x18").unwrap(), 0);
    // Also if these bytes are no magic number.
    assert_eq!(ends(b"????").unwrap(), 0);
    println!("confirmed");
}
