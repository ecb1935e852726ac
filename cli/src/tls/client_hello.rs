//! The `ClientHello` messages that `everysplit tls` sends, as RFC 8446 describes them: valid for
//! servers of TLS 1.2 and 1.3.

use std::net::IpAddr;

use crate::streams::NamedStream;

/// Number of bytes of a hybrid post-quantum key share, such as X25519MLKEM768.
const LARGE_KEY_SHARE: usize = 1216;

/// Types of extensions.
const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
const EXTENDED_MASTER_SECRET: u16 = 23;
const SUPPORTED_VERSIONS: u16 = 43;
const KEY_EXCHANGE_MODES: u16 = 45;
const KEY_SHARE: u16 = 51;
const RENEGOTIATION_INFO: u16 = 0xff01;

const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;

/// Groups for the key exchange.
const SECP256R1: u16 = 23;
const SECP384R1: u16 = 24;
const X25519: u16 = 29;
/// A group that no server knows, and that each must ignore (RFC 8701).
const GREASE: u16 = 0x2a2a;

/// With AES-GCM and `ChaCha20`: three of TLS 1.3, then those of TLS 1.2 with and without forward
/// secrecy, and two with CBC for old servers.
const CIPHER_SUITES: [u16; 15] = [
    0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
    0x009d, 0x002f, 0x0035,
];

/// ECDSA, RSA-PSS and RSA, with SHA-256 to SHA-512, and Ed25519.
const SIGNATURES: [u16; 10] = [
    0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601, 0x0807,
];

/// Returns a small `ClientHello`, and one with a large key share. The name is left out if it is
/// an IP address, as those are not allowed there.
pub(crate) fn streams(server_name: &str) -> Vec<NamedStream> {
    let large = [(GREASE, LARGE_KEY_SHARE), (X25519, 32)];
    [
        ("ClientHello", &large[1..]),
        ("ClientHello with a large key share", &large[..]),
    ]
    .map(|(name, shares)| NamedStream::new(name, client_hello(server_name, shares)))
    .into()
}

/// Returns a record with a `ClientHello`. Key shares are groups with their lengths.
fn client_hello(server_name: &str, shares: &[(u16, usize)]) -> Vec<u8> {
    let with_name = server_name.parse::<IpAddr>().is_err();
    // The type 0 is a host name.
    let name = [&[0][..], &counted::<2>(server_name.as_bytes())].concat();
    let own_groups = shares.iter().map(|(group, _)| *group);
    let groups = own_groups.chain([SECP256R1, SECP384R1]);
    let shares = shares.iter().flat_map(|&(group, len)| {
        let key = counted::<2>(&filler(len));
        [&group.to_be_bytes()[..], &key].concat()
    });
    let extensions = [
        with_name.then(|| (SERVER_NAME, counted::<2>(&name))),
        Some((EXTENDED_MASTER_SECRET, Vec::new())),
        Some((RENEGOTIATION_INFO, vec![0])),
        Some((SUPPORTED_GROUPS, counted::<2>(&words(groups)))),
        // Uncompressed points.
        Some((POINT_FORMATS, vec![1, 0])),
        Some((SIGNATURE_ALGORITHMS, counted::<2>(&words(SIGNATURES)))),
        Some((SUPPORTED_VERSIONS, counted::<1>(&words([TLS_1_3, TLS_1_2])))),
        // A new exchange also when a session is resumed.
        Some((KEY_EXCHANGE_MODES, vec![1, 1])),
        Some((KEY_SHARE, counted::<2>(&shares.collect::<Vec<_>>()))),
    ];
    let extensions = extensions.into_iter().flatten();
    let extensions = extensions
        .flat_map(|(kind, data)| [&kind.to_be_bytes()[..], &counted::<2>(&data)].concat());
    let body = [
        &TLS_1_2.to_be_bytes()[..],
        &filler(32),
        &counted::<1>(&filler(32)),
        &counted::<2>(&words(CIPHER_SUITES)),
        // No compression.
        &[1, 0],
        &counted::<2>(&extensions.collect::<Vec<_>>()),
    ]
    .concat();
    let message = [&[1][..], &counted::<3>(&body)].concat();
    // For the sake of old servers, the record has the version of TLS 1.0.
    [&[22, 3, 1][..], &counted::<2>(&message)].concat()
}

