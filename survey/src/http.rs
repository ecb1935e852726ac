//! HTTP/1.1, RTSP, multipart bodies and server-sent events.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::Read;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use everysplit::subject::Queue;
use everysplit::{Deviation, Harness, Verdicts};
use tokio_stream::StreamExt;
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::framer::{Family, framer, verdicts};

pub(crate) fn family() -> Family {
    Family {
        title: "HTTP",
        source: include_str!("http.rs"),
        framers: vec![
            framer!("httparse", "Request::parse", httparse_request),
            framer!("httparse", "Response::parse", httparse_response),
            framer!("httparse", "parse_chunk_size", httparse_chunk),
            framer!("hyper", "server::conn::http1", hyper),
            framer!("multer", "Multipart", multer),
            framer!("chunked_transfer", "Decoder", chunked_transfer)
                .violates("truncation", "300d0a0d0a@whole")
                .violates("interrupted", "310d0a@whole+interrupted"),
            framer!("eventsource-stream", "EventStream", eventsource_stream)
                .violates("progress", "efbbbf@whole"),
            framer!("sse-codec", "decode_stream", sse_codec),
            framer!("rtsp-types", "Message::parse", rtsp_types),
        ],
    }
}

/// Returns what was parsed, if it is complete.
fn complete<T>(status: httparse::Status<T>) -> Option<T> {
    match status {
        httparse::Status::Complete(parsed) => Some(parsed),
        httparse::Status::Partial => None,
    }
}

fn httparse_request() -> Verdicts {
    fn parse(bytes: &[u8]) -> Result<Option<(String, usize)>, String> {
        let mut headers = [httparse::EMPTY_HEADER; 4];
        let mut request = httparse::Request::new(&mut headers);
        let status = request.parse(bytes).map_err(|error| error.to_string())?;
        let text = format!(
            "{:?} {:?} {:?}",
            request.method, request.path, request.headers
        );
        Ok(complete(status).map(|length| (text, length)))
    }
    verdicts!(Harness::parser(parse, "truncated".into()).streams([
        "\r\nGET /a?b HTTP/1.1\r\nHost: a\r\nX:\r\n\r\nPUT * HTTP/1.0\n\n",
        "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET /\0 HTTP/1.1\r\n",
        "G\rT",
    ]))
}

fn httparse_response() -> Verdicts {
    fn parse(bytes: &[u8]) -> Result<Option<(String, usize)>, String> {
        let mut headers = [httparse::EMPTY_HEADER; 4];
        let mut response = httparse::Response::new(&mut headers);
        let status = response.parse(bytes).map_err(|error| error.to_string())?;
        let text = format!(
            "{:?} {:?} {:?}",
            response.code, response.reason, response.headers
        );
        Ok(complete(status).map(|length| (text, length)))
    }
    verdicts!(Harness::parser(parse, "truncated".into()).streams([
        "HTTP/1.1 200 OK\r\nA: b\r\n\r\nHTTP/1.1 204\r\n\r\nHTTP/1.0 404 \n\n",
        "HTTP/1.1 20x",
        "HTTP/1.1 200 \u{e4}\r\n\r\n",
    ]))
}

fn httparse_chunk() -> Verdicts {
    fn parse(bytes: &[u8]) -> Result<Option<(u64, usize)>, String> {
        let status = httparse::parse_chunk_size(bytes).map_err(|_| "invalid".to_owned())?;
        Ok(complete(status).map(|(length, size)| (size, length)))
    }
    verdicts!(Harness::parser(parse, "truncated".into()).streams([
        "1f\r\n0 ;a=b\r\nFFFFFFFFFFFFFFFF\r\n",
        "10000000000000000\r\n",
        "\r\n",
        "1\r1",
        "g"
    ]))
}

