//! The `rkeepalived` program: see `rk_daemon` for what it does.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    rk_daemon::run(&rk_daemon::Build {
        version: env!("CARGO_PKG_VERSION"),
        compatible_with: "2.4.3",
        date: env!("RK_BUILD_DATE"),
        revision: option_env!("RK_GIT_REVISION"),
        kernel_headers: env!("RK_KERNEL_HEADERS"),
    })
}
