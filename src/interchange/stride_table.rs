//! The stride table: one row per stride of one foot, with the columns other programs score and plot.

use crate::metrics::{MetricId, StrideRecord};
use crate::model::Side;
use std::io::{self, Write};

/// The columns, in order.
pub const COLUMNS: &str = "side,start_s,end_s,ic_s,tc_s,length_m,speed_mps,cadence_spm,contact_ms,flight_ms,\
foot_strike_deg,shank_angle_deg,overstride_m,pelvic_tilt_deg,pelvic_tilt_rom_deg,pelvic_drop_deg,\
pelvic_rotation_rom_deg,vertical_osc_m,quality";

/// Writes the table. `single_side` names the side to write where the strides do not know theirs (a single pod). An empty
/// cell means: not measurable.
///
/// # Errors
/// What the writer says.
pub fn write(out: &mut impl Write, records: &[StrideRecord], single_side: Option<Side>) -> io::Result<()> {
    header(out)?;
    for record in records {
        row(out, record, single_side)?;
    }
    out.flush()
}

/// Writes the line of column names.
///
/// # Errors
/// What the writer says.
pub fn header(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{COLUMNS}")
}

/// Writes one stride; `single_side` as in [`write()`].
///
/// # Errors
/// What the writer says.
pub fn row(out: &mut impl Write, record: &StrideRecord, single_side: Option<Side>) -> io::Result<()> {
    let stride = &record.stride;
    let side = stride.side.or(single_side).map_or("", Side::name);
    write!(out, "{side},{:.6},{:.6}", stride.start.secs(), stride.end.secs())?;
    let cell = |out: &mut dyn Write, value: Option<f64>| match value {
        Some(v) => write!(out, ",{v:.6}"),
        None => write!(out, ","),
    };
    let shown = |id: MetricId| record.metrics.value(id).map(|v| v * id.def().shown_factor);
    let contact = stride
        .contact
        .filter(|_| record.metrics.value(MetricId::ContactTime).is_some());
    cell(out, contact.map(|c| c.ic.secs()))?;
    cell(out, contact.map(|c| c.tc.secs()))?;
    cell(out, record.metrics.value(MetricId::StrideLength))?;
    cell(out, record.metrics.value(MetricId::Speed))?;
    // The table's cadence belongs to its own interval, start to end.
    cell(out, (stride.secs() > 0.0).then(|| 120.0 / stride.secs()))?;
    for id in [
        MetricId::ContactTime,
        MetricId::FlightTime,
        MetricId::FootStrikeAngle,
        MetricId::ShankAngleIc,
    ] {
        cell(out, shown(id))?;
    }
    cell(out, record.metrics.value(MetricId::OverstrideDistance))?;
    for id in [
        MetricId::PelvisTilt,
        MetricId::PelvisTiltRange,
        MetricId::PelvisObliquityRange,
        MetricId::PelvisRotationRange,
    ] {
        cell(out, shown(id))?;
    }
    cell(out, record.metrics.value(MetricId::PelvisOscillation))?;
    cell(out, Some(stride.quality.product()))?;
    writeln!(out)
}
