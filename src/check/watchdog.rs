//! Gives up calls that do not return.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, mpsc};
use std::vec::Vec;
use std::{format, panic, thread};

use super::isolate::Watched;
use crate::report::Violation;

/// Runs checks on a thread of their own, so that a framer that never returns from a call violates
/// [`Property::Progress`](crate::Property::Progress) instead of hanging the test.
///
/// A call is given up after `limit` to twice `limit`. Then the checks run again, up to that call,
/// to find the stream and the split; so they must be deterministic. The stuck thread cannot be
/// ended and stays until the process ends. A violation found this way is not minimised;
/// only the bytes after the call are removed.
///
/// [`framer_tests!`](crate::framer_tests) does this by itself.
///
/// ```
/// use std::time::Duration;
///
/// use everysplit::reference::{Config, Framer};
/// use everysplit::{Harness, watchdog};
///
/// let certificate = watchdog(Duration::from_secs(10), || {
///     let harness = Harness::framer(|| Framer::new(Config::default()));
///     harness.check(b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok")
/// })?;
/// assert_eq!(certificate.bytes, 14);
/// # Ok::<(), everysplit::Violation>(())
/// ```
///
/// # Errors
///
/// The violation that `run` returns, or that of a call that does not return.
///
/// # Panics
///
/// Panics if `run` does so outside calls of the framer, or if no thread can be started.
pub fn watchdog<T: Send + 'static>(
    limit: Duration,
    run: impl Fn() -> Result<T, Violation> + Send + Sync + 'static,
) -> Result<T, Violation> {
    let run = Arc::new(run);
    let message = format!("it did not return within {limit:?}");
    let (mut hangs, mut alone) = (Vec::new(), false);
    loop {
        let beats = Arc::new(AtomicU64::new(0));
        let in_team = Arc::new(AtomicBool::new(false));
        let watched = Watched {
            beats: Arc::clone(&beats),
            hangs: hangs.clone(),
            message: message.clone(),
            in_team: Arc::clone(&in_team),
            alone,
        };
        let run = Arc::clone(&run);
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || {
            watched.begin();
            // Fails if the watchdog has given up this thread.
            let _ = sender.send(run());
        });
        let mut last = 0;
        loop {
            match receiver.recv_timeout(limit) {
                Ok(result) => return result,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    let panic = thread.join().expect_err("the thread sends before it ends");
                    panic::resume_unwind(panic)
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let beat = beats.load(Ordering::Relaxed);
                    if beat % 2 == 1 && beat == last {
                        // In a team the call has no fixed number: it is found alone.
                        if in_team.load(Ordering::Relaxed) {
                            alone = true;
                        } else {
                            hangs.push(beat);
                        }
                        break;
                    }
                    last = beat;
                }
            }
        }
    }
}
