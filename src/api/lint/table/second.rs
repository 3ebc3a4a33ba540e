//! Rules L16 to L30.

use super::super::{Kind, Rule, Severity, Source, Stage};
use super::super::{container, image, networks, placement, previous, resources, tasks, update};

/// The rules L16 to L30.
pub const RULES: &[Rule] = &[
    Rule {
        id: "L16",
        name: "not-restarted",
        severity: Severity::Warn,
        kinds: &[Kind::Replicated],
        needs: &[Source::Tasks],
        stage: Stage::OnRequest,
        condition: "The newest task of a slot failed or was rejected, and the restart policy starts no other",
        effect: "The slot stays empty until the service is updated.",
        sign: "Fewer tasks run than desired, and no task is on its way.",
        check: tasks::not_restarted,
    },
    Rule {
        id: "L17",
        name: "crash-loop",
        severity: Severity::Warn,
        kinds: &[Kind::Replicated, Kind::Global],
        needs: &[Source::Nodes, Source::Tasks],
        stage: Stage::OnRequest,
        condition: "The tasks of a slot fail one after the other, by the rule of `status`, and the restart \
            policy has no limit",
        effect: "The tasks are restarted without end, which fills the logs and the task history \
            (moby/swarmkit#2367). The rule assumes that the swarm keeps five tasks of a slot, which \
            is the default.",
        sign: "The service has many `failed` tasks that ran for a short time.",
        check: tasks::crash_loop,
    },
    Rule {
        id: "L18",
        name: "bind-mount",
        severity: Severity::Info,
        kinds: &[Kind::Replicated],
        needs: &[Source::Nodes],
        stage: Stage::OnRequest,
        condition: "A bind mount has a source outside of /etc, /proc, /sys, /dev, /run, /var/run, \
            /var/lib/docker and /var/log, there are several eligible nodes, and no constraint \
            selects nodes by ID, host name, IP or label",
        effect: "A task is rejected on each node that does not have the folder (moby/moby#29219), and the \
            nodes that have it may hold different files.",
        sign: "Tasks are `rejected` with `bind source path does not exist`.",
        check: placement::bind_mount,
    },
    Rule {
        id: "L19",
        name: "docker-socket",
        severity: Severity::Info,
        kinds: &[Kind::Replicated, Kind::Global, Kind::Job],
        needs: &[],
        stage: Stage::OnRequest,
        condition: "A bind mount gives the container docker.sock, or a folder that has it (/run, /var/run or \
            /)",
        effect: "Whoever controls the container controls the node as root, also if the mount is read-only.",
        sign: "The mount is in the list `Mounts` of the spec.",
        check: container::docker_socket,
    },
    Rule {
        id: "L20",
        name: "rollback-same",
        severity: Severity::Info,
        kinds: &[Kind::Replicated, Kind::Global],
        needs: &[],
        stage: Stage::OnRequest,
        condition: "The previous spec is the same as the current one, but for labels and ForceUpdate",
        effect: "A rollback changes nothing that a task sees. This is so after each restart.",
        sign: "`PreviousSpec` and `Spec` have the same TaskTemplate.",
        check: previous::rollback_same,
    },
    Rule {
        id: "L21",
        name: "dead-reference",
        severity: Severity::Error,
        kinds: &[Kind::Replicated, Kind::Global],
        needs: &[Source::Secrets, Source::Configs],
        stage: Stage::BeforeRollbacks,
        condition: "The previous spec refers to a secret or config that no longer exists",
        effect: "The engine accepts the rollback and puts the dead ID into the spec; then every new task \
            fails.",
        sign: "Tasks fail with `config ... not found` or `secret ... not found`.",
        check: previous::dead_reference,
    },
    Rule {
        id: "L22",
        name: "legacy-networks",
        severity: Severity::Info,
        kinds: &[Kind::Replicated, Kind::Global],
        needs: &[],
        stage: Stage::OnRequest,
        condition: "The spec has networks at its top and not in its TaskTemplate, where engines expect them \
            now",
        effect: "Clients that send a part of the spec lose the networks, or fail to change them. This \
            program edits such specs correctly.",
        sign: "`Networks` is at the top of the spec.",
        check: networks::legacy,
    },
    Rule {
        id: "L25",
        name: "image-differs-from-stack",
        severity: Severity::Info,
        kinds: &[Kind::Replicated, Kind::Global],
        needs: &[],
        stage: Stage::OnRequest,
        condition: "The label com.docker.stack.image names another repository or tag than the image, or \
            another digest if it has one",
        effect: "The next `docker stack deploy` of an unchanged file restores the image of the file.",
        sign: "The label and the image of the service differ.",
        check: image::differs_from_stack,
    },
    Rule {
        id: "L26",
        name: "cpu-limit",
        severity: Severity::Error,
        kinds: &[Kind::Replicated, Kind::Global, Kind::Job],
        needs: &[Source::Nodes],
        stage: Stage::BeforePosts,
        condition: "The limit of CPUs exceeds the CPUs of every eligible node",
        effect: "The nodes reject every task.",
        sign: "Tasks are `rejected` with `range of CPUs is from 0.01 to`.",
        check: resources::cpu_limit,
    },
    Rule {
        id: "L27",
        name: "memory-limit",
        severity: Severity::Error,
        kinds: &[Kind::Replicated, Kind::Global, Kind::Job],
        needs: &[],
        stage: Stage::BeforePosts,
        condition: "The memory limit is below 6 MiB",
        effect: "The manager accepts a limit from 4 MiB on, and the nodes reject every task.",
        sign: "Tasks are `rejected` with `Minimum memory limit allowed is 6MB`.",
        check: resources::memory_limit,
    },
    Rule {
        id: "L28",
        name: "missing-plugin",
        severity: Severity::Error,
        kinds: &[Kind::Replicated, Kind::Job],
        needs: &[Source::Nodes],
        stage: Stage::BeforePosts,
        condition: "No eligible node lists the logging plugin or volume plugin that the service needs",
        effect: "No task is started. Nodes that list no plugins count as having it.",
        sign: "Tasks stay `pending` with `missing plugin`.",
        check: placement::missing_plugin,
    },
    Rule {
        id: "L29",
        name: "port-range",
        severity: Severity::Error,
        kinds: &[Kind::Replicated, Kind::Global],
        needs: &[],
        stage: Stage::BeforePosts,
        condition: "A published port or target port is above 65535",
        effect: "The manager accepts it. In host mode the nodes reject every task; in ingress mode an \
            engine of version 20.10 leaves the tasks `new`.",
        sign: "Tasks are `rejected` with `invalid port specification`, or stay `new`.",
        check: update::port_range,
    },
    Rule {
        id: "L30",
        name: "all-at-once",
        severity: Severity::Warn,
        kinds: &[Kind::Replicated],
        needs: &[],
        stage: Stage::OnRequest,
        condition: "The spec has an update policy that is stop-first with a parallelism of 0 or at least the \
            number of replicas, of which there are two or more",
        effect: "Every update stops all tasks at the same time (moby/moby#28520). An empty UpdateConfig \
            is stored with a parallelism of 0, which is also the default of docker-py.",
        sign: "All tasks of the service end at once during an update.",
        check: update::all_at_once,
    },
];
