//! What the pod really sampled, for whoever wants to compare: a count and a checksum per session, and every sample if asked.
//!
//! The checksum is CRC-32 (ISO-HDLC, the one of zip) over index u32 and the six counts i16, little-endian, sample by sample in
//! order: 16 bytes each. Times are left out, because a host learns only the first one of each frame.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use firmware_protocol::{ImuEntry, PodTime};
use lope::model::Placement;

use crate::say;

/// Which pod it was.
#[derive(Clone, Debug)]
pub(crate) struct PodFacts {
    pub(crate) name: String,
    pub(crate) placement: Placement,
    pub(crate) pod_uid: u64,
    pub(crate) boot_id: u32,
}

/// One session so far.
#[derive(Clone, Debug, Default)]
struct Session {
    samples: u64,
    /// Index after the last; larger than `samples` if the sensor's queue ran over.
    next_index: u32,
    crc: crc32fast::Hasher,
    first_us: Option<u64>,
    last_us: Option<u64>,
}

impl Session {
    fn json(&self, number: usize, running: bool) -> String {
        let time = |us: Option<u64>| us.map_or("null".to_owned(), |us| us.to_string());
        format!(
            "{{\"session\": {number}, \"samples\": {}, \"next_index\": {}, \"crc32\": \"{:08x}\", \"first_t_us\": {}, \
             \"last_t_us\": {}, \"running\": {running}}}",
            self.samples,
            self.next_index,
            self.crc.clone().finalize(),
            time(self.first_us),
            time(self.last_us)
        )
    }
}

/// The witness of one pod.
#[derive(Debug)]
pub(crate) struct Truth {
    facts: PodFacts,
    file: Option<PathBuf>,
    samples_file: Option<PathBuf>,
    sessions: Vec<Session>,
    running: bool,
    samples: Option<BufWriter<File>>,
}

impl Truth {
    pub(crate) fn new(facts: PodFacts, file: Option<PathBuf>, samples_file: Option<PathBuf>) -> Self {
        Truth {
            facts,
            file,
            samples_file,
            sessions: Vec::new(),
            running: false,
            samples: None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.facts.name
    }

    pub(crate) fn session_began(&mut self) {
        self.sessions.push(Session::default());
        self.running = true;
        self.samples = self.samples_file.as_ref().and_then(|file| {
            let file = file.with_added_extension(self.sessions.len().to_string());
            let made = File::create(&file);
            if let Err(error) = &made {
                say(&format!("{}: {error}", file.display()));
            }
            made.ok().map(BufWriter::new)
        });
    }

    pub(crate) fn took(&mut self, index: u32, time: PodTime, entry: &ImuEntry) {
        let Some(session) = self.sessions.last_mut() else {
            return;
        };
        let mut counts = [0; 12];
        for (bytes, count) in counts.chunks_exact_mut(2).zip(entry.acc.iter().chain(&entry.gyr)) {
            bytes.copy_from_slice(&count.to_le_bytes());
        }
        session.crc.update(&index.to_le_bytes());
        session.crc.update(&counts);
        session.samples += 1;
        session.next_index = index + 1;
        session.first_us.get_or_insert(time.as_us());
        session.last_us = Some(time.as_us());
        if let Some(out) = &mut self.samples {
            let written = out
                .write_all(&index.to_le_bytes())
                .and_then(|()| out.write_all(&time.as_us().to_le_bytes()))
                .and_then(|()| out.write_all(&counts));
            if let Err(error) = written {
                say(&format!("samples are no longer written: {error}"));
                self.samples = None;
            }
        }
    }

    pub(crate) fn session_ended(&mut self) -> io::Result<()> {
        self.running = false;
        if let Some(mut out) = self.samples.take() {
            out.flush()?;
        }
        if let Some(session) = self.sessions.last() {
            say(&format!(
                "{}: {}",
                self.facts.name,
                session.json(self.sessions.len(), false)
            ));
        }
        self.write()
    }

    /// Writes down a session that still runs.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        if let Some(out) = &mut self.samples {
            out.flush()?;
        }
        self.write()
    }

    /// The whole file anew; a reader sees the old or the new one.
    fn write(&self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let half = file.with_added_extension("part");
        std::fs::write(&half, self.json())?;
        std::fs::rename(&half, file)
    }

    fn json(&self) -> String {
        let PodFacts {
            name,
            placement,
            pod_uid,
            boot_id,
        } = &self.facts;
        // The name may hold anything that fits 22 bytes; `escape_default` writes what JSON takes for all of ASCII but the
        // single quote.
        let name = name.escape_default().to_string().replace("\\'", "'");
        let mut text = format!(
            "{{\"name\": \"{name}\", \"placement\": \"{}\", \"pod_uid\": \"{pod_uid:016x}\", \"boot_id\": \"{boot_id:08x}\", \
             \"sessions\": [",
            placement.name()
        );
        for (at, session) in self.sessions.iter().enumerate() {
            let last = at + 1 == self.sessions.len();
            let comma = if at == 0 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(text, "{comma}{}", session.json(at + 1, last && self.running));
        }
        text.push_str("]}\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_sixteen_bytes_a_sample() {
        let facts = PodFacts {
            name: "pod".into(),
            placement: Placement::Sacrum,
            pod_uid: 1,
            boot_id: 2,
        };
        let mut truth = Truth::new(facts, None, None);
        truth.session_began();
        let entry = ImuEntry {
            acc: [1, -2, 2048],
            gyr: [3, -4, 5],
        };
        truth.took(0, PodTime::BOOT, &entry);
        truth.took(1, PodTime::BOOT.plus_us(5), &entry);
        let counts = [1, 0, 0xFE, 0xFF, 0, 8, 3, 0, 0xFC, 0xFF, 5, 0];
        let mut bytes = vec![0, 0, 0, 0];
        bytes.extend(counts);
        bytes.extend([1, 0, 0, 0]);
        bytes.extend(counts);
        let crc = format!("\"crc32\": \"{:08x}\"", firmware_protocol::crc::crc32(&bytes));
        assert!(truth.json().contains(&crc), "{}", truth.json());
        assert!(truth.json().contains("\"samples\": 2"));
        assert!(truth.json().contains("\"running\": true"));
    }
}
