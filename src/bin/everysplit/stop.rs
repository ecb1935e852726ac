//! When a run is to stop before it is done: on Ctrl-C, and when its time is up. It stops
//! nothing itself.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

static REQUESTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Takes note of Ctrl-C, and of what asks a program to end, from now on.
pub(crate) fn listen() -> io::Result<()> {
    let requested = REQUESTED.get_or_init(Arc::default);
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(requested))?;
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(requested))?;
    Ok(())
}

/// Returns whether somebody wants the run to stop.
pub(crate) fn requested() -> bool {
    REQUESTED
        .get()
        .is_some_and(|requested| requested.load(Ordering::Relaxed))
}

/// How long a run may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// Returns why the run is to stop, if it is.
    pub(crate) fn stop(self) -> Option<&'static str> {
        if requested() {
            return Some("interrupted");
        }
        let over = self.0.is_some_and(|until| Instant::now() > until);
        over.then_some("the time is up, see --time")
    }
}
