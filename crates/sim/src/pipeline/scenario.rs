//! What happens in one run: rules and when their conditions hold, people and how their receivers answer, what people do,
//! what breaks. Plain data, drawn from a seed or written by a test.

use std::time::Duration;

use monitor::incident::ReceivedAlert;
use plan::Severity;

use super::draw::Draw;
use super::faulty_store::{Placed, StoreFault};
use super::receivers::{Answer, ChannelFault, Lasting};

/// How often rules are evaluated.
pub const EVALUATION_INTERVAL: Duration = Duration::from_secs(15);
/// When levels 1, 2 and 3 are told.
pub const LEVELS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(15 * 60),
    Duration::from_secs(30 * 60),
];
/// After the scripted part nothing fails and nobody does anything any more; conditions that hold go on for the longest
/// `for` and so long …
const HEALING: Duration = Duration::from_secs(3 * 60);
/// … then no condition holds for so long, in which everything must resolve, flapping alerts too. Once nothing is open any
/// more, the run ends.
const CALM: Duration = Duration::from_secs(14 * 60);
/// A condition that holds until then.
const UNTIL_CALM: Duration = Duration::MAX;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// What is judged.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Faults without bound; what must never happen does not.
    Safety,
    /// Bounded faults; deadlines hold too.
    Liveness,
}

/// From, inclusive, until, exclusive; since the run began.
pub type Span = (Duration, Duration);

/// What a rule's evaluation says while its data is missing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The last scrape failed: an empty answer, not complete.
    Incomplete,
    /// The expression could not be evaluated.
    Failed,
    /// Complete scrapes bring no value (no traffic): this is evidence, after a while.
    NoValue,
}

/// A rule and its script.
#[derive(Clone, Debug)]
pub struct RuleScript {
    /// Its name.
    pub name: String,
    /// How urgent.
    pub severity: Severity,
    /// Its `for`.
    pub hold: Duration,
    /// For each of its instances: when the condition holds.
    pub instances: Vec<Vec<Span>>,
    /// When data is missing.
    pub missing: Vec<(Span, Missing)>,
}

/// Somebody who is told.
#[derive(Clone, Debug)]
pub struct PersonScript {
    /// Their name.
    pub name: String,
    /// The level whose role they fill, counted from 1.
    pub level: usize,
    /// For each of their channels: how it fails.
    pub channels: Vec<Vec<ChannelFault>>,
    /// Whether their receivers hang for ever: no deadline holds for them, but nobody else may notice.
    pub is_dead: bool,
}

/// What somebody does, or what happens to the machine.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Takes the rule's open incident.
    Acknowledge(usize),
    /// Ends it.
    Resolve(usize),
    /// Silences the rule's alerts for a while.
    Silence(usize, Duration),
    /// Ends that silence.
    EndSilence(usize),
    /// Makes the first rule's incident part of the second's.
    Merge(usize, usize),
    /// Sets the machine's clock, by milliseconds.
    Jump(i64),
}

/// Something that happens at a time.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, since the run began.
    pub at: Duration,
    /// What.
    pub action: Action,
    /// Whether it comes before the evaluations and ticks of the same instant, or after them.
    pub first: bool,
}

/// When the process dies.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// At a time.
    At(Duration),
    /// At a step of the way of a page, the n-th time (counted from 1 over the whole run).
    Placed(Placed, u32),
}

/// A death and how long the process is away.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// When.
    pub point: CrashPoint,
    /// How long until it starts again.
    pub pause: Duration,
}

/// Everything about one run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where it was drawn from; also the seed of whatever is random while it runs.
    pub seed: u64,
    /// What is judged.
    pub mode: Mode,
    /// The length of the scripted part.
    pub length: Duration,
    /// Rules.
    pub rules: Vec<RuleScript>,
    /// People.
    pub people: Vec<PersonScript>,
    /// How long an acknowledgement holds.
    pub acknowledgement_expires: Option<Duration>,
    /// What people do and what happens to the clock, by time.
    pub events: Vec<Event>,
    /// Deaths, in order.
    pub crashes: Vec<Crash>,
    /// When the store fails.
    pub store_faults: Vec<StoreFault>,
    /// What other programs send, by time.
    pub received: Vec<(Duration, Vec<ReceivedAlert>)>,
}

impl Scenario {
    /// When no condition holds any more.
    pub fn calm_from(&self) -> Duration {
        let hold = self.rules.iter().map(|rule| rule.hold).max();
        self.length + hold.unwrap_or_default() + HEALING
    }

    /// When the run ends at the latest.
    pub fn end(&self) -> Duration {
        self.calm_from() + CALM
    }

    fn with_ends(mut self) -> Scenario {
        let calm_from = self.calm_from();
        let spans = self.rules.iter_mut().flat_map(|rule| &mut rule.instances);
        for span in spans.flatten() {
            span.1 = span.1.min(calm_from);
        }
        self
    }

