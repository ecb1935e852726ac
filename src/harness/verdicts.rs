//! The results of several streams: for each property, whether it holds, is violated, or was not
//! checked.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::coverage::{self, Covered};
use super::splits::SplitHarness;
use crate::check::isolate;
use crate::deviation::Deviation;
use crate::door::Door;
use crate::expected::Source;
use crate::oracle::Oracle;
use crate::property::Property;
use crate::report::{Certificate, Count, EveryStream, Tier, Violation};
use crate::shard::Shard;

/// The results of all streams of a harness. [`framer_tests!`](crate::framer_tests) makes them.
///
/// `Display` writes a table with a row for each property.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    name: &'static str,
    /// The streams to check.
    shard: Shard,
    /// Their number, and that of all shards.
    streams: usize,
    in_all_shards: usize,
    /// The beginning of each of them, in hexadecimal.
    names: Vec<String>,
    certificates: Vec<Certificate>,
    /// The index of the stream of each certificate.
    certified: Vec<usize>,
    /// The proof of all streams, if there is one.
    every_stream: Option<EveryStream>,
    violations: Vec<Violation>,
    /// What the streams of all shards check, if they violate nothing.
    covered: Covered,
    /// The properties that concern this kind of framer, and what to add to check each.
    advice: Vec<(Property, &'static str)>,
    limit: Limit,
    /// What the streams leave out.
    omitted: Option<String>,
}

/// Why a property is not known to hold, if the streams that check it violate another one.
const MASKED: &str = "every stream that checks it violates another property";
/// The same, in a shard.
const MASKED_OR_ELSEWHERE: &str =
    "every stream that checks it violates another property, or is in another shard";
/// Why a property is not known to hold, if no split that was tried has a cut.
const UNCUT: &str = "no split that was tried checks it: try more splits";
/// Why a property is not known to hold, if only streams of other shards check it.
const ELSEWHERE: &str = "the other shards check it";

/// Whether it was said which size limit the framer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Limit {
    /// It has one, or none.
    #[default]
    Declared,
    Undeclared,
}

/// What is known of a property after all streams were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It holds on so many streams. On a stream on which another property is violated, no property
    /// holds.
    Held {
        /// The number of streams that check it.
        streams: usize,
        /// On how many of them it is proved for all splits: on none if it is
        /// [`Memory`](Property::Memory), since a proof judges the bytes held on one path to each
        /// state.
        proved: usize,
    },
    /// It is violated.
    Violated {
        /// On how many streams.
        streams: usize,
    },
    /// No stream checks it.
    NotChecked {
        /// Why, or what to add.
        advice: &'static str,
    },
    /// It does not concern this kind of framer.
    NotConcerned,
}

impl Verdicts {
    /// Calls `run`, which adds the result of each stream. `name` stands for the framer.
    ///
    /// With the feature `std` a call of the framer that does not return within ten seconds is given
    /// up, and the streams after it are not checked. A run that takes long is
    /// [`parallel`](crate::parallel): `run` is then called on several threads.
    ///
    /// # Panics
    ///
    /// Panics if `run` does.
    pub fn collect(
        name: &'static str,
        run: impl Fn(&mut Self) -> Result<(), Violation> + Send + Sync + 'static,
    ) -> Self {
        let run = move || {
            let mut verdicts = Self {
                name,
                ..Self::default()
            };
            // The violation that ends the run is one of `verdicts`.
            let _ = run(&mut verdicts);
            Ok(verdicts)
        };
        #[cfg(feature = "std")]
        let verdicts = {
            use alloc::sync::Arc;
            use core::time::Duration;

            let run = Arc::new(run);
            crate::watchdog(Duration::from_secs(10), move || {
                let run = Arc::clone(&run);
                crate::parallel(move || run())
            })
        };
        #[cfg(not(feature = "std"))]
        let verdicts = run();
        verdicts.unwrap_or_else(|violation: Violation| unreachable!("{violation}"))
    }

