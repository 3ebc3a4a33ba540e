//! `ls`: the services of the swarm.

mod counts;

use std::borrow::Cow;

use anyhow::Context as _;
use clap::Args;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::rows::{Counts, Mode, PortRow, ServiceRow};
use crate::api::resources::services;
use crate::api::resources::services::TaskCounts;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::replicas;
use crate::cli::exit::Exit;
use crate::cli::format;
use crate::cli::format::ListFormat;
use crate::cli::select::filter;
use crate::cli::select::filter::ImageFilter;
use crate::output::{Columns, Format, TemplateError, natural_cmp};

/// List services
///
/// REPLICAS is running/desired; tasks on nodes that are down do not count as running. PORTS shows what is published on every node; what is published with mode=host is in
/// `inspect --pretty`.
#[derive(Args, Debug)]
pub struct LsArgs {
    /// Show services with this property: id, label, mode, name (the start of id and name is enough) or image
    #[arg(short, long, value_name = "KEY=VALUE", add = Completion::FILTERS, value_parser = filter::parse_for_services)]
    filter: Vec<services::Filter>,
    /// Print nothing but IDs
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    /// Print each service by a Go template, as in '{{.Name}}', 'table {{.ID}}\t{{.Ports}}', json or raw
    #[arg(long, value_name = "TEMPLATE", add = Completion::FORMATS, value_parser = parse_format, conflicts_with = "json")]
    format: Option<ListFormat>,
    /// Print the engine's own JSON
    #[arg(long)]
    json: bool,
}

/// What templates may name.
const COLUMNS: Columns = Columns {
    table: &[
        ("ID", "ID"),
        ("Name", "NAME"),
        ("Mode", "MODE"),
        ("Replicas", "REPLICAS"),
        ("Image", "IMAGE"),
        ("Ports", "PORTS"),
    ],
    more: &[],
};

fn parse_format(text: &str) -> Result<ListFormat, TemplateError> {
    ListFormat::parse(text, COLUMNS)
}

/// Runs the command.
pub fn run(args: LsArgs, app: &App) -> anyhow::Result<Exit> {
    let setting = ("servicesFormat", args.json || args.quiet);
    let format = format::rows(args.format.as_ref(), COLUMNS, setting, args.quiet, app)?;
    let client = app.client(None)?;
    list(app, &client, &args, format.as_ref()).context("cannot list services")?;
    Ok(Exit::Done)
}

fn list(app: &App, client: &Client, args: &LsArgs, format: Option<&Format>) -> anyhow::Result<()> {
    let mut out = app.ui.stdout();
    let (images, filters) = ImageFilter::split(&args.filter)?;
    let is_meant =
        |row: &ServiceRow| images.is_empty() || images.iter().any(|filter| filter.matches(row.image()));
    if args.json && images.is_empty() {
        out.json_untouched(&services::list_text(client, &filters)?);
    } else if args.json {
        out.json_untouched(&services::list_text_of(client, &filters, is_meant)?);
    } else {
        let only_ids = args.quiet && format.is_none();
        let meant = |row: &ServiceRow| is_meant(row).then(|| Listed::new(row));
        let counts = if only_ids { TaskCounts::Omitted } else { TaskCounts::Included };
        let listed = services::list_rows(client, &filters, counts, meant)?;
        let mut listed: Vec<Listed> = listed.into_iter().flatten().collect();
        listed.sort_by(|a, b| natural_cmp(&a.name, &b.name).then_with(|| a.id.cmp(&b.id)));
        if only_ids {
            listed.iter().for_each(|service| out.line(service.short_id()));
        } else {
            counts::complete(client, &mut listed)?;
            out.rows(COLUMNS, format, listed.iter().map(Listed::cells))?;
        }
    }
    Ok(out.finish()?)
}

/// What is shown of a service.
struct Listed {
    id: String,
    name: String,
    mode: Mode,
    max_per_node: u64,
    counts: Option<Counts>,
    iteration: u64,
    image: String,
    ports: String,
}

impl Listed {
    fn new(row: &ServiceRow) -> Self {
        Self {
            id: row.id.clone().into_owned(),
            name: row.name().to_owned(),
            mode: row.mode(),
            max_per_node: row.max_per_node(),
            counts: row.counts,
            iteration: row.iteration(),
            image: image_without_digest(row.image()).into_owned(),
            ports: published(row.ports()),
        }
    }

    fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    fn cells(&self) -> [Cow<'_, str>; 6] {
        let mode = match self.mode {
            Mode::Replicated { .. } => "replicated",
            Mode::Global => "global",
            Mode::ReplicatedJob { .. } => "replicated job",
            Mode::GlobalJob => "global job",
            Mode::Other => "",
        };
        let id = self.short_id().into();
        [
            id,
            (&self.name).into(),
            mode.into(),
            self.replicas().into(),
            (&self.image).into(),
            (&self.ports).into(),
        ]
    }

