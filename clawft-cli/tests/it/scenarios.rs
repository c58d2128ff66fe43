//! Every scenario in every form: what comes of it is what it says, and no request was illegal.

use crate::support::{SECRET, driver, files};
use clawft_cli::driver::Progress;
use mock_provider::scenario::Form;
use mock_provider::{Mock, Scenario, Vendor, render};

/// Talks as `scenario` says; gives what is wrong.
fn hold(scenario: &Scenario, form: Form) -> Result<(), String> {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in &scenario.files {
        std::fs::write(root.path().join(name), text).unwrap();
    }
    let mock = Mock::start(scenario.exchanges.clone()).unwrap();
    let mut driver = driver(scenario, form, &mock, Some(root.path()));
    let mut shown = String::new();
    let mut last = None;
    for message in &scenario.say {
        shown.clear();
        last = Some(
            driver.respond("s", message, &mut |progress| match progress {
                // What was said before tools is another part.
                Progress::Request => shown.clear(),
                Progress::Text(text) => shown.push_str(text),
            }),
        );
    }
    let wrong = mock.finish().err().unwrap_or_default();
    let came = match last.unwrap() {
        Ok(answer) => {
            let text = &answer.message.content;
            if form.is_stream() && !shown.is_empty() && shown != *text {
                return Err(format!("shown was {shown:?}, the answer is {text:?}"));
            }
            let finish = scenario.finish.as_deref().unwrap_or("stop");
            if answer.finish != finish {
                return Err(format!("finish: {} for {finish}; {wrong}", answer.finish));
            }
            if answer.not_persisted.is_some() {
                return Err(format!("not saved: {:?}", answer.not_persisted));
            }
            (Some(text.clone()), None)
        }
        Err(error) => (
            None,
            Some(format!("{}: {}", error.code.as_str(), error.message)),
        ),
    };
    let code = came.1.as_ref().and_then(|error| error.split(": ").next());
    if (came.0.as_ref(), code) != (scenario.answer.as_ref(), scenario.error.as_deref()) {
        return Err(format!("{came:?}; {wrong}"));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    for (path, bytes) in files(root.path()) {
        if String::from_utf8_lossy(&bytes).contains(SECRET) {
            return Err(format!("the key is in {}", path.display()));
        }
    }
    Ok(())
}

#[test]
fn every_scenario_in_every_form() {
    let all = Scenario::all().unwrap();
    let mut waiting = Vec::new();
    for (name, scenario) in all {
        if scenario.every_cut {
            continue;
        }
        for form in scenario.forms().collect::<Vec<_>>() {
            let (name, scenario) = (name.clone(), scenario.clone());
            let held = std::thread::spawn(move || hold(&scenario, form));
            waiting.push((format!("{name} {form:?}"), held));
        }
    }
    let mut wrong = Vec::new();
    for (name, held) in waiting {
        if let Err(why) = held.join().unwrap() {
            wrong.push(format!("{name}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A reply of 4 KiB that comes in two pieces, cut at every byte.
#[test]
fn a_reply_cut_at_every_byte() {
    let mut scenario = Scenario::named("every_cut").unwrap();
    scenario.config = serde_json::json!({"limits": {"max_history": 2}});
    let mut waiting = Vec::new();
    for (form, vendor) in [
        (Form::OpenaiStream, Vendor::OpenAi),
        (Form::AnthropicStream, Vendor::Anthropic),
    ] {
        let say = scenario.exchanges[0].reply.say.as_ref().unwrap();
        let length = render::stream(vendor, say, "m", 1).len();
        assert!(length > 2000);
        let cuts: Vec<usize> = (1..length).collect();
        for cuts in cuts.chunks(length / 8) {
            let (scenario, cuts) = (scenario.clone(), cuts.to_vec());
            waiting.push(std::thread::spawn(move || cut_at(&scenario, form, &cuts)));
        }
    }
    for waiting in waiting {
        waiting.join().unwrap();
    }
}

fn cut_at(scenario: &Scenario, form: Form, cuts: &[usize]) {
    let exchanges = cuts.iter().map(|cut| {
        let mut exchange = scenario.exchanges[0].clone();
        exchange.chunks = vec![(*cut, 0), (usize::MAX, 0)];
        exchange
    });
    let mock = Mock::start(exchanges.collect()).unwrap();
    let mut driver = driver(scenario, form, &mock, None);
    for cut in cuts {
        let answer = driver.respond("s", "tell me", &mut |_| {});
        let answer = answer.unwrap_or_else(|error| panic!("{form:?} at {cut}: {error}"));
        assert_eq!(
            Some(answer.message.content),
            scenario.answer,
            "{form:?} at {cut}"
        );
    }
    mock.finish().unwrap();
}

/// A server that speaks no TLS where TLS is wanted.
#[test]
fn tls_is_refused() {
    let scenario = Scenario::named("plain").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        for stream in listener.incoming().take(3) {
            std::io::Write::write_all(&mut stream.unwrap(), b"HTTP/1.1 400 No\r\n\r\n").unwrap();
        }
    });
    let config = serde_json::json!({"model": "m", "providers": [{"kind": "openai",
        "base_url": format!("https://127.0.0.1:{port}/v1")}]});
    let agent = clawft_wasm::Agent::new(&config.to_string(), None).unwrap();
    let clock = clawft_cli::driver::Clock::Jumping(std::cell::Cell::new(1));
    let mut driver = clawft_cli::driver::Driver::new(
        agent,
        clawft_cli::keys::Keys::default(),
        clawft_cli::http::Times::default(),
        clock,
    );
    let error = driver
        .respond("s", &scenario.say[0], &mut |_| {})
        .unwrap_err();
    assert_eq!(error.code.as_str(), "provider_failed", "{error}");
    drop(server);
}