    /// Returns the streams of a harness. The result of each must be [added](Self::add).
    ///
    /// # Panics
    ///
    /// Panics if [`CountsHeader`](Deviation::CountsHeader) or
    /// [`NoEmptyFrame`](Deviation::NoEmptyFrame) is declared without a
    /// [`size_limit`](crate::Harness::size_limit), as nothing is held to it then.
    #[track_caller]
    pub fn streams<T: Door, O: Oracle<T>>(&mut self, harness: &SplitHarness<T, O>) -> Vec<Vec<u8>> {
        harness.assert_deviations_are_used();
        let deviations = &harness.deviations;
        let advice = |property| {
            let advice = coverage::advice(&harness.door, property, O::SOURCE, deviations)?;
            Some((property, advice))
        };
        self.advice = Property::ALL.into_iter().filter_map(advice).collect();
        let declared = O::SOURCE == Source::ByteByByte
            || harness.oracle.has_limit()
            || deviations.contains(&Deviation::Unlimited);
        if !declared {
            self.limit = Limit::Undeclared;
        }
        self.omitted = harness.oracle.omitted();
        #[cfg(feature = "std")]
        {
            self.shard = Shard::from_env();
        }
        self.count(harness, harness.all_streams())
    }

    /// Adds the result of a proof of [every stream](crate::Harness::every_stream), and returns the
    /// [examples](EveryStream::examples) among these. The result of each must be
    /// [added](Self::add), for what the proof does not check, such as memory. Called after
    /// [`streams`](Self::streams).
    ///
    /// # Errors
    ///
    /// Returns the violation if it is of a call that does not return, as [`add`](Self::add) does.
    pub fn every_stream<T: Door, O: Oracle<T>>(
        &mut self,
        harness: &SplitHarness<T, O>,
        result: Result<EveryStream, Violation>,
    ) -> Result<Vec<Vec<u8>>, Violation> {
        match result {
            Ok(every_stream) => {
                let examples = every_stream.examples.clone();
                self.every_stream = Some(every_stream);
                Ok(self.count(harness, examples))
            }
            Err(violation) => {
                self.streams += 1;
                self.in_all_shards += 1;
                self.names.push(name(&violation.case.stream));
                self.add(Err(violation))?;
                Ok(Vec::new())
            }
        }
    }

    /// Returns the streams of this shard.
    fn count<T: Door, O: Oracle<T>>(
        &mut self,
        harness: &SplitHarness<T, O>,
        all: Vec<Vec<u8>>,
    ) -> Vec<Vec<u8>> {
        for stream in &all {
            harness.under_test().cover(stream, &mut self.covered);
        }
        self.in_all_shards += all.len();
        let streams: Vec<_> = self.shard.of(all).collect();
        self.streams += streams.len();
        self.names.extend(streams.iter().map(|stream| name(stream)));
        streams
    }

    /// Adds the result of a stream.
    ///
    /// # Errors
    ///
    /// Returns the violation if it is of a call that does not return: the run ends with it, as other
    /// streams would lead to the same call.
    pub fn add(&mut self, verdict: Result<Certificate, Violation>) -> Result<(), Violation> {
        match verdict {
            Ok(certificate) => {
                self.certified
                    .push(self.certificates.len() + self.violations.len());
                self.certificates.push(certificate);
            }
            Err(violation) => {
                self.violations.push(violation.clone());
                if isolate::hung() {
                    return Err(violation);
                }
            }
        }
        Ok(())
    }

    /// Returns the certificates of the streams without a violation.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Returns the violations of a property.
    pub fn violations(&self, property: Property) -> impl Iterator<Item = &Violation> {
        let violations = self.violations.iter();
        violations.filter(move |violation| violation.property == property)
    }

    /// Returns the violation of a property on the shortest stream.
    #[must_use]
    pub fn smallest(&self, property: Property) -> Option<&Violation> {
        let size = |violation: &&Violation| (violation.case.stream.len(), violation.offset);
        self.violations(property).min_by_key(size)
    }

