//! The sessions in memory and in `.clawft/sessions`.
//!
//! A session is taken out, worked on, saved and put back. What is saved may be put away when there
//! are too many; what is not saved stays.
//!
//! [`Session`] has the form of the file. A turn is added to it when it ends, whatever the history
//! has: its cost does not grow. Processes that work in one session hold a lock while they add,
//! where the platform has one, and each reads first what others have added since; numbers of
//! messages go on from theirs.

use clawft_types::json::{decimal, unsigned};
use clawft_types::{AgentError, Answer, ErrorCode, Limits, Message, Result, Session, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::workspace::Workspace;

/// The folder of the session files.
const FOLDER: &str = ".clawft/sessions/";

/// How often a turn is added anew when others have added theirs meanwhile. With a lock once is
/// enough.
const ATTEMPTS: usize = 8;

/// A session, and how far it and its file agree.
#[derive(Debug)]
pub struct CachedSession {
    /// The session.
    pub session: Box<Session>,
    /// Bytes of the file that are in the session; 0 where there is none, or one to be replaced.
    size: u64,
    /// Messages at the end of the session that are not in the file.
    unsaved: usize,
    /// The numbers of the next message and call without those.
    next_saved: (u64, u64),
    /// Whether the file is of version 1.
    old: bool,
}

impl CachedSession {
    fn new(name: &str) -> Self {
        CachedSession {
            session: Box::new(Session::new(name)),
            size: 0,
            unsaved: 0,
            next_saved: (1, 1),
            old: false,
        }
    }

    /// Whether the file has all of it.
    fn is_saved(&self) -> bool {
        self.unsaved == 0 && self.size > 0
    }

    /// The file has all of it, and `size` bytes.
    fn saved(&mut self, size: u64) {
        self.size = size;
        self.unsaved = 0;
        self.next_saved = (self.session.next_message, self.session.next_call);
        self.old = false;
    }

    /// Whether there is anything in it.
    pub fn is_begun(&self) -> bool {
        self.session.turns > 0
    }

    /// A turn has added `count` messages.
    pub fn add(&mut self, count: u64) {
        // At most the number of messages, which is a `usize`.
        self.unsaved += count as usize;
        self.session.turns += 1;
    }

    /// Keeps to `limits`.
    pub fn trim(&mut self, limits: &Limits) {
        self.session.trim(limits);
        self.unsaved = self.unsaved.min(self.session.messages.len());
    }
}

/// Sessions in memory, the one used last at the end.
#[derive(Debug, Default)]
pub struct Sessions {
    #[expect(
        clippy::vec_box,
        reason = "each is taken out and put back in every turn"
    )]
    cached: Vec<Box<CachedSession>>,
}

impl Sessions {
    /// How many are in memory.
    pub fn count(&self) -> usize {
        self.cached.len()
    }

    /// Takes out the session `name`, from memory or from its file, with what others have added to
    /// that; a new one if there is neither.
    ///
    /// # Errors
    ///
    /// `state_corrupted` if a part of the file cannot be understood: it is then moved aside, and
    /// the turns that can go on in a new one. `unsupported` for a file of a newer version.
    /// `too_many_sessions`, or what the platform says.
    pub fn take(
        &mut self,
        name: &str,
        limits: &Limits,
        workspace: &Workspace,
    ) -> Result<Box<CachedSession>> {
        let known = self
            .cached
            .iter()
            .position(|cached| cached.session.name == name);
        let mut cached = match known {
            Some(at) => self.cached.remove(at),
            None => {
                self.make_room(limits)?;
                Box::new(CachedSession::new(name))
            }
        };
        if let Err(error) = refresh(&mut cached, limits, workspace) {
            if cached.unsaved > 0 {
                self.put(cached);
            }
            return Err(error);
        }
        Ok(cached)
    }

    /// Puts saved sessions away until there is room for one more.
    fn make_room(&mut self, limits: &Limits) -> Result<()> {
        while self.cached.len() as u64 >= limits.max_sessions {
            match self.cached.iter().position(|cached| cached.is_saved()) {
                Some(at) => drop(self.cached.remove(at)),
                None => {
                    return Err(AgentError::new(
                        ErrorCode::TooManySessions,
                        "limits.max_sessions = {} are in memory and not saved",
                        &[&decimal(limits.max_sessions)],
                    ));
                }
            }
        }
        Ok(())
    }

