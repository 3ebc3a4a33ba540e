use serde_json::json;

use super::*;

#[test]
fn a_place_is_written_as_jq_would_find_it() {
    let label = Place::at("Labels").key("com.example.team");
    assert_eq!(label.to_string(), r#"Labels["com.example.team"]"#);
    assert_eq!(Place::at("TaskTemplate.ForceUpdate").to_string(), "TaskTemplate.ForceUpdate");
    assert_eq!(
        Place::at("TaskTemplate.ContainerSpec.Env").item("A").to_string(),
        "TaskTemplate.ContainerSpec.Env[A]"
    );
    let option =
        Place::at("TaskTemplate.ContainerSpec.Mounts").item("/b").key("BindOptions").key("Propagation");
    assert_eq!(option.to_string(), "TaskTemplate.ContainerSpec.Mounts[/b].BindOptions.Propagation");
    let mounts = json!([{"Target": "/a"}, {"Target": "/b", "BindOptions": {"Propagation": "slave"}}]);
    let spec = json!({"TaskTemplate": {"ContainerSpec": {"Mounts": mounts}}});
    assert_eq!((option.get(&spec), option.identity()), (Some(&json!("slave")), None));
}

#[test]
fn items_are_identified_by_their_identity() {
    let table = [
        ("TaskTemplate.ContainerSpec.Env", json!("PATH=/a=b"), "PATH"),
        ("TaskTemplate.ContainerSpec.Env", json!("BARE"), "BARE"),
        ("TaskTemplate.ContainerSpec.Mounts", json!({"Source": "v", "Target": "/data"}), "/data"),
        ("TaskTemplate.Networks", json!({"Target": "n1"}), "n1"),
        ("EndpointSpec.Ports", json!({"TargetPort": 80, "PublishedPort": 8080}), "8080:80/tcp/ingress"),
        (
            "EndpointSpec.Ports",
            json!({"TargetPort": 53, "Protocol": "udp", "PublishMode": "host"}),
            "0:53/udp/host",
        ),
        ("TaskTemplate.ContainerSpec.Hosts", json!("10.0.0.5 db db.local"), "10.0.0.5 db db.local"),
        ("TaskTemplate.ContainerSpec.Ulimits", json!({"Name": "nofile", "Soft": 1}), "nofile"),
        (
            "TaskTemplate.ContainerSpec.Secrets",
            json!({"SecretName": "key", "File": {"Name": "tls.key"}}),
            "key:tls.key",
        ),
        ("TaskTemplate.ContainerSpec.Secrets", json!({"SecretName": "key", "File": {"Name": "key"}}), "key"),
        (
            "TaskTemplate.ContainerSpec.Configs",
            json!({"ConfigName": "spec", "ConfigID": "c", "Runtime": {}}),
            "spec (runtime)",
        ),
        (
            "TaskTemplate.Resources.Reservations.GenericResources",
            json!({"DiscreteResourceSpec": {"Kind": "gpu", "Value": 2}}),
            "gpu",
        ),
        ("TaskTemplate.Placement.Constraints", json!("node.role==manager"), "node.role==manager"),
    ];
    for (list, item, id) in table {
        assert_eq!(Place::at(list).item_of(&item).item_id(), Some(id), "{list} {item}");
    }
}

#[test]
fn a_pattern_matches_several_items() {
    let ports = Place::at("EndpointSpec.Ports");
    let configs = Place::at("TaskTemplate.ContainerSpec.Configs");
    let hosts = Place::at("TaskTemplate.ContainerSpec.Hosts");
    let port = |published: u64| json!({"TargetPort": 80, "PublishedPort": published});
    for (place, item, fits) in [
        (ports.clone().items_like("*:80/tcp/ingress"), port(8080), true),
        (ports.clone().items_like("*:80/tcp/ingress"), port(0), true),
        (ports.clone().items_like("*:80/tcp/host"), port(8080), false),
        (ports.clone().items_like("*:0/tcp/ingress"), port(8080), false),
        (ports.items_like("*:8080/tcp/ingress"), port(8080), false),
        (configs.clone().items_like("k:*"), json!({"ConfigName": "k", "File": {"Name": "/x"}}), true),
        (configs.clone().items_like("k:*"), json!({"ConfigName": "k", "File": {"Name": "k"}}), true),
        (configs.clone().items_like("k:*"), json!({"ConfigName": "k", "Runtime": {}}), false),
        (configs.items_like("k:*"), json!({"ConfigName": "k2", "File": {"Name": "k2"}}), false),
        (hosts.clone().items_like("* db"), json!("::1 cache db"), true),
        (hosts.clone().items_like("10.0.0.5 db"), json!("10.0.0.5 db"), true),
        (hosts.clone().items_like("10.0.0.5 db"), json!("10.0.0.6 db"), false),
        (hosts.items_like("* 10.0.0.5"), json!("10.0.0.5 db"), false),
    ] {
        let identity = place.identity().unwrap();
        assert_eq!(identity.fits(&item, place.pattern().unwrap()), fits, "{place} {item}");
    }
    let left = |entry: &str, pattern| Identity::Host.without(&json!(entry), pattern);
    assert_eq!(left("10.0.0.5 db db.local", "* db"), Some(json!("10.0.0.5 db.local")));
    assert_eq!(left("10.0.0.5 db", "* db"), None);
    assert_eq!(left("10.0.0.5 db", "* x"), Some(json!("10.0.0.5 db")));
}

#[test]
fn null_is_nothing() {
    assert_eq!(Place::at("A.B").get(&json!({"A": {"B": null}})), None);
    assert_eq!(Place::at("A.B").get(&json!({"A": [1]})), None);
}