    /// Returns what is known of a property.
    #[must_use]
    pub fn status(&self, property: Property) -> Status {
        let violated = self.violations(property).count();
        if violated > 0 {
            return Status::Violated { streams: violated };
        }
        let held = || {
            let certificates = self.certificates.iter();
            certificates.filter(move |certificate| certificate.held.contains(&property))
        };
        let is_proof = |certificate: &&Certificate| {
            matches!(certificate.tier, Tier::Proved { .. }) && property != Property::Memory
        };
        match held().count() {
            0 => {}
            _ if let Some(advice) = self.limit_advice(property) => {
                return Status::NotChecked { advice };
            }
            streams => {
                let proved = held().filter(is_proof).count();
                return Status::Held { streams, proved };
            }
        }
        let mut advice = self.advice.iter();
        match advice.find(|(concerns, _)| *concerns == property) {
            _ if self.covered.properties.contains(&property) => Status::NotChecked {
                advice: self.unseen(),
            },
            Some(&(_, advice)) => Status::NotChecked { advice },
            None => Status::NotConcerned,
        }
    }

    /// Returns why a property is not known to hold that some stream checks.
    fn unseen(&self) -> &'static str {
        match (self.shard == Shard::WHOLE, self.violations.is_empty()) {
            (true, true) => UNCUT,
            (true, false) => MASKED,
            (false, true) => ELSEWHERE,
            (false, false) => MASKED_OR_ELSEWHERE,
        }
    }

    /// Returns what to add if the property is the size limit, and only one side of it was seen.
    fn limit_advice(&self, property: Property) -> Option<&'static str> {
        if property != Property::Limit {
            return None;
        }
        let judged = |it: &&Certificate| it.source != Source::ByteByByte;
        let source = self.certificates.iter().find(judged)?.source;
        let seen = |side: fn(&Certificate) -> bool| self.certificates.iter().any(side);
        coverage::limit_advice(source, seen(|it| it.at_limit), seen(|it| it.over_limit))?;
        let Covered {
            at_limit,
            over_limit,
            ..
        } = self.covered;
        // Of both sides, one was seen on streams that violate nothing, in this shard.
        let missing = coverage::limit_advice(source, at_limit, over_limit);
        Some(missing.unwrap_or_else(|| self.unseen()))
    }

    /// Returns how many bytes would have to be preallocated to allow all violations of `memory`, if
    /// that is more than for the smallest of them.
    fn preallocated(&self) -> Option<usize> {
        let bytes = |violation: &Violation| {
            let mut declare = violation.declare.iter();
            declare.find_map(|deviation| match deviation {
                Deviation::Preallocates(bytes) => Some(*bytes),
                _ => None,
            })
        };
        let all = self.violations(Property::Memory).filter_map(bytes).max();
        let smallest = self.smallest(Property::Memory).and_then(bytes);
        all.filter(|_| all > smallest)
    }

    /// Returns one line that says what was checked and what was not.
    #[must_use]
    pub fn summary(&self) -> impl fmt::Display {
        Summary(self)
    }

    /// Returns the table, and a line for each stream without a violation: its first bytes, and its
    /// certificate.
    #[must_use]
    pub fn details(&self) -> impl fmt::Display {
        Details(self)
    }

    /// Asserts that no property is violated, and that the size limit is known: that the harness has
    /// one, or is declared [`unlimited`](crate::Harness::unlimited). Then, with the feature `std`,
    /// writes the [summary](Self::summary) to stderr.
    ///
    /// # Panics
    ///
    /// Panics with the table and the smallest violation of each violated property, and if there are
    /// no streams. A [shard](Shard) may have none. Panics if [every stream](Self::every_stream) was to
    /// be proved, and not even one byte was.
    #[track_caller]
    pub fn assert_held(&self) {
        self.assert_streams();
        assert!(
            self.violations.is_empty() && self.limit == Limit::Declared,
            "{}",
            Failure(self)
        );
        #[cfg(feature = "std")]
        {
            use std::io::Write as _;

            // Not `eprintln!`, which libtest captures. An error means that stderr is closed.
            let line = std::format!("{}\n", self.summary());
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    }

    /// Asserts that a property was checked and holds. In a [shard](Shard) it may be left to others.
    ///
    /// # Panics
    ///
    /// Panics with the smallest violation if it is violated, if it was not checked, and if there are
    /// no streams.
    #[track_caller]
    pub fn assert(&self, property: Property) {
        self.assert_streams();
        let name = property.name();
        match self.status(property) {
            Status::Held { .. } | Status::NotChecked { advice: ELSEWHERE } => {}
            Status::Violated { streams } => {
                let all = Count(self.streams as u64, "stream");
                let smallest = self.smallest(property).expect("one of them");
                panic!("on {streams} of {all}, the smallest:\n{smallest}");
            }
            Status::NotChecked { advice } => panic!("{name} was not checked: {advice}"),
            Status::NotConcerned => {
                panic!("{name} was not checked: it does not concern this kind of framer")
            }
        }
    }

    #[track_caller]
    fn assert_streams(&self) {
        if let Some(every_stream) = &self.every_stream {
            assert!(every_stream.longest > 0, "{every_stream}");
        }
        assert!(
            self.in_all_shards > 0,
            "there are no streams: give the harness messages, or streams of its format"
        );
        let checked = self.certificates.len() + self.violations.len();
        assert!(
            checked > 0 || self.streams == 0,
            "no result was added: call `add` for each stream"
        );
    }

    /// Returns the properties with their status, without those that do not concern the framer.
    fn statuses(&self) -> impl Iterator<Item = (Property, Status)> {
        let statuses = Property::ALL.into_iter();
        let statuses = statuses.map(|property| (property, self.status(property)));
        statuses.filter(|(_, status)| *status != Status::NotConcerned)
    }

    /// Writes how far the checks of the streams without a violation went, such as
    /// `proved on 3 streams, bounded on 1`.
    fn write_tiers(&self, f: &mut impl Write) -> fmt::Result {
        if self.certificates.is_empty() {
            f.write_str("nothing checked on 0")?;
        }
        let mut separator = "";
        for name in Tier::NAMES {
            let tiers = self.certificates.iter().map(|it| it.tier.name());
            let count = tiers.filter(|&tier| tier == name).count();
            if count > 0 {
                write!(f, "{separator}{name} on {count}")?;
                separator = ", ";
            }
        }
        let of = if self.certificates.len() == 1 {
            "stream"
        } else {
            "streams"
        };
        write!(f, " {of}")?;
        self.write_shard(f)?;
        match &self.every_stream {
            Some(every_stream) => write!(f, " and on {}", every_stream.scope()),
            None => Ok(()),
        }
    }

    fn write_shard(&self, f: &mut impl Write) -> fmt::Result {
        if self.shard == Shard::WHOLE {
            return Ok(());
        }
        write!(f, " of {} (shard {})", self.in_all_shards, self.shard)
    }
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, streams) = (self.name, Count(self.streams as u64, "stream"));
        write!(f, "{name}: {streams}")?;
        self.write_shard(f)?;
        writeln!(f, ", {} with a violation", self.violations.len())?;
        for (property, status) in self.statuses() {
            write!(f, "  {:12}  ", property.name())?;
            match status {
                Status::Held { streams, proved } if proved == streams => {
                    writeln!(f, "held on {streams}, proved")?;
                }
                Status::Held { streams, proved: 0 } => writeln!(f, "held on {streams}")?,
                Status::Held { streams, proved } => {
                    writeln!(f, "held on {streams}, proved on {proved} of them")?;
                }
                Status::Violated { streams } => writeln!(f, "VIOLATED on {streams}")?,
                Status::NotChecked { advice } => writeln!(f, "not checked: {advice}")?,
                Status::NotConcerned => {}
            }
        }
        let checked = self.certificates.len() + self.violations.len();
        if checked < self.streams {
            let rest = Count((self.streams - checked) as u64, "stream");
            writeln!(f, "  not checked, as a call did not return: {rest}")?;
        }
        if let Some(omitted) = &self.omitted {
            writeln!(f, "  {omitted}")?;
        }
        Ok(())
    }
}

