//! Ctrl-C as a terminal sends it.
#![cfg(unix)]

use crate::support::{Home, driver, interrupt};
use clawft_cli::driver::{Input, Progress};
use mock_provider::scenario::Form;
use mock_provider::{Mock, Scenario};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;

/// The first cancels the turn, whatever the server does; the second ends the program.
#[test]
fn the_first_cancels_and_the_second_ends() {
    let mut exchanges = Scenario::named("hang").unwrap().exchanges;
    exchanges.extend(Scenario::named("plain").unwrap().exchanges);
    exchanges[1].expect.absent.push("word".to_owned());
    let mock = Mock::start(exchanges).unwrap();
    let home = Home::with(&mock, Form::OpenaiStream);
    let mut child = home
        .weft()
        .arg("agent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
    input.write_all(b"hello\n").unwrap();
    let mut shown = [0; 9];
    output.read_exact(&mut shown).unwrap();
    assert_eq!(&shown, b"word word");
    interrupt(&child);
    let error = errors.next().unwrap().unwrap();
    assert!(error.contains("cancelled"), "{error}");
    // The conversation goes on.
    input.write_all(b"hello again\n").unwrap();
    let mut lines = BufReader::new(output).lines();
    lines.next().unwrap().unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "Hello there, friend.");
    interrupt(&child);
    assert_eq!(
        child.wait().unwrap().code(),
        Some(1),
        "ended by weft itself"
    );
    drop(input);
    mock.finish().unwrap();
}

/// Whoever cancels does not pay for what would still come: the connection is closed.
#[test]
fn a_cancelled_reply_is_let_go() {
    let mut scenario = Scenario::named("endless").unwrap();
    let mut exchange = scenario.exchanges[0].clone();
    exchange.reply.text = Some("data: {\"choices\":[{\"delta\":{\"content\":\"a \"}}]}\n\n".into());
    exchange.chunks = vec![(50, 10)];
    scenario.exchanges = vec![exchange];
    let mock = Mock::paced(scenario.exchanges.clone(), 100, 0).unwrap();
    let mut driver = driver(&scenario, Form::OpenaiStream, &mock, None);
    let outbox = driver.outbox();
    let error = driver.respond("s", "hello", &mut |progress| {
        if matches!(progress, Progress::Text(_)) {
            outbox.send(Input::Interrupt).unwrap();
        }
    });
    assert_eq!(error.unwrap_err().code.as_str(), "cancelled");
    mock.wait_until_idle().unwrap();
    mock.finish().unwrap();
}

/// A turn that waits before it asks again can be cancelled as well.
#[test]
fn a_wait_is_cancelled() {
    let mut exchanges = Scenario::named("rate_retry_after").unwrap().exchanges;
    exchanges.truncate(1);
    let headers = &mut exchanges[0].reply.headers;
    headers.insert("retry-after".to_owned(), "59".to_owned());
    let mock = Mock::start(exchanges).unwrap();
    let home = Home::with(&mock, Form::AnthropicWhole);
    let mut command = home.weft();
    command.args(["agent", "-m", "hello", "--json"]);
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    mock.wait_for(1).unwrap();
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.contains(r#""code":"cancelled""#), "{answer}");
    mock.finish().unwrap();
}
