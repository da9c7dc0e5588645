//! A waiting flow as bytes, which the use cases keep encrypted, and back. Nothing but the flow's own values is in them.

use dango_core::{SecretValue, Timestamp};
use dango_oauth::{Digest, FlowRecord, PendingFlow};
use zeroize::Zeroizing;

/// The form that is written; one that is not known opens no flow.
const VERSION: u8 = 1;

/// How many fields there are.
const FIELDS: usize = 10;

/// Writes a flow: each field with its length in front.
pub(super) fn encode(pending: PendingFlow) -> Zeroizing<Vec<u8>> {
    let record = pending.into_record();
    let scopes = record.scopes.join("\n");
    let nonce = record.nonce.as_ref().map_or(&[][..], |nonce| nonce.as_bytes().as_slice());
    let expires_at = record.expires_at.unix_micros().to_be_bytes();
    let fields: [&[u8]; FIELDS] = [
        record.provider.as_bytes(),
        record.state.as_bytes(),
        record.context.as_bytes(),
        nonce,
        record.verifier.expose().as_bytes(),
        record.redirect_uri.as_str().as_bytes(),
        scopes.as_bytes(),
        record.issuer.as_deref().unwrap_or_default().as_bytes(),
        &[u8::from(record.issuer_required)],
        &expires_at,
    ];
    let length = fields.iter().map(|field| field.len() + 4).sum::<usize>() + 1;
    // As large as it becomes, so that nothing is left behind where it was smaller.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    bytes.push(VERSION);
    for field in fields {
        bytes.extend_from_slice(&u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}

/// Reads a flow; nothing where this is none.
pub(super) fn decode(bytes: &[u8]) -> Option<PendingFlow> {
    let (version, mut rest) = bytes.split_first()?;
    let mut fields = [&[][..]; FIELDS];
    for field in &mut fields {
        let (length, after) = rest.split_first_chunk()?;
        (*field, rest) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    }
    if *version != VERSION || !rest.is_empty() {
        return None;
    }
    let [
        provider,
        state,
        context,
        nonce,
        verifier,
        redirect_uri,
        scopes,
        issuer,
        issuer_required,
        expires_at,
    ] = fields;
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    let digest = |bytes: &[u8]| Some(Digest::from_bytes(bytes.try_into().ok()?));
    let nonce = match nonce {
        [] => None,
        bytes => Some(digest(bytes)?),
    };
    Some(PendingFlow::from_record(FlowRecord {
        provider: text(provider)?,
        state: digest(state)?,
        context: digest(context)?,
        nonce,
        verifier: SecretValue::new(text(verifier)?).ok()?,
        redirect_uri: text(redirect_uri)?.parse().ok()?,
        scopes: text(scopes)?
            .split('\n')
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect(),
        issuer: text(issuer).filter(|issuer| !issuer.is_empty()),
        issuer_required: issuer_required == [1],
        expires_at: Timestamp::from_unix_micros(i64::from_be_bytes(expires_at.try_into().ok()?)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(nonce: bool) -> FlowRecord {
        FlowRecord {
            provider: "google".to_owned(),
            state: Digest::from_bytes([1; 32]),
            context: Digest::from_bytes([2; 32]),
            nonce: nonce.then(|| Digest::from_bytes([3; 32])),
            verifier: SecretValue::new("v".repeat(43)).expect("text"),
            redirect_uri: "https://dango.example/oauth/callback/google_sheets".parse().expect("an address"),
            scopes: vec!["openid".to_owned(), "https://a.example/b c".to_owned()],
            issuer: nonce.then(|| "https://accounts.google.com".to_owned()),
            issuer_required: nonce,
            expires_at: Timestamp::from_unix_micros(1_795_000_000_000_000),
        }
    }

    #[test]
    fn a_flow_comes_back_whole() {
        for nonce in [true, false] {
            let bytes = encode(PendingFlow::from_record(record(nonce)));
            let (back, expected) = (decode(&bytes).expect("a flow").into_record(), record(nonce));
            assert!(back.state.ct_eq(&expected.state) && back.context.ct_eq(&expected.context));
            assert_eq!(
                back.nonce.map(|nonce| *nonce.as_bytes()),
                expected.nonce.map(|nonce| *nonce.as_bytes())
            );
            assert_eq!(back.verifier.expose(), expected.verifier.expose());
            assert_eq!(
                (back.provider, back.redirect_uri, back.scopes),
                (expected.provider, expected.redirect_uri, expected.scopes)
            );
            assert_eq!((back.issuer, back.issuer_required), (expected.issuer, expected.issuer_required));
            assert_eq!(back.expires_at, expected.expires_at);
        }
    }

    #[test]
    fn what_is_cut_short_or_longer_is_no_flow() {
        let bytes = encode(PendingFlow::from_record(record(true)));
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_none(), "{length} bytes");
        }
        assert!(decode(&[bytes.as_slice(), &[0]].concat()).is_none());
        assert!(decode(&[&[2][..], &bytes[1..]].concat()).is_none());
    }
}
