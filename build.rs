//! Builds the dashboard in, if it was built from the sources at hand: copies nothing, runs nothing, goes nowhere.
//!
//! `dashboard/dist/.stamp` says from which sources the bundle was made (`dashboard/stamp.mjs` writes it). Where it is
//! missing or stale nothing is built in and the plain pages are served; `LOPE_DASHBOARD=require` makes that an error (for
//! packages), `=off` leaves the dashboard out silently.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Files that the stamp covers beside `src/`.
const SINGLE: [&str; 6] = [
    "index.html",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
    "package.json",
    "dist/THIRD_PARTY.txt",
];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LOPE_DASHBOARD");
    let wish = std::env::var("LOPE_DASHBOARD").unwrap_or_default();
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("dashboard");
    let stamp = root.join("dist/.stamp");
    // A file that is missing would run this script, and compile lope anew, at every build; so `./x dashboard`, which makes
    // the first one, touches this script.
    if stamp.exists() {
        println!("cargo::rerun-if-changed={}", stamp.display());
    }
    if std::env::var_os("CARGO_FEATURE_SERVE").is_none() {
        return ExitCode::SUCCESS;
    }
    let files = match wish.as_str() {
        "off" => Ok(Vec::new()),
        _ => fresh(&root).and_then(|()| files_under(&root.join("dist")).map_err(|e| e.to_string())),
    };
    let files = match (files, wish.as_str()) {
        (Ok(files), _) => files,
        (Err(why), "require") => {
            println!("cargo::error=dashboard not built in: {why}");
            return ExitCode::FAILURE;
        }
        (Err(why), _) => {
            println!("cargo::warning=dashboard not built ({why}): plain pages will be served; run ./x dashboard");
            Vec::new()
        }
    };
    let text = match listing(&root.join("dist"), &files) {
        Ok(text) => text,
        Err(e) => {
            println!("cargo::error=the dashboard cannot be read: {e}");
            return ExitCode::FAILURE;
        }
    };
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("dashboard.rs");
    match fs::write(&out, text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            println!("cargo::error={}: {e}", out.display());
            ExitCode::FAILURE
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Files below a folder, sorted.
fn files_under(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files_under(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether the bundle was made from the sources at hand.
fn fresh(root: &Path) -> Result<(), String> {
    let said =
        fs::read_to_string(root.join("dist/.stamp")).map_err(|_| "there is no dashboard/dist/.stamp".to_owned())?;
    let mut paths = files_under(&root.join("src")).map_err(|e| e.to_string())?;
    paths.extend(SINGLE.iter().map(|name| root.join(name)));
    let mut lines = Vec::new();
    for path in paths {
        let name = path.strip_prefix(root).map_err(|e| e.to_string())?;
        let name: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        lines.push(format!("{}\0{}\n", name.join("/"), sha256(&bytes)));
    }
    lines.sort();
    if sha256(lines.concat().as_bytes()) == said.trim() {
        Ok(())
    } else {
        Err("dashboard/dist is older than its sources".to_owned())
    }
}

fn media(path: &Path) -> &'static str {
    match path.extension().and_then(|e| e.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        Some("woff2") => "font/woff2",
        Some("ico") => "image/x-icon",
        _ => "application/octet-stream",
    }
}

/// A file compressed once for all who ask for it; nothing where that saves nothing.
fn packed(bytes: &[u8], media: &str, tag: &str) -> std::io::Result<Option<PathBuf>> {
    let text = media.starts_with("text/") || media.contains("json") || media.contains("svg");
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes)?;
    let packed = packer.finish()?;
    if !text || packed.len() >= bytes.len() {
        return Ok(None);
    }
    let path = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join(format!("{}.gz", &tag[..32]));
    fs::write(&path, packed)?;
    Ok(Some(path))
}

/// The list of files as Rust.
fn listing(dist: &Path, files: &[PathBuf]) -> std::io::Result<String> {
    let mut text = String::from("/// Files of the dashboard.\nstatic ASSETS: &[Asset] = &[\n");
    for path in files {
        let name = path.strip_prefix(dist).unwrap_or(path);
        let name: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        if name.iter().any(|part| part.starts_with('.')) {
            continue;
        }
        let bytes = fs::read(path)?;
        let tag = sha256(&bytes);
        let gzip = match packed(&bytes, media(path), &tag)? {
            Some(packed) => format!("Some(include_bytes!({:?}))", packed.display().to_string()),
            None => "None".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "    Asset {{ path: {:?}, media: {:?}, bytes: include_bytes!({:?}), gzip: {gzip}, tag: {:?} }},",
            format!("/{}", name.join("/")),
            media(path),
            path.display().to_string(),
            &tag[..32]
        );
    }
    text.push_str("];\n");
    Ok(text)
}
