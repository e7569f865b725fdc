//! A terminal that hands over every key as it is pressed, instead of whole lines (termios(3), "noncanonical mode").
//!
//! With whole lines, what is being typed is in the kernel, and cannot be put back on the screen when a
//! message is printed in the middle of it. The price: this program has to do what the kernel did, echo and backspace.
//! Output is left as it is. The program must handle the signals that end it, or the terminal stays as it is: see
//! [`shutdown::of_terminal`](super::shutdown::of_terminal).
//!
//! Where there is no such thing (another system than Unix, no terminal) the answer is an error, and lines must do.

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

impl Keys {
    /// Gives the terminal back and stops the program, as Ctrl-Z does elsewhere; keys again when it goes on.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn suspend(&self) -> io::Result<()> {
        system::set(&self.before)?;
        system::stop()?;
        system::set(&system::keys(&self.before))
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

    use rustix::process::{Signal, kill_current_process_group};
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    pub(super) type Settings = Termios;

    /// No lines, no echo, no signals from keys; a read waits for one byte at least.
    pub(super) fn keys(before: &Settings) -> Settings {
        let mut keys = before.clone();
        keys.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        keys.special_codes[SpecialCodeIndex::VMIN] = 1;
        keys.special_codes[SpecialCodeIndex::VTIME] = 0;
        keys
    }

    pub(super) fn get() -> io::Result<Settings> {
        Ok(tcgetattr(io::stdin())?)
    }

    /// Comes back when the shell has let the program go on.
    pub(super) fn stop() -> io::Result<()> {
        Ok(kill_current_process_group(Signal::TSTP)?)
    }

    pub(super) fn set(settings: &Settings) -> io::Result<()> {
        Ok(tcsetattr(io::stdin(), OptionalActions::Drain, settings)?)
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

    pub(super) fn stop() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn set(_: &Settings) -> io::Result<()> {
        Ok(())
    }
}
