//! The macro that adds the mutator and the crossover of the reference format to a target.
//! Both keep length fields consistent with the bodies. The checks are in the library.

pub use everysplit::reference::{fuzzing, mutator};
pub use libfuzzer_sys;

/// Defines a target like `fuzz_target!`, with the mutator and the crossover of the reference
/// format.
#[macro_export]
macro_rules! target {
    ($($body:tt)*) => {
        $crate::libfuzzer_sys::fuzz_target!($($body)*);
        #[cfg(not(feature = "plain"))]
        $crate::libfuzzer_sys::fuzz_mutator!(
            |data: &mut [u8], size: usize, max_size: usize, seed: u32| {
                let limit = $crate::fuzzing::CONFIGS[0].max_body_size;
                let base = $crate::libfuzzer_sys::fuzzer_mutate;
                $crate::mutator::mutate(data, size, max_size, limit, seed, base)
            }
        );
        #[cfg(not(feature = "plain"))]
        $crate::libfuzzer_sys::fuzz_crossover!(
            |first: &[u8], second: &[u8], out: &mut [u8], seed: u32| {
                let limit = $crate::fuzzing::CONFIGS[0].max_body_size;
                $crate::mutator::crossover(first, second, out, limit, seed)
            }
        );
    };
}
