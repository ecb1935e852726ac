//! A decoder of tokio-util's as one that the checks can compare: what they need
//! beyond it is errors that are values.

use alloc::vec::Vec;
use core::fmt::Debug;

use bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

use super::Decode;

/// A tokio-util [`Decoder`] under test.
///
/// ```
/// use everysplit::check::{Expected, Harness, Outcome};
/// use everysplit::{Buffered, Tokio};
/// use tokio_util::codec::LinesCodec;
///
/// let make = || Buffered::new(Tokio::new(LinesCodec::new(), |error| error.to_string()));
/// let oracle = |_: &[u8]| Expected {
///     frames: vec![(4, "one".to_string()), (9, "two".to_string())],
///     at_end: vec!["three".to_string()],
///     outcome: Outcome::Clean,
/// };
/// let certificate = Harness::new(make, oracle).prove(b"one\ntwo\r\nthree")?;
/// assert_eq!(certificate.bytes, 14);
/// # Ok::<(), everysplit::check::Violation>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tokio<D, M> {
    decoder: D,
    error: M,
}

impl<D, M, E> Tokio<D, M>
where
    D: Decoder,
    M: Fn(D::Error) -> E,
{
    /// Takes a decoder at the beginning of a stream, and what makes a value of
    /// an error: its kind, or what it holds, and not its text where there is
    /// more.
    pub fn new(decoder: D, error: M) -> Self {
        Self { decoder, error }
    }
}

/// Equal when the decoders are.
impl<D: PartialEq, M> PartialEq for Tokio<D, M> {
    fn eq(&self, other: &Self) -> bool {
        self.decoder == other.decoder
    }
}

impl<D: Eq, M> Eq for Tokio<D, M> {}

impl<D, M, E> Decode for Tokio<D, M>
where
    D: Decoder,
    D::Item: Clone + Eq + Debug,
    M: Fn(D::Error) -> E,
    E: Clone + Eq + Debug,
{
    type Frame = D::Item;
    type Error = E;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Item>, E> {
        self.decoder.decode(buffer).map_err(&self.error)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<D::Item>, E> {
        self.decoder.decode_eof(buffer).map_err(&self.error)
    }
}

/// Makes an encoding function of a tokio-util [`Encoder`], for [`Messages`](crate::check::Messages): each message is encoded by a codec of
/// its own.
///
/// # Panics
///
/// The function does when the codec refuses a message.
pub fn encoder<C, F>(make: impl Fn() -> C) -> impl Fn(&F) -> Vec<u8>
where
    C: Encoder<F, Error: Debug>,
    F: Clone,
{
    move |message| {
        let mut output = BytesMut::new();
        let encoded = make().encode(message.clone(), &mut output);
        encoded.expect("the codec encodes the message");
        output.into()
    }
}
