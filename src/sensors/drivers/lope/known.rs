//! What a pod has told about itself: who it is, what it can do, how it was calibrated.
//!
//! Kept over links as long as it is the same pod in the same boot; read anew after that.

use crate::sensors::said::{Identity, Note, Said};
use firmware_protocol::{
    BootId, CalibPiece, Calibration, CapsChecklist, CapsPage, Features, HelloReply, Kind, LimitCaps, MOST_STREAMS,
    PodUid, RingCaps, Tlv, crc,
};

/// A longer calibration is not read: the three parts there are take 104 bytes.
const LONGEST_CALIBRATION: usize = 1024;
/// Used until a pod has stated its own.
const CAUTIOUS: LimitCaps = LimitCaps {
    max_range: 256,
    max_linger_s: 120,
    max_configs: 4,
};

/// What one stream can do, owned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StreamCan {
    /// `None` for a kind of a later version.
    pub(super) kind: Option<Kind>,
    pub(super) acc_ranges_g: Vec<u32>,
    pub(super) ring: Option<RingCaps>,
}

/// See the module's head.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) uid: Option<PodUid>,
    pub(super) boot: Option<BootId>,
    pub(super) n_streams: u8,
    identity: Identity,
    /// By stream; a pod has at most eight.
    pub(super) streams: Vec<StreamCan>,
    pub(super) limits: LimitCaps,
    pub(super) features: Features,
    checklist: CapsChecklist,
    next_page: Option<u8>,
    calibration: Vec<u8>,
    pub(super) calibration_read: bool,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            uid: None,
            boot: None,
            n_streams: 0,
            identity: Identity::default(),
            streams: Vec::new(),
            limits: CAUTIOUS,
            features: Features::default(),
            checklist: CapsChecklist::default(),
            next_page: Some(0),
            calibration: Vec::new(),
            calibration_read: false,
        }
    }
}

impl Known {
    /// A greeting came. What was known stays if it is the same boot of the same pod.
    pub(super) fn greet(&mut self, hello: &HelloReply, said: &mut Vec<Said>) {
        if (self.uid, self.boot) != (hello.pod_uid, hello.boot_id) || self.n_streams != hello.n_streams {
            let (uid, boot) = (hello.pod_uid, hello.boot_id);
            *self = Self {
                uid,
                boot,
                n_streams: hello.n_streams.min(MOST_STREAMS as u8),
                ..Self::default()
            };
            self.identity.id = uid.map(|u| format!("{:016x}", u.get()));
        }
        if self.identity.id.is_some() {
            said.push(Said::Identity(self.identity.clone()));
        }
    }

    /// The page of capabilities to ask for; `None` once all are known.
    pub(super) fn next_page(&self) -> Option<u8> {
        self.next_page
    }

    /// A page came. Pages ask for each other, so a page that came twice does no harm.
    pub(super) fn take_page(&mut self, page: &CapsPage<'_>, said: &mut Vec<Said>) {
        for tlv in page.tlvs() {
            self.checklist.note(&tlv);
            let text = |t: &str| Some(t.trim_end_matches(['\0', ' ']).to_owned()).filter(|t| !t.is_empty());
            match tlv {
                Tlv::Vendor(t) => self.identity.maker = text(t),
                Tlv::Product(t) => self.identity.model = text(t),
                Tlv::Firmware(t) => self.identity.firmware = text(t),
                Tlv::Hardware(t) => self.identity.hardware = text(t),
                Tlv::Limits(limits) => self.limits = limits,
                Tlv::Features(features) => self.features = features,
                Tlv::Stream(caps) => {
                    let kind = caps.kind();
                    let ranges = caps.acc_ranges_g.iter().collect();
                    let can = self.stream(caps.stream.as_usize());
                    (can.kind, can.acc_ranges_g) = (kind, ranges);
                }
                Tlv::Ring(ring) => self.stream(ring.stream.as_usize()).ring = Some(ring),
                _ => {}
            }
        }
        let last = page.page() + 1 >= page.n_pages();
        self.next_page = (!last).then_some(page.page() + 1);
        if last {
            if let Some(missing) = self.checklist.missing(self.n_streams) {
                said.push(Said::Note(Note::CommandFailed {
                    what: "asking what the sensor can do",
                    answer: format!("it leaves out what every sensor must tell: {missing:?}"),
                }));
            }
            said.push(Said::Identity(self.identity.clone()));
        }
    }

    fn stream(&mut self, number: usize) -> &mut StreamCan {
        if self.streams.len() <= number {
            // A stream number is below eight by its type.
            self.streams.resize(number + 1, StreamCan::default());
        }
        &mut self.streams[number]
    }

    /// Where the piece of calibration to ask for begins; `None` if there is none or it is read.
    pub(super) fn next_calibration(&self) -> Option<u16> {
        let wanted = self.features.has(Features::CALIB_READ) && !self.calibration_read;
        wanted.then(|| u16::try_from(self.calibration.len()).ok()).flatten()
    }

    /// A piece of the calibration came: says the whole when it is complete.
    pub(super) fn take_calibration(&mut self, piece: &CalibPiece<'_>, said: &mut Vec<Said>) {
        if usize::from(piece.offset) != self.calibration.len() || self.calibration_read {
            return;
        }
        self.calibration.extend_from_slice(piece.bytes);
        let total = usize::from(piece.total);
        if self.calibration.len() < total && total <= LONGEST_CALIBRATION && !piece.bytes.is_empty() {
            return;
        }
        self.calibration_read = true;
        if self.calibration.len() != total || crc::crc32(&self.calibration) != piece.crc32 {
            said.push(Said::Refused { rule: "crc" });
            return;
        }
        match Calibration::decode(&self.calibration) {
            Ok(calibration) => said.push(Said::Calibration(calibration)),
            Err(refusal) => said.push(Said::Refused { rule: refusal.rule() }),
        }
    }

    /// The pod has no calibration, or would not give it.
    pub(super) fn no_calibration(&mut self) {
        self.calibration_read = true;
    }
}
