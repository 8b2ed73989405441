//! What is watched, how fast that is noticed, and what nobody watches.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::{Ctx, Lint, lint, seconds};
use crate::diagnostic::Diagnostic;
use crate::model::{Check, Origin, Tracked, Tracks};

/// A failure should be noticed sooner.
const SLOW: Duration = Duration::from_secs(30);

pub(super) const LINTS: &[Lint] = &[
    lint(
        2301,
        "unused-script",
        unused_script,
        "No instance and no sync group tracks the script. It runs for nothing; most often the \
         track_script block was forgotten or names another script.",
        example!("vrrp_script web {\n    script /bin/true\n}\n", ""),
        example!(
            "vrrp_script web {\n    script /bin/true\n}\n",
            "    track_script {\n        web\n    }\n"
        ),
    ),
    lint(
        2302,
        "unused-tracker",
        unused_tracker,
        "No instance and no sync group tracks the file, process or BFD session.",
        example!("track_file drain {\n    file /run/drain\n}\n", ""),
        example!(
            "track_file drain {\n    file /run/drain\n    weight -10\n}\n",
            "    track_file {\n        drain\n    }\n"
        ),
    ),
    lint(
        2303,
        "unused-group",
        unused_group,
        "No static entry follows the track group, or no instance is on an interface of the garp \
         group.",
        example!("track_group G {\n    group {\n        V\n    }\n}\n", ""),
        example!(
            "track_group G {
    group {
        V
    }
}
static_ipaddress {
    192.0.2.20/24 dev eth0 track_group G
}
",
            ""
        ),
    ),
    lint(
        2304,
        "timeout-too-long",
        timeout_too_long,
        "A script that hangs is found after its timeout. When that is longer than interval times \
         fall, a hang takes longer to notice than a plain failure, and the runs meanwhile are \
         skipped.",
        example!(
            "vrrp_script web {
    script /bin/true
    interval 2
    timeout 30
    fall 2
}
",
            "    track_script {\n        web\n    }\n"
        ),
        example!(
            "vrrp_script web {
    script /bin/true
    interval 2
    timeout 2
    fall 2
}
",
            "    track_script {\n        web\n    }\n"
        ),
    ),
    lint(
        2305,
        "slow-detection",
        slow_detection,
        "A failure counts only after `fall` failed runs, one each interval: until then a broken \
         node stays master.",
        example!(
            "vrrp_script web {
    script /bin/true
    interval 20
    fall 3
}
",
            "    track_script {\n        web\n    }\n"
        ),
        example!(
            "vrrp_script web {
    script /bin/true
    interval 2
    fall 3
}
",
            "    track_script {\n        web\n    }\n"
        ),
    ),
    lint(
        2306,
        "mixed-weights",
        mixed_weights,
        "One tracker has weight 0 in one member of a sync group and another weight elsewhere in \
         it. The fault of the one member takes the whole group down, so the weights of the \
         others never decide.",
        "vrrp_script web {
    script /bin/true
}
vrrp_sync_group G {
    group {
        V
        W
    }
    sync_group_tracking_weight
}
vrrp_instance V {
    interface eth0
    virtual_router_id 10
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
    track_script {
        web weight -20
    }
}
vrrp_instance W {
    interface eth1
    virtual_router_id 10
    priority 150
    virtual_ipaddress {
        198.51.100.10/24
    }
    track_script {
        web weight 0
    }
}",
        "vrrp_script web {
    script /bin/true
}
vrrp_sync_group G {
    group {
        V
        W
    }
    sync_group_tracking_weight
}
vrrp_instance V {
    interface eth0
    virtual_router_id 10
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
    track_script {
        web weight -20
    }
}
vrrp_instance W {
    interface eth1
    virtual_router_id 10
    priority 150
    virtual_ipaddress {
        198.51.100.10/24
    }
    track_script {
        web weight -20
    }
}",
    ),
    lint(
        2307,
        "shell-words",
        shell_words,
        "Commands run without a shell: pipes, redirections and && are handed to the program as \
         plain arguments, which often makes it succeed always or fail always.",
        example!(
            "vrrp_script web {\n    script \"/bin/true && /bin/false\"\n}\n",
            "    track_script {\n        web\n    }\n"
        ),
        example!(
            "vrrp_script web {\n    script \"/bin/sh -c '/bin/true && /bin/false'\"\n}\n",
            "    track_script {\n        web\n    }\n"
        ),
    ),
    lint(
        2308,
        "process-by-script",
        process_by_script,
        "killall -0, pidof and pgrep only tell that a process exists, and cost a process each \
         time. track_process hears from the kernel at once; a request to the service also tells \
         whether it answers.",
        example!(
            "vrrp_script web {\n    script \"killall -0 haproxy\"\n}\n",
            "    track_script {\n        web\n    }\n"
        ),
        example!(
            "vrrp_track_process web {\n    process haproxy\n}\n",
            "    track_process {\n        web\n    }\n"
        ),
    ),
];

