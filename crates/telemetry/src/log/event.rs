//! The logger and the events that it takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::SystemTime;

use super::line::{Level, Line, Value};
use super::sink::Sink;
use crate::{Children, Counter, Registry};

/// Writes events to its sinks. Cheap to clone.
#[derive(Clone)]
pub struct Logger(Arc<Inner>);

struct Inner {
    service: String,
    level: AtomicU8,
    now: Box<dyn Fn() -> SystemTime + Send + Sync>,
    sinks: Vec<Sink>,
    /// One for each level, in their order.
    lines: [Counter; 4],
    lines_failed: Counter,
}

impl Logger {
    /// A logger for `service` that lets through `level` and above. It takes the time from `now`, because this crate
    /// reads no clock. `log_events_total{level}` and `log_events_failed_total` are declared in `registry`.
    pub fn new(
        service: &str,
        level: Level,
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
        sinks: Vec<Sink>,
        registry: &Registry,
    ) -> Logger {
        let lines = registry.counter_family(
            "log_events_total",
            "Log lines written, by level.",
            &["level"],
            Children::Closed(&[&["debug"], &["info"], &["warn"], &["error"]]),
        );
        let lines = Level::ALL.map(|level| lines.handle(&[&level.as_str().to_ascii_lowercase()]));
        Logger(Arc::new(Inner {
            service: service.to_owned(),
            level: AtomicU8::new(level as u8),
            now: Box::new(now),
            sinks,
            lines,
            lines_failed: registry.counter(
                "log_events_failed_total",
                "Log lines that a file or a standard stream did not take.",
            ),
        }))
    }

    /// A logger that writes nothing: for tests.
    pub fn silent() -> Logger {
        let epoch = || SystemTime::UNIX_EPOCH;
        Logger::new("", Level::Error, epoch, Vec::new(), &Registry::new())
    }

    /// Changes the level from now on.
    pub fn set_level(&self, level: Level) {
        self.0.level.store(level as u8, Ordering::Relaxed);
    }

    /// Whether events of this level are written.
    pub fn is_enabled(&self, level: Level) -> bool {
        level as u8 >= self.0.level.load(Ordering::Relaxed)
    }

    /// Starts an event. The message is lower case, without values: those are fields.
    pub fn event(&self, level: Level, message: &str) -> Event<'_> {
        self.start(level, None, message)
    }

    /// Starts an event of a category, which decides how long it is kept.
    pub fn event_of(&self, level: Level, category: &str, message: &str) -> Event<'_> {
        self.start(level, Some(category), message)
    }

    /// Starts a DEBUG event.
    pub fn debug(&self, message: &str) -> Event<'_> {
        self.event(Level::Debug, message)
    }

    /// Starts an INFO event.
    pub fn info(&self, message: &str) -> Event<'_> {
        self.event(Level::Info, message)
    }

    /// Starts a WARN event.
    pub fn warn(&self, message: &str) -> Event<'_> {
        self.event(Level::Warn, message)
    }

    /// Starts an ERROR event.
    pub fn error(&self, message: &str) -> Event<'_> {
        self.event(Level::Error, message)
    }

    fn start(&self, level: Level, category: Option<&str>, message: &str) -> Event<'_> {
        let line = self.is_enabled(level).then(|| {
            let mut line = Line::start((self.0.now)(), level);
            if let Some(category) = category {
                line.own("category", category);
            }
            line.own("service", &self.0.service);
            line.own("message", message);
            line
        });
        Event {
            logger: self,
            level,
            line,
        }
    }

    fn write(&self, level: Level, line: &str) {
        self.0.lines[level as usize].inc();
        for sink in &self.0.sinks {
            if sink.write(level, line).is_err() {
                self.0.lines_failed.inc();
            }
        }
    }
}

/// An event in the making; [`Event::emit`] writes it. Below the logger's level every step is a no-op.
#[must_use = "an event is written by emit()"]
pub struct Event<'a> {
    logger: &'a Logger,
    level: Level,
    line: Option<Line>,
}

impl Event<'_> {
    /// Names the request that the event belongs to.
    pub fn request(mut self, id: &str) -> Self {
        if let Some(line) = &mut self.line {
            line.own("request_id", id);
        }
        self
    }

    /// Adds a field. Values of fields that are named like secrets are never written.
    pub fn field<'v>(mut self, name: &str, value: impl Into<Value<'v>>) -> Self {
        if let Some(line) = &mut self.line {
            line.field(name, &value.into());
        }
        self
    }

    /// Adds a field if there is a value.
    pub fn maybe<'v>(self, name: &str, value: Option<impl Into<Value<'v>>>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// Writes the event to every sink.
    pub fn emit(self) {
        if let Some(line) = self.line {
            self.logger.write(self.level, &line.end());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    fn logger(level: Level) -> (Logger, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        let sink = Sink::closure(move |_, line| kept.lock().unwrap().push(line.to_owned()));
        let now = || SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_425_300_123_456);
        (
            Logger::new("shop", level, now, vec![sink], &Registry::new()),
            lines,
        )
    }

    #[test]
    fn one_line_for_one_event() {
        let (logger, lines) = logger(Level::Debug);
        logger
            .event_of(Level::Info, "security", "signed in")
            .request("r1")
            .field("user", "zo\u{eb}\nINJECTED")
            .field("tries", 3u64)
            .field("share", f64::NAN)
            .field("password", "hunter2")
            .field("level", "fake")
            .maybe("absent", None::<u64>)
            .emit();
        assert_eq!(
            *lines.lock().unwrap(),
            [
                r#"{"ts":"2026-11-23T09:15:00.123456Z","level":"INFO","category":"security","service":"shop","message":"signed in","request_id":"r1","user":"zoë\nINJECTED","tries":3,"share":"NaN","password":"[redacted]","_level":"fake"}"#
            ]
        );
    }

    #[test]
    fn the_level_switches_at_run_time() {
        let (logger, lines) = logger(Level::Warn);
        logger.info("not written").field("n", 1u64).emit();
        logger.set_level(Level::Info);
        logger.info("written").emit();
        logger.debug("not written").emit();
        assert_eq!(lines.lock().unwrap().len(), 1);
    }
}
