//! When a run is to stop before it is done: on Ctrl-C, and when its time is up. It stops
//! nothing itself.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

static REQUESTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
static UNTIL: OnceLock<Instant> = OnceLock::new();

/// Takes note of Ctrl-C, and of what else asks a program to end, from now on.
pub(crate) fn listen() -> io::Result<()> {
    let requested = REQUESTED.get_or_init(Arc::default);
    let signals = [
        SIGINT,
        SIGTERM,
        #[cfg(unix)]
        signal_hook::consts::SIGHUP,
    ];
    for signal in signals {
        signal_hook::flag::register(signal, Arc::clone(requested))?;
    }
    Ok(())
}

/// Sets how long the run may take from now on.
pub(crate) fn after(time: Duration) {
    if let Some(until) = Instant::now().checked_add(time) {
        UNTIL.get_or_init(|| until);
    }
}

/// Returns why the run is to stop, if it is.
pub(crate) fn why() -> Option<&'static str> {
    let requested = REQUESTED.get();
    if requested.is_some_and(|requested| requested.load(Ordering::Relaxed)) {
        return Some("interrupted");
    }
    let over = UNTIL.get().is_some_and(|until| Instant::now() > *until);
    over.then_some("the time is up, see --time")
}

/// Returns whether the run is to stop.
pub(crate) fn requested() -> bool {
    why().is_some()
}
