//! Tests the `auth` format, in which a random challenge and its HMAC precede the frames of another
//! format: the digests against CPython's, every split of an answer and the frames after it, the
//! rejection of incorrect and truncated answers, and the error messages.

use std::io;

use bytes::{Buf, BytesMut};
use everysplit::reference::fuzzing::CONFIGS;
use everysplit::reference::{Codec, Config, DecodeError, Decoder, Frame, naive};
use everysplit::subject::Decode;
use everysplit::{Case, Expected, Outcome, Split};
use everysplit_formats::auth::GuardedError;
use everysplit_formats::auth::fuzzing::{
    ALGORITHMS, CHALLENGE, KEY, answer, expected, guarded, harness,
};
use everysplit_formats::auth::{Algorithm, Answer, AuthError, Challenge, Guarded};
use serde::Deserialize;
use tokio_stream::StreamExt;
use tokio_util::codec::FramedRead;

use crate::common;
use crate::support::{bodies, prove_both_ways};

/// An answer computed by CPython, correct or not.
#[derive(Deserialize)]
struct Vector {
    #[serde(flatten)]
    inner: common::Vector,
    #[serde(with = "hex")]
    key: Vec<u8>,
    #[serde(with = "hex")]
    challenge: [u8; Challenge::LEN],
    #[serde(rename = "algorithm")]
    algorithm_name: String,
}

impl Vector {
    fn algorithm(&self) -> Algorithm {
        match &self.algorithm_name[..] {
            "sha256" => Algorithm::Sha256,
            "md5" => Algorithm::Md5,
            other => panic!("{other}"),
        }
    }

    fn correct_answer(&self) -> Answer {
        Challenge::from(self.challenge).answer(self.algorithm(), &self.key)
    }

    fn expected(&self) -> Expected<Vec<u8>, AuthError> {
        let algorithm = self.algorithm();
        Expected {
            frames: bodies(&self.inner),
            at_end: Vec::new(),
            outcome: match self.inner.outcome {
                common::Outcome::Clean => Outcome::Clean,
                common::Outcome::Rejected => Outcome::Rejected {
                    at: self.inner.at.unwrap(),
                    error: AuthError::WrongAnswer { algorithm },
                },
                common::Outcome::Truncated => panic!("{}: truncated", self.inner.name),
            },
        }
    }
}

fn vectors() -> Vec<Vector> {
    let vectors: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../../../tests/data/vectors.json")).unwrap();
    let vectors: Vec<Vector> = vectors
        .into_iter()
        .filter(|vector| vector["framing"] == "auth")
        .map(|vector| serde_json::from_value(vector).unwrap())
        .collect();
    assert_eq!(vectors.len(), 4);
    vectors
}

/// A server that emits the correct answer as its only frame.
#[derive(Clone, PartialEq, Eq)]
struct AnswerOnly {
    gate: Guarded<()>,
    emitted: bool,
}

impl AnswerOnly {
    fn new(correct: Answer) -> Self {
        Self {
            gate: Guarded::new(correct, ()),
            emitted: false,
        }
    }
}

