//! The file of a session: read on from where it was read to, added to, put aside where it cannot be
//! understood.

use clawft_types::json::decimal;
use clawft_types::{AgentError, ErrorCode, Limits, Result, Session, text};
use core_alloc::boxed::Box;
use core_alloc::string::String;
use core_alloc::vec::Vec;

use super::super::workspace::Workspace;
use crate::machine::{Saving, Shift, Snapshot, StoreFault};

/// The folder of the session files.
const FOLDER: &str = ".clawft/sessions/";

/// Takes in what the session's file has more than the session, if there is a file.
pub(super) fn refresh(cached: &mut Snapshot, limits: &Limits, workspace: &Workspace) -> Result<()> {
    cached.is_gone = false;
    if !workspace.is_there() {
        return Ok(());
    }
    match workspace.size(&path(&cached.session.name))? {
        Some(size) if size != cached.version => {}
        _ => return Ok(()),
    }
    match read_more(cached, limits, workspace) {
        Err(error) if error.code == ErrorCode::StateCorrupted => {
            let _lock = workspace.lock()?;
            Err(set_aside(cached, &error.message, limits, workspace)?)
        }
        other => other,
    }
}

/// Brings a session up to date with its file, while others are kept from writing: what is not saved
/// comes behind theirs.
///
/// # Errors
///
/// As [`Sessions::take`]; what is not saved is still in the session.
pub fn catch_up(cached: &mut Snapshot, limits: &Limits, workspace: &Workspace) -> Result<()> {
    let path = path(&cached.session.name);
    if workspace.size(&path)?.is_none() {
        cached.is_gone = true;
        return Ok(());
    }
    match read_more(cached, limits, workspace) {
        Err(error) if error.code == ErrorCode::StateCorrupted => {
            return Err(set_aside(cached, &error.message, limits, workspace)?);
        }
        other => other?,
    }
    // What still follows is a turn that did not end: nobody was told of it.
    let tail = workspace.part(&path, cached.version)?;
    if !tail.is_empty() && !cached.is_old {
        let aside = free_name(&path, "partial", workspace)?;
        workspace.cut(&path, cached.version, &tail, &aside)?;
    }
    Ok(())
}

/// Adds a line to the file of a session, or puts all lines in the place of what it has; gives its
/// new size.
///
/// # Errors
///
/// [`StoreFault::Conflict`] where it is not as large as it should be, or there is one where there
/// should be none; otherwise what the platform says.
pub fn save(saving: &Saving, is_whole: bool, workspace: &Workspace) -> Result<u64, StoreFault> {
    let (path, after) = (path(&saving.session), saving.after);
    let size = workspace.size(&path).map_err(StoreFault::Failed)?;
    if size.unwrap_or_default() != after || (size.is_some() && after == 0) {
        return Err(StoreFault::Conflict);
    }
    let (done, before) = if is_whole {
        (workspace.write(&path, &saving.text), 0)
    } else {
        (workspace.append(&path, &saving.text, after), after)
    };
    done.map_err(StoreFault::Failed)?;
    Ok(before + saving.text.len() as u64)
}

