//! What came of some streams, for tests of one property each. It asks nothing
//! itself.

use alloc::vec::Vec;

use super::{Certificate, Property, Violation};

/// What came of some streams. [`framer_tests!`](crate::framer_tests) makes one.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    certificates: Vec<Certificate>,
    violations: Vec<Violation>,
}

impl Verdicts {
    /// Has `ask` add a verdict for each stream. With the feature `std`, it is
    /// [watched](super::watch): a call that has not returned after ten seconds is
    /// given up, and no stream behind it is asked for.
    ///
    /// # Panics
    ///
    /// When `ask` does.
    pub fn of(ask: impl Fn(&mut Self) -> Result<(), Violation> + Send + Sync + 'static) -> Self {
        let ask = move || {
            let mut verdicts = Self::default();
            // A call that did not return is among the violations.
            let _ = ask(&mut verdicts);
            Ok(verdicts)
        };
        #[cfg(feature = "std")]
        let verdicts = super::watch(core::time::Duration::from_secs(10), ask);
        #[cfg(not(feature = "std"))]
        let verdicts = ask();
        verdicts.unwrap_or_else(|violation: Violation| unreachable!("{violation}"))
    }

    /// Adds what came of a stream.
    ///
    /// # Errors
    ///
    /// The violation, if it is of a call that did not return: it would be met on
    /// other streams too, and is waited for each time.
    pub fn add(&mut self, verdict: Result<Certificate, Violation>) -> Result<(), Violation> {
        match verdict {
            Ok(certificate) => self.certificates.push(certificate),
            Err(violation) => {
                self.violations.push(violation.clone());
                if super::guard::hangs() {
                    return Err(violation);
                }
            }
        }
        Ok(())
    }

    /// Returns the certificates of the streams on which everything holds.
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

    /// Asserts that a property holds on all streams.
    ///
    /// # Panics
    ///
    /// When it does not, with the smallest violation; when there are no streams.
    #[track_caller]
    pub fn assert(&self, property: Property) {
        let streams = self.certificates.len() + self.violations.len();
        assert!(streams > 0, "there are no streams to ask of");
        if let Some(smallest) = self.smallest(property) {
            let count = self.violations(property).count();
            panic!("on {count} of {streams} streams, the smallest:\n{smallest}");
        }
    }
}