impl Decode for AnswerOnly {
    type Frame = Vec<u8>;
    type Error = AuthError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, AuthError> {
        let before = buffer.to_vec();
        if self.gate.open(buffer)?.is_none() || self.emitted {
            return Ok(None);
        }
        self.emitted = true;
        Ok(Some(before[..before.len() - buffer.len()].to_vec()))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, AuthError> {
        self.gate.open_eof(buffer).map(|()| None)
    }
}

/// Checks every split of a stream against the server of the fuzz target.
#[track_caller]
fn check_every_split(algorithm: Algorithm, stream: &[u8]) {
    let oracle = move |stream: &[u8]| expected(algorithm, stream);
    prove_both_ways(move || guarded(algorithm), oracle, stream);
}

/// Encodes three frames, one of them with an empty body.
fn frames() -> Vec<u8> {
    let mut stream = BytesMut::new();
    for (cmd, body) in [(1, "one"), (2, ""), (3, "three")] {
        let (recv, body) = (1, body.into());
        let frame = Frame { cmd, recv, body };
        CONFIGS[0].encode(&frame, &mut stream).unwrap();
    }
    stream.to_vec()
}

fn wrong_answer(algorithm: Algorithm) -> GuardedError<DecodeError> {
    GuardedError::Answer(AuthError::WrongAnswer { algorithm })
}

#[test]
fn answers_match_cpython() {
    for vector in vectors() {
        let correct = vector.correct_answer();
        let is_correct = vector.inner.outcome == common::Outcome::Clean;
        assert_eq!(correct.as_bytes() == vector.inner.stream, is_correct);
        assert_eq!(correct.algorithm(), vector.algorithm());
        assert_eq!(correct.as_bytes().len(), vector.algorithm().answer_len());
        if is_correct {
            assert_eq!(answer(vector.algorithm()), vector.inner.stream);
        }
        assert_eq!((&vector.key[..], vector.challenge), (KEY, CHALLENGE));
    }
}

/// Empty, one byte, a digest's length, around the hash's block of 64 bytes, and far over it. The
/// key is 1, 2, 3 and so on; the digests were computed with CPython's `hmac`.
#[test]
fn accepts_keys_of_any_length() {
    let answers = [
        (
            0,
            "46bd320605c5a6b6163ab70bc6345b92a5f908e79fe58979c23ebb47d1a5e307",
            "3e3ab4cc7b5b9826c8b995d63d9ca6d1",
        ),
        (
            1,
            "e16602b2f6e881cf952563bc1fa69d0a9d9d31bcf9ed2987a81b21f130048545",
            "1e940175fcf54ae09b9391e33d8920e8",
        ),
        (
            32,
            "676098efca4a5d67d98abeb37d7191fe04be255e308f74225f8194d78fd7e396",
            "eef2f0ddfd0b7589667b664d401af75c",
        ),
        (
            63,
            "320989c891c2f0d1b7bc2a017537acb5ad8855cb0ccd16123e5d9bda102f85ce",
            "afce445f63dd362b2adf9dc0c72e8a8e",
        ),
        (
            64,
            "a5da3b57a6a810a8aa6dd0d70aab1bdfc9c43992b0a1639816f852ff9fad6c23",
            "d135ad55338b4fa482bd16153745d08b",
        ),
        (
            65,
            "04aa259231e7bc808ab159f2cf2a92c02b4fe6b8b51fbc038b790663799fe113",
            "cb82afc0bbe5c2024178beeb0dc5d7b3",
        ),
        (
            131,
            "fd4295cdb3b432b4b56e9a108dbbdaec7859fde200b4f5cea89050d11f9104a7",
            "91bcf7dfda8092efffb53ccce5c7549d",
        ),
    ];
    for (len, sha256, md5) in answers {
        let key: Vec<u8> = (1..=len).collect();
        for (algorithm, digest) in [(Algorithm::Sha256, sha256), (Algorithm::Md5, md5)] {
            let answer = Challenge::from(CHALLENGE).answer(algorithm, &key);
            assert_eq!(hex::encode(answer.as_bytes()), digest, "{len} bytes");
        }
    }
}

#[test]
fn server_matches_the_vectors_under_every_split() {
    for vector in vectors() {
        let (answer, expected) = (vector.correct_answer(), vector.expected());
        prove_both_ways(
            move || AnswerOnly::new(answer.clone()),
            move |_: &[u8]| expected.clone(),
            &vector.inner.stream,
        );
    }
}

/// The frames are those of each reference vector: valid, truncated and hostile streams.
#[test]
fn every_split_of_an_answer_and_the_frames_after_it() {
    for vector in common::vectors() {
        for algorithm in ALGORITHMS {
            let correct = Challenge::from(CHALLENGE).answer(algorithm, KEY);
            let config = vector.config();
            let make = move || Guarded::new(correct.clone(), Decoder::new(config));
            let expected = vector.expected();
            let oracle = move |stream: &[u8]| {
                everysplit_formats::auth::naive::parse(algorithm, answer(algorithm), stream, |_| {
                    expected.clone()
                })
            };
            let stream = [answer(algorithm), &vector.stream].concat();
            prove_both_ways(make, oracle, &stream);
        }
    }
}

#[test]
fn consumes_exactly_the_answer() {
    for algorithm in ALGORITHMS {
        let mut server = Guarded::new(
            Challenge::from(CHALLENGE).answer(algorithm, KEY),
            Decoder::new(CONFIGS[0]),
        );
        let mut buffer = BytesMut::from(&[answer(algorithm), &frames()].concat()[..]);
        let inner = server.open(&mut buffer).unwrap();
        assert_eq!(inner, Some(&mut Decoder::new(CONFIGS[0])));
        assert_eq!(buffer, frames());
        // An open connection consumes nothing more.
        assert!(server.open(&mut buffer).unwrap().is_some());
        assert!(server.open_eof(&mut buffer).is_ok());
        assert_eq!(buffer, frames());
    }
}

/// Valid frames follow the answer: none of them may be decoded.
#[test]
fn rejects_an_answer_with_one_flipped_bit_at_its_last_byte() {
    for algorithm in ALGORITHMS {
        let (harness, len) = (harness(algorithm), algorithm.answer_len());
        for bit in 0..8 * len {
            let mut stream = [answer(algorithm), &frames()].concat();
            stream[bit / 8] ^= 1 << (bit % 8);
            harness.check(&stream).unwrap();

            let mut server = guarded(algorithm);
            let mut buffer = BytesMut::from(&stream[..len - 1]);
            assert_eq!(server.decode(&mut buffer), Ok(None));
            buffer.extend_from_slice(&stream[len - 1..]);
            assert_eq!(server.decode(&mut buffer), Err(wrong_answer(algorithm)));
            assert_eq!(buffer, stream);
            // Poisoned, whatever the buffer holds.
            buffer.advance(len);
            assert_eq!(server.decode(&mut buffer), Err(wrong_answer(algorithm)));
            assert_eq!(server.decode_eof(&mut buffer), Err(wrong_answer(algorithm)));
            assert_eq!(buffer, frames());
            let mut correct = BytesMut::from(answer(algorithm));
            assert_eq!(server.decode(&mut correct), Err(wrong_answer(algorithm)));
            assert_eq!(correct, answer(algorithm));
        }
    }
}

#[test]
fn every_split_of_an_incorrect_answer_and_what_follows() {
    let vectors = vectors();
    let rejected = |vector: &&Vector| vector.inner.outcome == common::Outcome::Rejected;
    for vector in vectors.iter().filter(rejected) {
        let algorithm = vector.algorithm();
        for rest in [&frames()[..], b"", answer(algorithm)] {
            check_every_split(algorithm, &[&vector.inner.stream, rest].concat());
        }
    }
}

/// The error is a truncation, whether or not the received bytes are correct.
#[test]
fn rejects_a_truncated_answer_at_the_end_of_the_stream() {
    for algorithm in ALGORITHMS {
        let due = algorithm.answer_len();
        for received in 0..due {
            let mut incorrect = answer(algorithm)[..received].to_vec();
            incorrect.iter_mut().take(1).for_each(|byte| *byte ^= 1);
            for short in [&answer(algorithm)[..received], &incorrect] {
                check_every_split(algorithm, short);
                let mut server = guarded(algorithm);
                let mut buffer = BytesMut::from(short);
                assert_eq!(server.decode(&mut buffer), Ok(None));
                let (received, due) = (received as u64, due as u64);
                let truncated = AuthError::AnswerTruncated { received, due };
                let error = GuardedError::Answer(truncated);
                assert_eq!(server.decode_eof(&mut buffer), Err(error));
                assert_eq!(buffer, short);
            }
        }
    }
}

/// The key is correct, the hash is not the configured one.
#[test]
fn rejects_an_answer_of_the_other_algorithm() {
    let (sha256, md5) = (Algorithm::Sha256, Algorithm::Md5);
    // 16 of 32 bytes, alone and completed by the bytes of frames.
    let mut server = guarded(sha256);
    let truncated = AuthError::AnswerTruncated {
        received: 16,
        due: 32,
    };
    assert_eq!(
        server.decode_eof(&mut BytesMut::from(answer(md5))),
        Err(GuardedError::Answer(truncated))
    );
    check_every_split(sha256, answer(md5));
    check_every_split(sha256, &[answer(md5), &frames()].concat());
    // 32 bytes where 16 are expected: the first 16 decide.
    let mut server = guarded(md5);
    let mut first = BytesMut::from(&answer(sha256)[..16]);
    assert_eq!(server.decode(&mut first), Err(wrong_answer(md5)));
    check_every_split(md5, answer(sha256));
    check_every_split(md5, &[answer(sha256), &frames()].concat());
}

/// Decodes what a server sends: the challenge, then frames.
#[derive(Clone, PartialEq, Eq)]
struct Client {
    challenge: Option<Challenge>,
    decoder: Decoder,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sent {
    Challenge(Challenge),
    Frame(Frame),
}

impl Decode for Client {
    type Frame = Sent;
    type Error = GuardedError<DecodeError>;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Sent>, Self::Error> {
        if self.challenge.is_none() {
            self.challenge = Challenge::decode(buffer);
            return Ok(self.challenge.map(Sent::Challenge));
        }
        let decoded = self.decoder.decode(buffer).map_err(GuardedError::Inner)?;
        Ok(decoded.map(Sent::Frame))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Sent>, Self::Error> {
        if self.challenge.is_none() {
            let challenge = Challenge::decode_eof(buffer).map_err(GuardedError::Answer)?;
            self.challenge = Some(challenge);
            return Ok(Some(Sent::Challenge(challenge)));
        }
        let decoded = self
            .decoder
            .decode_eof(buffer)
            .map_err(GuardedError::Inner)?;
        Ok(decoded.map(Sent::Frame))
    }
}

#[test]
fn every_split_of_a_challenge_and_the_frames_after_it() {
    let oracle = |stream: &[u8]| {
        let Some((challenge, rest)) = stream.split_first_chunk() else {
            let (received, due) = (stream.len() as u64, 32);
            let error = AuthError::ChallengeTruncated { received, due };
            return Expected {
                frames: Vec::new(),
                at_end: Vec::new(),
                outcome: Outcome::Truncated(GuardedError::Answer(error)),
            };
        };
        let frames = naive::parse(CONFIGS[0], rest).frames.into_iter();
        let frames = frames.map(|(end, frame)| (32 + end, Sent::Frame(frame)));
        let challenge = (32, Sent::Challenge((*challenge).into()));
        Expected {
            frames: [challenge].into_iter().chain(frames).collect(),
            at_end: Vec::new(),
            outcome: Outcome::Clean,
        }
    };
    let make = || Client {
        challenge: None,
        decoder: Decoder::new(CONFIGS[0]),
    };
    let stream = [&CHALLENGE[..], &frames()].concat();
    for end in (0..=32).chain([stream.len()]) {
        prove_both_ways(make, oracle, &stream[..end]);
    }
}

/// Two equal ones have a probability of 2^-256.
#[test]
fn random_challenges_differ() {
    let random = || Challenge::random().unwrap();
    let challenges: Vec<Challenge> = (0..64).map(|_| random()).collect();
    for (index, challenge) in challenges.iter().enumerate() {
        assert!(!challenges[..index].contains(challenge));
        assert_eq!(Challenge::from(*challenge.as_bytes()), *challenge);
    }
}

#[test]
fn rejects_the_answer_to_another_challenge_or_key() {
    let (same, other) = (Challenge::from(CHALLENGE), Challenge::from([7; 32]));
    for algorithm in ALGORITHMS {
        for (challenge, key) in [(other, KEY), (same, b"correct horsf"), (same, b"")] {
            let answer = challenge.answer(algorithm, key);
            let mut server = guarded(algorithm);
            let mut buffer = BytesMut::from(answer.as_bytes());
            assert_eq!(server.decode(&mut buffer), Err(wrong_answer(algorithm)));
        }
    }
}

#[test]
fn error_messages_say_what_to_do() {
    let text = |error: AuthError| error.to_string();
    assert_eq!(
        text(AuthError::WrongAnswer {
            algorithm: Algorithm::Sha256
        }),
        "answer at offset 0 is not the HMAC-SHA-256 of the challenge: close the connection; \
         if the peer is legitimate, check that both ends use the same key and the same algorithm"
    );
    assert_eq!(
        text(AuthError::WrongAnswer {
            algorithm: Algorithm::Md5
        }),
        "answer at offset 0 is not the HMAC-MD5 of the challenge: close the connection; \
         if the peer is legitimate, check that both ends use the same key and the same algorithm"
    );
    assert_eq!(
        text(AuthError::AnswerTruncated {
            received: 5,
            due: 32
        }),
        "stream ended inside the answer at offset 0: received 5 of 32 bytes; \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        text(AuthError::AnswerTruncated {
            received: 16,
            due: 32
        }),
        "stream ended inside the answer at offset 0: received 16 of 32 bytes; \
         this is the length of an HMAC-MD5, check that both ends use the same algorithm"
    );
    assert_eq!(
        text(AuthError::ChallengeTruncated {
            received: 16,
            due: 32
        }),
        "stream ended inside the challenge at offset 0: received 16 of 32 bytes; \
         the peer closed early or bytes were lost"
    );
    let (received, due) = (16, 32);
    let truncated = AuthError::ChallengeTruncated { received, due };
    let answer: GuardedError<DecodeError> = GuardedError::Answer(truncated);
    assert_eq!(answer.to_string(), truncated.to_string());
    assert_eq!(
        GuardedError::Inner("too large").to_string(),
        "after the answer: too large"
    );
}

/// A log must not reveal the answer or the key.
#[test]
fn debug_text_shows_no_secret() {
    for algorithm in ALGORITHMS {
        let answer = Challenge::from(CHALLENGE).answer(algorithm, KEY);
        let server = Guarded::new(answer.clone(), ());
        for text in [
            format!("{answer:?} {server:?}"),
            format!("{answer:#?} {server:#?}"),
        ] {
            assert!(!text.bytes().any(|byte| byte == b'['), "{text}");
            assert!(!text.contains("horse"), "{text}");
            for secret in [KEY, answer.as_bytes()] {
                assert!(!text.to_lowercase().contains(&hex::encode(&secret[..4])));
            }
        }
        assert!(format!("{server:?}").starts_with("Guarded { state: Waiting(Answer("));
    }
}

#[test]
fn default_algorithm_is_sha_256() {
    assert_eq!(Algorithm::default(), Algorithm::Sha256);
}

/// On each vector of the reference format, after a correct answer and without one.
#[test]
fn checks_of_the_fuzz_target_pass() {
    for vector in common::vectors() {
        for algorithm in ALGORITHMS {
            for stream in [
                [answer(algorithm), &vector.stream].concat(),
                vector.stream.clone(),
            ] {
                let split = Split::bytes(stream.len());
                harness(algorithm)
                    .one_split(&Case::new(stream, split))
                    .unwrap();
            }
        }
    }
}

/// Reads a stream with tokio-util's `FramedRead`. Returns the frames and the error, if any.
fn read(stream: &[u8], algorithm: Algorithm) -> (Vec<Frame>, Option<io::Error>) {
    let correct = Challenge::from(CHALLENGE).answer(algorithm, KEY);
    let codec = Guarded::new(correct, Codec::new(Config::default()));
    let mut framed = FramedRead::new(stream, codec);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut frames = Vec::new();
        while let Some(frame) = framed.next().await {
            match frame {
                Ok(frame) => frames.push(frame),
                Err(error) => return (frames, Some(error)),
            }
        }
        (frames, None)
    })
}

