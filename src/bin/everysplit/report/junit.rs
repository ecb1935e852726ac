//! A report as JUnit's XML.

use super::Run;
use crate::Cannot;

pub(super) fn suite(run: &Run) -> Result<String, Cannot> {
    Ok(run.summary())
}