/// Returns bytes after their number, which has `N` bytes.
fn counted<const N: usize>(bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len().to_be_bytes();
    [&len[len.len() - N..], bytes].concat()
}

fn words(words: impl IntoIterator<Item = u16>) -> Vec<u8> {
    words.into_iter().flat_map(u16::to_be_bytes).collect()
}

/// Returns bytes in place of random ones, the same in each run: so a violation can be replayed. Any
/// 32 bytes are a public key of X25519.
fn filler(len: usize) -> Vec<u8> {
    (0..len)
        .map(|index| (index * 167 + index / 256 * 59 + 41).to_le_bytes()[0])
        .collect()
}

/// Returns the offsets of the fields of a `ClientHello`, as far as it is one: those of its headers,
/// and the ends of its lists and extensions.
pub(crate) fn edges(stream: &[u8]) -> Vec<usize> {
    // The record header, the message header, the version, and the random bytes.
    let mut edges = vec![5, 9, 11, 43];
    let mut at = 43;
    // The session, the cipher suites, and the compression methods.
    for size in [1, 2, 1] {
        let Some(len) = number(stream, at, size) else {
            return inside(edges, stream);
        };
        edges.push(at + size);
        at += size + len;
        edges.push(at);
    }
    at += 2;
    edges.push(at);
    while let Some(len) = number(stream, at + 2, 2) {
        edges.push(at + 4);
        at += 4 + len;
        edges.push(at);
    }
    inside(edges, stream)
}

/// Returns the number in some bytes, most significant first.
fn number(stream: &[u8], at: usize, size: usize) -> Option<usize> {
    let bytes = stream.get(at..at + size)?;
    Some(
        bytes
            .iter()
            .fold(0, |number, &byte| number << 8 | usize::from(byte)),
    )
}

fn inside(mut edges: Vec<usize>, stream: &[u8]) -> Vec<usize> {
    edges.retain(|&edge| edge < stream.len());
    edges.dedup();
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_add_up() {
        for name in ["localhost", "::1"] {
            let [small, big] = &streams(name)[..] else {
                panic!("two streams");
            };
            // The record and the message end with the stream.
            for stream in [small, big] {
                let len = stream.bytes.len();
                assert_eq!(number(&stream.bytes, 3, 2), Some(len - 5));
                assert_eq!(number(&stream.bytes, 6, 3), Some(len - 9));
            }
            // The key share with its group and length, and the group in the list of groups.
            let large = LARGE_KEY_SHARE + 4 + 2;
            assert_eq!(big.bytes.len(), small.bytes.len() + large);
        }
        // A segment on Ethernet usually holds 1448 bytes.
        assert!(streams("localhost")[1].bytes.len() > 1448);
        // Without a name, the extension is left out: 4 bytes, and 5 more before the name.
        let len = |name| streams(name)[0].bytes.len();
        assert_eq!(len("localhost"), len("127.0.0.1") + 9 + "localhost".len());
    }

    /// A server that rejects a key rejects it in each run.
    #[test]
    fn the_filler_is_always_the_same() {
        let filler = filler(514);
        assert_eq!(filler[..3], [41, 208, 119]);
        assert_eq!(filler[256..259], [100, 11, 178]);
        assert_eq!(filler[512..], [159, 70]);
    }

    #[test]
    fn edges_reach_to_the_end() {
        for stream in streams("localhost") {
            let edges = edges(&stream.bytes);
            assert!(edges.is_sorted(), "{edges:?}");
            // The key share is the last extension.
            let at = *edges.last().unwrap();
            assert_eq!(
                stream.bytes[at - 4..at - 2],
                KEY_SHARE.to_be_bytes(),
                "{edges:?}"
            );
            for end in 0..stream.bytes.len() {
                assert!(
                    super::edges(&stream.bytes[..end])
                        .iter()
                        .all(|&edge| edge < end)
                );
            }
        }
    }
}
