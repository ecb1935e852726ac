//! Runs the code blocks of the guide in `docs/guide` as doc tests.

#[doc = include_str!("../docs/guide/adapters.md")]
#[cfg(feature = "tokio")]
mod adapters {}

#[doc = include_str!("../docs/guide/expectations.md")]
mod expectations {}

#[doc = include_str!("../docs/guide/every-stream.md")]
mod every_stream {}

/// The chapter shows the real output of its program:
///
/// ```
/// use everysplit::Harness;
///
/// fn parse(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, &'static str> {
///     let Some((&length, rest)) = bytes.split_first() else {
///         return Ok(None);
///     };
///     if length > 2 {
///         return Err("too long");
///     }
///     let body = rest.get(..length.into());
///     Ok(body.map(|body| (body.to_vec(), 1 + body.len())))
/// }
///
/// let every = Harness::parser(parse, "truncated").every_stream(9)?;
/// let chapter = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide/every-stream.md"));
/// assert!(chapter.contains(&every.to_string()), "{every}");
/// # Ok::<(), everysplit::Violation>(())
/// ```
mod every_stream_output {}

#[doc = include_str!("../docs/guide/first-test.md")]
#[cfg(feature = "tokio")]
mod first_test {}

/// The chapter shows the real output of its codec, before and after the fix:
///
/// ```
/// use std::io;
///
/// use bytes::{Buf, BufMut, Bytes, BytesMut};
/// use everysplit::{Harness, Property, Verdicts};
/// use tokio_util::codec::{Decoder, Encoder};
///
/// #[derive(Clone, PartialEq, Eq)]
/// struct MyCodec<const FIXED: bool>;
///
/// impl<const FIXED: bool> Decoder for MyCodec<FIXED> {
///     type Item = Bytes;
///     type Error = io::Error;
///
///     fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Bytes>> {
///         let Some(&length) = buffer.first_chunk() else {
///             return Ok(None);
///         };
///         let length = usize::from(u16::from_be_bytes(length));
///         if !FIXED {
///             buffer.advance(2);
///         }
///         if buffer.len() < length + if FIXED { 2 } else { 0 } {
///             return Ok(None);
///         }
///         if FIXED {
///             buffer.advance(2);
///         }
///         Ok(Some(buffer.split_to(length).freeze()))
///     }
/// }
///
/// impl<const FIXED: bool> Encoder<Bytes> for MyCodec<FIXED> {
///     type Error = io::Error;
///
///     fn encode(&mut self, body: Bytes, output: &mut BytesMut) -> io::Result<()> {
///         output.put_u16(body.len().try_into().map_err(io::Error::other)?);
///         output.extend(body);
///         Ok(())
///     }
/// }
///
/// fn verdicts<const FIXED: bool>() -> Verdicts {
///     Verdicts::collect("my_codec", |verdicts| {
///         let harness = Harness::codec(|| MyCodec::<FIXED>);
///         let harness = harness.messages(["hello", "", "world"]).unlimited();
///         for stream in verdicts.streams(&harness) {
///             verdicts.add(harness.check(&stream))?;
///         }
///         Ok(())
///     })
/// }
///
/// let chapter = std::fs::read_to_string("docs/guide/first-test.md")?;
/// let buggy = verdicts::<false>();
/// assert!(chapter.contains(&buggy.to_string()), "{buggy}");
/// let violation = buggy.smallest(Property::EverySplit).unwrap();
/// assert!(chapter.contains(&violation.to_string()), "{violation}");
/// let fixed = verdicts::<true>();
/// let certificate = &fixed.certificates()[1];
/// assert!(chapter.contains(&certificate.to_string()), "{certificate}");
/// // The chapter breaks the line.
/// let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
/// let summary = fixed.summary().to_string();
/// assert!(words(&chapter).contains(&summary), "{summary}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "tokio")]
mod first_test_output {}

#[doc = include_str!("../docs/guide/fuzzing-and-proptest.md")]
#[cfg(feature = "proptest")]
mod fuzzing_and_proptest {}

#[doc = include_str!("../docs/guide/reading-a-violation.md")]
mod reading_a_violation {}

#[doc = include_str!("../docs/guide/senders.md")]
#[cfg(feature = "tokio")]
mod senders {}

#[doc = include_str!("../docs/guide/what-a-proof-says.md")]
mod what_a_proof_says {}
