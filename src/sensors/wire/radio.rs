//! The side that collects: a radio whose air is a socket.

use super::message::{GREETING, Message, Op};
use crate::sensors::link::{Ack, Advert, Command, DownReason, LinkEvent, LinkFailure, LinkInfo};
use crate::sensors::queue::LinkQueue;
use crate::sensors::radio::{Link, OpenError, Pending, Radio, RadioState, Stamp};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The other program answers within this.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// It may have to reach a sensor by radio itself.
const OPEN_LIMIT: Duration = Duration::from_secs(75);
/// A command is answered within this.
const COMMAND_LIMIT: Duration = Duration::from_secs(8);
/// Adverts waiting for a slow reader; more are dropped, they come again.
const ADVERTS: usize = 64;

/// See the module's head.
pub struct WireRadio {
    address: String,
    stamp: Stamp,
}

impl std::fmt::Debug for WireRadio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WireRadio")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl WireRadio {
    /// Sensors behind this address (`host:port`). Nothing is opened yet.
    #[must_use]
    pub fn new(address: &str, stamp: Stamp) -> Self {
        let address = address.to_owned();
        Self { address, stamp }
    }

    async fn connect(&self) -> Result<(OwnedReadHalf, OwnedWriteHalf), RadioState> {
        let greeted = async {
            let stream = TcpStream::connect(&self.address).await?;
            stream.set_nodelay(true)?;
            let (mut from, mut to) = stream.into_split();
            Message::Greeting(GREETING.to_owned()).write(&mut to).await?;
            match Message::read(&mut from).await? {
                Some(Message::Greeting(text)) if text == GREETING => Ok((from, to)),
                _ => Err(io::Error::other("something else answers there")),
            }
        };
        let no = |why: String| RadioState::NoService(format!("{}: {why}", self.address));
        match timeout(CONNECT_LIMIT, greeted).await {
            Ok(Ok(halves)) => Ok(halves),
            Ok(Err(e)) => Err(no(e.to_string())),
            Err(_) => Err(no("no answer".to_owned())),
        }
    }
}

impl Radio for WireRadio {
    fn state(&self) -> Pending<'_, RadioState> {
        Box::pin(async {
            match self.connect().await {
                Ok(_) => RadioState::Ready(format!("test link to {}", self.address)),
                Err(state) => state,
            }
        })
    }

    fn scan(&self) -> Pending<'_, Result<mpsc::Receiver<Advert>, RadioState>> {
        Box::pin(async {
            let (mut from, mut to) = self.connect().await?;
            let gone = |e: io::Error| RadioState::NoService(e.to_string());
            Message::Scan.write(&mut to).await.map_err(gone)?;
            let (found, adverts) = mpsc::channel(ADVERTS);
            tokio::spawn(async move {
                // Keeps the connection, which is the scan, until nobody listens.
                let _scan = to;
                loop {
                    tokio::select! {
                        message = Message::read(&mut from) => match message {
                            Ok(Some(Message::Advert(advert))) => {
                                if let Err(mpsc::error::TrySendError::Closed(_)) = found.try_send(advert) {
                                    return;
                                }
                            }
                            _ => return,
                        },
                        () = found.closed() => return,
                    }
                }
            });
            Ok(adverts)
        })
    }

    fn open<'a>(&'a self, os_id: &'a str) -> Pending<'a, Result<Box<dyn Link>, OpenError>> {
        Box::pin(async move {
            let (mut from, mut to) = self.connect().await.map_err(OpenError::Radio)?;
            let opened = async {
                Message::Open(os_id.to_owned()).write(&mut to).await?;
                Message::read(&mut from).await
            };
            let info = match timeout(OPEN_LIMIT, opened).await {
                Ok(Ok(Some(Message::Opened(info)))) => info,
                Ok(Ok(Some(Message::NotOpened(error)))) => return Err(error),
                Ok(Ok(Some(Message::Refused(why)))) => return Err(OpenError::Other(why)),
                Ok(Ok(_)) => return Err(OpenError::Other("the other side hung up".to_owned())),
                Ok(Err(e)) => return Err(OpenError::Other(e.to_string())),
                Err(_) => return Err(OpenError::TimedOut("open")),
            };
            let (queue, answers) = (Arc::new(LinkQueue::new()), Answers::default());
            let reading = tokio::spawn(read(
                from,
                Arc::clone(&queue),
                Arc::clone(&answers),
                Arc::clone(&self.stamp),
            ));
            Ok(Box::new(WireLink {
                info,
                to: Some(to),
                queue,
                answers,
                stamp: Arc::clone(&self.stamp),
                reading,
            }) as Box<dyn Link>)
        })
    }
}

