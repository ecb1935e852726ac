//! The header: what both ends agree on, how it is read once it is whole, and how it
//! is written. It waits for nothing.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::BytesMut;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::error::{DecodeError, EncodeError, Flaw};
use everysplit::reference::ByteOrder;

/// What both ends must agree on before the first byte.
///
/// ```
/// use everysplit_formats::json_header::{Config, Md5};
///
/// let config = Config { size_keys: &["length"], md5: Md5::Check, ..Config::default() };
/// assert_eq!(config.max_header_size, 64 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The byte order of the length; little-endian by default.
    pub byte_order: ByteOrder,
    /// The longest header accepted, in bytes without its length: any `u32`, 64 KiB by
    /// default. A header of exactly this length passes.
    ///
    /// The fields of a hostile header can take about a hundred times its bytes.
    pub max_header_size: u32,
    /// The largest body accepted, in bytes: any `u64`, which is also the default. A
    /// body of exactly this size passes.
    pub max_size: u64,
    /// The keys under which a header can tell the size of the body, and must under
    /// one: [`SIZE_KEYS`](Self::SIZE_KEYS) by default.
    pub size_keys: &'static [&'static str],
    /// What is done about an `md5` among the fields; nothing by default.
    pub md5: Md5,
}

/// What is done about an `md5` among the fields of a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Md5 {
    /// It is a field like any other.
    #[default]
    Ignore,
    /// It must be 32 hexadecimal digits, and the body is checked against it. A header
    /// without one passes.
    ///
    /// It shows what went wrong on the way. It is no proof of who sent the body.
    Check,
}

/// A header that tells the size of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// How many bytes of body follow it.
    pub size: u64,
    /// All of its fields, the size among them.
    pub fields: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Config {
    /// The keys that the documents use.
    pub const SIZE_KEYS: &'static [&'static str] =
        &["total_size", "data_size", "filesize", "file_size"];

    /// Little-endian, headers of up to 64 KiB, bodies of any size under the keys that
    /// the documents use, their md5 ignored: what [`Default`] gives.
    pub const DEFAULT: Self = Self {
        byte_order: ByteOrder::Little,
        max_header_size: 64 * 1024,
        max_size: u64::MAX,
        size_keys: Self::SIZE_KEYS,
        md5: Md5::Ignore,
    };

    /// Appends a header to `dst`, the length before it, and returns the size of the
    /// body, which is to be sent next, from where it lies.
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
    /// What [`Decoder::decode`](super::Decoder::decode) would refuse; `dst` is then as
    /// it was.
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

    /// Reads the length at the front of a frame, `None` while it is not whole.
    ///
    /// `offset` is where in the stream the frame begins; only errors tell it.
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

    /// Reads a header, and the md5 to check its body against, if there is to be one.
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
            // A number with a point or an exponent is none, whatever its value.
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

/// Reads an md5, of 32 hexadecimal digits in either case.
fn digest(md5: &Value) -> Option<u128> {
    let digits = md5.as_str()?;
    // `from_str_radix` takes a sign too.
    let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let digits = Some(digits).filter(|digits| digits.len() == 32 && all)?;
    u128::from_str_radix(digits, 16).ok()
}

/// Reads an object.
fn fields(text: &str) -> Result<Map<String, Value>, Flaw> {
    let fields = serde_json::from_str(text);
    fields
        .map(|Once(fields)| fields)
        .map_err(|_| match serde_json::from_str(text) {
            Ok(Value::Object(_)) => Flaw::KeyTwice,
            Ok(_) => Flaw::NotObject,
            Err(_) => Flaw::NotJson,
        })
}

/// An object in which every key stands once: `Map` alone keeps the last entry and says
/// nothing, where the other end may keep the first.
struct Once(Map<String, Value>);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Map::new()))
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Self, A::Error> {
        while let Some((key, value)) = entries.next_entry()? {
            if self.0.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(self)
    }
}
