//! Shards: every stream is in exactly one, and a property is held to where a stream checks it.

use std::env;
use std::process::Command;

use everysplit::Shard;

/// Only some of its streams check the limit.
const LIMITED: &str = "macros::messages::";
/// None of its streams is rejected.
const UNLIMITED: &str = "macros::long_message::";

/// Runs the test `verdict` of a module, and those of its properties, in one shard. Returns what they
/// print, and whether they pass.
fn run(module: &str, shard: &str) -> (String, bool) {
    let output = Command::new(env::current_exe().unwrap())
        .args([module, "--nocapture", "--test-threads=1"])
        .env("EVERYSPLIT_SHARD", shard)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.success())
}

/// Returns the certificates with the streams' names.
fn certificates(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines
        .filter(|line| line.contains("  proved: ") || line.contains("  bounded: "))
        .collect()
}

#[test]
fn items_are_dealt_out_in_turn() {
    for items in 0..20 {
        for count in 1..=items + 1 {
            let mut dealt: Vec<usize> = Vec::new();
            for number in 1..=count {
                let shard: Shard = format!("{number}/{count}").parse().unwrap();
                let own: Vec<_> = shard.of(0..items).collect();
                assert!((items / count..=items / count + 1).contains(&own.len()));
                dealt.extend(own);
            }
            dealt.sort_unstable();
            assert!(dealt.into_iter().eq(0..items));
        }
    }
}

#[test]
fn only_shards_parse() {
    let shard: Shard = "2/3".parse().unwrap();
    assert_eq!((shard.number(), shard.count()), (2, 3));
    for text in ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b"] {
        let error = text.parse::<Shard>().unwrap_err();
        assert!(error.to_string().contains("expected K/N"), "{text}");
    }
    let (text, passes) = run(LIMITED, "5/4");
    assert!(!passes);
    assert!(
        text.contains("EVERYSPLIT_SHARD is `5/4`: expected K/N"),
        "{text}"
    );
}

#[test]
fn every_stream_is_in_exactly_one_shard() {
    let (text, passes) = run(LIMITED, "1/1");
    assert!(passes, "{text}");
    let whole = certificates(&text);
    assert!(whole.len() > 20, "{text}");
    assert!(!text.contains("shard "), "{text}");
    // More shards than streams: some are empty.
    for count in [3, whole.len() + 2] {
        let texts = (1..=count).map(|number| run(LIMITED, &format!("{number}/{count}")));
        let mut texts: Vec<_> = texts.collect();
        for (number, (text, passes)) in texts.iter().enumerate() {
            assert!(passes, "{text}");
            let of = format!(" of {} (shard {}/{count})", whole.len(), number + 1);
            assert!(text.contains(&of), "{text}");
        }
        let mut all: Vec<_> = texts
            .iter()
            .flat_map(|(text, _)| certificates(text))
            .collect();
        let mut expected = whole.clone();
        all.sort_unstable();
        expected.sort_unstable();
        assert_eq!(all, expected);
        let (last, _) = texts.pop().unwrap();
        if count > whole.len() {
            assert!(
                last.contains("messages: nothing checked on 0 streams of "),
                "{last}"
            );
            assert!(last.contains("limit, "), "{last}");
            assert!(last.contains("(the other shards check it)"), "{last}");
        }
    }
}

/// What no stream checks is said in every shard.
#[test]
fn a_shard_does_not_stand_for_a_property_that_none_checks() {
    for shard in ["1/1", "1/2", "2/2"] {
        let (text, passes) = run(UNLIMITED, shard);
        assert!(passes, "{text}");
        assert!(
            text.contains("rejection (add an invalid frame with `rejects`)"),
            "{text}"
        );
    }
}
