//! The entry point for senders: a sender under test, and the checks of what it writes.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::fmt::Debug;

use crate::case::{Case, Interruption};
use crate::check::write::{self, Sender};
use crate::check::{isolate, minimize};
use crate::expected::Source;
use crate::property::Property;
use crate::report::{Certificate, Tier, Violation};
use crate::split::Split;
use crate::subject::ChunkWriter;

/// The longest output of which every split of two cuts is tried, in bytes.
const SHORT: usize = 128;
/// The number of random splits of a longer output.
const SAMPLES: u64 = 1000;

/// A sender under test. It must send the same bytes however few the writer accepts at once.
///
/// `make` takes the writer and returns a closure that sends everything. The sender may own the
/// writer, as a tokio-util `FramedWrite` does, or the closure may keep it and lend it to the
/// sender. Everything must have reached the writer when the closure returns `Ok`: a sender that
/// buffers must be flushed.
///
/// ```
/// use std::io::{BufWriter, Write};
///
/// use everysplit::WriterHarness;
///
/// let harness = WriterHarness::new(|writer| {
///     let mut writer = BufWriter::new(writer);
///     move || {
///         writer.write_all(b"\x02")?;
///         writer.write_all(b"ok")?;
///         writer.flush()
///     }
/// });
/// let certificate = harness.check(b"\x02ok")?;
/// assert_eq!(
///     certificate.to_string(),
///     "bounded: 3 bytes, 4 splits (up to 2 cuts, and byte by byte), 32 calls"
/// );
/// # Ok::<(), everysplit::Violation>(())
/// ```
///
/// Each split is tried with interruptions before each chunk:
///
/// | writer | interruptions | if the sender [`resumes`](Self::resumes) |
/// |---|---|---|
/// | `Write` | none, `Interrupted`, `Ok(0)` from the last chunk on | `WouldBlock` |
/// | `AsyncWrite` | none, `Pending`, `Ok(0)` from the last chunk on | a dropped future |
#[derive(Clone)]
pub struct WriterHarness {
    make: Rc<dyn Fn(ChunkWriter, Interruption, usize) -> Sender>,
    interruptions: Vec<Interruption>,
    /// The interruption that only a sender survives that resumes.
    resumed: Interruption,
}

