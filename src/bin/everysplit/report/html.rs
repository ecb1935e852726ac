//! A report as one page.

use super::Run;

pub(super) fn page(run: &Run) -> String {
    run.summary()
}
