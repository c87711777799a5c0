//! Files as watches write them, made here: a FIT encoder that shares nothing with the reader, and GPX and TCX as text.

/// One second of a run, or however far apart they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Seconds since the start.
    pub(super) s: u32,
    /// Metres north of the start.
    pub(super) north_m: f64,
    /// Height, m.
    pub(super) height_m: f64,
    /// Beats a minute.
    pub(super) heart: u8,
    /// Strides of one leg a minute.
    pub(super) strides: u8,
}

/// 2026-11-01T06:30:00Z, seconds since 1970.
pub(super) const START: i64 = 1_793_514_600;
/// Metres of a degree of latitude on the sphere of mean radius.
pub(super) const METRES_A_DEGREE: f64 = 6_371_008.8 * std::f64::consts::PI / 180.0;
const FIT_EPOCH: i64 = 631_065_600;

/// A steady run: this speed, for this long, at this grade.
pub(super) fn steady(seconds: u32, speed_m_s: f64, grade: f64) -> Vec<Moment> {
    (0..=seconds)
        .map(|s| Moment {
            s,
            north_m: f64::from(s) * speed_m_s,
            height_m: 200.0 + f64::from(s) * speed_m_s * grade,
            heart: 150,
            strides: 86,
        })
        .collect()
}

/// Bytes of a FIT file, message by message.
pub(super) struct Fit {
    body: Vec<u8>,
}

impl Fit {
    pub(super) fn new() -> Self {
        let mut fit = Self { body: Vec::new() };
        // file_id: type (enum) = activity.
        fit.define(0, 0, &[(0, 1, 0x00)]);
        fit.data(0, &[4]);
        fit
    }

    /// Definition of local kind `local` as global message `global`: number, size and base type of each field.
    pub(super) fn define(&mut self, local: u8, global: u16, fields: &[(u8, u8, u8)]) {
        self.body.extend([0x40 | local, 0, 0]);
        self.body.extend(global.to_le_bytes());
        self.body.push(fields.len() as u8);
        for (number, size, base) in fields {
            self.body.extend([*number, *size, *base]);
        }
    }

    pub(super) fn data(&mut self, local: u8, bytes: &[u8]) {
        self.body.push(local);
        self.body.extend(bytes);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.body.extend(bytes);
    }

    /// record: timestamp, latitude, distance, enhanced height, heart rate, cadence.
    pub(super) fn records(&mut self, moments: &[Moment], with_distance: Option<()>) {
        let fields = [
            (253, 4, 0x86),
            (0, 4, 0x85),
            (1, 4, 0x85),
            (5, 4, 0x86),
            (78, 4, 0x86),
            (3, 1, 0x02),
            (4, 1, 0x02),
        ];
        self.define(1, 20, &fields);
        for m in moments {
            let mut bytes = stamp(START + i64::from(m.s)).to_vec();
            bytes.extend(semicircles(48.0 + m.north_m / METRES_A_DEGREE).to_le_bytes());
            bytes.extend(semicircles(11.0).to_le_bytes());
            let distance = with_distance.map_or(u32::MAX, |()| (m.north_m * 100.0).round() as u32);
            bytes.extend(distance.to_le_bytes());
            bytes.extend((((m.height_m + 500.0) * 5.0).round() as u32).to_le_bytes());
            bytes.extend([m.heart, m.strides]);
            self.data(1, &bytes);
        }
    }

    /// session: timestamp, start, sport, elapsed, timer, distance, mean heart rate and cadence, ascent.
    pub(super) fn session(&mut self, sport: u8, from_s: i64, elapsed_s: u32, timer_s: u32, metres: u32) {
        let fields = [
            (253, 4, 0x86),
            (2, 4, 0x86),
            (5, 1, 0x00),
            (7, 4, 0x86),
            (8, 4, 0x86),
            (9, 4, 0x86),
            (16, 1, 0x02),
            (18, 1, 0x02),
            (22, 2, 0x84),
        ];
        self.define(2, 18, &fields);
        let mut bytes = stamp(START + from_s + i64::from(elapsed_s)).to_vec();
        bytes.extend(stamp(START + from_s));
        bytes.push(sport);
        bytes.extend((elapsed_s * 1000).to_le_bytes());
        bytes.extend((timer_s * 1000).to_le_bytes());
        bytes.extend((metres * 100).to_le_bytes());
        bytes.extend([148, 87]);
        bytes.extend(35_u16.to_le_bytes());
        self.data(2, &bytes);
    }

