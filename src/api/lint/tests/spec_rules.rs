//! Rules that need only the specs of the service, and L21, which also needs the existing secrets and configs.

use serde_json::json;

use super::*;

const SECOND: i64 = 1_000_000_000;

fn check_of(test: Value) -> Case {
    Case::new().with("TaskTemplate.ContainerSpec.Healthcheck", json!({"Test": test}))
}

#[test]
fn l01_a_monitor_period_shorter_than_the_health_check() {
    let check = || check_of(json!(["CMD", "true"]));
    let finding = check().finds("L01");
    assert_eq!(finding.fix, Fix::Update(vec![Change::Monitor(90 * SECOND)]));
    assert!(finding.message.contains("for 5s") && finding.message.contains("90s"), "{finding:?}");
    check_of(json!(["CMD-SHELL", "true"])).finds("L01");
    check().with("UpdateConfig", json!({"Monitor": 90 * SECOND - 1})).finds("L01");
    check().with("UpdateConfig", json!({"Monitor": 90 * SECOND})).passes("L01");
    check().with("UpdateConfig", json!({"FailureAction": "continue"})).passes("L01");
    check().with("UpdateConfig", json!({"FailureAction": "rollback"})).finds("L01");
    check().mode("Global").finds("L01");
    check().mode("ReplicatedJob").passes("L01");
    for test in [json!([]), json!(["NONE"]), json!(null), json!(["x"])] {
        check_of(test).passes("L01");
    }
    let times = |interval, retries| {
        let test = json!({"Test": ["CMD", "true"], "Interval": interval, "Retries": retries});
        Case::new().with("TaskTemplate.ContainerSpec.Healthcheck", test)
    };
    times(5 * SECOND, 1).passes("L01");
    times(5 * SECOND, 2).finds("L01");
    times(0, 0).finds("L01");
    times(i64::MAX, i64::MAX).finds("L01");
}

#[test]
fn l02_updates_that_tolerate_every_failure() {
    let policy = |policy: Value| Case::new().with("UpdateConfig", policy);
    let finding = policy(json!({"FailureAction": "continue"})).finds("L02");
    assert_eq!(finding.fix, Fix::Update(vec![Change::PauseOnFailure]));
    let finding = policy(json!({"MaxFailureRatio": 1})).finds("L02");
    assert_eq!(finding.fix, Fix::Update(vec![Change::NoFailureRatio]));
    policy(json!({"MaxFailureRatio": 1.0, "FailureAction": "continue"})).finds("L02");
    policy(json!({"FailureAction": "continue"})).mode("Global").finds("L02");
    for fine in [
        json!({"FailureAction": "pause"}),
        json!({"FailureAction": "rollback", "MaxFailureRatio": 0.99}),
        json!({}),
        json!(null),
    ] {
        policy(fine).passes("L02");
    }
    Case::new().with("RollbackConfig", json!({"FailureAction": "continue"})).passes("L02");
}

#[test]
fn l04_health_checks_that_cannot_run() {
    for test in [json!(["CMD"]), json!(["CMD-SHELL"]), json!(["curl", "x"]), json!(["cmd", "x"]), json!([""])]
    {
        let finding = check_of(test).finds("L04");
        assert_eq!(finding.fix, Fix::Update(vec![Change::NoHealthCheck]));
    }
    for mode in ["Global", "ReplicatedJob", "GlobalJob"] {
        check_of(json!(["CMD"])).mode(mode).finds("L04");
    }
    for test in [
        json!([]),
        json!(null),
        json!(["NONE"]),
        json!(["NONE", "x"]),
        json!(["CMD", ""]),
        json!(["CMD-SHELL", "true"]),
    ] {
        check_of(test).passes("L04");
    }
    // The rule is skipped if the field has an unexpected type.
    for odd in [json!("CMD"), json!([1]), json!({"CMD": 1})] {
        check_of(odd).passes("L04");
    }
}

#[test]
fn l12_and_l13_images_without_a_digest_and_with_the_tag_latest() {
    let digest = format!("sha256:{}", "1".repeat(64));
    let image = |image: &str| Case::new().with("TaskTemplate.ContainerSpec.Image", json!(image));
    assert_eq!(image("web:1").finds("L12").fix, Fix::Pin);
    image("web:1").passes("L13");
    image("web").finds("L12");
    image("web").finds("L13");
    image(&format!("web:latest@{digest}")).finds("L13");
    image(&format!("web:latest@{digest}")).passes("L12");
    image(&format!("web@{digest}")).passes("L13");
    image("web").mode("Global").finds("L12");
    for odd in ["", "shop/UPPER", "a b"] {
        image(odd).passes("L12");
        image(odd).passes("L13");
    }
    Case::new().with("TaskTemplate.ContainerSpec", json!(null)).passes("L12");
    image("web").mode("ReplicatedJob").passes("L12");
}

