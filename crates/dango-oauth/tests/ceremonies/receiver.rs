//! The loopback receiver: one answer counts, whatever else knocks.

use std::future::pending;
use std::time::Duration;

use dango_oauth::{BindError, CallbackUrl, PendingFlow, ReceiveError, Received, Receiver};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{Counting, Local, Reply, begin, context, now, parameters};

const LIMIT: Duration = Duration::from_secs(20);

struct Waiting {
    authority: String,
    state: String,
    task: JoinHandle<(Result<Received, ReceiveError>, PendingFlow)>,
}

async fn wait_at(address: &str) -> Waiting {
    let local = Local::start(|_| Reply::plain(500, b"")).await;
    let (provider, endpoints) = local.provider("google");
    let begun = begin(&provider, &endpoints, &Counting::default());
    let receiver = Receiver::bind(&CallbackUrl::parse(address).unwrap()).await.unwrap();
    let uri = receiver.redirect_uri().clone();
    let state = parameters(&begun.authorization_url)["state"].clone();
    let task = tokio::spawn(async move {
        let received = receiver.receive(&begun.pending, LIMIT, pending()).await;
        (received, begun.pending)
    });
    Waiting {
        authority: format!("{}:{}", uri.host_str().unwrap(), uri.port().unwrap()),
        state,
        task,
    }
}

impl Waiting {
    fn port(&self) -> u16 {
        self.authority.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    async fn open(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port())).await.unwrap()
    }

    /// Sends bytes and reads all that comes back.
    async fn send(&self, bytes: &[u8]) -> String {
        exchange(self.open().await, bytes).await
    }

    fn get(&self, target: &str) -> String {
        format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Dest: document\r\n\r\n",
            self.authority
        )
    }

    fn answer(&self) -> String {
        format!("/callback?code=the-code&state={}", self.state)
    }
}

