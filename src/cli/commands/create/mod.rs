//! `create`: creates a service.

mod image;
mod resolve;

use clap::Args;
use serde_json::json;

use self::image::{Image, image_edits, image_of, warn_of_flag_behind_image};
use self::resolve::{ResolvedNames, resolve};
use crate::api::deploy::create::{create, plan};
use crate::api::spec;
use crate::cli::app::App;
use crate::cli::deploy::journal::{Recorder, RunDraft, RunEnd, Waited, record_created_service};
use crate::cli::deploy::lint::{Checked, StrictArgs, check_new};
use crate::cli::deploy::report::{
    Additions, NewService, NotStarted, Remarks, ReportStyle, ServiceReport, Stage, or_report_early_end,
    print_id, report_early_end_of, report_with,
};
use crate::cli::deploy::{FollowArgs, PlanArgs};
use crate::cli::exit::Exit;
use crate::cli::flags::image::ResolveArgs;
use crate::cli::flags::image_report::announce;
use crate::cli::flags::{CreateFlags, SpecArgs, groups};
use crate::cli::messages::usage::UsageError;

/// Create a service
///
/// Accepts docker's flags, which produce the same spec as in docker, and some that docker lacks. The ID of the new
/// service is printed as soon as the engine has accepted it.
#[derive(Args, Debug)]
#[command(
    disable_help_subcommand = true,
    subcommand_value_name = "IMAGE [COMMAND] [ARG...]",
    subcommand_help_heading = "Image",
    mut_args = groups::assign,
    mut_arg("dry_run", |flag| flag.help("Show the new service and how many tasks would start")),
    mut_arg("exit_code", |flag| flag.help("Exit with 10 if the service would be created, or was created"))
)]
pub struct CreateArgs {
    #[command(flatten)]
    resolve: ResolveArgs,
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    flags: CreateFlags,
    #[command(flatten)]
    strict: StrictArgs,
    #[command(flatten)]
    follow: FollowArgs,
    #[command(flatten)]
    plan: PlanArgs,
    #[command(subcommand)]
    image: Option<Image>,
}

/// Runs the command.
pub fn run(args: CreateArgs, app: &App) -> anyhow::Result<Exit> {
    warn_of_flag_behind_image(app, args.image.as_ref());
    let mut asked = args.flags.edits()?;
    // With `--spec`, the defaults of this program do not apply: the engine chooses the values that are missing.
    let (base, mut edits) = match args.spec.document()? {
        Some(document) => (json!({}), document.as_new()),
        None => (spec::create::base(), Vec::new()),
    };
    let mut whole = base.clone();
    spec::apply_all(&mut whole, &edits);
    let is_given = args.image.is_some();
    asked.extend(image_edits(args.image, &whole)?);
    edits.extend(spec::create::resolve_semantics(asked, &whole).map_err(UsageError::from)?);
    let spec = spec::create::made_of(base.clone(), &edits).map_err(UsageError::from)?;

    let client = args.follow.client(app)?;
    let style = args.plan.style(ReportStyle::new("create", "create", "")).in_format(args.follow.format());
    let mut recorder = Recorder::for_run(args.follow.journal, &args.plan)?;
    or_report_early_end(style, recorder.look_for_journal(&client), app)?;
    let mut run = None;
    or_report_early_end(style, args.flags.check_engine(&client, &edits), app)?;
    let name = spec["Name"].as_str().unwrap_or_default();
    // The digest is resolved for an image on the command line, and for an image in `--spec` without a digest.
    let image = image_of(&spec).filter(|image| is_given || image.digest().is_none());
    let created = match resolve(&client, app, &mut edits, &args.resolve, image.as_ref()) {
        Ok(ResolvedNames { change, network_names }) => {
            let spec = spec::create::made_of(base, &edits).map_err(UsageError::from)?;
            announce(app.ui, std::iter::once((name, &change.report)));
            let (stage, found) = match check_new(&client, app.ui, &spec, args.strict) {
                Err(refused) => {
                    let (why, found) = *refused;
                    (Stage::NotStarted { service: None, why }, found)
                }
                Ok(Checked { remarks, nodes }) => {
                    let draft = || {
                        Ok(RunDraft { services: vec![record_created_service(name)], ..RunDraft::default() })
                    };
                    run = match recorder.record(app, &client, draft) {
                        Ok(run) => run,
                        Err(error) => {
                            let report = ServiceReport::blocked(name, None, &error);
                            return report_early_end_of(style, &[report], error, app);
                        }
                    };
                    let created = if args.plan.dry_run {
                        let nodes = nodes.as_deref().map(Vec::as_slice);
                        plan(&client, &spec, nodes).map(NewService::Planned)
                    } else {
                        create(&client, &spec, change.auth.as_ref()).map(NewService::Created)
                    };
                    (Stage::Created(created), remarks)
                }
            };
            let notes = match &stage {
                Stage::Created(Ok(_)) => change.report.credentials_note().into_iter().collect(),
                _ => Vec::new(),
            };
            let announced = change.report.all_warnings();
            let remarks = Remarks { announced, notes, network_names, ..Remarks::default() };
            ServiceReport::new(name, stage).with(found).with(remarks)
        }
        Err(error) => ServiceReport::not_started(name, None, NotStarted::Failed(error)),
    };
    let printed = print_id(style, &created, app);
    let (reports, waited) = if args.follow.detach {
        (vec![created], Waited::No)
    } else {
        (args.follow.reports(&client, vec![created.into_watch()], app), Waited::Yes)
    };
    let end = RunEnd::new(style, &reports, waited, app);
    let run = run.and_then(|run| run.finish(app, &client, &end));
    let additions = Additions { run, unprinted_id: printed.as_ref().err(), ..Additions::default() };
    let exit = report_with(style, &reports, additions, app)?;
    if let Some(run) = run {
        app.ui.note(&format!("recorded as run {run}"));
    }
    Ok(exit)
}
