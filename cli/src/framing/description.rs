//! Reads and writes the description of a format, the value of `--framing`.

use std::fmt;
use std::str::FromStr;

use everysplit::reference::ByteOrder;
use everysplit_formats::delimited::Delimiter;
use everysplit_formats::length_field::{LengthField, Sign, Width};
use everysplit_formats::varint;

use super::FramingKind;

/// The formats without settings, with what `--help` says about each.
pub(crate) const NAMED: [(&str, FramingKind, &str); 6] = [
    (
        "header12",
        FramingKind::Header12,
        "Three u32 (bodySize, cmd, recv), little-endian, then the body. A driver writes a frame as \
         \"cmd recv body\", the body in hexadecimal; of every other format it writes the body \
         alone",
    ),
    (
        "len16",
        FramingKind::Len16,
        "A u16 length, big-endian, then the body",
    ),
    (
        "len32",
        FramingKind::Len32,
        "An i32 length, little-endian, then the body",
    ),
    (
        "len32u",
        FramingKind::Len32u,
        "A u32 length, big-endian, then the body",
    ),
    (
        "json-header",
        FramingKind::JsonHeader,
        "An i32 length, little-endian, a JSON header of that length with the size of the body, \
         such as {\"total_size\": 5}, then the body",
    ),
    (
        "netstring",
        FramingKind::Netstring,
        "The length in decimal digits, a colon, the body, a comma",
    ),
];

/// The formats with settings, with what `--help` says about each.
pub(crate) const DESCRIBED: [(&str, &str); 3] = [
    (
        "length",
        "A length field anywhere in a header, such as length:offset=2,width=2,adjust=-4, and the \
         bytes after it. Settings: \
         offset=N bytes before it [default: 0], width=1, 2, 3, 4 or 8 bytes [default: 4], \
         order=big or little [default: big], signed, counts=rest or frame: the bytes after the \
         field or the whole frame [default: rest], adjust=N to add to the length, strip=N bytes to \
         remove from each frame [default: up to the end of the field], max=BYTES of what is left",
    ),
    (
        "varint",
        "A length of 7 bits per byte, least significant first, then the body, as delimited \
         Protocol Buffers have it. varint:bits=32 is one of at most 5 bytes; max=BYTES",
    ),
    (
        "delimiter:crlf",
        "The body, then a mark: lf, crlf, nul, or up to 16 bytes in hexadecimal, such as \
         delimiter:0d0d0a. delimiter:crlf,max=1024 has a maximum",
    ),
];

/// A format as it was described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) kind: FramingKind,
    pub(crate) byte_order: Option<ByteOrder>,
    pub(crate) size_limit: Option<u32>,
}

impl FromStr for Description {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        let mut settings = Settings::parse(settings)?;
        let kind = match name {
            "length" => FramingKind::LengthField(settings.length_field()?),
            "varint" => FramingKind::Varint(settings.varint_width()?),
            "delimiter" => FramingKind::Delimited(settings.delimiter()?),
            name => match NAMED.iter().find(|(named, ..)| *named == name) {
                Some((_, kind, _)) => *kind,
                None => return Err(unknown()),
            },
        };
        let description = Self {
            kind,
            byte_order: match kind {
                FramingKind::LengthField(_) => settings.byte_order()?,
                _ => None,
            },
            size_limit: settings.number("max", 0, u32::MAX)?,
        };
        settings.finish(name, kind)?;
        Ok(description)
    }
}

fn unknown() -> String {
    let named = NAMED.iter().map(|(name, ..)| *name);
    let described = DESCRIBED.iter().map(|(name, _)| *name);
    let names: Vec<_> = named.chain(described).chain(["http1"]).collect();
    format!("there is no such format; these are: {}", names.join(", "))
}

/// The settings of a description that were not read yet, each with its value if it has one.
struct Settings<'a>(Vec<(&'a str, Option<&'a str>)>);

