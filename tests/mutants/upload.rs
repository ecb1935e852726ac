//! Upload: a header tells the size of a body, and a loop receives it, as tutorials
//! teach.

use bytes::BytesMut;
use everysplit::check::Property;

use crate::Mutant;
use crate::formats::Upload;
use crate::toy::{Error, Frame, Next, Toy, limited, take};

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new::<Upload>(
            "a length of four bytes is read by one recv(4)",
            "the upload tutorials",
            Property::Limit,
            OneRecvLength,
            &[b"\x04\0\0\0{2t}ab"],
        ),
        Mutant::new::<Upload>(
            "a header is read by one recv of its length",
            "the upload tutorials",
            Property::Limit,
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
            Property::Limit,
            Rounds,
            &[b"\x06\0\0\0{1.6t}ab"],
        ),
        Mutant::new::<Upload>(
            "the last of two sizes is taken",
            "the upload tutorials",
            Property::Limit,
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
            Property::Prompt,
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

/// A length that is cut does not unpack.
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

/// What is there of a header is the header.
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

/// The header is waited for however long it is said to be.
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

/// Takes a frame whose header is read by `size`.
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

/// A fraction is rounded to a size.
#[derive(Clone, PartialEq, Eq)]
struct Rounds;

impl Toy for Rounds {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "this is the mistake"
    )]
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        decode(buffer, |header| {
            let digits = header.trim_end_matches(['t', 'f']);
            let size: f64 = digits.parse().map_err(|_| Error::Malformed)?;
            Ok(size.round() as usize)
        })
    }
}

/// Of the entries that are a size the last one counts.
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

/// What a loop has received of a body of this size.
#[derive(Clone, Default, PartialEq, Eq)]
struct Receives {
    size: Option<usize>,
    received: Frame,
}

impl Receives {
    /// Reads the header, then takes what is there until there is as much as `whole`
    /// asks for, or too much.
    fn decode(&mut self, buffer: &mut BytesMut, whole: fn(usize, usize) -> bool) -> Next {
        let Some(size) = self.size else {
            let Some(length) = Upload::length(buffer)? else {
                return Ok(None);
            };
            let Some(header) = take(buffer, 4, length) else {
                return Ok(None);
            };
            self.size = Some(limited(Upload::size(&header)?)?);
            return self.decode(buffer, whole);
        };
        if !whole(self.received.len(), size) {
            self.received.extend_from_slice(&buffer.split());
        }
        Ok(whole(self.received.len(), size).then(|| std::mem::take(self).received))
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.size.is_some() || !buffer.is_empty()
    }
}

/// The beginning of the next message goes into the file.
#[derive(Clone, Default, PartialEq, Eq)]
struct Recv8192(Receives);

impl Toy for Recv8192 {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        self.0.decode(buffer, |received, size| received >= size)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.0.inside(buffer)
    }
}

/// With one byte too many it waits for ever.
#[derive(Clone, Default, PartialEq, Eq)]
struct Overshoots(Receives);

impl Toy for Overshoots {
    fn decode(&mut self, buffer: &mut BytesMut) -> Next {
        self.0.decode(buffer, |received, size| received == size)
    }

    fn inside(&self, buffer: &BytesMut) -> bool {
        self.0.inside(buffer)
    }
}

/// What came before the body is taken for a part of it.
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
