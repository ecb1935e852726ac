//! Requests to stop a run early: Ctrl-C and other signals, and `--max-time`. The runs poll them.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use signal_hook::consts;

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
static DEADLINE: OnceLock<Instant> = OnceLock::new();

/// The signals that end a program and that it can take as a request to stop.
pub(crate) const SIGNALS: &[i32] = &[
    consts::SIGINT,
    consts::SIGTERM,
    #[cfg(unix)]
    consts::SIGHUP,
    #[cfg(unix)]
    consts::SIGQUIT,
    #[cfg(unix)]
    consts::SIGALRM,
    #[cfg(unix)]
    consts::SIGUSR1,
    #[cfg(unix)]
    consts::SIGUSR2,
];

/// Takes Ctrl-C and other signals that end a program as requests to stop from now on.
pub(crate) fn listen() -> io::Result<()> {
    let interrupted = INTERRUPTED.get_or_init(Arc::default);
    for &signal in SIGNALS {
        signal_hook::flag::register(signal, Arc::clone(interrupted))?;
    }
    Ok(())
}

/// Sets the maximum time of the run, from now.
pub(crate) fn after(time: Duration) {
    if let Some(deadline) = Instant::now().checked_add(time) {
        DEADLINE.get_or_init(|| deadline);
    }
}

/// Returns why the run must stop, if it must.
pub(crate) fn reason() -> Option<&'static str> {
    let interrupted = INTERRUPTED.get();
    if interrupted.is_some_and(|interrupted| interrupted.load(Ordering::Relaxed)) {
        return Some("interrupted");
    }
    let over = DEADLINE
        .get()
        .is_some_and(|deadline| Instant::now() > *deadline);
    over.then_some("the time is up; allow more with --max-time")
}

/// Returns whether the run must stop.
pub(crate) fn requested() -> bool {
    reason().is_some()
}