/// What instances and sync groups track.
fn tracks<'a>(c: &Ctx<'a>) -> impl Iterator<Item = &'a Tracks> {
    let instances = c.config.instances.iter().map(|i| &i.track);
    instances.chain(c.config.sync_groups.iter().map(|g| &g.track))
}

/// The names in one kind of tracking block.
fn names<'a>(c: &Ctx<'a>, of: fn(&Tracks) -> &Vec<Tracked>) -> HashSet<&'a str> {
    let all = tracks(c).flat_map(|t| of(t).iter());
    all.map(|t| t.name.as_str()).collect()
}

fn unused_script(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let used = names(c, |t| &t.scripts);
    let scripts = c.config.scripts.iter();
    // Lines that track a script that cannot run are gone, and that was said already.
    scripts
        .filter(|s| s.command.verdict.may_run() && !used.contains(s.name.as_str()))
        .map(|s| {
            let text = format!("nobody tracks vrrp_script {}", s.name);
            let help = format!("name {} in a track_script block, or remove it", s.name);
            c.warn(&s.origin, "", text).help(help)
        })
        .collect()
}

fn unused_tracker(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let mut look = |what: &str, name: &str, origin: &Origin, used: &HashSet<&str>| {
        if !used.contains(name) {
            let text = format!("nobody tracks {what} {name}");
            let d = c.warn(origin, "", text);
            out.push(d.help(format!("name {name} in a {what} block, or remove it")));
        }
    };
    // A FILE_CHECK follows a file, too.
    let servers = c.config.virtual_servers.iter();
    let checkers = servers
        .flat_map(|s| &s.real_servers)
        .flat_map(|r| &r.checkers);
    let checked = checkers.filter_map(|checker| match &checker.check {
        Check::File { track_file, .. } => Some(&**track_file),
        _ => None,
    });
    let used = names(c, |t| &t.files).into_iter().chain(checked).collect();
    for f in &c.config.track_files {
        look("track_file", &f.name, &f.origin, &used);
    }
    let used = names(c, |t| &t.processes);
    for p in &c.config.track_processes {
        look("track_process", &p.name, &p.origin, &used);
    }
    let used = names(c, |t| &t.bfd);
    // A checker may follow a session too; the instances here do not say so.
    for b in c.config.bfd_sessions.iter().filter(|b| !b.checker) {
        look("track_bfd", &b.name, &b.origin, &used);
    }
    out
}

fn unused_group(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let config = c.config;
    let addresses = config.static_addresses.iter().map(|a| &a.track_group);
    let routes = config.static_routes.iter().map(|r| &r.track_group);
    let rules = config.static_rules.iter().map(|r| &r.track_group);
    let used: HashSet<&str> = addresses
        .chain(routes)
        .chain(rules)
        .filter_map(Option::as_deref)
        .collect();
    for g in &config.track_groups {
        if !used.contains(g.name.as_str()) {
            let text = format!("no static entry follows track_group {}", g.name);
            let d = c.warn(&g.origin, "", text);
            out.push(d.help(format!("write track_group {} in static lines", g.name)));
        }
    }
    let mut used: HashSet<&str> = HashSet::new();
    for i in &config.instances {
        used.extend(i.interface.as_deref());
        let all = i
            .virtual_ipaddress
            .iter()
            .chain(&i.virtual_ipaddress_excluded);
        used.extend(all.filter_map(|a| a.dev.as_deref()));
    }
    for g in &config.garp_groups {
        if !g.interfaces.iter().any(|i| used.contains(i.as_str())) {
            let text = "no instance is on an interface of this garp_group".to_owned();
            out.push(
                c.warn(&g.origin, "", text)
                    .help("check the names of the interfaces"),
            );
        }
    }
    out
}

