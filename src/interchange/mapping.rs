//! How to read somebody else's CSV: which column is what, in which unit.
//!
//! A mapping is a small TOML file. Everything in it is optional; what is not said is as in lope's own format.
//!
//! ```toml
//! delimiter = ";"            # "," by default; "tab" for a tab
//! decimal_comma = true       # 1,25 instead of 1.25
//! header = false             # columns are then numbers, from 1
//! skip_lines = 3             # before the header
//! rate_hz = 104.0            # nominal rate, where the file does not tell
//! time = "Timestamp (ms)"    # column name, or number from 1
//! time_unit = "ms"           # s, ms, us, ns, or ticks at a rate: "32768 Hz"
//! acc = ["ax", "ay", "az"]
//! acc_unit = "g"             # m/s2, g, mg
//! gyro = ["gx", "gy", "gz"]
//! gyro_unit = "deg/s"        # rad/s, deg/s, mdeg/s
//! flip = ["acc_y", "gyr_y"]  # negate these axes (a left-handed logger)
//! acc_range_g = 16           # full scales, where known
//! gyro_range_dps = 2000
//! placement = "right_foot"   # where the file does not tell
//! ```

use crate::model::units::{RAD_PER_DEG, STANDARD_GRAVITY};
use serde::Deserialize;

/// A column by name or by number from 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// By number, from 1.
    Number(usize),
    /// By name in the header.
    Name(String),
}

impl Column {
    /// As a person reads it.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Number(n) => format!("column {n}"),
            Self::Name(name) => name.clone(),
        }
    }
}

/// The mapping file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// One character, or `tab`.
    pub delimiter: String,
    /// Numbers are written 1,25.
    pub decimal_comma: bool,
    /// The first line (after `skip_lines`) names the columns.
    pub header: bool,
    /// Lines before that.
    pub skip_lines: u64,
    /// Nominal rate, Hz.
    pub rate_hz: Option<f64>,
    /// Time column.
    pub time: Column,
    /// Its unit.
    pub time_unit: String,
    /// Accelerometer columns.
    pub acc: [Column; 3],
    /// Their unit.
    pub acc_unit: String,
    /// Gyroscope columns.
    pub gyro: [Column; 3],
    /// Their unit.
    pub gyro_unit: String,
    /// Axes to negate: `acc_x` … `gyr_z`.
    pub flip: Vec<String>,
    /// Accelerometer full scale, g.
    pub acc_range_g: Option<f64>,
    /// Gyroscope full scale, °/s.
    pub gyro_range_dps: Option<f64>,
    /// Where the sensor was worn, for a single file.
    pub placement: Option<String>,
}

impl Default for Mapping {
    fn default() -> Self {
        let name = |s: &str| Column::Name(s.to_owned());
        Self {
            delimiter: ",".to_owned(),
            decimal_comma: false,
            header: true,
            skip_lines: 0,
            rate_hz: None,
            time: name("time_s"),
            time_unit: "s".to_owned(),
            acc: [name("acc_x"), name("acc_y"), name("acc_z")],
            acc_unit: "m/s2".to_owned(),
            gyro: [name("gyr_x"), name("gyr_y"), name("gyr_z")],
            gyro_unit: "rad/s".to_owned(),
            flip: Vec::new(),
            acc_range_g: None,
            gyro_range_dps: None,
            placement: None,
        }
    }
}

/// Factors by which raw columns become seconds, m/s² and rad/s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors {
    /// Time, accelerometer x y z, gyroscope x y z.
    pub columns: [f64; 7],
}

