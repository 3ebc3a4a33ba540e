//! `update`: changes any setting of services.

mod occupied;
mod prepare;
mod unmatched;

use clap::Args;

use self::prepare::{RequestedUpdate, take_image};
use self::unmatched::Removals;
use super::rollback::{FailedSpec, roll_back};
use crate::api::deploy::update::Operation;
use crate::api::spec::Document;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::gates::GateArgs;
use crate::cli::deploy::report::ReportStyle;
use crate::cli::deploy::repository::{Alternative, RepositoryArgs};
use crate::cli::deploy::steps::{StepArgs, StepRules};
use crate::cli::deploy::{DeployArgs, Deployment};
use crate::cli::exit::Exit;
use crate::cli::flags::image::ImageArgs;
use crate::cli::flags::placement::MODES;
use crate::cli::flags::{SpecArgs, UpdateFlags, groups};
use crate::cli::messages::errors::invalid_spec;
use crate::cli::messages::usage::UsageError;
use crate::cli::select::{Jobs, SelectArgs};

/// Update services
///
/// Accepts docker's flags, and some that docker lacks. Settings that no flag names stay as they are, and so does the
/// order of lists. If another writer changes the service at the same time, both changes are kept.
#[derive(Args, Debug)]
#[command(
    mut_args = groups::assign,
    mut_arg("spec", |flag| flag.help("Merge a (partial) spec or output of `inspect` from a file (-: stdin)"))
)]
pub struct UpdateArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    pin: ImageArgs,
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    spec: SpecArgs,
    /// Merge --spec even if its Version.Index is not the current one
    #[arg(long)]
    force_spec: bool,
    /// Refused: the engine cannot rename a service
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    flags: UpdateFlags,
    /// Refused: the engine cannot change the mode of a service
    #[arg(long, value_name = "MODE", add = Completion::Words(MODES))]
    mode: Option<String>,
    /// Roll back to the previous spec (not with flags that change the spec)
    #[arg(long, conflicts_with_all = ["with_registry_auth", "unpin", "force_spec"])]
    rollback: bool,
    /// Update even if the rollout is paused, which resumes it
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    steps: StepArgs,
    #[command(flatten)]
    gates: GateArgs,
    #[command(flatten)]
    deploy: DeployArgs,
}

/// Runs the command.
pub fn run(args: UpdateArgs, app: &App) -> anyhow::Result<Exit> {
    if let Some(name) = &args.name {
        return Err(invalid_spec::rename_error(args.services.first().map_or("", String::as_str), name).into());
    }
    if let Some(mode) = &args.mode {
        return Err(
            invalid_spec::mode_change_error(args.services.first().map_or("", String::as_str), mode).into()
        );
    }
    let document = args.spec.document()?;
    if args.rollback && (document.is_some() || !args.flags.is_empty()) {
        return Err(UsageError::new(
            "`--rollback` cannot be combined with flags that change the spec",
            "--rollback web",
        )
        .into());
    }
    let edits = args.flags.edits()?;

    args.select.check(&args.services, "swarmctl update --env-add LEVEL=debug web")?;
    let style = ReportStyle::new("update", "update", "updated");
    let deployment = Deployment::new(style, app, &args.deploy)?.with_gates(&args.gates, args.steps.bake())?;
    let deployment = deployment.with_steps(args.step_rules()?)?;
    let introduced = document.as_ref().map(Document::as_new).unwrap_or_default();
    let selected = deployment.select(&args.select, &args.services, Jobs::Excluded)?;
    if let Err(error) = args.flags.check_engine(selected.client(), &[edits.as_slice(), &introduced].concat())
    {
        return selected.end_early(error);
    }
    if args.select.is_given()
        && let Some(image) = take_image(&mut edits.clone(), |_| true)
    {
        let alternative = Alternative::for_image("swarmctl update-image --tag", &image);
        args.repository.check(&image, selected.services(), alternative)?;
    }
    if document.is_some() && selected.len() > 1 {
        let why = format!("`--spec` requires exactly one service, not {}", selected.len());
        return Err(UsageError::new(why, "swarmctl update --spec web.json web").into());
    }
    if args.rollback {
        return roll_back(selected, FailedSpec::Refuse);
    }
    let request = selected.request(Operation::Edit(Vec::new()))?;
    let removals = Removals::new(args.flags.removals()?);
    let update =
        RequestedUpdate { app, edits: &edits, removals: &removals, document: document.as_ref(), args: &args };
    let prepared = selected.prepare(|client, item| update.prepare(client, &item.service, &request));
    if !args.deploy.follow.progress.is_quiet() {
        removals.print_notes(app.ui, prepared.len());
    }
    prepared.in_steps().run()
}

impl UpdateArgs {
    /// Returns the rules for an update in steps, or for the rollback of a held update.
    fn step_rules(&self) -> Result<Option<StepRules>, UsageError> {
        let rules = self.steps.rules(&self.gates)?;
        if rules.is_some()
            && let Some(flag) =
                self.flags.names().find(|name| *name == "replicas" || name.starts_with("update-"))
        {
            let why = format!("`{}` cannot be combined with `--{flag}`", self.steps.flag());
            return Err(UsageError::new(why, "swarmctl update web --env-add LEVEL=debug --steps 1,100%"));
        }
        if rules.is_some() && self.rollback {
            let why = format!("`{}` cannot be combined with `--rollback`", self.steps.flag());
            return Err(UsageError::new(why, "swarmctl rollback web"));
        }
        Ok(if self.rollback { Some(StepRules::to_complete()) } else { rules })
    }
}
