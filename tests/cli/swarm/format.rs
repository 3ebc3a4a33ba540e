//! `--format`: swarmctl and docker print equal text for equal templates.

use std::process::Command;

use serde_json::json;

use super::engine::{Engine, engine, small};
use crate::support::client;
use crate::support::fixtures::OLD;
use crate::support::programs;

/// The output of docker's client; `None` if it refuses.
fn docker(engine: &Engine, args: &[&str]) -> Option<String> {
    let run =
        Command::new(programs::docker()).arg("-H").arg(engine.host()).arg("service").args(args).output();
    let run = run.expect("docker's client can be started");
    run.status.success().then(|| String::from_utf8(run.stdout).unwrap())
}

/// Whether this is one of the two fields that docker's clients before 28 format differently, and the client is that old.
fn is_written_otherwise_by_an_old_client(field: &str) -> bool {
    if !["Version", "Spec.TaskTemplate.ContainerSpec.Healthcheck"].contains(&field) {
        return false;
    }
    client::major_version() < 28
}

/// Requires equal output of swarmctl and docker. Blanks at the ends of lines are ignored, because docker pads tables.
fn same(engine: &Engine, args: &[&str]) {
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let run = engine.swarmctl(args).run();
    match docker(engine, args) {
        Some(theirs) => assert_eq!(trimmed(&run.succeeds().stdout), trimmed(&theirs), "{args:?}"),
        None => drop(run.exits_one_of(&[1, 2])),
    }
}

