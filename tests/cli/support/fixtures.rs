//! Services as an engine shows them, byte for byte.

use serde_json::{Value, json};

/// The ID of the service in most tests.
pub const ID: &str = "lvmkw77uhqcxjfzgtls48aen1";
/// The ID of a network.
pub const NETWORK: &str = "q1wzx0c4s8o5kz3v9n2m7b6tr";

/// The current image, the requested image, and a third one.
pub const OLD: &str = "opera443399/whoami:0.7";
pub const NEW: &str = "opera443399/whoami:0.6";
pub const OTHER: &str = "opera443399/whoami:0.5";

/// A spec as `docker service create --name t001 --publish 22222:80` creates it, in the engine's order.
pub fn spec(name: &str, image: &str) -> Value {
    json!({
        "Name": name,
        "Labels": {},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": image,
                "Init": false,
                "StopGracePeriod": 10_000_000_000_u64,
                "DNSConfig": {},
                "Isolation": "default"
            },
            "Resources": { "Limits": {}, "Reservations": {} },
            "RestartPolicy": { "Condition": "any", "Delay": 5_000_000_000_u64, "MaxAttempts": 0 },
            "Placement": {},
            "ForceUpdate": 0,
            "Runtime": "container"
        },
        "Mode": { "Replicated": { "Replicas": 1 } },
        "EndpointSpec": {
            "Mode": "vip",
            "Ports": [
                { "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22222, "PublishMode": "ingress" }
            ]
        }
    })
}

/// The response of GET /services/{id} as text, with the spec byte for byte.
pub fn service_text(id: &str, index: u64, spec: &str) -> String {
    service_text_with(id, index, spec, "")
}

/// Like [`service_text`], with additional fields after the spec. `more` begins with a comma.
pub fn service_text_with(id: &str, index: u64, spec: &str, more: &str) -> String {
    format!(
        "{{\"ID\":\"{id}\",\"Version\":{{\"Index\":{index}}},\"CreatedAt\":\"2026-11-21T09:30:00.123456789Z\",\
         \"UpdatedAt\":\"2026-11-21T09:41:00.987654321Z\",\"Spec\":{spec}{more},\
         \"Endpoint\":{{\"Spec\":{{\"Mode\":\"vip\"}}}}}}\n"
    )
}

/// The service t001 with this image and version index.
pub fn t001(image: &str, index: u64) -> String {
    service_text(ID, index, &spec("t001", image).to_string())
}

/// A spec with everything that a careless client loses: unusual key order, numbers above 2^53, nanoseconds,
/// ratios, unknown fields, escapes and many kinds of characters. It is one line, as the engine writes it.
pub fn hard_spec(image: &str) -> String {
    let text = r#"{
        "Zukunft": {"b": 1, "a": [2, {"y": null, "x": []}]},
        "Name": "t001",
        "Labels": {
            "com.example.z": "last comes first",
            "com.example.a": "a \u003c b \u0026\u0026 c \u003e d",
            "quote\"s and \\back\\slashes": "tab\there, nul\u0000, del, line\nbreak",
            "\u2028": "\u2029 separators",
            "ümläut/雪.☃": "𝄞 beyond the BMP",
            "": "an empty key",
            "number": "9007199254740993"
        },
        "TaskTemplate": {
            "Runtime": "container",
            "ForceUpdate": 9007199254740993,
            "ContainerSpec": {
                "Isolation": "default",
                "Env": ["B=2", "A=1", "B=3", "EMPTY=", "BARE", "EQ=a=b=c", "X= spaced "],
                "Image": "IMAGE",
                "Labels": {"z": "", "a": "1"},
                "Command": ["/bin/sh", "-c"],
                "Args": ["echo \"$X\" \u003e /dev/null"],
                "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 30000000001, "Timeout": 1000000},
                "StopGracePeriod": 10000000001,
                "Mounts": [
                    {"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1048576, "Mode": 1023}},
                    {"Type": "volume", "Source": "v", "Target": "/v", "VolumeOptions": {"Unknown": true}}
                ],
                "Ulimits": [{"Name": "nofile", "Hard": 9223372036854775807, "Soft": -1}],
                "NewInApi199": {"deep": [1, 2.5, 1e-7, 0.1, 18446744073709551615, -9223372036854775808]}
            },
            "Resources": {"Limits": {"NanoCPUs": 1, "MemoryBytes": 9007199254740995}, "Reservations": {}},
            "Networks": [{"Target": "q1wzx0c4s8o5kz3v9n2m7b6tr", "Aliases": ["z", "a"]}],
            "Placement": {"Constraints": ["node.role == manager", "node.id != x"], "MaxReplicas": 18446744073709551615}
        },
        "UpdateConfig": {"Parallelism": 2, "Delay": 1000000001, "FailureAction": "pause", "Monitor": 5000000000, "MaxFailureRatio": 0.3, "Order": "start-first"},
        "RollbackConfig": {"Parallelism": 1, "FailureAction": "continue", "MaxFailureRatio": 1e-7, "Order": "stop-first"},
        "Mode": {"Replicated": {"Replicas": 3}},
        "EndpointSpec": {"Ports": [{"PublishMode": "ingress", "PublishedPort": 22222, "TargetPort": 80, "Protocol": "tcp"}], "Mode": "vip"}
    }"#;
    one_line(text).replace("IMAGE", image)
}

/// Removes the white space between JSON tokens.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string || !c.is_whitespace() {
            line.push(c);
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
    }
    line
}

/// Normalizes escapes that are optional in JSON (`\u003c` or `<`).
pub fn normalize_escapes(text: &str) -> String {
    ["003c", "003e", "0026", "2028", "2029"].iter().fold(text.to_owned(), |text, code| {
        let c = u32::from_str_radix(code, 16).ok().and_then(char::from_u32).expect("a character");
        text.replace(&format!("\\u{code}"), &c.to_string())
    })
}
