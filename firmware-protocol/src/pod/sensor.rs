//! What a request wants of the sensor before it is answered.
//!
//! A pod answers at once, a sensor needs milliseconds and may fail. So firmware asks first what a request will want of the
//! sensor, does that, and then hands the request in, or refuses it in the sensor's name. Nothing changes here meanwhile.

use super::{AttError, Outbox, Pod};
use crate::gatt::{ATT_INVALID_LENGTH, Channel};
use crate::{Answer, Configuration, LONGEST_CONTROL, Reply, Request, RequestBody, Status, StreamId};

/// What the sensor must do before a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SensorOrder {
    /// START: sample every enabled stream as [`Pod::planned`] says.
    SwitchOn,
    /// SET_CONFIG in a running session: this stream goes on with these ranges and this rate. What was complete before
    /// belongs to the configuration that still is in force and must be handed in first.
    Change(Configuration),
    /// STOP: hand in what is complete, then sample no more.
    SwitchOff,
}

impl<const S: usize> Pod<'_, S> {
    /// What this write to Control wants of the sensor; `None` if nothing, or if it will be refused anyway.
    pub fn sensor_order(&self, bytes: &[u8]) -> Option<SensorOrder> {
        let body = Request::decode(bytes).ok()?.body;
        self.check(&body).ok()?;
        match body {
            RequestBody::Start(order) => self.check_start(&order).ok().map(|()| SensorOrder::SwitchOn),
            RequestBody::SetConfig(wish) if self.is_running() => {
                let choice = self.planned_change(&wish).ok()??;
                let stream = self.streams.get(wish.stream.as_usize())?;
                Some(SensorOrder::Change(stream.as_configuration(choice)))
            }
            RequestBody::Stop { .. } if self.is_running() => Some(SensorOrder::SwitchOff),
            _ => None,
        }
    }

    /// What was chosen for a stream of the next session; `None` if it will not have it or there is no such stream.
    pub fn planned(&self, stream: StreamId) -> Option<Configuration> {
        let stream = self.streams.get(stream.as_usize())?;
        Some(stream.chosen()).filter(|chosen| chosen.enabled)
    }

    /// Refuses a request for a reason that only the firmware knows: `hardware`, because the sensor did not do what
    /// [`Pod::sensor_order`] said, or `power`. Old settings stay.
    pub fn refuse_control(&mut self, bytes: &[u8], status: Status, out: &mut impl Outbox) -> Result<(), AttError> {
        let reply = match Request::decode(bytes) {
            Ok(request) => {
                let op = request.body.op();
                let (txn, answer) = (request.txn, Answer::Refused { op, status });
                Reply { txn, answer }
            }
            Err(_) => return Err(AttError(ATT_INVALID_LENGTH)),
        };
        self.count_refusal();
        if let Ok(bytes) = reply.encode(&mut [0; LONGEST_CONTROL]) {
            out.send(Channel::Control, bytes);
        }
        Ok(())
    }
}
