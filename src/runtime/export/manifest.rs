//! The list of an export's files with size and SHA-256: what was handed over, and whether it arrived whole.

use super::{Exported, Raw, io};
use crate::runtime::keep::VERSION;
use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Name of the manifest.
pub(crate) const FILE: &str = "MANIFEST.json";
/// What the name of every format begins with.
pub(crate) const FORMAT_NAME: &str = "lope-export/";
/// The format that is written. 1 had no rows that could be read back whole.
pub(crate) const FORMAT: u32 = 2;

/// A file of an export.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Listed {
    /// Inside the folder, with `/`.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// Rows in it, where it holds rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<u64>,
}

/// The manifest as it is read back.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Told {
    pub(crate) version: String,
    pub(crate) layout: u32,
    pub(crate) raw: Raw,
    pub(crate) totals: Exported,
    pub(crate) files: Vec<Listed>,
}

/// The files so far.
#[derive(Debug, Default)]
pub(super) struct Manifest(Vec<Listed>);

impl Manifest {
    /// Adds the file at `path` below `root`.
    pub(super) fn add(&mut self, root: &Path, path: &str, rows: Option<u64>) -> Result<(), StoreError> {
        let full = root.join(path);
        let (bytes, sha256) = sum(&full).map_err(|e| io(&full, &e))?;
        self.0.push(Listed {
            path: path.to_owned(),
            bytes,
            sha256,
            rows,
        });
        Ok(())
    }

    /// Number of files, and their bytes.
    pub(super) fn totals(&self) -> (u64, u64) {
        (self.0.len() as u64, self.0.iter().map(|f| f.bytes).sum())
    }

    /// Writes it.
    pub(super) fn write(&self, root: &Path, layout: u32, raw: Raw, done: &Exported) -> Result<(), StoreError> {
        let path = root.join(FILE);
        let all = serde_json::json!({
            "format": format!("{FORMAT_NAME}{FORMAT}"), "version": VERSION, "layout": layout, "raw": raw,
            "totals": done, "files": self.0,
        });
        std::fs::write(&path, format!("{all:#}\n")).map_err(|e| io(&path, &e))
    }
}

/// Bytes and SHA-256 of a file.
pub(crate) fn sum(path: &Path) -> std::io::Result<(u64, String)> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut file = File::open(path)?;
    let mut buffer = vec![0_u8; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((bytes, text(&hash.finalize()))),
            n => {
                hash.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}

/// A sum as text.
pub(crate) fn text(sum: &[u8]) -> String {
    sum.iter().map(|b| format!("{b:02x}")).collect()
}
