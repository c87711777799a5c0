//! Where settings and data lie on each system.
//!
//! The environment is handed in, not read, so that every system's rules are tested on each of them.

use std::ffi::OsString;
use std::path::PathBuf;

/// Reads a variable of the environment; `None` when it is not set.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Systems that keep their folders in different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux and other systems that follow the XDG base directory specification.
    Xdg,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl System {
    /// The one this program was built for.
    #[must_use]
    pub const fn here() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Xdg
        }
    }

    /// The folder for what a program keeps: sessions.
    #[must_use]
    pub fn data_dir(self, variables: Variables<'_>) -> Option<PathBuf> {
        match self {
            Self::Windows => folder(variables, "LOCALAPPDATA"),
            Self::MacOs => home(variables).map(|h| h.join("Library/Application Support")),
            Self::Xdg => xdg(variables, "XDG_DATA_HOME", ".local/share"),
        }
        .map(|base| base.join("lope"))
    }

    /// The settings file.
    #[must_use]
    pub fn config_file(self, variables: Variables<'_>) -> Option<PathBuf> {
        match self {
            Self::Windows => folder(variables, "APPDATA"),
            Self::MacOs => home(variables).map(|h| h.join("Library/Application Support")),
            Self::Xdg => xdg(variables, "XDG_CONFIG_HOME", ".config"),
        }
        .map(|base| base.join("lope").join("config.toml"))
    }
}

fn folder(variables: Variables<'_>, name: &str) -> Option<PathBuf> {
    variables(name).filter(|v| !v.is_empty()).map(PathBuf::from)
}

/// The user's own folder.
pub(super) fn home(variables: Variables<'_>) -> Option<PathBuf> {
    folder(variables, "HOME").or_else(|| folder(variables, "USERPROFILE"))
}

fn xdg(variables: Variables<'_>, name: &str, below_home: &str) -> Option<PathBuf> {
    // The base directory specification: a relative path is to be ignored.
    folder(variables, name)
        .filter(|p| p.is_absolute())
        .or_else(|| folder(variables, "HOME").map(|h| h.join(below_home)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_its_folders_and_none_without_a_home() {
        let unix = |name: &str| (name == "HOME").then(|| OsString::from("/home/ada"));
        let file = |s: System, v: Variables<'_>| s.config_file(v).map(|p| p.to_string_lossy().replace('\\', "/"));
        assert_eq!(
            file(System::Xdg, &unix).as_deref(),
            Some("/home/ada/.config/lope/config.toml")
        );
        assert_eq!(
            file(System::MacOs, &unix).as_deref(),
            Some("/home/ada/Library/Application Support/lope/config.toml")
        );
        assert_eq!(file(System::Windows, &unix), None);
        let windows = |name: &str| (name == "APPDATA").then(|| OsString::from("D:/ada/Roaming"));
        assert_eq!(
            file(System::Windows, &windows).as_deref(),
            Some("D:/ada/Roaming/lope/config.toml")
        );
        let relative = |name: &str| Some(OsString::from(if name == "HOME" { "/home/ada" } else { "here" }));
        assert_eq!(
            System::Xdg.data_dir(&relative),
            Some(PathBuf::from("/home/ada/.local/share/lope"))
        );
        assert_eq!(System::Xdg.data_dir(&|_| Some(OsString::new())), None);
    }
}
