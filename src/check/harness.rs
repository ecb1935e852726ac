//! A framer under test with all that the checks must be told of it, and what can
//! be done with the two. It makes up no streams.

use alloc::vec::Vec;

use super::{
    Certificate, Expected, Tier, Unmerged, Violation, empty_chunk, minimize, prove, prove_decoder,
};
use crate::case::Received;
use crate::split::Split;
use crate::subject::{Buffered, Decode, Subject};

/// In how many states at one offset a subject may be for its proof to go on.
const STATES: usize = 64;

/// A framer under test: how to make one, and what a stream of its format must
/// give.
///
/// ```
/// use everysplit::{Config, Framer, check::Harness, naive};
///
/// let config = Config::default();
/// let harness = Harness::new(|| Framer::new(config), |stream| naive::parse(config, stream));
/// let certificate = harness.prove(b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok")?;
/// assert_eq!(
///     certificate.to_string(),
///     "proved: 14 bytes, all 8192 splits, 120 feeds, at most 1 states an offset"
/// );
/// # Ok::<(), everysplit::check::Violation>(())
/// ```
///
/// Every violation that it returns is minimal: of the fewest cuts, with its cuts
/// at field edges where it can be, on a stream that cannot be shortened by a
/// field or by its end.
#[derive(Clone, Copy, Debug)]
pub struct Harness<M, O> {
    make: M,
    oracle: O,
    edges: fn(&[u8]) -> Vec<usize>,
}

impl<S, M, O> Harness<M, O>
where
    S: Subject,
    M: Fn() -> S,
    O: Fn(&[u8]) -> Expected<S::Frame, S::Error>,
{
    /// Takes what makes a subject at the beginning of a stream, and what tells
    /// of a stream what it must give, such as a parse of the whole buffer.
    pub const fn new(make: M, oracle: O) -> Self {
        Self {
            make,
            oracle,
            edges: |_| Vec::new(),
        }
    }

    /// Takes what tells the offsets at which a stream's fields begin and end:
    /// samples cut there, and violations show them.
    #[must_use]
    pub fn edges(self, edges: fn(&[u8]) -> Vec<usize>) -> Self {
        Self { edges, ..self }
    }

    /// Checks one split of a stream, without empty chunks and with them.
    ///
    /// # Errors
    ///
    /// The violation, as it is.
    pub fn check(&self, case: &Received) -> Result<(), Violation> {
        let Received { stream, split } = case;
        let expected = (self.oracle)(stream);
        empty_chunk(&self.make, stream, split, &expected).map_err(|violation| Violation {
            edges: (self.edges)(stream),
            ..violation
        })
    }

    /// Checks the split of a [token](Received) that a violation told.
    ///
    /// # Errors
    ///
    /// The violation, as it is.
    ///
    /// # Panics
    ///
    /// When the text is no token, with what is wrong with it.
    #[track_caller]
    pub fn replay(&self, token: &str) -> Result<(), Violation> {
        match token.parse() {
            Ok(case) => self.check(&case),
            Err(error) => panic!("{error}"),
        }
    }

    /// Checks every split of up to `cuts` cuts, and byte by byte, each without
    /// empty chunks and with them: for a subject that can be made and not compared.
    ///
    /// # Errors
    ///
    /// A minimal violation.
    pub fn bounded(&self, stream: &[u8], cuts: usize) -> Result<Certificate, Violation> {
        self.bounded_as(stream, cuts, None)
    }

    /// Checks as [`bounded`](Self::bounded) does, and tells why it is no proof.
    fn bounded_as(
        &self,
        stream: &[u8],
        cuts: usize,
        unmerged: Option<Unmerged>,
    ) -> Result<Certificate, Violation> {
        let splits = Split::up_to(stream.len(), cuts).chain([Split::bytes(stream.len())]);
        let (splits, feeds) = self.each(stream, splits)?;
        Ok(Certificate {
            tier: Tier::Bounded {
                cuts,
                splits,
                unmerged,
            },
            bytes: stream.len(),
            feeds,
        })
    }

    /// Checks splits that are drawn from `seed`, half of their cuts at field
    /// edges, each without empty chunks and with them.
    ///
    /// # Errors
    ///
    /// A minimal violation.
    pub fn sampled(&self, stream: &[u8], seed: u64, splits: u64) -> Result<Certificate, Violation> {
        let edges = (self.edges)(stream);
        let sample = |n| Split::sample(stream.len(), &edges, seed.wrapping_add(n));
        let (splits, feeds) = self.each(stream, (0..splits).map(sample))?;
        Ok(Certificate {
            tier: Tier::Sampled { seed, splits },
            bytes: stream.len(),
            feeds,
        })
    }

    /// Proves every split, all 2^(n-1), by merging equal states. A subject whose
    /// states do not merge gets every split of up to two cuts instead, and the
    /// certificate says so.
    ///
    /// # Errors
    ///
    /// A minimal violation.
    pub fn prove(&self, stream: &[u8]) -> Result<Certificate, Violation>
    where
        S: Clone + Eq,
    {
        let expected = (self.oracle)(stream);
        let proof = prove((self.make)(), stream, &expected, STATES);
        self.certify(stream, proof)
    }

    /// Makes of a proof what the harness returns.
    fn certify(
        &self,
        stream: &[u8],
        proof: Result<Result<Certificate, Unmerged>, Violation>,
    ) -> Result<Certificate, Violation> {
        match proof.map_err(|violation| self.minimal(violation))? {
            Ok(certificate) => Ok(certificate),
            Err(unmerged) => self.bounded_as(stream, 2, Some(unmerged)),
        }
    }

    /// Checks each split, and counts splits and feeds.
    fn each(
        &self,
        stream: &[u8],
        splits: impl Iterator<Item = Split>,
    ) -> Result<(u64, u64), Violation> {
        let expected = (self.oracle)(stream);
        let (mut count, mut feeds) = (0, 0);
        for split in splits {
            empty_chunk(&self.make, stream, &split, &expected)
                .map_err(|violation| self.minimal(violation))?;
            count += 1;
            // The chunks, and again with an empty one around each.
            feeds += 3 * split.chunks(stream).count() as u64 + 1;
        }
        Ok((count, feeds))
    }

    fn minimal(&self, violation: Violation) -> Violation {
        minimize::minimize(violation, |case| self.check(case).err(), self.edges)
    }
}

impl<D, M, O> Harness<M, O>
where
    D: Decode + Clone + Eq,
    M: Fn() -> Buffered<D>,
    O: Fn(&[u8]) -> Expected<D::Frame, D::Error>,
{
    /// Proves every split as [`prove`](Self::prove) does, for a decoder whose
    /// caller owns the buffer, in far fewer calls: those of `decode` are what the
    /// certificate counts.
    ///
    /// # Errors
    ///
    /// A minimal violation.
    pub fn prove_decoder(&self, stream: &[u8]) -> Result<Certificate, Violation> {
        let expected = (self.oracle)(stream);
        let decoder = (self.make)().into_decoder();
        let proof = prove_decoder(decoder, stream, &expected, STATES);
        self.certify(stream, proof)
    }
}
