//! One turn as a state machine: classify → route → assemble context → ask the provider ⇄ run tools
//! → save → answer.
//!
//! ```text
//! event ──► Machine::step ──► effect
//! ```
//!
//! There is no clock, file, socket, thread or random number in it: an [`Event`] goes in, one
//! [`Effect`] comes out, and what the effect asks for is done by a driver. So the same turn runs on
//! every host, can be dropped at any effect, and is tested with scripted events.
//! [`agent::turn`](crate::agent::turn) is the part that drivers share: store and tools.
//!
//! A turn collects its messages by itself ([`Draft`]) and adds them to the session when it is
//! through: an error on the way leaves the session as it was. When the rounds of tools are used up
//! the provider is asked once more, without tools: what they did is kept, and answered.

mod ask;
mod compact;
mod draft;
mod effect;
mod event;
mod exchange;
mod page;
mod run;
mod save;
mod snapshot;

use core::mem;

use clawft_types::{AgentError, Answer, Config, ErrorCode, Request, Result, Session, Usage};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::sync::Arc;

use crate::agent::completion::Completion;
use crate::agent::intent::{self, Intent};
use crate::agent::route;
use ask::Asking;
use draft::Draft;
pub use effect::{Credential, Effect, HttpRequest, Saving};
pub use event::{Event, HttpFault, StoreFault};
use exchange::{Exchange, Progress};
pub use snapshot::{Numbers, Shift, Snapshot};

/// What a turn's answer says where the provider wanted more rounds of tools than there are.
const TOOL_LIMIT: &str = "tool_limit";

/// What it says otherwise.
pub(crate) const STOP: &str = "stop";

/// A turn, from the message to its answer; afterwards it takes the next message.
#[derive(Debug)]
pub struct Machine {
    config: Arc<Config>,
    state: State,
    request: Option<Request>,
    exchange: Option<Box<Exchange>>,
    running: run::Running,
    answer: Option<Box<Answer>>,
    error: Option<Box<AgentError>>,
    snapshot: Box<Snapshot>,
    draft: Draft,
    intent: Intent,
    input_bytes: u64,
    tool_rounds: u64,
    finish: &'static str,
    started_ms: u64,
    asking: Asking,
    attempts: u32,
    /// The session's numbers when it was last up to date with the store.
    numbers: Numbers,
}

/// What is outstanding. What goes with it is beside it, in the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing.
    Idle,
    /// `Load`, for the message in `request`.
    Loading,
    /// `Ask`.
    Deciding,
    /// `Tools`.
    Acting,
    /// `Http` or `Receive`, of a page.
    Fetching,
    /// `Http`, `Receive` or `Delta`, of `exchange`.
    Asking,
    /// `Wait`, before the provider is asked again.
    Waiting,
    /// `Append` or `Replace`, of `answer`.
    Saving,
    /// `Load`, because others have added to the session.
    CatchingUp,
    /// `Append`, of a turn that has failed with `error`.
    Failing,
}

impl Machine {
    /// A machine with this configuration.
    pub fn new(config: Arc<Config>) -> Self {
        Machine {
            config,
            state: State::Idle,
            request: None,
            exchange: None,
            running: run::Running::default(),
            answer: None,
            error: None,
            snapshot: Box::new(Snapshot::new("")),
            draft: Draft::default(),
            intent: Intent::Chat,
            input_bytes: 0,
            tool_rounds: 0,
            finish: STOP,
            started_ms: 0,
            asking: Asking::default(),
            attempts: 0,
            numbers: (1, 1, 0),
        }
    }

    /// Takes in what has happened; gives what is to be done next.
    ///
    /// An event that answers nothing outstanding is `Failed` with `unexpected_event`, and changes
    /// nothing.
    pub fn step(&mut self, event: Event<'_>) -> Effect {
        let state = mem::replace(&mut self.state, State::Idle);
        let effect = match (state, event) {
            (
                State::Idle,
                Event::Message {
                    session,
                    text,
                    now_ms,
                    seed,
                },
            ) => self.begin(session, text, now_ms, seed),
            (State::Idle, _) => return unexpected(),
            (_, Event::Cancel) => Err(self.cancelled(state)),
            (State::Loading, Event::Loaded { snapshot, outcome }) => {
                self.snapshot = snapshot;
                outcome.and_then(|()| self.open())
            }
            (State::Deciding, Event::Decided { id, is_allowed }) => self.decided(id, is_allowed),
            (State::Acting, Event::Tool { id, outcome }) => self.acted(id, outcome),
            (State::Fetching, event) => self.fetched(&event),
            (State::Asking, event) => self.asked(&event),
            (State::Waiting, Event::Tick(now_ms)) => self.ask_again(now_ms),
            (State::Saving, Event::Saved(outcome)) => Ok(self.saved(outcome)),
            (State::CatchingUp, Event::Loaded { snapshot, outcome }) => {
                self.snapshot = snapshot;
                Ok(self.caught_up(outcome))
            }
            (State::Failing, Event::Saved(outcome)) => return self.has_failed(outcome),
            _ => {
                self.state = state;
                return unexpected();
            }
        };
        effect.unwrap_or_else(|error| self.fail(error))
    }

    /// Something has come of the provider's reply.
    fn asked(&mut self, event: &Event<'_>) -> Result<Effect> {
        let progress = match &mut self.exchange {
            Some(exchange) => exchange.step(event),
            None => Progress::Unexpected,
        };
        self.state = State::Asking;
        match progress {
            Progress::Unexpected => return Ok(unexpected()),
            Progress::More => return Ok(Effect::Receive),
            // Nobody is shown a summary.
            Progress::Text(_) if self.asking.compacting.is_under_way() => {
                return Ok(Effect::Receive);
            }
            Progress::Text(text) => {
                self.asking.is_shown = true;
                return Ok(Effect::Delta { text });
            }
            _ => {}
        }
        self.state = State::Idle;
        self.exchange = None;
        match progress {
            Progress::Answer(completion) => self.answered(completion),
            Progress::Failed(fault) => self.failed(fault),
            _ => Ok(unexpected()),
        }
    }

