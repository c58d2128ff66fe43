//! A store in memory, and machines to go with it.

use std::sync::Arc;

use super::api::{Config, Effect, Event, Machine, Session, Snapshot};

/// A store of one session in memory: the text that a file would have.
#[derive(Debug, Default, Clone)]
pub struct Store {
    pub text: String,
}

impl Store {
    /// The session as the text has it. Every line must be whole: that is what is tested.
    pub fn load(&self, name: &str) -> Box<Snapshot> {
        let mut snapshot = Snapshot::new(name);
        let mut lines = self.text.split_inclusive('\n');
        if let Some(head) = lines.next() {
            let (session, version) = Session::begin(head).expect("a head");
            assert_eq!(version, 2);
            snapshot.session = session;
        }
        for line in lines {
            assert!(line.ends_with('\n'), "{line}");
            snapshot.session.add_turn(line).expect("a whole turn");
        }
        snapshot.save(self.text.len() as u64);
        Box::new(snapshot)
    }

    /// Answers `Load`, `Append` and `Replace`; gives other effects back.
    pub fn serve(&mut self, machine: &mut Machine, effect: Effect) -> Effect {
        let saved = match effect {
            Effect::Load { session, known } => {
                assert!(known.is_none(), "nobody else writes");
                let snapshot = self.load(&session);
                let outcome = Ok(());
                return machine.step(Event::Loaded { snapshot, outcome });
            }
            Effect::Append(saving) => {
                assert_eq!(saving.after, self.text.len() as u64);
                self.text.push_str(&saving.text);
                self.text.len()
            }
            Effect::Replace(saving) => {
                assert_eq!(saving.after, self.text.len() as u64);
                self.text = saving.text;
                self.text.len()
            }
            other => return other,
        };
        machine.step(Event::Saved(Ok(saved as u64)))
    }
}

/// A machine with this configuration.
pub fn machine(config: &str) -> Machine {
    let config = Config::parse(config).expect(config);
    Machine::new(Arc::new(*config))
}

/// What the user says.
pub fn message(text: &str) -> Event<'_> {
    Event::Message {
        session: "s",
        text,
        now_ms: 1_000_000,
        seed: 7,
    }
}
