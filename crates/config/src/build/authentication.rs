//! How an instance authenticates its adverts.

use super::check;
use super::instance::RawInstance;
use super::{At, Build, Stop};
use crate::code;
use crate::diagnostic::Class;
use crate::model::Secret;
use crate::table::Value;
use crate::tree::{Node, Statement};

/// The `authentication` block as written.
#[derive(Debug, Default)]
pub(crate) struct RawAuth {
    /// `Some(true)` is AH.
    pub(crate) ah: Option<bool>,
    pub(crate) secret: Option<Secret>,
    pub(crate) at: At,
}

impl Build<'_> {
    pub(super) fn authentication(
        &mut self,
        heading: &Statement,
        nodes: Vec<Node>,
        raw: &mut RawInstance,
    ) -> Result<(), Stop> {
        raw.auth.at = At::of(heading, 0);
        for node in nodes {
            let Some((keyword, statement)) = self.plain(node) else {
                continue;
            };
            let value = self.value(keyword, &statement)?;
            let word = statement.word(1).unwrap_or("").to_owned();
            match (keyword.name, value) {
                ("auth_type", Some(_)) => raw.auth.ah = Some(word == "AH"),
                ("auth_type", None) => {
                    let text = format!("unknown authentication type '{word}'");
                    if let Some(last) = self.session.report.diagnostics.last_mut() {
                        last.message = text;
                        last.help = Some(format!(
                            "adverts carry no authentication at all; write {}",
                            if word.eq_ignore_ascii_case("ah") {
                                "AH"
                            } else {
                                "PASS"
                            }
                        ));
                    }
                }
                ("auth_pass", _) => {
                    let mut secret = word.into_bytes();
                    if secret.len() > 8 {
                        secret.truncate(8);
                        // The row has said that the text is too long, and shown it.
                        if let Some(last) = self.session.report.diagnostics.last_mut() {
                            last.message = "Truncating auth_pass to 8 characters".into();
                            if secret.starts_with(b"$") {
                                let help = "no definition of this name was read, and the name \
                                            itself is the password now: write $NAME=PASSWORD \
                                            further up, or ${_ENV NAME} for a variable of the \
                                            environment";
                                last.help = Some(help.to_owned());
                            }
                        }
                    }
                    raw.auth.secret = Some(Secret::new(secret));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn auth_hmac(
        &mut self,
        heading: &Statement,
        nodes: Vec<Node>,
        raw: &mut RawInstance,
    ) -> Result<(), Stop> {
        let mut keys = Vec::new();
        let mut active: Option<u8> = None;
        for node in nodes {
            let Some((keyword, statement)) = self.plain(node) else {
                continue;
            };
            let Some(value) = self.value(keyword, &statement)? else {
                continue;
            };
            match keyword.name {
                "key" => {
                    let ids = Value::Int {
                        min: 1,
                        max: 255,
                        any_base: false,
                    };
                    let id =
                        check::word(ids, &statement, 1, self.lenient, &mut self.session.report);
                    let fine = match statement.word(2) {
                        None => false,
                        Some(key) => match key.strip_prefix("hex:") {
                            Some(hex) => {
                                let digits = hex.bytes().all(|b| b.is_ascii_hexdigit());
                                digits && (64..=128).contains(&hex.len()) && hex.len() % 2 == 0
                            }
                            None => key.starts_with("file:") || (32..=64).contains(&key.len()),
                        },
                    };
                    match (id.and_then(|v| v.int::<u8>()), fine) {
                        (Some(id), true) => keys.push(id),
                        (None, _) => {}
                        (Some(_), false) => {
                            let text = "a key has 32 to 64 bytes, as text, hex:HEX or file:PATH";
                            self.report_at(
                                code::AUTHENTICATION,
                                Class::General,
                                text,
                                &statement,
                                2,
                            );
                        }
                    }
                }
                "active_key" => active = value.int(),
                _ => {}
            }
        }
        raw.auth_hmac = active.is_some_and(|id| keys.contains(&id));
        if !raw.auth_hmac {
            let text = format!("({}) auth_hmac has no active key - disabling it", raw.name);
            self.report_at(code::AUTHENTICATION, Class::General, text, heading, 0);
        }
        Ok(())
    }
}
