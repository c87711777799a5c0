//! How soon things are told, in session time: landings for cues, strides for the record.
//!
//! Session time, not wall time: it counts what the method needs to see, whatever the machine.

use crate::support;
use lope::interchange::Recording;
use lope::model::{Placement, SensorEvent, SessionTime};
use lope::pipeline::{Output, Pipeline, PipelineConfig};

/// Strides of the first half minute wait for the mounting of pelvis and shanks.
const MOUNTED_S: f64 = 22.0;

struct Heard {
    /// Landing, told, by placement.
    landings: Vec<(Placement, SessionTime, SessionTime)>,
    contacts: Vec<(Placement, SessionTime)>,
    /// Delay of each record after its end, s, and its duration.
    records: Vec<(f64, f64)>,
}

fn listen(trial: &str) -> Option<Heard> {
    let folder = support::shared("data")?.join(trial);
    let recording = Recording::open(&folder, None).expect("recording opens");
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: recording.configs(),
        ..PipelineConfig::default()
    });
    let mut stream = recording.stream().expect("streams");
    let mut out = Vec::new();
    let mut heard = Heard {
        landings: Vec::new(),
        contacts: Vec::new(),
        records: Vec::new(),
    };
    while let Some(event) = stream.next_event().expect("reads") {
        pipeline.push(&event, &mut out);
        let SensorEvent::Sample(_, sample) = event else {
            continue;
        };
        for output in out.drain(..) {
            match output {
                Output::ProvisionalContact { placement, ic, told_at } => heard.landings.push((placement, ic, told_at)),
                Output::Contact { placement, contact } => heard.contacts.push((placement, contact.ic)),
                Output::Stride(r) if r.stride.start.secs() > MOUNTED_S => {
                    heard.records.push((sample.t.since(r.stride.end), r.stride.secs()));
                }
                _ => {}
            }
        }
    }
    Some(heard)
}

#[test]
fn a_landing_is_told_within_130_ms_and_is_where_the_contact_will_be() {
    for trial in ["rbds/rbds002_t25_pod", "rbds/rbds008_t35_pod", "rbds/rbds002_t45_pod"] {
        let Some(heard) = listen(trial) else { return };
        let late = heard.contacts.iter().filter(|(_, ic)| ic.secs() > 14.0);
        let (mut told, mut all, mut delays) = (0, 0, Vec::new());
        for (place, ic) in late {
            all += 1;
            let near = heard
                .landings
                .iter()
                .find(|(p, at, _)| p == place && at.since(*ic).abs() < 0.03);
            if let Some((_, _, told_at)) = near {
                told += 1;
                delays.push(told_at.since(*ic));
            }
        }
        delays.sort_unstable_by(f64::total_cmp);
        assert!(told * 100 >= all * 90, "{trial}: {told} of {all} landings told");
        let (median, worst) = (delays[delays.len() / 2], delays[delays.len() * 98 / 100]);
        assert!(
            median < 0.06 && worst < 0.13,
            "{trial}: median {median:.3} s, 98 % {worst:.3} s"
        );
    }
}

#[test]
fn a_record_is_out_within_eight_tenths_of_a_stride_and_a_quarter_second() {
    for trial in ["rbds/rbds002_t25_pod", "rbds/rbds008_t35_pod", "rbds/rbds002_t45_pod"] {
        let Some(heard) = listen(trial) else { return };
        assert!(heard.records.len() > 20, "{trial}: {} records", heard.records.len());
        for (delay, stride) in &heard.records {
            assert!(
                *delay <= 0.8 * stride + 0.25,
                "{trial}: {delay:.3} s after its end for a stride of {stride:.3} s"
            );
        }
    }
}
