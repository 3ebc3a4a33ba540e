//! One run of a command on an engine with a fault, and a check of its report.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::cases::{Case, Posts, Truth};
use super::classes::{FaultClass, Plan};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::faults::{FaultKind, ResponseFault};
use crate::support::run::{Run, swarmctl};
use crate::support::secrets::{PASSWORD, basic};
use crate::support::server::{Framing, Request};

/// The result of a run.
pub struct Trial {
    pub case: &'static Case,
    plan: Plan,
    run: Run,
    truths: Vec<Truth>,
    /// Whether the run sent a post, according to its debug output. The post may not have arrived.
    posted: bool,
    /// Whether a post met a broken connection, according to the debug output. A connection that was closed after a
    /// response may be noticed only when the next request is sent.
    lost: bool,
    /// Whether every post got an unmodified successful response, according to the debug output.
    answered: bool,
}

/// The requests of a run without a fault.
pub fn undisturbed(case: &Case, framing: &Framing) -> Vec<Request> {
    let swarm = (case.swarm)();
    swarm.world().framing = framing.clone();
    run(case, &swarm, &[], Duration::from_secs(30)).exits(case.code);
    let truths = (case.truths)(&swarm);
    assert!(truths.iter().all(|it| it.times == 1), "{}: undisturbed: {truths:?}", case.name);
    swarm.requests()
}

fn run(case: &Case, swarm: &FakeSwarm, flags: &[&str], limit: Duration) -> Run {
    let config = json!({ "auths": { "127.0.0.1:5000": { "auth": basic(PASSWORD) } } });
    let args = [&["--debug"], case.command, flags, case.args].concat();
    let variable = "DOCKER_AUTH_CONFIG";
    let command = swarmctl(args).host(swarm.host()).env(variable, &config.to_string()).limit(limit);
    command.env("SWARMCTL_JOURNAL", case.journal).stdin(&(case.stdin)()).run()
}

impl Trial {
    pub fn run(case: &'static Case, plan: &Plan, limit: Duration) -> Self {
        let swarm = (case.swarm)();
        swarm.world().framing = plan.framing.clone();
        swarm.breaks(plan.broken.clone());
        let mut flags = Vec::new();
        flags.extend(plan.json.then_some("--json"));
        flags.extend(plan.timeout.iter().flat_map(|timeout| ["--timeout", timeout]));
        let run = run(case, &swarm, &flags, limit);
        let truths = (case.truths)(&swarm);
        let is_post = |line: &str| {
            let words = ["debug: POST ", "debug: DELETE "];
            words.iter().any(|it| line.starts_with(it)) && !line.contains("no response: cannot connect")
        };
        let mut posts = run.stderr.lines().filter(|line| is_post(line)).peekable();
        let posted = posts.peek().is_some();
        let lost = posts.clone().any(|line| line.contains("no response: the connection was lost"));
        let is_broken_only = match plan.broken.kind {
            FaultKind::Response(fault) => !matches!(fault, ResponseFault::Garble(_)),
            FaultKind::Request(_) => true,
            FaultKind::Malformed(_) | FaultKind::Replaced(_) => false,
        };
        let answered = is_broken_only && posted && posts.all(|line| line.contains(" -> 20"));
        Self { case, plan: plan.clone(), run, truths, posted, lost, answered }
    }

    /// Whether a request that does not change a service got no response in time, according to the debug output. The command
    /// may then end as with a permanent fault. In a batch, the order in which services are updated varies, so the same
    /// fault can affect different requests.
    fn stalled_elsewhere(&self) -> bool {
        let changes_service = |line: &str| !line.starts_with("debug: GET ") && line.contains("/services/");
        let is_timeout =
            |line: &str| line.starts_with("debug: ") && line.contains("-> no response: no response to ");
        self.run.stderr.lines().any(|line| is_timeout(line) && !changes_service(line))
    }

    /// The first error in the report; `None` if the report is true.
    fn wrong(&self) -> Option<String> {
        let case = self.case;
        let why = self.code_is_wrong(case).or_else(|| self.words_are_wrong(case)).or_else(|| {
            let said = self.plan.json.then(|| self.json_is_wrong(case));
            said.flatten()
        })?;
        let (broken, truths) = (&self.plan.broken, &self.truths);
        let (timeout, framing) = (self.plan.timeout, &self.plan.framing);
        Some(format!("{why}: {broken:?} {framing:?} {timeout:?}\n{truths:?}\n{}", self.run.report()))
    }

    fn code_is_wrong(&self, case: &Case) -> Option<String> {
        let all_so = self.truths.iter().all(|it| it.is_so && it.times == 1);
        if self.truths.iter().any(|it| it.times > 1 || (it.is_so != (it.times == 1) && case.code == 0)) {
            return Some("it was applied more than once, or is no longer applied".to_owned());
        }
        let Some(code) = self.run.code else { return Some("it was killed".to_owned()) };
        // If the update of a service is held, the change is not complete.
        let is_held = self.truths.iter().any(|it| it.is_held);
        let is_not_posted_again =
            case.posts == Posts::OneUnguarded && (!self.plan.broken.handled || self.lost);
        let is_once = self.plan.is_once && !self.stalled_elsewhere();
        let right = match () {
            () if is_held && code == case.code => false,
            () if is_held && code == 7 => !is_once,
            () if is_once && is_not_posted_again => code == 8 && !all_so || code == 0 && all_so,
            () if is_once => code == case.code && all_so,
            () if case.other_codes.contains(&(code, all_so)) => true,
            () if self.answered && all_so => code == case.code || (code == 7 && case.watches),
            () if all_so => code == case.code || code == 9 || (code == 7 && case.watches),
            // Of several services, some may not have been changed.
            () if code == 7 => case.watches && self.truths.len() > 1,
            () if self.posted => matches!(code, 8 | 9),
            () => code == 8,
        };
        (!right).then(|| "the exit code does not match the state of the engine".to_owned())
    }