async fn exchange(mut stream: TcpStream, bytes: &[u8]) -> String {
    // A refusal may come before all is sent.
    let _may_be_refused = stream.write_all(bytes).await;
    let mut read = Vec::new();
    let mut chunk = [0; 1024];
    // A request that was taken for the answer would wait for its page for ever.
    while let Ok(count @ 1..) = timeout(LIMIT, stream.read(&mut chunk)).await.expect("an answer in time") {
        read.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8(read).unwrap()
}

fn status(response: &str) -> &str {
    response.get(9..12).unwrap_or("none")
}

#[tokio::test]
async fn strays_are_told_so_and_the_answer_still_counts() {
    let waiting = wait_at("http://127.0.0.1:0/callback").await;
    let good = waiting.get(&waiting.answer());
    let host = format!("Host: {}", waiting.authority);
    let with = |header: &str| good.replace(&host, &format!("{host}\r\n{header}"));
    let port = waiting.port();
    let strays = [
        ("404", waiting.get("/favicon.ico")),
        ("404", waiting.get("/")),
        ("404", waiting.get(&waiting.answer().replace("/callback?", "/callback/?"))),
        ("404", waiting.get(&waiting.answer().replace("/callback", "/Callback"))),
        ("404", waiting.get(&waiting.answer().replace("/callback", "/%63allback"))),
        ("400", waiting.get("/callback")),
        ("400", waiting.get("/callback?code=a&state=wrong")),
        ("400", waiting.get(&format!("{}&state=x", waiting.answer()))),
        ("400", waiting.get(&format!("/callback?state={}", waiting.state))),
        ("400", waiting.get(&format!("http://{}{}", waiting.authority, waiting.answer()))),
        ("405", good.replace("GET ", "HEAD ")),
        ("405", good.replace("GET ", "POST ")),
        ("405", good.replace("GET ", "OPTIONS ")),
        ("403", with("Sec-Purpose: prefetch;prerender")),
        ("403", with("Purpose: prefetch")),
        ("403", with("X-moz: prefetch")),
        ("403", good.replace("Sec-Fetch-Dest: document", "Sec-Fetch-Dest: image")),
        ("403", good.replace("Sec-Fetch-Dest: document", "Sec-Fetch-Dest: iframe")),
        ("421", good.replace(&host, &format!("Host: localhost:{port}"))),
        ("421", good.replace(&host, "Host: 127.0.0.1")),
        ("421", good.replace(&host, &format!("Host: evil.example:{port}"))),
        ("400", good.replace(&format!("{host}\r\n"), "")),
        ("400", with(&host)),
        ("400", with("Content-Length: 5")),
        ("400", with("Transfer-Encoding: chunked")),
        ("400", "nonsense\r\n\r\n".to_owned()),
        ("400", good.replace("HTTP/1.1", "HTTP/2.0")),
        ("400", good.replace(&host, &format!("{host}\r\nbad header"))),
        ("400", "\u{16}\u{3}\u{1}tls?\r\n\r\n".to_owned()),
        ("431", format!("{}X: {}\r\n\r\n", good.trim_end(), "x".repeat(200_000))),
    ];
    for (expected, stray) in &strays {
        let response = waiting.send(stray.as_bytes()).await;
        assert_eq!(status(&response), *expected, "{}", &stray[..stray.len().min(200)]);
        assert!(!response.contains(&waiting.state));
        assert!(!waiting.task.is_finished());
    }
    // Clients that say nothing, half of it, or go away.
    let _silent = waiting.open().await;
    let mut half = waiting.open().await;
    half.write_all(b"GET /callback?code=").await.unwrap();
    drop(waiting.open().await);

    let (authority, bytes) = (waiting.authority.clone(), good.clone());
    let browser = tokio::spawn(async move { exchange(TcpStream::connect(authority).await.unwrap(), bytes.as_bytes()).await });
    let (received, pending) = waiting.task.await.unwrap();
    let received = received.unwrap();
    assert!(pending.finish(received.answer, &context(), now()).is_ok());
    received.browser.succeed("Google <Sheets>").await;
    let page = browser.await.unwrap();
    assert_eq!(status(&page), "200");
    assert!(page.contains("<p>Google &lt;Sheets&gt; is connected to Dango.</p>"), "{page}");
    for header in [
        "Content-Security-Policy: default-src 'none'",
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
    ] {
        assert!(page.contains(header), "{page}");
    }
    assert!(!page.contains("<script"));
    // The port is closed: a second answer comes too late.
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test]
async fn a_refusal_of_the_provider_is_an_answer_and_is_shown_as_text() {
    let waiting = wait_at("http://127.0.0.1:0/callback").await;
    let request = waiting.get(&format!(
        "/callback?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state={}",
        waiting.state
    ));
    let stream = waiting.open().await;
    let browser = tokio::spawn(async move { exchange(stream, request.as_bytes()).await });
    let (received, pending) = waiting.task.await.unwrap();
    let received = received.unwrap();
    let Err(dango_oauth::FlowError::Denied(denial)) = pending.finish(received.answer, &context(), now()) else {
        panic!("a denial")
    };
    received.browser.fail(denial.description.unwrap().as_str()).await;
    let page = browser.await.unwrap();
    assert_eq!(status(&page), "400");
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script>"),
        "{page}"
    );
}

#[tokio::test]
async fn of_many_answers_at_once_one_counts() {
    let waiting = wait_at("http://127.0.0.1:0/callback").await;
    let request = waiting.get(&waiting.answer());
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(waiting.open().await);
    }
    let browsers: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            let request = request.clone();
            tokio::spawn(async move { exchange(stream, request.as_bytes()).await })
        })
        .collect();
    let (received, _) = waiting.task.await.unwrap();
    received.unwrap().browser.succeed("Google Sheets").await;
    let mut pages = 0;
    for browser in browsers {
        pages += usize::from(status(&browser.await.unwrap()) == "200");
    }
    assert_eq!(pages, 1);
}

