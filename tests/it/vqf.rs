//! The attitude filter against the published reference implementation: on closed-form signals by stored fixtures, on real
//! recordings by running the reference beside it.

use crate::support;
use lope::interchange::Recording;
use lope::model::{Sensor, Vec3};
use lope::orientation::vqf::{Vqf, VqfParams};

/// The signals of `tests/fixtures/vqf/make.py`.
fn signal(k: usize, rate: f64, clip: Option<f64>) -> (Vec3<Sensor>, Vec3<Sensor>) {
    let t = k as f64 / rate;
    let moving = if (t > 4.0 && t < 25.0) || t > 31.0 { 1.0 } else { 0.0 };
    let gyro = [
        3.0 * (5.1 * t).sin(),
        8.0 * (8.3 * t + 0.4).sin(),
        2.0 * (3.7 * t).cos(),
    ]
    .map(|x| x * moving);
    let acc = [4.0 * (1.3 * t).sin(), 9.0 * (7.0 * t).sin(), 3.0 * (2.1 * t).cos()].map(|x| x * moving);
    let limit = clip.unwrap_or(f64::INFINITY);
    let acc = [acc[0] + 1.0, acc[1] + 2.0, acc[2] + 9.4].map(|x| x.clamp(-limit, limit));
    (
        Vec3::new(gyro[0] + 0.01, gyro[1] - 0.008, gyro[2] + 0.004),
        Vec3::new(acc[0], acc[1], acc[2]),
    )
}

fn check_fixture(name: &str, rate: f64, params: VqfParams, clip: Option<f64>) {
    let path = support::project_root()
        .join("tests/fixtures/vqf")
        .join(format!("{name}.csv"));
    let text = std::fs::read_to_string(&path).expect("fixture is in the repository");
    let mut filter = Vqf::new(params, rate);
    let mut fed = 0;
    let mut compared = 0;
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |i: usize| cells[i].parse::<f64>().expect("a number");
        if cells[0] == "bias" {
            while fed < (40.0 * rate) as usize {
                let (gyro, acc) = signal(fed, rate, clip);
                filter.update(gyro, acc);
                fed += 1;
            }
            for i in 0..3 {
                assert!(
                    (filter.bias().v[i] - number(i + 1)).abs() <= 1e-9,
                    "{name}: bias axis {i}"
                );
            }
            continue;
        }
        let index = cells[0].parse::<usize>().expect("an index");
        while fed <= index {
            let (gyro, acc) = signal(fed, rate, clip);
            filter.update(gyro, acc);
            fed += 1;
        }
        let q = filter.level_from_sensor().q;
        let ours = [q.w, q.i, q.j, q.k];
        let same = (0..4).map(|i| ours[i] * number(i + 1)).sum::<f64>().signum();
        for (i, component) in ours.iter().enumerate() {
            assert!(
                (same * component - number(i + 1)).abs() <= 1e-6,
                "{name}: sample {index}, component {i}"
            );
        }
        compared += 1;
    }
    assert!(compared > 70, "{name}: only {compared} compared");
}

#[test]
fn equals_the_reference_on_closed_form_signals() {
    let full = VqfParams::default();
    check_fixture("full_100", 100.0, full, None);
    check_fixture("full_200", 200.0, full, None);
    check_fixture("full_800", 800.0, full, None);
    check_fixture(
        "nobias_200",
        200.0,
        VqfParams {
            motion_bias: false,
            rest_bias: false,
            ..full
        },
        None,
    );
    check_fixture(
        "restonly_200",
        200.0,
        VqfParams {
            motion_bias: false,
            ..full
        },
        None,
    );
    check_fixture("clipped_200", 200.0, full, Some(11.0));
}

#[test]
fn equals_the_reference_on_real_recordings() {
    let Some(data) = support::shared("data/broad") else {
        return;
    };
    let Some(python) = support::python() else { return };
    if !support::python_has(&python, "vqf") {
        support::skip("the Python package vqf is not installed");
        return;
    }
    let mut trials: Vec<_> = std::fs::read_dir(data)
        .expect("listed")
        .flatten()
        .map(|e| e.path())
        .collect();
    trials.sort();
    for trial in trials {
        let recording = Recording::open(&trial, None).expect("recording opens");
        let sensor = &recording.sensors[0];
        let script = "import sys, numpy as np\nfrom vqf import VQF\n\
            a = np.genfromtxt(sys.argv[1], delimiter=',', skip_header=1)\n\
            q = VQF(1 / float(sys.argv[2])).updateBatch(np.ascontiguousarray(a[:, 4:7]), np.ascontiguousarray(a[:, 1:4]))['quat6D']\n\
            np.savetxt(sys.stdout, q, fmt='%.12f')";
        let output = std::process::Command::new(&python)
            .args(["-c", script])
            .arg(&sensor.path)
            .arg(format!("{}", sensor.rate_hz))
            .output()
            .expect("python runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut filter = Vqf::new(VqfParams::default(), sensor.rate_hz);
        let mut rows = recording.rows(sensor).expect("opens");
        let text = String::from_utf8(output.stdout).expect("text");
        let mut worst = 0.0_f64;
        for line in text.lines() {
            let row = rows
                .next_row()
                .expect("reads")
                .expect("as many rows as the reference saw");
            filter.update(Vec3::new(row[4], row[5], row[6]), Vec3::new(row[1], row[2], row[3]));
            let q = filter.level_from_sensor().q;
            let reference: Vec<f64> = line.split(' ').map(|c| c.parse().expect("a number")).collect();
            let dot = q.w * reference[0] + q.i * reference[1] + q.j * reference[2] + q.k * reference[3];
            // Angle between the two attitudes, from the sine of its half for small angles.
            let diff = (0..4)
                .map(|i| ([q.w, q.i, q.j, q.k][i] * dot.signum() - reference[i]).powi(2))
                .sum::<f64>()
                .sqrt();
            worst = worst.max(2.0 * diff);
        }
        assert!(worst < 1e-6, "{}: {worst} rad from the reference", trial.display());
    }
}
