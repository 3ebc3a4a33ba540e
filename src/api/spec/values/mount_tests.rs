use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(text: &str) -> Option<Value> {
    mount(text, &|| Ok("/home/me".to_owned())).ok()
}

#[test]
fn reads_mounts_as_docker_does() {
    for (text, want) in [
        ("target=/x", json!({"Type": "volume", "Target": "/x"})),
        ("type=volume,source=v,target=/x", json!({"Type": "volume", "Source": "v", "Target": "/x"})),
        (
            "type=volume,src=v,dst=/x,readonly",
            json!({"Type": "volume", "Source": "v", "Target": "/x", "ReadOnly": true}),
        ),
        (
            "type=volume,src=v,destination=/x,ro=1",
            json!({"Type": "volume", "Source": "v", "Target": "/x", "ReadOnly": true}),
        ),
        ("type=volume,src=v,dst=/x,readonly=false", json!({"Type": "volume", "Source": "v", "Target": "/x"})),
        ("TYPE=BIND,SRC=/a,Target=/b", json!({"Type": "bind", "Source": "/a", "Target": "/b"})),
        (" type=bind,src=/a,dst=/b ", json!({"Type": "bind", "Source": "/a", "Target": "/b"})),
        ("type=bind,src=./a,dst=/b", json!({"Type": "bind", "Source": "/home/me/a", "Target": "/b"})),
        ("type=bind,src=.,dst=/b", json!({"Type": "bind", "Source": "/home/me", "Target": "/b"})),
        ("type=bind,src=../z/,dst=/b", json!({"Type": "bind", "Source": "/home/z", "Target": "/b"})),
        ("type=bind,src=C:\\a,dst=C:\\b", json!({"Type": "bind", "Source": "C:\\a", "Target": "C:\\b"})),
        ("type=bind,\"src=/a\"\"b\",dst=/b", json!({"Type": "bind", "Source": "/a\"b", "Target": "/b"})),
        (
            "type=bind,src=/a,dst=/b,consistency=cached",
            json!({"Type": "bind", "Source": "/a", "Target": "/b", "Consistency": "cached"}),
        ),
        (
            "type=bind,src=/a,dst=/b,bind-propagation=RSLAVE",
            json!({"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": {"Propagation": "rslave"}}),
        ),
        (
            "type=bind,src=/a,dst=/b,bind-nonrecursive",
            json!({"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": {"NonRecursive": true}}),
        ),
        (
            "type=bind,src=/a,dst=/b,bind-create-src",
            json!({"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": {"CreateMountpoint": true}}),
        ),
        (
            "type=bind,src=/a,dst=/b,bind-recursive=enabled",
            json!({"Type": "bind", "Source": "/a", "Target": "/b"}),
        ),
        (
            "type=bind,src=/a,dst=/b,bind-recursive=disabled",
            json!({"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": {"NonRecursive": true}}),
        ),
        (
            "type=bind,src=/a,dst=/b,bind-recursive=writable,ro",
            json!({"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true, "BindOptions": {"ReadOnlyNonRecursive": true}}),
        ),
        (
            "type=bind,src=/a,dst=/b,bind-recursive=readonly,ro,bind-propagation=rprivate",
            json!({"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true, "BindOptions": {"Propagation": "rprivate", "ReadOnlyForceRecursive": true}}),
        ),
        (
            "type=volume,src=v,dst=/b,volume-nocopy,volume-label=a=b,volume-label=c,volume-driver=local,volume-opt=type=nfs,volume-opt=o=addr",
            json!({"Type": "volume", "Source": "v", "Target": "/b", "VolumeOptions": {"NoCopy": true, "Labels": {"a": "b", "c": ""}, "DriverConfig": {"Name": "local", "Options": {"o": "addr", "type": "nfs"}}}}),
        ),
        (
            "type=volume,src=v,dst=/b,volume-nocopy=false",
            json!({"Type": "volume", "Source": "v", "Target": "/b", "VolumeOptions": {"DriverConfig": {}}}),
        ),
        (
            "type=volume,src=v,dst=/b,volume-opt=a",
            json!({"Type": "volume", "Source": "v", "Target": "/b", "VolumeOptions": {"DriverConfig": {"Options": {"a": ""}}}}),
        ),
        (
            "type=volume,src=v,dst=/b,volume-subpath=sub/p",
            json!({"Type": "volume", "Source": "v", "Target": "/b", "VolumeOptions": {"Subpath": "sub/p", "DriverConfig": {}}}),
        ),
        (
            "type=volume,src=v,dst=/b,volume-driver=local,\"volume-opt=o=addr=1,rw\"",
            json!({"Type": "volume", "Source": "v", "Target": "/b", "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": {"o": "addr=1,rw"}}}}),
        ),
        ("type=tmpfs,dst=/b", json!({"Type": "tmpfs", "Target": "/b"})),
        (
            "type=tmpfs,dst=/b,tmpfs-size=64m,tmpfs-mode=1770",
            json!({"Type": "tmpfs", "Target": "/b", "TmpfsOptions": {"SizeBytes": 67_108_864, "Mode": 1016}}),
        ),
        ("type=tmpfs,dst=/b,tmpfs-size=0", json!({"Type": "tmpfs", "Target": "/b", "TmpfsOptions": {}})),
        ("type=npipe,src=a,dst=b", json!({"Type": "npipe", "Source": "a", "Target": "b"})),
        ("type=cluster,src=group:x,dst=/b", json!({"Type": "cluster", "Source": "group:x", "Target": "/b"})),
        (
            "type=image,src=alpine,dst=/b,image-subpath=/z",
            json!({"Type": "image", "Source": "alpine", "Target": "/b", "ImageOptions": {"Subpath": "/z"}}),
        ),
        (
            "src={{.Node.Hostname}},dst=/b",
            json!({"Type": "volume", "Source": "{{.Node.Hostname}}", "Target": "/b"}),
        ),
    ] {
        assert_eq!(read(text), Some(want), "{text}");
    }
}

#[test]
fn errors_name_the_invalid_part() {
    for (text, part) in [
        ("", "is empty"),
        ("   ", "is empty"),
        ("foo", "`foo` has no value"),
        ("/a:/b", "`/a:/b` has no value"),
        ("type=volume", "`target`"),
        ("type=bind,dst=/b", "`source`"),
        ("type=,dst=/b", "`type`"),
        ("type=foo,dst=/b", "`foo`"),
        ("type=bind,foo=bar,dst=/b", "`foo`"),
        ("type=bind,src=a,dst=/b", "`a`"),
        ("type=bind,src=~/z,dst=/b", "`~/z`"),
        ("type=volume,src=/abs,target=/x", "`/abs`"),
        ("type=volume,src=./a,target=/x", "`/home/me/a`"),
        ("target=rel", "`rel`"),
        ("type=tmpfs,src=/x,dst=/b", "`/x`"),
        ("type=npipe,dst=b", "`source`"),
        ("target=/x,readonly=yes", "`readonly=yes`"),
        ("target=/x,readonly=", "`readonly=`"),
        ("type=volume,volume-driver=,dst=/b", "`volume-driver`"),
        ("dst=/b,volume-label==x", "`volume-label==x`"),
        ("type=bind,src=/a,dst=/b,bind-propagation=foo", "`foo`"),
        ("type=bind,src=/a,dst=/b,bind-recursive=foo", "`foo`"),
        ("type=bind,src=/a,dst=/b,bind-recursive=writable", "`readonly`"),
        ("type=bind,src=/a,dst=/b,bind-recursive=readonly", "`readonly`"),
        ("type=bind,src=/a,dst=/b,bind-recursive=readonly,ro", "`bind-propagation=rprivate`"),
        ("type=bind,src=/a,dst=/b,volume-nocopy", "`volume-`"),
        ("dst=/b,bind-propagation=rslave", "`bind-`"),
        ("dst=/b,tmpfs-size=1m", "`tmpfs-`"),
        ("type=cluster,src=x,dst=/b,volume-nocopy", "`volume-`"),
        ("type=image,src=a,dst=/b,volume-subpath=/z", "`volume-`"),
        ("dst=/b,bind-nonrecursive=0", "`bind-`"),
        ("type=tmpfs,dst=/b,tmpfs-mode=9", "`9`"),
        ("type=tmpfs,dst=/b,tmpfs-size=foo", "`foo`"),
        ("type=bind, src=/a,dst=/b", "` src=/a`"),
        ("type=bind,src= /a,dst=/b", "`src= /a`"),
        ("type=bind,\"src=/a,dst=/b", "not closed"),
        ("type=bind,sr\"c=/a,dst=/b", "`sr\"c=/a`"),
        (",type=bind", "`` has no value"),
        ("type=bind,src=/a,dst=/b,", "`` has no value"),
    ] {
        let bad = mount(text, &|| Ok("/home/me".to_owned())).expect_err(text);
        assert!(bad.to_string().contains(part), "{text}: {bad}");
    }
}

#[test]
fn a_relative_source_needs_the_current_directory() {
    let removed = || Err("it was removed".to_owned());
    let bad = mount("type=bind,src=./a,dst=/b", &removed).expect_err("a relative source").to_string();
    assert_eq!(bad, "cannot determine the current directory, which `src=./a` is relative to: it was removed");
    assert!(mount("type=bind,src=/a,dst=/b", &removed).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(
        text in ".{0,40}",
        fields in proptest::collection::vec(
            "(type|src|dst|ro|volume-opt|bind-recursive|tmpfs-mode)(=(bind|volume|tmpfs|/a|\\.\\./b|a=b|[0-9]{0,12}))?",
            0..6,
        ),
    ) {
        let _ = (mount(&text, &|| Ok("/".to_owned())), mount(&fields.join(","), &|| Err("removed".to_owned())));
    }
}
