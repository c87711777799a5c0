//! Files and folders that only their owner can read: what lies in a store is health data.
//!
//! On systems without Unix permissions the folder's own rules hold.

use super::error::StoreError;
use std::path::Path;

/// Makes a folder that only its owner can enter, unless there is one.
pub(crate) fn create_private_dir(dir: &Path) -> Result<(), StoreError> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(dir).map_err(|e| StoreError::io(dir, &e))
}

/// Makes an empty file only its owner can read, unless there is one.
pub(crate) fn create_private_file(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop).map_err(|e| StoreError::io(path, &e))
}

/// Makes a file that is there readable by its owner alone.
pub(crate) fn make_private_file(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(|e| StoreError::io(path, &e))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
