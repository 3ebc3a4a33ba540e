//! Evaluates lint rules on specs before they are sent: findings are warnings, or with `--strict` errors.

use std::slice;
use std::sync::{Arc, OnceLock};

use clap::Args;
use serde_json::Value;

use super::deployment::map_concurrently;
use super::item::{Item, ItemResult, not_started};
use super::prepared::{IfPaused, Prepared};
use super::references::MissingReferences;
use super::report::{BatchStop, NotStarted, Remarks, ServiceReport};
use crate::api::deploy::update::{Mode, expected_spec};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::lint::{
    self, Existing, Finding, RequiredList, RuleStage, Subject, Swarm, earlier_references, needs_nodes, rules,
};
use crate::api::resources::nodes;
use crate::api::resources::nodes::Node;
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::messages::findings;
use crate::cli::messages::shared::with_services;
use crate::cli::messages::shell;
use crate::output::Ui;

/// The flag of commands that send specs.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct StrictArgs {
    /// Post nothing if a new spec has a finding of severity error
    ///
    /// The rules are those of `lint` that are marked "checked before posts" in docs/lint.md. If one service has such a finding,
    /// nothing is posted for any service. Without this flag, the findings are printed as warnings.
    #[arg(long)]
    pub strict: bool,
}

/// The nodes, for the rules that need them.
enum NodeList {
    /// The nodes were not read, because no spec needs them.
    NotNeeded,
    /// The nodes were read.
    Read(Arc<Vec<Node>>),
    /// The request for the nodes was refused, for this reason.
    Unavailable(String),
}

impl NodeList {
    fn nodes(&self) -> Option<&Arc<Vec<Node>>> {
        match self {
            Self::Read(nodes) => Some(nodes),
            Self::NotNeeded | Self::Unavailable(_) => None,
        }
    }

    /// Returns why the nodes are not available, if a spec needs them.
    fn why_unavailable(&self) -> Option<&str> {
        match self {
            Self::Unavailable(why) => Some(why),
            Self::NotNeeded | Self::Read(_) => None,
        }
    }
}

/// Evaluates the rules on the specs that will be sent. Prints the findings as warnings. With `--strict`, a finding causes
/// all updates to be refused. If the engine does not respond, no update is started.
pub fn check_updates(
    client: &Client,
    app: &App,
    entries: Vec<ItemResult<Prepared>>,
    args: StrictArgs,
) -> Vec<ItemResult<Prepared>> {
    let ui = app.ui;
    let items: Vec<&Item<Prepared>> = entries.iter().flatten().map(|item| &**item).collect();
    // The nodes are read when the first spec needs them. To find out earlier, each spec would be parsed twice.
    let list = OnceLock::new();
    let nodes_for = |spec: &Value| {
        let read = || match app.nodes().get() {
            Some(Some(nodes)) => Ok(NodeList::Read(Arc::clone(nodes))),
            _ => read_nodes(client),
        };
        let list = needs_nodes(spec).then(|| list.get_or_init(read))?;
        list.as_ref().ok()?.nodes()
    };
    let mut found = map_concurrently(items, |item| match sent_spec(item) {
        Some(spec) => findings(&spec, nodes_for(&spec)),
        None => Vec::new(),
    })
    .into_iter();
    let nodes = match list.into_inner() {
        None => NodeList::NotNeeded,
        Some(Ok(nodes)) => nodes,
        Some(Err(error)) => return without_engine(entries, error),
    };
    let mut checked = Vec::with_capacity(entries.len());
    for entry in entries {
        checked.push(entry.map(|item| (found.next().unwrap_or_default(), item)));
    }
    let has_rules_about_nodes =
        |item: &Item<Prepared>| sent_spec(item).is_some_and(|spec| needs_nodes(&spec));
    let why_refused = |item: &Item<Prepared>, findings: &[Finding]| {
        refusal(findings, nodes.why_unavailable().filter(|_| has_rules_about_nodes(item)))
    };
    let is_refused =
        args.strict && checked.iter().flatten().any(|(findings, item)| why_refused(item, findings).is_some());
    if !is_refused {
        let warned = checked.iter().flatten();
        let hint = |finding: &Finding, name: &str| findings::hint(slice::from_ref(finding), name);
        warn(ui, warned.map(|(findings, item)| (item.service.name(), findings.as_slice())), hint);
    }
    let conclude = |(findings, mut item): (Vec<Finding>, Box<Item<Prepared>>)| {
        let remarks = Remarks { lint: findings, ..Remarks::default() };
        if !is_refused {
            item.payload.remarks = std::mem::take(&mut item.payload.remarks).and(remarks);
            if item.payload.request.mode == Mode::Plan {
                item.payload.request.nodes = nodes.nodes().cloned();
            }
            return Ok(item);
        }
        Err(match why_refused(&item, &remarks.lint) {
            Some(why) => {
                let why = NotStarted::Refused(why);
                ServiceReport::not_started(&item.given, Some(item.service), why).with(remarks)
            }
            None => not_started(*item, BatchStop::Strict),
        })
    };
    if let Some(why) = nodes.why_unavailable().filter(|_| !args.strict) {
        note_skipped(ui, why);
    }
    checked.into_iter().map(|entry| entry.and_then(conclude)).collect()
}

