//! How to fix the findings of each rule. The rules themselves are in the api, which knows no commands.

/// Returns how to fix the findings of a rule. `NAME` is a placeholder for the service.
pub fn advice(id: &str) -> &'static str {
    ADVICE.iter().find(|(rule, _)| *rule == id).map_or("", |(_, advice)| advice)
}

/// The advice for each rule.
const ADVICE: &[(&str, &str)] = &[
    (
        "L01",
        "let updates watch a task long enough for its health check to fail: `swarmctl update --update-monitor 90s NAME`",
    ),
    ("L02", "stop an update that fails: `swarmctl update --update-failure-action pause NAME`"),
    (
        "L04",
        "give the health check a command with `swarmctl update --health-cmd COMMAND NAME`, or turn it off with `swarmctl update --no-healthcheck NAME`",
    ),
    (
        "L05",
        "stop the old task first: `swarmctl update --update-order stop-first NAME` (with `--force` if an update is stuck already); or add a node",
    ),
    ("L06", "run at most as many replicas as nodes: `swarmctl scale NAME=2`; or add nodes"),
    (
        "L07",
        "allow more replicas on a node with `swarmctl update --replicas-max-per-node 2 NAME`, or stop the old task first with `swarmctl update --update-order stop-first NAME`",
    ),
    (
        "L08",
        "activate a node with `docker node update --availability active NODE`, or remove the constraint that the message names with `swarmctl update --constraint-rm CONSTRAINT NAME`",
    ),
    (
        "L09",
        "deploy an image that is built for the platform of these nodes, or add a node that has the platform of the image",
    ),
    (
        "L10",
        "create a larger network, as in `docker network create --driver overlay --subnet 10.99.0.0/16 LARGER`, and move the services to it with `swarmctl update --network-add LARGER --network-rm SMALL NAME`",
    ),
    (
        "L11",
        "reserve what a node has: `swarmctl update --reserve-cpu 1 --reserve-memory 512m NAME`; or add a larger node",
    ),
    ("L12", "pin the image to the digest that its tag has now: `swarmctl update-image --refresh NAME`"),
    ("L13", "use a tag that names a version, as in `swarmctl update-image NAME IMAGE:1.7`"),
    (
        "L14",
        "store the value with `docker secret create SECRET FILE`, mount it with `swarmctl update --secret-add SECRET NAME`, and remove the variable with `swarmctl update --env-rm VARIABLE NAME`",
    ),
    ("L15", "set a limit that fits the service, as in `swarmctl update --limit-memory 512m NAME`"),
    (
        "L16",
        "start the tasks again with `swarmctl restart NAME`; to let the engine restart failed tasks from then on, run `swarmctl update --restart-condition any --restart-max-attempts 0 NAME`",
    ),
    (
        "L17",
        "look for the reason with `swarmctl logs NAME`; `swarmctl update --restart-delay 1m NAME` slows the restarts down meanwhile",
    ),
    (
        "L18",
        "use a volume, or select the nodes that have the directory, as in `swarmctl update --constraint-add node.hostname==HOST NAME`",
    ),
    ("L19", "mount the socket of a proxy that forwards only the requests that the container needs"),
    ("L20", "there is nothing to fix; to go back further, deploy the image or the settings that you want"),
    ("L21", "do not roll back: correct the current settings with `swarmctl update`"),
    ("L22", "there is nothing to fix; Docker 29 moves the networks with the next update"),
    ("L25", "change the image in the file of the stack, so that the next deployment keeps it"),
    ("L26", "set a limit that a node has: `swarmctl update --limit-cpu 2 NAME`"),
    ("L27", "set a limit of at least 6 MiB: `swarmctl update --limit-memory 6m NAME`"),
    (
        "L28",
        "install the plugin on a node with `docker plugin install PLUGIN`, or use another driver, as in `swarmctl update --log-driver json-file NAME` or `swarmctl update --mount-add type=volume,source=VOLUME,target=PATH,volume-driver=local NAME`",
    ),
    (
        "L29",
        "publish ports from 1 to 65535: `swarmctl update --publish-rm TARGET --publish-add PUBLISHED:TARGET NAME`",
    ),
    ("L30", "update one task at a time: `swarmctl update --update-parallelism 1 NAME`"),
];
