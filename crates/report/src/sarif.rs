//! A SARIF 2.1.0 log, which code scanning reads. The property names are those of the OASIS
//! standard; a test holds the log against its JSON schema.

use std::collections::BTreeMap;

use rk_config::{Code, Severity};
use serde_json::{Value, json};

use crate::explain::title_of;
use crate::item::{Item, Location, Remark};

/// Where the schema of the format is published.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The log of one run of a tool of this version, with a newline behind it.
#[must_use]
pub fn sarif(items: &[Item], version: &str) -> String {
    let mut rules: BTreeMap<Code, usize> = items.iter().map(|item| (item.code, 0)).collect();
    for (index, place) in rules.values_mut().enumerate() {
        *place = index;
    }
    let descriptions: Vec<Value> = rules.keys().map(|code| rule(*code)).collect();
    let results: Vec<Value> = items
        .iter()
        .map(|item| result(item, rules.get(&item.code).copied().unwrap_or_default()))
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "rkeepalived",
                "semanticVersion": version,
                "rules": descriptions,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.to_string(),
        "shortDescription": {"text": title_of(code)},
        "help": {"text": format!("rkeepalived explain {code}")},
    })
}

fn result(item: &Item, index: usize) -> Value {
    let hint = item.hint.as_deref().map(|hint| format!("\n{hint}"));
    let mut result = json!({
        "ruleId": item.code.to_string(),
        "ruleIndex": index,
        "level": match item.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "message": {"text": format!("{}{}", item.message, hint.unwrap_or_default())},
    });
    if let Some(at) = &item.location {
        result["locations"] = json!([{"physicalLocation": physical(at)}]);
    }
    let remarks: Vec<Value> = item
        .related
        .iter()
        .chain(&item.chain)
        .map(related)
        .collect();
    if !remarks.is_empty() {
        result["relatedLocations"] = json!(remarks);
    }
    if let Some((at, text)) = &item.replacement {
        let physical = physical(at);
        result["fixes"] = json!([{
            "description": {"text": format!("Write {text}")},
            "artifactChanges": [{
                "artifactLocation": physical["artifactLocation"],
                "replacements": [{
                    "deletedRegion": physical["region"],
                    "insertedContent": {"text": text},
                }],
            }],
        }]);
    }
    result
}

fn related(remark: &Remark) -> Value {
    json!({
        "physicalLocation": physical(&remark.location),
        "message": {"text": remark.text},
    })
}

fn physical(at: &Location) -> Value {
    json!({
        "artifactLocation": {"uri": uri(&at.file)},
        "region": {
            "startLine": at.line,
            "startColumn": at.column,
            "endColumn": at.end,
        },
    })
}

/// A path as a reference to it: `file:` for an absolute one, with what URIs cannot hold as `%XX`
/// (RFC 3986 §2.1, §3.3).
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => uri.push(char::from(byte)),
            b'/' | b'-' | b'.' | b'_' | b'~' | b'@' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_references() {
        for (path, want) in [
            ("/etc/keepalived/k.conf", "file:///etc/keepalived/k.conf"),
            ("a b/50%.conf", "a%20b/50%25.conf"),
            ("./ü", "./%C3%BC"),
        ] {
            assert_eq!(uri(path), want);
        }
    }
}