#[test]
fn ls_and_ps_are_shown_as_docker_shows_them() {
    let engine = engine();
    let mut spec = small("fmt-list", OLD);
    spec["Labels"] = json!({ "fmt": "list" });
    spec["EndpointSpec"] =
        json!({ "Ports": [{ "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22661 }] });
    let service = engine.create(&spec);
    let mut global = small("fmt-list-global", OLD);
    global["Labels"] = json!({ "fmt": "list" });
    global["Mode"] = json!({ "Global": {} });
    let second = engine.create(&global);
    let run = |engine: &Engine| engine.running_tasks(service.id()) + engine.running_tasks(second.id());
    engine.wait_until("the tasks run", |engine| run(engine) == 2);
    // The task of `fmt-list` is replaced, so that `ps` shows an old one too.
    engine.change("fmt-list", |spec| spec["TaskTemplate"]["ForceUpdate"] = 1.into());
    let tasks = || engine.swarmctl(&["ps", "-q", "fmt-list"]).run().succeeds().stdout.lines().count();
    engine.wait_until("it is replaced", |engine| tasks() == 2 && run(engine) == 2);
    for format in [
        "{{.ID}} {{.Name}} {{.Mode}} {{.Replicas}} {{.Image}} {{.Ports}}",
        r"{{.ID}}\t{{.Name}}\n{{.Mode}}",
        r"table {{.Name}}\t{{.Image}}\t{{.Ports}}",
        r"table {{upper .Name}}\t{{truncate .Image 5}}\t{{lower .Mode}} {{title .Mode}}",
        r"table{{.ID}}\t{{.Ports}} {{.Replicas}}\t{{.Mode}}",
        "raw",
        "table",
        "",
        "tablex {{.Name}}",
        "  {{.Name}}  ",
        "{{len .Name}} {{printf \"%-20s|%q\" .Name .Mode}} {{slice .ID 0 3}} {{index .Name 0}} {{print .ID 1 2}}",
        "{{pad .Name 2 3}}|{{join (split .Name \"-\") \"+\"}} {{println .ID}}",
        "{{with .Ports}}{{.}}{{else}}none{{end}} {{if eq .Mode \"global\"}}g{{end}}",
        "{{$n := .Name}}{{range $i, $p := split .Image \"/\"}}{{$i}}{{$p}}{{$n}}{{end}}",
        "{{/* nothing */}}{{- .Name -}} x",
        "{{.Name | printf \"%s-%s\" .ID | upper}}",
        "{{.Foo}}",
        "{{foo .Name}}",
        "{{.Name",
        "{{if .Name}}x",
        "{{join .Name \",\"}}",
        "{{upper 5}}",
        "{{slice .Name 0 500}}",
    ] {
        same(engine, &["ls", "--filter", "label=fmt=list", "--format", format]);
    }
    same(engine, &["ls", "-q", "--filter", "label=fmt=list", "--format", "raw"]);
    for format in [
        "{{.ID}} {{.Name}} {{.Image}} {{.Node}} {{.DesiredState}} {{.Error}}|{{.Ports}}",
        r"table {{.Name}}\t{{.Node}}\t{{.DesiredState}}",
        r"table {{.ID}}\t{{.Name}}\t{{.Image}}\t{{.Error}}\t{{.Ports}}",
        "{{upper .Name}}",
        "{{.Foo}}",
    ] {
        same(engine, &["ps", "fmt-list", "--format", format]);
        same(engine, &["ps", "--no-trunc", "fmt-list", "--format", format]);
    }
    let parsed = |text: &str| -> Vec<serde_json::Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let args = ["ls", "--filter", "label=fmt=list", "--format", "{{json .}}"];
    let ours = engine.swarmctl(&args).run().succeeds().stdout;
    assert_eq!(parsed(&ours), parsed(&docker(engine, &args).expect("docker shows it")));
}

/// Fields of a service with docker's names, and some that do not exist.
const FIELDS: &[&str] = &[
    "ID",
    "Version",
    "Version.Index",
    "CreatedAt",
    "UpdatedAt",
    "UpdateStatus",
    "PreviousSpec",
    "Spec.Name",
    "Spec.Labels",
    "Spec.Labels.a",
    "Spec.Labels.none",
    "Spec.Nmae",
    "UpdateStatus.State",
    "Spec.Name.Foo",
    "Spec.UpdateConfig.Parallelism",
    "Spec.UpdateConfig.Delay",
    "Spec.UpdateConfig.Monitor",
    "Spec.UpdateConfig.FailureAction",
    "Spec.UpdateConfig.MaxFailureRatio",
    "Spec.UpdateConfig.Order",
    "Spec.RollbackConfig.Parallelism",
    "Spec.RollbackConfig.Delay",
    "Spec.RollbackConfig.Order",
    "Spec.RollbackConfig.Monitor",
    "Spec.TaskTemplate.ContainerSpec.DNSConfig.Search",
    "Spec.TaskTemplate.Resources.Limits",
    "Spec.TaskTemplate.Placement.Preferences",
    "Spec.TaskTemplate.ContainerSpec.StopGracePeriod.Foo",
    "Spec.EndpointSpec.Ports",
    "Spec.TaskTemplate.Networks",
    "Spec.Networks",
    "Spec.TaskTemplate.ContainerSpec.Image",
    "Spec.TaskTemplate.ContainerSpec.Env",
    "Spec.TaskTemplate.ContainerSpec.Args",
    "Spec.TaskTemplate.ContainerSpec.Command",
    "Spec.TaskTemplate.ContainerSpec.Hostname",
    "Spec.TaskTemplate.ContainerSpec.Labels",
    "Spec.TaskTemplate.ContainerSpec.TTY",
    "Spec.TaskTemplate.ContainerSpec.User",
    "Spec.TaskTemplate.ContainerSpec.StopGracePeriod",
    "Spec.TaskTemplate.ContainerSpec.Healthcheck",
    "Endpoint.Ports",
    "Endpoint.Spec",
    "Spec.TaskTemplate.ContainerSpec.Healthcheck.Interval",
    "Spec.TaskTemplate.ContainerSpec.Healthcheck.Test",
    "Spec.TaskTemplate.ContainerSpec.Sysctls",
    "Spec.TaskTemplate.ContainerSpec.Privileges",
    "Spec.TaskTemplate.ContainerSpec.Isolation",
    "Spec.TaskTemplate.ContainerSpec.StopSignal",
    "Spec.TaskTemplate.RestartPolicy.Condition",
    "Spec.TaskTemplate.RestartPolicy.Delay",
    "Spec.TaskTemplate.RestartPolicy.MaxAttempts",
    "Spec.TaskTemplate.RestartPolicy.Window",
    "Spec.TaskTemplate.Placement.Constraints",
    "Spec.TaskTemplate.Placement.MaxReplicas",
    "Spec.TaskTemplate.LogDriver",
    "Spec.TaskTemplate.ForceUpdate",
    "Spec.TaskTemplate.Runtime",
    "Spec.Mode.ReplicatedJob",
    "Spec.Mode.Replicated.Replicas",
    "Spec.EndpointSpec.Mode",
    "Endpoint.Spec.Mode",
    "ServiceStatus",
    "JobStatus",
];

/// Templates that use each construct of the language, and some that are invalid.
const TEMPLATES: &[&str] = &[
    "{{json .Spec.Labels}} {{json .Spec.TaskTemplate.ContainerSpec.Env}} {{json .Spec.Mode}}",
    "{{json .Spec.TaskTemplate.ContainerSpec.Command}} {{json .Spec.TaskTemplate.ContainerSpec.Sysctls}}",
    "{{json .Spec.UpdateConfig}} {{json .Spec.Name}} {{json .UpdateStatus}} {{json .CreatedAt}}",
    "{{if .Spec.Mode.Global}}global{{else}}replicated {{.Spec.Mode.Replicated.Replicas}}{{end}}",
    "{{range .Endpoint.Ports}}{{.PublishedPort}}->{{.TargetPort}}/{{.Protocol}} {{.PublishMode}};{{end}}",
    "{{range $k, $v := .Spec.Labels}}{{$k}}={{$v}}{{println}}{{end}}",
    "{{range $i, $e := .Spec.TaskTemplate.ContainerSpec.Env}}{{if $i}},{{end}}{{$e}}{{else}}none{{end}}",
    "{{range .Spec.TaskTemplate.ContainerSpec.Mounts}}{{.Type}} {{.Target}} {{.TmpfsOptions.SizeBytes}} {{.BindOptions}}{{end}}",
    "{{index .Spec.Labels \"a\"}}|{{index .Spec.Labels \"none\"}}|{{len .Spec.Labels}}",
    "{{join .Spec.TaskTemplate.ContainerSpec.Env \",\"}}|{{len .Spec.TaskTemplate.ContainerSpec.Args}}",
    "{{with .Spec.TaskTemplate.ContainerSpec.Healthcheck}}{{.Retries}}{{else}}no check{{end}}",
    "{{eq .Spec.Name \"fmt-full\"}} {{and .Spec.Labels .ID}} {{or .Spec.TaskTemplate.ContainerSpec.User \"root\"}}",
    "{{gt .Version.Index 0}} {{not .Spec.TaskTemplate.ContainerSpec.TTY}} {{ne .ID \"\"}}",
    "{{(index .Endpoint.Ports 0).TargetPort}}",
    "{{index .Spec.TaskTemplate.ContainerSpec.Env 1}}",
    "{{printf \"%s %v %d %5d %q\" .ID .Spec.UpdateConfig.Delay .Version.Index 7 .Spec.Name}}",
    r"a\tb{{.ID}}",
    "raw{{.ID}}",
    "{{range .Spec.Name}}{{end}}",
    "{{upper .Version.Index}}",
    "{{len 3}}",
    "{{index .Spec.Labels 1}}",
    "{{eq .ID 1}}",
];

#[test]
fn inspect_is_shown_as_docker_shows_it() {
    let engine = engine();
    let mut bare = small("fmt-bare", OLD);
    bare["Mode"] = json!({ "Global": {} });
    bare["TaskTemplate"] =
        json!({ "ContainerSpec": { "Image": OLD }, "Placement": { "Constraints": ["node.id==none"] } });
    for key in ["UpdateConfig", "RollbackConfig"] {
        bare.as_object_mut().unwrap().remove(key);
    }
    let _bare = engine.create(&bare);
    let mut full = small("fmt-full", OLD);
    full["Mode"]["Replicated"]["Replicas"] = 0.into();
    full["RollbackConfig"] = json!({ "Parallelism": 2 });
    full["Labels"] = json!({ "b": "2", "a": "1 <e>" });
    full["UpdateConfig"]["Delay"] = 90_500_000_000_u64.into();
    full["UpdateConfig"]["MaxFailureRatio"] = 0.15.into();
    full["EndpointSpec"] =
        json!({ "Ports": [{ "Protocol": "udp", "TargetPort": 53, "PublishedPort": 22662 }] });
    let container = &mut full["TaskTemplate"]["ContainerSpec"];
    container["Env"] = json!(["A=1", "B=<x>"]);
    container["Args"] = json!(["-v", "a b"]);
    container["Labels"] = json!({ "x": "y" });
    container["Healthcheck"] = json!({ "Test": ["NONE"], "Interval": 1_500_000_000 });
    container["Mounts"] = json!([{ "Type": "tmpfs", "Target": "/t", "TmpfsOptions": { "SizeBytes": 1024 } }]);
    let _full = engine.create(&full);
    let addresses = |engine: &Engine| engine.service("fmt-full")["Endpoint"]["VirtualIPs"].is_array();
    engine.wait_until("it has its addresses", addresses);
    // Old clients of docker print these fields differently, so they are compared with the expected text.
    let index = engine.service("fmt-full")["Version"]["Index"].to_string();
    let shown = |template: &str| {
        engine.swarmctl(&["inspect", "fmt-full", "--format", template]).run().succeeds().stdout
    };
    assert_eq!(shown("{{.Version}}"), format!("{index}\n"));
    let check = "{{.Spec.TaskTemplate.ContainerSpec.Healthcheck}}";
    assert_eq!(shown(check), "{[NONE] 1.5s 0s 0s 0s 0}\n");
    let fields = FIELDS.iter().filter(|field| !is_written_otherwise_by_an_old_client(field));
    let fields: Vec<String> = fields.map(|field| format!("{{{{.{field}}}}}")).collect();
    for name in ["fmt-bare", "fmt-full"] {
        for template in fields.iter().map(String::as_str).chain(TEMPLATES.iter().copied()) {
            same(engine, &["inspect", name, "--format", template]);
        }
    }
    same(engine, &["inspect", "fmt-full", "fmt-bare", "--format", "{{.Spec.Name}}"]);
}
