//! The reference page of metrics, made from the registry so that it cannot disagree with the code.

use super::registry::METRICS;
use std::fmt::Write;

/// `docs/reference/metrics.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(HEAD);
    for m in METRICS {
        // Writing to a String does not fail.
        let _ = writeln!(
            page,
            "| [{}](#{}) | `{}` | {} | {} | {} |",
            m.label,
            anchor(m.label),
            m.name,
            m.unit,
            m.shown_unit,
            m.span
        );
    }
    for m in METRICS {
        let _ = write!(
            page,
            "\n## {}\n\n`{}` · kept in {} · shown in {}\n\n{} {}\n\n- interval: {}\n- sign: {}\n- source: {}\n",
            m.label, m.name, m.unit, m.shown_unit, m.is, m.is_not, m.span, m.sign, m.source
        );
    }
    page
}

const HEAD: &str = "# Metrics\n\nMade from the registry (`src/metrics/registry.rs`) by `LOPE_BLESS=1 cargo test --test it reference`; not edited by hand.\n\
    Tables and the store keep the unit *kept*; people see the unit *shown*. How they are computed: [signal chain](../signal-chain.md).\n\
    Left–right differences, changes against a baseline and changes within a run are made of 25-stride medians of these.\n\n\
    | metric | name | kept in | shown in | interval |\n|---|---|---|---|---|\n";

/// The anchor that code hosts make of a heading: small letters, spaces to hyphens, other signs dropped.
fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-')
        .map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_has_a_row_and_a_section_of_its_own() {
        let page = markdown();
        assert_eq!(page.matches("\n## ").count(), METRICS.len());
        for m in METRICS {
            assert!(
                page.contains(&format!("\n## {}\n\n`{}`", m.label, m.name)),
                "{}",
                m.name
            );
            assert_eq!(
                page.matches(&format!("(#{})", anchor(m.label))).count(),
                1,
                "{}",
                m.label
            );
        }
        assert_eq!(anchor("Step regularity (fore-aft)"), "step-regularity-fore-aft");
    }
}
