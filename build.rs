//! Finds out what only the build knows: the git revision, its date, the kernel headers.
//!
//! The manual page and the completions come from the program itself (`--generate man`): made here
//! they would need the whole daemon to be built twice.

use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    // A commit changes one of these; they are absent outside of a checkout.
    for path in [".git/HEAD", ".git/logs/HEAD"] {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    if let Some(revision) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo::rustc-env=RK_GIT_REVISION={revision}");
    }
    println!("cargo::rustc-env=RK_BUILD_DATE={}", build_date());
    println!("cargo::rustc-env=RK_KERNEL_HEADERS={}", kernel_headers());
}

/// The first line that git prints, if it succeeds.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

/// `MM/DD,YYYY`: the day that a reproducible build names, else that of the last commit.
fn build_date() -> String {
    let named = std::env::var("SOURCE_DATE_EPOCH").ok();
    let seconds = named
        .or_else(|| git(&["log", "-1", "--format=%ct"]))
        .and_then(|text| text.parse::<i64>().ok())
        .unwrap_or(0);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    format!("{month:02}/{day:02},{year}")
}

/// Year, month and day of a day counted from 1 January 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    // Counted from 1 March of the year 0, so that the leap day is the last of a year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The version of the kernel headers on this machine.
fn kernel_headers() -> String {
    let path = "/usr/include/linux/version.h";
    println!("cargo::rerun-if-changed={path}");
    let code = fs::read_to_string(path).ok().and_then(|text| {
        let line = text
            .lines()
            .find(|line| line.contains("LINUX_VERSION_CODE"))?;
        line.split_whitespace().last()?.parse::<u32>().ok()
    });
    match code {
        Some(code) => format!("{}.{}.{}", code >> 16, code >> 8 & 255, code & 255),
        None => String::from("unknown"),
    }
}
