//! Replaces the proxy on systems other than Unix.

use crate::Error;
use crate::options::ProxyOptions;

pub(crate) fn run(_: &ProxyOptions) -> Result<bool, Error> {
    Err("the proxy needs Linux, macOS or another Unix system".into())
}
