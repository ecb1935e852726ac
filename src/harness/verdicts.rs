//! The results of several streams, for tests of one property each.

use alloc::vec::Vec;

use crate::check::isolate;
use crate::property::Property;
use crate::report::{Certificate, Violation};

/// The results of several streams. [`framer_tests!`](crate::framer_tests) makes them.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    certificates: Vec<Certificate>,
    violations: Vec<Violation>,
}

impl Verdicts {
    /// Calls `run`, which adds the result of each stream.
    ///
    /// With the feature `std` a call of the framer that does not return within ten seconds is given
    /// up, and the streams after it are not checked.
    ///
    /// # Panics
    ///
    /// Panics if `run` does.
    pub fn collect(
        run: impl Fn(&mut Self) -> Result<(), Violation> + Send + Sync + 'static,
    ) -> Self {
        let run = move || {
            let mut verdicts = Self::default();
            // The violation that ends the run is one of `verdicts`.
            let _ = run(&mut verdicts);
            Ok(verdicts)
        };
        #[cfg(feature = "std")]
        let verdicts = crate::watchdog(core::time::Duration::from_secs(10), run);
        #[cfg(not(feature = "std"))]
        let verdicts = run();
        verdicts.unwrap_or_else(|violation: Violation| unreachable!("{violation}"))
    }

    /// Adds the result of a stream.
    ///
    /// # Errors
    ///
    /// Returns the violation if it is of a call that does not return: the run ends with it, as other
    /// streams would lead to the same call.
    pub fn add(&mut self, verdict: Result<Certificate, Violation>) -> Result<(), Violation> {
        match verdict {
            Ok(certificate) => self.certificates.push(certificate),
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

    /// Asserts that no stream violates a property.
    ///
    /// # Panics
    ///
    /// Panics with the smallest violation if there is one, and if there are no streams.
    #[track_caller]
    pub fn assert(&self, property: Property) {
        let streams = self.certificates.len() + self.violations.len();
        assert!(
            streams > 0,
            "there are no streams: give the harness messages, or streams of its format"
        );
        if let Some(smallest) = self.smallest(property) {
            let count = self.violations(property).count();
            panic!("on {count} of {streams} streams, the smallest:\n{smallest}");
        }
    }
}
