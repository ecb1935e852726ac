//! Macros that make a test module, or a fuzz target, of a harness.

/// Makes a module with a test of a [`Harness`](crate::Harness).
///
/// The test `verdict` checks each stream of the harness once, with the strongest
/// [`check`](crate::Harness#which-check-runs) that the framer's type allows. It fails if a property
/// is violated, and shows the smallest violation of each. It also fails if no size limit is declared.
/// A call of the framer that does not return within ten seconds is a violation. A check that takes
/// long is [`parallel`](crate::parallel).
///
/// If all is well, one line on stderr says what was checked and what was not:
///
/// ```text
/// framer: proved on 2 streams (7 properties); not checked: truncation (add a stream that ends ...
/// ```
///
/// `cargo test -- --nocapture` prints the table of all properties, and the certificates.
///
/// ```
/// # mod user {
/// use everysplit::Harness;
/// use everysplit::reference::{Config, DecodeError, Framer, naive};
///
/// const CONFIG: Config = Config { max_body_size: 64, ..Config::DEFAULT };
///
/// everysplit::framer_tests!(
///     framer,
///     Harness::framer(|| Framer::new(CONFIG))
///         .oracle(|stream| naive::parse(CONFIG, stream))
///         .limit_errors(|error| matches!(error, DecodeError::BodyTooLarge { .. }))
///         .streams([&b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok"[..], b"\xff\xff\xff\xff"])
/// );
/// # }
/// ```
///
/// No stream is needed for `framer_tests!(framer, harness, every_stream(16))`: it proves
/// [every stream](crate::Harness::every_stream) of up to 16 bytes, and checks examples among them as the
/// streams of a harness. `every_stream_of(["a", "\r\n"], 16)` takes letters.
///
/// Properties in brackets get a test of their own, which fails unless the property was checked and
/// holds: `framer_tests!(framer, harness, [limit, memory])`. For `linear`, `encode` and
/// `differential` call [`linear`](crate::SplitHarness::linear),
/// [`check_encoder`](crate::check_encoder) and [`differential`](crate::SplitHarness::differential)
/// in a test of your own.
#[macro_export]
macro_rules! framer_tests {
    (
        $module:ident, $harness:expr
        $(, $every_stream:ident($($argument:expr),* $(,)?))?
        $(, [$($property:ident),* $(,)?])?
        $(,)?
    ) => {
        mod $module {
            use super::*;

            /// The results of all streams, computed once for all tests.
            static VERDICTS: std::sync::OnceLock<$crate::Verdicts> = std::sync::OnceLock::new();

            pub(super) fn verdicts() -> &'static $crate::Verdicts {
                VERDICTS.get_or_init(|| {
                    $crate::Verdicts::collect(stringify!($module), |verdicts| {
                        let harness = $harness;
                        for stream in verdicts.streams(&harness) {
                            verdicts.add(harness.check(&stream))?;
                        }
                        $(
                            let every_stream = harness.$every_stream($($argument),*);
                            for stream in verdicts.every_stream(&harness, every_stream)? {
                                verdicts.add(harness.check(&stream))?;
                            }
                        )?
                        Ok(())
                    })
                })
            }

            #[test]
            fn verdict() {
                verdicts().assert_held();
                println!("{}", verdicts().details());
            }

            $($($crate::framer_tests!(@test $property);)*)?
        }
    };
    (@test round_trip) => { $crate::framer_tests!(@holds round_trip RoundTrip); };
    (@test every_split) => { $crate::framer_tests!(@holds every_split EverySplit); };
    (@test prompt) => { $crate::framer_tests!(@holds prompt Prompt); };
    (@test limit) => { $crate::framer_tests!(@holds limit Limit); };
    (@test rejection) => { $crate::framer_tests!(@holds rejection Rejection); };
    (@test truncation) => { $crate::framer_tests!(@holds truncation Truncation); };
    (@test poisoned) => { $crate::framer_tests!(@holds poisoned Poisoned); };
    (@test empty_chunk) => { $crate::framer_tests!(@holds empty_chunk EmptyChunk); };
    (@test memory) => { $crate::framer_tests!(@holds memory Memory); };
    (@test interrupted) => { $crate::framer_tests!(@holds interrupted Interrupted); };
    (@test cancelled) => { $crate::framer_tests!(@holds cancelled Cancelled); };
    (@test progress) => { $crate::framer_tests!(@holds progress Progress); };
    (@test $other:ident) => {
        compile_error!(concat!(
            "`", stringify!($other), "` is not a property that the streams of a harness check: \
             `linear`, `encode` and `differential` have methods of their own, and the others are \
             those of `everysplit::Property` in lower case"
        ));
    };
    (@holds $test:ident $property:ident) => {
        #[test]
        fn $test() {
            verdicts().assert($crate::Property::$property);
        }
    };
}

/// Makes a cargo-fuzz target of a [`Harness`](crate::Harness).
///
/// An input is a raw stream. A short one is checked as `check` does, for all splits where the
/// framer's type allows a proof, a longer one on a random split that is derived from a hash of it.
/// The crate of the target depends on `libfuzzer-sys` and begins with `#![no_main]`.
///
/// ```text
/// #![no_main]
///
/// everysplit::framer_fuzz!(everysplit::Harness::framer(MyFramer::new));
/// ```
///
/// With `, mutator` the fuzzer [mutates](crate::Harness::mutate) whole messages. The harness must have
/// [`messages`](crate::Harness::messages).
///
/// ```text
/// everysplit::framer_fuzz!(everysplit::Harness::codec(MyCodec::new).messages(["one"]), mutator);
/// ```
#[macro_export]
macro_rules! framer_fuzz {
    ($harness:expr, mutator) => {
        $crate::framer_fuzz!($harness);

        ::libfuzzer_sys::fuzz_mutator!(|data: &mut [u8],
                                        size: usize,
                                        max_size: usize,
                                        seed: u32| {
            let base = ::libfuzzer_sys::fuzzer_mutate;
            $harness.mutate(data, size, max_size, seed, base)
        });
    };
    ($harness:expr) => {
        ::libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
            if let Err(violation) = $harness.fuzz(stream) {
                panic!("{violation}");
            }
        });
    };
}
