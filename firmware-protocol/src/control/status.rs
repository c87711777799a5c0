//! Why a request was refused, and why a session ended.

use crate::Refusal;

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A number that this version does not know.
            Other(u8),
        }

        impl $name {
            /// The meaning of this number.
            pub const fn new(number: u8) -> Self {
                match number {
                    $($number => $name::$variant,)*
                    other => $name::Other(other),
                }
            }

            /// Its number on the air.
            pub const fn get(self) -> u8 {
                match self {
                    $($name::$variant => $number,)*
                    $name::Other(number) => number,
                }
            }

            /// Its name in SPEC.md; "unknown" for a number that this version does not know.
            pub const fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                    $name::Other(_) => "unknown",
                }
            }
        }
    };
}
pub(crate) use numbered;

numbered! {
    /// Why a pod refused a request (SPEC.md section 5.4). Success is not among them: it is another shape of answer.
    Status {
        /// Unknown operation.
        Op = 1, "op";
        /// Wrong length of the request.
        Length = 2, "length";
        /// A field outside its range, or a reserved bit set.
        Param = 3, "param";
        /// Not in this state.
        State = 4, "state";
        /// No such session here: another one, forgotten at reboot, or erased.
        Session = 5, "session";
        /// This session is already the pod's: RESUME instead.
        Exists = 6, "exists";
        /// A retained session has samples that are not acknowledged: fetch them, or force.
        Unread = 7, "unread";
        /// Another host's session is running: force only with the user's consent.
        Owned = 8, "owned";
        /// A RANGE is running, or there is no room for another configuration: later.
        Busy = 9, "busy";
        /// The ATT MTU is below 100.
        Mtu = 10, "mtu";
        /// Needs a bonded, encrypted link: read Secure.
        Auth = 11, "auth";
        /// No common major version.
        Version = 12, "version";
        /// No such stream or configuration.
        NotFound = 13, "not_found";
        /// The battery is too low to start.
        Power = 14, "power";
        /// Sensor or storage failed; the old settings stay.
        Hardware = 15, "hardware";
        /// HELLO is missing on this connection.
        HelloFirst = 16, "hello_first";
        /// Notifications of Stream are not enabled.
        Cccd = 17, "cccd";
        /// START or RESUME first.
        NotAttached = 18, "not_attached";
    }
}

impl Status {
    /// The status by which a pod answers a request that breaks a rule by its bytes alone.
    ///
    /// `None` for a write too short to be answered by a reply: it gets ATT error 0D.
    pub const fn of_refusal(refusal: &Refusal) -> Option<Self> {
        match refusal {
            Refusal::AttLength { .. } => None,
            Refusal::Op { .. } => Some(Status::Op),
            Refusal::Length { .. } => Some(Status::Length),
            _ => Some(Status::Param),
        }
    }
}

numbered! {
    /// Why a session ended (SPEC.md section 5.3).
    EndReason {
        /// It has not, or the host stopped it.
        NotByItself = 0, "none";
        /// No host was attached for longer than the linger time.
        LingerRanOut = 1, "linger";
        /// The battery is nearly empty.
        LowPower = 2, "low_power";
        /// The sensor failed.
        SensorFault = 3, "sensor_fault";
        /// The indices are used up.
        IndexExhausted = 4, "index_exhausted";
        /// The storage failed.
        StorageFault = 5, "storage_fault";
        /// Another host started a session by force.
        Forced = 6, "forced";
        /// Reset or power cut.
        PowerCut = 7, "power_cut";
    }
}
