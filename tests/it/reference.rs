//! Pages that are made from the registry, and the example of the README: both must be what the code says.
//!
//! `LOPE_BLESS=1 cargo test --test it reference` rewrites the page.

use crate::support::project_root;

#[test]
fn the_metrics_page_is_the_registry() {
    let path = project_root().join("docs/reference/metrics.md");
    let page = lope::metrics::reference::markdown();
    if std::env::var_os("LOPE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("docs/reference");
        std::fs::write(&path, &page).expect("written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/metrics.md is not what the registry says: LOPE_BLESS=1 cargo test --test it reference"
    );
}

/// The example of the README, compiled here, letter for letter.
mod readme {
    // example:begin
    use lope::metrics::MetricId;
    use lope::model::{Placement, SensorConfig, SensorEvent};
    use lope::pipeline::{Output, Pipeline, PipelineConfig};

    /// Stride lengths of one pod on the left shoe, in metres.
    fn stride_lengths(events: &[SensorEvent]) -> Vec<f64> {
        let pod = SensorConfig {
            placement: Placement::LeftFoot,
            rate_hz: 200.0,
            acc_range: Some(16.0 * 9.80665),
            gyro_range: Some(2000.0_f64.to_radians()),
            side_known: true,
        };
        let mut pipeline = Pipeline::new(PipelineConfig {
            sensors: vec![pod],
            ..PipelineConfig::default()
        });
        let mut outputs = Vec::new();
        for event in events {
            pipeline.push(event, &mut outputs);
        }
        pipeline.flush(&mut outputs);
        outputs
            .iter()
            .filter_map(|output| match output {
                Output::Stride(record) => record.metrics.value(MetricId::StrideLength),
                _ => None,
            })
            .collect()
    }
    // example:end

    #[test]
    fn the_example_of_the_readme_compiles_and_gives_nothing_for_nothing() {
        assert!(stride_lengths(&[]).is_empty());
        let own = include_str!("reference.rs");
        let body = own
            .split("// example:begin\n")
            .nth(1)
            .and_then(|s| s.split("    // example:end").next())
            .expect("markers");
        let example: String = body
            .lines()
            .map(|l| l.strip_prefix("    ").unwrap_or(l).to_owned() + "\n")
            .collect();
        let readme = std::fs::read_to_string(super::project_root().join("README.md")).expect("README.md");
        assert!(
            readme.contains(&format!("```rust\n{example}```")),
            "the example of README.md must read:\n{example}"
        );
    }
}
