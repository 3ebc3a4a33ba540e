//! `--format`: the template language, its sources, and what is refused before any request.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::engine::Engine;
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::run::{Run, swarmctl};

fn swarm() -> FakeSwarm {
    let mut web = spec("web10", OLD);
    web["Labels"] = json!({ "team": "shop", "evil": "\u{1b}]0;x\u{7}" });
    FakeSwarm::with([web, spec("web9", OLD)])
}

fn run(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl(args.iter().copied()).host(swarm.host()).run()
}

/// A config directory whose config.json has these settings.
fn config(settings: &Value) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.json"), settings.to_string()).unwrap();
    directory
}

fn run_with(swarm: &FakeSwarm, config: &TempDir, args: &[&str]) -> Run {
    let directory = config.path().to_str().unwrap();
    swarmctl(args.iter().copied()).host(swarm.host()).env("DOCKER_CONFIG", directory).run()
}

#[test]
fn ls_shows_each_service_by_the_template_in_natural_order() {
    let swarm = swarm();
    let id = swarm.service("web9").id;
    let out = |format: &str| run(&swarm, &["ls", "--format", format]).succeeds().stdout;
    assert_eq!(
        out(r"{{.Name}}\t{{.Image}} {{.Mode}}"),
        format!("web9\t{OLD} replicated\nweb10\t{OLD} replicated\n")
    );
    assert_eq!(out("{{.ID}}").lines().next(), Some(&id[..12]));
    assert_eq!(
        out(r"table {{.Name}}\t{{upper .Mode}}"),
        "NAME      MODE\nweb9      REPLICATED\nweb10     REPLICATED\n"
    );
    assert_eq!(out("table"), run(&swarm, &["ls"]).succeeds().stdout);
    let first = |text: &str| serde_json::from_str::<Value>(text.lines().next().unwrap()).unwrap();
    let object = first(&out("json"));
    assert_eq!(object, first(&out("{{json .}}")));
    assert_eq!(&object["Name"], &json!("web9"));
    assert_eq!(&object["Ports"], &json!("*:22222->80/tcp"));
    assert_eq!(object.as_object().unwrap().len(), 6);
    let raw = out("raw");
    assert!(
        raw.starts_with(&format!("id: {}\nname: web9\nmode: replicated\nreplicas: ", &id[..12])),
        "{raw}"
    );
    assert_eq!(run(&swarm, &["ls", "-q", "--format", "raw"]).succeeds().stdout.lines().count(), 2);
    assert_eq!(run(&swarm, &["ls", "-q", "--format", "{{.Name}}"]).succeeds().stdout, "web9\nweb10\n");
    assert_eq!(
        run(&swarm, &["ls", "-q", "--format", "table"]).succeeds().stdout,
        run(&swarm, &["ls", "-q"]).stdout
    );
}

#[test]
fn ps_status_and_outdated_have_the_fields_of_their_tables() {
    let swarm = swarm();
    for (args, format, line) in [
        (
            &["ps", "web9"][..],
            "{{.Name}} {{.Image}} {{.DesiredState}} {{.Error}}|",
            "web9.1 opera443399/whoami:0.7 Running |",
        ),
        (
            &["status", "web9"],
            "{{.Name}} {{.State}} {{.Replicas}} {{.Image}}{{.Detail}}",
            "web9 converged 1/1 opera443399/whoami:0.7",
        ),
        (
            &["outdated", "web9"],
            "{{.Name}} {{.Tag}} {{.Runs}} {{if .Outdated}}old{{else}}?{{end}}{{.Digest}}",
            "web9 opera443399/whoami:0.7 - ?",
        ),
    ] {
        let args = [args, &["--format", format]].concat();
        assert_eq!(run(&swarm, &args).succeeds().stdout, format!("{line}\n"), "{args:?}");
    }
    let header = |args: &[&str]| run(&swarm, args).succeeds().stdout.lines().next().unwrap().to_owned();
    assert_eq!(
        header(&["ps", "web9", "--format", r"table {{.DesiredState}}\t{{.CurrentState}}"]),
        "DESIRED STATE   CURRENT STATE"
    );
    assert_eq!(
        header(&["outdated", "web9", "--format", "table {{.RegistryDigest}} {{.Error}}"]),
        "REGISTRY DIGEST ERROR"
    );
    assert_eq!(header(&["status", "web9", "--format", "raw"]), "name: web9");
    // The exit code does not depend on the format.
    run(&swarm, &["status", "nosuch", "--format", "{{.Name}}"]).fails_with(Exit::NotFound);
}