#[tokio::test]
async fn a_crowd_of_silent_clients_keeps_nobody_out_for_long() {
    let waiting = wait_at("http://127.0.0.1:0/callback").await;
    let mut crowd = Vec::new();
    for _ in 0..60 {
        crowd.push(waiting.open().await);
    }
    let request = waiting.get(&waiting.answer());
    let stream = waiting.open().await;
    let browser = tokio::spawn(async move { exchange(stream, request.as_bytes()).await });
    let (received, _) = waiting.task.await.unwrap();
    received.unwrap().browser.succeed("x").await;
    assert_eq!(status(&browser.await.unwrap()), "200");
}

#[tokio::test]
async fn both_loopback_addresses_are_listened_to() {
    // A system may be without IPv6; then the other address is all that there is.
    let has_v6 = TcpListener::bind("[::1]:0").await.is_ok();
    let waiting = wait_at("http://localhost:0/callback").await;
    let port = waiting.port();
    let request = waiting.get("/favicon.ico");
    for address in ["127.0.0.1", "::1"].iter().take(1 + usize::from(has_v6)) {
        let stream = TcpStream::connect((*address, port)).await.unwrap();
        assert_eq!(status(&exchange(stream, request.as_bytes()).await), "404", "{address}");
    }
    if has_v6 {
        let waiting = wait_at("http://[::1]:0/callback").await;
        let stream = TcpStream::connect(("::1", waiting.port())).await.unwrap();
        let request = waiting.get(&waiting.answer());
        let browser = tokio::spawn(async move { exchange(stream, request.as_bytes()).await });
        waiting.task.await.unwrap().0.unwrap().browser.succeed("x").await;
        assert_eq!(status(&browser.await.unwrap()), "200");
    }
}

#[tokio::test]
async fn a_port_that_another_program_has_is_said() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = other.local_addr().unwrap().port();
    let address = CallbackUrl::parse(&format!("http://127.0.0.1:{port}/callback")).unwrap();
    let error = Receiver::bind(&address).await.err().unwrap();
    assert!(matches!(error, BindError::InUse { port: taken } if taken == port));
    assert_eq!(error.to_string(), format!("port {port} is in use by another program"));
}

#[tokio::test]
async fn the_time_ends_and_the_caller_may_give_up() {
    let local = Local::start(|_| Reply::plain(500, b"")).await;
    let (provider, endpoints) = local.provider("google");
    let begun = begin(&provider, &endpoints, &Counting::default());
    let address = CallbackUrl::parse("http://127.0.0.1:0/").unwrap();
    let receiver = Receiver::bind(&address).await.unwrap();
    let outcome = receiver.receive(&begun.pending, Duration::from_millis(1), pending()).await;
    assert_eq!(outcome.err(), Some(ReceiveError::TimedOut));
    let receiver = Receiver::bind(&address).await.unwrap();
    let outcome = receiver.receive(&begun.pending, LIMIT, async {}).await;
    assert_eq!(outcome.err(), Some(ReceiveError::Cancelled));
}

#[test]
fn the_address_is_one_of_this_machine_alone() {
    for good in [
        CallbackUrl::DEFAULT,
        "http://localhost:8080/callback",
        "http://[::1]:0/",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:80/",
    ] {
        assert!(CallbackUrl::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "https://127.0.0.1:8080/callback",
        "http://0.0.0.0:8080/callback",
        "http://192.168.1.1:8080/callback",
        "http://127.0.0.2:8080/callback",
        "http://example.com/callback",
        "http://localhost.example.com/callback",
        "http://127.0.0.1:8080/callback?x=1",
        "http://127.0.0.1:8080/callback#x",
        "http://a:canary@127.0.0.1:8080/callback",
        "127.0.0.1:8080",
        "",
    ] {
        let error = CallbackUrl::parse(bad).err().unwrap_or_else(|| panic!("{bad}"));
        assert!(!error.to_string().contains("canary"));
    }
}