fn hyper() -> Verdicts {
    use http_body_util::{BodyExt, Empty};
    use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};

    type Requests = Rc<RefCell<VecDeque<(String, Bytes)>>>;
    type Server = (
        Option<Pin<Box<dyn Future<Output = hyper::Result<()>>>>>,
        Requests,
    );
    fn serve(queue: Queue) -> Server {
        let requests = Requests::default();
        let served = Rc::clone(&requests);
        let service = service_fn(move |request: Request<Incoming>| {
            let requests = Rc::clone(&served);
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                requests.borrow_mut().push_back((format!("{head:?}"), body));
                Ok::<_, hyper::Error>(Response::new(Empty::<Bytes>::new()))
            }
        });
        let socket = hyper_util::rt::TokioIo::new(tokio::io::join(queue, tokio::io::sink()));
        let server = http1::Builder::new()
            .half_close(true)
            .serve_connection(socket, service);
        (Some(Box::pin(server)), requests)
    }
    async fn next((server, requests): &mut Server) -> Result<Option<(String, Bytes)>, ()> {
        std::future::poll_fn(|context| {
            let ended = match server.as_mut().map(|server| server.as_mut().poll(context)) {
                Some(Poll::Pending) => false,
                // An end inside a request is an error only if it is read in time.
                None | Some(Poll::Ready(_)) => true,
            };
            if ended {
                *server = None;
            }
            match requests.borrow_mut().pop_front() {
                None if !ended => Poll::Pending,
                request => Poll::Ready(Ok(request)),
            }
        })
        .await
    }
    verdicts!(
        Harness::owning_async_reader(serve, next)
            .declare([Deviation::DiscardsAtEnd])
            .streams([
                "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n0\r\nT: r\r\n\r\n",
                "PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
                "! ! HTTP/1.1\n\n\0",
            ])
    )
}

fn multer() -> Verdicts {
    async fn next(
        multipart: &mut multer::Multipart<'_>,
    ) -> Result<Option<(String, Vec<u8>)>, String> {
        let error = |error: multer::Error| error.to_string();
        let Some(mut field) = multipart.next_field().await.map_err(error)? else {
            return Ok(None);
        };
        let mut body = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(error)? {
            body.extend_from_slice(&chunk);
        }
        Ok(Some((format!("{:?}", field.headers()), body)))
    }
    verdicts!(
        Harness::owning_async_reader(|queue| multer::Multipart::new(queue, "X"), next)
            .declare([
                Deviation::NotResumable,
                Deviation::CallerStops,
                Deviation::BytesBetweenFrames
            ])
            .streams([
                "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--X\r\nA: b\r\n\r\n\r\n--X--",
                "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--",
                "--X\r\nA\r\n\r\n",
                "--Y",
            ])
    )
}

fn chunked_transfer() -> Verdicts {
    verdicts!(
        Harness::owning_reader(chunked_transfer::Decoder::<Queue>::new, |decoder| {
            decoder
                .bytes()
                .next()
                .transpose()
                .map_err(|error| error.kind())
        })
        .declare([
            Deviation::NotResumable,
            Deviation::CallerStops,
            Deviation::BytesBetweenFrames
        ])
        .streams([
            "3\r\nabc\r\nA;x\r\n0123456789\r\n0\r\n\r\n",
            "3\r\nab",
            "3\r\nabcd",
            "x\r\n"
        ])
    )
}

const EVENTS: [&str; 6] = [
    "data: a\n\nevent: e\r\ndata:b\r\ndata\r\nid: 1\r\n\r\n: c\r\rdata: d\r\r",
    "\u{feff}data: a\n\n",
    "data: \u{e4}\n\n",
    "data: a\r\n\r\n",
    "data: a",
    "retry: 10\n\ndata: a\n\n",
];

fn eventsource_stream() -> Verdicts {
    verdicts!(
        Harness::owning_async_reader(eventsource_stream::EventStream::new, async |events| {
            let event = events.next().await;
            event.transpose().map_err(|error| error.to_string())
        })
        .declare([Deviation::DiscardsAtEnd])
        .streams(EVENTS)
    )
}

fn sse_codec() -> Verdicts {
    verdicts!(
        Harness::owning_async_reader(
            |queue| sse_codec::decode_stream(queue.compat()),
            async |events| events
                .next()
                .await
                .transpose()
                .map_err(|error| error.to_string()),
        )
        .declare([Deviation::DiscardsAtEnd])
        .streams(EVENTS)
    )
}

fn rtsp_types() -> Verdicts {
    use rtsp_types::{Message, ParseError};
    fn parse(bytes: &[u8]) -> Result<Option<(Message<Vec<u8>>, usize)>, &'static str> {
        match Message::parse(bytes) {
            Ok(message) => Ok(Some(message)),
            Err(ParseError::Incomplete(_)) => Ok(None),
            Err(ParseError::Error) => Err("invalid"),
        }
    }
    verdicts!(Harness::parser(parse, "truncated").streams([
        &b"OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n$\0\0\x02okRTSP/2.0 200 OK\r\nCSeq: 1\r\nContent-Length: 2\r\n\r\nhi"[..],
        b"RTSP/1.0 200 OK\r\n\r\n",
        b"OPTIONS * RTSP/2.0\r\nA:\r\n b\r\n\r\n",
        b"\r\n$\0\0\0",
    ]))
}
