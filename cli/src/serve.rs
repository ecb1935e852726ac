//! `everysplit serve`: the other end of a client under test. It gives back what it gets, a
//! frame at a time and cut as asked, and judges nobody.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use everysplit::Split;
use everysplit::check::Outcome;

use crate::Cannot;
use crate::args::{Cutting, Serve};
use crate::format::Format;
use crate::queues::{Queues, Seen};
use crate::wire::DELAY;

/// How long a client may take to read a chunk before it gets the next.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until the program is ended.
pub(crate) fn run(serve: &Serve) -> Result<bool, Cannot> {
    let port = serve.port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("cannot listen on 127.0.0.1:{port}: {error}"))?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", listener.local_addr()?)?;
    stdout.flush()?;
    for socket in listener.incoming() {
        let (socket, serve) = (socket?, serve.clone());
        // A client that goes away is no news.
        thread::spawn(move || talk(socket, &serve));
    }
    Ok(true)
}

/// Gives a client its frames back, until it sends something else or goes.
fn talk(mut socket: TcpStream, serve: &Serve) -> io::Result<()> {
    let format = Format::new(serve.framing, serve.order, Some(serve.limit));
    let mut queues = Queues::new(socket.local_addr()?, socket.peer_addr()?);
    socket.set_nodelay(true)?;
    let (mut buffer, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    for seed in 0.. {
        // The rest of a frame is not waited for without end.
        let idle = (!buffer.is_empty()).then_some(serve.idle);
        socket.set_read_timeout(idle)?;
        let read = socket.read(&mut chunk)?;
        buffer.extend_from_slice(&chunk[..read]);
        let parsed = format.frames(&buffer, drop);
        let end = parsed.frames.last().map_or(0, |&(end, ())| end);
        let reply: Vec<u8> = buffer.drain(..end).collect();
        let split = match &serve.split {
            Cutting::At(split) => split.clone(),
            Cutting::Bytes => Split::bytes(reply.len()),
            Cutting::Random => Split::sample(reply.len(), &[], seed),
        };
        for chunk in split.chunks(&reply) {
            socket.write_all(chunk)?;
            queues.sent(chunk.len());
            match queues.wait(PATIENCE, || ()) {
                Seen::Read | Seen::Unread => {}
                Seen::Closed => return Ok(()),
                Seen::Nothing => thread::sleep(DELAY),
            }
        }
        if read == 0 || matches!(parsed.outcome, Outcome::Rejected { .. }) {
            return Ok(());
        }
    }
    Ok(())
}
