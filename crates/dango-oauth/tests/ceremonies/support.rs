//! What the tests share: a provider on a loopback port that answers what it is told and remembers what it was asked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use dango_core::{Entropy, EntropyError, SecretValue, Timestamp};
use dango_oauth::{
    Begun, CallbackAnswer, CertificateSource, Checked, Checking, ClientRegistration, Context, Endpoints, FLOW_LIFETIME, FlowRequest, Grant,
    Http, HttpClient, Provider, ProviderError, Providers, Purpose, Redeemable, Replacement, StoredTokens, begin_flow, check, check_renewed,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

pub(crate) const SECRET: &str = "canary-client-secret";

/// A request as the provider saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// The body's parameters, each once.
    pub(crate) fn form(&self) -> HashMap<String, String> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What the provider answers.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    hangs: bool,
}

impl Reply {
    pub(crate) fn json(status: u16, body: impl ToString) -> Self {
        Self::plain(status, body.to_string().as_bytes()).header("Content-Type", "application/json; charset=utf-8")
    }

    pub(crate) fn plain(status: u16, body: &[u8]) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_vec(),
            hangs: false,
        }
    }

    pub(crate) fn hanging() -> Self {
        Self {
            hangs: true,
            ..Self::plain(200, b"")
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A provider on this machine.
pub(crate) struct Local {
    pub(crate) base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Local {
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&log), Arc::clone(&answer)));
            }
        });
        Self { base, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn asked(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path() == path).count()
    }

    /// A built-in provider with its endpoints here.
    pub(crate) fn provider(&self, name: &str) -> (Provider, Endpoints) {
        let provider = Providers::builtin().find(name).unwrap().clone();
        let account = provider.parse_account_host(Some("example")).unwrap();
        let replacement = Replacement::from_environment(&provider, |variable| {
            let endpoint = variable.strip_prefix(&format!("DANGO_OAUTH_{}_", name.to_ascii_uppercase()))?;
            Some(format!("{}/{}", self.base, endpoint.strip_suffix("_URL")?.to_ascii_lowercase()))
        });
        let endpoints = provider.endpoints(account.as_ref(), &replacement.unwrap()).unwrap();
        (provider, endpoints)
    }
}

async fn serve(mut stream: TcpStream, log: Arc<Mutex<Vec<Seen>>>, answer: Arc<impl Fn(&Seen) -> Reply>) {
    let Some(seen) = read(&mut stream).await else { return };
    log.lock().unwrap().push(seen.clone());
    let reply = answer(&seen);
    if reply.hangs {
        std::future::pending::<()>().await;
    }
    let mut head = format!(
        "HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n",
        reply.status,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let bytes = [head.as_bytes(), b"\r\n", &reply.body].concat();
    let _client_may_be_gone = stream.write_all(&bytes).await;
    let _client_may_be_gone = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let head_end = loop {
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    while bytes.len() < head_end + 4 + length {
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
    }
    Some(Seen {
        method,
        target,
        headers,
        body: String::from_utf8(bytes[head_end + 4..].to_vec()).unwrap(),
    })
}

/// Bytes that are never twice the same.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in buffer.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&count.to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A client with one authority, since loading those of the system takes longer than a test.
pub(crate) fn http() -> HttpClient {
    static AUTHORITY: LazyLock<CertificateSource> = LazyLock::new(|| {
        let key = rcgen::generate_simple_self_signed(vec!["nobody.example".to_owned()]).unwrap();
        CertificateSource::only_pem(&key.cert.pem()).unwrap()
    });
    HttpClient::new().with_certificates(AUTHORITY.clone())
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    at("2026-11-22T08:00:00Z")
}

pub(crate) fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).unwrap()
}

pub(crate) fn client() -> ClientRegistration {
    ClientRegistration::new("client id+1".to_owned(), secret(SECRET))
}

pub(crate) fn redirect_uri() -> Url {
    "http://127.0.0.1:8080/callback".parse().unwrap()
}

pub(crate) fn context() -> Context {
    Context::new("google_sheets", &["user-1", "session-1"])
}

/// Begins a flow for the first source type of a provider.
pub(crate) fn begin(provider: &Provider, endpoints: &Endpoints, entropy: &Counting) -> Begun {
    let request = FlowRequest {
        provider,
        endpoints,
        client: &client(),
        redirect_uri: &redirect_uri(),
        scopes: provider.scopes_for(&provider.sources[0]),
        context: context(),
        purpose: Purpose::Connection,
        lifetime: FLOW_LIFETIME,
    };
    begin_flow(request, entropy, now()).unwrap()
}

pub(crate) fn parameters(url: &Url) -> HashMap<String, String> {
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let map: HashMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "each parameter is there once");
    map
}

/// The answer of a provider that says yes.
pub(crate) fn yes(begun: &Begun) -> CallbackAnswer {
    let state = &parameters(&begun.authorization_url)["state"];
    CallbackAnswer::parse(&format!("code=the-code&state={state}")).unwrap()
}

pub(crate) fn redeemable(provider: &Provider, endpoints: &Endpoints) -> Redeemable {
    let begun = begin(provider, endpoints, &Counting::default());
    let answer = yes(&begun);
    begun.pending.finish(answer, &context(), now()).unwrap()
}

/// The whole ceremony.
pub(crate) async fn connect(http: &dyn Http, provider: &Provider, endpoints: &Endpoints) -> Result<Grant, ProviderError> {
    redeemable(provider, endpoints)
        .redeem(http, provider, endpoints, &client(), now())
        .await
}

pub(crate) fn stored(access: Option<&str>, refresh: Option<&str>) -> StoredTokens {
    StoredTokens {
        access_token: access.map(secret),
        refresh_token: refresh.map(secret),
        ..StoredTokens::default()
    }
}

/// A whole check, in which new tokens are saved nowhere; what it found, and whether it renewed.
pub(crate) async fn check_whole(
    provider: &Provider,
    endpoints: &Endpoints,
    client: Option<&ClientRegistration>,
    tokens: &StoredTokens,
) -> (Checked, bool) {
    let http = http();
    match check(&http, provider, endpoints, client, tokens, now()).await {
        Checking::Done(checked) => (checked, false),
        Checking::Renewed(unsaved) => {
            let saved = unsaved.save(async |_| Ok::<(), std::io::Error>(())).await.unwrap();
            (check_renewed(&http, provider, endpoints, saved).await, true)
        }
    }
}
