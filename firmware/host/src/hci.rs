//! HCI packets in H4 framing over TCP: what virtual controllers offer.

use std::convert::Infallible;
use std::fmt;
use std::io;

use bt_hci::ReadHciError;
use bt_hci::transport::{PacketKind, PacketToController, PacketToHost, Transport, WithIndicator};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;

use crate::h4;

/// A virtual controller answers in pieces of this size at most.
const PIECE: usize = 4096;

/// Why there are no more packets.
#[derive(Debug)]
pub(crate) enum HciError {
    /// The other side closed the connection.
    Closed,
    /// The socket failed.
    Socket(io::Error),
    /// Bytes that are no HCI packet.
    Malformed,
}

impl fmt::Display for HciError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HciError::Closed => f.write_str("the virtual controller is gone"),
            HciError::Socket(error) => error.fmt(f),
            HciError::Malformed => f.write_str("bytes that are no HCI packet"),
        }
    }
}

impl std::error::Error for HciError {}

impl embedded_io::Error for HciError {
    fn kind(&self) -> embedded_io::ErrorKind {
        match self {
            HciError::Closed => embedded_io::ErrorKind::BrokenPipe,
            HciError::Socket(error) => error.kind().into(),
            HciError::Malformed => embedded_io::ErrorKind::InvalidData,
        }
    }
}

impl From<ReadHciError<Infallible>> for HciError {
    fn from(_: ReadHciError<Infallible>) -> Self {
        HciError::Malformed
    }
}

impl From<io::Error> for HciError {
    fn from(error: io::Error) -> Self {
        HciError::Socket(error)
    }
}

/// A connection to a virtual controller.
pub(crate) struct TcpHci {
    incoming: Mutex<Incoming>,
    outgoing: Mutex<OwnedWriteHalf>,
}

struct Incoming {
    socket: OwnedReadHalf,
    /// Bytes that are not yet a packet, or the next ones.
    bytes: Vec<u8>,
}

impl TcpHci {
    /// Speaks HCI on this connection.
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        // A packet must not wait for the next one.
        stream.set_nodelay(true)?;
        let (socket, outgoing) = stream.into_split();
        let incoming = Incoming {
            socket,
            bytes: Vec::new(),
        };
        Ok(TcpHci {
            incoming: Mutex::new(incoming),
            outgoing: Mutex::new(outgoing),
        })
    }
}

impl Incoming {
    /// Reads until a packet is whole. May be dropped at any time: what was read stays.
    async fn packet(&mut self) -> Result<Vec<u8>, HciError> {
        loop {
            let length = h4::packet_length(&self.bytes).map_err(|h4::UnknownPacket| HciError::Malformed)?;
            if let Some(length) = length
                && length <= self.bytes.len()
            {
                let rest = self.bytes.split_off(length);
                return Ok(std::mem::replace(&mut self.bytes, rest));
            }
            let mut piece = [0; PIECE];
            match self.socket.read(&mut piece).await? {
                0 => return Err(HciError::Closed),
                read => self.bytes.extend_from_slice(&piece[..read]),
            }
        }
    }
}

impl embedded_io::ErrorType for TcpHci {
    type Error = HciError;
}

impl Transport for TcpHci {
    async fn read<'a, P: PacketToHost<'a>>(&self, rx: &'a mut [u8]) -> Result<P, HciError> {
        let packet = self.incoming.lock().await.packet().await?;
        let mut bytes = &packet[..];
        let malformed = |_| HciError::Malformed;
        let kind = PacketKind::read(&mut bytes).map_err(malformed)?;
        P::read_hci(kind, &mut bytes, rx).map_err(|_| HciError::Malformed)
    }

    async fn write<P: PacketToController>(&self, tx: &P) -> Result<(), HciError> {
        let mut bytes = Vec::with_capacity(1 + tx.size());
        match WithIndicator::new(tx).write_hci(&mut bytes) {
            Ok(()) => {}
            Err(never) => match never {},
        }
        self.outgoing.lock().await.write_all(&bytes).await?;
        Ok(())
    }
}