fn timeout_too_long(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let scripts = c.config.scripts.iter();
    scripts
        .filter(|s| s.timeout > s.interval.saturating_mul(s.fall))
        .map(|s| {
            let text = format!(
                "a hang of script {} is noticed after {}, a failure after {}",
                s.name,
                seconds(s.timeout),
                seconds(s.interval.saturating_mul(s.fall))
            );
            c.warn(&s.origin, "timeout", text)
                .help("write a timeout of at most interval times fall")
        })
        .collect()
}

fn slow_detection(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let scripts = c.config.scripts.iter();
    scripts
        .filter(|s| s.interval.saturating_mul(s.fall) > SLOW)
        .map(|s| {
            let text = format!(
                "a failure of script {} counts after {}",
                s.name,
                seconds(s.interval.saturating_mul(s.fall))
            );
            c.note(&s.origin, "interval", text)
                .help("shorten interval or fall")
        })
        .collect()
}

fn mixed_weights(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let mut seen: HashMap<(&str, u8, &str), &Tracked> = HashMap::new();
    for i in &c.config.instances {
        let Some(group) = i.sync_group.as_deref() else {
            continue;
        };
        let kinds = [
            &i.track.interfaces,
            &i.track.scripts,
            &i.track.files,
            &i.track.processes,
            &i.track.bfd,
        ];
        for (kind, tracked) in (0_u8..).zip(kinds) {
            for t in tracked {
                let first = *seen.entry((group, kind, &t.name)).or_insert(t);
                if (first.weight == 0) == (t.weight == 0) {
                    continue;
                }
                let text = format!(
                    "{} has weight {} here and {} in another member of sync group {group}",
                    t.name, t.weight, first.weight
                );
                let d = c.warn(&t.origin, "", text);
                let d = c.also(d, &first.origin, "the other member's");
                out.push(d.help("give it one weight, or track it once in the group"));
            }
        }
    }
    out
}

/// Whether a word only means something to a shell.
fn is_shell(word: &str) -> bool {
    let operators = ["|", "||", "&&", ";", "&", ">", ">>", "<", "2>&1", "&>"];
    let into = [">/", "2>/", "&>/", ">>/", "</"];
    operators.contains(&word) || into.iter().any(|o| word.starts_with(o))
}

fn shell_words(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let scripts = c.config.scripts.iter().map(|s| (&s.command, "script"));
    let instances = c.config.instances.iter().map(|i| &i.notify);
    let notifies = instances.chain(c.config.sync_groups.iter().map(|g| &g.notify));
    let notifies = notifies.flat_map(|n| {
        let all = [
            (&n.master, "notify_master"),
            (&n.backup, "notify_backup"),
            (&n.fault, "notify_fault"),
            (&n.stop, "notify_stop"),
            (&n.generic, "notify"),
        ];
        all.into_iter()
            .filter_map(|(c, k)| Some((c.as_deref()?, k)))
    });
    scripts
        .chain(notifies)
        .filter_map(|(command, keyword)| {
            let word = command.argv.iter().skip(1).find(|w| is_shell(w))?;
            let text = format!(
                "{keyword}: `{word}` is only an argument of {}, no shell reads it",
                command.argv[0]
            );
            let d = c.warn(&command.origin, "", text);
            Some(d.help("write it as \"/bin/sh -c '...'\", or put it into a script file"))
        })
        .collect()
}

fn process_by_script(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let scripts = c.config.scripts.iter();
    scripts
        .filter(|s| {
            let argv = &s.command.argv;
            match argv[0].rsplit('/').next().unwrap_or("") {
                "killall" => argv.iter().any(|w| w == "-0" || w == "-s0"),
                "pidof" | "pgrep" => true,
                _ => false,
            }
        })
        .map(|s| {
            let text = format!("script {} only looks whether a process exists", s.name);
            c.note(&s.command.origin, "", text)
                .help("use vrrp_track_process and track_process, or ask the service itself")
        })
        .collect()
}
