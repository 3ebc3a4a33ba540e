//! The expected texts are those of docker 28's client; `tests/cli/swarm/format.rs` compares with the client itself.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn data() -> Json {
    json!({
        "ID": "abc",
        "Version": { "Index": 9_007_199_254_740_993_u64 },
        "CreatedAt": "2026-11-22T06:10:21.187946808Z",
        "Spec": {
            "Name": "web",
            "Labels": { "b": "2", "a": "1 <e>" },
            "Mode": { "Global": {} },
            "Ports": [{ "Target": 80, "Published": 8080 }, { "Target": 53, "Protocol": "udp" }],
            "Env": ["A=1", "B=\u{1b}[2J"],
            "Delay": 90_000_000_000_i64,
            "Ratio": 0.15,
            "New": { "Field": [1, "x"] },
        },
    })
}

fn zero() -> Json {
    json!({
        "ID": "",
        "Version": { "Index": 0 },
        "CreatedAt": TIME,
        "UpdatedAt": TIME,
        "UpdateStatus": { "?": { "State": "" } },
        "Spec": {
            "Name": "",
            "Labels": { "*": "" },
            "Grace": { "?": "0s", "=": 10_000_000_000_i64 },
            "Mode": { "Global": { "?": {} }, "Replicated": { "?": { "Replicas": { "?": 0 } } } },
            "Ports": [{ "Target": 0, "Published": 0, "Protocol": "" }],
            "Env": [""],
            "Args": [""],
            "Options": { "*": "" },
            "Delay": "0s",
            "Monitor": "0s",
            "Ratio": 0,
            "Tty": false,
        },
    })
}

const TIME: &str = "0001-01-01T00:00:00Z";

fn with(options: RenderOptions, template: &str) -> Result<String, String> {
    let (data, zero) = (data(), zero());
    let template = Template::parse(template, Escapes::Keep).map_err(|error| error.to_string())?;
    template.render(&data, Some(&zero), options).map_err(|error| error.to_string())
}

fn render(template: &str) -> String {
    with(RenderOptions::default(), template).unwrap_or_else(|error| panic!("{template}: {error}"))
}

#[test]
fn fields_text_and_blanks() {
    for (template, text) in [
        ("", ""),
        ("a\\tb", "a\\tb"),
        ("{{.ID}}-{{ .Spec.Name }}", "abc-web"),
        ("x {{- .ID -}} \n y", "xabcy"),
        ("{{/* nothing */}}a{{- /* and */ -}} b", "ab"),
        ("{{.ID}}}}", "abc}}"),
        ("{{$.ID}} {{$.Spec.Name}}", "abc web"),
        ("{{.Version}} {{.Version.Index}}", "9007199254740993 9007199254740993"),
        ("{{.CreatedAt}}", "2026-11-22 06:10:21.187946808 +0000 UTC"),
        ("{{.Spec.Delay}} {{.Spec.Monitor}}", "1m30s 0s"),
        ("{{.Spec.Ratio}} {{.Spec.Tty}}|{{.Spec.Args}}|{{.Spec.Options}}", "0.15 false|[]|map[]"),
        ("{{.Spec.Labels}} {{.Spec.Labels.a}} {{.Spec.Labels.zz}}", "map[a:1 <e> b:2] 1 <e> <no value>"),
        ("{{.UpdateStatus}}", "<nil>"),
        ("{{.Spec.Ports}} {{.Spec.Mode}}", "[{80 8080 } {53 0 udp}] {{} <nil>}"),
        ("{{.Spec.Grace}} {{json .Spec.Grace}}", "10s 10000000000"),
        ("{{.Spec.New.Field}} {{index .Spec.New.Field 1}}", "[1 x] x"),
        ("{{(index .Spec.Ports 1).Target}}", "53"),
    ] {
        assert_eq!(render(template), text, "{template}");
    }
}

#[test]
fn conditions_and_loops() {
    for (template, text) in [
        ("{{if .Spec.Mode.Global}}global{{else}}other{{end}}", "global"),
        ("{{if .Spec.Mode.Replicated}}r{{else if .Spec.Tty}}t{{else}}n{{end}}", "n"),
        ("{{with .Spec.Mode.Replicated}}{{.Replicas}}{{else with .ID}}{{.}}{{end}}", "abc"),
        ("{{range .Spec.Ports}}{{.Published}}:{{.Target}}/{{.Protocol}} {{end}}", "8080:80/ 0:53/udp "),
        ("{{range $i, $p := .Spec.Ports}}{{if $i}},{{end}}{{$p.Target}}{{end}}", "80,53"),
        ("{{range $k, $v := .Spec.Labels}}{{$k}}={{$v}};{{end}}", "a=1 <e>;b=2;"),
        ("{{range .Spec.Args}}x{{else}}none{{end}}", "none"),
        ("{{range .Spec.Env}}{{if eq . \"A=1\"}}{{continue}}{{end}}{{len .}}{{break}}{{end}}", "6"),
        ("{{$n := 0}}{{range .Spec.Ports}}{{$n = .Target}}{{end}}{{$n}}", "53"),
        ("{{with $x := .Spec.Name}}{{$x}}{{$.ID}}{{end}}", "webabc"),
        ("{{if and .ID (eq .Spec.Name \"web\" \"db\") (not .Spec.Tty)}}yes{{end}}", "yes"),
        ("{{or .Spec.Tty .ID .UpdateStatus.State}} {{and .Spec.Tty .UpdateStatus.State}}", "abc false"),
        (
            "{{eq .Version.Index 9007199254740993}} {{lt 1 2}} {{ge \"a\" \"b\"}} {{ne 1 2}}",
            "true true false true",
        ),
        ("{{gt .Spec.Delay 60000000000}} {{eq .UpdateStatus nil}}", "true true"),
    ] {
        assert_eq!(render(template), text, "{template}");
    }
}

