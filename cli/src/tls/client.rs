//! Connections with TLS inside which streams are cut.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ClientConnection, InvalidMessage};

use super::certificates::Verifier;
use crate::options::{TlsOptions, Trust};
use crate::{Error, stop};

/// Time between looks for received bytes during a handshake.
const POLL_INTERVAL: Duration = Duration::from_micros(50);

/// What all connections have in common.
#[derive(Clone)]
pub(crate) struct TlsClient {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// One end of a connection with TLS. Its bytes are read from a socket and written to it.
pub(crate) struct Session {
    connection: ClientConnection,
    /// Why no more records are received, once one is not accepted, or the connection ends without
    /// the message for that.
    broken: Option<io::ErrorKind>,
}

impl TlsClient {
    /// Reads the certificates that are trusted.
    ///
    /// # Errors
    ///
    /// If the file has none, or the name is not one of a server.
    pub(crate) fn new(options: &TlsOptions) -> Result<Self, Error> {
        let TlsOptions { trust, server_name } = options;
        let name = ServerName::try_from(server_name.clone()).map_err(|_| {
            format!("{server_name:?} is not the name of a server; mend --server-name")
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let file = match trust {
            Trust::Certificates(file) => Some(Path::new(file)),
            Trust::Any => None,
        };
        let verifier = Verifier::new(file, &provider)?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        // All connections begin in the same way.
        config.resumption = Resumption::disabled();
        Ok(Self {
            config: Arc::new(config),
            name,
        })
    }

    /// Makes the handshake on a connected socket that does not block. Passes on how many bytes are
    /// sent for it.
    ///
    /// # Errors
    ///
    /// Why there is no session, in words.
    pub(crate) fn handshake<S>(
        &self,
        mut socket: S,
        timeout: Duration,
        mut sent: impl FnMut(usize),
    ) -> Result<Session, String>
    where
        S: Read + Write,
    {
        let connection = ClientConnection::new(self.config.clone(), self.name.clone());
        let mut connection = connection.map_err(|error| error.to_string())?;
        // A chunk is never sent in part.
        connection.set_buffer_limit(None);
        let deadline = Instant::now() + timeout;
        while connection.is_handshaking() || connection.wants_write() {
            let progress = if connection.wants_write() {
                connection.write_tls(&mut socket).map(&mut sent)
            } else {
                receive(&mut connection, &mut socket)
            };
            match progress {
                Ok(()) => {}
                Err(error) if is_temporary(&error) => {
                    if Instant::now() > deadline {
                        return Err(format!("the handshake takes more than {timeout:?}"));
                    }
                    if stop::requested() {
                        return Err("interrupted".into());
                    }
                    thread::sleep(POLL_INTERVAL);
                }
                Err(error) => {
                    // The server may show why it was refused.
                    let _ = connection.write_tls(&mut socket);
                    return Err(reason(&error));
                }
            }
        }
        Ok(Session {
            connection,
            broken: None,
        })
    }
}

impl Session {
    /// Adds a chunk to what is to be written, unless something is. Each is a record of its own, or
    /// several if it has more than 16 KiB. Returns whether it was added.
    pub(crate) fn add(&mut self, chunk: &[u8]) -> io::Result<bool> {
        if self.connection.wants_write() {
            return Ok(false);
        }
        self.connection.writer().write_all(chunk)?;
        Ok(true)
    }

    /// Adds the end of what is sent.
    pub(crate) fn add_end(&mut self) {
        self.connection.send_close_notify();
    }

    /// Returns whether there is something to write to the socket.
    pub(crate) fn wants_write(&self) -> bool {
        self.connection.wants_write()
    }

    /// Writes to the socket. Returns the number of bytes.
    pub(crate) fn write(&mut self, mut socket: impl Write) -> io::Result<usize> {
        self.connection.write_tls(&mut socket)
    }

    /// Reads what was sent inside TLS. A connection that ends without the message for that has
    /// ended too.
    pub(crate) fn read(&mut self, mut socket: impl Read, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // An error says only that there is nothing yet.
            if let Ok(read) = self.connection.reader().read(buffer) {
                return Ok(read);
            }
            match self.broken {
                None => {}
                Some(io::ErrorKind::UnexpectedEof) => return Ok(0),
                Some(kind) => return Err(kind.into()),
            }
            if let Err(error) = receive(&mut self.connection, &mut socket) {
                match error.kind() {
                    kind @ (io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) => {
                        self.broken = Some(kind);
                    }
                    _ => return Err(error),
                }
            }
        }
    }
}

/// Receives records.
///
/// # Errors
///
/// Of the kind `UnexpectedEof` at the end of the connection, and `InvalidData` for records that are
/// not accepted.
fn receive(connection: &mut ClientConnection, socket: &mut impl Read) -> io::Result<()> {
    let read = connection.read_tls(socket)?;
    connection
        .process_new_packets()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// Returns why a handshake failed, and what to do.
fn reason(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => "the certificate is for another name; add --server-name, or --tls-insecure".into(),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::Other(_),
        )) => "the certificate does not verify: it is not in --tls-ca, nor signed by one of those; add it, or --tls-insecure".into(),
        Some(rustls::Error::InvalidCertificate(reason)) => {
            format!("the certificate does not verify: {reason}; mend it, or add --tls-insecure")
        }
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "the server does not speak TLS; leave out --tls".into()
        }
        Some(error) => error.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server closes the connection during the handshake".into()
        }
        None => error.to_string(),
    }
}
