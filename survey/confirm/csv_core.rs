//! csv-core 0.1.13: a byte order mark is removed only if it arrives in one read.

use csv_core::{ReadFieldResult, Reader};

/// Returns the first field of these reads.
fn field(reads: &[&[u8]]) -> Vec<u8> {
    let (mut reader, mut field) = (Reader::new(), Vec::new());
    for mut read in reads.iter().copied() {
        while !read.is_empty() {
            let mut output = [0; 16];
            let (result, used, written) = reader.read_field(read, &mut output);
            read = &read[used..];
            field.extend(&output[..written]);
            if let ReadFieldResult::Field { .. } = result {
                return field;
            }
        }
    }
    field
}

fn main() {
    assert_eq!(field(&[b"\xef\xbb\xbfid,"]), b"id");
    assert_eq!(field(&[b"\xef", b"\xbb\xbfid,"]), b"\xef\xbb\xbfid");
    println!("confirmed");
}