    /// Puts a session back.
    pub fn put(&mut self, cached: Box<CachedSession>) {
        self.cached.push(cached);
    }
}

/// Takes in what the session's file has more than the session, if there is a file.
fn refresh(cached: &mut CachedSession, limits: &Limits, workspace: &Workspace) -> Result<()> {
    if !workspace.is_there() {
        return Ok(());
    }
    match workspace.size(&path(&cached.session.name))? {
        Some(size) if size != cached.size => {}
        _ => return Ok(()),
    }
    match catch_up(cached, limits, workspace) {
        Err(error) if error.code == ErrorCode::StateCorrupted => {
            let _lock = workspace.lock()?;
            Err(set_aside(cached, &error.message, limits, workspace)?)
        }
        other => other.map(drop),
    }
}

/// Adds what is not saved to the session's file; where others have added turns meanwhile it comes
/// behind theirs, and `answer` gets the numbers it then has.
///
/// # Errors
///
/// `no_file_system`, or what the platform says; the session is then not saved, and the next turn
/// tries again.
pub fn save(
    cached: &mut CachedSession,
    answer: &mut Answer,
    limits: &Limits,
    workspace: &Workspace,
) -> Result<()> {
    let path = path(&cached.session.name);
    let _lock = workspace.lock()?;
    for _ in 0..ATTEMPTS {
        let size = workspace.size(&path)?;
        if size.is_none() || (cached.old && size == Some(cached.size)) {
            let count = cached.session.messages.len();
            let [head, turn] = [cached.session.head(), cached.session.last_turn(count)];
            let file = text::fill("{}{}", &[&head, &turn]);
            workspace.write(&path, &file)?;
            cached.saved(file.len() as u64);
            return Ok(());
        }
        if let Some(size) = size.filter(|size| *size == cached.size) {
            let line = cached.session.last_turn(cached.unsaved);
            workspace.append(&path, &line, size)?;
            cached.saved(size + line.len() as u64);
            return Ok(());
        }
        match catch_up(cached, limits, workspace) {
            Err(error) if error.code == ErrorCode::StateCorrupted => {
                return Err(set_aside(cached, &error.message, limits, workspace)?);
            }
            shift => shift?.apply(answer),
        }
        // What still follows is a turn that did not end: nobody was told of it.
        let tail = workspace.part(&path, cached.size)?;
        if !tail.is_empty() && !cached.old {
            let aside = free_name(&path, "partial", workspace)?;
            workspace.cut(&path, cached.size, &tail, &aside)?;
        }
    }
    let message = "{}: others write to it all the time";
    Err(AgentError::new(ErrorCode::Io, message, &[&path]))
}

fn path(name: &str) -> String {
    text::fill("{}{}", &[FOLDER, &Session::file_name(name)])
}

/// The numbers of the next message and call, in a session's file and with what else it has.
#[derive(Debug, Clone, Copy)]
struct Shift {
    from: (u64, u64),
    to: (u64, u64),
}

impl Shift {
    fn apply(self, answer: &mut Answer) {
        self.message(&mut answer.message);
        for result in &mut answer.tool_results {
            self.call(&mut result.call_id);
        }
    }

    fn message(self, message: &mut Message) {
        renumber(&mut message.id, "m", self.from.0, self.to.0);
        self.call(&mut message.call_id);
        for call in &mut message.tool_calls {
            self.call(&mut call.id);
        }
    }

    fn call(self, id: &mut String) {
        renumber(id, "c", self.from.1, self.to.1);
    }
}

/// Counts `id` from `to` on instead of `from`.
fn renumber(id: &mut String, name: &str, from: u64, to: u64) {
    let number = id.get(name.len()..).and_then(unsigned);
    if let Some(after) = number.and_then(|number| number.checked_sub(from)) {
        *id = text::numbered(name, to + after);
    }
}

