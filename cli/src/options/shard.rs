//! A share of a run, so that several machines share the work.

pub(crate) use everysplit::Shard;

use crate::Error;
use crate::text::count;

/// Returns the items of a shard, which are called `noun`.
///
/// # Errors
///
/// If there are none: then nothing would be checked.
pub(crate) fn some_of<T>(shard: Shard, items: Vec<T>, noun: &str) -> Result<Vec<T>, Error> {
    let all = items.len();
    let own: Vec<T> = shard.of(items).collect();
    if !own.is_empty() {
        return Ok(own);
    }
    Err(format!(
        "the shard {shard} is empty, as there {} {}; use fewer shards",
        if all == 1 { "is" } else { "are" },
        count(all as u64, noun)
    )
    .into())
}
