//! Isolates calls of the user's code: a panic, and a call that does not return, become findings.
//! The watchdog decides which calls do not return.

#[cfg(not(feature = "std"))]
pub(crate) use without_std::*;

#[cfg(feature = "std")]
pub(crate) use with_std::*;

use core::mem;
use core::ops::{Deref, DerefMut};

use super::finding::Finding;

/// Calls the user's code after `offset` bytes.
#[inline]
pub(crate) fn isolate<T>(offset: usize, call: impl FnOnce() -> T) -> Result<T, Finding> {
    isolate_as("the call returns", offset, call)
}

/// A value whose drop calls the user's code, or no value. The drop is isolated wherever it happens, so
/// it must not happen in an isolated call.
pub(crate) struct Guarded<T>(Option<T>);

impl<T> Guarded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Some(value))
    }

    pub(crate) const fn empty() -> Self {
        Self(None)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Takes the value, and leaves this empty.
    pub(crate) const fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// Drops the value after `offset` bytes.
    pub(crate) fn release(mut self, expected: &str, offset: usize) -> Result<(), Finding> {
        match self.0.take() {
            Some(value) if mem::needs_drop::<T>() => {
                isolate_as(expected, offset, move || drop(value))
            }
            _ => Ok(()),
        }
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        if !mem::needs_drop::<T>() {
            return;
        }
        match self.0.take() {
            // After one call that does not return, the drop may be another.
            Some(value) if gave_up() => mem::forget(value),
            // A finding is on its way, and takes precedence.
            Some(value) => drop(isolate(0, move || drop(value))),
            None => {}
        }
    }
}

impl<T> Deref for Guarded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("the value is held until the drop")
    }
}

impl<T> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("the value is held until the drop")
    }
}

/// Without std a panic cannot be caught.
#[cfg(not(feature = "std"))]
mod without_std {
    use super::super::finding::Finding;

    /// Calls the user's code.
    #[expect(clippy::unnecessary_wraps, reason = "with std it can fail")]
    pub(crate) fn isolate_as<T>(_: &str, _: usize, call: impl FnOnce() -> T) -> Result<T, Finding> {
        Ok(call())
    }

    /// Returns whether a call is known that does not return.
    pub(crate) const fn hung() -> bool {
        false
    }

    /// Returns whether such a call has been reached.
    pub(crate) const fn gave_up() -> bool {
        false
    }
}

#[cfg(feature = "std")]
mod with_std {
    use core::any::Any;
    use core::cell::{Cell, RefCell};
    use core::mem::ManuallyDrop;
    use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::panic::{self, AssertUnwindSafe};
    use std::string::{String, ToString};
    use std::sync::{Arc, Once};
    use std::thread_local;
    use std::vec::Vec;

    use super::super::finding::{Difference, Finding};
    use super::super::team;

    thread_local! {
        /// Whether an isolated call is in progress.
        static ISOLATED: Cell<bool> = const { Cell::new(false) };
        /// The message and the location of the last panic in an isolated call.
        static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
        /// Whether a call has been reached that does not return.
        static GAVE_UP: Cell<bool> = const { Cell::new(false) };
        static WATCHED: RefCell<Option<Watched>> = const { RefCell::new(None) };
        /// Whether there is one. Most calls look at this only.
        static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
    }

    /// What a thread shares with its watchdog.
    pub(crate) struct Watched {
        /// The number of isolated calls that began plus the number that returned: odd while one
        /// is in progress.
        pub(crate) beats: Arc<AtomicU64>,
        /// The last beats of earlier runs: calls that did not return.
        pub(crate) hangs: Vec<u64>,
        /// The text of a finding about one of them.
        pub(crate) message: String,
        /// Whether this thread shares its work with others. Which calls it makes differs then.
        pub(crate) in_team: Arc<AtomicBool>,
        /// Whether it must not.
        pub(crate) alone: bool,
    }

    impl Watched {
        /// Starts watching the calls of this thread.
        pub(crate) fn begin(self) {
            WATCHED.set(Some(self));
            IS_WATCHED.set(true);
        }

