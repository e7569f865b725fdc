//! A terminal that hands over every key as it is pressed, instead of whole lines (termios(3), "noncanonical mode").
//!
//! With whole lines, what somebody is typing lies in the kernel, and nobody can put it back on the screen when a
//! message is printed in the middle of it. The price: this program has to do what the kernel did, echo and backspace.
//! Output is left as it is.
//!
//! Where there is no such thing (another system than Unix, no terminal) the answer is an error, and lines must do.
#![allow(unsafe_code)] // tcgetattr and tcsetattr have no safe wrapper here; both calls stand at the end of this file.

use std::io;

/// As long as this lives the terminal of standard input hands over keys; then it is as it was before. A program that
/// is killed cannot put it back: `stty sane` does.
#[derive(Debug)]
pub struct Keys {
    before: system::Settings,
}

impl Keys {
    /// Keys from here on, Ctrl-C among them as the byte 3.
    ///
    /// # Errors
    /// When standard input is no terminal.
    pub fn of_stdin() -> io::Result<Self> {
        let before = system::get()?;
        system::set(&system::keys(&before))?;
        Ok(Keys { before })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that is gone needs no settings.
        let _ = system::set(&self.before);
    }
}

#[cfg(unix)]
mod system {
    use std::io;
    use std::mem::MaybeUninit;

    #[derive(Clone)]
    pub(super) struct Settings(libc::termios);

    impl std::fmt::Debug for Settings {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "Settings(lflag {:#x})", self.0.c_lflag)
        }
    }

    /// No lines, no echo, no signals from keys; a read waits for one byte at least.
    pub(super) fn keys(before: &Settings) -> Settings {
        let mut keys = before.clone();
        keys.0.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ISIG);
        keys.0.c_cc[libc::VMIN] = 1;
        keys.0.c_cc[libc::VTIME] = 0;
        keys
    }

    pub(super) fn get() -> io::Result<Settings> {
        let mut settings = MaybeUninit::uninit();
        // SAFETY: the kernel fills the structure that `settings` has room for, or says that it did not.
        let done = unsafe { libc::tcgetattr(libc::STDIN_FILENO, settings.as_mut_ptr()) };
        if done != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so the structure is filled.
        Ok(Settings(unsafe { settings.assume_init() }))
    }

    pub(super) fn set(settings: &Settings) -> io::Result<()> {
        // SAFETY: the structure came from `get`, and is only read.
        let done = unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSADRAIN, &raw const settings.0) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;

    #[derive(Debug, Clone)]
    pub(super) struct Settings;

    pub(super) fn keys(_: &Settings) -> Settings {
        Settings
    }

    pub(super) fn get() -> io::Result<Settings> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn set(_: &Settings) -> io::Result<()> {
        Ok(())
    }
}