/// Starts no update, because the request for the nodes failed for a reason that the updates would meet too, or because
/// a signal was received.
fn without_engine(entries: Vec<ItemResult<Prepared>>, error: Error) -> Vec<ItemResult<Prepared>> {
    let stop = if matches!(error, Error::Interrupted) { BatchStop::Interrupted } else { BatchStop::Request };
    let mut error = Some(error);
    let mut stopped = |item: Item<Prepared>| match error.take() {
        Some(error) => ServiceReport::not_started(&item.given, Some(item.service), NotStarted::Failed(error)),
        None => not_started(item, stop.clone()),
    };
    entries.into_iter().map(|entry| entry.and_then(|item| Err(stopped(*item)))).collect()
}

/// The result of the rules for the spec of a new service.
#[derive(Debug)]
pub struct Checked {
    /// The findings, for the report.
    pub remarks: Remarks,
    /// The nodes, if they were read.
    pub nodes: Option<Arc<Vec<Node>>>,
}

/// Evaluates the rules on the spec of a new service, and prints warnings.
///
/// # Errors
/// `--strict` is given, and there are findings or the request for the nodes is refused. Or that request fails for another
/// reason.
pub fn check_new(
    client: &Client,
    ui: Ui,
    spec: &Value,
    args: StrictArgs,
) -> Result<Checked, Box<(NotStarted, Remarks)>> {
    let interrupted = |error| Box::new((NotStarted::Failed(error), Remarks::default()));
    let nodes =
        if needs_nodes(spec) { read_nodes(client).map_err(interrupted)? } else { NodeList::NotNeeded };
    let lint = findings(spec, nodes.nodes());
    let refusal = refusal(&lint, nodes.why_unavailable());
    let remarks = Remarks { lint, ..Remarks::default() };
    match refusal {
        Some(why) if args.strict => Err(Box::new((NotStarted::Refused(why), remarks))),
        _ => {
            let name = spec["Name"].as_str().unwrap_or_default();
            let hint = |finding: &Finding, _: &str| findings::hint_for_new(slice::from_ref(finding));
            warn(ui, std::iter::once((name, remarks.lint.as_slice())), hint);
            if let Some(why) = nodes.why_unavailable() {
                note_skipped(ui, why);
            }
            Ok(Checked { remarks, nodes: nodes.nodes().cloned() })
        }
    }
}

/// Returns the spec that will be sent, or that the engine will restore; `None` if nothing will be sent.
fn sent_spec(item: &Item<Prepared>) -> Option<Value> {
    let Item { service, payload: Prepared { request, if_paused, .. }, .. } = item;
    let is_kept = *if_paused == IfPaused::Keep && service.is_paused();
    let is_stale = request.version.is_some_and(|required| required != service.version());
    if is_kept || is_stale {
        return None;
    }
    // The clone is parsed, so that `service` stays unparsed: parsed specs of thousands of services would fill the memory. The
    // update itself reports errors.
    expected_spec(&service.clone(), request).ok().flatten()
}

