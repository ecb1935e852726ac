//! The kind of answer that a server gives to a `ClientHello`: its records and messages by type,
//! without what is random in them.

/// A length above this is not one of a record (RFC 8446, section 5.2, and RFC 5246, section 6.2.3).
const MAX_RECORD: usize = 16 * 1024 + 2048;

/// The random bytes of a `ServerHello` that is a `HelloRetryRequest` (RFC 8446, section 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Types of records.
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// Types of messages.
const SERVER_HELLO: u8 = 2;
const SERVER_HELLO_DONE: u8 = 14;

/// The extension of a `ServerHello` with the version.
const SUPPORTED_VERSIONS: [u8; 2] = [0, 43];

/// The answer of a server, as far as it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The records and messages, in words. Those of equal kind in a row are one.
    parts: Vec<String>,
    /// Whether the server waits for the client now, or has refused it.
    is_complete: bool,
    /// What follows the records that are whole.
    rest: Rest,
}

/// What follows the records that are whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Rest {
    #[default]
    Nothing,
    PartOfRecord,
    Other(Vec<u8>),
}

/// A whole record.
struct Record<'a> {
    kind: u8,
    version: u16,
    content: &'a [u8],
}

impl Answer {
    /// Reads an answer.
    pub(crate) fn read(mut bytes: &[u8]) -> Self {
        let mut answer = Self::default();
        // Messages can be spread over records.
        let mut messages = Vec::new();
        while !bytes.is_empty() {
            let record = match record(bytes) {
                Ok(Some(record)) => record,
                Ok(None) => {
                    answer.rest = Rest::PartOfRecord;
                    break;
                }
                Err(NotTls) => {
                    answer.rest = Rest::Other(bytes.into());
                    break;
                }
            };
            bytes = &bytes[5 + record.content.len()..];
            answer.add(&record, &mut messages);
        }
        answer
    }

    fn add(&mut self, record: &Record<'_>, messages: &mut Vec<u8>) {
        let version = version(record.version);
        let text = match (record.kind, record.content) {
            (HANDSHAKE, content) => {
                messages.extend_from_slice(content);
                while let Some((kind, body)) = take_message(messages) {
                    self.is_complete |= kind == SERVER_HELLO_DONE || is_retry(kind, &body);
                    self.push(format!("{} in {version}", message_name(kind, &body)));
                }
                return;
            }
            (ALERT, &[level, description]) => {
                self.is_complete = true;
                let level = match level {
                    1 => "warning",
                    2 => "fatal",
                    _ => "unknown",
                };
                format!("alert {level} {} in {version}", alert_name(description))
            }
            (ALERT, _) => format!("encrypted alert in {version}"),
            (CHANGE_CIPHER_SPEC, _) => format!("change_cipher_spec in {version}"),
            (APPLICATION_DATA, _) => {
                self.is_complete = true;
                format!("encrypted records in {version}")
            }
            (kind, _) => format!("record of type {kind} in {version}"),
        };
        self.push(text);
    }

    /// Adds a part. How many encrypted records there are depends on the lengths in them.
    fn push(&mut self, part: String) {
        if self.parts.last() != Some(&part) {
            self.parts.push(part);
        }
    }

    /// Returns whether it is complete while the connection is open.
    pub(crate) const fn is_complete(&self) -> bool {
        self.is_complete && matches!(self.rest, Rest::Nothing)
    }

    /// Returns its first bytes that are no TLS, if nothing before them is.
    pub(crate) fn foreign(&self) -> Option<&[u8]> {
        match &self.rest {
            Rest::Other(bytes) if self.parts.is_empty() => Some(bytes),
            _ => None,
        }
    }

    /// Returns it as text, to be compared with another.
    pub(crate) fn into_text(self) -> Vec<u8> {
        let mut text = self.parts.join(", ").into_bytes();
        match self.rest {
            Rest::Nothing => {}
            Rest::PartOfRecord => text.extend(b", then a part of a record"),
            Rest::Other(bytes) => {
                text.extend(b", then something that is not TLS: ");
                text.extend(bytes);
            }
        }
        text
    }
}

/// Bytes that are not TLS.
struct NotTls;

