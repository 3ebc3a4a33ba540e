//! How the fake swarm creates and updates services.

use serde_json::{Value, json};

use super::SwarmState;
use super::reads::minor;
use crate::support::server::{Answer, Request};
use crate::support::system;

impl SwarmState {
    /// Runs the checks that create and update share, and returns the spec as it is stored.
    fn checked(&self, request: &Request, own: Option<usize>) -> Result<Value, Answer> {
        let invalid =
            |text: String| Answer::error(400, &format!("rpc error: code = InvalidArgument desc = {text}"));
        if !request.header("content-type").is_some_and(|value| value.starts_with("application/json")) {
            let got = request.header("content-type").unwrap_or_default();
            return Err(Answer::error(
                400,
                &format!("malformed Content-Type header ({got}): mime: no media type"),
            ));
        }
        if request.body.is_empty() {
            return Err(Answer::error(400, "got EOF while reading request body"));
        }
        let mut spec: Value = match serde_json::from_slice(&request.body) {
            Ok(spec) => spec,
            Err(_) => return Err(Answer::error(400, "unexpected EOF")),
        };
        let container = &spec["TaskTemplate"]["ContainerSpec"];
        if !container.is_object() {
            return Err(Answer::error(400, "mismatched Runtime and *Spec fields"));
        }
        match container["Image"].as_str() {
            None | Some("") => return Err(invalid("ContainerSpec: image reference must be provided".into())),
            Some(image) if image.contains(' ') || image != image.to_lowercase() => {
                return Err(invalid(format!("ContainerSpec: \"{image}\" is not a valid repository/tag")));
            }
            Some(_) => {}
        }
        let ports = |spec: &Value| spec["EndpointSpec"]["Ports"].as_array().cloned().unwrap_or_default();
        for port in ports(&spec) {
            for (i, other) in self.services.iter().enumerate().filter(|(i, _)| Some(*i) != own) {
                let taken = ports(&other.spec).iter().any(|theirs| {
                    theirs["PublishedPort"].as_u64().is_some_and(|n| n > 0)
                        && theirs["PublishedPort"] == port["PublishedPort"]
                        && theirs["Protocol"] == port["Protocol"]
                });
                if taken {
                    let other = &self.services[i];
                    return Err(invalid(format!(
                        "port '{}' is already in use by service '{}' ({}) as an ingress port",
                        port["PublishedPort"],
                        other.name(),
                        other.id
                    )));
                }
            }
        }
        for place in ["/TaskTemplate/Networks", "/Networks"] {
            for network in spec.pointer_mut(place).and_then(Value::as_array_mut).into_iter().flatten() {
                let target = network["Target"].as_str().unwrap_or_default().to_owned();
                match self.networks.iter().find(|(id, name)| *id == target || *name == target) {
                    Some((id, _)) => network["Target"] = id.clone().into(),
                    None => return Err(Answer::error(500, &format!("network {target} not found"))),
                }
            }
        }
        Ok(spec)
    }

    pub(super) fn create(&mut self, request: &Request) -> Answer {
        let mut spec = match self.checked(request, None) {
            Ok(spec) => spec,
            Err(answer) => return answer,
        };
        let name = match spec["Name"].as_str() {
            None | Some("") => format!("unnamed_{}", self.ids),
            Some(name) => name.to_owned(),
        };
        if self.services.iter().any(|service| service.name() == name) {
            return Answer::error(
                409,
                &format!(
                    "rpc error: code = AlreadyExists desc = name conflicts with an existing object: service {name} \
                     already exists"
                ),
            );
        }
        spec["Name"] = name.clone().into();
        // The engine adds these defaults.
        let add = |at: &mut Value, key: &str, value: Value| {
            if at.get(key).is_none_or(Value::is_null) {
                at[key] = value;
            }
        };
        add(&mut spec, "Labels", json!({}));
        add(&mut spec["TaskTemplate"], "ForceUpdate", 0.into());
        add(&mut spec["TaskTemplate"], "Runtime", "container".into());
        add(&mut spec, "Mode", json!({ "Replicated": { "Replicas": 1 } }));
        let id = self.add(spec.clone());
        let now = self.now();
        let service = self.service(&name);
        service.created = now;
        service.updated = now;
        service.taken.push(spec);
        Answer::json(201, json!({ "ID": id }).to_string() + "\n")
    }

    pub(super) fn update(&mut self, word: &str, request: &Request) -> Answer {
        let said = request.param("version").unwrap_or_default();
        let Ok(version) = said.parse::<u64>() else {
            return Answer::error(
                400,
                &format!(
                    "invalid service version '{said}': strconv.ParseUint: parsing \"{said}\": invalid syntax"
                ),
            );
        };
        if !matches!(request.param("registryAuthFrom"), None | Some("" | "spec" | "previous-spec")) {
            return Answer::error(500, "unsupported registryAuthFrom value");
        }
        let at = match self.find(word) {
            Ok(at) => at,
            Err(answer) => return answer,
        };
        let mut spec = match self.checked(request, Some(at)) {
            Ok(spec) => spec,
            Err(answer) => return answer,
        };
        system::drop_fields(&mut spec, minor(request).unwrap_or(u32::MAX));
        let (index, now) = (self.index + 1, self.now());
        let service = &mut self.services[at];
        let unimplemented =
            |text: &str| Answer::error(501, &format!("rpc error: code = Unimplemented desc = {text}"));
        let rolls_back = match request.param("rollback") {
            None | Some("" | "none") => false,
            Some("previous") => true,
            Some(other) => return Answer::error(500, &format!("unrecognized rollback option {other}")),
        };
        if rolls_back {
            let Some(previous) = service.previous.clone() else {
                return Answer::error(
                    400,
                    &format!(
                        "rpc error: code = FailedPrecondition desc = service {} does not have a previous spec",
                        service.id
                    ),
                );
            };
            if version != service.index {
                return Answer::error(500, "rpc error: code = Unknown desc = update out of sequence");
            }
            service.previous = Some(std::mem::replace(&mut service.spec, previous));
            service.rollbacks += 1;
        } else {
            let networks = |value: &Value| value.as_array().cloned().unwrap_or_default();
            let same = |key: &dyn Fn(&Value) -> Vec<Value>| key(&spec) == key(&service.spec);
            if !same(&|spec| networks(&spec["Networks"]))
                && same(&|spec| networks(&spec["TaskTemplate"]["Networks"]))
            {
                return unimplemented("networks must be migrated to TaskSpec before being changed");
            }
            let mode = |spec: &Value| spec["Mode"].as_object().and_then(|map| map.keys().next().cloned());
            if mode(&spec).unwrap_or_else(|| "Replicated".into()) != mode(&service.spec).unwrap_or_default() {
                return unimplemented("service mode change is not allowed");
            }
            if spec["Name"] != service.spec["Name"] {
                return unimplemented("renaming services is not supported");
            }
            if version != service.index {
                return Answer::error(500, "rpc error: code = Unknown desc = update out of sequence");
            }
            service.taken.push(spec.clone());
            service.previous = Some(std::mem::replace(&mut service.spec, spec));
        }
        service.status = None;
        service.moves_networks = false;
        service.index = index;
        service.updated = now;
        service.iteration += u64::from(service.is_job());
        service.pending = service.rollout.clone();
        self.index = index;
        self.roll_out(at);
        Answer::json(200, "{\"Warnings\":null}\n")
    }
}
