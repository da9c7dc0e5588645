//! A flow kept until its answer, and given out once: for logins and connections alike.

use std::sync::Arc;

use dango_identity::{InsertOauthFlow, OauthFlowRecord, OauthFlowRoom, OauthStarter, OpenOauthFlowError, PlainToken, kind};
use zeroize::Zeroizing;

use super::port::{BegunFlow, LoginProvider, ProviderProblem};
use super::{link, login};
use crate::fault::Fault;
use crate::unit::Unit;

/// Why a flow is not begun or its answer not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowRefusal {
    /// Too many wait.
    Crowded,
    /// There is none for this answer, or it was answered already.
    Unknown,
    /// Somebody else began it, in another browser, or for something else.
    Elsewhere,
    /// It took too long.
    Expired,
}

impl FlowRefusal {
    /// What people are told.
    pub const fn problem(self) -> ProviderProblem {
        match self {
            Self::Unknown | Self::Elsewhere => ProviderProblem::StateMismatch,
            Self::Expired => ProviderProblem::SessionExpired,
            Self::Crowded => ProviderProblem::ExchangeFailed,
        }
    }

    /// What the audit log is told.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Crowded => "oauth_flows_crowded",
            Self::Unknown => "oauth_flow_unknown",
            Self::Elsewhere => "oauth_flow_elsewhere",
            Self::Expired => "oauth_flow_expired",
        }
    }
}

/// What is kept of a flow: a text of the use case, and what the port needs.
pub(super) struct Kept {
    pub(super) note: Option<String>,
    pub(super) port: Zeroizing<Vec<u8>>,
}

impl Kept {
    /// The length of the note and a one in front of it, or nothing but a zero.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let note = self.note.as_deref().unwrap_or_default();
        let length = u32::try_from(note.len()).unwrap_or(0);
        let mut bytes = Zeroizing::new(Vec::with_capacity(5 + note.len() + self.port.len()));
        bytes.push(u8::from(self.note.is_some()));
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&note.as_bytes()[..length as usize]);
        bytes.extend_from_slice(&self.port);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (has_note, rest) = bytes.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (note, port) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let note = (*has_note == 1).then(|| std::str::from_utf8(note).map(str::to_owned)).transpose();
        Some(Self {
            note: note.ok()?,
            port: Zeroizing::new(port.to_vec()),
        })
    }
}

/// What a flow with a provider of logins was begun for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoginFlow {
    /// To log in.
    Login,
    /// To link an account there to the one that somebody is logged in with.
    Link,
}

impl Unit<'_> {
    /// Keeps a flow; answers where the browser goes.
    pub(super) async fn keep_flow(
        &mut self,
        begun: BegunFlow,
        (starter, connector): (OauthStarter, &str),
        note: Option<String>,
    ) -> Result<Result<String, FlowRefusal>, Fault> {
        let inner = Arc::clone(&self.inner);
        let kept = Kept { note, port: begun.kept }.encode();
        let record = inner
            .oauth_flows
            .seal(&begun.state, (starter, connector), &kept, self.now, &*inner.entropy)?;
        Ok(
            match self.tx.insert_oauth_flow(&record, OauthFlowRoom::default(), self.now).await? {
                InsertOauthFlow::Inserted => Ok(begun.url),
                InsertOauthFlow::Crowded => Err(FlowRefusal::Crowded),
            },
        )
    }

    /// Takes a flow that a login or a link has begun, by the `state` of its answer: both come back to the same address. Likewise.
    pub(super) async fn take_login_flow(
        &mut self,
        state: &PlainToken<kind::OauthState>,
        (browser, session): (Option<OauthStarter>, Option<OauthStarter>),
        provider: &LoginProvider,
    ) -> Result<(LoginFlow, Result<Kept, FlowRefusal>), Fault> {
        let inner = Arc::clone(&self.inner);
        let Some(record) = self.tx.take_oauth_flow(&inner.oauth_flows.digest(state)).await? else {
            let flow = if session.is_some() { LoginFlow::Link } else { LoginFlow::Login };
            return Ok((flow, Err(FlowRefusal::Unknown)));
        };
        let (flow, starter, connector) = match record.starter {
            OauthStarter::Session { .. } => (LoginFlow::Link, session, link::connector(provider)),
            OauthStarter::Browser(_) => (LoginFlow::Login, browser, login::connector(provider)),
        };
        Ok((flow, self.open(&record, starter.as_ref(), &connector)))
    }

    /// Takes a flow by the `state` of its answer. It is used up, whatever comes of it.
    ///
    /// # Security
    ///
    /// Whoever began it must be who finishes it, and for the same: that is decided here, before anything is sent to the provider.
    pub(super) async fn take_flow(
        &mut self,
        state: &PlainToken<kind::OauthState>,
        (starter, connector): (Option<&OauthStarter>, &str),
    ) -> Result<Result<Kept, FlowRefusal>, Fault> {
        let inner = Arc::clone(&self.inner);
        let Some(record) = self.tx.take_oauth_flow(&inner.oauth_flows.digest(state)).await? else {
            return Ok(Err(FlowRefusal::Unknown));
        };
        Ok(self.open(&record, starter, connector))
    }

    fn open(&self, record: &OauthFlowRecord, starter: Option<&OauthStarter>, connector: &str) -> Result<Kept, FlowRefusal> {
        let starter = starter.ok_or(FlowRefusal::Elsewhere)?;
        match self.inner.oauth_flows.open(record, (starter, connector), self.now) {
            Ok(kept) => Kept::decode(&kept).ok_or(FlowRefusal::Elsewhere),
            Err(OpenOauthFlowError::Expired) => Err(FlowRefusal::Expired),
            Err(_) => Err(FlowRefusal::Elsewhere),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        for note in [None, Some(""), Some("/settings/secrets?é")] {
            let kept = Kept {
                note: note.map(str::to_owned),
                port: Zeroizing::new(vec![0, 1, 255]),
            };
            let back = Kept::decode(&kept.encode()).expect("decoded");
            assert_eq!((back.note.as_deref(), back.port.as_slice()), (note, &[0, 1, 255][..]));
        }
        for bad in [&[][..], &[1], &[1, 0, 0, 0], &[1, 0, 0, 0, 9, b'a'], &[1, 0, 0, 0, 1, 0xff]] {
            assert!(Kept::decode(bad).is_none(), "{bad:?}");
        }
    }
}