/// Returns the first record, `None` if it is incomplete.
fn record(bytes: &[u8]) -> Result<Option<Record<'_>>, NotTls> {
    let [kind, rest @ ..] = bytes else {
        return Ok(None);
    };
    if !(CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(kind)
        || rest.first().is_some_and(|&major| major != 3)
    {
        return Err(NotTls);
    }
    let &[major, minor, high, low, ref rest @ ..] = rest else {
        return Ok(None);
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len > MAX_RECORD {
        return Err(NotTls);
    }
    Ok(rest.get(..len).map(|content| Record {
        kind: *kind,
        version: u16::from_be_bytes([major, minor]),
        content,
    }))
}

/// Takes the first message, if it is whole. Returns its type and body.
fn take_message(messages: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let &[kind, high, middle, low, ..] = messages.as_slice() else {
        return None;
    };
    let len = usize::try_from(u32::from_be_bytes([0, high, middle, low])).ok()?;
    if messages.len() - 4 < len {
        return None;
    }
    let rest = messages.split_off(4 + len);
    let body = std::mem::replace(messages, rest).split_off(4);
    Some((kind, body))
}

fn is_retry(kind: u8, body: &[u8]) -> bool {
    kind == SERVER_HELLO && body.get(2..34) == Some(&RETRY)
}

fn message_name(kind: u8, body: &[u8]) -> String {
    let name = match kind {
        SERVER_HELLO => {
            let name = if is_retry(kind, body) {
                "HelloRetryRequest"
            } else {
                "ServerHello"
            };
            return match selected_version(body) {
                Some(selected) => format!("{name} of {}", version(selected)),
                None => format!("malformed {name}"),
            };
        }
        4 => "NewSessionTicket",
        11 => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        SERVER_HELLO_DONE => "ServerHelloDone",
        22 => "CertificateStatus",
        _ => return format!("message of type {kind}"),
    };
    name.into()
}

/// Returns the version that a `ServerHello` selects: that of its extension, if it has one.
fn selected_version(body: &[u8]) -> Option<u16> {
    let word = |at: usize| Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
    let oldest = word(0)?;
    // The random bytes, the session, the cipher suite and the compression come first.
    let mut at = 35 + usize::from(*body.get(34)?) + 3 + 2;
    while let Some(len) = word(at + 2) {
        if body[at..at + 2] == SUPPORTED_VERSIONS {
            return word(at + 4);
        }
        at += 4 + usize::from(len);
    }
    Some(oldest)
}

fn version(number: u16) -> String {
    match number {
        0x0300 => "SSL 3.0".into(),
        0x0301..=0x0304 => format!("TLS 1.{}", number - 0x0301),
        _ => format!("version {number:04x}"),
    }
}

/// Returns the name of an alert (RFC 8446, section 6).
fn alert_name(description: u8) -> String {
    let name = match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        47 => "illegal_parameter",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => return format!("number {description}"),
    };
    name.into()
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription, ProtocolVersion};

    use super::*;

    fn record(kind: u8, content: &[u8]) -> Vec<u8> {
        let len = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind, 3, 3][..], &len, content].concat()
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let len = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[kind][..], &len[1..], body].concat()
    }

    fn server_hello(random: &[u8; 32], extensions: &[u8]) -> Vec<u8> {
        let len = u16::try_from(extensions.len()).unwrap().to_be_bytes();
        let body = [&[3, 3][..], random, &[0, 0x13, 1, 0], &len, extensions];
        message(SERVER_HELLO, &body.concat())
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(&Answer::read(bytes).into_text()).into_owned()
    }

    const TLS_1_3: [u8; 10] = [0, 51, 0, 0, 0, 43, 0, 2, 3, 4];

    /// An answer is complete at its last byte, and not before.
    #[track_caller]
    fn ends(answer: &[u8], expected: &str) {
        for end in 0..answer.len() {
            assert!(!Answer::read(&answer[..end]).is_complete(), "{end}");
        }
        assert!(Answer::read(answer).is_complete());
        assert_eq!(text(answer), expected);
    }

    #[test]
    fn an_answer_ends_as_its_kind_says() {
        let retry = record(HANDSHAKE, &server_hello(&RETRY, &TLS_1_3));
        ends(&retry, "HelloRetryRequest of TLS 1.3 in TLS 1.2");
        ends(
            &record(ALERT, &[2, 40]),
            "alert fatal handshake_failure in TLS 1.2",
        );
        let hello = record(HANDSHAKE, &server_hello(&[7; 32], &TLS_1_3));
        let change = record(CHANGE_CIPHER_SPEC, &[1]);
        let encrypted = record(APPLICATION_DATA, &[0; 50]);
        let mut answer = [hello, change, encrypted.clone()].concat();
        let expected = "ServerHello of TLS 1.3 in TLS 1.2, change_cipher_spec in TLS 1.2, encrypted records in TLS 1.2";
        ends(&answer, expected);
        // Whether these are sent in one record or in several says nothing.
        answer.extend(encrypted);
        assert_eq!(text(&answer), expected);
    }

    #[test]
    fn alerts_and_versions_are_those_of_rustls() {
        let alerts = [
            (AlertDescription::CloseNotify, "close_notify"),
            (AlertDescription::UnexpectedMessage, "unexpected_message"),
            (AlertDescription::BadRecordMac, "bad_record_mac"),
            (AlertDescription::RecordOverflow, "record_overflow"),
            (AlertDescription::HandshakeFailure, "handshake_failure"),
            (AlertDescription::IllegalParameter, "illegal_parameter"),
            (AlertDescription::DecodeError, "decode_error"),
            (AlertDescription::DecryptError, "decrypt_error"),
            (AlertDescription::ProtocolVersion, "protocol_version"),
            (
                AlertDescription::InsufficientSecurity,
                "insufficient_security",
            ),
            (AlertDescription::InternalError, "internal_error"),
            (
                AlertDescription::InappropriateFallback,
                "inappropriate_fallback",
            ),
            (AlertDescription::UserCanceled, "user_canceled"),
            (AlertDescription::MissingExtension, "missing_extension"),
            (
                AlertDescription::UnsupportedExtension,
                "unsupported_extension",
            ),
            (AlertDescription::UnrecognisedName, "unrecognized_name"),
            (
                AlertDescription::CertificateRequired,
                "certificate_required",
            ),
            (
                AlertDescription::NoApplicationProtocol,
                "no_application_protocol",
            ),
            (AlertDescription::Unknown(199), "number 199"),
        ];
        for (description, name) in alerts {
            for (level, word) in [(1, "warning"), (2, "fatal"), (3, "unknown")] {
                let alert = record(ALERT, &[level, description.into()]);
                assert_eq!(text(&alert), format!("alert {word} {name} in TLS 1.2"));
            }
        }
        let versions = [
            (ProtocolVersion::SSLv3, "SSL 3.0"),
            (ProtocolVersion::TLSv1_0, "TLS 1.0"),
            (ProtocolVersion::TLSv1_1, "TLS 1.1"),
            (ProtocolVersion::TLSv1_2, "TLS 1.2"),
            (ProtocolVersion::TLSv1_3, "TLS 1.3"),
            (ProtocolVersion::Unknown(0x0305), "version 0305"),
        ];
        for (version, name) in versions {
            let mut alert = record(ALERT, &[0; 16]);
            alert[1..3].copy_from_slice(&u16::from(version).to_be_bytes());
            assert_eq!(text(&alert), format!("encrypted alert in {name}"));
        }
    }

    #[test]
    fn bytes_that_begin_no_record_are_foreign() {
        let longest = [HANDSHAKE, 3, 3, 0x48, 0];
        for (bytes, is_foreign) in [
            (&[HANDSHAKE, 3][..], false),
            (&[HANDSHAKE, 2], true),
            (&[CHANGE_CIPHER_SPEC - 1, 3], true),
            (&[APPLICATION_DATA + 1, 3], true),
            (&longest, false),
            (&[HANDSHAKE, 3, 3, 0x48, 1], true),
        ] {
            let answer = Answer::read(bytes);
            assert_eq!(answer.foreign().is_some(), is_foreign, "{bytes:?}");
        }
    }

    #[test]
    fn messages_may_be_spread_over_records() {
        let messages = [
            server_hello(&[7; 32], &[]),
            message(11, &[1; 70]),
            message(SERVER_HELLO_DONE, &[]),
        ]
        .concat();
        let expected =
            "ServerHello of TLS 1.2 in TLS 1.2, Certificate in TLS 1.2, ServerHelloDone in TLS 1.2";
        for size in [1, 3, 60, messages.len()] {
            let records = messages.chunks(size).map(|part| record(HANDSHAKE, part));
            ends(&records.collect::<Vec<_>>().concat(), expected);
        }
    }

    #[test]
    fn what_is_not_tls_is_kept() {
        let answer = Answer::read(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        assert!(
            answer
                .foreign()
                .is_some_and(|bytes| bytes.starts_with(b"HTTP"))
        );
        let mixed = [record(ALERT, &[2, 0]), b"HTTP".into()].concat();
        assert!(Answer::read(&mixed).foreign().is_none());
        assert_eq!(
            text(&mixed),
            "alert fatal close_notify in TLS 1.2, then something that is not TLS: HTTP"
        );
        let part = &record(ALERT, &[2, 0])[..6];
        assert_eq!(text(part), ", then a part of a record");
    }

    #[test]
    fn malformed_messages_do_not_end_the_run() {
        for len in 0..40 {
            let hello = record(HANDSHAKE, &message(SERVER_HELLO, &vec![0xff; len]));
            assert!(!Answer::read(&hello).is_complete());
        }
    }

    #[test]
    fn messages_are_named() {
        for (kind, name) in [
            (4, "NewSessionTicket"),
            (12, "ServerKeyExchange"),
            (13, "CertificateRequest"),
            (22, "CertificateStatus"),
            (99, "message of type 99"),
        ] {
            let answer = record(HANDSHAKE, &message(kind, b"ab"));
            assert_eq!(text(&answer), format!("{name} in TLS 1.2"));
        }
    }

    #[test]
    fn other_records_are_shown() {
        let oldest = [APPLICATION_DATA, 3, 0, 0, 1, 9];
        assert_eq!(text(&oldest), "encrypted records in SSL 3.0");
        for other in [
            &b"\x17\x02\0\0\x01a"[..],
            b"\x16\x03\x03\xff\xffa",
            b"HTTP/1.1",
        ] {
            let answer = Answer::read(other);
            assert_eq!(answer.rest, Rest::Other(other.into()), "{other:x?}");
        }
        let begun = Answer::read(&[HANDSHAKE]);
        assert_eq!(begun.rest, Rest::PartOfRecord);
    }
}