/// Where the answer to the command under way goes, and whether there will be none any more.
#[derive(Debug, Default)]
struct Waiting {
    over: bool,
    to: Option<oneshot::Sender<Result<Vec<u8>, LinkFailure>>>,
}

type Answers = Arc<Mutex<Waiting>>;

/// Stamps what comes and puts it where it belongs, until the connection is over.
async fn read(mut from: OwnedReadHalf, queue: Arc<LinkQueue>, answers: Answers, stamp: Stamp) {
    let reason = loop {
        match Message::read(&mut from).await {
            Ok(Some(Message::Frame { chan, bytes })) => {
                let at = stamp();
                queue.push(LinkEvent::Frame { at, chan, bytes });
            }
            Ok(Some(Message::Answer(result))) => {
                if let Some(to) = answers.lock().unwrap_or_else(PoisonError::into_inner).to.take() {
                    // Whoever asked may have given up.
                    let _ = to.send(result);
                }
            }
            Ok(Some(Message::Over(reason))) => break reason,
            _ => break DownReason::Lost,
        }
    };
    // Drops the sender of a command under way: it fails as `Down`.
    *answers.lock().unwrap_or_else(PoisonError::into_inner) = Waiting { over: true, to: None };
    queue.push(LinkEvent::Down { at: stamp(), reason });
    queue.close();
}

/// An open link. Dropping it ends it.
struct WireLink {
    info: LinkInfo,
    to: Option<OwnedWriteHalf>,
    queue: Arc<LinkQueue>,
    answers: Answers,
    stamp: Stamp,
    reading: tokio::task::JoinHandle<()>,
}

impl Drop for WireLink {
    fn drop(&mut self) {
        self.close();
    }
}

impl WireLink {
    /// We end it: nothing that still comes is heard.
    fn close(&mut self) {
        self.to = None;
        if !self.reading.is_finished() {
            self.reading.abort();
            let (at, reason) = ((self.stamp)(), DownReason::Closed);
            self.queue.push(LinkEvent::Down { at, reason });
            self.queue.close();
        }
    }
}

impl Link for WireLink {
    fn info(&self) -> &LinkInfo {
        &self.info
    }

    fn queue(&self) -> Arc<LinkQueue> {
        Arc::clone(&self.queue)
    }

    fn run<'a>(&'a mut self, command: &'a Command) -> Pending<'a, Result<Vec<u8>, LinkFailure>> {
        Box::pin(async move {
            let (op, chan, bytes) = match command {
                Command::Subscribe(chan) => (Op::Subscribe, *chan, Vec::new()),
                Command::Read(chan) => (Op::Read, *chan, Vec::new()),
                Command::Write { chan, bytes, ack } => {
                    let op = match ack {
                        Ack::Wanted => Op::Write,
                        Ack::None => Op::WriteWithoutAnswer,
                    };
                    (op, *chan, bytes.clone())
                }
                Command::Close => {
                    if let Some(to) = &mut self.to {
                        // If it is gone already, so much the better.
                        let _ = Message::Close.write(to).await;
                    }
                    self.close();
                    return Ok(Vec::new());
                }
            };
            let Some(to) = &mut self.to else {
                return Err(LinkFailure::Down);
            };
            let (asked, answer) = oneshot::channel();
            {
                let mut waiting = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
                if waiting.over {
                    return Err(LinkFailure::Down);
                }
                waiting.to = Some(asked);
            }
            let carried = async {
                let message = Message::Command { op, chan, bytes };
                message.write(to).await.map_err(|_| LinkFailure::Down)?;
                answer.await.unwrap_or(Err(LinkFailure::Down))
            };
            timeout(COMMAND_LIMIT, carried)
                .await
                .unwrap_or(Err(LinkFailure::TimedOut))
        })
    }
}
