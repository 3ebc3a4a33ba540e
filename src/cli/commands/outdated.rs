//! `outdated`: whose tag has moved since it was pinned.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde_json::{Value, json};

use crate::api::config::credentials::RegistryAuth;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::registry::digest;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::exit;
use crate::cli::exit::Exit;
use crate::cli::format;
use crate::cli::format::ListFormat;
use crate::cli::parallel;
use crate::cli::select::{Chosen, Jobs, SelectArgs};
use crate::output::{Columns, TemplateError, natural_cmp};

/// Requests to registries that are under way at the same time.
const AT_ONCE: usize = 8;

/// Show which services run another digest than their tag has now
///
/// RUNS is the digest that the service is pinned to, REGISTRY the one that its registry has for the tag now. A registry
/// that does not answer is told in its rows.
#[derive(Args, Debug)]
pub struct OutdatedArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs [default: all]
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Exit with 10 where a service is outdated; with 1 where a registry could not be asked, and none is
    #[arg(long)]
    exit_code: bool,
    /// Print each service by a Go template, as in '{{.Name}} {{.Status}}', 'table {{.ID}}\t{{.Tag}}', json or raw
    #[arg(long, value_name = "TEMPLATE", add = Completion::FORMATS, value_parser = parse_format, conflicts_with = "json")]
    format: Option<ListFormat>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What templates may name; beside the table's what `--json` has.
