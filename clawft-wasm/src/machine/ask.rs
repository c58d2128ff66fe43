//! Asking the provider: again, later, elsewhere, with less.

use core::mem;

use clawft_types::{AgentError, ErrorCode, Message, ProviderKind, Result, Tokens};
use core_alloc::boxed::Box;

use super::compact::Compacting;
use super::effect::{Effect, HttpRequest};
use super::exchange::{Exchange, Fault};
use super::{Machine, STOP, State, TOOL_LIMIT};
use crate::agent::completion::Completion;
use crate::agent::context::Context;
use crate::agent::provider::{self, Failure, Remedy};
use crate::agent::route;
use crate::agent::tools::Allowed;

/// How often a provider is asked the same.
const TRIES: u32 = 3;

/// The longest time that is waited for a provider, in milliseconds.
const MAX_WAIT_MS: u64 = 60_000;

/// Milliseconds that a turn may take.
pub(super) const TURN_MS: u64 = 600_000;

/// Where a turn stands with its providers.
#[derive(Debug, Default)]
pub struct Asking {
    /// The place in the configuration from which on a provider is looked for.
    pub provider: usize,
    /// How often it has been asked the same.
    tries: u32,
    /// Whether a part of the present reply has been handed out.
    pub is_shown: bool,
    /// What all requests and replies have come to.
    pub tokens: Tokens,
    /// Bytes of the request that was sent last.
    sent: u64,
    /// How the history was made shorter.
    pub compacting: Compacting,
    seed: u64,
}

impl Asking {
    /// Of a turn that begins.
    pub fn new(seed: u64) -> Self {
        Asking {
            seed,
            ..Asking::default()
        }
    }

    /// How long to wait before the next try: a second, two, four, each a quarter more or less.
    fn backoff(&mut self) -> u64 {
        // splitmix64
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let whole = 500 << self.tries.min(8);
        whole * 3 / 4 + mixed % (whole / 2 + 1)
    }
}

/// What asking has come to at once.
pub enum Asked {
    /// The provider needs nobody.
    Answer(Box<Completion>),
    /// What is to be sent.
    Request(Box<HttpRequest>, Box<Exchange>),
}

impl Machine {
    /// Asks the provider, until there is something to be done by others.
    pub(super) fn ask(&mut self) -> Result<Effect> {
        loop {
            self.check_budget()?;
            if self.draft.is_stuck() {
                self.finish = TOOL_LIMIT;
            }
            match self.question()? {
                Asked::Answer(completion) => {
                    if let Some(effect) = self.proceed(completion)? {
                        return Ok(effect);
                    }
                }
                Asked::Request(request, _) if request.body.len() > provider::MAX_REQUEST_BYTES => {
                    let mut failure = Failure::new("the request has more than 4 MiB");
                    failure.remedy = Remedy::Less;
                    return self.shorten(Box::new(failure.into()));
                }
                Asked::Request(request, exchange) => {
                    let bytes = request.body.len() as u64;
                    if let Some(cut) = self.cut_for(bytes) {
                        return self.compact(cut);
                    }
                    self.asking.is_shown = false;
                    self.asking.sent = bytes;
                    return Ok(self.send(request, exchange));
                }
            }
        }
    }

    pub(super) fn send(&mut self, request: Box<HttpRequest>, exchange: Box<Exchange>) -> Effect {
        self.exchange = Some(exchange);
        self.state = State::Asking;
        Effect::Http(request)
    }

    fn question(&self) -> Result<Asked> {
        let may_call = self.finish == STOP;
        self.question_of(
            &self.snapshot.session.messages,
            &self.draft.messages,
            may_call,
        )
    }