#[test]
fn inspect_renders_the_engines_json_as_go_does() {
    let swarm = swarm();
    let out = |format: &str| run(&swarm, &["inspect", "web10", "--format", format]).succeeds().stdout;
    for (format, text) in [
        ("{{.Spec.Name}} {{.Spec.TaskTemplate.ContainerSpec.Image}}", "web10 opera443399/whoami:0.7"),
        ("{{index .Spec.Labels \"team\"}}|{{index .Spec.Labels \"none\"}}|", "shop||"),
        (
            "{{json .Spec.EndpointSpec.Ports}}",
            r#"[{"Protocol":"tcp","TargetPort":80,"PublishedPort":22222,"PublishMode":"ingress"}]"#,
        ),
        ("{{range .Spec.EndpointSpec.Ports}}{{.PublishedPort}}->{{.TargetPort}}{{end}}", "22222->80"),
        ("{{if .Spec.Mode.Global}}global{{else}}{{.Spec.Mode.Replicated.Replicas}}{{end}}", "1"),
        ("{{.Spec.TaskTemplate.ContainerSpec.Hostname}}{{.Spec.TaskTemplate.ContainerSpec.TTY}}", "false"),
        ("{{with .UpdateStatus}}{{.State}}{{else}}none{{end}}{{.PreviousSpec}}", "none<nil>"),
        (r"a\tb", r"a\tb"),
    ] {
        assert_eq!(out(format), format!("{text}\n"), "{format}");
    }
    let object: Value = serde_json::from_str(&out("{{json .}}")).unwrap();
    assert_eq!(json!([object]), run(&swarm, &["inspect", "web10"]).succeeds().json());
    let compact = out("json");
    assert!(compact.starts_with("[{\"ID\":") && compact.lines().count() == 1);
    assert_eq!(out("raw"), run(&swarm, &["inspect", "web10"]).stdout);
    assert_eq!(out("pretty"), run(&swarm, &["inspect", "--pretty", "web10"]).stdout);
    let run = run(&swarm, &["inspect", "-f", "{{.Spec.Name}}", "web9", "nosuch", "web10"])
        .fails_with(Exit::NotFound);
    assert_eq!(run.stdout, "web9\nweb10\n");
    run.says(&["nosuch"]);
}

#[test]
fn a_missing_field_is_an_error_and_the_other_services_are_shown() {
    let swarm = swarm();
    let shown = run(&swarm, &["inspect", "web9", "web10", "-f", "{{.Spec.Labels.team}} {{.Spec.Nmae}}"])
        .fails_with(Exit::Failed);
    shown.tells_an_error().says(&[
        "cannot show service `web9` with the template",
        "`.Spec.Nmae}}`",
        "no field `Nmae`",
    ]);
    let shown = run(&swarm, &["inspect", "web9", "-f", "{{.UpdateStatus.State}}"]).fails_with(Exit::Failed);
    shown.says(&["not set", "{{with .X}}{{.State}}{{end}}"]);
}