const COLUMNS: Columns = Columns {
    table: &[
        ("Name", "NAME"),
        ("Image", "IMAGE"),
        ("Runs", "RUNS"),
        ("Registry", "REGISTRY"),
        ("Status", "STATUS"),
    ],
    more: &[
        ("ID", "ID"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("RegistryDigest", "REGISTRY DIGEST"),
        ("Outdated", "OUTDATED"),
        ("Error", "ERROR"),
    ],
};

fn parse_format(text: &str) -> Result<ListFormat, TemplateError> {
    ListFormat::parse(text, COLUMNS)
}

/// Runs the command.
pub fn run(args: OutdatedArgs, app: &App) -> anyhow::Result<Exit> {
    let format = format::rows(args.format.as_ref(), COLUMNS, ("", true), false, app)?;
    let client = app.client(None)?;
    let version = client.api_version()?;
    if version < digest::SINCE {
        let ((major, minor), (need, since)) = (version, digest::SINCE);
        anyhow::bail!("asking a registry needs API {need}.{since}, and this engine speaks {major}.{minor}");
    }
    let (services, missing) = chosen(&client, &args, app)?;
    let mut rows: Vec<Row> = services.iter().map(Row::new).collect();
    rows.sort_by(|a, b| natural_cmp(a.name, b.name));
    let digests = digests(&client, app, &rows)?;
    for row in &mut rows {
        row.now = row.followed().and_then(|tag| digests.get(&tag.familiar()));
    }
    let mut out = app.ui.stdout();
    if args.json {
        out.json_array(&rows.iter().map(Row::json).collect::<Vec<_>>());
    } else if !rows.is_empty() || args.services.is_empty() {
        out.rows(COLUMNS, format.as_ref(), rows.iter().map(Row::values))?;
    }
    out.finish()?;
    let is =
        |what: Option<bool>| rows.iter().any(|row| row.followed().is_some() && row.is_outdated() == what);
    let answer = match args.exit_code {
        true if is(Some(true)) => Exit::Different,
        true if rows.iter().any(|row| matches!(row.now, Some(Err(_)))) => Exit::Failed,
        _ => Exit::Done,
    };
    Ok(Exit::merge(missing.into_iter().chain([answer])))
}

/// The services that are asked for, each once, and the codes of those that there are not.
fn chosen(client: &Client, args: &OutdatedArgs, app: &App) -> anyhow::Result<(Vec<Service>, Vec<Exit>)> {
    if args.services.is_empty() && !args.select.is_given() {
        let all = SelectArgs { all: true, ..args.select.clone() };
        return Ok((all.select(app.ui, client, Jobs::TakenIn)?, Vec::new()));
    }
    args.select.check(&args.services, "swarmctl outdated web")?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for Chosen { given, found: one, .. } in
        args.select.choose(app.ui, client, &args.services, Jobs::TakenIn)?
    {
        match one {
            Ok(service) => found.push(service),
            Err(error) => {
                exit::tell_of(app.ui, &format!("cannot look at service `{given}`"), &error);
                missing.push(Exit::of(&error, app.signal()));
            }
        }
    }
    Ok((found, missing))
}

/// What a registry has for a tag, or why that is not known.
type Digest = Result<String, String>;

/// Asks the registries: once for each tag, several at the same time.
fn digests(client: &Client, app: &App, rows: &[Row]) -> Result<BTreeMap<String, Digest>> {
    let tags: BTreeMap<String, ImageRef> =
        rows.iter().filter_map(Row::followed).map(|tag| (tag.familiar(), tag)).collect();
    let registries: BTreeSet<&str> = tags.values().map(ImageRef::domain).collect();
    let mut auths = BTreeMap::new();
    for registry in registries {
        let auth = match app.keyring()?.auth(client, registry) {
            Err(error @ Error::Credentials(_)) => Err(error.to_string()),
            other => Ok(other?),
        };
        auths.insert(registry, auth);
    }
    let known = parallel::try_map(tags.iter().collect(), AT_ONCE, |(name, tag): (&String, &ImageRef)| {
        let digest = match auths.get(tag.domain()) {
            Some(Err(why)) => Err(why.clone()),
            Some(Ok(auth)) => digest(client, tag, auth.as_ref())?,
            None => digest(client, tag, None)?,
        };
        Ok::<_, Error>((name.clone(), digest))
    })?;
    Ok(known.into_iter().collect())
}

fn digest(client: &Client, tag: &ImageRef, auth: Option<&RegistryAuth>) -> Result<Digest> {
    match digest::inspect(client, tag, auth) {
        Ok(manifest) => Ok(Ok(manifest.image.digest().unwrap_or_default().to_owned())),
        Err(error @ Error::Registry { .. }) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

/// One service.
struct Row<'a> {
    name: &'a str,
    id: &'a str,
    written: &'a str,
    image: Option<ImageRef>,
    now: Option<&'a Digest>,
}

impl<'a> Row<'a> {
    fn new(service: &'a Service) -> Self {
        let written = service.image().unwrap_or_default();
        Self {
            name: service.name(),
            id: service.id(),
            written,
            image: ImageRef::parse(written).ok(),
            now: None,
        }
    }

    /// The tag that it follows; `nginx` follows `latest`.
    fn followed(&self) -> Option<ImageRef> {
        let image = self.image.as_ref()?;
        image.with_tag(image.tag()?).ok()
    }

    fn runs(&self) -> Option<&str> {
        self.image.as_ref()?.digest()
    }

    fn registry(&self) -> Option<&str> {
        self.now?.as_deref().ok()
    }

    /// `None` where it cannot be told.
    fn is_outdated(&self) -> Option<bool> {
        Some(self.runs()? != self.registry()?)
    }

    fn status(&self) -> Cow<'_, str> {
        match (&self.image, self.is_outdated(), self.now) {
            (None, _, _) => "has no image of a registry".into(),
            (Some(_), Some(true), _) => "outdated".into(),
            (Some(_), Some(false), _) => "up to date".into(),
            (Some(_), None, Some(Err(why))) => why.into(),
            (Some(image), None, _) if image.tag().is_none() => "follows no tag".into(),
            (Some(_), None, _) => "not pinned".into(),
        }
    }

    fn cells(&self) -> [Cow<'_, str>; 5] {
        let image = self.followed().map_or(self.written.into(), |tag| tag.familiar().into());
        [self.name.into(), image, short(self.runs()), short(self.registry()), self.status()]
    }

    /// The cells, and what `--json` has beside them.
    fn values(&self) -> [Value; 11] {
        let [name, image, runs, registry, status] = self.cells().map(|cell| json!(cell));
        let tag = self.followed().map(|tag| tag.familiar());
        let (digest, now) = (json!(self.runs()), json!(self.registry()));
        let error = json!(self.now.and_then(|now| now.as_ref().err()));
        [
            name,
            image,
            runs,
            registry,
            status,
            json!(self.id),
            json!(tag),
            digest,
            now,
            json!(self.is_outdated()),
            error,
        ]
    }

    fn json(&self) -> String {
        json!({
            "name": self.name,
            "id": self.id,
            "image": self.written,
            "tag": self.followed().map(|tag| tag.familiar()),
            "digest": self.runs(),
            "registry_digest": self.registry(),
            "outdated": self.is_outdated(),
            "error": self.now.and_then(|now| now.as_ref().err()),
        })
        .to_string()
    }
}

/// `sha256:` and the first twelve digits, as docker shortens IDs.
fn short(digest: Option<&str>) -> Cow<'_, str> {
    let Some((algorithm, hex)) = digest.and_then(|digest| digest.split_once(':')) else { return "-".into() };
    format!("{algorithm}:{hex:.12}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_is_known() {
        let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let (one, two) = (Ok(digest("1")), Ok(digest("2")));
        let refused = Err("registry `r` cannot be asked".to_owned());
        let pinned = format!("r:5000/a:1@{}", digest("1"));
        let bare = format!("r:5000/a@{}", digest("1"));
        for (image, now, tag, status) in [
            (&pinned[..], Some(&one), "r:5000/a:1", "up to date"),
            (&pinned, Some(&two), "r:5000/a:1", "outdated"),
            (&pinned, Some(&refused), "r:5000/a:1", "registry `r` cannot be asked"),
            (&bare, None, &bare, "follows no tag"),
            ("a", Some(&one), "a:latest", "not pinned"),
            ("", None, "", "has no image of a registry"),
        ] {
            let row = Row { name: "web", id: "id", written: image, image: ImageRef::parse(image).ok(), now };
            let cells = row.cells();
            assert_eq!((&*cells[1], &*cells[4]), (tag, status), "{image}");
        }
        assert_eq!((short(Some(&digest("1"))), short(None)), ("sha256:111111111111".into(), "-".into()));
    }
}
