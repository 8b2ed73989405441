//! The forms for programs: SARIF against its schema, JSON field by field, plain lines.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

#[path = "../../config/tests/support/mod.rs"]
mod support;

use rk_config::lint::cluster::{self, Node};
use rk_config::{Loaded, Options, load};
use rk_report::{Item, json, plain, sarif};
use serde_json::Value;
use support::{Disk, Machine};

const MAIN: &str = "/etc/keepalived/a file.conf";

/// A file with a mistake of every kind that formats treat differently: a replacement, a related
/// place, a chain of include, definition and sequence, letters of two bytes ahead of the mistake.
const TEXT: &str = "\
$PRIO=1OO
global_defs {
    router_idd one
    include \"more.conf\"
}
~SEQ(n, 1, 2) w\u{f6}rd$n bogus
vrrp_instance A {
    interface eth0
    virtual_router_id 7
    priority $PRIO
    virtual_ipaddress {
        192.0.2.1/24
    }
}
vrrp_instance A {
}
include more.conf
\u{fc} x
";

fn disk() -> Disk {
    Disk::default()
        .with(MAIN, TEXT)
        .with("/etc/keepalived/more.conf", "vrrp_strct\n")
}

fn read() -> Loaded {
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    load(MAIN, &options, &disk(), &Machine::default())
}

fn items() -> Vec<Item> {
    let loaded = read();
    let all = loaded.diagnostics.iter();
    all.map(|d| Item::of(&loaded.files, d)).collect()
}

/// The findings about two nodes that do not agree.
fn cluster_items() -> Vec<Item> {
    let node = |priority: u8, id: u8| {
        let text = format!(
            "vrrp_instance V {{\ninterface eth0\nvirtual_router_id {id}\npriority {priority}\n\
             virtual_ipaddress {{\n192.0.2.10/24\n}}\n}}\n"
        );
        support::test(text, &Machine::default())
    };
    let (a, b) = (node(150, 10), node(150, 11));
    let nodes = [("a", &a), ("b", &b)].map(|(name, l)| Node {
        name,
        config: &l.config,
    });
    cluster::check(&nodes)
        .iter()
        .map(Item::of_cluster)
        .collect()
}

#[test]
fn sarif_is_what_its_schema_says() {
    // One pattern of the published schema (of `language`, which we do not write) is no regular
    // expression: it closes a bracket that is not open.
    let schema = include_str!("data/sarif-schema-2.1.0.json").replace("{2}]?$", "{2}$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = |log: &Value| -> Vec<String> {
        validator
            .iter_errors(log)
            .map(|e| format!("{} at {}", e, e.instance_path()))
            .collect()
    };
    let mut all = items();
    all.extend(cluster_items());
    for items in [&all[..], &[]] {
        let log: Value = serde_json::from_str(&sarif(items, "1.2.3")).unwrap();
        assert_eq!(errors(&log), Vec::<String>::new());
        assert_eq!(
            log["runs"][0]["results"].as_array().unwrap().len(),
            items.len()
        );
    }
    // The schema does refuse what is wrong.
    let mut log: Value = serde_json::from_str(&sarif(&all, "1.2.3")).unwrap();
    log["runs"][0]["results"][0]["level"] = "fatal".into();
    assert_eq!(errors(&log).len(), 1);
}

#[test]
fn sarif_names_rules_places_and_fixes() {
    let log: Value = serde_json::from_str(&sarif(&items(), "1.2.3")).unwrap();
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_ne!(rules[index]["shortDescription"]["text"], "");
    }
    let typo = results
        .iter()
        .find(|r| {
            r["message"]["text"]
                .as_str()
                .unwrap()
                .contains("router_idd")
        })
        .unwrap();
    let place = &typo["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"]["uri"],
        "file:///etc/keepalived/a%20file.conf"
    );
    assert_eq!(
        place["region"],
        serde_json::json!({"startLine": 3, "startColumn": 5, "endColumn": 15})
    );
    let change = &typo["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(change["deletedRegion"], place["region"]);
    assert_eq!(change["insertedContent"]["text"], "router_id");
    let twice = results
        .iter()
        .find(|r| r["ruleId"] == "RK0502")
        .expect("a name that is defined twice");
    let first = &twice["relatedLocations"][0];
    assert_eq!(first["physicalLocation"]["region"]["startLine"], 7);
}

#[test]
fn json_has_every_field_on_one_line() {
    let text = json(&items());
    let objects: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects.len(), items().len());
    for object in &objects {
        let keys: Vec<_> = object.as_object().unwrap().keys().cloned().collect();
        let want = "chain code column end_column file hint line message related replacement \
                    severity";
        assert_eq!(keys.join(" "), want);
    }
    let of = |word: &str| {
        let found = objects
            .iter()
            .find(|o| o["message"].as_str().unwrap().contains(word));
        found.unwrap_or_else(|| panic!("{word}: {text}"))
    };
    let typo = of("router_idd");
    assert_eq!(
        typo["replacement"],
        serde_json::json!({"file": MAIN, "line": 3, "column": 5, "end_column": 15,
            "text": "router_id"})
    );
    // Through a definition: shown where it is used, with its text beside it, and not to be
    // replaced without a look.
    let number = of("1OO");
    assert_eq!(
        (&number["line"], &number["column"]),
        (&10.into(), &14.into())
    );
    assert_eq!(number["replacement"], Value::Null);
    assert_eq!(number["related"][0]["line"], 1);
    // Through an include.
    let inside = of("vrrp_strct");
    assert_eq!(inside["file"], "/etc/keepalived/more.conf");
    assert_eq!(inside["chain"][0]["line"], 17);
    // Through a sequence; columns count letters, not bytes.
    let round = of("w\u{f6}rd1");
    assert_eq!(
        (&round["column"], &round["end_column"]),
        (&15.into(), &19.into())
    );
    let chain = round["chain"][0]["message"].as_str().unwrap();
    assert!(chain.contains("n=1"), "{round}");
    assert_eq!(round["replacement"], Value::Null);
}

#[test]
fn plain_lines_are_found_by_editors() {
    let text = plain(&items());
    assert_eq!(text.lines().count(), items().len());
    for line in text.lines() {
        let rest = line
            .strip_prefix("/etc/keepalived/")
            .unwrap_or_else(|| panic!("{line}"));
        let mut parts = rest.splitn(4, ':');
        parts.next();
        assert!(parts.next().unwrap().parse::<u32>().unwrap() > 0, "{line}");
        assert!(parts.next().unwrap().parse::<u32>().unwrap() > 0, "{line}");
        let said = parts.next().unwrap();
        let levels = [" error[RK", " warning[RK", " note[RK"];
        assert!(levels.iter().any(|l| said.starts_with(l)), "{line}");
    }
    assert!(text.contains("(did you mean `router_id`?)"), "{text}");
}

#[test]
fn a_replacement_mends_the_line() {
    let loaded = read();
    let typo = loaded
        .diagnostics
        .iter()
        .find(|d| d.message.contains("router_idd"));
    let r = typo.unwrap().replacement.as_ref().unwrap();
    let line = loaded.files.line(r.place.file, r.place.line);
    let (from, to) = (
        r.place.column as usize,
        (r.place.column + r.place.len) as usize,
    );
    let mended = [&line[..from], r.text.as_bytes(), &line[to..]].concat();
    assert_eq!(mended, b"    router_id one");
}