impl<'a> Settings<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let mut settings: Vec<(&str, Option<&str>)> = Vec::new();
        for setting in text.split(',').filter(|setting| !setting.is_empty()) {
            let (name, value) = match setting.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (setting, None),
            };
            if settings.iter().any(|(other, _)| *other == name) {
                return Err(format!("{name} is given twice"));
            }
            settings.push((name, value));
        }
        Ok(Self(settings))
    }

    /// Removes a setting and returns its value.
    fn take(&mut self, name: &str) -> Result<Option<&'a str>, String> {
        let Some(index) = self.0.iter().position(|(other, _)| *other == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.remove(index);
        value
            .map(Some)
            .ok_or_else(|| format!("{name} has no value: write {name}=VALUE"))
    }

    fn number<T>(&mut self, name: &str, min: T, max: T) -> Result<Option<T>, String>
    where
        T: Copy + FromStr + PartialOrd + fmt::Display,
    {
        let Some(value) = self.take(name)? else {
            return Ok(None);
        };
        let number = value.parse().ok();
        let number = number.filter(|number| (&min..=&max).contains(&number));
        number
            .map(Some)
            .ok_or_else(|| format!("{name}={value} is not a number from {min} to {max}"))
    }

    /// Removes a setting without a value, and returns whether it was there.
    fn flag(&mut self, name: &str) -> Result<bool, String> {
        let Some(index) = self.0.iter().position(|(other, _)| *other == name) else {
            return Ok(false);
        };
        match self.0.remove(index) {
            (_, None) => Ok(true),
            (_, Some(value)) => Err(format!("{name} takes no value; leave out ={value}")),
        }
    }

    fn byte_order(&mut self) -> Result<Option<ByteOrder>, String> {
        match self.take("order")? {
            None => Ok(None),
            Some("little") => Ok(Some(ByteOrder::Little)),
            Some("big") => Ok(Some(ByteOrder::Big)),
            Some(order) => Err(format!("order={order} is not big or little")),
        }
    }

    fn length_field(&mut self) -> Result<LengthField, String> {
        let offset = self.number("offset", 0, u16::MAX)?.unwrap_or(0);
        let bytes = self.number("width", 1, 8)?.unwrap_or(4);
        let width = Width::ALL.into_iter().find(|width| width.bytes() == bytes);
        let width = width.ok_or_else(|| format!("width={bytes} is not 1, 2, 3, 4 or 8"))?;
        let mut field = LengthField::new(offset, width);
        if self.flag("signed")? {
            field.sign = Sign::Signed;
        }
        let adjustment = self.number("adjust", i32::MIN, i32::MAX)?;
        field.adjustment = match (self.take("counts")?, adjustment) {
            (None | Some("rest"), None) => 0,
            (None, Some(adjustment)) => adjustment,
            (Some("frame"), None) => -i32::from(offset) - i32::from(bytes),
            (Some("rest" | "frame"), Some(_)) => {
                return Err("counts and adjust say the same; give one of them".into());
            }
            (Some(counts), _) => return Err(format!("counts={counts} is not rest or frame")),
        };
        field.strip = self.number("strip", 0, u16::MAX)?.unwrap_or(field.strip);
        Ok(field)
    }

    fn varint_width(&mut self) -> Result<varint::Width, String> {
        match self.take("bits")? {
            None | Some("64") => Ok(varint::Width::U64),
            Some("32") => Ok(varint::Width::U32),
            Some(bits) => Err(format!("bits={bits} is not 32 or 64")),
        }
    }

    fn delimiter(&mut self) -> Result<Delimiter, String> {
        let wanted = "write delimiter: and then lf, crlf, nul, or 1 to 16 bytes in hexadecimal";
        let mark = self.0.iter().position(|(_, value)| value.is_none());
        let (mark, _) = self.0.remove(mark.ok_or(wanted)?);
        let named = MARKS.iter().find(|(name, _)| *name == mark);
        let bytes = || hex::decode(mark).ok();
        let delimiter = match named {
            Some((_, delimiter)) => Some(*delimiter),
            None => bytes().and_then(|bytes| Delimiter::new(&bytes)),
        };
        delimiter.ok_or_else(|| format!("{mark} is no mark; {wanted}"))
    }

    /// Checks that all settings were read.
    fn finish(self, name: &str, kind: FramingKind) -> Result<(), String> {
        let Some((unknown, _)) = self.0.first() else {
            return Ok(());
        };
        let settings = match kind {
            FramingKind::LengthField(_) => {
                "offset, width, order, signed, counts, adjust, strip and max"
            }
            FramingKind::Varint(_) => "bits and max",
            FramingKind::Delimited(_) => "the mark and max",
            _ => "max",
        };
        Err(format!(
            "{name} has no setting {unknown}; it has {settings}"
        ))
    }
}

const MARKS: [(&str, Delimiter); 3] = [
    ("lf", Delimiter::LF),
    ("crlf", Delimiter::CRLF),
    ("nul", Delimiter::NUL),
];

/// Without byte order and maximum.
impl fmt::Display for FramingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LengthField(field) => write_length_field(*field, f),
            Self::Varint(varint::Width::U64) => f.write_str("varint"),
            Self::Varint(varint::Width::U32) => f.write_str("varint:bits=32"),
            Self::Delimited(delimiter) => {
                let name = MARKS.iter().find(|(_, mark)| mark == delimiter);
                match name {
                    Some((name, _)) => write!(f, "delimiter:{name}"),
                    None => write!(f, "delimiter:{}", hex::encode(delimiter.as_bytes())),
                }
            }
            kind => {
                let name = NAMED.iter().find(|(_, named, _)| named == kind);
                f.write_str(name.map_or("", |(name, ..)| name))
            }
        }
    }
}

fn write_length_field(field: LengthField, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let LengthField {
        offset,
        width,
        sign,
        adjustment,
        strip,
        ..
    } = field;
    f.write_str("length:")?;
    if offset != 0 {
        write!(f, "offset={offset},")?;
    }
    write!(f, "width={}", width.bytes())?;
    if sign == Sign::Signed {
        f.write_str(",signed")?;
    }
    if adjustment != 0 {
        write!(f, ",adjust={adjustment}")?;
    }
    if strip != LengthField::new(offset, width).strip {
        write!(f, ",strip={strip}")?;
    }
    Ok(())
}
