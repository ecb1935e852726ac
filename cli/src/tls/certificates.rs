//! Which certificates of servers are accepted.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};

use crate::Error;

/// Accepts any certificate, or those that a file lists or that are signed by one of these.
#[derive(Debug)]
pub(super) struct Verifier {
    provider: Arc<CryptoProvider>,
    listed: Option<Listed>,
}

#[derive(Debug)]
struct Listed {
    certificates: Vec<CertificateDer<'static>>,
    /// `None` if none of them can sign others.
    signed: Option<Arc<WebPkiServerVerifier>>,
}

impl Verifier {
    /// Reads a file with certificates. Without one, accepts any.
    pub(super) fn new(file: Option<&Path>, provider: &Arc<CryptoProvider>) -> Result<Self, Error> {
        Ok(Self {
            provider: provider.clone(),
            listed: file.map(|file| Listed::read(file, provider)).transpose()?,
        })
    }
}

impl Listed {
    fn read(file: &Path, provider: &Arc<CryptoProvider>) -> Result<Self, Error> {
        let name = file.display();
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
        let certificates = certificates
            .map_err(|error| format!("cannot read the certificates {name}: {error}"))?;
        if certificates.is_empty() {
            return Err(format!("{name} has no certificate; it must be a PEM file").into());
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        Ok(Self {
            certificates,
            signed: builder.build().ok(),
        })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        status: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        match &self.listed {
            Some(listed) if !listed.certificates.contains(certificate) => match &listed.signed {
                Some(signed) => signed.verify_server_cert(certificate, others, name, status, now),
                None => Err(CertificateError::UnknownIssuer.into()),
            },
            // Any, or exactly this one, whatever its name is.
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
