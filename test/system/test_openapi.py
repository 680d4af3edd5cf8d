"""The description of the API, and the programs held to it."""
import os
import re

import pytest
import requests
import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture(scope="module")
def page():
    with open(os.path.join(ROOT, "html/openapi.yaml"), encoding="utf-8") as file:
        return yaml.safe_load(file)


def resolve(page, schema):
    while "$ref" in schema:
        schema = page["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def check(page, schema, value, where):
    """What a value says is what its schema allows, and nothing that the schema does not name."""
    schema = resolve(page, schema)
    if value is None:
        assert schema.get("nullable"), f"{where} is null"
        return
    kind = schema.get("type")
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
    assert isinstance(value, kinds[kind]) and not (kind == "integer" and isinstance(value, bool)), f"{where} is no {kind}: {value!r}"
    if "enum" in schema:
        assert value in schema["enum"], f"{where}: {value}"
    if schema.get("format") == "date-time":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), f"{where}: {value}"
    if kind == "object":
        missing = set(schema.get("required", ())) - set(value)
        strange = set(value) - set(schema["properties"])
        assert not missing and not strange, f"{where}: missing {missing}, not described {strange}"
        for name, member in value.items():
            check(page, schema["properties"][name], member, f"{where}.{name}")
    if kind == "array":
        for i, item in enumerate(value):
            check(page, schema["items"], item, f"{where}[{i}]")


def answer_fits(page, answer, method, path):
    described = page["paths"][path][method]["responses"]
    assert str(answer.status_code) in described, f"{method} {path} answered {answer.status_code}, which is not described"
    response = described[str(answer.status_code)]
    if "$ref" in response:
        response = page["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    content = response.get("content")
    if not content:
        return
    kind = answer.headers["Content-Type"].split(";")[0]
    assert kind in content, f"{method} {path}: {kind}"
    if "json" in kind:
        check(page, content[kind]["schema"], answer.json(), f"{method} {path}")


def test_what_is_answered_is_what_is_described(page, line, person, documents):
    made = line.send(person, "+12125550123", documents["letter"])
    answer_fits(page, made, "post", "/api/faxes")
    ident = made.json()["id"]
    answer_fits(page, line.send(person, "nonsense", documents["letter"]), "post", "/api/faxes")
    answer_fits(page, line.send(person, "+12125550123", documents["page"]), "post", "/api/faxes")
    with open(documents["letter"], "rb") as file:
        uploaded = person.post(line.lan + "/api/documents", files={"file": file})
    answer_fits(page, uploaded, "post", "/api/documents")
    answer_fits(page, person.post(line.lan + "/api/documents", files={"file": ("a.pdf", b"")}), "post", "/api/documents")
    line.final(person, ident)
    ours = {"FaxSid": "FX" + "1" * 32, "AccountSid": line.conf["TWILIO_SID"], "To": "+15005550006"}
    assert line.webhook("/fax/initialize", ours, signed=False).status_code == 403
    refused = person.get(line.lan + "/api/line")
    assert refused.json()["refused"]["count"] == 1
    answer_fits(page, refused, "get", "/api/line")
    assert line.webhook("/fax/initialize", ours).status_code == 200
    for path, url in [("/api/session", "/api/session"), ("/api/documents/{id}", f"/api/documents/{uploaded.json()['id']}"), ("/api/faxes", "/api/faxes"), ("/api/faxes", "/api/faxes?limit=0"),
                      ("/api/faxes/{id}", f"/api/faxes/{ident}"), ("/api/faxes/{id}", "/api/faxes/none"), ("/api/faxes/{id}/document.pdf", f"/api/faxes/{ident}/document.pdf"), ("/api/numbers", "/api/numbers?q=212+555+1212"),
                      ("/api/numbers", "/api/numbers?q=%2B2125551212"), ("/api/numbers", "/api/numbers"), ("/api/fax/{id}", f"/api/fax/{ident}"), ("/api/line", "/api/line"), ("/api/ping", "/api/ping"), ("/healthz", "/healthz"), ("/metrics", "/metrics")]:
        answer_fits(page, person.get(line.lan + url), "get", path)
    answer_fits(page, person.post(f"{line.lan}/api/faxes/{ident}/cancel"), "post", "/api/faxes/{id}/cancel")
    resent = person.post(f"{line.lan}/api/faxes/{ident}/resend")
    answer_fits(page, resent, "post", "/api/faxes/{id}/resend")
    answer_fits(page, person.post(f"{line.lan}/api/faxes/{resent.json()['id']}/cancel"), "post", "/api/faxes/{id}/cancel")
    answer_fits(page, person.post(f"{line.lan}/api/faxes/{ident}/read", json={"read": True}), "post", "/api/faxes/{id}/read")
    answer_fits(page, person.delete(f"{line.lan}/api/faxes/{ident}"), "delete", "/api/faxes/{id}")


def test_every_described_route_is_there_and_asks_for_a_log_in(page, line):
    for path, methods in page["paths"].items():
        for method, description in methods.items():
            answer = requests.request(method, line.lan + path.replace("{id}", "x"), headers={"Origin": line.lan}, verify=line.ca)
            assert answer.status_code != 404 and answer.status_code != 405, f"{method} {path}"
            if description.get("security") != [] and path not in ("/metrics",) and (path, method) != ("/api/session", "delete"):
                assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