        /// Counts the beginning of a call. Fails if the call is known not to return.
        fn call(&self) -> Result<(), &str> {
            let beat = self.beats.load(Ordering::Relaxed) + 1;
            self.beats.store(beat, Ordering::Relaxed);
            if self.hangs.contains(&beat) {
                self.returned();
                return Err(&self.message);
            }
            Ok(())
        }

        fn returned(&self) {
            self.beats
                .store(self.beats.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    /// Calls the user's code after `offset` bytes. A finding says that `expected` does not hold.
    #[inline]
    pub(crate) fn isolate_as<T>(
        expected: &str,
        offset: usize,
        call: impl FnOnce() -> T,
    ) -> Result<T, Finding> {
        // What was not called may hold a value of the user, whose drop may be what does not return.
        let mut call = ManuallyDrop::new(Some(call));
        let mut returned = ManuallyDrop::new(None);
        catch(expected, offset, &mut || {
            *returned = call.take().map(|call| call());
        })?;
        Ok(ManuallyDrop::into_inner(returned).expect("it was called"))
    }

    // Not generic, so that they are compiled once.

    fn catch(expected: &str, offset: usize, call: &mut dyn FnMut()) -> Result<(), Finding> {
        enter(expected, offset)?;
        let returned = panic::catch_unwind(AssertUnwindSafe(call));
        leave();
        returned.map_err(|panic| panicked(expected, offset, &*panic))
    }

    #[inline]
    fn enter(expected: &str, offset: usize) -> Result<(), Finding> {
        install_hook();
        if IS_WATCHED.get() {
            begin_watched(expected, offset)?;
        }
        ISOLATED.set(true);
        Ok(())
    }

    #[inline]
    fn leave() {
        ISOLATED.set(false);
        if IS_WATCHED.get() {
            WATCHED.with_borrow(|watched| watched.as_ref().map(Watched::returned));
        }
    }

    fn begin_watched(expected: &str, offset: usize) -> Result<(), Finding> {
        WATCHED.with_borrow(|watched| {
            let call = watched.as_ref().map_or(Ok(()), Watched::call);
            call.map_err(|message| {
                GAVE_UP.set(true);
                stuck(expected, offset, message)
            })
        })
    }

    #[cold]
    fn panicked(expected: &str, offset: usize, panic: &(dyn Any + Send)) -> Finding {
        let message = PANIC.take();
        // Empty if the panic bypassed the hook, or the hook was replaced.
        if !message.is_empty() {
            return stuck(expected, offset, &message);
        }
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref().map(String::as_str));
        stuck(expected, offset, text.unwrap_or("it panicked"))
    }

    fn stuck(expected: &str, offset: usize, actual: &str) -> Finding {
        Finding::new(Difference::Stuck, offset, expected, actual)
    }

    /// Returns whether this thread may share its work with others, and notes that it does.
    pub(crate) fn begin_team() -> bool {
        install_hook();
        WATCHED.with_borrow(|watched| {
            let may = watched.as_ref().is_none_or(|watched| !watched.alone);
            if let Some(watched) = watched {
                watched.in_team.store(may, Ordering::Relaxed);
            }
            may
        })
    }

    /// Returns whether a call is known that does not return.
    pub(crate) fn hung() -> bool {
        WATCHED.with_borrow(|watched| {
            watched
                .as_ref()
                .is_some_and(|watched| !watched.hangs.is_empty())
        })
    }

    /// Returns whether such a call has been reached.
    pub(crate) fn gave_up() -> bool {
        GAVE_UP.get()
    }

    /// Installs a panic hook that records panics of isolated calls instead of printing them: a
    /// search may cause thousands.
    #[inline]
    fn install_hook() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(std::boxed::Box::new(move |panic| {
                if ISOLATED.get() {
                    // The location is on a line of its own.
                    PANIC.set(panic.to_string().replacen('\n', " ", 1));
                } else if !team::is_helper() {
                    before(panic);
                }
            }));
        });
    }
}
