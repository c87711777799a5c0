//! Messages of the test link, to and from bytes.
//!
//! Whatever comes in is bounded before it is kept: by the length of a message, and by counts that must fit what is there.

use crate::sensors::link::{Advert, Chan, DownReason, LinkFailure, LinkInfo};
use crate::sensors::radio::{OpenError, RadioState};
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Longest message, without its length.
const LONGEST: usize = 4096;
/// First text of both sides.
pub(super) const GREETING: &str = "lope wire 1";
const NO_RSSI: i16 = i16::MAX;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Greeting(String),
    Scan,
    Open(String),
    Command { op: Op, chan: Chan, bytes: Vec<u8> },
    Close,
    Advert(Advert),
    Opened(LinkInfo),
    NotOpened(OpenError),
    Answer(Result<Vec<u8>, LinkFailure>),
    Frame { chan: Chan, bytes: Vec<u8> },
    Over(DownReason),
    Refused(String),
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Subscribe,
    Read,
    Write,
    WriteWithoutAnswer,
}

const OPS: [Op; 4] = [Op::Subscribe, Op::Read, Op::Write, Op::WriteWithoutAnswer];
/// Calls that may hang, by their number.
const CALLS: [&str; 6] = ["connect", "discover", "subscribe", "write", "read", "open"];

fn call(number: u8) -> &'static str {
    CALLS.get(usize::from(number)).copied().unwrap_or("open")
}

fn number_of_call(name: &str) -> u8 {
    CALLS.iter().position(|c| *c == name).map_or(5, |at| at as u8)
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken(pub(super) &'static str);

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        Self::new(io::ErrorKind::InvalidData, broken.0)
    }
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Broken> {
        let (front, rest) = self.0.split_at_checked(n).ok_or(Broken("a message ends too early"))?;
        self.0 = rest;
        Ok(front)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn u8(&mut self) -> Result<u8, Broken> {
        Ok(self.array::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16, Broken> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u128(&mut self) -> Result<u128, Broken> {
        Ok(u128::from_le_bytes(self.array()?))
    }

    fn bytes(&mut self) -> Result<Vec<u8>, Broken> {
        let n = self.u16()?;
        Ok(self.take(n.into())?.to_vec())
    }

    fn text(&mut self) -> Result<String, Broken> {
        String::from_utf8(self.bytes()?).map_err(|_| Broken("a text is not UTF-8"))
    }

    fn chan(&mut self) -> Result<Chan, Broken> {
        Ok(Chan::new(self.u128()?, self.u128()?))
    }

    fn end(self) -> Result<(), Broken> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Broken("a message is longer than its fields"))
        }
    }
}

#[derive(Default)]
struct Out(Vec<u8>);

impl Out {
    fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        // What is longer than a message is cut here; only texts for people can be.
        let n = bytes.len().min(LONGEST / 2);
        self.put(&(n as u16).to_le_bytes()).put(&bytes[..n])
    }

    fn chan(&mut self, chan: Chan) -> &mut Self {
        self.put(&chan.service.to_le_bytes())
            .put(&chan.characteristic.to_le_bytes())
    }
}