    /// Nothing but one critical rule with `for: 1m`, whose condition holds from the first minute on, and three healthy
    /// people: what placed scenarios start from.
    pub fn plain(length: Duration) -> Scenario {
        let person = |name: &str, level| PersonScript {
            name: name.to_owned(),
            level,
            channels: vec![Vec::new()],
            is_dead: false,
        };
        Scenario {
            seed: 0,
            mode: Mode::Liveness,
            length,
            rules: vec![RuleScript {
                name: "Rule0".to_owned(),
                severity: Severity::Critical,
                hold: MINUTE,
                instances: vec![vec![(MINUTE, UNTIL_CALM)]],
                missing: Vec::new(),
            }],
            people: vec![person("ada", 1), person("lea", 2), person("max", 3)],
            acknowledgement_expires: None,
            events: Vec::new(),
            crashes: Vec::new(),
            store_faults: Vec::new(),
            received: Vec::new(),
        }
        .with_ends()
    }

    /// The scenario of a seed.
    pub fn draw(seed: u64, mode: Mode) -> Scenario {
        let draw = Draw::new(seed);
        // Most runs are short; some see all three levels.
        let length = if draw.chance(20) {
            MINUTE * draw.between(33, 45) as u32
        } else {
            MINUTE * draw.between(6, 15) as u32
        };
        let rules = (0..draw.between(1, 3) as usize)
            .map(|index| rule(&draw, index, length))
            .collect::<Vec<_>>();
        let mut scenario = Scenario {
            seed,
            mode,
            length,
            people: people(&draw),
            acknowledgement_expires: draw.chance(60).then(|| MINUTE * draw.between(2, 12) as u32),
            events: events(&draw, rules.len(), length),
            rules,
            crashes: Vec::new(),
            store_faults: Vec::new(),
            received: Vec::new(),
        };
        match mode {
            Mode::Safety => break_without_bound(&draw, &mut scenario),
            Mode::Liveness => break_within_bounds(&draw, &mut scenario),
        }
        scenario.events.sort_by_key(|event| event.at);
        scenario.with_ends()
    }
}

fn rule(draw: &Draw, index: usize, length: Duration) -> RuleScript {
    let hold = Duration::from_secs(draw.pick(&[0, 0, 15, 60, 60, 120, 300]));
    let severity = if index > 0 && draw.chance(30) {
        Severity::Warning
    } else {
        Severity::Critical
    };
    let instances = (0..draw.pick(&[1, 1, 2, 3]))
        .map(|_| spans(draw, hold, length))
        .collect();
    let mut missing = Vec::new();
    if draw.chance(45) {
        for _ in 0..draw.between(1, 2) {
            let from = draw.length(MINUTE, length);
            let until = from + draw.length(10 * SECOND, 6 * MINUTE);
            let how = draw.pick(&[
                Missing::Incomplete,
                Missing::Incomplete,
                Missing::Failed,
                Missing::NoValue,
            ]);
            missing.push(((from, until.min(length)), how));
        }
    }
    RuleScript {
        name: format!("Rule{index}"),
        severity,
        hold,
        instances,
        missing,
    }
}

/// When a condition holds: mostly long, sometimes too short for its `for`. What holds at the end of the script goes on
/// the calm.
fn spans(draw: &Draw, hold: Duration, length: Duration) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut at = draw.length(5 * SECOND, 3 * MINUTE);
    while at < length {
        let long = if draw.chance(50) {
            length
        } else {
            hold + draw.length(40 * SECOND, 12 * MINUTE)
        };
        let held = if draw.chance(20) {
            draw.length(SECOND, hold + 20 * SECOND)
        } else {
            long
        };
        let until = at + held;
        if until >= length {
            spans.push((at, UNTIL_CALM));
            break;
        }
        spans.push((at, until));
        at = until + draw.length(20 * SECOND, 6 * MINUTE);
    }
    spans
}

fn people(draw: &Draw) -> Vec<PersonScript> {
    let mut names = vec![("ada", 1), ("lea", 2), ("max", 3)];
    if draw.chance(40) {
        names.insert(1, ("bob", 1));
    }
    let person = |(name, level): (&str, usize)| PersonScript {
        name: name.to_owned(),
        level,
        channels: vec![Vec::new(); draw.pick(&[1, 1, 2])],
        is_dead: false,
    };
    names.into_iter().map(person).collect()
}

fn events(draw: &Draw, rules: usize, length: Duration) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..draw.pick(&[0, 1, 1, 2, 3, 4]) {
        let rule = draw.below(rules as u64) as usize;
        let mut at = draw.length(MINUTE, length);
        if draw.chance(50) {
            // In the same instant as an evaluation and a tick.
            let grid = EVALUATION_INTERVAL.as_millis() as u64;
            at = Duration::from_millis(at.as_millis() as u64 / grid * grid);
        }
        let other = draw.below(rules as u64) as usize;
        let action = match draw.below(10) {
            0..=3 => Action::Acknowledge(rule),
            4 => Action::Resolve(rule),
            5 if other != rule => Action::Merge(rule, other),
            _ => {
                let long = draw.length(30 * SECOND, 8 * MINUTE);
                if draw.chance(40) {
                    let ended = Event {
                        at: at + draw.length(10 * SECOND, long),
                        action: Action::EndSilence(rule),
                        first: draw.chance(50),
                    };
                    events.push(ended);
                }
                Action::Silence(rule, long)
            }
        };
        let first = draw.chance(50);
        events.push(Event { at, action, first });
    }
    events.retain(|event| event.at < length);
    events
}

