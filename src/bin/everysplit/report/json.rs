//! A report as JSON.

use super::Run;
use crate::Cannot;

pub(super) fn object(run: &Run) -> Result<String, Cannot> {
    Ok(run.summary())
}
