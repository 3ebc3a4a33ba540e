//! The errors about invalid values: the reason from api and the example of the flag.

use super::flag::Environment;
use super::flags;

#[test]
fn an_invalid_value_is_refused_with_the_reason_and_an_example() {
    let environment =
        Environment { variable: &|_| None, directory: &|| Ok("/".to_owned()), file: &|_| Err(String::new()) };
    for (flag, value, message) in [
        (
            "limit-memory",
            "1x",
            "`1x` is not a valid size: `x` is not a unit (b, k, m, g, t or p) (for example: `512m`)",
        ),
        (
            "constraint",
            "foo",
            "`foo` is not a valid constraint: it needs `==` or `!=` (for example: `node.role==manager`)",
        ),
        (
            "restart-condition",
            "foo",
            "`foo` is not a valid restart condition: use one of `none`, `on-failure`, `any` (for example: `none`)",
        ),
        (
            "health-interval",
            "10",
            "`10` is not a valid duration: `10` has no unit (ns, us, ms, s, m, h) (for example: `1m30s`)",
        ),
        ("health-interval", "5ns", "`5ns` is less than the minimum, `1ms` (for example: `5s`)"),
        (
            "publish",
            "80:x",
            "`80:x` is not a valid port: `x` is not a port from 1 to 65535, nor a range of ports (for example: `8080:80/tcp`)",
        ),
        (
            "publish",
            "target=x",
            "`target=x` is not a valid port: `x` is not a number from 0 to 65535 (for example: \
             `published=8080,target=80,protocol=tcp,mode=ingress`)",
        ),
        ("env-rm", "", "the value is empty (for example: `value`)"),
        (
            "env-rm",
            "A=1",
            "`A=1` is not a name: specify only the name to remove a variable (for example: `PATH`)",
        ),
        ("mount-rm", "", "the value is empty (for example: `value`)"),
        ("replicas", "x", "`x` is not a valid number of tasks (for example: `3`)"),
        ("oom-score-adj", "x", "`x` is not a whole number from -1000 to 1000 (for example: `500`)"),
        ("env", "=x", "`=x` has no name before the `=` (for example: `KEY=value`)"),
        ("sysctl", "=x", "`=x` has no name before the `=` (for example: `net.core.somaxconn=1024`)"),
        (
            "network",
            "",
            "`` is not a valid network: the network's name is missing (for example: \
             `name=backend,alias=db,driver-opt=key=value`)",
        ),
    ] {
        let row = flags().find(|row| row.name == flag).expect(flag);
        let refused = row.read(&[value], &environment).expect_err(flag);
        assert_eq!(refused.to_string(), message, "--{flag} {value:?}");
    }
}