#[test]
fn l14_variables_that_look_like_secrets() {
    let env = |item: &str| Case::new().with("TaskTemplate.ContainerSpec.Env", json!([item]));
    for item in [
        "PASSWORD=hunter2",
        "db_password=hunter2",
        "MYSQL_ROOT_PASSWD=abcd",
        "X_PASS=abcd",
        "APP_SECRET=abcd",
        "GITHUB_TOKEN=abcd",
        "MY_APIKEY=abcd",
        "AWS_CREDENTIALS=abcd",
        "STRIPE_API_KEY=abcd",
        "DJANGO_SECRET_KEY=abcd",
        "AWS_ACCESS_KEY=abcd",
        "TLS_PRIVATE_KEY=abcd",
        "X_ENCRYPTION_KEY=abcd",
        "DATABASE_URL=postgres://me:pw@db/x",
        "CACHE=redis://:pw@cache:6379",
        "TOKEN=1.2.3.4",
        "TOKEN=123.",
        "TOKEN=http://x",
    ] {
        let finding = env(item).finds("L14");
        let (name, value) = item.split_once('=').unwrap();
        assert_eq!(finding.place, format!("TaskTemplate.ContainerSpec.Env[{name}]"));
        assert!(!format!("{finding:?}").contains(value), "{finding:?}");
    }
    for item in [
        "PASSWORD",
        "PASSWORD=",
        "PASSWORD=abc",
        "PASSWORD_FILE=/run/secrets/x",
        "DB_PASSWORD=/run/secrets/x",
        "DB_PASSWORD={{.Node.Hostname}}",
        "TOKEN=12345",
        "TOKEN=1234.5",
        "SECRET=true",
        "SECRET=false",
        "SECRET=none",
        "SECRET=null",
        "TOKENS=abcd",
        "PUBLIC_KEY=abcd",
        "KEY=abcd",
        "APIKEYS=abcd",
        "PASSWORDLESS=abcd",
        "URL=http://db/x",
        "URL=http://me@db/x",
        "URL=http://me:@db/x",
        "URL=http://db/me:pw@x",
        "URL=me:pw@db",
        "URL=1x://me:pw@db",
    ] {
        env(item).passes("L14");
    }
    env("PASSWORD=hunter2").mode("GlobalJob").finds("L14");
    let twice = json!(["TOKEN=abcd", "TOKEN=efgh", "B_TOKEN=abcd"]);
    assert_eq!(Case::new().with("TaskTemplate.ContainerSpec.Env", twice).findings("L14").len(), 2);
    let odd = json!(["TOKEN=abcd", 1]);
    Case::new().with("TaskTemplate.ContainerSpec.Env", odd).passes("L14");
}

#[test]
fn l15_and_l27_limits_of_memory() {
    let limit = |limit: Value| Case::new().with("TaskTemplate.Resources.Limits", limit);
    limit(json!({})).finds("L15");
    limit(json!({"MemoryBytes": 0})).finds("L15");
    limit(json!({"NanoCPUs": 1})).mode("ReplicatedJob").finds("L15");
    limit(json!({"MemoryBytes": 1})).passes("L15");
    limit(json!({"MemoryBytes": "x"})).passes("L15");
    Case::new().with("TaskTemplate", json!({"Runtime": "plugin"})).passes("L15");
    let finding = limit(json!({"MemoryBytes": (6 << 20) - 1})).finds("L27");
    assert_eq!(finding.fix, Fix::Update(vec![Change::MemoryLimit(6 << 20)]));
    assert!(finding.message.contains("limit of 6291455 bytes"), "{}", finding.message);
    let finding = limit(json!({"MemoryBytes": 4 << 20})).mode("GlobalJob").finds("L27");
    assert!(finding.message.contains("limit of 4 MiB"), "{}", finding.message);
    limit(json!({"MemoryBytes": 6 << 20})).passes("L27");
    limit(json!({"MemoryBytes": 0})).passes("L27");
}

#[test]
fn l19_mounts_of_the_engines_socket() {
    let mount = |kind: &str, source: &str| {
        let mount = json!([{"Type": kind, "Source": source, "Target": "/x", "ReadOnly": true}]);
        Case::new().with("TaskTemplate.ContainerSpec.Mounts", mount)
    };
    for source in
        ["/run/docker.sock", "/var/run/docker.sock", "/run", "/var/run/", "/", "/run/../run//docker.sock"]
    {
        let finding = mount("bind", source).finds("L19");
        assert_eq!(finding.place, "TaskTemplate.ContainerSpec.Mounts[/x]");
    }
    mount("bind", "/").mode("GlobalJob").finds("L19");
    for source in ["/run/docker.sock.d", "/var", "/run/docker", "/srv/docker.sock"] {
        mount("bind", source).passes("L19");
    }
    mount("volume", "/run/docker.sock").passes("L19");
}

