//! Splits: their number and order, the chunks that they make, their text, and random samples.

use std::collections::HashSet;

use everysplit::Split;
use proptest::prelude::*;

fn texts(splits: impl Iterator<Item = Split>) -> Vec<String> {
    splits.map(|split| split.to_string()).collect()
}

#[test]
fn all_yields_every_split_once() {
    for len in 0..=12 {
        let splits: Vec<Split> = Split::all(len).collect();
        let count = if len == 0 { 1 } else { 1 << (len - 1) };
        assert_eq!(splits.len(), count);
        assert_eq!(splits.iter().collect::<HashSet<_>>().len(), count);
        let inside = |split: &Split| split.cuts().iter().all(|&cut| 0 < cut && cut < len);
        assert!(splits.iter().all(inside));
        let counts = splits.iter().map(|split| split.cuts().len());
        assert!(counts.is_sorted(), "fewest cuts first");
    }
}

#[test]
fn up_to_stops_at_its_number_of_cuts() {
    assert_eq!(texts(Split::up_to(4, 0)), ["whole"]);
    assert_eq!(texts(Split::up_to(4, 1)), ["whole", "1", "2", "3"]);
    assert_eq!(
        texts(Split::up_to(4, 2)),
        ["whole", "1", "2", "3", "1,2", "1,3", "2,3"]
    );
    assert_eq!(texts(Split::up_to(4, 9)), texts(Split::all(4)));
    // 1 + 48 + 48 * 47 / 2 + ...
    assert_eq!(Split::up_to(49, 3).count(), 1 + 48 + 1128 + 17296);
}

#[test]
fn bytes_cuts_after_every_byte() {
    assert_eq!(Split::bytes(4).to_string(), "1,2,3");
    assert_eq!(Split::bytes(1), Split::whole());
    assert_eq!(Split::bytes(0), Split::whole());
}

#[test]
fn new_sorts_cuts_and_drops_0_and_duplicates() {
    assert_eq!(Split::new([5, 0, 2, 5]).cuts(), [2, 5]);
}

#[test]
fn cuts_past_the_end_are_ignored() {
    let split = Split::new([2, 4, 9]);
    assert_eq!(split.chunks(b"abcd").collect::<Vec<_>>(), [b"ab", b"cd"]);
    assert_eq!(split.chunks(b"").count(), 0);
}

#[test]
fn parse_errors_name_the_cut_and_the_syntax() {
    let error = |text: &str| text.parse::<Split>().unwrap_err().to_string();
    let help = "write increasing offsets such as 3,12,17 or the word whole";
    assert_eq!(
        error(""),
        format!("cut 1: cannot parse integer from empty string; {help}")
    );
    assert_eq!(
        error("3,x"),
        format!("cut 2: invalid digit found in string; {help}")
    );
    assert_eq!(
        error("3, 4"),
        format!("cut 2: invalid digit found in string; {help}")
    );
    assert_eq!(error("0"), format!("cut 1: not after offset 0; {help}"));
    assert_eq!(
        error("3,12,12"),
        format!("cut 3: not after offset 12; {help}")
    );
    assert_eq!(
        error("99999999999999999999"),
        format!("cut 1: number too large to fit in target type; {help}")
    );
}

proptest! {
    #[test]
    fn text_round_trips(cuts in prop::collection::vec(any::<usize>(), 0..9)) {
        let split = Split::new(cuts);
        prop_assert_eq!(split.to_string().parse(), Ok(split));
    }

    #[test]
    fn chunks_concatenate_to_the_stream(
        stream in prop::collection::vec(any::<u8>(), 0..40),
        cuts in prop::collection::vec(0..50usize, 0..9),
    ) {
        let split = Split::new(cuts);
        let chunks: Vec<&[u8]> = split.chunks(&stream).collect();
        prop_assert!(chunks.iter().all(|chunk| !chunk.is_empty()));
        prop_assert_eq!(chunks.concat(), stream);
    }

    #[test]
    fn samples_are_valid_and_reproducible(
        len in 0..3000usize,
        edges in prop::collection::vec(0..3000usize, 0..4),
        seed in any::<u64>(),
    ) {
        let split = Split::sample(len, &edges, seed);
        prop_assert!(split.cuts().iter().all(|&cut| 0 < cut && cut < len));
        prop_assert!(split.cuts().is_sorted());
        prop_assert_eq!(Split::sample(len, &edges, seed), split);
    }
}

#[test]
fn samples_reach_every_cut() {
    let len = 128;
    let samples = (0..2000).map(|seed| Split::sample(len, &[], seed));
    let cuts: HashSet<usize> = samples.flat_map(|split| split.cuts().to_vec()).collect();
    assert_eq!(cuts.len(), len - 1);
}

/// The chunks have every order of magnitude, up to that of the stream.
#[test]
fn samples_have_small_and_large_first_chunks() {
    let samples = (0..2000).map(|seed| Split::sample(255, &[], seed));
    let firsts: HashSet<usize> = samples
        .filter_map(|split| split.cuts().first().copied())
        .collect();
    assert!(firsts.contains(&1));
    assert!(firsts.iter().any(|&first| first > 200), "{firsts:?}");
}

#[test]
fn samples_have_up_to_eight_cuts() {
    let samples = (0..2000).map(|seed| Split::sample(4096, &[], seed));
    let counts: HashSet<usize> = samples.map(|split| split.cuts().len()).collect();
    assert_eq!(counts, (0..=8).collect());
}

#[test]
fn samples_cut_on_an_edge_and_beside_it_most_often() {
    let edge = 500;
    let samples = (0..1000).map(|seed| Split::sample(1000, &[edge], seed));
    let cuts: Vec<usize> = samples.flat_map(|split| split.cuts().to_vec()).collect();
    for cut in edge - 3..=edge + 3 {
        let count = cuts.iter().filter(|&&sampled| sampled == cut).count();
        let near = cut.abs_diff(edge) <= 1;
        assert_eq!(count > 200, near, "{count} at {cut}");
    }
}

/// The ends of a stream are edges but not cuts.
#[test]
fn samples_do_not_cut_at_the_ends() {
    let samples = (0..1000).map(|seed| Split::sample(20, &[0, 20], seed));
    let cuts: HashSet<usize> = samples.flat_map(|split| split.cuts().to_vec()).collect();
    assert_eq!(cuts, (1..20).collect());
}