impl Mapping {
    /// Parses a mapping file's text.
    ///
    /// # Errors
    /// All that is wrong, in one message: unknown keys with their line, unknown units, axes and placements.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mapping: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        mapping.factors()?;
        mapping.delimiter_byte()?;
        for (key, value) in [
            ("rate_hz", mapping.rate_hz),
            ("acc_range_g", mapping.acc_range_g),
            ("gyro_range_dps", mapping.gyro_range_dps),
        ] {
            if let Some(value) = value.filter(|v| !(v.is_finite() && *v > 0.0)) {
                return Err(format!("{key} = {value} must be a number above 0"));
            }
        }
        if let Some(place) = &mapping.placement
            && crate::model::Placement::from_name(place).is_none()
        {
            return Err(format!(
                "placement `{place}` is unknown; expected left_foot, right_foot, left_shank, right_shank or sacrum"
            ));
        }
        Ok(mapping)
    }

    /// The factors of units and flips.
    ///
    /// # Errors
    /// A unit or axis lope does not know, with what it knows.
    pub fn factors(&self) -> Result<Factors, String> {
        let time = match self.time_unit.as_str() {
            "s" => 1.0,
            "ms" => 1e-3,
            "us" => 1e-6,
            "ns" => 1e-9,
            other => other
                .strip_suffix("Hz")
                .and_then(|hz| hz.trim().parse::<f64>().ok())
                .filter(|hz| *hz > 0.0)
                .map(|hz| 1.0 / hz)
                .ok_or_else(|| {
                    format!("time_unit `{other}` is unknown; expected s, ms, us, ns or ticks as \"32768 Hz\"")
                })?,
        };
        let acc = match self.acc_unit.as_str() {
            "m/s2" | "m/s²" => 1.0,
            "g" => STANDARD_GRAVITY,
            "mg" => STANDARD_GRAVITY * 1e-3,
            other => return Err(format!("acc_unit `{other}` is unknown; expected m/s2, g or mg")),
        };
        let gyro = match self.gyro_unit.as_str() {
            "rad/s" => 1.0,
            "deg/s" | "dps" => RAD_PER_DEG,
            "mdeg/s" | "mdps" => RAD_PER_DEG * 1e-3,
            other => {
                return Err(format!(
                    "gyro_unit `{other}` is unknown; expected rad/s, deg/s or mdeg/s"
                ));
            }
        };
        let mut columns = [time, acc, acc, acc, gyro, gyro, gyro];
        for axis in &self.flip {
            let at = ["acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z"]
                .iter()
                .position(|a| a == axis)
                .ok_or_else(|| format!("flip `{axis}` is unknown; expected acc_x … acc_z, gyr_x … gyr_z"))?;
            columns[at + 1] = -columns[at + 1];
        }
        Ok(Factors { columns })
    }

    /// The delimiter as a byte.
    ///
    /// # Errors
    /// Anything but one ASCII character or `tab`.
    pub fn delimiter_byte(&self) -> Result<u8, String> {
        match self.delimiter.as_bytes() {
            b"tab" => Ok(b'\t'),
            [one] => Ok(*one),
            _ => Err(format!(
                "delimiter `{}` must be one character or \"tab\"",
                self.delimiter
            )),
        }
    }

    /// The seven columns in order: time, accelerometer, gyroscope.
    #[must_use]
    pub fn columns(&self) -> [&Column; 7] {
        let [ax, ay, az] = &self.acc;
        let [gx, gy, gz] = &self.gyro;
        [&self.time, ax, ay, az, gx, gy, gz]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_flips_become_factors() {
        let m = Mapping::parse(
            "time_unit = \"ms\"\nacc_unit = \"g\"\ngyro_unit = \"deg/s\"\nflip = [\"acc_y\"]\ntime = 2\n",
        )
        .expect("valid");
        let f = m.factors().expect("known").columns;
        assert!((f[0] - 1e-3).abs() < 1e-15 && (f[2] + STANDARD_GRAVITY).abs() < 1e-12);
        assert!((f[6] - RAD_PER_DEG).abs() < 1e-15);
        assert_eq!(m.time, Column::Number(2));
    }

    #[test]
    fn what_is_unknown_is_said() {
        for (text, word) in [
            ("acc_unit = \"furlong\"", "furlong"),
            ("tyme = 1", "tyme"),
            ("flip = [\"up\"]", "up"),
            ("placement = \"hat\"", "hat"),
            ("delimiter = \"||\"", "||"),
            ("rate_hz = -3.0", "rate_hz = -3"),
            ("acc_range_g = nan", "acc_range_g"),
        ] {
            let error = Mapping::parse(text).expect_err(text);
            assert!(error.contains(word), "{error}");
        }
    }
}
