//! The README says what the code says.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use everysplit::check::{Messages, Property, Verdicts};
use everysplit::{Buffered, Tokio, encoder};
use tokio_util::codec::{Decoder, Encoder};

const README: &str = include_str!("../../README.md");

#[test]
fn the_table_of_properties_has_each_check_and_its_sentence() {
    let rows = Property::ALL.map(|property| {
        let row = format!("| `{}` | {} |", property.name(), property.sentence());
        assert!(README.contains(&row), "{row}");
        row
    });
    let table = README
        .split_once("| check | property |\n|---|---|\n")
        .unwrap()
        .1;
    let table = table.split_once("\n\n").unwrap().0;
    assert_eq!(table, rows.join("\n"));
}

/// The codec of the README's example, and as it should be.
#[derive(Clone, PartialEq, Eq)]
struct MyCodec {
    mended: bool,
}

impl Decoder for MyCodec {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Bytes>> {
        if buffer.len() < 2 {
            return Ok(None);
        }
        let length = usize::from(u16::from_be_bytes([buffer[0], buffer[1]]));
        if self.mended && buffer.len() < 2 + length {
            return Ok(None);
        }
        buffer.advance(2);
        if buffer.len() < length {
            return Ok(None);
        }
        Ok(Some(buffer.split_to(length).freeze()))
    }
}

impl Encoder<Bytes> for MyCodec {
    type Error = io::Error;

    fn encode(&mut self, body: Bytes, output: &mut BytesMut) -> io::Result<()> {
        output.put_u16(body.len().try_into().map_err(io::Error::other)?);
        output.extend(body);
        Ok(())
    }
}

fn verdicts(codec: MyCodec) -> Verdicts {
    Verdicts::of(move |verdicts| {
        let harness = Messages::new(encoder(|| codec.clone()))
            .messages(["hello", "", "world"].map(Bytes::from))
            .truncation_error(io::ErrorKind::Other)
            .harness(|| Buffered::new(Tokio::new(codec.clone(), |error| error.kind())));
        for stream in harness.streams() {
            verdicts.add(harness.prove_decoder(stream))?;
        }
        Ok(())
    })
}

#[test]
fn what_is_said_of_the_example_is_shown() {
    let broken = verdicts(MyCodec { mended: false });
    let smallest = broken.smallest(Property::Prompt).unwrap().to_string();
    assert!(
        README.contains(&format!("```text\n{smallest}\n```")),
        "{smallest}"
    );
    let mended = verdicts(MyCodec { mended: true });
    for property in Property::ALL {
        mended.assert(property);
    }
    let whole = mended.certificates()[1].to_string();
    assert!(
        README.contains(&format!("```text\n{whole}\n```")),
        "{whole}"
    );
}
