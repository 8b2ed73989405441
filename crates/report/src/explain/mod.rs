//! `rkeepalived explain`: what a code means, what a keyword does, with an example of each.

mod code;
mod example;
mod keyword;

use rk_config::Code;
use rk_config::table::{Context, misnomer, nearest};

pub use code::{Example, examples, title_of};
pub use example::example;

/// The text about a word: a code (`RK0301`, in any case), the name of a lint, or a keyword in
/// every context that has it.
///
/// # Errors
/// Nothing of that name exists; the text says what may be meant.
pub fn explain(word: &str) -> Result<String, String> {
    if let Some(text) = code::text(word).or_else(|| keyword::text(word)) {
        return Ok(text);
    }
    if let Some(found) = misnomer(word) {
        return Err(format!("There is no keyword {word}: {}\n", found.advice));
    }
    let codes: Vec<String> = code::all().map(|code| code.to_string()).collect();
    let keywords = Context::ALL.iter().flat_map(|c| c.keywords());
    let names = keywords.map(|k| k.name).chain(code::names());
    let names: Vec<String> = names.map(str::to_owned).chain(codes).collect();
    let known = names.iter().map(String::as_str);
    let hint = match nearest(word, known) {
        Some(hint) => format!("did you mean {hint}?"),
        None => "codes look like RK0301, and keywords are those of the configuration".to_owned(),
    };
    Err(format!("Nothing is called {word}: {hint}\n"))
}

/// Every code there is.
pub fn codes() -> impl Iterator<Item = Code> {
    code::all()
}
