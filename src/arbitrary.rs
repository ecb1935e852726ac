//! `Arbitrary` for splits and cases.
//!
//! A raw stream is a whole input: the split of a [`Case`] is derived from a hash of the bytes.

use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::case::Case;
use crate::split::Split;

/// Takes the lengths of the chunks, up to 65 535 bytes each.
impl<'a> Arbitrary<'a> for Split {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut cut = 0;
        let mut cuts = Vec::new();
        for length in u.arbitrary_iter::<u16>()? {
            cut += usize::from(length?);
            cuts.push(cut);
        }
        Ok(Self::new(cuts))
    }
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let len = u.arbitrary_len::<u8>()?;
        Ok(Case::from(u.bytes(len)?))
    }

    fn arbitrary_take_rest(u: Unstructured<'a>) -> Result<Self> {
        Ok(Case::from(u.take_rest()))
    }
}