impl WriterHarness {
    /// Takes a sender that writes to a [`Write`](std::io::Write).
    ///
    /// It must retry at once when a write returns `Interrupted`, and return an error when a write
    /// returns `Ok(0)`.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// use everysplit::{Property, WriterHarness};
    ///
    /// // The bug: one write may not be enough.
    /// let harness = WriterHarness::new(|mut writer| move || writer.write(b"\x02ok").map(drop));
    /// let violation = harness.check(b"\x02ok").unwrap_err();
    /// assert_eq!(violation.property, Property::Written);
    /// assert_eq!(violation.case.to_string(), "026f6b@1");
    /// ```
    pub fn new<S, E>(make: impl Fn(ChunkWriter) -> S + 'static) -> Self
    where
        S: FnMut() -> Result<(), E> + 'static,
        E: Debug,
    {
        Self {
            make: Rc::new(move |writer, _, _| {
                let mut send = make(writer);
                Box::new(move || send().map_err(|error| format!("{error:?}")))
            }),
            interruptions: [
                Interruption::None,
                Interruption::Interrupted,
                Interruption::WriteZero,
            ]
            .into(),
            resumed: Interruption::WouldBlock,
        }
    }

    /// Takes a sender that writes to an [`AsyncWrite`](tokio::io::AsyncWrite).
    ///
    /// It must lose nothing when a write is pending, and return an error when a write returns
    /// `Ok(0)`.
    ///
    /// ```
    /// use everysplit::WriterHarness;
    /// use tokio::io::AsyncWriteExt;
    ///
    /// let harness = WriterHarness::new_async(|mut writer| {
    ///     async move || writer.write_all(b"\x02ok").await
    /// });
    /// println!("{}", harness.check(b"\x02ok")?);
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    #[cfg(feature = "tokio")]
    pub fn new_async<S, E>(make: impl Fn(crate::subject::AsyncChunkWriter) -> S + 'static) -> Self
    where
        S: AsyncFnMut() -> Result<(), E> + 'static,
        E: Debug + 'static,
    {
        Self {
            make: Rc::new(move |writer, interruption, len| {
                let handle = writer.handle();
                let send = make(crate::subject::AsyncChunkWriter(writer));
                let dropped = interruption == Interruption::Dropped;
                Box::new(write::blocking(send, handle, dropped, len))
            }),
            interruptions: [
                Interruption::None,
                Interruption::Pending,
                Interruption::WriteZero,
            ]
            .into(),
            resumed: Interruption::Dropped,
        }
    }

    /// Says that the sender goes on where it was when it is called again: after it returned
    /// `WouldBlock` to its caller, or after its future was dropped while a write was pending.
    ///
    /// `write_all` does not promise that. A sender that keeps what is not sent yet does.
    ///
    /// ```
    /// use std::collections::VecDeque;
    /// use std::io::Write;
    ///
    /// use everysplit::WriterHarness;
    ///
    /// let harness = WriterHarness::new(|mut writer| {
    ///     let mut unsent = VecDeque::from(*b"\x02ok");
    ///     move || {
    ///         while !unsent.is_empty() {
    ///             match writer.write(unsent.as_slices().0) {
    ///                 Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
    ///                 Ok(written) => drop(unsent.drain(..written)),
    ///                 Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
    ///                 Err(error) => return Err(error),
    ///             }
    ///         }
    ///         Ok(())
    ///     }
    /// });
    /// println!("{}", harness.resumes().check(b"\x02ok")?);
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    #[must_use]
    pub fn resumes(mut self) -> Self {
        self.interruptions.push(self.resumed);
        self
    }

    /// Checks that the sender writes `expected`, and nothing else, each time that `make` makes one.
    /// Bytes that a write offers after the last one are wrong, and so are bytes that are written when
    /// the sender is dropped after it returned `Ok`.
    ///
    /// Of up to 128 bytes every split of up to two cuts is tried, and byte by byte; of more bytes,
    /// 1000 random splits, whole, and byte by byte. An output of up to one byte has no other split:
    /// that it is sent, and nothing else, is all that [`Property::Written`](crate::Property::Written)
    /// means then.
    ///
    /// # Errors
    ///
    /// Returns a violation with the fewest cuts: of [`Property::Written`](crate::Property::Written),
    /// or, if the sender is correct without interruptions, of
    /// [`Property::Interrupted`](crate::Property::Interrupted) or
    /// [`Property::Cancelled`](crate::Property::Cancelled). A panic and a call that does not return
    /// violate [`Property::Progress`](crate::Property::Progress). Its stream is `expected`, and its
    /// offset that of the first byte that differs.
    pub fn check(&self, expected: &[u8]) -> Result<Certificate, Violation> {
        let len = expected.len();
        if len > SHORT {
            let ends = [Split::whole(), Split::bytes(len)];
            let calls = self.each(expected, &mut ends.into_iter())?.1;
            let certificate = self.sampled(expected, 0, SAMPLES)?;
            return Ok(Certificate {
                calls: certificate.calls + calls,
                ..certificate
            });
        }
        let cuts = 2;
        // Of a short output, the split byte by byte has few cuts too.
        let bytes = (len > cuts + 1).then(|| Split::bytes(len));
        let mut splits = Split::up_to(len, cuts).chain(bytes);
        let (splits, calls) = self.each(expected, &mut splits)?;
        let tier = Tier::Bounded {
            cuts,
            splits,
            not_proved: None,
        };
        Ok(certificate(expected, tier, calls))
    }

    /// Checks `splits` random splits. The same seed makes the same splits. Nearby seeds share most of
    /// them: for other splits, add `splits` to the seed. If none of them has a cut,
    /// [`Property::Written`](crate::Property::Written) is not claimed, unless the output is too short
    /// for one.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    ///
    /// # Panics
    ///
    /// Panics if `splits` is 0, as nothing would be checked.
    #[track_caller]
    pub fn sampled(
        &self,
        expected: &[u8],
        seed: u64,
        splits: u64,
    ) -> Result<Certificate, Violation> {
        assert!(splits > 0, "`sampled` needs one split at least");
        let sample = |n| Split::sample(expected.len(), &[], seed.wrapping_add(n));
        let (splits, calls) = self.each(expected, &mut (0..splits).map(sample))?;
        let mut certificate = certificate(expected, Tier::Sampled { seed, splits }, calls);
        let can_be_cut = expected.len() > 1;
        if can_be_cut && (0..splits).all(|n| sample(n).cuts().is_empty()) {
            certificate.held.retain(|&it| it != Property::Written);
        }
        Ok(certificate)
    }

    /// Checks one case. Its stream is what the sender must write.
    ///
    /// # Errors
    ///
    /// Returns the violation as it is, not minimised.
    ///
    /// # Panics
    ///
    /// Panics if the sender cannot be given the case's interruption.
    #[track_caller]
    pub fn one_split(&self, case: &Case) -> Result<(), Violation> {
        assert!(
            self.interruptions.contains(&case.interruption),
            "{:?} is not an interruption of this sender; these are: {:?}",
            case.interruption,
            self.interruptions
        );
        self.run(case).map(drop)
    }

    /// Checks the case of a [token](Case) that a violation printed.
    ///
    /// # Errors
    ///
    /// Returns the violation as it is, not minimised.
    ///
    /// # Panics
    ///
    /// Panics if the text is not a token, and if the sender cannot be given its interruption.
    #[track_caller]
    pub fn replay(&self, token: &str) -> Result<(), Violation> {
        match token.parse() {
            Ok(case) => self.one_split(&case),
            Err(error) => panic!("{error}"),
        }
    }

    fn run(&self, case: &Case) -> Result<u64, Violation> {
        let make = |writer| (self.make)(writer, case.interruption, case.stream.len());
        write::run(&make, case).map_err(|finding| Violation::without_expectation(finding, case))
    }

    /// Runs each split with every interruption: without any first, so that a violation is not
    /// blamed on one. Returns the number of splits and of calls.
    fn each(
        &self,
        expected: &[u8],
        splits: &mut dyn Iterator<Item = Split>,
    ) -> Result<(u64, u64), Violation> {
        let splits: Vec<Split> = splits.collect();
        let mut calls = 0;
        for &interruption in &self.interruptions {
            for split in &splits {
                let case = Case::new(expected, split.clone()).with(interruption);
                calls += self.run(&case).map_err(|found| self.minimal(found))?;
            }
        }
        Ok((splits.len() as u64, calls))
    }

    /// Returns the violation with the fewest cuts. The bytes stay: they are what the sender writes.
    fn minimal(&self, violation: Violation) -> Violation {
        if isolate::hung() {
            return violation;
        }
        let expected = violation.case.stream.clone();
        minimize::minimize(violation, &|case| {
            let same = case.stream == expected;
            same.then(|| self.run(case).err())?
        })
    }
}

fn certificate(expected: &[u8], tier: Tier, calls: u64) -> Certificate {
    Certificate {
        tier,
        bytes: expected.len(),
        calls,
        held: [Property::Written, Property::Progress].into(),
        at_limit: false,
        over_limit: false,
        source: Source::Encoder,
        deviations: Vec::new(),
    }
}
