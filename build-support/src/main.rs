//! The command. Everything it can do is in the library; `cli/` has a file per subcommand.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
