//! TLS to databases, as their drivers' options ask for it: from none at all to a certificate that is checked with its name.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::outcome::{Obstacle, Outcome, Trouble};

/// Whose certificates count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Anybody's: the connection is only private to whoever is at its end.
    Anybody,
    /// Those that an authority vouches for, whatever the name in them.
    Authority,
    /// Those that an authority vouches for, with the host's name in them.
    Name,
}

/// The configuration for one connection. `authorities` is PEM text; without it the operating system's count.
pub(super) fn config(trust: Trust, authorities: Option<&[u8]>) -> Result<Arc<ClientConfig>, Outcome> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match (trust, authorities) {
        (Trust::Anybody, _) => Arc::new(Lenient::anybody(&provider)),
        (trust, authorities) => {
            let strict = strict(&provider, authorities)?;
            match trust {
                Trust::Name => strict,
                _ => Arc::new(Lenient {
                    authority: Some(strict),
                    provider: Arc::clone(&provider),
                }),
            }
        }
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Trouble::NotEquipped)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn strict(provider: &Arc<CryptoProvider>, authorities: Option<&[u8]>) -> Result<Arc<dyn ServerCertVerifier>, Outcome> {
    let Some(pem) = authorities else {
        let verifier = Verifier::new(Arc::clone(provider)).map_err(|_| Trouble::NotEquipped)?;
        return Ok(Arc::new(verifier));
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let added = certificate.map(|certificate| roots.add(certificate));
        if !matches!(added, Ok(Ok(()))) {
            return Err(Obstacle::Malformed.into());
        }
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    Ok(verifier.map_err(|_| Obstacle::Malformed)?)
}

/// Lets certificates pass that a strict verifier would not.
#[derive(Debug)]
struct Lenient {
    /// Who has to vouch, if anybody.
    authority: Option<Arc<dyn ServerCertVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Lenient {
    fn anybody(provider: &Arc<CryptoProvider>) -> Self {
        Self {
            authority: None,
            provider: Arc::clone(provider),
        }
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authority) = &self.authority else {
            return Ok(ServerCertVerified::assertion());
        };
        match authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last, when everything else was right.
            Err(Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
