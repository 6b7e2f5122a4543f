//! Where lines go.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::Level;

/// A place for lines. Every write is one whole line with its break, so that lines of several threads never mix.
pub struct Sink(Kind);

type Take = Box<dyn Fn(Level, &str) + Send + Sync>;

enum Kind {
    Writer(Mutex<Box<dyn Write + Send>>),
    Closure(Take),
}

impl Sink {
    /// The standard output.
    pub fn stdout() -> Sink {
        Sink::writer(io::stdout())
    }

    /// The standard error stream.
    pub fn stderr() -> Sink {
        Sink::writer(io::stderr())
    }

    /// A file, appended to and made if it is missing.
    ///
    /// # Errors
    /// The operating system's.
    pub fn file(path: &Path) -> io::Result<Sink> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Sink::writer(file))
    }

    /// Anything that takes bytes.
    pub fn writer(writer: impl Write + Send + 'static) -> Sink {
        Sink(Kind::Writer(Mutex::new(Box::new(writer))))
    }

    /// A function that takes each line, without its break.
    pub fn closure(take: impl Fn(Level, &str) + Send + Sync + 'static) -> Sink {
        Sink(Kind::Closure(Box::new(take)))
    }

    pub(crate) fn write(&self, level: Level, line: &str) -> io::Result<()> {
        match &self.0 {
            Kind::Writer(writer) => {
                let whole = format!("{line}\n");
                // A panic of another thread inside `write_all` cannot be undone; the next line is still worth writing.
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                writer.write_all(whole.as_bytes())?;
                writer.flush()
            }
            Kind::Closure(take) => {
                take(level, line);
                Ok(())
            }
        }
    }
}