#[test]
fn an_invalid_template_is_a_usage_error_and_nothing_is_sent() {
    for (args, words) in [
        (&["ls", "--format", "{{.Nmae}}"][..], "there is no `.Nmae`; the fields are .ID, .Name"),
        (&["ls", "--format", "{{.Name"], "`}}` is missing"),
        (
            &["ps", "web", "--format", "{{env \"HOME\"}}"],
            "there is no function `env`; the functions are and, eq",
        ),
        (&["status", "web", "--format", "{{if .Name}}x"], "its `{{end}}` is missing"),
        (&["outdated", "--format", "table {{.Ports}}"], "there is no `.Ports`"),
        (&["inspect", "web", "--format", "{{template \"x\"}}"], "`template` is not supported here"),
        (&["inspect", "web", "--format", "prettyx"], "`pretty` cannot be combined"),
        (&["inspect", "web", "--format", "{{.ID}}", "--pretty"], "cannot be used with"),
        (&["ls", "--format", "json", "--json"], "cannot be used with"),
    ] {
        let engine = Engine::silent();
        swarmctl(args.iter().copied()).host(engine.host()).run().fails_with(Exit::Usage).says(&[words]);
        assert!(engine.requests().is_empty(), "{args:?}");
    }
}

#[test]
fn config_json_has_the_default_formats() {
    let swarm = swarm();
    let config = config(&json!({
        "servicesFormat": "{{.Name}}!",
        "tasksFormat": "table {{.Name}}",
        "serviceInspectFormat": "{{.Spec.Name}}?",
    }));
    let out = |args: &[&str]| run_with(&swarm, &config, args).succeeds().stdout;
    assert_eq!(out(&["ls"]), "web9!\nweb10!\n");
    assert_eq!(out(&["ps", "web9"]), "NAME\nweb9.1\n");
    assert_eq!(out(&["inspect", "web9"]), "web9?\n");
    for args in [
        &["ls", "-q"][..],
        &["ls", "--json"],
        &["ls", "--format", "table"],
        &["ps", "-q", "web9"],
        &["ps", "--json", "web9"],
        &["inspect", "--json", "web9"],
        &["inspect", "--pretty", "web9"],
        &["inspect", "--format", "raw", "web9"],
        &["status", "web9"],
    ] {
        assert_eq!(out(args), run(&swarm, args).succeeds().stdout, "{args:?}");
    }
}

#[test]
fn an_invalid_default_is_a_usage_error_and_a_broken_file_is_a_warning() {
    let engine = Engine::silent();
    let broken = config(&json!({ "servicesFormat": "{{.Nmae}}" }));
    let run =
        swarmctl(["ls"]).host(engine.host()).env("DOCKER_CONFIG", broken.path().to_str().unwrap()).run();
    run.fails_with(Exit::Usage).says(&["`servicesFormat` of config.json", "there is no `.Nmae`"]);
    assert!(engine.requests().is_empty());
    let swarm = swarm();
    for settings in [json!({ "servicesFormat": 5 }), json!(["sesame"])] {
        let run = run_with(&swarm, &config(&settings), &["ls"]).succeeds();
        assert!(run.stdout.starts_with("ID "), "{}", run.report());
        run.says(&["warning: ", "config.json"]).never_says(&["sesame"]);
    }
}

#[test]
fn a_pipe_gets_the_text_unchanged_and_a_terminal_gets_it_escaped() {
    let swarm = swarm();
    let template = "{{.Spec.Labels.evil}}{{println}}{{json .Spec.Labels.team}}";
    let args = ["inspect", "web10", "--format", template];
    assert_eq!(run(&swarm, &args).succeeds().stdout, "\u{1b}]0;x\u{7}\n\"shop\"\n");
    // The program `script` runs the command in a terminal.
    let line = format!("{} inspect web10 --format '{template}'", env!("CARGO_BIN_EXE_swarmctl"));
    let output = std::process::Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("DOCKER_HOST", swarm.host())
        .output()
        .expect("script is there: sudo apt-get install --no-install-recommends -y bsdutils");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown, "\\u{1b}]0;x\\u{7}\r\n\"shop\"\r\n");
}
