//! `mock-provider SCENARIO.json`: the scripted provider as a program, to try an agent with by hand.

use mock_provider::{Mock, Scenario};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
A scripted provider of models on loopback.

Usage: mock-provider SCENARIO [PORT]

SCENARIO is the name of one of the crate's, or a JSON file. The address is printed; the program ends
when every exchange has been used.

Exit codes: 0 every request was as it must be, 1 one was not, 2 it could not be run.
Example: mock-provider one_tool 8080";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    match words.as_slice() {
        [word] if word == "-h" || word == "--help" => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        [scenario] => serve(scenario, 0),
        [scenario, port] => match port.parse() {
            Ok(port) => serve(scenario, port),
            Err(_) => refuse(&format!("{port} is no port; give 0 to 65535")),
        },
        _ => refuse("give the name or the file of a scenario; see --help"),
    }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(2)
}

fn serve(name: &str, port: u16) -> ExitCode {
    let file = Path::new(name);
    let scenario = if file.extension().is_some() {
        Scenario::read(file)
    } else {
        Scenario::named(name)
    };
    let scenario = match scenario {
        Ok(scenario) => scenario,
        Err(why) => return refuse(&why),
    };
    let mock = match Mock::paced(scenario.exchanges, 100, port) {
        Ok(mock) => mock,
        Err(why) => return refuse(&format!("port {port}: {why}")),
    };
    println!("{}", mock.url());
    if let Err(why) = std::io::stdout().flush() {
        return refuse(&format!("stdout: {why}"));
    }
    mock.wait();
    match mock.finish() {
        Ok(requests) => {
            println!("{} requests, each as it must be", requests.len());
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(1)
        }
    }
}
