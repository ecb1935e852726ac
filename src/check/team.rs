//! Threads that run the same check, each with a harness of its own, and share what takes long.
//!
//! Framers and their states need not be `Send`, so no thread gets those of another. Where many items
//! do not depend on each other, the threads of a team first try different ones, and note which went
//! as expected and led to nothing new. Then each thread goes through all items in their order and
//! leaves those out. A violation, or a state that is new, is met in that order, as on one thread: the
//! result is the same. No thread waits for another.

#[cfg(not(feature = "std"))]
pub(crate) use without_std::*;

#[cfg(feature = "std")]
pub(crate) use with_std::{Done, ahead, is_helper, leave_to_others};
#[cfg(feature = "std")]
pub use with_std::{on_threads, parallel};

use alloc::vec::Vec;
use core::ops::{AddAssign, Sub};

/// How much an item took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) calls: u64,
    pub(crate) work: u64,
    /// The chunks tried with other bytes of their letters.
    pub(crate) varied: u64,
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.work += other.work;
        self.varied += other.varied;
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            calls: self.calls - before.calls,
            work: self.work - before.work,
            varied: self.varied - before.varied,
        }
    }
}

/// Returns the results of all items, in their order. Each thread of a team computes some of them.
///
/// `key` depends on all that the items depend on, so that only equal tasks are shared.
pub(crate) fn map<R: Clone + Send + Sync + 'static>(
    key: u64,
    items: usize,
    mut result: impl FnMut(usize) -> R,
) -> Vec<R> {
    let done = ahead(key, items, |item| Some(result(item)));
    let results = (0..items).map(|item| done.get(item).cloned().unwrap_or_else(|| result(item)));
    results.collect()
}

/// Without std there is one thread.
#[cfg(not(feature = "std"))]
mod without_std {
    use core::marker::PhantomData;

    pub(crate) struct Done<R>(PhantomData<R>);

    impl<R> Done<R> {
        #[expect(clippy::unused_self, reason = "with std there is something to get")]
        pub(crate) const fn get(&self, _: usize) -> Option<&R> {
            None
        }
    }

    pub(crate) fn ahead<R>(_: u64, _: usize, _: impl FnMut(usize) -> Option<R>) -> Done<R> {
        Done(PhantomData)
    }

    pub(crate) const fn leave_to_others() {}
}

#[cfg(feature = "std")]
mod with_std {
    use core::any::Any;
    use core::cell::RefCell;
    use core::num::NonZero;
    use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::boxed::Box;
    use std::collections::BTreeMap;
    use std::panic::{self, AssertUnwindSafe};
    use std::sync::{Arc, Mutex, OnceLock, PoisonError};
    use std::time::{Duration, Instant};
    use std::{env, iter, thread, thread_local};

    use crate::check::isolate;

    thread_local! {
        static MEMBER: RefCell<Option<Member>> = const { RefCell::new(None) };
    }

    /// A thread of a team.
    struct Member {
        team: Arc<Team>,
        /// The number of its next task.
        next: u64,
        role: Role,
    }

    enum Role {
        Helper,
        /// The thread that has the result, with what starts the helpers after some time.
        Leader(Option<(Instant, Box<dyn FnOnce()>)>),
    }

    /// How long a check takes before it is worth to start other threads.
    const PATIENCE: Duration = Duration::from_millis(50);

    /// How many parts the items of a task have at most. A thread takes the items of a part at once.
    const PARTS: usize = 64;

    struct Team {
        members: usize,
        /// Whether the result is known.
        closed: AtomicBool,
        /// By their numbers: those that some member has not come to yet, each with how many have.
        tasks: Mutex<BTreeMap<u64, (Arc<AnyTask>, usize)>>,
    }

    type AnyTask = dyn Any + Send + Sync;

    /// Items to try, the same for each member.
    struct Task<R> {
        /// Distinguishes it from tasks of members that do something else.
        key: u64,
        /// The next item that no member has tried.
        next: AtomicUsize,
        /// Whether an item did not go as expected.
        stopped: AtomicBool,
        done: Box<[OnceLock<R>]>,
    }

    /// The items that are done.
    pub(crate) struct Done<R>(Option<Arc<Task<R>>>);

    impl<R> Done<R> {
        /// Returns the result of an item, if it is done.
        pub(crate) fn get(&self, item: usize) -> Option<&R> {
            self.0.as_ref()?.done[item].get()
        }
    }

    /// Runs a check on all cores. The result is the same as on one.
    ///
    /// `run` is called on each core, with a harness of its own: no framer needs to be `Send`. Proofs,
    /// random and exhaustive splits, and [`every_stream`](crate::Harness::every_stream) divide their
    /// work among the cores. `run` must be deterministic, and must make the harness itself. What else it
    /// does, such as printing, each core does.
    ///
    /// The other cores join after 50 milliseconds. The environment variable `EVERYSPLIT_THREADS` sets
    /// another number of threads.
    /// [`framer_tests!`](crate::framer_tests) runs in parallel by itself. With a
    /// [`watchdog`](crate::watchdog), call this function inside of it.
    ///
    /// ```
    /// use everysplit::reference::{Config, Framer};
    /// use everysplit::{Harness, parallel};
    ///
    /// let certificate = parallel(|| {
    ///     let harness = Harness::framer(|| Framer::new(Config::default()));
    ///     harness.check(b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok")
    /// })?;
    /// assert_eq!(certificate.calls, 120);
    /// # Ok::<(), everysplit::Violation>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `run` does, or if `EVERYSPLIT_THREADS` is not a number from 1.
    pub fn parallel<T>(run: impl Fn() -> T + Send + Sync + 'static) -> T {
        let threads = match env::var("EVERYSPLIT_THREADS") {
            Ok(text) => text.parse().unwrap_or_else(|_| {
                panic!("EVERYSPLIT_THREADS is `{text}`: expected a number of threads from 1")
            }),
            Err(_) => thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
        };
        lead(threads.get(), PATIENCE, run)
    }

