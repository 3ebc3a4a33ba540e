//! `rollback --to`: restores the complete spec from before a recorded run.

use std::sync::Arc;

use clap::Args;

use super::RollbackArgs;
use crate::api::deploy::update::{Operation, Restoration, UpdateRequest};
use crate::api::http::client::Client;
use crate::api::journal::{Record, RecordedService};
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::available_images::check_images;
use crate::cli::deploy::journal::{find_run, read_record};
use crate::cli::deploy::report::{NotStarted, ReportStyle, report_early_end};
use crate::cli::deploy::restore::{
    Restored, Restorer, StoreCredentials, as_shown_by_engine, image_of, is_other, not_in_run, run_number,
};
use crate::cli::deploy::{Deployment, DeploymentFlags, IfPaused, Item, Prepared};
use crate::cli::exit::Exit;
use crate::cli::select::Jobs;

/// The flags of a rollback to a recorded spec.
#[derive(Args, Debug)]
pub struct ToArgs {
    /// Restore the complete spec from before RUN
    ///
    /// If another writer changes the service between the read and the post, that is a conflict (exit 4). The run must
    /// be in the journal.
    #[arg(
        long,
        value_name = "RUN",
        value_parser = run_number,
        add = Completion::RUNS,
        conflicts_with_all = ["stack", "filter", "all", "to_failed", "plan"]
    )]
    to: Option<u64>,
    /// With --to: roll back even if the rollout is paused, which resumes it
    #[arg(long, requires = "to")]
    resume: bool,
    /// With --to: store your registry credentials with the service
    #[arg(long, requires = "to")]
    with_registry_auth: bool,
}

impl ToArgs {
    /// Whether `--to` is given.
    pub fn is_given(&self) -> bool {
        self.to.is_some()
    }
}

/// Runs the command.
pub fn run(args: &RollbackArgs, app: &App) -> anyhow::Result<Exit> {
    let flags = DeploymentFlags {
        edit: Some(&args.edit),
        on_failure: args.on_failure.on_failure(),
        batch: &args.batch,
        follow: &args.follow,
    };
    let style = ReportStyle::new("rollback", "roll back", "rolled back");
    let mut deployment = Deployment::new(style, app, flags)?;
    let style = deployment.style();
    let record = match read(args.to.to.unwrap_or_default(), &mut deployment) {
        Ok(record) => record,
        Err(error) => return report_early_end(style, error, app),
    };
    let selected = deployment.all_or_nothing().select(&args.select, &args.services, Jobs::Included)?;
    let restored = selected.services().filter_map(|service| restored_image(&record, service));
    let hint = "push the image again, or leave the service out";
    let images = match check_images(selected.client(), app, restored, hint) {
        Ok(images) => images,
        Err(error) => return report_early_end(style, error.into(), app),
    };
    let request = selected.request(Operation::Edit(Vec::new()))?;
    let restorer = Restorer {
        app,
        run: record.run,
        restored: Restored::Spec,
        images: &images,
        if_paused: if args.to.resume { IfPaused::Resume } else { IfPaused::Refuse },
        credentials: if args.to.with_registry_auth { StoreCredentials::Yes } else { StoreCredentials::No },
    };
    selected.prepare(|client, item| prepare(client, item, &record, &request, &restorer)).run()
}

fn read(run: u64, deployment: &mut Deployment) -> anyhow::Result<Record> {
    let journal = deployment.open_journal()?;
    let record = read_record(&find_run(&journal, run)?)?;
    let services = as_shown_by_engine(deployment.client(), record.services)?;
    Ok(Record { services, ..record })
}

/// Returns the image that is restored, if it has a digest and differs from the service's image.
fn restored_image(record: &Record, service: &Service) -> Option<ImageRef> {
    let before = record.service(service.id())?.parsed_before().ok()??;
    image_of(&before).filter(|image| image.digest().is_some() && is_other(service, image))
}

fn prepare(
    client: &Client,
    item: &Item<()>,
    record: &Record,
    request: &UpdateRequest,
    restorer: &Restorer,
) -> Result<Prepared, NotStarted> {
    let service = &item.service;
    let Some(recorded) = record.service(service.id()) else {
        return Err(NotStarted::Failed(not_in_run(record.run, service.name())));
    };
    let Some(before) = &recorded.before else {
        return Err(NotStarted::Refused(format!(
            "the record of run {} has no specs: it would have been too long",
            record.run
        )));
    };
    refuse_other_mode(recorded, service)?;
    let restoration = Restoration::from_spec(before.get(), service.spec()).map_err(NotStarted::Failed)?;
    let operation = Operation::Restore(Arc::new(restoration));
    restorer.prepare(client, service, UpdateRequest { operation, ..request.clone() })
}

/// Refuses a spec with another mode. The engine would refuse it too, but only after other services were updated.
fn refuse_other_mode(recorded: &RecordedService, service: &Service) -> Result<(), NotStarted> {
    let kind = |spec: &serde_json::Value| {
        let modes = spec["Mode"].as_object().into_iter().flatten();
        modes.filter(|(_, mode)| !mode.is_null()).map(|(kind, _)| kind.clone()).next()
    };
    let before = recorded.parsed_before().ok().flatten();
    let is_same = before.is_some_and(|before| kind(&before) == kind(service.spec()));
    if is_same {
        return Ok(());
    }
    Err(NotStarted::Refused(
        "its mode was different before the run, and the engine cannot change the mode".to_owned(),
    ))
}
