//! Ordinary services, with the defaults of docker and of Compose: no errors, and only the warnings that an image is not
//! pinned and that all tasks are updated at once.

use serde_json::json;

use super::*;

/// A service with only an image, as `docker stack deploy` stores it.
fn compose(image: &str) -> Case {
    let mut case = Case::new();
    case.service["Spec"] = json!({
        "Name": "shop_web",
        "Labels": {"com.docker.stack.image": image, "com.docker.stack.namespace": "shop"},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": image, "Labels": {"com.docker.stack.namespace": "shop"}, "Privileges": {}, "Isolation": "default"
            },
            "Resources": {}, "Placement": {"Platforms": [{"Architecture": "amd64", "OS": "linux"}, {"OS": "linux"}]},
            "Networks": [{"Target": "net", "Aliases": ["web"]}], "ForceUpdate": 0, "Runtime": "container"
        },
        "Mode": {"Replicated": {"Replicas": 1}}, "EndpointSpec": {"Mode": "vip"}
    });
    case.networks = vec![json!({
        "Id": "net", "Name": "shop_default", "Driver": "overlay", "Scope": "swarm",
        "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.0.1.0/24", "Gateway": "10.0.1.1"}]}
    })];
    case
}

fn env(case: Case, items: &[&str]) -> Case {
    case.with("TaskTemplate.ContainerSpec.Env", json!(items))
}

fn port(case: Case, mode: &str, published: u16, target: u16) -> Case {
    let port =
        json!({"Protocol": "tcp", "TargetPort": target, "PublishedPort": published, "PublishMode": mode});
    case.with("EndpointSpec.Ports", json!([port]))
}

fn volume(case: Case, target: &str) -> Case {
    let mount =
        json!([{"Type": "volume", "Source": "shop_data", "Target": target, "VolumeOptions": {"Labels": {}}}]);
    case.with("TaskTemplate.ContainerSpec.Mounts", mount)
}

fn bind(case: Case, source: &str) -> Case {
    let mount = json!([{"Type": "bind", "Source": source, "Target": source, "ReadOnly": true}]);
    case.with("TaskTemplate.ContainerSpec.Mounts", mount)
}

fn global(case: Case) -> Case {
    case.with("Mode", json!({"Global": {}}))
}

fn constrained(case: Case, constraint: &str) -> Case {
    case.with("TaskTemplate.Placement.Constraints", json!([constraint]))
}

fn checked(case: Case, seconds: u64) -> Case {
    let check = json!({
        "Test": ["CMD-SHELL", "curl -f http://localhost || exit 1"], "Interval": seconds * 1_000_000_000, "Timeout": 3_000_000_000_u64,
        "Retries": 3, "StartPeriod": 30_000_000_000_u64
    });
    case.with("TaskTemplate.ContainerSpec.Healthcheck", check)
}

/// `deploy.update_config` of a Compose file with these fields.
fn updated(case: Case, order: &str) -> Case {
    let policy = json!({"Parallelism": 1, "Delay": 10_000_000_000_u64, "FailureAction": "rollback", "Monitor": 5_000_000_000_u64, "MaxFailureRatio": 0, "Order": order});
    case.with("UpdateConfig", policy)
}

fn ordinary() -> Vec<Case> {
    vec![
        // docker service create
        Case::new(),
        compose("nginx"),
        port(updated(compose("nginx:1.27").replicas(3), "start-first"), "ingress", 80, 80),
        volume(env(compose("postgres:16"), &["POSTGRES_PASSWORD_FILE=/run/secrets/db", "POSTGRES_DB=shop"]), "/var/lib/postgresql/data"),
        volume(env(compose("mysql:8"), &["MYSQL_ROOT_PASSWORD_FILE=/run/secrets/db"]), "/var/lib/mysql"),
        env(compose("redis:7"), &["REDIS_MAXMEMORY=100mb", "TOKEN_TTL=3600", "PASS_THROUGH=true"]),
        bind(port(global(constrained(compose("traefik:v3.1"), "node.role==manager")), "host", 443, 443), "/var/run/docker.sock"),
        bind(global(compose("portainer/agent:2.21")), "/var/lib/docker/volumes"),
        bind(global(compose("prom/node-exporter:v1.8")), "/"),
        bind(global(compose("gcr.io/cadvisor/cadvisor:v0.49")), "/var/run"),
        volume(constrained(compose("prom/prometheus:v2.54"), "node.labels.monitoring==true").node(1, "Spec.Labels.monitoring", json!("true")), "/prometheus"),
        env(port(compose("grafana/grafana:11"), "ingress", 3000, 3000), &["GF_SECURITY_ADMIN_PASSWORD__FILE=/run/secrets/grafana"]),
        bind(constrained(compose("registry:2"), "node.hostname==node1"), "/srv/registry"),
        checked(updated(compose("shop/api:1.4").replicas(2), "start-first"), 10),
        env(updated(compose("shop/worker:1.4").replicas(4), "stop-first"), &["QUEUE_URL=amqp://rabbit:5672/", "API_KEY_HEADER=X-Api-Key"]),
        env(compose("rabbitmq:3-management"), &["RABBITMQ_DEFAULT_USER=shop", "RABBITMQ_ERLANG_COOKIE_FILE=/run/secrets/c"]),
        compose("shop/report:1").with("Mode", json!({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}})).with("TaskTemplate.RestartPolicy", json!({"Condition": "none", "MaxAttempts": 0})),
        port(compose("eclipse-mosquitto:2").replicas(1), "host", 1883, 1883),
        port(updated(compose("haproxy:3").replicas(2), "start-first"), "host", 8443, 8443),
        compose("elasticsearch:8.15").with("TaskTemplate.Resources", json!({"Limits": {"NanoCPUs": 2_000_000_000_i64, "MemoryBytes": 2_i64 << 30}, "Reservations": {"MemoryBytes": 1_i64 << 30}})),
        compose("memcached:1.6").replicas(3).with("TaskTemplate.Placement.MaxReplicas", json!(1)),
        checked(compose("keycloak:25").with("UpdateConfig", json!({"Parallelism": 1, "Monitor": 60_000_000_000_i64})), 20),
        compose("grafana/loki:3.1").with("TaskTemplate.LogDriver", json!({"Name": "json-file", "Options": {"max-size": "10m"}})),
        compose("alpine:3").replicas(0).with("TaskTemplate.RestartPolicy", json!({"Condition": "none"})),
    ]
}

#[test]
fn ordinary_services_have_no_errors_and_no_warnings_but_two() {
    for case in ordinary() {
        for finding in case.report().findings {
            assert!(
                finding.rule.severity == Severity::Info || matches!(finding.rule.id, "L12" | "L30"),
                "{}: {} {} {}",
                case.service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"],
                finding.rule.id,
                finding.place,
                finding.message
            );
        }
    }
}

#[test]
fn fields_that_compose_omits_cause_no_finding() {
    let ids: Vec<&str> = compose("nginx:1.27").report().findings.iter().map(|it| it.rule.id).collect();
    assert_eq!(ids, ["L12", "L15"]);
}
