//! The list of an export's files with size and SHA-256: what was handed over, and whether it arrived whole.

use super::{Exported, io};
use crate::runtime::keep::VERSION;
use crate::store::StoreError;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Name of the manifest.
pub(super) const FILE: &str = "MANIFEST.json";

#[derive(Debug, Serialize)]
struct Listed {
    path: String,
    bytes: u64,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
}

/// The files so far.
#[derive(Debug, Default)]
pub(super) struct Manifest(Vec<Listed>);

impl Manifest {
    /// Adds the file at `path` below `root`.
    pub(super) fn add(&mut self, root: &Path, path: &str, rows: Option<u64>) -> Result<(), StoreError> {
        let full = root.join(path);
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        let mut file = File::open(&full).map_err(|e| io(&full, &e))?;
        let mut buffer = vec![0_u8; 1 << 16];
        loop {
            match file.read(&mut buffer).map_err(|e| io(&full, &e))? {
                0 => break,
                n => {
                    hash.update(&buffer[..n]);
                    bytes += n as u64;
                }
            }
        }
        let sha256 = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
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
    pub(super) fn write(&self, root: &Path, done: &Exported) -> Result<(), StoreError> {
        let path = root.join(FILE);
        let all = serde_json::json!({
            "format": "lope-export/1", "version": VERSION, "totals": done, "files": self.0,
        });
        std::fs::write(&path, format!("{all:#}\n")).map_err(|e| io(&path, &e))
    }
}