/// Before the stream ends.
#[test]
fn a_tokio_util_codec_decodes_what_has_arrived() {
    use tokio_util::codec::Decoder as _;

    let correct = Challenge::from(CHALLENGE).answer(Algorithm::Sha256, KEY);
    let mut codec = Guarded::new(correct, Codec::new(Config::default()));
    let mut buffer = BytesMut::from(&answer(Algorithm::Sha256)[..31]);
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    buffer.extend_from_slice(&answer(Algorithm::Sha256)[31..]);
    buffer.extend_from_slice(&frames());
    for (_, frame) in naive::parse(CONFIGS[0], &frames()).frames {
        assert_eq!(codec.decode(&mut buffer).unwrap(), Some(frame));
    }
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
}

#[test]
fn works_as_a_tokio_util_codec() {
    for algorithm in ALGORITHMS {
        let stream = [answer(algorithm), &frames()].concat();
        let (read_frames, error) = read(&stream, algorithm);
        assert!(error.is_none());
        let parsed = naive::parse(CONFIGS[0], &frames()).frames;
        assert!(parsed.iter().map(|(_, frame)| frame).eq(&read_frames));

        let (none, error) = read(&[b"no", &stream[..]].concat(), algorithm);
        assert_eq!(none, []);
        assert_eq!(error.unwrap().kind(), io::ErrorKind::PermissionDenied);

        let (none, error) = read(&stream[..15], algorithm);
        assert_eq!(none, []);
        let error = error.unwrap();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let due = algorithm.answer_len() as u64;
        let truncated = AuthError::AnswerTruncated { received: 15, due };
        assert_eq!(error.get_ref().unwrap().to_string(), truncated.to_string());
    }
}
