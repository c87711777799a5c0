//! The side that has the sensors.

use super::message::{GREETING, Message, Op};
use crate::sensors::link::{Ack, Chan, Command, DownReason, LinkEvent};
use crate::sensors::radio::{Link, Radio};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

/// A client greets and says what it wants within this.
const GREETING_LIMIT: Duration = Duration::from_secs(5);
/// Connections at a time; more wait.
const CONNECTIONS: usize = 64;
/// Messages read ahead of a client; a client that sends more waits.
const AHEAD: usize = 4;
/// After a connection could not be taken (no descriptors left), the next is tried after this.
const BREATH: Duration = Duration::from_millis(100);

/// Serves the sensors of a radio to everyone who connects, until it is dropped.
pub async fn serve(listener: TcpListener, radio: Arc<dyn Radio>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let radio = Arc::clone(&radio);
                tokio::spawn(async move {
                    // A connection that fails concerns its client only.
                    let _ = client(stream, &*radio).await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

async fn client(stream: TcpStream, radio: &dyn Radio) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut from, mut to) = stream.into_split();
    Message::Greeting(GREETING.to_owned()).write(&mut to).await?;
    let wish = tokio::time::timeout(GREETING_LIMIT, async {
        match Message::read(&mut from).await? {
            Some(Message::Greeting(text)) if text == GREETING => Message::read(&mut from).await,
            _ => Ok(Some(Message::Refused("it does not greet in this version".to_owned()))),
        }
    });
    let wish = match wish.await {
        Ok(Ok(Some(wish))) => wish,
        Ok(Ok(None)) | Err(_) => return Ok(()),
        Ok(Err(broken)) => return refuse(&mut to, &broken.to_string()).await,
    };
    // What the client sends is read in a task of its own, because half a message must not be dropped by a select.
    let (heard, mut messages) = mpsc::channel(AHEAD);
    let reader = tokio::spawn(async move {
        loop {
            let message = Message::read(&mut from).await;
            let last = !matches!(message, Ok(Some(_)));
            if heard.send(message).await.is_err() || last {
                return;
            }
        }
    });
    let done = match wish {
        Message::Scan => scan(&mut messages, &mut to, radio).await,
        Message::Open(os_id) => open(&mut messages, &mut to, radio, &os_id).await,
        Message::Refused(why) => refuse(&mut to, &why).await,
        _ => refuse(&mut to, "neither scan nor open came first").await,
    };
    reader.abort();
    done
}

type Heard = mpsc::Receiver<io::Result<Option<Message>>>;

async fn refuse(to: &mut OwnedWriteHalf, why: &str) -> io::Result<()> {
    Message::Refused(why.to_owned()).write(to).await
}

async fn scan(messages: &mut Heard, to: &mut OwnedWriteHalf, radio: &dyn Radio) -> io::Result<()> {
    let mut adverts = match radio.scan().await {
        Ok(adverts) => adverts,
        Err(state) => {
            let error = crate::sensors::radio::OpenError::Radio(state);
            return Message::NotOpened(error).write(to).await;
        }
    };
    loop {
        tokio::select! {
            advert = adverts.recv() => match advert {
                Some(advert) => Message::Advert(advert).write(to).await?,
                None => return Ok(()),
            },
            heard = messages.recv() => return match heard {
                Some(Ok(Some(Message::Close) | None)) | None => Ok(()),
                Some(Ok(Some(_))) => refuse(to, "a scan takes no commands").await,
                Some(Err(broken)) => refuse(to, &broken.to_string()).await,
            },
        }
    }
}

async fn open(messages: &mut Heard, to: &mut OwnedWriteHalf, radio: &dyn Radio, os_id: &str) -> io::Result<()> {
    let mut link = match radio.open(os_id).await {
        Ok(link) => link,
        Err(error) => return Message::NotOpened(error).write(to).await,
    };
    Message::Opened(link.info().clone()).write(to).await?;
    let done = carry(messages, to, &mut *link).await;
    // The client is gone or wants no more.
    let _ = link.run(&Command::Close).await;
    done
}

async fn carry(messages: &mut Heard, to: &mut OwnedWriteHalf, link: &mut dyn Link) -> io::Result<()> {
    let mut command = None;
    loop {
        command = match until_heard(messages, to, link, command.as_ref()).await? {
            Step::Answered => None,
            Step::Over => return Ok(()),
            Step::Heard(op, chan, bytes) if command.is_none() => Some(as_command(op, chan, bytes)),
            Step::Heard(..) => return refuse(to, "one command at a time").await,
            Step::Broken(why) => return refuse(to, &why).await,
        };
    }
}

/// What ends a wait of [`carry`].
enum Step {
    Answered,
    Heard(Op, Chan, Vec<u8>),
    Broken(String),
    Over,
}

/// Hands on frames while the command, if there is one, is carried out, until something else happens.
async fn until_heard(
    messages: &mut Heard,
    to: &mut OwnedWriteHalf,
    link: &mut dyn Link,
    command: Option<&Command>,
) -> io::Result<Step> {
    let queue = link.queue();
    let running = async {
        match command {
            Some(command) => link.run(command).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(running);
    loop {
        tokio::select! {
            biased;
            event = queue.pop() => match event {
                Some(LinkEvent::Frame { chan, bytes, .. }) => Message::Frame { chan, bytes }.write(to).await?,
                Some(LinkEvent::Down { reason, .. }) => {
                    Message::Over(reason).write(to).await?;
                    return Ok(Step::Over);
                }
                Some(_) => {}
                None => {
                    Message::Over(DownReason::Lost).write(to).await?;
                    return Ok(Step::Over);
                }
            },
            result = &mut running => {
                Message::Answer(result).write(to).await?;
                return Ok(Step::Answered);
            }
            heard = messages.recv() => return Ok(match heard {
                Some(Ok(Some(Message::Command { op, chan, bytes }))) => Step::Heard(op, chan, bytes),
                None | Some(Ok(None | Some(Message::Close))) => Step::Over,
                Some(Ok(Some(_))) => Step::Broken("only commands come on a link".to_owned()),
                Some(Err(broken)) => Step::Broken(broken.to_string()),
            }),
        }
    }
}

fn as_command(op: Op, chan: Chan, bytes: Vec<u8>) -> Command {
    let write = |ack| Command::Write { chan, bytes, ack };
    match op {
        Op::Subscribe => Command::Subscribe(chan),
        Op::Read => Command::Read(chan),
        Op::Write => write(Ack::Wanted),
        Op::WriteWithoutAnswer => write(Ack::None),
    }
}