    /// Asks what `turn` says behind `history`.
    pub(super) fn question_of(
        &self,
        history: &[Message],
        turn: &[Message],
        may_call: bool,
    ) -> Result<Asked> {
        let config = &self.config;
        let route = route::choose(config, self.intent, self.asking.provider)?;
        let allowed = Allowed::by(config);
        let context = Context {
            model: route.model,
            temperature_milli: config.temperature_milli,
            system: &config.system,
            intent: self.intent,
            history,
            start: self.start(),
            summary: self.summary(),
            turn,
            thinking: &self.draft.thinking,
            allowed,
            tools: may_call.then_some(allowed),
        };
        let provider = route.provider;
        if provider.kind == ProviderKind::Offline {
            return provider::offline::complete(&context).map(Asked::Answer);
        }
        let mut request = provider::request(&context, provider);
        if self.started_ms > 0 {
            request.until_ms = self.started_ms + TURN_MS;
        }
        let exchange = Exchange::new(provider.kind, provider.stream, request.max_reply_bytes);
        Ok(Asked::Request(request, Box::new(exchange)))
    }

    /// Whether tokens are left, of the turn's and the session's.
    fn check_budget(&self) -> Result<()> {
        let limits = &self.config.limits;
        let turn = self.asking.tokens.sum();
        let session = self.snapshot.session.tokens.saturating_add(turn);
        let name = if limits.max_tokens_per_turn > 0 && turn >= limits.max_tokens_per_turn {
            "turn"
        } else if limits.max_tokens_per_session > 0 && session >= limits.max_tokens_per_session {
            "session"
        } else {
            return Ok(());
        };
        let message = "limits.max_tokens_per_{} is used up";
        Err(AgentError::new(ErrorCode::BudgetExceeded, message, &[name]))
    }

    /// The provider has answered.
    pub(super) fn answered(&mut self, completion: Box<Completion>) -> Result<Effect> {
        if self.asking.compacting.is_under_way() {
            self.asking.tokens.add(completion.tokens);
            return self.compacted(&completion.text);
        }
        self.asking.tries = 0;
        let tokens = completion.tokens.input;
        self.snapshot.measure(self.asking.sent, tokens);
        match self.proceed(completion)? {
            Some(effect) => Ok(effect),
            None => self.ask(),
        }
    }

    /// The time before the next try is over.
    pub(super) fn ask_again(&mut self, now_ms: u64) -> Result<Effect> {
        if self.started_ms > 0 && now_ms >= self.started_ms + TURN_MS {
            let message = "the turn has lasted 600 seconds";
            return Err(AgentError::new(ErrorCode::TimedOut, message, &[]));
        }
        self.ask()
    }

    /// The provider has not answered.
    pub(super) fn failed(&mut self, fault: Box<Fault>) -> Result<Effect> {
        if self.asking.compacting.is_under_way() {
            return self.compacted("");
        }
        if mem::take(&mut self.asking.is_shown) {
            let mut error = self.error(&fault);
            error.code = ErrorCode::Interrupted;
            return Err(error);
        }
        match fault.failure.remedy {
            Remedy::None => Err(self.error(&fault)),
            Remedy::Less => self.shorten(fault),
            Remedy::Again => self.retry(fault),
        }
    }

    fn retry(&mut self, fault: Box<Fault>) -> Result<Effect> {
        self.asking.tries += 1;
        let for_ms = match fault.retry_after_ms {
            Some(asked) => asked,
            None => self.asking.backoff(),
        };
        if for_ms <= MAX_WAIT_MS && self.asking.tries < TRIES {
            self.state = State::Waiting;
            return Ok(Effect::Wait { for_ms });
        }
        let mut error = self.error(&fault);
        let here = route::choose(&self.config, self.intent, self.asking.provider)?.at;
        if let Ok(next) = route::choose(&self.config, self.intent, here + 1) {
            self.asking.provider = next.at;
            self.asking.tries = 0;
            return self.ask();
        }
        error.retry_after_ms = fault.retry_after_ms.unwrap_or_default();
        if error.retry_after_ms > MAX_WAIT_MS {
            error.code = ErrorCode::RateLimited;
        }
        Err(error)
    }

    /// The error that a fault is for the host.
    pub(super) fn error(&self, fault: &Fault) -> Box<AgentError> {
        let route = route::choose(&self.config, self.intent, self.asking.provider);
        let name = route.map_or("", |route| &route.provider.name);
        AgentError::new(fault.code, "{}: {}", &[name, &fault.failure.message])
    }
}
