//! The certified OpenID provider `oidc-provider`, running, and somebody with a browser at its pages. How it is set up is in `tests/providers`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::client::Client;
use crate::counterparts::{node, node_modules, workspace_root};
use crate::process::run_to_end;

/// The app that is registered there. The blank and the plus prove that it is written as RFC 6749 §2.3.1 has it.
const CLIENT_ID: &str = "client id+1";

/// The app's secret.
const CLIENT_SECRET: &str = "canary-certified-secret";

/// A provider that demands PKCE and rotates refresh tokens, and for which one that comes a second time ends its grant.
pub struct Certified {
    child: Child,
    /// Kept open, since who writes into a closed one ends.
    _stdout: BufReader<ChildStdout>,
    issuer: String,
}

impl Certified {
    /// Starts it for an app with these redirect URIs; a loopback address among them stands for all its ports.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[track_caller]
    #[must_use]
    pub fn start(redirect_uris: &[&str]) -> Self {
        let mut child = Command::new(node())
            .arg(workspace_root().join("tests/providers/oidc_provider.mjs"))
            .env("DANGO_TEST_NODE_MODULES", node_modules())
            .env("DANGO_TEST_CLIENT_ID", CLIENT_ID)
            .env("DANGO_TEST_CLIENT_SECRET", CLIENT_SECRET)
            .env("DANGO_TEST_REDIRECT_URIS", redirect_uris.join(" "))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it was asked for"));
        let lines = stdout.by_ref().lines();
        let issuer = lines.map_while(Result::ok).find(|line| line.starts_with("http://"));
        Self {
            child,
            _stdout: stdout,
            issuer: issuer.expect("the provider tells where it listens"),
        }
    }

    /// Its address, which is its issuer's name, without a slash at the end.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The id of the app that is registered.
    #[must_use]
    pub const fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    /// The secret of the app that is registered.
    #[must_use]
    pub const fn client_secret(&self) -> &'static str {
        CLIENT_SECRET
    }

    /// Lets somebody go to an address of the provider, sign in and say yes; returns where the browser is sent in the end.
    ///
    /// # Panics
    ///
    /// When the provider sends nobody anywhere; the message holds its page.
    #[track_caller]
    #[must_use]
    pub fn agree(&self, address: &str, name: &str) -> String {
        let mut command = Command::new(node());
        command
            .arg(workspace_root().join("tests/providers/person.mjs"))
            .args([address, name]);
        run_to_end(&mut command, b"").success().stdout.trim_end().to_owned()
    }

    /// What it granted, refused and revoked so far, in this order.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    #[must_use]
    pub fn heard(&self) -> Vec<String> {
        let answer = Client::of(&self.issuer).get("/heard").json();
        let lines = answer.as_array().expect("a list").iter();
        lines.map(|line| line.as_str().expect("a text").to_owned()).collect()
    }
}

impl Drop for Certified {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