#[test]
fn l20_rollbacks_that_change_nothing() {
    let previous = |change: fn(&mut Value)| {
        let mut case = Case::new();
        let mut spec = case.service["Spec"].clone();
        change(&mut spec);
        case.service["PreviousSpec"] = spec;
        case
    };
    assert_eq!(previous(|_| {}).finds("L20").fix, Fix::None);
    previous(|spec| set(spec, "TaskTemplate.ForceUpdate", json!(7))).finds("L20");
    previous(|spec| set(spec, "Labels.a", json!("b"))).finds("L20");
    previous(|spec| set(spec, "TaskTemplate.ContainerSpec.Labels", json!({"a": "b"}))).passes("L20");
    previous(|spec| set(spec, "Mode.Replicated.Replicas", json!(7))).passes("L20");
    Case::new().passes("L20");
}

#[test]
fn l21_rollbacks_to_removed_objects() {
    let previous = |list: &str, item: Value| {
        let mut case = Case::new();
        case.service["PreviousSpec"] = case.service["Spec"].clone();
        set(&mut case.service["PreviousSpec"], &format!("TaskTemplate.ContainerSpec.{list}"), json!([item]));
        case
    };
    let config = || json!({"ConfigID": "c1", "ConfigName": "app", "File": {"Name": "/app"}});
    let finding = previous("Configs", config()).finds("L21");
    assert_eq!(finding.place, "PreviousSpec.TaskTemplate.ContainerSpec.Configs[app:/app]");
    assert!(finding.message.contains("config `app`"), "{finding:?}");
    previous("Secrets", json!({"SecretID": "c2", "SecretName": "pw"})).finds("L21");
    let mut exists = previous("Configs", config());
    exists.existing = vec!["c1"];
    exists.passes("L21");
    // Objects that the current spec refers to are in use, so they exist.
    previous("Configs", config())
        .with("TaskTemplate.ContainerSpec.Configs", json!([{"ConfigID": "c1", "ConfigName": "app"}]))
        .passes("L21");
    let mut job = previous("Configs", config());
    job.service["Spec"]["Mode"] = json!({"ReplicatedJob": {}});
    job.passes("L21");
    let service = Service::new(previous("Configs", config()).service).unwrap();
    assert_eq!(earlier_references(&service, RequiredList::Configs), ["c1"]);
    assert!(earlier_references(&service, RequiredList::Secrets).is_empty());
}

#[test]
fn l22_networks_at_the_top() {
    Case::new().with("Networks", json!([{"Target": "n"}])).finds("L22");
    Case::new().with("Networks", json!([])).passes("L22");
    Case::new().with("TaskTemplate.Networks", json!([{"Target": "n"}])).passes("L22");
}

#[test]
fn l25_images_that_differ_from_the_stack() {
    let (one, two) = (format!("sha256:{}", "1".repeat(64)), format!("sha256:{}", "2".repeat(64)));
    let case = |label: &str, image: &str| {
        Case::new()
            .with("Labels", json!({"com.docker.stack.image": label}))
            .with("TaskTemplate.ContainerSpec.Image", json!(image))
    };
    case("web:1", "web:2").finds("L25");
    case("shop/web:1", "web:1").finds("L25");
    case(&format!("web:1@{one}"), &format!("web:1@{two}")).finds("L25");
    case(&format!("web:1@{one}"), "web:1").finds("L25");
    case("web:1", "web:2").mode("Global").finds("L25");
    case("web", &format!("docker.io/library/web:latest@{two}")).passes("L25");
    case(&format!("web@{one}"), &format!("web:1@{one}")).passes("L25");
    case("NOT AN IMAGE", "web:1").passes("L25");
    case("web:1", "").passes("L25");
    Case::new().with("Labels", json!({"com.docker.stack.image": 1})).passes("L25");
    Case::new().with("Labels", json!([])).passes("L25");
}

#[test]
fn l29_ports_out_of_range() {
    let port = |published: u64, target: u64| {
        let port = json!([{"PublishedPort": published, "TargetPort": target, "PublishMode": "ingress"}]);
        Case::new().with("EndpointSpec.Ports", port)
    };
    assert_eq!(port(65536, 80).finds("L29").place, "EndpointSpec.Ports[65536:80/tcp/ingress]");
    port(80, 65536).finds("L29");
    port(70000, 70000).mode("Global").finds("L29");
    port(65535, 65535).passes("L29");
    port(0, 80).passes("L29");
}

#[test]
fn l30_updates_of_all_tasks_at_once() {
    let policy = |policy: Value| Case::new().replicas(3).with("UpdateConfig", policy);
    for all in [json!({}), json!({"Parallelism": 0}), json!({"Parallelism": 3}), json!({"Parallelism": 9})] {
        assert_eq!(policy(all).finds("L30").fix, Fix::Update(vec![Change::OneAtATime]));
    }
    policy(json!({"Parallelism": 2})).passes("L30");
    policy(json!({"Parallelism": 0, "Order": "start-first"})).passes("L30");
    policy(json!({"Parallelism": 0, "Order": "stop-first"})).finds("L30");
    policy(json!(null)).passes("L30");
    policy(json!({})).replicas(1).passes("L30");
    policy(json!({})).mode("Global").passes("L30");
    policy(json!({"Parallelism": "0"})).passes("L30");
}
