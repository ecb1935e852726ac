//! A framer under test with all that the checks must be told of it, and what can
//! be done with the two. It makes up no streams.

use alloc::vec::Vec;

use super::{
    Certificate, Deviation, Expected, NotProved, Tier, Violation, deviation, empty_chunk, guard,
    minimize, prove, prove_decoder,
};
use crate::case::Case;
use crate::split::Split;
use crate::subject::{Buffered, Decode, Subject};

/// In how many states at one offset a subject may be for its proof to go on.
const STATES: usize = 64;

/// What tells the offsets at which a stream's fields begin and end.
type Edges = fn(&[u8]) -> Vec<usize>;

/// A framer under test: how to make one, and what a stream of its format must
/// give.
///
/// ```
/// use everysplit::check::Harness;
/// use everysplit::reference::{Config, Framer, naive};
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
///
/// # Panics
///
/// Whatever is asked of it does when the oracle cannot judge the stream.
#[derive(Clone, Debug)]
pub struct Harness<M, O> {
    make: M,
    oracle: O,
    edges: Option<Edges>,
    declared: Vec<Deviation>,
    streams: Vec<Vec<u8>>,
    /// Whether a frame may be out before its last byte is in.
    early: bool,
}

impl<S, M, O, A> Harness<M, O>
where
    S: Subject,
    M: Fn() -> S,
    O: Fn(&[u8]) -> A,
    A: Into<Option<Expected<S::Frame, S::Error>>>,
{
    /// Takes what makes a subject at the beginning of a stream, and what tells
    /// of a stream what it must give, such as a parse of the whole buffer. The latter
    /// may return `None` for a stream that it cannot judge: a violation is made small
    /// without such streams.
    pub const fn new(make: M, oracle: O) -> Self {
        Self {
            make,
            oracle,
            edges: None,
            declared: Vec::new(),
            streams: Vec::new(),
            early: false,
        }
    }

    /// Takes what tells the offsets at which a stream's fields begin and end:
    /// samples cut there, and violations show them. Without it these are the ends of
    /// the frames.
    #[must_use]
    pub fn edges(self, edges: fn(&[u8]) -> Vec<usize>) -> Self {
        let edges = Some(edges);
        Self { edges, ..self }
    }

    /// Declares where the framer is meant to differ from the strict policy. It is told
    /// with every result, and what is expected of a stream must be in keeping with it.
    #[must_use]
    pub fn declare(mut self, deviations: impl IntoIterator<Item = Deviation>) -> Self {
        self.declared.extend(deviations);
        self
    }

    /// Takes streams along, for [`framer_tests!`](crate::framer_tests) to ask of.
    #[must_use]
    pub fn of_streams<B: Into<Vec<u8>>>(mut self, streams: impl IntoIterator<Item = B>) -> Self {
        self.streams.extend(streams.into_iter().map(Into::into));
        self
    }

    /// Says that a frame may be out before its last byte is in, so that bytes behind the
    /// last one may be its own.
    pub(super) fn early(self) -> Self {
        let early = true;
        Self { early, ..self }
    }

    /// Returns the streams that it was given.
    pub fn streams(&self) -> &[Vec<u8>] {
        &self.streams
    }

    /// Checks one split of a stream, without empty chunks and with them.
    ///
    /// # Errors
    ///
    /// The violation, as it is.
    pub fn check(&self, case: &Case) -> Result<(), Violation> {
        let expected = self.expected(&case.stream)?;
        self.judge(case, &expected)
    }

    /// Checks one split of a stream that a fuzzer came up with, drawn from a hash of
    /// the stream. One that the oracle cannot judge passes.
    ///
    /// # Errors
    ///
    /// A minimal violation.
    pub fn fuzz(&self, stream: &[u8]) -> Result<(), Violation> {
        let case = Case::from(stream);
        let violation = self.find(&case);
        violation.map_or(Ok(()), |violation| Err(self.minimal(violation)))
    }

    fn judge(
        &self,
        Case { stream, split }: &Case,
        expected: &Expected<S::Frame, S::Error>,
    ) -> Result<(), Violation> {
        empty_chunk(&self.make, stream, split, expected).map_err(|found| self.told(found))
    }

    /// Returns the violation of a case, if there is one and the oracle can judge it.
    fn find(&self, case: &Case) -> Option<Violation> {
        let expected = (self.oracle)(&case.stream).into()?;
        let held = self.held(&case.stream, &expected);
        held.and_then(|()| self.judge(case, &expected)).err()
    }

    /// Returns what is expected of a stream, which is in keeping with what is
    /// declared.
    fn expected(&self, stream: &[u8]) -> Result<Expected<S::Frame, S::Error>, Violation> {
        let expected = (self.oracle)(stream).into();
        let expected = expected.expect("the oracle can judge the stream");
        self.held(stream, &expected).map(|()| expected)
    }

    fn held(
        &self,
        stream: &[u8],
        expected: &Expected<S::Frame, S::Error>,
    ) -> Result<(), Violation> {
        let len = match expected.frames.last() {
            Some(&(end, _)) if self.early => end,
            _ => stream.len(),
        };
        deviation::hold(expected, len, &self.declared)
            .map_err(|found| self.told(found.in_stream(stream, Split::whole())))
    }

    /// Returns where a stream's fields begin and end.
    fn fields(&self, stream: &[u8]) -> Vec<usize> {
        if let Some(edges) = self.edges {
            return edges(stream);
        }
        let expected: Option<Expected<_, _>> = (self.oracle)(stream).into();
        expected.map_or(Vec::new(), |expected| expected.ends())
    }

    /// Adds to a violation what the checks do not know.
    fn told(&self, violation: Violation) -> Violation {
        Violation {
            edges: self.fields(&violation.case.stream),
            declared: self.declared.clone(),
            ..violation
        }
    }

    /// Checks the split of a [token](Case) that a violation told.
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
        unmerged: Option<NotProved>,
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
            declared: self.declared.clone(),
        })
    }

    /// Checks splits that are drawn from `seed`, half of their cuts at field
    /// edges, each without empty chunks and with them.
    ///
    /// # Errors
    ///
    /// A minimal violation.
    pub fn sampled(&self, stream: &[u8], seed: u64, splits: u64) -> Result<Certificate, Violation> {
        let edges = self.fields(stream);
        let sample = |n| Split::sample(stream.len(), &edges, seed.wrapping_add(n));
        let (splits, feeds) = self.each(stream, (0..splits).map(sample))?;
        Ok(Certificate {
            tier: Tier::Sampled { seed, splits },
            bytes: stream.len(),
            feeds,
            declared: self.declared.clone(),
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
        let expected = self.expected(stream)?;
        let proof = prove((self.make)(), stream, &expected, STATES);
        self.certify(stream, proof)
    }

    /// Makes of a proof what the harness returns.
    fn certify(
        &self,
        stream: &[u8],
        proof: Result<Result<Certificate, NotProved>, Violation>,
    ) -> Result<Certificate, Violation> {
        match proof.map_err(|violation| self.minimal(self.told(violation)))? {
            Ok(certificate) => Ok(Certificate {
                declared: self.declared.clone(),
                ..certificate
            }),
            Err(unmerged) => self.bounded_as(stream, 2, Some(unmerged)),
        }
    }

    /// Checks each split, and counts splits and feeds.
    fn each(
        &self,
        stream: &[u8],
        splits: impl Iterator<Item = Split>,
    ) -> Result<(u64, u64), Violation> {
        let expected = self.expected(stream)?;
        let (mut count, mut feeds) = (0, 0);
        for split in splits {
            empty_chunk(&self.make, stream, &split, &expected)
                .map_err(|violation| self.minimal(self.told(violation)))?;
            count += 1;
            // The chunks, and again with an empty one around each.
            feeds += 3 * split.chunks(stream).count() as u64 + 1;
        }
        Ok((count, feeds))
    }

    fn minimal(&self, violation: Violation) -> Violation {
        if guard::hangs() {
            return self.told(minimize::cut_off(violation));
        }
        minimize::minimize(
            violation,
            |case| self.find(case),
            |stream| self.fields(stream),
        )
    }
}

impl<D, M, O, A> Harness<M, O>
where
    D: Decode + Clone + Eq,
    M: Fn() -> Buffered<D>,
    O: Fn(&[u8]) -> A,
    A: Into<Option<Expected<D::Frame, D::Error>>>,
{
    /// Proves every split as [`prove`](Self::prove) does, for a decoder whose
    /// caller owns the buffer, in far fewer calls: those of `decode` are what the
    /// certificate counts.
    ///
    /// # Errors
    ///
    /// A minimal violation.
    pub fn prove_decoder(&self, stream: &[u8]) -> Result<Certificate, Violation> {
        let expected = self.expected(stream)?;
        let decoder = (self.make)().into_decoder();
        let proof = prove_decoder(decoder, stream, &expected, STATES);
        self.certify(stream, proof)
    }
}
