//! The file of the log and the folder it lies in: opened, kept private, and watched.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError, ReadableDatabase as _, TableError};

use super::error::StoreError;
use super::guard::{Guarded, guarded};
use super::layout::{EVENTS, META, SOCKETS, SPACES, STATE, read_number, sealed_number};
use super::{FORMAT, Progress, Told};

/// The log.
pub(super) const FILE: &str = "events.redb";

/// What there should be in it.
const WITNESS: &str = "events.count";

/// A file that is no larger has every page checked by redb when it is opened; a larger one after an unclean end only.
/// Our own check sequences are read in any case.
const CHECKED: u64 = 512 << 20;

/// Memory for the pages of the file. redb keeps what it wrote as long as there is room; but what is read again and again
/// is what was said last, and that is in memory anyway. So there is room for the inner pages, and for half a commit.
const CACHE: usize = 8 << 20;

/// Opens the database in a file, or makes one.
pub(super) fn open(path: &Path, told: &Told) -> Result<Guarded, StoreError> {
    let damaged = |why: &str| StoreError::Damaged { path: path.into(), why: why.into() };
    let is_new = !path.exists();
    let len = fs::metadata(path).map_or(0, |file| file.len());
    // A file that is not a database at all is recognised before redb is asked: it would take an empty one for new.
    if !is_new && len < 4096 {
        return Err(damaged("it is shorter than any log"));
    }
    open_with(is_new, len <= CHECKED, told, |builder| builder.create(path)).map_err(|error| match error {
        redb::Error::Corrupted(why) if why.is_empty() => damaged("its structure makes no sense"),
        error => StoreError::of_content(path, error),
    })
}

/// Opens a database wherever it lies.
pub(super) fn open_with(
    is_new: bool,
    is_checked: bool,
    told: &Told,
    open: impl FnOnce(&Builder) -> Result<Database, DatabaseError>,
) -> Result<Guarded, redb::Error> {
    let told = told.clone();
    let database = guarded(|| {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE);
        builder.set_check_integrity_on_open(is_checked && !is_new);
        builder.set_repair_callback(move |session| told(Progress::Repairing(session.progress())));
        Ok(open(&builder)?)
    });
    let database = Guarded::new(database?);
    if is_new {
        database.with(prepare)?;
    }
    Ok(database)
}

/// The tables of an empty log.
pub(super) fn prepare(database: &Database) -> Result<(), redb::Error> {
    let writing = database.begin_write()?;
    writing.open_table(META)?.insert("format", FORMAT)?;
    writing.open_table(STATE)?.insert("commits", sealed_number("commits", 0).as_slice())?;
    writing.open_table(SPACES)?;
    writing.open_table(EVENTS)?;
    writing.open_table(SOCKETS)?;
    writing.commit()?;
    Ok(())
}

/// The version of its layout; 0 when it says none.
pub(super) fn format(database: &Database) -> Result<u64, redb::Error> {
    let reading = database.begin_read()?;
    match reading.open_table(META) {
        Ok(meta) => Ok(meta.get("format")?.map_or(0, |format| format.value())),
        Err(TableError::TableDoesNotExist(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Messages, and the secrets by which clients return, are private: only its owner may read a new directory.
#[cfg(unix)]
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// And so is the file, whatever made its directory.
#[cfg(unix)]
pub(super) fn keep_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
pub(super) fn keep_private(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The directory's entries have to be safe as well. Not every system lets one ask for it.
pub(super) fn sync_directory(directory: &Path) {
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}

/// Which file a path leads to: another one, or none, when somebody has moved or removed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> io::Result<Identity> {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata(path).map(|file| Identity(file.dev(), file.ino()))
    }

    #[cfg(not(unix))]
    pub(super) fn of(path: &Path) -> io::Result<Identity> {
        fs::metadata(path).map(|_| Identity(0, 0))
    }
}

/// How many commits there have been, in a small file beside the log. It is written after each and not forced to the disk:
/// never ahead of the log, and behind it only after a loss of power. A log with fewer has lost some, most
/// likely those that redb found damaged and took for unfinished.
#[derive(Debug)]
pub(super) struct Witness {
    file: File,
}

impl Witness {
    /// Opens it, or makes one; and what it says, if it says anything. That of a log that is gone says nothing.
    pub(super) fn open(directory: &Path, is_new: bool) -> io::Result<(Witness, Option<u64>)> {
        let path: PathBuf = directory.join(WITNESS);
        let mut options = File::options();
        let mut file = options.read(true).write(true).create(true).truncate(is_new).open(&path)?;
        keep_private(&path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let says = read_number("witness", &bytes).and_then(|commits| u64::try_from(commits).ok());
        Ok((Witness { file }, says))
    }

    pub(super) fn write(&mut self, commits: u64) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(&sealed_number("witness", commits.into()))
    }
}