    /// Checks that messages and exit code agree. A warning (the service could not be read back) is not an error.
    fn words_are_wrong(&self, case: &Case) -> Option<String> {
        let Run { code, stdout, stderr, .. } = &self.run;
        let code = code.unwrap_or_default();
        let tells_an_error = stderr.lines().any(|line| line.starts_with("error: "));
        let is_in_doubt = stderr.contains("it may have been applied");
        let goes_on = stderr.contains("continues");
        let result = !stdout.is_empty();
        // 10 is an answer: the update is held, as requested.
        let is_error = !matches!(code, 0 | 10);
        let agree = tells_an_error == is_error
            && is_in_doubt == (code == 9)
            // If there are several services, the message may be about one with another result.
            && (self.truths.len() > 1 || !goes_on || code == 7 || case.posts == Posts::Several)
            && (is_error || result)
            && (!is_error || self.plan.json || self.truths.len() > 1 || case.command == ["create"] || !result)
            && !stderr.contains("panicked");
        (!agree).then(|| "messages and exit code disagree".to_owned())
    }

    /// Checks the JSON for each service.
    fn json_is_wrong(&self, case: &Case) -> Option<String> {
        let Ok(said) = serde_json::from_str::<Value>(&self.run.stdout) else {
            return Some("stdout is not JSON".to_owned());
        };
        if said["exit_code"] != self.run.code.unwrap_or_default() {
            return Some("the JSON has another exit code".to_owned());
        }
        let services = said["services"].as_array().map_or(&[][..], Vec::as_slice);
        if case.reads_selection && services.is_empty() {
            let is_true = (said["exit_code"] == 8
                || case.other_codes.iter().any(|(code, _)| said["exit_code"] == *code))
                && self.truths.iter().all(|truth| truth.times == 0);
            return (!is_true).then(|| "the JSON names no service".to_owned());
        }
        if services.len() != self.truths.len() {
            return Some("the JSON does not name every service".to_owned());
        }
        for (service, truth) in services.iter().zip(&self.truths) {
            if truth.name.is_some_and(|name| service["name"] != name) {
                return Some("the JSON names another service".to_owned());
            }
            let code = service["exit_code"].as_i64().unwrap_or(-1);
            let right = match (&service["posted"], code) {
                // `continue` posts several times, and the result of its last post may be unknown.
                (Value::Bool(true), 9) => truth.times == 1 && case.posts == Posts::Several,
                (Value::Bool(true), code) => {
                    let others = case.other_codes.iter().filter(|(_, is_applied)| *is_applied);
                    let mut codes = [case.code, 7].into_iter().chain(others.map(|(code, _)| *code));
                    truth.times == 1 && codes.any(|other| i64::from(other) == code)
                }
                (Value::Bool(false), 8) => truth.times == 0,
                (Value::Bool(false), 7) => truth.times == 0 && truth.is_held,
                // The update of one of several services was not started.
                (Value::Bool(false), 1) => truth.times == 0 && service["outcome"] == "not_started",
                (Value::Null, 9) => true,
                _ => false,
            };
            if !right {
                return Some("`posted` in the JSON is not true".to_owned());
            }
        }
        None
    }
}

/// Adds a line to the table in `SWARMCTL_TEST_FAULT_TABLE`, and returns the errors.
pub fn tell<'t>(case: &Case, class: FaultClass, trials: impl Iterator<Item = &'t Trial>) -> Vec<String> {
    let trials: Vec<&Trial> = trials.collect();
    if trials.is_empty() {
        return Vec::new();
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for trial in &trials {
        let code = trial.run.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
        let so = match trial.truths.iter().filter(|it| it.times == 1).count() {
            0 => "not applied",
            n if n == trial.truths.len() => "applied",
            _ => "some applied",
        };
        *counts.entry(format!("{code} {so}")).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{count} x {what}")).collect();
    let wrong: Vec<String> = trials
        .iter()
        .filter_map(|trial| trial.wrong())
        .map(|wrong| format!("{}: {wrong}", case.name))
        .collect();
    let bytes = class.bytes();
    if let Some(table) = std::env::var_os("SWARMCTL_TEST_FAULT_TABLE") {
        let mut table =
            OpenOptions::new().append(true).create(true).open(table).expect("the table can be written");
        let (name, class, endings) = (case.name, class.words(), counts.join(", "));
        writeln!(table, "{class}\t{bytes}\t{name}\t{}\t{endings}\t{}", trials.len(), wrong.len())
            .expect("the table can be written");
        for wrong in &wrong {
            writeln!(table, "wrong: {}", wrong.replace('\n', "\n  ")).expect("the table can be written");
        }
    }
    wrong
}
