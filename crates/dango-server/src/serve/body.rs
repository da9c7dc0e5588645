//! Bodies with a watch over them: one that comes in has a time, one that goes out says when it is done.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;

use super::talk::Exchange;

/// A request's body that has to come within a time, from when it is first waited for.
pub(super) struct Timed<B> {
    body: B,
    limit: Duration,
    until: Option<Pin<Box<Sleep>>>,
}

/// Why a body did not come whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError<E> {
    /// It took too long.
    #[error("the body of the request did not come in time")]
    Slow,
    /// The connection broke, or what came was malformed.
    #[error("the body of the request did not come whole")]
    Broken(#[source] E),
}

impl<B> Timed<B> {
    pub(super) const fn new(body: B, limit: Duration) -> Self {
        Self { body, limit, until: None }
    }
}

impl<B: HttpBody + Unpin> HttpBody for Timed<B> {
    type Data = B::Data;
    type Error = BodyError<B::Error>;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, Self::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Broken)));
        }
        let limit = this.limit;
        // Most bodies are there with their head, and need no clock.
        let until = this.until.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        until.as_mut().poll(cx).map(|()| Some(Err(BodyError::Slow)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The most of an answer that is handed over at once.
const PIECE: usize = 64 * 1024;

/// An answer's body; the request has ended when it is dropped.
///
/// A large one is handed over in pieces, so that it lasts about as long as the client takes it: given whole, it would be the
/// connection's, and the request over before the client has seen a byte.
pub(super) struct Answer {
    body: Body,
    /// What is there already and was not handed over.
    rest: Option<Bytes>,
    _exchange: Exchange,
}

impl Answer {
    pub(super) const fn new(body: Body, exchange: Exchange) -> Self {
        Self {
            body,
            rest: None,
            _exchange: exchange,
        }
    }

    fn piece(&mut self, mut data: Bytes) -> Frame<Bytes> {
        let piece = data.split_to(data.len().min(PIECE));
        self.rest = Some(data).filter(|rest| !rest.is_empty());
        Frame::data(piece)
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if let Some(rest) = this.rest.take() {
            return Poll::Ready(Some(Ok(this.piece(rest))));
        }
        Pin::new(&mut this.body).poll_frame(cx).map_ok(|frame| match frame.into_data() {
            Ok(data) => this.piece(data),
            Err(other) => other,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.as_ref().map_or(0, |rest| u64::try_from(rest.len()).unwrap_or(u64::MAX));
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}
