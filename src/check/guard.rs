//! Calls code that is not ours: a panic of it, and a call that does not return,
//! are told as values. Which calls do not return is for `watch` to find out.

#[cfg(not(feature = "std"))]
pub(super) use without_std::*;

#[cfg(feature = "std")]
pub(super) use with_std::*;

/// Without std a panic cannot be caught.
#[cfg(not(feature = "std"))]
mod without_std {
    use super::super::judge::Found;

    /// Makes a call of a subject after `offset` bytes.
    #[expect(clippy::unnecessary_wraps, reason = "with std it can fail")]
    pub(in super::super) fn guard<T>(_: usize, call: impl FnOnce() -> T) -> Result<T, Found> {
        Ok(call())
    }

    /// Returns whether calls are known that do not return.
    pub(in super::super) const fn hangs() -> bool {
        false
    }
}

#[cfg(feature = "std")]
mod with_std {
    use core::cell::{Cell, RefCell};
    use core::sync::atomic::{AtomicU64, Ordering};
    use std::panic::{self, AssertUnwindSafe};
    use std::string::{String, ToString};
    use std::sync::{Arc, Once};
    use std::thread_local;
    use std::vec::Vec;

    use super::super::Property;
    use super::super::judge::Found;

    thread_local! {
        /// Whether a call of a subject is under way.
        static INSIDE: Cell<bool> = const { Cell::new(false) };
        /// What the last panic of a subject said, and where.
        static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
        static WATCHED: RefCell<Option<Watched>> = const { RefCell::new(None) };
    }

    /// What a thread is told by the one that watches it, and tells it.
    pub(in super::super) struct Watched {
        /// How many calls of subjects have begun and how many have ended: odd while
        /// one is under way.
        pub(in super::super) beats: Arc<AtomicU64>,
        /// The beats that were the last ones before: calls that did not return.
        pub(in super::super) hangs: Vec<u64>,
        /// What is said of them.
        pub(in super::super) verdict: String,
    }

    impl Watched {
        /// Has the calls of this thread watched from now on.
        pub(in super::super) fn begin(self) {
            WATCHED.set(Some(self));
        }

        /// Counts the beginning of a call, unless it is known not to return.
        fn call(&self) -> Result<(), &str> {
            let beat = self.beats.load(Ordering::Relaxed) + 1;
            self.beats.store(beat, Ordering::Relaxed);
            if self.hangs.contains(&beat) {
                self.returned();
                return Err(&self.verdict);
            }
            Ok(())
        }

        fn returned(&self) {
            self.beats
                .store(self.beats.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    /// Makes a call of a subject after `offset` bytes.
    pub(in super::super) fn guard<T>(offset: usize, call: impl FnOnce() -> T) -> Result<T, Found> {
        keep_quiet();
        WATCHED.with_borrow(|watched| {
            let call = watched.as_ref().map_or(Ok(()), Watched::call);
            call.map_err(|verdict| stuck(offset, verdict))
        })?;
        INSIDE.set(true);
        let returned = panic::catch_unwind(AssertUnwindSafe(call));
        INSIDE.set(false);
        WATCHED.with_borrow(|watched| watched.as_ref().map(Watched::returned));
        returned.map_err(|panic| {
            let told = PANIC.take();
            // Unless it went past the hook, or somebody put another in its place.
            if !told.is_empty() {
                return stuck(offset, &told);
            }
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref().map(String::as_str));
            stuck(offset, text.unwrap_or("it panicked"))
        })
    }

    /// Tells of a call that did not return as it should.
    fn stuck(offset: usize, actual: &str) -> Found {
        Found::told(Property::Progress, offset, "the call returns", actual)
    }

    /// Returns whether calls are known that do not return.
    pub(in super::super) fn hangs() -> bool {
        WATCHED.with_borrow(|watched| {
            watched
                .as_ref()
                .is_some_and(|watched| !watched.hangs.is_empty())
        })
    }

    /// Has the panics of subjects kept and not printed: a search may make
    /// thousands.
    fn keep_quiet() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(std::boxed::Box::new(move |panic| {
                if INSIDE.get() {
                    // Where it happened stands in a line of its own.
                    PANIC.set(panic.to_string().replacen('\n', " ", 1));
                } else {
                    before(panic);
                }
            }));
        });
    }
}