    /// Runs a check on a number of threads from the beginning, and otherwise as [`parallel`] does.
    ///
    /// # Panics
    ///
    /// Panics if `run` does.
    pub fn on_threads<T>(threads: usize, run: impl Fn() -> T + Send + Sync + 'static) -> T {
        lead(threads, Duration::ZERO, run)
    }

    fn lead<T>(
        threads: usize,
        patience: Duration,
        run: impl Fn() -> T + Send + Sync + 'static,
    ) -> T {
        let is_member = MEMBER.with_borrow(Option::is_some);
        if threads <= 1 || is_member || !isolate::begin_team() {
            return run();
        }
        let team = Arc::new(Team {
            members: threads,
            closed: AtomicBool::new(false),
            tasks: Mutex::default(),
        });
        let run = Arc::new(run);
        let helpers = {
            let (run, team) = (Arc::clone(&run), Arc::clone(&team));
            move || {
                for _ in 1..threads {
                    let (run, team) = (Arc::clone(&run), Arc::clone(&team));
                    // Without the thread, the others do its share.
                    let _ = thread::Builder::new().spawn(move || help(&*run, team));
                }
            }
        };
        MEMBER.set(Some(Member {
            team: Arc::clone(&team),
            next: 0,
            role: Role::Leader(Some((Instant::now() + patience, Box::new(helpers)))),
        }));
        let _closes = Closes(team);
        call_helpers();
        run()
    }

    fn help<T>(run: &impl Fn() -> T, team: Arc<Team>) {
        MEMBER.set(Some(Member {
            team,
            next: 0,
            role: Role::Helper,
        }));
        // The leader finds what this thread does.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(run())));
    }

    /// Starts the helpers if it is time.
    fn call_helpers() {
        let helpers = MEMBER.with_borrow_mut(|member| match &mut member.as_mut()?.role {
            Role::Leader(helpers) => helpers.take_if(|(from, _)| *from <= Instant::now()),
            Role::Helper => None,
        });
        if let Some((_, start)) = helpers {
            start();
        }
    }

    /// Closes the team when the thread that has the result ends its run.
    struct Closes(Arc<Team>);

    impl Drop for Closes {
        fn drop(&mut self) {
            self.0.closed.store(true, Ordering::Relaxed);
            MEMBER.set(None);
        }
    }

    /// Tries items, each on one thread of the team, and keeps their results. `attempt` returns nothing
    /// if an item does not go as expected, or leads to something new, and leaves everything as it was
    /// before. Without a team, no item is tried.
    ///
    /// `key` depends on all that the items depend on, so that only equal tasks are shared.
    pub(crate) fn ahead<R: Send + Sync + 'static>(
        key: u64,
        items: usize,
        mut attempt: impl FnMut(usize) -> Option<R>,
    ) -> Done<R> {
        if is_closed() {
            leave_to_others();
        }
        let task = MEMBER.with_borrow_mut(|member| member.as_mut()?.task(key, items));
        if let Some(task) = &task {
            let some = items.div_ceil(PARTS).max(1);
            let untried = iter::repeat_with(|| task.next.fetch_add(some, Ordering::Relaxed));
            let untried = untried.take_while(|&from| from < items);
            for item in untried.flat_map(|from| from..items.min(from + some)) {
                call_helpers();
                if task.stopped.load(Ordering::Relaxed) {
                    break;
                }
                match attempt(item) {
                    Some(result) => {
                        // Each item is tried once.
                        let _ = task.done[item].set(result);
                    }
                    None => task.stopped.store(true, Ordering::Relaxed),
                }
            }
        }
        Done(task)
    }

    impl Member {
        /// Returns its next task, which it makes if it is the first to come to it. Returns `None` if
        /// others do something else there.
        fn task<R: Send + Sync + 'static>(
            &mut self,
            key: u64,
            items: usize,
        ) -> Option<Arc<Task<R>>> {
            let mut tasks = self
                .team
                .tasks
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let new = || Task {
                key,
                next: AtomicUsize::new(0),
                stopped: AtomicBool::new(false),
                done: iter::repeat_with(OnceLock::<R>::new).take(items).collect(),
            };
            let entry = tasks.entry(self.next);
            let (task, came) = entry.or_insert_with(|| (Arc::new(new()), 0));
            *came += 1;
            let task = Arc::clone(task).downcast::<Task<R>>().ok();
            if *came == self.team.members {
                tasks.remove(&self.next);
            }
            self.next += 1;
            task.filter(|task| task.key == key && task.done.len() == items)
        }
    }

    /// Returns whether this thread helps another one.
    pub(crate) fn is_helper() -> bool {
        MEMBER.with_borrow(|member| {
            let role = member.as_ref().map(|member| &member.role);
            matches!(role, Some(Role::Helper))
        })
    }

    /// Ends the run of a helper: another thread finds what follows.
    pub(crate) fn leave_to_others() {
        if is_helper() {
            panic::resume_unwind(Box::new("the run of a helper ends"));
        }
    }

    fn is_closed() -> bool {
        MEMBER.with_borrow(|member| {
            let team = member.as_ref().map(|member| &member.team);
            team.is_some_and(|team| team.closed.load(Ordering::Relaxed))
        })
    }
}
