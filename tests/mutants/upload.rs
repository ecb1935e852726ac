//! Upload: a header declares the size of a body, and a loop as in the tutorials receives it.

use bytes::BytesMut;
use everysplit::Property;

use crate::Mutant;
use crate::formats::Upload;
use crate::toy::{Error, Frame, Next, Toy, limited, take};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Upload>(
            "a length of four bytes is read by one recv(4)",
            "the upload tutorials",
            Property::EverySplit,
            OneRecvLength,
            &[b"\x04\0\0\0{2t}ab"],
        ),
        Mutant::new::<Upload>(
            "a header is read by one recv of its length",
            "the upload tutorials",
            Property::EverySplit,
            OneRecvHeader,
            &[b"\x04\0\0\0{2t}ab"],
        ),
        Mutant::new::<Upload>(
            "a header may have any length",
            "the upload tutorials",
            Property::Limit,
            AnyHeader,
            &[b"\x04\0\0\0{2t}ab\xff\xff\xff\x7f"],
        ),
        Mutant::new::<Upload>(
            "a size is a float and rounded",
            "the upload tutorials",
            Property::Rejection,
            Rounds,
            &[b"\x06\0\0\0{1.6t}ab"],
        ),
        Mutant::new::<Upload>(
            "the last of two sizes is taken",
            "the upload tutorials",
            Property::Rejection,
            LastSize,
            &[b"\x07\0\0\0{1t,2f}ab"],
        ),
        Mutant::new::<Upload>(
            "recv(8192) until the size is reached",
            "the upload tutorials",
            Property::RoundTrip,
            Recv8192::default(),
            &[b"\x04\0\0\0{2t}ab\x04\0\0\0{1f}c"],
        ),
        Mutant::new::<Upload>(
            "received is compared with the size by ==",
            "the upload tutorials",
            Property::RoundTrip,
            Overshoots::default(),
            &[b"\x04\0\0\0{2t}ab\x04\0\0\0{1f}c"],
        ),
        Mutant::new::<Upload>(
            "received counts the header toward the size",
            "the upload tutorials",
            Property::RoundTrip,
            CountsHeader,
            &[b"\x04\0\0\0{7t}seven..\x04\0\0\0{1f}c"],
        ),
    ]
}

/// Unpacking a cut length is an error.
#[derive(Clone, PartialEq, Eq)]
struct OneRecvLength;

impl Toy for OneRecvLength {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        match buffer.len() {
            1..4 => Err(Error::Malformed),
            _ => Upload.decode(buffer),
        }
    }
}

/// The part of a header that has arrived is parsed as the whole header.
#[derive(Clone, PartialEq, Eq)]
struct OneRecvHeader;

impl Toy for OneRecvHeader {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        if let Some(length) = Upload::length(buffer)?
            && buffer.len() > 4
            && buffer.len() < 4 + length
        {
            Upload::size(&buffer[4..])?;
        }
        Upload.decode(buffer)
    }
}

/// The framer waits for a header of any length.
#[derive(Clone, PartialEq, Eq)]
struct AnyHeader;

impl Toy for AnyHeader {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let length = buffer
            .first_chunk()
            .map(|&length| i32::from_le_bytes(length));
        match length {
            Some(Upload::OVER..) => Ok(None),
            _ => Upload.decode(buffer),
        }
    }
}

/// Decodes a frame. `size` parses its header.
fn decode(buffer: &mut BytesMut, size: impl Fn(&str) -> Result<usize, Error>) -> Next {
    let Some(length) = Upload::length(buffer)? else {
        return Ok(None);
    };
    let Some(header) = buffer.get(4..4 + length) else {
        return Ok(None);
    };
    let header = str::from_utf8(header).map_err(|_| Error::Malformed)?;
    let size = size(header.trim_matches(['{', '}']))?;
    Ok(take(buffer, 4 + length, limited(size)?))
}

/// The size is parsed as a float and rounded.
#[derive(Clone, PartialEq, Eq)]
struct Rounds;

impl Toy for Rounds {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "this is the bug"
    )]
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        decode(buffer, |header| {
            let digits = header.trim_end_matches(['t', 'f']);
            let size: f64 = digits.parse().map_err(|_| Error::Malformed)?;
            Ok(size.round() as usize)
        })
    }
}

/// If several entries are sizes, the last one is used.
#[derive(Clone, PartialEq, Eq)]
struct LastSize;

impl Toy for LastSize {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        decode(buffer, |header| {
            let last = header.split(',').next_back().unwrap_or_default();
            Upload::size(format!("{{{last}}}").as_bytes())
        })
    }
}

/// A receive loop: the size of the body, once known, and the bytes received so far.
#[derive(Clone, Default, PartialEq, Eq)]
struct ReceiveLoop {
    size: Option<usize>,
    received: Frame,
}

impl ReceiveLoop {
    /// Reads the header, then takes everything in the buffer until `done` returns true for the
    /// number of bytes received and the size.
    fn decode(&mut self, buffer: &mut BytesMut, done: fn(usize, usize) -> bool) -> Next {
        let Some(size) = self.size else {
            let Some(length) = Upload::length(buffer)? else {
                return Ok(None);
            };
            let Some(header) = take(buffer, 4, length) else {
                return Ok(None);
            };
            self.size = Some(limited(Upload::size(&header)?)?);
            return self.decode(buffer, done);
        };
        if !done(self.received.len(), size) {
            self.received.extend_from_slice(&buffer.split());
        }
        Ok(done(self.received.len(), size).then(|| std::mem::take(self).received))
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.size.is_some() || !buffer.is_empty()
    }
}

/// The start of the next message is received as a part of this body.
#[derive(Clone, Default, PartialEq, Eq)]
struct Recv8192(ReceiveLoop);

impl Toy for Recv8192 {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        self.0.decode(buffer, |received, size| received >= size)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.0.inside(buffer)
    }
}

/// If one byte too many is received, the loop never ends.
#[derive(Clone, Default, PartialEq, Eq)]
struct Overshoots(ReceiveLoop);

impl Toy for Overshoots {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        self.0.decode(buffer, |received, size| received == size)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.0.inside(buffer)
    }
}

/// The bytes of the header are counted as a part of the body.
#[derive(Clone, PartialEq, Eq)]
struct CountsHeader;

impl Toy for CountsHeader {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        let length = Upload::length(buffer)?.unwrap_or_default();
        decode(buffer, |header| {
            let size = Upload::size(format!("{{{header}}}").as_bytes())?;
            Ok(size.saturating_sub(length))
        })
    }
}