impl Message {
    /// The message in bytes, its length before it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Out(vec![0, 0]);
        match self {
            Self::Greeting(text) => out.put(&[1]).bytes(text.as_bytes()),
            Self::Scan => out.put(&[2]),
            Self::Open(os_id) => out.put(&[3]).bytes(os_id.as_bytes()),
            Self::Command { op, chan, bytes } => out.put(&[4, *op as u8]).chan(*chan).bytes(bytes),
            Self::Close => out.put(&[5]),
            Self::Advert(advert) => encode_advert(advert, &mut out),
            Self::Opened(info) => {
                out.put(&[17]).put(&info.mtu.to_le_bytes());
                out.bytes(info.name.as_bytes()).bytes(info.os_id.as_bytes());
                let n = info.chans.len().min(100);
                out.put(&[n as u8]);
                for chan in &info.chans[..n] {
                    out.chan(*chan);
                }
                &mut out
            }
            Self::NotOpened(error) => {
                let (code, text) = match error {
                    OpenError::Radio(RadioState::Ready(text)) => (0, text.as_str()),
                    OpenError::Radio(RadioState::NoAdapter) => (1, ""),
                    OpenError::Radio(RadioState::Off) => (2, ""),
                    OpenError::Radio(RadioState::NoService(text)) => (3, text.as_str()),
                    OpenError::Radio(RadioState::NoPermission(text)) => (4, text.as_str()),
                    OpenError::Unknown => (5, ""),
                    OpenError::TimedOut(call) => (16 + number_of_call(call), ""),
                    OpenError::Busy => (6, ""),
                    OpenError::Other(text) => (7, text.as_str()),
                };
                out.put(&[18, code]).bytes(text.as_bytes())
            }
            Self::Answer(result) => {
                let (code, bytes) = match result {
                    Ok(bytes) => (0, bytes.clone()),
                    Err(LinkFailure::TimedOut) => (1, vec![]),
                    Err(LinkFailure::Down) => (2, vec![]),
                    Err(LinkFailure::NoSuchCharacteristic) => (3, vec![]),
                    Err(LinkFailure::Att(code)) => (4, vec![*code]),
                    Err(LinkFailure::NotPermitted) => (5, vec![]),
                    Err(LinkFailure::Other(text)) => (6, text.as_bytes().to_vec()),
                };
                out.put(&[19, code]).bytes(&bytes)
            }
            Self::Frame { chan, bytes } => out.put(&[20]).chan(*chan).bytes(bytes),
            Self::Over(reason) => {
                let code = match reason {
                    DownReason::Closed => 0,
                    DownReason::Lost => 1,
                    DownReason::Silent => 2,
                    DownReason::AdapterGone => 3,
                    DownReason::Hung(call) => 16 + number_of_call(call),
                };
                out.put(&[21, code])
            }
            Self::Refused(text) => out.put(&[22]).bytes(text.as_bytes()),
        };
        let length = (out.0.len() - 2) as u16;
        out.0[..2].copy_from_slice(&length.to_le_bytes());
        out.0
    }

    /// A message without its length.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Broken> {
        let mut f = Fields(bytes);
        let message = match f.u8()? {
            1 => Self::Greeting(f.text()?),
            2 => Self::Scan,
            3 => Self::Open(f.text()?),
            4 => {
                let op = f.u8()?;
                let op = OPS.get(usize::from(op)).copied().ok_or(Broken("an unknown command"))?;
                Self::Command {
                    op,
                    chan: f.chan()?,
                    bytes: f.bytes()?,
                }
            }
            5 => Self::Close,
            16 => Self::Advert(decode_advert(&mut f)?),
            17 => {
                let (mtu, name, os_id) = (f.u16()?, f.text()?, f.text()?);
                let n = f.u8()?;
                let chans = (0..n).map(|_| f.chan()).collect::<Result<_, _>>()?;
                Self::Opened(LinkInfo {
                    name,
                    os_id,
                    mtu,
                    chans,
                })
            }
            18 => {
                let (code, text) = (f.u8()?, f.text()?);
                Self::NotOpened(match code {
                    0 => OpenError::Radio(RadioState::Ready(text)),
                    1 => OpenError::Radio(RadioState::NoAdapter),
                    2 => OpenError::Radio(RadioState::Off),
                    3 => OpenError::Radio(RadioState::NoService(text)),
                    4 => OpenError::Radio(RadioState::NoPermission(text)),
                    5 => OpenError::Unknown,
                    6 => OpenError::Busy,
                    16.. => OpenError::TimedOut(call(code - 16)),
                    _ => OpenError::Other(text),
                })
            }
            19 => {
                let (code, bytes) = (f.u8()?, f.bytes()?);
                Self::Answer(match code {
                    0 => Ok(bytes),
                    1 => Err(LinkFailure::TimedOut),
                    2 => Err(LinkFailure::Down),
                    3 => Err(LinkFailure::NoSuchCharacteristic),
                    4 => Err(LinkFailure::Att(bytes.first().copied().unwrap_or(0))),
                    5 => Err(LinkFailure::NotPermitted),
                    _ => Err(LinkFailure::Other(String::from_utf8_lossy(&bytes).into_owned())),
                })
            }
            20 => Self::Frame {
                chan: f.chan()?,
                bytes: f.bytes()?,
            },
            21 => Self::Over(match f.u8()? {
                0 => DownReason::Closed,
                2 => DownReason::Silent,
                3 => DownReason::AdapterGone,
                code @ 16.. => DownReason::Hung(call(code - 16)),
                _ => DownReason::Lost,
            }),
            22 => Self::Refused(f.text()?),
            _ => return Err(Broken("an unknown kind of message")),
        };
        f.end()?;
        Ok(message)
    }

    /// Reads one message; `None` at the proper end of the stream.
    pub(super) async fn read(from: &mut (impl tokio::io::AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut length = [0; 2];
        match from.read_exact(&mut length).await {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        };
        let length = usize::from(u16::from_le_bytes(length));
        if length == 0 || length > LONGEST {
            return Err(Broken("a message of impossible length").into());
        }
        let mut bytes = vec![0; length];
        from.read_exact(&mut bytes).await?;
        Ok(Some(Self::decode(&bytes)?))
    }

    /// Writes it.
    pub(super) async fn write(&self, to: &mut (impl tokio::io::AsyncWrite + Unpin)) -> io::Result<()> {
        to.write_all(&self.encode()).await
    }
}

