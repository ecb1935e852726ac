//! The properties of a correct framer: a name and one sentence each.

macro_rules! properties {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $sentence:literal;)*) => {
        /// What a framer must do, one sentence each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Property {
            $(#[doc = concat!($sentence, ".")] $(#[$doc])* $variant,)*
        }

        impl Property {
            /// Every property.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Returns the property's name, such as `every_split`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns whether a token can show a violation again: not a duration, nor a call of an
            /// encoder.
            pub(crate) const fn has_token(self) -> bool {
                !matches!(self, Self::Linear | Self::Encode)
            }

            /// Returns the property's sentence.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$variant => $sentence,)*
                }
            }
        }
    };
}

properties! {
    RoundTrip, "round_trip",
        "what was encoded comes back equal, whatever the split";
    EverySplit, "every_split",
        "frames, errors and their offsets do not depend on the split, on valid and on hostile streams";
    Prompt, "prompt",
        "a frame is emitted as soon as its last byte is in, and not before";
    Limit, "limit",
        "a body at the limit passes; above it the header is rejected at the earliest byte that decides it";
    Rejection, "rejection",
        "an invalid frame is rejected at the earliest byte that decides it";
    Truncation, "truncation",
        "a stream that ends inside a frame is reported, one that ends on a boundary is clean";
    Poisoned, "poisoned",
        "after an error every call returns the same error and no frame";
    EmptyChunk, "empty_chunk",
        "feeding no bytes changes nothing";
    Memory, "memory",
        "bytes held are bounded by bytes received, whatever a header claims";
    Linear, "linear",
        "cost is in proportion to the bytes, one byte at a time and many frames at once";
    Interrupted, "interrupted",
        "Interrupted, WouldBlock and Pending lose nothing";
    Cancelled, "cancelled",
        "a dropped future loses nothing";
    Progress, "progress",
        "no panic, no endless loop, no frame out of nothing";
    Encode, "encode",
        "a frame over the limit is not written and leaves the output as it was";
    Written, "written",
        "the same bytes are sent however few the writer accepts at once";
    Differential, "differential",
        "two framers of one format emit the same frames at the same bytes and reject the same streams";
}