    fn replicas(&self) -> String {
        replicas::describe(self.mode, self.counts.unwrap_or_default(), self.max_per_node)
    }
}

/// `nginx:1` for `docker.io/library/nginx:1@sha256:...`; without a tag the digest is all there is.
pub(in crate::cli) fn image_without_digest(image: &str) -> Cow<'_, str> {
    // Most are in that form already, and there may be thousands.
    let is_long = ["docker.io/", "index.docker.io/", "library/"].iter().any(|start| image.starts_with(start));
    if !image.contains('@') && !is_long {
        return image.into();
    }
    match ImageRef::parse(image) {
        Ok(parsed) if parsed.tag().is_some_and(|tag| image.contains(&format!(":{tag}"))) => {
            parsed.familiar_without_digest().into()
        }
        _ => image.into(),
    }
}

/// The ports of the ingress network, neighbours joined: `*:8000-8002->80-82/tcp, *:8000->80/udp`.
fn published(ports: &[PortRow]) -> String {
    let mut ports: Vec<&PortRow> =
        ports.iter().filter(|port| port.mode != "host" && port.published > 0).collect();
    ports.sort_by_key(|port| (&port.protocol, port.published));
    let mut ranges: Vec<Range> = Vec::new();
    for port in ports {
        match ranges.last_mut() {
            Some(range) if range.takes(port) => {
                (range.published.1, range.target.1) = (port.published, port.target)
            }
            _ => ranges.push(Range {
                protocol: &port.protocol,
                published: (port.published, port.published),
                target: (port.target, port.target),
            }),
        }
    }
    let shown =
        |(first, last): (u32, u32)| if first < last { format!("{first}-{last}") } else { first.to_string() };
    let ranges =
        ranges.iter().map(|it| format!("*:{}->{}/{}", shown(it.published), shown(it.target), it.protocol));
    ranges.collect::<Vec<_>>().join(", ")
}

/// Neighbouring ports that lead to neighbouring ports, or all to the same one; docker joins no others.
struct Range<'a> {
    protocol: &'a str,
    published: (u32, u32),
    target: (u32, u32),
}

impl Range<'_> {
    fn takes(&self, port: &PortRow) -> bool {
        let is_next = |port: u32, last: u32| port.checked_sub(last).is_some_and(|step| step <= 1);
        self.protocol == port.protocol
            && is_next(port.published, self.published.1)
            && is_next(port.target, self.target.1)
            && (self.target.0 == self.target.1 || port.target > self.target.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(published: u32, target: u32, protocol: &'static str) -> PortRow<'static> {
        PortRow { protocol: protocol.into(), target, published, mode: "ingress".into() }
    }

    #[test]
    fn joins_neighbouring_ports_as_docker_does() {
        let tcp = |pairs: &[(u32, u32)]| pairs.iter().map(|(p, t)| port(*p, *t, "tcp")).collect::<Vec<_>>();
        for (ports, shown) in [
            (tcp(&[]), ""),
            (tcp(&[(22222, 80)]), "*:22222->80/tcp"),
            (tcp(&[(8001, 81), (8000, 80), (8002, 82)]), "*:8000-8002->80-82/tcp"),
            (tcp(&[(80, 80), (81, 80), (82, 80)]), "*:80-82->80/tcp"),
            (tcp(&[(80, 80), (81, 81), (82, 80)]), "*:80-81->80-81/tcp, *:82->80/tcp"),
            (tcp(&[(80, 80), (81, 81), (82, 81)]), "*:80-81->80-81/tcp, *:82->81/tcp"),
            (tcp(&[(80, 80), (81, 80), (82, 81)]), "*:80-82->80-81/tcp"),
            (tcp(&[(80, 80), (82, 81)]), "*:80->80/tcp, *:82->81/tcp"),
            (tcp(&[(0, 80)]), ""),
        ] {
            assert_eq!(published(&ports), shown);
        }
        let mut host = port(443, 443, "tcp");
        host.mode = "host".into();
        assert_eq!(
            published(&[port(53, 53, "udp"), host, port(53, 53, "tcp")]),
            "*:53->53/tcp, *:53->53/udp"
        );
    }

    #[test]
    fn shows_images_as_docker_does() {
        for (image, shown) in [
            ("nginx:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "nginx:1"),
            ("docker.io/library/nginx:1", "nginx:1"),
            ("nginx", "nginx"),
            ("docker.io/library/nginx", "docker.io/library/nginx"),
            ("localhost:5000/a/b:1", "localhost:5000/a/b:1"),
            ("Not A Ref!", "Not A Ref!"),
            ("", ""),
        ] {
            assert_eq!(image_without_digest(image), shown, "{image}");
        }
        let untagged = "nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        assert_eq!(image_without_digest(untagged), untagged);
    }
}
