//! The keyed check of a connection: CPython's digests, every split of an answer and of
//! what follows it, and every answer that is refused.

use std::io;

use bytes::{Buf, BytesMut};
use everysplit::check::{Expected, Harness, Outcome, Tier};
use everysplit::reference::fuzzing::CONFIGS;
use everysplit::reference::{Codec, Config, DecodeError, Decoder, Frame, naive};
use everysplit::{Buffered, Case, Decode, Split};
use everysplit_formats::auth::GuardedError;
use everysplit_formats::auth::fuzzing::{ALGORITHMS, CHALLENGE, KEY, answer, guarded};
use everysplit_formats::auth::{Algorithm, Answer, AuthError, Challenge, Guarded};
use serde::Deserialize;
use tokio_stream::StreamExt;
use tokio_util::codec::FramedRead;

/// What CPython says of an answer.
#[derive(Deserialize)]
struct Vector {
    #[serde(with = "hex")]
    key: Vec<u8>,
    #[serde(with = "hex")]
    challenge: [u8; Challenge::LEN],
    algorithm: String,
    #[serde(with = "hex")]
    stream: Vec<u8>,
    outcome: String,
    at: Option<usize>,
    frames: Vec<Digest>,
}

#[derive(Deserialize)]
struct Digest {
    #[serde(with = "hex")]
    body: Vec<u8>,
    end: usize,
}

impl Vector {
    fn algorithm(&self) -> Algorithm {
        match &self.algorithm[..] {
            "sha256" => Algorithm::Sha256,
            "md5" => Algorithm::Md5,
            other => panic!("{other}"),
        }
    }

    fn due(&self) -> Answer {
        Challenge::from(self.challenge).answer(self.algorithm(), &self.key)
    }

    fn expected(&self) -> Expected<Vec<u8>, AuthError> {
        let frames = self.frames.iter();
        let algorithm = self.algorithm();
        Expected {
            frames: frames.map(|it| (it.end, it.body.clone())).collect(),
            at_end: Vec::new(),
            outcome: match &self.outcome[..] {
                "clean" => Outcome::Clean,
                "rejected" => Outcome::Rejected {
                    at: self.at.unwrap(),
                    error: AuthError::WrongAnswer { algorithm },
                },
                other => panic!("{other}"),
            },
        }
    }
}

fn vectors() -> Vec<Vector> {
    let vectors: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../../../tests/data/vectors.json")).unwrap();
    let ours = vectors.into_iter().filter(|it| it["framing"] == "auth");
    let vectors: Vec<Vector> = ours.map(|it| serde_json::from_value(it).unwrap()).collect();
    assert_eq!(vectors.len(), 4);
    vectors
}

/// A server that gives the answer as the one frame there is.
#[derive(Clone, PartialEq, Eq)]
struct Passes {
    gate: Guarded<()>,
    given: Option<()>,
}

impl Passes {
    fn new(due: Answer) -> Self {
        let gate = Guarded::new(due, ());
        Self { gate, given: None }
    }
}

