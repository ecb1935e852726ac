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
    Err(empty(shard, all as u64, noun))
}

/// Returns the error for a shard that has none of the items.
pub(super) fn empty(shard: Shard, all: u64, noun: &str) -> Error {
    format!(
        "the shard {shard} is empty, as there {} {}; use fewer shards",
        if all == 1 { "is" } else { "are" },
        count(all, noun)
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_shard_is_an_error() {
        for items in 0..20 {
            for count in 1..=items + 1 {
                for number in 1..=count {
                    let shard: Shard = format!("{number}/{count}").parse().unwrap();
                    let own: Vec<_> = shard.of(0..items).collect();
                    let some = some_of(shard, (0..items).collect(), "item");
                    assert_eq!(some.is_err(), own.is_empty());
                    assert_eq!(some.unwrap_or_default(), own);
                }
            }
        }
    }
}
