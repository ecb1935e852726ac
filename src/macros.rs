//! One line that makes a test module of a harness and streams.

/// Makes a module of tests, one for each property that the splits of a stream can
/// violate. A test fails with the violation of its property, if there is one on
/// any of the streams. That of memory needs a subject that tells what it
/// [holds](crate::Subject::held).
///
/// It takes the name of the module, a [`Harness`](crate::check::Harness), what is
/// asked of it (`prove`, `prove_decoder`, or a closure of harness and stream for
/// anything else), and the streams: anything to iterate over that gives
/// `AsRef<[u8]>`.
///
/// ```
/// # mod user {
/// use everysplit::{Config, Framer, check::Harness, naive};
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
    ($module:ident, $harness:expr, $prove:ident, $streams:expr $(,)?) => {
        $crate::framer_tests!($module, $harness, |harness, stream| harness.$prove(stream), $streams);
    };
    ($module:ident, $harness:expr, |$name:ident, $stream:ident| $ask:expr, $streams:expr $(,)?) => {
        #[cfg(test)]
        mod $module {
            use super::*;

            fn holds(property: $crate::check::Property) {
                let $name = $harness;
                for stream in $streams {
                    let $stream: &[u8] = stream.as_ref();
                    match $ask {
                        Ok(certificate) => println!("{certificate}"),
                        Err(violation) => assert!(violation.property != property, "{violation}"),
                    }
                }
            }

            $crate::framer_tests!(@test round_trip RoundTrip);
            $crate::framer_tests!(@test every_split EverySplit);
            $crate::framer_tests!(@test prompt Prompt);
            $crate::framer_tests!(@test limit Limit);
            $crate::framer_tests!(@test truncation Truncation);
            $crate::framer_tests!(@test poisoned Poisoned);
            $crate::framer_tests!(@test empty_chunk EmptyChunk);
            $crate::framer_tests!(@test memory Memory);
        }
    };
    (@test $test:ident $property:ident) => {
        #[test]
        fn $test() {
            holds($crate::check::Property::$property);
        }
    };
}
