//! Polls the futures of framers and senders, as an executor does.

use alloc::sync::Arc;
use core::ops::Range;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::task::Wake;

use crate::subject::PATIENCE;

/// Polls futures again after they were pending, if they were woken.
pub(crate) struct Executor {
    woken: Arc<Woken>,
    waker: Waker,
    /// Whether a future is dropped when the harness's own reader or writer is pending, as `select!`
    /// and timeouts do.
    drops: bool,
    /// How often futures may be pending.
    patience: Range<usize>,
}

/// Whether a future was woken since it was pending.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Executor {
    /// Takes the length of the stream: the harness is pending once per chunk.
    pub(crate) fn new(len: usize, drops: bool) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        Self {
            waker: Arc::clone(&woken).into(),
            woken,
            drops,
            // Some framers yield by themselves, several times for each byte.
            patience: 0..16 * (len + PATIENCE),
        }
    }

    /// Polls a future until it is ready, or until it must be dropped: then it returns `None`.
    /// `pended` is called whenever the future is pending, and returns whether the harness's reader or
    /// writer was pending meanwhile.
    ///
    /// # Panics
    ///
    /// Panics if the future is pending and was not woken, or is pending again and again.
    pub(crate) fn run<T>(
        &mut self,
        mut future: Pin<&mut impl Future<Output = T>>,
        mut pended: impl FnMut() -> bool,
    ) -> Option<T> {
        loop {
            let context = &mut Context::from_waker(&self.waker);
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Some(output);
            }
            let woken = self.woken.0.swap(false, Ordering::Relaxed);
            assert!(woken, "pending, and nothing wakes it");
            let again = self.patience.next().is_some();
            assert!(again, "pending {} times", self.patience.end);
            if pended() && self.drops {
                return None;
            }
        }
    }
}
