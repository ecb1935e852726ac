//! Isolates calls of the user's code: a panic, and a call that does not return, become findings.
//! The watchdog decides which calls do not return.

#[cfg(not(feature = "std"))]
pub(crate) use without_std::*;

#[cfg(feature = "std")]
pub(crate) use with_std::*;

use core::cell::Cell;
use core::mem;
use core::ops::{Deref, DerefMut};

use super::finding::{Difference, Finding};

/// What is expected of most calls.
pub(crate) const RETURNS: &str = "the call returns";

/// Calls the user's code after `offset` bytes.
#[inline]
pub(crate) fn isolate<T>(offset: usize, call: impl FnOnce() -> T) -> Result<T, Finding> {
    isolate_as(RETURNS, offset, call)
}

/// Calls the user's code after `offset` bytes. A finding says that `expected` does not hold.
#[inline]
pub(crate) fn isolate_as<T>(
    expected: &'static str,
    offset: usize,
    call: impl FnOnce() -> T,
) -> Result<T, Finding> {
    // What is not called may hold a value of the user, whose drop may be what does not return.
    let call = mem::ManuallyDrop::new(call);
    isolate_calls(offset, |calls| {
        calls.next(expected)?;
        Ok(mem::ManuallyDrop::into_inner(call)())
    })
}

/// Isolates several calls of the user's code together, which costs less than one by one. `run` makes
/// them from `offset` bytes on, and says before each what is expected of it.
///
/// A value of the user that is alive when the next call begins must be [`Guarded`], or forgotten if
/// that call is known not to return.
#[inline]
pub(crate) fn isolate_calls<T, E: From<Finding>>(
    offset: usize,
    run: impl FnOnce(&Calls) -> Result<T, E>,
) -> Result<T, E> {
    let calls = Calls {
        expected: Cell::new(""),
        offset: Cell::new(offset),
        difference: Cell::new(Difference::Stuck),
    };
    let (mut run, mut result) = (Some(run), None);
    catch(&calls, &mut || {
        result = run.take().map(|run| run(&calls));
    })?;
    result.expect("it was called")
}

/// The calls that are isolated together, of which one is in progress.
pub(crate) struct Calls {
    /// What is expected of it.
    expected: Cell<&'static str>,
    /// How many bytes had been fed.
    offset: Cell<usize>,
    /// What it is if that does not hold.
    difference: Cell<Difference>,
}

impl Calls {
    /// Moves to where `offset` bytes have been fed.
    #[inline]
    pub(crate) fn at(&self, offset: usize) {
        self.offset.set(offset);
    }

    /// Begins the next call. Fails if it is known not to return.
    #[inline]
    pub(crate) fn next(&self, expected: &'static str) -> Result<(), Finding> {
        self.begin(expected, Difference::Stuck)
    }

    /// Begins a call of the framer's `clone`, `==`, `Debug` or `drop` in a proof.
    #[inline]
    pub(crate) fn next_of_state(&self, expected: &'static str) -> Result<(), Finding> {
        self.begin(expected, Difference::StuckState)
    }

    #[inline]
    fn begin(&self, expected: &'static str, difference: Difference) -> Result<(), Finding> {
        self.expected.set(expected);
        self.difference.set(difference);
        begin(self)
    }

    /// Makes the finding about the call in progress.
    #[cold]
    #[cfg_attr(
        not(feature = "std"),
        expect(dead_code, reason = "panics are observed with std only")
    )]
    fn stuck(&self, actual: &str) -> Finding {
        let difference = self.difference.get();
        Finding::new(difference, self.offset.get(), self.expected.get(), actual)
    }
}

/// A value whose drop calls the user's code, or no value. The drop is isolated wherever it happens.
#[derive(Debug)]
pub struct Guarded<T>(Option<T>);