fn jumps(draw: &Draw, length: Duration) -> Vec<Event> {
    let jump = |_| {
        let far = draw.pick(&[600, 6 * 3600, 30 * 24 * 3600]) * 1000 + draw.below(20_000) as i64;
        let by = if draw.chance(50) { far } else { -far };
        Event {
            at: draw.length(20 * SECOND, length - MINUTE),
            action: Action::Jump(by),
            first: draw.chance(50),
        }
    };
    (0..draw.between(1, 3)).map(jump).collect()
}

fn crash(draw: &Draw, length: Duration, pauses_s: &[u64]) -> Crash {
    let placed = [
        Placed::BeforeCommit,
        Placed::BeforeSend,
        Placed::Accepted,
        Placed::BeforeOutcome,
        Placed::AfterOutcome,
    ];
    let point = if draw.chance(50) {
        CrashPoint::At(draw.length(10 * SECOND, length))
    } else {
        CrashPoint::Placed(draw.pick(&placed), draw.between(1, 5) as u32)
    };
    Crash {
        point,
        pause: Duration::from_secs(draw.pick(pauses_s)),
    }
}

const FAILURES: [Answer; 6] = [
    Answer::Error,
    Answer::Error,
    Answer::Hang,
    Answer::Drip,
    Answer::Redirect,
    Answer::Refuse,
];

fn break_without_bound(draw: &Draw, scenario: &mut Scenario) {
    let length = scenario.length;
    for person in &mut scenario.people {
        for channel in &mut person.channels {
            for _ in 0..draw.pick(&[0, 0, 1, 2, 3]) {
                let from = draw.length(Duration::ZERO, length);
                let until = (from + draw.length(SECOND, 20 * MINUTE)).min(length);
                let answer = if draw.chance(10) {
                    Answer::TakeAndHang
                } else {
                    draw.pick(&FAILURES)
                };
                channel.push(ChannelFault {
                    from,
                    answer,
                    lasting: Lasting::Until(until),
                });
            }
        }
    }
    for _ in 0..draw.pick(&[0, 1, 2, 3, 4, 6]) {
        let pauses = [1, 5, 20, 60, 300, 1200, 2400];
        scenario.crashes.push(crash(draw, length, &pauses));
    }
    for _ in 0..draw.pick(&[0, 0, 1, 2, 3]) {
        scenario.store_faults.push(if draw.chance(50) {
            StoreFault::Calls(draw.between(5, 600), draw.between(1, 40))
        } else {
            let from = draw.length(SECOND, length);
            let until = from + draw.length(SECOND, 10 * MINUTE);
            StoreFault::During(from, until.min(length))
        });
    }
    if draw.chance(35) {
        let jumps = jumps(draw, length);
        scenario.events.extend(jumps);
    }
}

/// At most five failures in a row for any page, with long pauses in between; deaths are short.
fn break_within_bounds(draw: &Draw, scenario: &mut Scenario) {
    let length = scenario.length;
    let theme = draw.below(8);
    if matches!(theme, 1 | 2 | 7) {
        for person in &mut scenario.people {
            for channel in &mut person.channels {
                // Often it is the first page that fails.
                let mut from = if draw.chance(50) {
                    Duration::ZERO
                } else {
                    draw.length(Duration::ZERO, 4 * MINUTE)
                };
                while from < length && draw.chance(75) {
                    channel.push(ChannelFault {
                        from,
                        answer: draw.pick(&FAILURES),
                        lasting: Lasting::Requests(
                            draw.pick(&[1, 2, 3, 4, 5, 5, 5]),
                            from + 5 * MINUTE,
                        ),
                    });
                    from += draw.length(8 * MINUTE, 14 * MINUTE);
                }
            }
        }
    }
    if matches!(theme, 3 | 7) {
        for _ in 0..draw.between(1, 3) {
            scenario
                .crashes
                .push(crash(draw, length, &[1, 5, 20, 60, 300, 1200]));
        }
    }
    if theme == 4 {
        for _ in 0..draw.between(1, 3) {
            scenario.store_faults.push(if draw.chance(60) {
                StoreFault::Calls(draw.between(5, 400), draw.between(1, 5))
            } else {
                let from = draw.length(SECOND, length);
                StoreFault::During(from, from + draw.length(SECOND, 15 * SECOND))
            });
        }
    }
    if matches!(theme, 5 | 7) {
        let jumps = jumps(draw, length);
        scenario.events.extend(jumps);
    }
    if theme == 6 {
        let index = draw.below(scenario.people.len() as u64) as usize;
        let dead = &mut scenario.people[index];
        dead.is_dead = true;
        for channel in &mut dead.channels {
            channel.push(ChannelFault {
                from: Duration::ZERO,
                answer: Answer::Hang,
                lasting: Lasting::Until(Duration::MAX),
            });
        }
    }
}
