//! Measures what the `len32` and `json_header` decoders allocate: in proportion to the bytes
//! received, never to the length that a header claims.

use allocation_counter::measure;
use bytes::BytesMut;
use everysplit::{Allocated, Harness, Split};
use everysplit_formats::json_header::{self, Md5, Part};
use everysplit_formats::len32;
use md5::Digest;

use crate::json_header::frame;

const KIB: usize = 1024;

/// Allows every length up to 2 GiB.
const UNLIMITED: len32::Config = len32::Config {
    max_size: u32::MAX,
    ..len32::Config::DEFAULT
};

const MD5_CHECKED: json_header::Config = json_header::Config {
    md5: Md5::Check,
    ..json_header::Config::DEFAULT
};

#[test]
fn len32_allocates_nothing_for_a_claim_of_2_gib() {
    let mut buffer = BytesMut::from(&i32::MAX.to_le_bytes()[..]);
    let measured = measure(|| {
        let decoded = len32::Decoder::new(UNLIMITED).decode(&mut buffer);
        assert_eq!(decoded, Ok(None));
    });
    assert_eq!(measured.bytes_max, 0, "{measured:?}");
    assert!(buffer.capacity() < 64, "{}", buffer.capacity());
}

/// On empty bodies, a body of 1 MiB, a claim of 2 GiB and a negative length.
#[test]
fn len32_allocates_in_proportion_to_the_bytes_received() {
    let mut large = BytesMut::new();
    UNLIMITED.encode(&vec![7; 1 << 20], &mut large).unwrap();
    let claim = [&i32::MAX.to_le_bytes()[..], b"little"].concat();
    let count = |call: &mut dyn FnMut()| {
        let measured = measure(call);
        Allocated {
            peak: measured.bytes_max,
            kept: measured.bytes_current,
        }
    };
    for stream in [vec![0; 400], large.to_vec(), claim, vec![0xff; 1000]] {
        let len = stream.len();
        let splits = [Split::whole(), Split::sample(len, &[], 1)];
        let bytes = (len < 2000).then(|| Split::bytes(len));
        let harness = Harness::decoder(|| len32::Decoder::new(UNLIMITED));
        for split in splits.into_iter().chain(bytes) {
            harness.allocations(&stream, &split, count).unwrap();
        }
    }
}

/// Decodes one `json_header` frame, its body in equal chunks. Returns the peak of the bytes
/// allocated, not counting the input buffer.
fn peak(header: &str, chunk: &[u8], chunks: usize) -> u64 {
    let mut buffer = BytesMut::with_capacity(chunk.len());
    let header = frame(header, b"");
    let (mut bytes, mut ends) = (0, 0);
    let measured = measure(|| {
        let mut decoder = json_header::Decoder::new(MD5_CHECKED);
        for read in [&header[..]].into_iter().chain((0..chunks).map(|_| chunk)) {
            buffer.extend_from_slice(read);
            while let Some(part) = decoder.decode(&mut buffer).unwrap() {
                match part {
                    Part::Header(_) => {}
                    Part::Body(piece) => bytes += piece.len(),
                    Part::End => ends += 1,
                }
            }
            assert!(buffer.is_empty());
        }
    });
    assert_eq!((bytes, ends), (chunk.len() * chunks, 1));
    measured.bytes_max
}

/// 64 MiB pass through a buffer of 64 KiB; with the md5 checked, 1 MiB.
#[test]
fn json_header_never_holds_a_body() {
    let chunk = vec![7; 64 * KIB];
    let chunks = 1024;
    let header = format!("{{\"total_size\":{}}}", chunk.len() * chunks);
    let most = peak(&header, &chunk, chunks);
    println!("at most {most} bytes allocated");
    assert!(most < 2048, "{most}");

    let mut digest = md5::Md5::new();
    for _ in 0..16 {
        digest.update(&chunk);
    }
    let md5 = hex::encode(digest.finalize());
    let header = format!("{{\"total_size\":{},\"md5\":\"{md5}\"}}", chunk.len() * 16);
    let most = peak(&header, &chunk, 16);
    assert!(most < 2048, "{most}");
}

/// A claimed body of 2^64 - 1 bytes costs only its header's fields, a claimed header of 64 KiB
/// nothing.
#[test]
fn json_header_reserves_nothing_for_a_claimed_size() {
    let claim = frame("{\"total_size\":18446744073709551615}", b"");
    let mut buffer = BytesMut::from(&claim[..]);
    let measured = measure(|| {
        let mut decoder = json_header::Decoder::new(MD5_CHECKED);
        assert!(decoder.decode(&mut buffer).unwrap().is_some());
        assert_eq!(decoder.decode(&mut buffer), Ok(None));
    });
    assert!(measured.bytes_max < 2048, "{measured:?}");
    let mut buffer = BytesMut::from(&(64 * 1024i32).to_le_bytes()[..]);
    let measured = measure(|| {
        let decoded = json_header::Decoder::new(MD5_CHECKED).decode(&mut buffer);
        assert_eq!(decoded, Ok(None));
    });
    assert_eq!(measured.bytes_max, 0, "{measured:?}");
}

/// A list of objects with one entry each is the most expensive header known.
#[test]
fn json_header_fields_take_at_most_120_times_the_header() {
    let objects = ["{\"\":0}"].repeat(9000).join(",");
    let header = format!("{{\"total_size\":0,\"a\":[{objects}]}}");
    assert!(header.len() < 64 * KIB);
    let mut buffer = BytesMut::from(&frame(&header, b"")[..]);
    let measured = measure(|| {
        let decoded = json_header::Decoder::new(MD5_CHECKED).decode(&mut buffer);
        assert!(matches!(decoded, Ok(Some(Part::Header(_)))));
    });
    let times = measured.bytes_max / header.len() as u64;
    println!("{times} times the header's bytes");
    assert!(times <= 120, "{times}");
}