/// Returns the findings about the previous spec of a service whose rollback is refused because of missing references.
pub fn check_rollback(service: &Service, missing: &MissingReferences) -> Vec<Finding> {
    let existing = |source: RequiredList, kind: &str| -> Existing {
        let is_missing = |id: &str| missing.0.iter().any(|one| (one.kind, one.id.as_str()) == (kind, id));
        let earlier = earlier_references(service, source).into_iter();
        earlier.filter(|id| !is_missing(id)).collect()
    };
    let (secrets, configs) =
        (existing(RequiredList::Secrets, "secret"), existing(RequiredList::Configs, "config"));
    let swarm = Swarm { secrets: Some(&secrets), configs: Some(&configs), ..Swarm::default() };
    let before_rollbacks = rules().filter(|rule| rule.stage == RuleStage::BeforeRollbacks);
    let subject = Subject::stored(service, swarm);
    lint::check(&subject, before_rollbacks, lint::label(subject.spec)).findings
}

fn findings(spec: &Value, nodes: Option<&Arc<Vec<Node>>>) -> Vec<Finding> {
    let before_posts = rules().filter(|rule| rule.stage == RuleStage::BeforePosts);
    let nodes = nodes.map(|nodes| nodes.as_slice());
    lint::check(&Subject::planned(spec, nodes), before_posts, lint::label(spec)).findings
}

/// Reads the nodes. If the request is refused, the rules that need nodes are skipped.
///
/// # Errors
/// The request failed for a reason that the update would meet too.
fn read_nodes(client: &Client) -> Result<NodeList> {
    match nodes::list(client) {
        Ok(nodes) => Ok(NodeList::Read(Arc::new(nodes))),
        Err(error) if error.is_refusal() && !error.is_not_manager() && !error.is_transient() => {
            Ok(NodeList::Unavailable(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

/// Returns why a service is refused: the findings, and why the nodes that the rules need are unavailable.
fn refusal(findings: &[Finding], unavailable: Option<&str>) -> Option<String> {
    let texts: Vec<String> =
        findings.iter().map(|finding| format!("{}: {}", finding.rule.id, finding.message)).collect();
    let nodes =
        unavailable.map(|why| format!("the nodes are not available, so this cannot be checked: {why}"));
    let all: Vec<String> = texts.into_iter().chain(nodes).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Prints findings as warnings. A finding that several services have in common is printed once.
fn warn<'a>(
    ui: Ui,
    found: impl Iterator<Item = (&'a str, &'a [Finding])>,
    hint: impl Fn(&Finding, &str) -> Option<String>,
) {
    let mut groups: Vec<(&Finding, Vec<String>)> = Vec::new();
    for (service, findings) in found {
        for finding in findings {
            let is_same = |(other, _): &&mut (&Finding, Vec<String>)| {
                other.rule.id == finding.rule.id && other.message == finding.message
            };
            match groups.iter_mut().find(is_same) {
                Some((_, services)) => services.push(service.to_owned()),
                None => groups.push((finding, vec![service.to_owned()])),
            }
        }
    }
    for (finding, services) in groups {
        let text = format!("{} {}", finding.rule.id, finding.message);
        let (text, name) = match services.as_slice() {
            [service] => (format!("{service}: {text}"), service.as_str()),
            many => (with_services(&text, many), "SERVICE"),
        };
        ui.warning(&text);
        if let Some(hint) = hint(finding, name) {
            ui.hint(&hint);
        }
    }
}

fn note_skipped(ui: Ui, why: &str) {
    let skipped = rules()
        .filter(|rule| rule.stage == RuleStage::BeforePosts && rule.needs.contains(&RequiredList::Nodes));
    let ids: Vec<&str> = skipped.map(|rule| rule.id).collect();
    ui.note(&format!("skipped {}: {why}", ids.join(", ")));
}

/// Returns the hint for a service that was refused because of its findings.
pub fn hint_for_refused(report: &ServiceReport) -> Option<String> {
    let name = report.service().map_or(report.given.as_str(), Service::name);
    let findings = report.remarks.lint.as_slice();
    let hint = match report.service() {
        Some(service) => findings::hint(findings, service.name()),
        None => findings::hint_for_new(findings),
    };
    let see = || format!("see the rules with `swarmctl lint {}`", shell::service(name));
    hint.or_else(|| (!findings.is_empty()).then(see))
}