/// The names of the sessions that have a file.
///
/// # Errors
///
/// What the platform says.
pub fn saved(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = text::first_characters(FOLDER, FOLDER.len() - 1);
    if !workspace.is_there() || !workspace.exists(folder)? {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for file in &workspace.list(folder, u64::MAX)? {
        if let Some(name) = Session::name_of(file) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The size of a session's file; 0 where there is none.
///
/// # Errors
///
/// What the platform says.
pub fn bytes(name: &str, workspace: &Workspace) -> Result<u64> {
    if !workspace.is_there() {
        return Ok(0);
    }
    Ok(workspace.size(&path(name))?.unwrap_or_default())
}

/// A session with all that its file has, if there is one.
///
/// # Errors
///
/// `state_corrupted`, `newer_version`, or what the platform says.
pub fn all(name: &str, workspace: &Workspace) -> Result<Option<Box<Session>>> {
    let path = path(name);
    if !workspace.is_there() || !workspace.exists(&path)? {
        return Ok(None);
    }
    let mut session = None;
    let mut take = |line: &[u8]| {
        let line = core::str::from_utf8(line).unwrap_or_default();
        match &mut session {
            None => session = Some(Session::begin(line)?.0),
            Some(session) => session.add_any_turn(line)?,
        }
        Ok(())
    };
    let rest = each_line(&path, 0, workspace, &mut take)?;
    if session.is_none() && !rest.is_empty() {
        let line = core::str::from_utf8(&rest).unwrap_or_default();
        session = Some(Session::begin(line)?.0);
    }
    Ok(session)
}

/// Removes the file of a session. Whether there was one.
///
/// # Errors
///
/// What the platform says.
pub fn remove(name: &str, workspace: &Workspace) -> Result<bool> {
    let path = path(name);
    if !workspace.is_there() || !workspace.exists(&path)? {
        return Ok(false);
    }
    let _lock = workspace.lock()?;
    workspace.remove(&path)?;
    Ok(true)
}

fn path(name: &str) -> String {
    text::fill("{}{}", &[FOLDER, &Session::file_name(name)])
}

/// Puts what the file has more than the session before what the session has more than the file.
///
/// # Errors
///
/// `state_corrupted`, `newer_version`, or what the platform says; the session has still what the
/// file has not.
#[expect(
    clippy::replace_box,
    reason = "a new one in its place takes fewer bytes of code"
)]
fn read_more(cached: &mut Snapshot, limits: &Limits, workspace: &Workspace) -> Result<()> {
    let path = path(&cached.session.name);
    let size = workspace.size(&path)?.unwrap_or_default();
    let session = &mut cached.session;
    let mut mine = session
        .messages
        .split_off(session.messages.len() - cached.unsaved);
    let (from, now) = (cached.saved, cached.numbers());
    if cached.is_old || size < cached.version {
        // It is another file than the one that was read.
        cached.session = Box::new(Session::new(&cached.session.name));
        (cached.version, cached.is_old, cached.saved) = (0, false, (1, 1, 0));
    }
    cached.count_from(cached.saved);
    let done = read_on(cached, &path, limits, workspace);
    let to = cached.numbers();
    cached.saved = to;
    let added = |to: u64, from, now: u64| to.saturating_add(now.saturating_sub(from));
    cached.count_from((
        added(to.0, from.0, now.0),
        added(to.1, from.1, now.1),
        added(to.2, from.2, now.2),
    ));
    let shift = Shift { from, to };
    mine.iter_mut().for_each(|message| shift.message(message));
    cached.session.messages.append(&mut mine);
    done
}

/// Reads the file on from where it was read to, as far as its lines end.
fn read_on(
    cached: &mut Snapshot,
    path: &str,
    limits: &Limits,
    workspace: &Workspace,
) -> Result<()> {
    let rest = each_line(path, cached.version, workspace, &mut |line| {
        take_line(cached, line, limits)?;
        cached.version += line.len() as u64 + 1;
        Ok(())
    })?;
    // Version 1 has no line end.
    if cached.version == 0 && !rest.is_empty() {
        take_line(cached, &rest, limits)?;
        cached.version = rest.len() as u64;
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
        buffer = rest.to_vec();
    }
}

/// Takes the next line of the file into the session.
fn take_line(cached: &mut Snapshot, line: &[u8], limits: &Limits) -> Result<()> {
    let Ok(line) = core::str::from_utf8(line) else {
        return Err(AgentError::new(ErrorCode::StateCorrupted, "not UTF-8", &[]));
    };
    if cached.version > 0 {
        cached.session.add_turn(line)?;
    } else {
        let (session, version) = Session::begin(line)?;
        if session.name != cached.session.name {
            let message = "it is the file of another session";
            return Err(AgentError::new(ErrorCode::StateCorrupted, message, &[]));
        }
        cached.session = session;
        cached.is_old = version == 1;
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
    cached: &mut Snapshot,
    why: &str,
    limits: &Limits,
    workspace: &Workspace,
) -> Result<Box<AgentError>> {
    let path = path(&cached.session.name);
    let mut good = Snapshot::new(&cached.session.name);
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
    cached.version = 0;
    let turns = decimal(good.session.turns.into());
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
