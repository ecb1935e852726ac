//! A share of a run, so that several machines share the work.

use std::fmt;
use std::num::NonZero;
use std::str::FromStr;

use crate::Error;
use crate::text::count;

/// One of several shards, among which streams or seeds are dealt out in turn. Each has its share
/// whatever the others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// From 0, and less than `count`.
    index: usize,
    count: NonZero<usize>,
}

impl Shard {
    /// The only shard.
    pub(crate) const WHOLE: Self = Self {
        index: 0,
        count: NonZero::<usize>::MIN,
    };

    /// Returns the items of this shard.
    pub(crate) fn of<T>(self, items: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        items.into_iter().skip(self.index).step_by(self.count.get())
    }

    /// Returns the items of this shard, which are called `noun`.
    ///
    /// # Errors
    ///
    /// If there are none: then nothing would be checked.
    pub(crate) fn some_of<T>(self, items: Vec<T>, noun: &str) -> Result<Vec<T>, Error> {
        let all = items.len();
        if self.index < all {
            return Ok(self.of(items).collect());
        }
        Err(format!(
            "the shard {self} is empty, as there {} {}; use fewer shards",
            if all == 1 { "is" } else { "are" },
            count(all as u64, noun)
        )
        .into())
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let numbers = text.split_once('/').and_then(|(number, count)| {
            let number: NonZero<usize> = number.parse().ok()?;
            let count = count.parse().ok()?;
            (number <= count).then_some((number, count))
        });
        let (number, count) = numbers.ok_or("expected K/N, such as 1/4, with K from 1 to N")?;
        Ok(Self {
            index: number.get() - 1,
            count,
        })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each item is in exactly one shard, and the shards differ in size by one at most.
    #[test]
    fn shards_are_disjoint_and_complete() {
        for items in 0..20 {
            for count in 1..=items + 1 {
                let mut dealt: Vec<usize> = Vec::new();
                for number in 1..=count {
                    let shard: Shard = format!("{number}/{count}").parse().unwrap();
                    let own: Vec<_> = shard.of(0..items).collect();
                    assert!((items / count..=items / count + 1).contains(&own.len()));
                    let some = shard.some_of((0..items).collect(), "item");
                    assert_eq!(some.is_err(), own.is_empty());
                    assert_eq!(some.unwrap_or_default(), own);
                    dealt.extend(own);
                }
                dealt.sort_unstable();
                assert!(dealt.into_iter().eq(0..items));
            }
        }
    }
}