impl<T> Guarded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Some(value))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Takes the value, and leaves this empty.
    pub(crate) const fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// Returns the value. Its drop is not isolated any more.
    pub(crate) fn into_inner(mut self) -> T {
        self.0.take().expect(HELD)
    }

    /// Drops the value in the call in progress.
    #[inline]
    pub(crate) fn drop_now(mut self) {
        drop(self.0.take());
    }

    /// Returns whether its drop does anything.
    pub(crate) const fn needs_drop(&self) -> bool {
        mem::needs_drop::<T>() && self.0.is_some()
    }

    /// Drops the value after `offset` bytes.
    pub(crate) fn release(self, expected: &'static str, offset: usize) -> Result<(), Finding> {
        if !self.needs_drop() {
            return Ok(());
        }
        isolate_calls(offset, |calls| {
            calls.next(expected)?;
            self.drop_now();
            Ok(())
        })
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

const HELD: &str = "the value is held until the drop";

impl<T> Deref for Guarded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect(HELD)
    }
}

impl<T> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect(HELD)
    }
}

/// Without std a panic cannot be caught.
#[cfg(not(feature = "std"))]
mod without_std {
    use super::super::finding::Finding;
    use super::Calls;

    #[expect(clippy::unnecessary_wraps, reason = "with std it can fail")]
    pub(super) fn catch(_: &Calls, run: &mut dyn FnMut()) -> Result<(), Finding> {
        run();
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "with std it can fail")]
    pub(super) fn begin(_: &Calls) -> Result<(), Finding> {
        Ok(())
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
    use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::panic::{self, AssertUnwindSafe};
    use std::string::{String, ToString};
    use std::sync::{Arc, Once};
    use std::thread_local;
    use std::vec::Vec;

    use super::super::finding::Finding;
    use super::super::team;
    use super::Calls;

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
        /// Odd while an isolated call is in progress: each takes the next odd number, and leaves the
        /// even one after it.
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

        /// Counts the beginning of a call, after the end of one that is still in progress. Fails if
        /// the call is known not to return.
        fn call(&self) -> Result<(), &str> {
            self.returned();
            let beat = self.beats.load(Ordering::Relaxed) + 1;
            self.beats.store(beat, Ordering::Relaxed);
            if self.hangs.contains(&beat) {
                self.returned();
                return Err(&self.message);
            }
            Ok(())
        }

        /// Counts the end of the call in progress, if there is one.
        fn returned(&self) {
            let beats = self.beats.load(Ordering::Relaxed);
            self.beats.store(beats + beats % 2, Ordering::Relaxed);
        }
    }

    // Not generic, so that they are compiled once.

    pub(super) fn catch(calls: &Calls, run: &mut dyn FnMut()) -> Result<(), Finding> {
        install_hook();
        let around = ISOLATED.replace(true);
        let returned = panic::catch_unwind(AssertUnwindSafe(run));
        ISOLATED.set(around);
        if IS_WATCHED.get() {
            WATCHED.with_borrow(|watched| watched.as_ref().map(Watched::returned));
        }
        returned.map_err(|panic| panicked(calls, &*panic))
    }

    /// Begins a call. Fails if it is known not to return.
    #[inline]
    pub(super) fn begin(calls: &Calls) -> Result<(), Finding> {
        if IS_WATCHED.get() {
            begin_watched(calls)?;
        }
        Ok(())
    }

    fn begin_watched(calls: &Calls) -> Result<(), Finding> {
        WATCHED.with_borrow(|watched| {
            let call = watched.as_ref().map_or(Ok(()), Watched::call);
            call.map_err(|message| {
                GAVE_UP.set(true);
                calls.stuck(message)
            })
        })
    }

    #[cold]
    fn panicked(calls: &Calls, panic: &(dyn Any + Send)) -> Finding {
        let message = PANIC.take();
        // Empty if the panic bypassed the hook, or the hook was replaced.
        if !message.is_empty() {
            return calls.stuck(&message);
        }
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref().map(String::as_str));
        calls.stuck(text.unwrap_or("it panicked"))
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