    /// activity: timestamp and local time stamp.
    pub(super) fn local_time(&mut self, offset_s: i64) {
        self.define(3, 34, &[(253, 4, 0x86), (5, 4, 0x86)]);
        let mut bytes = stamp(START + 3600).to_vec();
        bytes.extend(stamp(START + 3600 + offset_s));
        self.data(3, &bytes);
    }

    /// event: the timer stops (4) or starts (0).
    pub(super) fn timer(&mut self, at_s: i64, kind: u8) {
        self.define(4, 21, &[(253, 4, 0x86), (0, 1, 0x00), (1, 1, 0x00)]);
        let mut bytes = stamp(START + at_s).to_vec();
        bytes.extend([0, kind]);
        self.data(4, &bytes);
    }

    /// The whole file: header with its own checksum, messages, checksum.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut file = vec![14, 0x20, 0x54, 0x08];
        file.extend((self.body.len() as u32).to_le_bytes());
        file.extend(b".FIT");
        file.extend(checksum(&file).to_le_bytes());
        file.extend(&self.body);
        file.extend(checksum(&file).to_le_bytes());
        file
    }
}

fn stamp(unix_s: i64) -> [u8; 4] {
    ((unix_s - FIT_EPOCH) as u32).to_le_bytes()
}

fn semicircles(degrees: f64) -> i32 {
    (degrees * 2_147_483_648.0 / 180.0).round() as i32
}

/// The checksum by the table of sixteen that the protocol's description gives, a nibble at a time.
pub(super) fn checksum(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 16] = [
        0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401, 0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01,
        0x8801, 0x4400,
    ];
    bytes.iter().fold(0, |crc: u16, byte| {
        let low = (crc >> 4) ^ TABLE[usize::from(crc & 15)] ^ TABLE[usize::from(byte & 15)];
        (low >> 4) ^ TABLE[usize::from(low & 15)] ^ TABLE[usize::from(byte >> 4)]
    })
}

/// `2026-11-01T06:30:00Z` and later.
fn iso(s: u32) -> String {
    format!(
        "2026-11-01T{:02}:{:02}:{:02}Z",
        6 + (1800 + s) / 3600,
        (1800 + s) / 60 % 60,
        (1800 + s) % 60
    )
}

/// A GPX track with the extension of heart rate and cadence; `kind` goes into `<type>`.
pub(super) fn gpx(kind: &str, segments: &[&[Moment]]) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" xmlns=\"http://www.topografix.com/GPX/1/1\" \
         xmlns:gpxtpx=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v1\">\n<wpt lat=\"1\" lon=\"1\"/>\n<trk><name>A &amp; B</name>",
    );
    if !kind.is_empty() {
        text += &format!("<type>{kind}</type>");
    }
    for segment in segments {
        text += "<trkseg>";
        for m in *segment {
            text += &format!(
                "<trkpt lat=\"{:.8}\" lon=\"11.0\"><ele>{:.2}</ele><time>{}</time><extensions><gpxtpx:TrackPointExtension>\
                 <gpxtpx:hr>{}</gpxtpx:hr><gpxtpx:cad>{}</gpxtpx:cad></gpxtpx:TrackPointExtension></extensions></trkpt>\n",
                48.0 + m.north_m / METRES_A_DEGREE,
                m.height_m,
                iso(m.s),
                m.heart,
                m.strides
            );
        }
        text += "</trkseg>";
    }
    text + "</trk></gpx>\n"
}

/// A TCX activity of one lap.
pub(super) fn tcx(sport: &str, timer_s: u32, metres: f64, moments: &[Moment]) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\"?>\n<TrainingCenterDatabase xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\">\
         <Activities><Activity Sport=\"{sport}\"><Id>{}</Id><Lap StartTime=\"{}\"><TotalTimeSeconds>{timer_s}.0</TotalTimeSeconds>\
         <DistanceMeters>{metres}</DistanceMeters><AverageHeartRateBpm><Value>147</Value></AverageHeartRateBpm><Track>",
        iso(0),
        iso(0)
    );
    for m in moments {
        text += &format!(
            "<Trackpoint><Time>{}</Time><AltitudeMeters>{:.2}</AltitudeMeters><DistanceMeters>{:.2}</DistanceMeters>\
             <HeartRateBpm><Value>{}</Value></HeartRateBpm><Extensions><ns3:TPX xmlns:ns3=\"x\"><ns3:RunCadence>{}</ns3:RunCadence>\
             </ns3:TPX></Extensions></Trackpoint>\n",
            iso(m.s),
            m.height_m,
            m.north_m,
            m.heart,
            m.strides
        );
    }
    text + "</Track></Lap></Activity></Activities></TrainingCenterDatabase>"
}
