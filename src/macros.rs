//! One line that makes a test module, and one that makes a fuzz target, of a
//! harness.

/// Makes a module of tests, one for each property that the splits of a stream can
/// violate. A test fails with the violations of its property on any of the streams.
/// That of memory needs a subject that tells what it
/// [holds](crate::Subject::held).
///
/// It takes the name of the module, a [`Harness`](crate::check::Harness), what is
/// asked of it (`prove`, `prove_decoder`, or a closure of harness and stream for
/// anything else), and the streams: anything to iterate over that gives
/// `AsRef<[u8]>`. Without streams, it is those that the harness
/// [has](crate::check::Harness::streams). With the feature `std`, a call of the
/// framer that has not returned after ten seconds is [given up](crate::check::watch).
///
/// ```
/// # mod user {
/// use everysplit::check::Harness;
/// use everysplit::reference::{Config, Framer, naive};
///
/// const CONFIG: Config = Config { max_body_size: 64, ..Config::DEFAULT };
///
/// everysplit::framer_tests!(
///     framer,
///     Harness::new(|| Framer::new(CONFIG), |stream| naive::parse(CONFIG, stream)),
///     prove,
///     [&b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok"[..], b"\xff\xff\xff\xff"]
/// );
/// # }
/// ```
#[macro_export]
macro_rules! framer_tests {
    ($module:ident, $harness:expr, $prove:ident $(, $streams:expr)? $(,)?) => {
        $crate::framer_tests!($module, $harness, |harness, stream| harness.$prove(stream) $(, $streams)?);
    };
    ($module:ident, $harness:expr, |$name:ident, $stream:ident| $ask:expr, $streams:expr $(,)?) => {
        $crate::framer_tests!($module, $harness.of_streams($streams), |$name, $stream| $ask);
    };
    ($module:ident, $harness:expr, |$name:ident, $stream:ident| $ask:expr $(,)?) => {
        mod $module {
            use super::*;

            /// What came of the streams, asked for once for all tests.
            static VERDICTS: std::sync::OnceLock<$crate::check::Verdicts> = std::sync::OnceLock::new();

            pub(super) fn verdicts() -> &'static $crate::check::Verdicts {
                VERDICTS.get_or_init(|| {
                    $crate::check::Verdicts::of(|verdicts| {
                        let $name = $harness;
                        for $stream in $name.streams() {
                            verdicts.add($ask)?;
                        }
                        for certificate in verdicts.certificates() {
                            println!("{certificate}");
                        }
                        Ok(())
                    })
                })
            }

            #[cfg(test)]
            fn holds(property: $crate::check::Property) {
                verdicts().assert(property);
            }

            $crate::framer_tests!(@test round_trip RoundTrip);
            $crate::framer_tests!(@test every_split EverySplit);
            $crate::framer_tests!(@test prompt Prompt);
            $crate::framer_tests!(@test limit Limit);
            $crate::framer_tests!(@test truncation Truncation);
            $crate::framer_tests!(@test poisoned Poisoned);
            $crate::framer_tests!(@test empty_chunk EmptyChunk);
            $crate::framer_tests!(@test memory Memory);
            $crate::framer_tests!(@test progress Progress);
        }
    };
    (@test $test:ident $property:ident) => {
        #[test]
        fn $test() {
            holds($crate::check::Property::$property);
        }
    };
}

/// Makes a cargo-fuzz target of a [`Harness`](crate::check::Harness): an input is a raw
/// stream, checked on a split that is drawn from a hash of it. The crate of the
/// target depends on `libfuzzer-sys` and begins with `#![no_main]`.
///
/// ```text
/// #![no_main]
///
/// everysplit::framer_fuzz!(Harness::new(MyFramer::new, check::itself(MyFramer::new)));
/// ```
#[macro_export]
macro_rules! framer_fuzz {
    ($harness:expr) => {
        ::libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
            if let Err(violation) = $harness.fuzz(stream) {
                panic!("{violation}");
            }
        });
    };
}