fn encode_advert<'o>(advert: &Advert, out: &'o mut Out) -> &'o mut Out {
    out.put(&[16]).bytes(advert.os_id.as_bytes());
    out.put(&[u8::from(advert.name.is_some())])
        .bytes(advert.name.as_deref().unwrap_or("").as_bytes());
    out.put(&advert.rssi_dbm.unwrap_or(NO_RSSI).to_le_bytes());
    out.put(&[u8::from(advert.connected)]);
    let n = advert.services.len().min(50);
    out.put(&[n as u8]);
    for service in &advert.services[..n] {
        out.put(&service.to_le_bytes());
    }
    let m = advert.companies.len().min(50);
    out.put(&[m as u8]);
    for company in &advert.companies[..m] {
        out.put(&company.to_le_bytes());
    }
    out
}

fn decode_advert(f: &mut Fields<'_>) -> Result<Advert, Broken> {
    let (os_id, named, name) = (f.text()?, f.u8()?, f.text()?);
    let rssi = f.u16()? as i16;
    let connected = f.u8()? != 0;
    let n = f.u8()?;
    let services = (0..n).map(|_| f.u128()).collect::<Result<_, _>>()?;
    let m = f.u8()?;
    let companies = (0..m).map(|_| f.u16()).collect::<Result<_, _>>()?;
    Ok(Advert {
        os_id,
        name: (named != 0).then_some(name),
        services,
        companies,
        rssi_dbm: (rssi != NO_RSSI).then_some(rssi),
        connected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Vec<Message> {
        let chan = Chan::sig(0x180D, 0x2A37);
        vec![
            Message::Greeting(GREETING.to_owned()),
            Message::Scan,
            Message::Open("sim-1".to_owned()),
            Message::Command {
                op: Op::Write,
                chan,
                bytes: vec![1, 2, 3],
            },
            Message::Close,
            Message::Advert(Advert {
                os_id: "a".to_owned(),
                name: Some("µ".to_owned()),
                services: vec![1, u128::MAX],
                companies: vec![0x0886],
                rssi_dbm: Some(-70),
                connected: true,
            }),
            Message::Advert(Advert::default()),
            Message::Opened(LinkInfo {
                name: "pod".to_owned(),
                os_id: "x".to_owned(),
                mtu: 247,
                chans: vec![chan, chan],
            }),
            Message::NotOpened(OpenError::Radio(RadioState::Off)),
            Message::NotOpened(OpenError::TimedOut("connect")),
            Message::NotOpened(OpenError::Other("no".to_owned())),
            Message::Answer(Ok(vec![7; 200])),
            Message::Answer(Err(LinkFailure::Att(0xFD))),
            Message::Answer(Err(LinkFailure::NotPermitted)),
            Message::Frame {
                chan,
                bytes: vec![9; 244],
            },
            Message::Over(DownReason::Lost),
            Message::Over(DownReason::Hung("connect")),
            Message::Refused("why".to_owned()),
        ]
    }

    #[test]
    fn every_message_comes_back_as_it_was() {
        for message in examples() {
            let bytes = message.encode();
            assert_eq!(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])), bytes.len() - 2);
            assert_eq!(Message::decode(&bytes[2..]), Ok(message));
        }
    }

    #[test]
    fn a_message_cut_anywhere_or_longer_than_itself_is_refused() {
        for message in examples() {
            let bytes = message.encode();
            for end in 2..bytes.len() {
                assert!(Message::decode(&bytes[2..end]).is_err(), "{message:?} cut at {end}");
            }
            let longer = [&bytes[2..], &[0]].concat();
            assert!(Message::decode(&longer).is_err());
        }
    }
}
