//! TLS: certificate and key from PEM files, read again without losing a connection. Only TLS 1.2 and 1.3 of rustls with ring.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::settings::TlsFiles;

/// The certificate that is shown, and the way to a newer one.
#[derive(Clone)]
pub(crate) struct Certificate {
    files: TlsFiles,
    current: Arc<Current>,
}

struct Current(RwLock<Arc<CertifiedKey>>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

/// Certificate or key cannot be used. It names files, and nothing of what is in them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: dango_secrets::storage::ReadError,
    },
    /// A file is not there.
    #[error("there is no {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file holds no PEM block of the kind that is needed.
    #[error("{} holds no {what} in PEM", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What was wanted.
        what: &'static str,
    },
    /// The private key is of a kind that is not supported, or damaged.
    #[error("the private key in {} is damaged, or neither RSA, ECDSA nor Ed25519", path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The certificate is damaged.
    #[error("the certificate in {} cannot be used", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
    },
    /// They do not belong together.
    #[error("the private key in {} is not that of the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificate.
        certificate: PathBuf,
    },
}

impl Certificate {
    /// Reads both files.
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let current = Current(RwLock::new(Arc::new(read(files)?)));
        Ok(Self {
            files: files.clone(),
            current: Arc::new(current),
        })
    }

    /// Reads both files again; what was shown stays where they cannot be used.
    pub(crate) fn renew(&self) -> Result<(), TlsError> {
        let renewed = Arc::new(read(&self.files)?);
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = renewed;
        Ok(())
    }

    /// What shakes hands, HTTP/2 offered before HTTP/1.1.
    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor, rustls::Error> {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&self.current) as _;
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let (certificate, key) = (&files.certificate, &files.key);
    let chain = CertificateDer::pem_slice_iter(contents(certificate)?.bytes())
        .collect::<Result<Vec<_>, pem::Error>>()
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| TlsError::NotPem {
            path: certificate.clone(),
            what: "certificate",
        })?;
    let private = PrivateKeyDer::from_pem_slice(contents(key)?.bytes()).map_err(|_| TlsError::NotPem {
        path: key.clone(),
        what: "private key",
    })?;
    let signing = ring::sign::any_supported_type(&private).map_err(|_| TlsError::Key { path: key.clone() })?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        // A kind of key that cannot say so belongs to whichever it is given with.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::Mismatch {
            key: key.clone(),
            certificate: certificate.clone(),
        }),
        Err(_) => Err(TlsError::Certificate { path: certificate.clone() }),
    }
}

fn contents(path: &Path) -> Result<dango_secrets::storage::Contents, TlsError> {
    let read = dango_secrets::storage::read(path).map_err(|cause| TlsError::Read {
        path: path.to_owned(),
        cause,
    })?;
    read.ok_or_else(|| TlsError::Missing { path: path.to_owned() })
}
