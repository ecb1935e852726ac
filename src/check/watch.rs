//! Gives up calls that do not return. It judges nothing.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, mpsc};
use std::vec::Vec;
use std::{format, panic, thread};

use super::Violation;
use super::guard::Watched;

/// Runs checks on a thread of their own, so that a subject that never returns
/// from a call violates [`Property::Progress`](super::Property::Progress) and
/// whoever asked goes on: after `limit`, twice that at most, the call is given up
/// and the checks are run anew, up to that call, to tell how it came about. They
/// must do the same in every run.
///
/// What does not return cannot be ended either: its thread is left behind until
/// the process ends. So a violation found this way is not made smaller, but for
/// the bytes behind it.
///
/// ```
/// use std::time::Duration;
///
/// use everysplit::check::{self, Harness};
/// use everysplit::reference::{Config, Framer, naive};
///
/// let certificate = check::watch(Duration::from_secs(10), || {
///     let config = Config::default();
///     let harness = Harness::new(|| Framer::new(config), |stream| naive::parse(config, stream));
///     harness.prove(b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok")
/// })?;
/// assert_eq!(certificate.bytes, 14);
/// # Ok::<(), check::Violation>(())
/// ```
///
/// # Errors
///
/// What `run` returns.
///
/// # Panics
///
/// When `run` does, outside calls of the subject; when there is no thread to be
/// had.
pub fn watch<T: Send + 'static>(
    limit: Duration,
    run: impl Fn() -> Result<T, Violation> + Send + Sync + 'static,
) -> Result<T, Violation> {
    let run = Arc::new(run);
    let verdict = format!("it did not within {limit:?}");
    let mut hangs = Vec::new();
    loop {
        let beats = Arc::new(AtomicU64::new(0));
        let watched = Watched {
            beats: Arc::clone(&beats),
            hangs: hangs.clone(),
            verdict: verdict.clone(),
        };
        let run = Arc::clone(&run);
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || {
            watched.begin();
            // Nobody listens any more when it was given up.
            let _ = sender.send(run());
        });
        let mut last = 0;
        loop {
            match receiver.recv_timeout(limit) {
                Ok(result) => return result,
                Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
                    Ok(()) => unreachable!("the thread sends before it ends"),
                    Err(panic) => panic::resume_unwind(panic),
                },
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let beat = beats.load(Ordering::Relaxed);
                    if beat % 2 == 1 && beat == last {
                        hangs.push(beat);
                        break;
                    }
                    last = beat;
                }
            }
        }
    }
}
