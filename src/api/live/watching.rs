//! One viewer: a stream of bytes that begins with what was missed and goes on with what comes, breathes every 15 s, and
//! ends when the run does or when the viewer may no longer look.

use super::hub::{Beginning, Frame, wire};
use crate::api::access::caller::Caller;
use crate::api::app::{App, StreamPlace};
use crate::review::Sight;
use crate::store::AthleteId;
use axum::body::Bytes;
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Interval;
use tokio_stream::Stream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

/// Silence that proxies are kept awake through.
const BREATH: Duration = Duration::from_secs(15);

/// What of the hub a viewer sees.
#[derive(Clone, Debug)]
pub enum Scope {
    /// One run, with this sight of the runner; the stream ends with it.
    Run(Sight),
    /// Runs of these athletes, each with a sight; the stream goes on.
    Squad(BTreeMap<AthleteId, Sight>),
}

impl Scope {
    fn shows(&self, frame: &Frame) -> bool {
        match self {
            Self::Run(sight) => frame.to.reaches(*sight),
            Self::Squad(athletes) => athletes.get(&frame.athlete).is_some_and(|s| frame.to.reaches(*s)),
        }
    }
}

/// One viewer.
pub struct Watching {
    first: VecDeque<Bytes>,
    rest: BroadcastStream<Arc<Frame>>,
    changed: WatchStream<u64>,
    breath: Interval,
    scope: Scope,
    caller: Arc<Caller>,
    app: App,
    over: bool,
    // Held, not read: it frees the viewer's place.
    _place: StreamPlace,
}

impl Watching {
    /// A viewer that begins so.
    #[must_use]
    pub fn new(app: &App, caller: Arc<Caller>, scope: Scope, begin: Beginning, place: StreamPlace) -> Self {
        let mut breath = tokio::time::interval(BREATH);
        // The first breath comes after the first silence.
        breath.reset();
        breath.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Self {
            first: begin.first.into(),
            rest: BroadcastStream::new(begin.rest),
            // Only changes from now on count.
            changed: WatchStream::from_changes(app.watch_access()),
            breath,
            scope,
            caller,
            app: app.clone(),
            over: false,
            _place: place,
        }
    }

    fn bye(&mut self, reason: &str) -> Bytes {
        self.over = true;
        wire(None, "bye", &json!({ "reason": reason, "session": null }))
    }

    /// Whether what the viewer is known by can end: the owner at this machine stays.
    fn depends(&self) -> bool {
        self.caller.token().is_some()
    }
}

impl Stream for Watching {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(None);
        }
        if let Some(bytes) = this.first.pop_front() {
            return Poll::Ready(Some(Ok(bytes)));
        }
        if this.depends() && Pin::new(&mut this.changed).poll_next(cx).is_ready() {
            let bye = this.bye("who may look has changed; ask again");
            return Poll::Ready(Some(Ok(bye)));
        }
        loop {
            match Pin::new(&mut this.rest).poll_next(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if !this.scope.shows(&frame) {
                        continue;
                    }
                    this.over = frame.last && matches!(this.scope, Scope::Run(_));
                    return Poll::Ready(Some(Ok(frame.wire.clone())));
                }
                Poll::Ready(Some(Err(BroadcastStreamRecvError::Lagged(missed)))) => {
                    return Poll::Ready(Some(Ok(wire(None, "lag", &json!({ "missed": missed })))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        if this.breath.poll_tick(cx).is_ready() {
            if this.app.hub().is_closing() {
                let bye = this.bye("the server ends");
                return Poll::Ready(Some(Ok(bye)));
            }
            if this.caller.expires().is_some_and(|end| this.app.now() >= end) {
                let bye = this.bye("the token has ended");
                return Poll::Ready(Some(Ok(bye)));
            }
            return Poll::Ready(Some(Ok(Bytes::from_static(b": \n\n"))));
        }
        Poll::Pending
    }
}