    /// The turn is to end at this point.
    fn cancelled(&mut self, state: State) -> Box<AgentError> {
        if matches!(state, State::Saving | State::Failing) {
            // Nobody knows whether the store has it: it is to be asked.
            self.take_snapshot();
        }
        (self.request, self.exchange, self.answer) = (None, None, None);
        self.running = run::Running::default();
        AgentError::new(ErrorCode::Cancelled, "the turn was cancelled", &[])
    }

    /// The turn that has failed is kept, or not.
    fn has_failed(&mut self, outcome: Result<u64, StoreFault>) -> Effect {
        match outcome {
            Ok(version) => self.snapshot.save(version),
            // It is read anew.
            Err(_) => drop(self.take_snapshot()),
        }
        match self.error.take() {
            Some(error) => Effect::Failed(error),
            None => unexpected(),
        }
    }

    /// The session as it is after the turn, for a driver that keeps it. There is none before a
    /// session was loaded, and it is handed out once.
    pub fn take_snapshot(&mut self) -> Option<Box<Snapshot>> {
        let empty = Box::new(Snapshot::new(""));
        let snapshot = mem::replace(&mut self.snapshot, empty);
        (!snapshot.session.name.is_empty()).then_some(snapshot)
    }

    fn begin(&mut self, session: &str, text: &str, now_ms: u64, seed: u64) -> Result<Effect> {
        self.asking = Asking::new(seed);
        self.started_ms = now_ms;
        self.draft = Draft::default();
        self.running = run::Running::default();
        Session::check_name(session)?;
        let request = Request::plain(text, &self.config.limits)?;
        self.request = Some(request);
        self.state = State::Loading;
        Ok(Effect::Load {
            session: String::from(session),
            known: None,
        })
    }

    /// Begins the turn in the session, which is there now.
    fn open(&mut self) -> Result<Effect> {
        let Some(request) = self.request.take() else {
            return Ok(unexpected());
        };
        self.draft = Draft::new(&self.snapshot.session, &request.text, self.started_ms);
        self.intent = intent::classify(&request.text);
        self.input_bytes = request.bytes as u64;
        self.tool_rounds = 0;
        self.finish = STOP;
        self.attempts = 0;
        self.ask()
    }

    /// Goes on with what the provider has answered: an effect, unless it is to be asked again.
    #[expect(
        clippy::boxed_local,
        reason = "it comes in a box, and is moved as one word"
    )]
    fn proceed(&mut self, completion: Box<Completion>) -> Result<Option<Effect>> {
        self.asking.tokens.add(completion.tokens);
        if completion.calls.is_empty() || self.finish != STOP {
            return self.end(&completion.text).map(Some);
        }
        if self.tool_rounds == self.config.limits.max_tool_rounds {
            self.finish = TOOL_LIMIT;
            return Ok(None);
        }
        self.tool_rounds += 1;
        if !completion.thinking.is_empty() {
            let at = self.draft.messages.len();
            self.draft.thinking.push((at, completion.thinking));
        }
        let wanted = self.draft.call(&completion.text, completion.calls);
        if !self.draft.is_waiting() {
            return Ok(None);
        }
        self.run(wanted).map(Some)
    }

    /// Ends the turn with this answer, which is then to be saved.
    fn end(&mut self, text: &str) -> Result<Effect> {
        let route = route::choose(&self.config, self.intent, self.asking.provider)?;
        let session = &mut self.snapshot.session;
        session.tokens = session.tokens.saturating_add(self.asking.tokens.sum());
        let (message, count) = self.draft.end(session, text);
        self.snapshot.unsaved += count;
        self.answer = Some(Box::new(Answer {
            session: session.name.clone(),
            intent: self.intent.as_str(),
            provider: route.provider.name.clone(),
            model: String::from(route.model),
            finish: self.finish,
            compaction: self.asking.compacting.outcome,
            message,
            tool_results: mem::take(&mut self.draft.results),
            usage: Usage {
                messages: count as u64,
                tool_rounds: self.tool_rounds,
                input_bytes: self.input_bytes,
                output_bytes: text.len() as u64,
                tokens: self.asking.tokens,
                ..Usage::default()
            },
            not_persisted: None,
        }));
        Ok(self.save())
    }

    /// Ends the turn with an error. What was asked and what tools did is kept, where the session
    /// is, for people to see; a session in which nothing was answered yet is not begun by that.
    fn fail(&mut self, error: Box<AgentError>) -> Effect {
        let snapshot = &mut *self.snapshot;
        let kept = snapshot.is_begun() && snapshot.is_saved() && !snapshot.is_old;
        if !kept || self.draft.messages.is_empty() {
            return Effect::Failed(error);
        }
        let messages = self.draft.fail(&mut snapshot.session);
        let saving = Saving {
            session: snapshot.session.name.clone(),
            after: snapshot.version,
            text: snapshot.session.turn(&messages, Some(&error)),
        };
        self.error = Some(error);
        self.state = State::Failing;
        Effect::Append(Box::new(saving))
    }
}

/// For an event that answers nothing outstanding.
fn unexpected() -> Effect {
    Effect::Failed(AgentError::new(
        ErrorCode::UnexpectedEvent,
        "the event does not answer what is outstanding; nothing has changed",
        &[],
    ))
}

#[cfg(test)]
mod tests;
