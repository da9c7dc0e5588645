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

/// An answer's body; the request has ended when it is dropped.
pub(super) struct Answer {
    body: Body,
    _exchange: Exchange,
}

impl Answer {
    pub(super) const fn new(body: Body, exchange: Exchange) -> Self {
        Self { body, _exchange: exchange }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
