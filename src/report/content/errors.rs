//! How far the numbers are off, as measured against the synthetic runner: read from the page that the tests make, so that a
//! report and the page cannot disagree.

use crate::metrics::MetricId as Id;

const PAGE: &str = include_str!("../../../docs/reference/accuracy-synthetic.md");

/// Error of a metric in one case of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The case (`run 3.3 m/s`).
    pub case: String,
    /// As it stands there, with its unit.
    pub text: String,
}

/// The column in which the error of a metric stands, and its unit.
fn column(metric: Id) -> Option<(&'static str, &'static str)> {
    Some(match metric {
        Id::Cadence => ("cadence", "steps/min"),
        Id::ContactTime => ("contact ms", "ms"),
        Id::FlightTime => ("flight ms", "ms"),
        Id::StrideLength => ("length %", "%"),
        Id::Speed => ("speed m/s", "m/s"),
        Id::FootStrikeAngle => ("strike °", "°"),
        Id::ShankAngleIc => ("shank °", "°"),
        Id::OverstrideDistance => ("over cm", "cm"),
        Id::PelvisTilt => ("tilt °", "°"),
        Id::PelvisDrop => ("obliq. °", "°"),
        Id::PelvisOscillation => ("osc. mm", "mm"),
        Id::VerticalStiffness => ("k_vert %", "%"),
        _ => return None,
    })
}

fn cells(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(str::trim).collect()
}

/// The error of a metric in the case whose speed is nearest; `None` where it was not compared with a truth.
#[must_use]
pub fn error_of(metric: Id, speed_ms: f64) -> Option<Figure> {
    let (name, unit) = column(metric)?;
    let heads = PAGE.lines().find(|l| l.starts_with("| case |")).map(cells)?;
    let at = heads.iter().position(|h| *h == name)?;
    let speed = |case: &str| -> Option<f64> { case.strip_prefix("run ")?.strip_suffix(" m/s")?.parse().ok() };
    let runs = PAGE.lines().filter(|l| l.starts_with("| run ")).map(cells);
    let (_, row) = runs
        .filter_map(|row| Some(((speed(row.first()?)? - speed_ms).abs(), row)))
        .min_by(|a, b| a.0.total_cmp(&b.0))?;
    let text = *row.get(at)?;
    (text != "–").then(|| Figure {
        case: row[0].to_owned(),
        text: format!("{} {unit}", text.replace('-', "\u{2212}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_named_column_is_on_the_page() {
        let mut found = 0;
        for m in crate::metrics::METRICS {
            if column(m.id).is_some() {
                let figure = error_of(m.id, 3.3).unwrap_or_else(|| panic!("{} has no figure", m.name));
                assert_eq!(figure.case, "run 3.3 m/s");
                assert!(figure.text.chars().any(|c| c.is_ascii_digit()), "{figure:?}");
                found += 1;
            }
        }
        assert_eq!(found, 12);
        assert_eq!(
            error_of(Id::Cadence, 2.3).map(|f| f.case).as_deref(),
            Some("run 2.2 m/s")
        );
        assert_eq!(error_of(Id::SacralPeakAcc, 3.0), None);
    }
}
