//! A published framer under test: how it is checked, and the verdict that is expected.

use everysplit::Verdicts;

/// Checks each stream of a harness with the strongest check that the framer's type allows.
macro_rules! verdicts {
    ($harness:expr) => {
        everysplit::Verdicts::collect("", move |verdicts| {
            let harness = $harness;
            for stream in verdicts.streams(&harness) {
                verdicts.add(harness.check(&stream))?;
            }
            Ok(())
        })
    };
}
pub(crate) use verdicts;

/// Takes a crate, what of it is under test, and the function that checks it. If that has arguments, a
/// closure follows.
macro_rules! framer {
    ($package:literal, $name:literal, $check:ident) => {
        framer!($package, $name, $check, $check)
    };
    ($package:literal, $name:literal, $function:ident, $check:expr) => {
        $crate::framer::Framer {
            package: $package,
            name: $name,
            function: stringify!($function),
            check: $check,
            violations: Vec::new(),
        }
    };
}
pub(crate) use framer;

/// Framers of one kind, in one file.
pub(crate) struct Family {
    pub(crate) title: &'static str,
    /// The text of the file, in which the lines of each check are counted.
    pub(crate) source: &'static str,
    pub(crate) framers: Vec<Framer>,
}

/// A framer under test.
pub(crate) struct Framer {
    /// The crate that it is from.
    pub(crate) package: &'static str,
    /// Its name there.
    pub(crate) name: &'static str,
    /// The name of the function that checks it.
    pub(crate) function: &'static str,
    pub(crate) check: fn() -> Verdicts,
    /// The properties that it is known to violate, each with the token of its smallest case.
    pub(crate) violations: Vec<(&'static str, &'static str)>,
}

impl Framer {
    /// Expects a violation, with the token of its smallest case.
    pub(crate) fn violates(mut self, property: &'static str, token: &'static str) -> Self {
        self.violations.push((property, token));
        self
    }
}

impl Family {
    /// Returns the text of a function of the file.
    pub(crate) fn function(&self, name: &str) -> &'static str {
        let begin = self
            .source
            .find(&format!("\nfn {name}("))
            .expect("a function of the file");
        let text = &self.source[begin + 1..];
        let end = text.find("\n}\n").expect("the end of the function");
        &text[..end + 2]
    }
}
