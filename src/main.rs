//! The `netlayers` command.

fn main() -> std::process::ExitCode {
    netlayers::cli::main(std::env::args_os())
}
