//! Macros that make a test module, or a fuzz target, of a harness.

/// Makes a module of tests of a [`Harness`](crate::Harness), one test for each property that the
/// splits of a stream can violate.
///
/// Each stream of the harness is checked once, with the strongest
/// [`check`](crate::Harness#which-check-runs) that the framer's type allows. A test fails with the
/// smallest violation of its property. [`Property::Memory`](crate::Property::Memory) is checked if
/// the framer reports its [`buffered_bytes`](crate::subject::Subject::buffered_bytes). A call of the
/// framer that does not return within ten seconds is a violation.
///
/// `cargo test -- --nocapture` prints the certificates.
///
/// ```
/// # mod user {
/// use everysplit::Harness;
/// use everysplit::reference::{Config, Framer, naive};
///
/// const CONFIG: Config = Config { max_body_size: 64, ..Config::DEFAULT };
///
/// everysplit::framer_tests!(
///     framer,
///     Harness::framer(|| Framer::new(CONFIG))
///         .oracle(|stream| naive::parse(CONFIG, stream))
///         .streams([&b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok"[..], b"\xff\xff\xff\xff"])
/// );
/// # }
/// ```
#[macro_export]
macro_rules! framer_tests {
    ($module:ident, $harness:expr $(,)?) => {
        mod $module {
            use super::*;

            /// The results of all streams, computed once for all tests.
            static VERDICTS: std::sync::OnceLock<$crate::Verdicts> = std::sync::OnceLock::new();

            pub(super) fn verdicts() -> &'static $crate::Verdicts {
                VERDICTS.get_or_init(|| {
                    $crate::Verdicts::collect(|verdicts| {
                        let harness = $harness;
                        for stream in harness.all_streams() {
                            verdicts.add(harness.check(&stream))?;
                        }
                        for certificate in verdicts.certificates() {
                            println!("{certificate}");
                        }
                        Ok(())
                    })
                })
            }

            #[cfg(test)]
            fn holds(property: $crate::Property) {
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
            $crate::framer_tests!(@test interrupted Interrupted);
            $crate::framer_tests!(@test cancelled Cancelled);
            $crate::framer_tests!(@test progress Progress);
        }
    };
    (@test $test:ident $property:ident) => {
        #[test]
        fn $test() {
            holds($crate::Property::$property);
        }
    };
}

/// Makes a cargo-fuzz target of a [`Harness`](crate::Harness).
///
/// An input is a raw stream, checked on a random split that is derived from a hash of it. The crate
/// of the target depends on `libfuzzer-sys` and begins with `#![no_main]`.
///
/// ```text
/// #![no_main]
///
/// everysplit::framer_fuzz!(everysplit::Harness::framer(MyFramer::new));
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
