//! The header: its configuration, decoding and encoding.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::BytesMut;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::error::{DecodeError, EncodeError, Flaw};
use everysplit::reference::ByteOrder;

/// The settings that both ends must agree on.
///
/// ```
/// use everysplit_formats::json_header::{Config, Md5};
///
/// let config = Config { size_keys: &["length"], md5: Md5::Check, ..Config::default() };
/// assert_eq!(config.max_header_size, 64 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The byte order of the length. Little-endian by default.
    pub byte_order: ByteOrder,
    /// The size limit of a header, in bytes, without the length before it: any `u32`, 64 KiB by
    /// default. A header of exactly this size is accepted.
    ///
    /// The decoded fields of a hostile header can take about a hundred times as much memory.
    pub max_header_size: u32,
    /// The size limit of a body, in bytes: any `u64`, [`u64::MAX`] by default. A body of exactly
    /// this size is accepted.
    pub max_size: u64,
    /// The keys that can hold the size of the body. A header must have exactly one of them.
    /// [`SIZE_KEYS`](Self::SIZE_KEYS) by default.
    pub size_keys: &'static [&'static str],
    /// Whether the field `md5` of a header is checked. Ignored by default.
    pub md5: Md5,
}

/// Whether the field `md5` of a header is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Md5 {
    /// The field has no meaning to the decoder.
    #[default]
    Ignore,
    /// The field must be a string of 32 hexadecimal digits, the MD5 of the body. A header without
    /// it is accepted.
    ///
    /// The check detects accidental corruption. It does not authenticate the sender.
    Check,
}

/// A decoded header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The size of the body after the header, in bytes.
    pub size: u64,
    /// All fields of the header, including the size.
    pub fields: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Config {
    /// The keys for the size of a body that the tutorials use.
    pub const SIZE_KEYS: &'static [&'static str] =
        &["total_size", "data_size", "filesize", "file_size"];

    /// Little-endian, headers of up to 64 KiB, bodies of any size, [`SIZE_KEYS`](Self::SIZE_KEYS),
    /// md5 ignored. The same as [`Config::default`].
    pub const DEFAULT: Self = Self {
        byte_order: ByteOrder::Little,
        max_header_size: 64 * 1024,
        max_size: u64::MAX,
        size_keys: Self::SIZE_KEYS,
        md5: Md5::Ignore,
    };

    /// Appends a header with its length to `dst`, and returns the size of the body in bytes. Send
    /// that many bytes of body next.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use everysplit_formats::json_header::Config;
    /// use serde_json::{Map, Value};
    ///
    /// let fields = Map::from_iter([("total_size".to_string(), Value::from(5))]);
    /// let mut wire = BytesMut::new();
    /// let size = Config::default().encode_header(&fields, &mut wire)?;
    /// assert_eq!((size, &wire[..]), (5, &b"\x10\0\0\0{\"total_size\":5}"[..]));
    /// # Ok::<(), everysplit_formats::json_header::EncodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncodeError`] for a header that [`Decoder::decode`](super::Decoder::decode) would reject.
    /// `dst` is then unchanged.
    pub fn encode_header(
        self,
        fields: &Map<String, Value>,
        dst: &mut BytesMut,
    ) -> Result<u64, EncodeError> {
        let json = serde_json::to_vec(fields).map_err(|_| EncodeError::Header(Flaw::NotJson))?;
        // The length is signed on the wire.
        let max_header_size = self.max_header_size.min(i32::MAX.cast_unsigned());
        let length = match u32::try_from(json.len()) {
            Ok(length) if length <= max_header_size => length,
            _ => {
                return Err(EncodeError::HeaderTooLarge {
                    header_size: json.len(),
                    max_header_size,
                });
            }
        };
        let (header, _) = self.read(&json).map_err(EncodeError::Header)?;
        dst.extend_from_slice(&self.byte_order.write_u32(length));
        dst.extend_from_slice(&json);
        Ok(header.size)
    }

    /// Reads the length at the front of a frame, or returns `None` if it is not whole yet.
    ///
    /// `offset` is the position of the frame in the stream, used only in errors.
    pub(super) fn length(self, frame: &[u8], offset: u64) -> Result<Option<usize>, DecodeError> {
        let Some(&length) = frame.first_chunk() else {
            return Ok(None);
        };
        let length = self.byte_order.read_u32(length).cast_signed();
        match u32::try_from(length) {
            Ok(length) if length <= self.max_header_size => Ok(Some(length as usize)),
            _ => Err(DecodeError::HeaderLength {
                offset,
                length,
                max_header_size: self.max_header_size,
            }),
        }
    }

    /// Reads a header, and the md5 that its body must have, if it is checked.
    pub(super) fn read(self, json: &[u8]) -> Result<(Header, Option<u128>), Flaw> {
        let text = str::from_utf8(json).map_err(|_| Flaw::NotUtf8)?;
        let fields = fields(text)?;
        let size = self.size(&fields)?;
        let md5 = match (self.md5, fields.get("md5")) {
            (Md5::Check, Some(md5)) => Some(digest(md5).ok_or(Flaw::NotMd5)?),
            _ => None,
        };
        Ok((Header { size, fields }, md5))
    }

    fn size(self, fields: &Map<String, Value>) -> Result<u64, Flaw> {
        let sizes = self.size_keys.iter();
        let sizes = sizes.filter_map(|&key| Some((key, fields.get(key)?)));
        let size = match sizes.collect::<Vec<_>>()[..] {
            [] => return Err(Flaw::NoSize(self.size_keys)),
            // `as_u64` rejects a number with a point or an exponent, whatever its value.
            [(key, size)] => size.as_u64().ok_or(Flaw::NotSize(key))?,
            [(first, _), (second, _), ..] => return Err(Flaw::TwoSizes(first, second)),
        };
        if size > self.max_size {
            let max_size = self.max_size;
            return Err(Flaw::BodyTooLarge { size, max_size });
        }
        Ok(size)
    }
}

/// Reads an md5 of 32 hexadecimal digits in upper or lower case.
fn digest(md5: &Value) -> Option<u128> {
    let digits = md5.as_str()?;
    // `from_str_radix` accepts a sign.
    let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let digits = Some(digits).filter(|digits| digits.len() == 32 && all)?;
    u128::from_str_radix(digits, 16).ok()
}

/// Reads a JSON object without duplicate keys.
fn fields(text: &str) -> Result<Map<String, Value>, Flaw> {
    let fields = serde_json::from_str(text);
    fields
        .map(|UniqueKeys(fields)| fields)
        .map_err(|_| match serde_json::from_str(text) {
            Ok(Value::Object(_)) => Flaw::KeyTwice,
            Ok(_) => Flaw::NotObject,
            Err(_) => Flaw::NotJson,
        })
}

/// A JSON object without duplicate keys. `Map` silently keeps the last of two entries, where the
/// other end may keep the first.
struct UniqueKeys(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Map::new()))
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Self, A::Error> {
        while let Some((key, value)) = entries.next_entry()? {
            if self.0.insert(key, value).is_some() {
                return Err(A::Error::custom("duplicate key"));
            }
        }
        Ok(self)
    }
}