impl Decode for Passes {
    type Frame = Vec<u8>;
    type Error = AuthError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, AuthError> {
        let came = buffer.to_vec();
        let open = self.gate.open(buffer)?.is_some();
        if !open || self.given.replace(()).is_some() {
            return Ok(None);
        }
        Ok(Some(came[..came.len() - buffer.len()].to_vec()))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<u8>>, AuthError> {
        self.gate.open_eof(buffer).map(|()| None)
    }
}

/// Proves a stream in both ways, and holds it to every split of one cut as well.
#[track_caller]
fn proved<D, M, O, A>(harness: &Harness<M, O>, stream: &[u8])
where
    D: Decode + Clone + Eq,
    M: Fn() -> Buffered<D>,
    O: Fn(&[u8]) -> A,
    A: Into<Option<Expected<D::Frame, D::Error>>>,
{
    for certificate in [harness.prove(stream), harness.prove_decoder(stream)] {
        let tier = certificate.unwrap().tier;
        assert!(matches!(tier, Tier::Proved { .. }), "{tier:?}");
    }
    harness.bounded(stream, 1).unwrap();
}

/// What a stream of an answer and frames must give.
type Behind = Expected<Frame, GuardedError<DecodeError>>;

/// The server's end of the suite with what its streams must give.
fn harness(
    algorithm: Algorithm,
) -> Harness<impl Fn() -> Buffered<Guarded<Decoder>>, impl Fn(&[u8]) -> Behind> {
    Harness::new(
        move || guarded(algorithm),
        move |stream: &[u8]| {
            everysplit_formats::auth::naive::parse(algorithm, answer(algorithm), stream, |behind| {
                naive::parse(CONFIGS[0], behind)
            })
        },
    )
}

/// Three frames, one of them empty.
fn frames() -> Vec<u8> {
    let mut stream = BytesMut::new();
    for (cmd, body) in [(1, "one"), (2, ""), (3, "three")] {
        let (recv, body) = (1, body.into());
        let frame = Frame { cmd, recv, body };
        CONFIGS[0].encode(&frame, &mut stream).unwrap();
    }
    stream.to_vec()
}

fn wrong(algorithm: Algorithm) -> GuardedError<DecodeError> {
    GuardedError::Answer(AuthError::WrongAnswer { algorithm })
}

#[test]
fn answers_are_cpythons() {
    for vector in vectors() {
        let due = vector.due();
        let right = vector.outcome == "clean";
        assert_eq!(due.as_bytes() == vector.stream, right);
        assert_eq!(due.algorithm(), vector.algorithm());
        assert_eq!(due.as_bytes().len(), vector.algorithm().answer_len());
        if right {
            assert_eq!(answer(vector.algorithm()), vector.stream);
        }
        assert_eq!((&vector.key[..], vector.challenge), (KEY, CHALLENGE));
    }
}

/// Of none, one, and a block, a byte less and more, and more than a digest: as
/// CPython's `hmac` says, for the key of the bytes 1, 2, 3 and so on.
#[test]
fn a_key_may_be_of_any_length() {
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
fn every_split_gives_what_the_vectors_say() {
    for vector in vectors() {
        let make = || Buffered::new(Passes::new(vector.due()));
        let harness = Harness::new(make, |_: &[u8]| vector.expected());
        proved(&harness, &vector.stream);
    }
}

/// Every vector of the reference format behind an answer: frames, truncated streams
/// and hostile ones.
#[test]
fn every_split_of_an_answer_and_the_frames_behind_it() {
    for vector in crate::common::vectors() {
        for algorithm in ALGORITHMS {
            let due = Challenge::from(CHALLENGE).answer(algorithm, KEY);
            let make = || Buffered::new(Guarded::new(due.clone(), Decoder::new(vector.config())));
            let oracle = |stream: &[u8]| {
                everysplit_formats::auth::naive::parse(algorithm, answer(algorithm), stream, |_| {
                    vector.expected()
                })
            };
            let stream = [answer(algorithm), &vector.stream].concat();
            proved(&Harness::new(make, oracle), &stream);
        }
    }
}

#[test]
fn the_server_stands_right_behind_the_answer() {
    for algorithm in ALGORITHMS {
        let mut server = Guarded::new(
            Challenge::from(CHALLENGE).answer(algorithm, KEY),
            Decoder::new(CONFIGS[0]),
        );
        let mut buffer = BytesMut::from(&[answer(algorithm), &frames()].concat()[..]);
        let inner = server.open(&mut buffer).unwrap();
        assert_eq!(inner, Some(&mut Decoder::new(CONFIGS[0])));
        assert_eq!(buffer, frames());
        // Nothing is taken for an answer a second time.
        assert!(server.open(&mut buffer).unwrap().is_some());
        assert!(server.open_eof(&mut buffer).is_ok());
        assert_eq!(buffer, frames());
    }
}

/// With frames behind it that would be good ones.
#[test]
fn an_answer_with_one_wrong_bit_is_refused_at_its_last_byte() {
    for algorithm in ALGORITHMS {
        let (harness, len) = (harness(algorithm), algorithm.answer_len());
        for bit in 0..8 * len {
            let mut stream = [answer(algorithm), &frames()].concat();
            stream[bit / 8] ^= 1 << (bit % 8);
            harness.prove_decoder(&stream).unwrap();

            let mut server = guarded(algorithm).into_decoder();
            let mut buffer = BytesMut::from(&stream[..len - 1]);
            assert_eq!(server.decode(&mut buffer), Ok(None));
            buffer.extend_from_slice(&stream[len - 1..]);
            assert_eq!(server.decode(&mut buffer), Err(wrong(algorithm)));
            assert_eq!(buffer, stream);
            // Poisoned: whatever the buffer holds then.
            buffer.advance(len);
            assert_eq!(server.decode(&mut buffer), Err(wrong(algorithm)));
            assert_eq!(server.decode_eof(&mut buffer), Err(wrong(algorithm)));
            assert_eq!(buffer, frames());
            let mut right = BytesMut::from(answer(algorithm));
            assert_eq!(server.decode(&mut right), Err(wrong(algorithm)));
            assert_eq!(right, answer(algorithm));
        }
    }
}

#[test]
fn every_split_of_a_wrong_answer_and_frames() {
    for vector in vectors().iter().filter(|it| it.outcome == "rejected") {
        let harness = harness(vector.algorithm());
        for behind in [&frames()[..], b"", answer(vector.algorithm())] {
            proved(&harness, &[&vector.stream, behind].concat());
        }
    }
}

/// Right so far, or wrong: as long as it is not whole, nothing is said of it.
#[test]
fn a_short_answer_is_refused_at_the_end() {
    for algorithm in ALGORITHMS {
        let due = algorithm.answer_len();
        for received in 0..due {
            let mut wrong = answer(algorithm)[..received].to_vec();
            wrong.iter_mut().take(1).for_each(|byte| *byte ^= 1);
            for short in [&answer(algorithm)[..received], &wrong] {
                proved(&harness(algorithm), short);
                let mut server = guarded(algorithm).into_decoder();
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

/// The right key, and not the hash that was agreed on.
#[test]
fn an_answer_of_the_other_algorithm_is_refused() {
    let (sha256, md5) = (Algorithm::Sha256, Algorithm::Md5);
    let behind = frames();
    // 16 of 32 bytes, alone and with frames taken for the rest of it.
    let mut server = guarded(sha256).into_decoder();
    let truncated = AuthError::AnswerTruncated {
        received: 16,
        due: 32,
    };
    assert_eq!(
        server.decode_eof(&mut BytesMut::from(answer(md5))),
        Err(GuardedError::Answer(truncated))
    );
    proved(&harness(sha256), answer(md5));
    proved(&harness(sha256), &[answer(md5), &behind].concat());
    // 32 bytes where 16 are due: the first 16 decide.
    let mut server = guarded(md5).into_decoder();
    let mut first = BytesMut::from(&answer(sha256)[..16]);
    assert_eq!(server.decode(&mut first), Err(wrong(md5)));
    proved(&harness(md5), answer(sha256));
    proved(&harness(md5), &[answer(sha256), &behind].concat());
}

/// The client's end: the challenge, then frames of the server.
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
fn every_split_of_a_challenge_and_the_frames_behind_it() {
    let oracle = |stream: &[u8]| {
        let Some((challenge, behind)) = stream.split_first_chunk() else {
            let (received, due) = (stream.len() as u64, 32);
            let error = AuthError::ChallengeTruncated { received, due };
            return Expected {
                frames: Vec::new(),
                at_end: Vec::new(),
                outcome: Outcome::Truncated(GuardedError::Answer(error)),
            };
        };
        let behind = naive::parse(CONFIGS[0], behind);
        let frames = behind.frames.into_iter();
        let frames = frames.map(|(end, frame)| (32 + end, Sent::Frame(frame)));
        let challenge = (32, Sent::Challenge((*challenge).into()));
        Expected {
            frames: [challenge].into_iter().chain(frames).collect(),
            at_end: Vec::new(),
            outcome: Outcome::Clean,
        }
    };
    let make = || {
        Buffered::new(Client {
            challenge: None,
            decoder: Decoder::new(CONFIGS[0]),
        })
    };
    let harness = Harness::new(make, oracle);
    let stream = [&CHALLENGE[..], &frames()].concat();
    for end in (0..=32).chain([stream.len()]) {
        proved(&harness, &stream[..end]);
    }
}

/// Chance makes two alike in 2^256.
#[test]
fn random_challenges_differ() {
    let random = || Challenge::random().unwrap();
    let challenges: Vec<Challenge> = (0..64).map(|_| random()).collect();
    for (index, challenge) in challenges.iter().enumerate() {
        assert!(!challenges[..index].contains(challenge));
        assert_eq!(Challenge::from(*challenge.as_bytes()), *challenge);
    }
}

/// An answer is good for its own challenge and key.
#[test]
fn an_answer_opens_nothing_else() {
    let (mine, other) = (Challenge::from(CHALLENGE), Challenge::from([7; 32]));
    for algorithm in ALGORITHMS {
        for (challenge, key) in [(other, KEY), (mine, b"correct horsf"), (mine, b"")] {
            let answer = challenge.answer(algorithm, key);
            let mut server = guarded(algorithm).into_decoder();
            let mut buffer = BytesMut::from(answer.as_bytes());
            assert_eq!(server.decode(&mut buffer), Err(wrong(algorithm)));
        }
    }
}

#[test]
fn errors_say_what_to_do() {
    let told = |error: AuthError| error.to_string();
    assert_eq!(
        told(AuthError::WrongAnswer {
            algorithm: Algorithm::Sha256
        }),
        "answer at offset 0 is not the HMAC-SHA-256 of the challenge: close the connection; \
         if the peer is legitimate, check that both ends use the same key and the same algorithm"
    );
    assert_eq!(
        told(AuthError::WrongAnswer {
            algorithm: Algorithm::Md5
        }),
        "answer at offset 0 is not the HMAC-MD5 of the challenge: close the connection; \
         if the peer is legitimate, check that both ends use the same key and the same algorithm"
    );
    assert_eq!(
        told(AuthError::AnswerTruncated {
            received: 5,
            due: 32
        }),
        "stream ended inside the answer at offset 0: received 5 of 32 bytes; \
         the peer closed early or bytes were lost"
    );
    assert_eq!(
        told(AuthError::AnswerTruncated {
            received: 16,
            due: 32
        }),
        "stream ended inside the answer at offset 0: received 16 of 32 bytes; \
         this is the length of an HMAC-MD5, check that both ends use the same algorithm"
    );
    assert_eq!(
        told(AuthError::ChallengeTruncated {
            received: 16,
            due: 32
        }),
        "stream ended inside the challenge at offset 0: received 16 of 32 bytes; \
         the peer closed early or bytes were lost"
    );
}

/// Whoever reads a log can neither answer nor find the key.
#[test]
fn debug_shows_no_secret() {
    for algorithm in ALGORITHMS {
        let due = Challenge::from(CHALLENGE).answer(algorithm, KEY);
        let server = Guarded::new(due.clone(), ());
        for shown in [
            format!("{due:?} {server:?}"),
            format!("{due:#?} {server:#?}"),
        ] {
            assert!(!shown.bytes().any(|byte| byte == b'['), "{shown}");
            assert!(!shown.contains("horse"), "{shown}");
            for bytes in [KEY, due.as_bytes()] {
                assert!(!shown.to_lowercase().contains(&hex::encode(&bytes[..4])));
            }
        }
        assert!(format!("{server:?}").starts_with("Guarded { state: Waiting(Answer("));
    }
}

#[test]
fn the_algorithm_is_sha_256_unless_told_otherwise() {
    assert_eq!(Algorithm::default(), Algorithm::Sha256);
}

/// What a target asks of an input, of the vectors' streams behind an answer and of
/// each without.
#[test]
fn the_suite_holds() {
    for vector in crate::common::vectors() {
        for algorithm in ALGORITHMS {
            for stream in [
                [answer(algorithm), &vector.stream].concat(),
                vector.stream.clone(),
            ] {
                let case = Case {
                    split: Split::bytes(stream.len()),
                    stream,
                };
                everysplit_formats::auth::fuzzing::decode(guarded(algorithm), algorithm, &case)
                    .unwrap();
            }
        }
    }
}

/// In tokio-util's hands.
fn read(stream: &[u8], algorithm: Algorithm) -> (Vec<Frame>, Option<io::Error>) {
    let due = Challenge::from(CHALLENGE).answer(algorithm, KEY);
    let codec = Guarded::new(due, Codec::new(Config::default()));
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

#[test]
fn a_codec_of_tokio_utils_behind_an_answer() {
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