#[test]
fn functions() {
    for (template, text) in [
        ("{{json .Spec.Labels}}", r#"{"b":"2","a":"1 <e>"}"#),
        ("{{json .Spec.Ports}}", r#"[{"Target":80,"Published":8080},{"Target":53,"Protocol":"udp"}]"#),
        (
            "{{json .Version}} {{json .UpdateStatus}} {{json .Spec.Args}}",
            r#"{"Index":9007199254740993} null null"#,
        ),
        ("{{json .Spec.Name}} {{.Spec.Name | json}} {{json .Spec.Delay}}", r#""web" "web" 90000000000"#),
        ("{{upper .Spec.Name}} {{lower \"ABC\"}} {{title \"ab cd-ef\"}}", "WEB abc Ab Cd-Ef"),
        ("{{join .Spec.Env \", \" | len}}", "11"),
        ("{{join (split \"a/b/c\" \"/\") \"\\n\"}}", "a\nb\nc"),
        ("{{truncate .ID 2}} {{truncate .ID 20}} {{truncate \"é\" 1}}|", "ab abc |"),
        ("{{pad .ID 1 2}}|{{pad \"\" 1 2}}|", " abc  ||"),
        ("{{slice .ID 1}} {{slice .ID 0 2}} {{len (slice .Spec.Ports 1)}}", "bc ab 1"),
        ("{{index .Spec.Labels \"a\"}}|{{index .Spec.Labels \"zz\"}}|{{index .ID 0}}", "1 <e>||97"),
        ("{{println .ID 1}}{{print 1 2 \"a\" \"b\" 3}}", "abc 1\n1 2ab3"),
        ("{{printf \"%-5s|%5s|%05d|%v|%q\" .ID .ID 42 .Spec.Args .ID}}", "abc  |  abc|00042|[]|\"abc\""),
        ("{{printf \"%.2f %.1s %x %t %d%%\" .Spec.Ratio .ID .ID true 5}}", "0.15 a 616263 true 5%"),
        ("{{printf \"%d %s\" .ID}} {{printf \"a\" 1}}", "%!d(abc) %!s(MISSING) a%!(EXTRA 1)"),
        (
            "{{len .Spec.Ports}} {{len .Spec.Labels}} {{'a'}} {{0x10}} {{1_000}} {{-1}} {{`a\\n`}}",
            "2 2 97 16 1000 -1 a\\n",
        ),
        ("{{\"\\u00e9\\t\\x41\\101\"}}", "é\tAA"),
    ] {
        assert_eq!(render(template), text, "{template}");
    }
}

#[test]
fn invalid_templates_are_refused_before_there_is_data() {
    for (template, part) in [
        ("{{.ID", "`}}` is missing"),
        ("{{foo .ID}}", "no function `foo`; the functions are and, eq"),
        ("{{if .ID}}x{{else}}{{foo}}{{end}}", "no function `foo`"),
        ("{{$x}}", "no variable `$x`"),
        ("{{if $x := .ID}}{{end}}{{$x}}", "no variable `$x`"),
        ("{{$x = 1}}", "no variable `$x`"),
        ("{{if .ID}}x", "at `{{if .ID}}x`: its `{{end}}` is missing"),
        ("a{{end}}b", "at `{{end}}b`: there is nothing to end"),
        ("{{else}}", "`else` is only valid"),
        ("{{if .ID}}{{else}}{{else}}{{end}}", "an `else` already"),
        ("{{range .ID}}{{else if .ID}}{{end}}", "`else` can only be followed"),
        ("{{break}}", "`break` is only valid in a `range`"),
        ("{{define \"T\"}}{{end}}", "`define` is not supported"),
        ("{{template \"T\"}}", "`template` is not supported"),
        ("{{upper}}", "`upper` requires one argument, not 0"),
        ("{{.ID | printf \"%s\" | upper .ID}}", "`upper` requires one argument, not 2"),
        ("{{printf upper}}", "`upper` requires one argument, not 0"),
        ("{{.ID .ID}}", "only a function can have arguments"),
        ("{{.ID | .ID}}", "only a function can have arguments"),
        ("{{}}", "a value is missing"),
        ("{{.ID|}}", "a value is missing"),
        ("{{()}}", "a value is missing"),
        ("{{(.ID}}", "closing parenthesis"),
        ("{{.ID)}}", "unexpected text"),
        ("{{\"a}}", "no closing quote"),
        ("{{`a}}", "no closing quote"),
        ("{{'ab'}}", "one character"),
        ("{{\"\\q\"}}", "invalid escape"),
        ("{{/* a}}", "the comment is not closed"),
        ("{{1x}}", "`1x` is not a number"),
        ("{{.ID,}}", "unexpected `,`"),
        ("{{#if}}", "unexpected `#`"),
        ("{{nil}}", "`nil` is not a command"),
        ("{{$a, $b := .ID}}", "two variables"),
    ] {
        let error = Template::parse(template, Escapes::Keep).map(drop).unwrap_err().to_string();
        assert!(error.contains(part), "{template}: {error}");
    }
    let deep = format!("{{{{{}1{}}}}}", "(".repeat(5000), ")".repeat(5000));
    assert!(Template::parse(&deep, Escapes::Keep).unwrap_err().to_string().contains("too deep"));
    let deep = "{{if 1}}".repeat(5000);
    assert!(Template::parse(&deep, Escapes::Keep).unwrap_err().to_string().contains("too deep"));
}

#[test]
fn missing_data_is_an_error_and_not_an_empty_text() {
    for (template, part) in [
        ("{{.Spec.Nmae}}", "at `.Spec.Nmae}}`: there is no field `Nmae`"),
        (
            "{{.UpdateStatus.State}}",
            "not set, so it has no `State`; check that first, as in {{with .X}}{{.State}}{{end}}",
        ),
        ("{{.ID.Foo}}", "a string has no fields"),
        ("{{index .Spec.Ports 7}}", "`index`: there is no item 7 in a list of length 2"),
        ("{{index .Spec.Labels 1}}", "an object cannot be indexed by a number"),
        ("{{upper .Version.Index}}", "`upper`: it requires a string, but this is a number"),
        ("{{join .ID \",\"}}", "`join`: it requires a list, but this is a string"),
        ("{{eq .ID 1}}", "a string cannot be compared with a number"),
        ("{{range .ID}}{{end}}", "iterates over lists and maps, but this is a string"),
        ("{{range .Version}}{{end}}", "this is an object"),
        ("{{len .Version.Index}}", "a number has no length"),
        ("{{slice .ID 2 9}}", "the range 2 to 9 is out of bounds"),
    ] {
        let error = with(RenderOptions::default(), template).unwrap_err();
        assert!(error.contains(part), "{template}: {error}");
    }
}

#[test]
fn escape_sequences_in_the_data_are_printed_as_text_on_a_terminal() {
    let shown = |template| {
        with(RenderOptions { destination: Destination::Terminal, is_header: false }, template).unwrap()
    };
    assert_eq!(shown("{{range .Spec.Env}}{{println .}}{{end}}"), "A=1\nB=\\u{1b}[2J\n");
    assert_eq!(shown("{{join .Spec.Env \"\\n\"}}"), "A=1\nB=\\u{1b}[2J");
    assert_eq!(shown("{{.Spec.Env}}{{printf \"%s\" (index .Spec.Env 1)}}"), "[A=1 B=\\u{1b}[2J]B=\\u{1b}[2J");
    assert_eq!(shown("{{json .Spec.Env}}"), "[\"A=1\",\"B=\\u001b[2J\"]");
    assert_eq!(shown("{{eq (index .Spec.Env 1) \"B=\\x1b[2J\"}}"), "true");
}

#[test]
fn lengths_of_time_are_printed_as_go_prints_them() {
    for (nanos, text) in [
        (0_i64, "0s"),
        (1, "1ns"),
        (1_500, "1.5µs"),
        (100_000_000, "100ms"),
        (1_500_000_000, "1.5s"),
        (10_000_000_000, "10s"),
        (60_000_000_000, "1m0s"),
        (3_600_000_000_000, "1h0m0s"),
        (3_661_000_000_001, "1h1m1.000000001s"),
        (-90_000_000_000, "-1m30s"),
    ] {
        let (data, zero) = (json!({ "D": nanos }), json!({ "D": "0s" }));
        let template = Template::parse("{{.D}}", Escapes::Keep).unwrap();
        assert_eq!(template.render(&data, Some(&zero), RenderOptions::default()).unwrap(), text);
    }
}

proptest! {
    #[test]
    fn never_panics(template in "[{}.$\"`'|()=:, a-cI1-3-]{0,24}|\\PC{0,12}|(\\{\\{(if|range|end|else|\\.ID|with|\\$x := 1| json \\.)\\}\\}){0,6}") {
        let _ = with(RenderOptions { destination: Destination::Terminal, is_header: false }, &template);
    }
}
