//! A connection of HTTP/1 as hyper reads it: whole heads that were looked at, and the bodies that belong to them.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::head::{BadHead, Framing, find_end, inspect};
use super::talk::Talk;
use crate::limits::Limits;

/// What hyper reads in the place of a head that is refused. The answer does not depend on it, and it is the connection's last.
const PLACEHOLDER: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";

/// The most that is still read of a connection that is closed.
const LINGER_BYTES: usize = 256 * 1024;

/// A stream that passes on one head after the other.
pub(super) struct Wire<S> {
    stream: S,
    talk: Arc<Talk>,
    limits: Limits,
    phase: Phase,
    /// What has come and was not given on yet.
    held: Vec<u8>,
    /// How much of it was given on.
    given: usize,
    /// How much of it may be given on.
    released: usize,
    /// How much of the head behind that was looked at.
    looked: usize,
    linger: Option<Linger>,
}

/// The last moment of a connection.
struct Linger {
    until: Pin<Box<Sleep>>,
    bytes: usize,
}

enum Phase {
    /// A head is to come.
    Head,
    /// So many bytes of a body are to come.
    Body(u64),
    /// A body whose end its chunks say: nothing else is read from this connection, so nobody has to find it.
    Rest,
    /// Nothing more is read.
    Refused,
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S, talk: Arc<Talk>, limits: Limits) -> Self {
        Self {
            stream,
            talk,
            limits,
            phase: Phase::Head,
            held: Vec::new(),
            given: 0,
            released: 0,
            looked: 0,
            linger: None,
        }
    }

    /// Takes what has come as far as it can be given on.
    fn release(&mut self) {
        loop {
            let rest = &self.held[self.released..];
            match self.phase {
                Phase::Head => {
                    // Empty lines before a request are no part of it (RFC 9112 §2.2).
                    let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                    let Some(end) = find_end(&rest[blank..], self.looked.saturating_sub(blank)).map(|end| blank + end) else {
                        self.looked = rest.len();
                        if rest.len() > self.limits.head_bytes {
                            self.refuse(BadHead::TooLarge);
                        }
                        return;
                    };
                    self.looked = 0;
                    let head = &rest[blank..end];
                    let verdict = if end > self.limits.head_bytes {
                        Err(BadHead::TooLarge)
                    } else {
                        inspect(head, self.limits.headers)
                    };
                    match verdict {
                        Err(why) => return self.refuse(why),
                        Ok(framing) => {
                            self.talk.head_is_whole(Ok(framing));
                            self.released += end;
                            self.phase = match framing {
                                Framing::Length(0) => Phase::Head,
                                Framing::Length(length) => Phase::Body(length),
                                Framing::Chunked => Phase::Rest,
                            };
                        }
                    }
                }
                Phase::Body(left) => {
                    let there = u64::try_from(rest.len()).unwrap_or(u64::MAX).min(left);
                    self.released += usize::try_from(there).unwrap_or(rest.len());
                    self.phase = match left - there {
                        0 => Phase::Head,
                        left => Phase::Body(left),
                    };
                    if there < left {
                        return;
                    }
                }
                Phase::Rest => {
                    self.released = self.held.len();
                    return;
                }
                Phase::Refused => {
                    self.held.truncate(self.released);
                    return;
                }
            }
            if self.released == self.held.len() {
                return;
            }
        }
    }

    fn refuse(&mut self, why: BadHead) {
        self.talk.head_is_whole(Err(why));
        self.held.truncate(self.released);
        self.held.extend_from_slice(PLACEHOLDER);
        self.released = self.held.len();
        self.phase = Phase::Refused;
    }

    fn give(&mut self, buffer: &mut ReadBuf<'_>) {
        let there = &self.held[self.given..self.released];
        let count = there.len().min(buffer.remaining());
        buffer.put_slice(&there[..count]);
        self.given += count;
        if self.given == self.held.len() {
            self.held.clear();
            (self.given, self.released) = (0, 0);
        } else if self.given == self.released {
            self.held.drain(..self.given);
            (self.given, self.released) = (0, 0);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.given < this.released {
                this.give(buffer);
                return Poll::Ready(Ok(()));
            }
            if matches!(this.phase, Phase::Refused) {
                // The answer closes the connection, which wakes whoever waits.
                return Poll::Pending;
            }
            let mut block = [0; 4096];
            let mut read = ReadBuf::new(&mut block);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            if matches!(this.phase, Phase::Head) {
                this.talk.head_goes_on();
            }
            this.held.extend_from_slice(read.filled());
            this.release();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    /// Closes, and reads on for a moment: a socket that is closed with bytes unread is reset, and the last answer is lost with it
    /// (RFC 9112 §9.6).
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let time = this.limits.linger;
        let linger = this.linger.get_or_insert_with(|| Linger::new(time));
        linger.poll(cx, &mut this.stream).map(Ok)
    }
}

impl Linger {
    fn new(time: Duration) -> Self {
        Self {
            until: Box::pin(tokio::time::sleep(time)),
            bytes: 0,
        }
    }

    fn poll<S: AsyncRead + Unpin>(&mut self, cx: &mut Context<'_>, stream: &mut S) -> Poll<()> {
        let mut block = [0; 4096];
        while self.bytes < LINGER_BYTES && self.until.as_mut().poll(cx).is_pending() {
            let mut read = ReadBuf::new(&mut block);
            let done = ready!(Pin::new(&mut *stream).poll_read(cx, &mut read));
            if done.is_err() || read.filled().is_empty() {
                break;
            }
            self.bytes += read.filled().len();
        }
        Poll::Ready(())
    }
}