/// The table with the certificates.
struct Details<'a>(&'a Verdicts);

impl fmt::Display for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(verdicts) = self;
        writeln!(f, "{verdicts}")?;
        let certified = verdicts.certified.iter().zip(&verdicts.certificates);
        for (&index, certificate) in certified {
            if let Some(name) = verdicts.names.get(index) {
                write!(f, "{name}  ")?;
            }
            writeln!(f, "{certificate}")?;
        }
        if let Some(every_stream) = &verdicts.every_stream {
            writeln!(f, "{every_stream}")?;
        }
        Ok(())
    }
}

/// Returns the first bytes of a stream in hexadecimal.
fn name(stream: &[u8]) -> String {
    const SHOWN: usize = 16;
    let mut name = String::new();
    for byte in stream.iter().take(SHOWN) {
        // Writing to a string does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    match stream.len() {
        0 => name.push_str("empty"),
        1..=SHOWN => {}
        _ => name.push_str(".."),
    }
    name
}

/// The line that sums up a test run without a violation.
struct Summary<'a>(&'a Verdicts);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(verdicts) = self;
        write!(f, "{}: ", verdicts.name)?;
        verdicts.write_tiers(f)?;
        let held = verdicts.statuses();
        let held = held.filter(|(_, status)| matches!(status, Status::Held { .. }));
        write!(f, " ({} properties", held.count())?;
        if verdicts.certificates.iter().any(proves_all_but_memory) {
            f.write_str(", memory for some splits only")?;
        }
        let mut reasons = verdicts.certificates.iter().map(|it| it.tier.not_proved());
        if let Some(reason) = reasons.find_map(|reason| reason) {
            write!(f, "; not proved: {reason}")?;
        }
        if let Some(reason) = self.0.every_stream.as_ref().and_then(|it| it.not_proved) {
            write!(f, "; no longer streams: {reason}")?;
        }
        f.write_str(")")?;
        let (mut rest, own): (Vec<_>, Vec<_>) = verdicts
            .statuses()
            .filter_map(|(property, status)| match status {
                Status::NotChecked { advice } => Some((property, advice)),
                _ => None,
            })
            .partition(|&(property, _)| !coverage::has_own_method(property));
        let mut separator = "; not checked: ";
        while let Some(&(_, advice)) = rest.first() {
            for (property, _) in rest.extract_if(.., |&mut (_, other)| other == advice) {
                write!(f, "{separator}{}", property.name())?;
                separator = ", ";
            }
            write!(f, " ({advice})")?;
        }
        for (property, _) in &own {
            write!(f, "{separator}{}", property.name())?;
            separator = ", ";
        }
        if !own.is_empty() {
            f.write_str(" (methods of their own)")?;
        }
        if let Some(omitted) = &verdicts.omitted {
            write!(f, "; {omitted}")?;
        }
        Ok(())
    }
}

/// Returns whether the checks of a stream are a proof, and its memory was checked.
fn proves_all_but_memory(certificate: &Certificate) -> bool {
    let is_proof = matches!(
        certificate.tier,
        Tier::Proved { .. } | Tier::ProvedAt { .. }
    );
    is_proof && certificate.held.contains(&Property::Memory)
}

/// What is wrong, for a test that fails.
struct Failure<'a>(&'a Verdicts);

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(verdicts) = self;
        write!(f, "{verdicts}")?;
        if verdicts.limit == Limit::Undeclared {
            f.write_str(
                "\nno size limit is declared: add `size_limit` (with an oracle that parses, \
                 `limit_errors`), or `unlimited` if a body may have any length\n",
            )?;
        }
        for property in Property::ALL {
            if let Some(smallest) = verdicts.smallest(property) {
                let count = Count(verdicts.violations(property).count() as u64, "stream");
                writeln!(f, "\non {count}, the smallest:\n{smallest}")?;
            }
        }
        if let Some(bytes) = verdicts.preallocated() {
            writeln!(
                f,
                "\nto allow every violation of `memory`: declare `Preallocates({bytes})`"
            )?;
        }
        Ok(())
    }
}
