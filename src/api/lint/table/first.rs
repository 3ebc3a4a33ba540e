//! Rules L01 to L15.

use super::super::{Kind, Rule, Severity, Source, Stage};
use super::super::{container, image, networks, placement, resources, update};

/// The rules L01 to L15.
pub const RULES: &[Rule] = &[
    Rule {
        id: "L01",
        name: "monitor-short",
        severity: Severity::Info,
        kinds: &[Kind::Replicated, Kind::Global],
        needs: &[],
        stage: Stage::OnRequest,
        condition: "The spec has a health check, and an update watches a new task for a shorter time than \
            the check needs to fail (interval x retries)",
        effect: "A task that turns unhealthy after it was running is not noticed by the update. Failures \
            before the first success always count.",
        sign: "The update ends as `completed`, and a task fails later with `unhealthy container`.",
        check: update::monitor_short,
    },
    Rule {
        id: "L02",
        name: "failure-continue",
        severity: Severity::Warn,
        kinds: &[Kind::Replicated, Kind::Global],
        needs: &[],
        stage: Stage::OnRequest,
        condition: "The failure action of updates is continue, or the tolerated failure ratio is 1 or more",
        effect: "An update to a broken image ends as `completed`, and no task runs.",
        sign: "UpdateStatus is `completed`, and the tasks are `failed` or `rejected`.",
        check: update::failure_continue,
    },
    Rule {
        id: "L04",
        name: "healthcheck-invalid",
        severity: Severity::Error,
        kinds: &[Kind::Replicated, Kind::Global, Kind::Job],
        needs: &[],
        stage: Stage::BeforePosts,
        condition: "The health check begins with another word than NONE, CMD or CMD-SHELL, or is CMD or \
            CMD-SHELL without a command",
        effect: "With another word the tasks stay `starting` forever. With CMD alone the engine of the \
            node crashes (moby/moby#52330). With CMD-SHELL alone every check fails, and the tasks \
            are restarted again and again.",
        sign: "Tasks stay `starting`, or fail with `unhealthy container`.",
        check: container::healthcheck_invalid,
    },
    Rule {
        id: "L05",
        name: "hostport-start-first",
        severity: Severity::Error,
        kinds: &[Kind::Replicated],
        needs: &[Source::Nodes],
        stage: Stage::BeforePosts,
        condition: "A port is published in host mode, updates are start-first, and there are no more \
            eligible nodes than replicas",
        effect: "The first new task of an update stays pending, because the old task on each node has the \
            port, and the update never ends. Global services are not affected.",
        sign: "A task stays `pending` with `host-mode port already in use`.",
        check: placement::hostport_start_first,
    },
    Rule {
        id: "L06",
        name: "hostport-replicas",
        severity: Severity::Error,
        kinds: &[Kind::Replicated],
        needs: &[Source::Nodes],
        stage: Stage::BeforePosts,
        condition: "A port is published in host mode, and there are more replicas than eligible nodes",
        effect: "Each node has the port once, so the surplus tasks stay pending.",
        sign: "Tasks stay `pending` with `host-mode port already in use`.",
        check: placement::hostport_replicas,
    },
    Rule {
        id: "L07",
        name: "max-replicas",
        severity: Severity::Error,
        kinds: &[Kind::Replicated],
        needs: &[Source::Nodes],
        stage: Stage::BeforePosts,
        condition: "There are more replicas than the eligible nodes may run (MaxReplicas each), or as many, \
            and updates are start-first",
        effect: "The surplus tasks, or the first new task of an update, stay pending. Global services are \
            not affected.",
        sign: "Tasks stay `pending` with `max replicas per node limit exceed`.",
        check: placement::max_replicas,
    },
    Rule {
        id: "L08",
        name: "no-node",
        severity: Severity::Error,
        kinds: &[Kind::Replicated, Kind::Job],
        needs: &[Source::Nodes],
        stage: Stage::BeforePosts,
        condition: "No node that is up and active meets the constraints",
        effect: "No task is started until a node meets them.",
        sign: "Tasks stay `pending` with `scheduling constraints not satisfied`.",
        check: placement::no_node,
    },
    Rule {
        id: "L09",
        name: "platform",
        severity: Severity::Error,
        kinds: &[Kind::Replicated, Kind::Job],
        needs: &[Source::Nodes],
        stage: Stage::BeforePosts,
        condition: "Active nodes meet the constraints, and none of them has a platform of the image",
        effect: "No task is started. A list that has `unknown/unknown` only is of this kind too.",
        sign: "Tasks stay `pending` with `unsupported platform`.",
        check: placement::platform,
    },
    Rule {
        id: "L10",
        name: "addresses",
        severity: Severity::Error,
        kinds: &[Kind::Replicated, Kind::Global],
        needs: &[Source::Nodes, Source::Tasks, Source::Networks],
        stage: Stage::OnRequest,
        condition: "A network of the service has one IPv4 subnet, and its services need more addresses than \
            it has, or all of them, and a service on it is updated start-first",
        effect: "Tasks stay `new` or are rejected; an engine of version 20.10 may start no task of the \
            service at all. Counted are one gateway, one virtual IP for each service, one address \
            for each desired task, and one for each node that runs one of them. Containers that are \
            not services are not counted.",
        sign: "Tasks stay `new`; the engine's log has `ip addresses may be exhausted`.",
        check: networks::addresses,
    },
    Rule {
        id: "L11",
        name: "reservation",
        severity: Severity::Error,
        kinds: &[Kind::Replicated, Kind::Job],
        needs: &[Source::Nodes],
        stage: Stage::BeforePosts,
        condition: "No single eligible node has the CPUs and the memory that a task reserves",
        effect: "No task is started, however idle the nodes are.",
        sign: "Tasks stay `pending` with `insufficient resources`.",
        check: placement::reservation,
    },
    Rule {
        id: "L12",
        name: "unpinned",
        severity: Severity::Warn,
        kinds: &[Kind::Replicated, Kind::Global],
        needs: &[],
        stage: Stage::OnRequest,
        condition: "The image has no digest",
        effect: "Each node resolves the tag when it starts a task, so nodes may run different images. \
            Docker's clients 29.0 to 29.7 leave it so (docker/cli#7302).",
        sign: "`docker service inspect` shows the image without `@sha256:`.",
        check: image::unpinned,
    },
    Rule {
        id: "L13",
        name: "latest",
        severity: Severity::Info,
        kinds: &[Kind::Replicated, Kind::Global],
        needs: &[],
        stage: Stage::OnRequest,
        condition: "The tag is `latest`, also if the image names neither tag nor digest",
        effect: "The tag does not name the version that ran before, so it cannot be used to go back to it.",
        sign: "The image has the tag `latest`.",
        check: image::latest,
    },
    Rule {
        id: "L14",
        name: "secret-in-env",
        severity: Severity::Warn,
        kinds: &[Kind::Replicated, Kind::Global, Kind::Job],
        needs: &[],
        stage: Stage::OnRequest,
        condition: "A variable has a name such as DB_PASSWORD or API_KEY and a value that can be a secret, \
            or its value is a URL with a password",
        effect: "Everybody who may inspect the service, or read the environment of its container, can \
            read the value. The value is not printed here.",
        sign: "The variable is in the list `Env` of the spec.",
        check: container::secret_in_env,
    },
    Rule {
        id: "L15",
        name: "no-memory-limit",
        severity: Severity::Info,
        kinds: &[Kind::Replicated, Kind::Global, Kind::Job],
        needs: &[],
        stage: Stage::OnRequest,
        condition: "The tasks have no memory limit",
        effect: "One task can use all memory of its node, and the kernel then kills tasks of other services.",
        sign: "`Resources.Limits` of the spec has no `MemoryBytes`.",
        check: resources::no_memory_limit,
    },
];
