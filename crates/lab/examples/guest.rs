//! Runs a shell script in a guest: `cargo run -p rk-lab --example guest FILE`.
#![allow(
    clippy::print_stdout,
    reason = "what the script wrote is what is asked for"
)]

fn main() -> anyhow::Result<std::process::ExitCode> {
    let file = std::env::args().nth(1).unwrap_or("/dev/stdin".to_owned());
    let output = rk_lab::Guest::new().script(&std::fs::read_to_string(file)?)?;
    println!("{output}");
    Ok(std::process::ExitCode::from(u8::from(!output.passed())))
}
