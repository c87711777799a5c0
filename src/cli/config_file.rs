//! The settings file on disk: found, read once, changed without losing what its owner wrote.

use super::failure::{Exit, Failure};
use super::safe_file::SafeFile;
use crate::config::edit::EditError;
use crate::config::place::System;
use crate::config::settings::Flags;
use crate::config::{Inputs, Problem, Settings};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Why there are no settings.
#[derive(Clone, Debug)]
pub enum Unsettled {
    /// The file cannot be read: path and what the system says.
    Unreadable(PathBuf, String),
    /// It, the environment or the flags say what cannot be.
    Wrong(Vec<Problem>),
}

/// The settings of this run, or why there are none.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Where the file is, or would be; `None` without a home.
    pub path: Option<PathBuf>,
    /// Whether there is one.
    pub there: bool,
    /// What it, the environment and the flags say together.
    pub settings: Result<Settings, Unsettled>,
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|v| !v.is_empty())
}

/// Finds and reads the settings: the file of `--config`, of `LOPE_CONFIG`, or of the system's usual place.
#[must_use]
pub fn load(named: Option<&Path>, flags: Flags) -> Loaded {
    let asked = named
        .map(Path::to_owned)
        .or_else(|| variable("LOPE_CONFIG").map(PathBuf::from));
    let must_be_there = asked.is_some();
    let path = asked.or_else(|| System::here().config_file(&variable));
    let text = match &path {
        Some(path) => match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !must_be_there => None,
            Err(e) => {
                return Loaded {
                    there: e.kind() != std::io::ErrorKind::NotFound,
                    settings: Err(Unsettled::Unreadable(path.clone(), e.to_string())),
                    path: Some(path.clone()),
                };
            }
        },
        None => None,
    };
    let settings = Settings::resolve(&Inputs {
        file: path.as_deref().zip(text.as_deref()),
        variables: &variable,
        flags,
        system: System::here(),
    });
    Loaded {
        path,
        there: text.is_some(),
        settings: settings.map_err(Unsettled::Wrong),
    }
}

impl From<&Unsettled> for Failure {
    fn from(unsettled: &Unsettled) -> Self {
        match unsettled {
            Unsettled::Unreadable(path, text) => Self::new(
                "lope::config::open",
                Exit::Refused,
                format!("The settings in {} cannot be read.", path.display()),
            )
            .why(text.clone())
            .try_this("name another file with --config FILE, or make it readable"),
            Unsettled::Wrong(problems) => {
                let n = problems.len();
                let mut failure = Self::new(
                    "lope::config::refused",
                    Exit::Refused,
                    if n == 1 {
                        "One setting is not right.".to_owned()
                    } else {
                        format!("{n} settings are not right.")
                    },
                );
                for problem in problems {
                    failure = failure.why(problem.to_string());
                }
                failure.try_this(
                    "correct the lines named; lope doctor --config shows every setting and where it came from",
                )
            }
        }
    }
}

/// Changes the file: reads it again, so that nothing that was written since is lost, and puts the new text in its place
/// whole. A file that is made here can be read by its owner only.
///
/// # Errors
/// No file can be meant, it cannot be read or written, or the change does not fit.
pub fn change(loaded: &Loaded, edit: impl FnOnce(&str) -> Result<String, EditError>) -> Result<PathBuf, Failure> {
    let Some(path) = &loaded.path else {
        return Err(Failure::new(
            "lope::config::no_home",
            Exit::Outside,
            "There is no place for a settings file.",
        )
        .why("neither XDG_CONFIG_HOME nor HOME is set")
        .try_this("name one with --config FILE"));
    };
    // A link to a file among other settings stays a link.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let text = match std::fs::read_to_string(&target) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err((&Unsettled::Unreadable(path.clone(), e.to_string())).into()),
    };
    let changed = edit(&text).map_err(refused)?;
    if let Some(folder) = target.parent().filter(|f| !f.as_os_str().is_empty()) {
        create_private_dir(folder).map_err(|e| Failure::writing(folder, &e))?;
    }
    let mut file = SafeFile::create_private(&target)?;
    file.write(|out| out.write_all(changed.as_bytes()))?;
    file.keep()?;
    Ok(path.clone())
}

fn refused(error: EditError) -> Failure {
    let text = error.to_string();
    match error {
        EditError::Unreadable(_) => Failure::new(
            "lope::config::edit",
            Exit::Refused,
            "The settings file cannot be changed.",
        )
        .why(text)
        .try_this("correct it first: lope doctor --config shows what is wrong"),
        EditError::NoSuchKit(_) => Failure::new("lope::kit::missing", Exit::Unknown, "There is no such kit.")
            .why(text)
            .try_this("lope sensors list shows what there is"),
        EditError::KitExists(_) => Failure::new("lope::kit::exists", Exit::Refused, "That name is taken.")
            .why(text)
            .try_this("choose another name, or forget that kit first: lope sensors forget KIT"),
        EditError::Athlete(_) => Failure::new("lope::athlete::name", Exit::Usage, "An athlete cannot be called so.")
            .why(text)
            .try_this("for example: ada, me, runner-7"),
        EditError::Name(_) => Failure::new("lope::kit::name", Exit::Usage, "A kit cannot be called so.")
            .why(text)
            .try_this("for example: thursday, club-2"),
    }
}

fn create_private_dir(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(path: &Path) -> Loaded {
        load(Some(path), Flags::default())
    }

    #[test]
    fn a_file_is_made_for_its_owner_only_and_changed_in_place() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("new/config.toml");
        change(&loaded(&path), |text| Ok(format!("{text}# one\n"))).expect("made");
        change(&loaded(&path), |text| Ok(format!("{text}# two\n"))).expect("changed");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "# one\n# two\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |p: &Path| std::fs::metadata(p).expect("there").permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o600);
            assert_eq!(mode(path.parent().expect("folder")), 0o700);
            let link = dir.path().join("link.toml");
            std::os::unix::fs::symlink(&path, &link).expect("linked");
            change(&loaded(&link), |text| Ok(format!("{text}# three\n"))).expect("changed");
            assert!(std::fs::symlink_metadata(&link).expect("there").is_symlink());
            assert!(std::fs::read_to_string(&path).expect("read").ends_with("# three\n"));
        }
        assert_eq!(
            std::fs::read_dir(path.parent().expect("folder"))
                .expect("listed")
                .count(),
            1,
            "nothing else is left"
        );
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let dir = tempfile::tempdir().expect("folder");
        let failure = Failure::from(&loaded(&dir.path().join("none.toml")).settings.expect_err("not there"));
        assert_eq!((failure.code, failure.exit), ("lope::config::open", Exit::Refused));
    }
}
