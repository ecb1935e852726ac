//! Shards: shares of the streams to check, for several machines.

use core::fmt;
use core::num::NonZero;
use core::str::FromStr;

/// One of several shards, among which streams are dealt out in turn. Each has its share whatever the
/// others do.
///
/// Its text form is `K/N`, the K-th of N shards. The tests that [`framer_tests!`](crate::framer_tests)
/// makes check one if the environment variable `EVERYSPLIT_SHARD` says so; a test of your own can do
/// the same.
///
/// ```
/// use everysplit::Shard;
///
/// let shard: Shard = "2/3".parse()?;
/// assert!(shard.of("abcdefgh".chars()).eq(['b', 'e', 'h']));
/// # Ok::<(), everysplit::ParseShardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0, and less than `count`.
    index: usize,
    count: NonZero<usize>,
}

impl Shard {
    /// The only shard.
    pub const WHOLE: Self = Self {
        index: 0,
        count: NonZero::<usize>::MIN,
    };

    /// Returns the shard of the environment variable `EVERYSPLIT_SHARD`, or the whole without it.
    ///
    /// # Panics
    ///
    /// Panics if the variable is not a shard.
    #[cfg(feature = "std")]
    #[must_use]
    #[track_caller]
    pub fn from_env() -> Self {
        const NAME: &str = "EVERYSPLIT_SHARD";
        match std::env::var(NAME) {
            Ok(text) => match text.parse() {
                Ok(shard) => shard,
                Err(error) => panic!("{NAME} is `{text}`: {error}"),
            },
            Err(_) => Self::WHOLE,
        }
    }

    /// Returns which of the shards it is, from 1.
    #[must_use]
    pub const fn number(self) -> usize {
        self.index + 1
    }

    /// Returns how many shards there are.
    #[must_use]
    pub const fn count(self) -> usize {
        self.count.get()
    }

    /// Returns the items of this shard.
    pub fn of<T>(self, items: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        items.into_iter().skip(self.index).step_by(self.count.get())
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl FromStr for Shard {
    type Err = ParseShardError;

    fn from_str(text: &str) -> Result<Self, ParseShardError> {
        let numbers = text.split_once('/').and_then(|(number, count)| {
            let number: NonZero<usize> = number.parse().ok()?;
            let count = count.parse().ok()?;
            (number <= count).then_some((number, count))
        });
        let (number, count) = numbers.ok_or(ParseShardError(()))?;
        Ok(Self {
            index: number.get() - 1,
            count,
        })
    }
}

/// A text that is not a [`Shard`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseShardError(());

impl fmt::Display for ParseShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected K/N, such as 1/4, with K from 1 to N")
    }
}

impl core::error::Error for ParseShardError {}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number(), self.count)
    }
}