/// Puts what the file has more than the session before what the session has more than the file.
///
/// # Errors
///
/// `state_corrupted`, `unsupported`, or what the platform says; the session has still what the file
/// has not.
#[expect(
    clippy::replace_box,
    reason = "a new one in its place takes fewer bytes of code"
)]
fn catch_up(cached: &mut CachedSession, limits: &Limits, workspace: &Workspace) -> Result<Shift> {
    let path = path(&cached.session.name);
    let size = workspace.size(&path)?.unwrap_or_default();
    let session = &mut cached.session;
    let mut mine = session
        .messages
        .split_off(session.messages.len() - cached.unsaved);
    let from = cached.next_saved;
    let own = (session.next_message - from.0, session.next_call - from.1);
    if cached.old || size < cached.size {
        // It is another file than the one that was read.
        cached.session = Box::new(Session::new(&cached.session.name));
        (cached.size, cached.old, cached.next_saved) = (0, false, (1, 1));
    }
    (cached.session.next_message, cached.session.next_call) = cached.next_saved;
    let done = read_on(cached, &path, limits, workspace);
    let session = &mut cached.session;
    let to = (session.next_message, session.next_call);
    cached.next_saved = to;
    let shift = Shift { from, to };
    mine.iter_mut().for_each(|message| shift.message(message));
    session.messages.append(&mut mine);
    session.next_message += own.0;
    session.next_call += own.1;
    done.map(|()| shift)
}

/// Reads the file on from where it was read to, as far as its lines end.
fn read_on(
    cached: &mut CachedSession,
    path: &str,
    limits: &Limits,
    workspace: &Workspace,
) -> Result<()> {
    let rest = each_line(path, cached.size, workspace, &mut |line| {
        take_line(cached, line, limits)?;
        cached.size += line.len() as u64 + 1;
        Ok(())
    })?;
    // Version 1 has no line end.
    if cached.size == 0 && !rest.is_empty() {
        take_line(cached, &rest, limits)?;
        cached.size = rest.len() as u64;
    }
    Ok(())
}

/// Hands each line of the file from the byte `at` on to `take`; gives what has no end.
fn each_line(
    path: &str,
    mut at: u64,
    workspace: &Workspace,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    loop {
        let part = workspace.part(path, at)?;
        if part.is_empty() {
            return Ok(buffer);
        }
        at += part.len() as u64;
        buffer.extend_from_slice(&part);
        let mut rest = buffer.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            take(rest.get(..end).unwrap_or_default())?;
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        let done = buffer.len() - rest.len();
        buffer.drain(..done);
    }
}

/// Takes the next line of the file into the session.
fn take_line(cached: &mut CachedSession, line: &[u8], limits: &Limits) -> Result<()> {
    let Ok(line) = core::str::from_utf8(line) else {
        return Err(AgentError::new(ErrorCode::StateCorrupted, "not UTF-8", &[]));
    };
    if cached.size > 0 {
        cached.session.add_turn(line)?;
    } else {
        let (session, version) = Session::begin(line)?;
        if session.name != cached.session.name {
            let message = "it is the file of another session";
            return Err(AgentError::new(ErrorCode::StateCorrupted, message, &[]));
        }
        cached.session = session;
        cached.old = version == 1;
    }
    cached.session.trim(limits);
    Ok(())
}

/// Moves a file that cannot be understood aside, and begins a new one with the turns in it that
/// can. What the session has more than the file stays in it. The error says where the file is.
///
/// # Errors
///
/// What the platform says.
fn set_aside(
    cached: &mut CachedSession,
    why: &str,
    limits: &Limits,
    workspace: &Workspace,
) -> Result<Box<AgentError>> {
    let path = path(&cached.session.name);
    let mut good = CachedSession::new(&cached.session.name);
    let mut lines = String::new();
    each_line(&path, 0, workspace, &mut |line| {
        let text = core::str::from_utf8(line).unwrap_or_default();
        if good.session.add_turn(text).is_ok() {
            good.session.trim(limits);
            lines.push_str(text);
            lines.push('\n');
        }
        Ok(())
    })?;
    let aside = free_name(&path, "corrupt", workspace)?;
    workspace.rename(&path, &aside)?;
    if good.session.turns > 0 {
        let file = text::fill("{}{}", &[&good.session.head(), &lines]);
        workspace.write(&path, &file)?;
    }
    // It is read anew with the next turn.
    cached.size = 0;
    let turns = decimal(good.session.turns);
    Ok(AgentError::new(
        ErrorCode::StateCorrupted,
        "{} cannot be understood ({}); {} turns of it go on, and it was moved to {}",
        &[&path, why, &turns, &aside],
    ))
}

/// A name beside `path` that nothing has yet.
fn free_name(path: &str, kind: &str, workspace: &Workspace) -> Result<String> {
    let mut number = 1;
    loop {
        let aside = text::fill("{}.{}{}", &[path, kind, &decimal(number)]);
        if !workspace.exists(&aside)? {
            return Ok(aside);
        }
        number += 1;
    }
}
