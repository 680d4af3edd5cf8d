"""The API as its page of rules says it, asked from outside."""
import concurrent.futures
import json
import os

import pytest
import requests

from line import sha256, wait_until


def problem(answer, status):
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json", answer.headers
    said = answer.json()
    assert said["status"] == status and said["title"] and said["type"]
    return said


def test_log_in_and_out(line):
    session = requests.Session()
    session.trust_env = False
    session.verify = line.ca
    session.headers["Origin"] = line.lan
    problem(session.get(line.lan + "/api/session"), 401)
    assert "password" in problem(session.post(line.lan + "/api/session", json={"username": "fax", "password": "wrong"}), 401)["detail"].lower()
    unknown = problem(session.post(line.lan + "/api/session", json={"username": "nobody", "password": "wrong"}), 401)
    assert unknown["detail"] == problem(session.post(line.lan + "/api/session", json={"username": "fax", "password": "wrong2"}), 401)["detail"]
    answer = session.post(line.lan + "/api/session", json={"username": "fax", "password": "correct horse battery"})
    assert answer.status_code == 200 and answer.json()["username"] == "fax" and answer.json()["role"] == "admin"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-faxline=") and all(word in cookie for word in ("Secure", "HttpOnly", "SameSite", "Path=/"))
    assert session.get(line.lan + "/api/session").json()["username"] == "fax"
    assert session.delete(line.lan + "/api/session").status_code == 204
    problem(session.get(line.lan + "/api/session"), 401)
    session.cookies.set("__Host-faxline", cookie.split("=", 1)[1].split(";")[0])
    problem(session.get(line.lan + "/api/session"), 401)


def test_malformed_log_ins(line):
    url = line.lan + "/api/session"
    for body in ("", "{", "[]", '{"username": 5}', '{"username":"fax"}', "x" * 100000):
        answer = requests.post(url, data=body, headers={"Origin": line.lan, "Content-Type": "application/json"}, verify=line.ca)
        assert answer.status_code in (400, 413, 415, 422), (body[:20], answer.status_code)


def test_a_foreign_page_cannot_act(line, person, documents):
    cookie = {"__Host-faxline": person.cookies["__Host-faxline"]}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": line.lan.replace("https", "http")}, {}, {"Sec-Fetch-Site": "cross-site"}):
        problem(requests.post(line.lan + "/api/faxes", json={"to": "+12125551212", "documents": []}, headers=headers, cookies=cookie, verify=line.ca), 403)
        problem(requests.post(line.lan + "/api/session", json={"username": "fax", "password": "correct horse battery"}, headers=headers, verify=line.ca), 403)
    answer = requests.delete(line.lan + "/api/session", headers={"Sec-Fetch-Site": "same-origin"}, cookies={"__Host-faxline": "x"}, verify=line.ca)
    assert answer.status_code in (204, 401)


def test_keys(line, person, documents):
    key = line.command("key", "add", "script").stdout.strip()
    bearer = {"Authorization": f"Bearer {key}"}
    assert requests.get(line.lan + "/api/faxes", headers=bearer, verify=line.ca).status_code == 200
    with open(documents["letter"], "rb") as file:
        made = requests.post(line.lan + "/api/faxes", data={"to": "+12125551212"}, files={"file": file}, headers=bearer, verify=line.ca)
    assert made.status_code == 202, made.text
    ident = next(row for row in line.command("key", "list").stdout.splitlines() if "script" in row).split()[0]
    line.command("key", "revoke", ident)
    problem(requests.get(line.lan + "/api/faxes", headers=bearer, verify=line.ca), 401)
    problem(requests.get(line.lan + "/api/faxes", headers={"Authorization": "Bearer fxl_nonsense"}, verify=line.ca), 401)


def test_without_log_in_there_is_nothing_but_ping_and_health(line):
    for method, path in (("GET", "/api/faxes"), ("POST", "/api/faxes"), ("GET", "/api/faxes/01hzzzzzzzzzzzzzzzzzzzzzzz"), ("GET", "/api/numbers?q=1"), ("POST", "/api/documents"), ("GET", "/api/fax/FX1"),
                         ("GET", "/api/line")):
        problem(requests.request(method, line.lan + path, headers={"Origin": line.lan}, verify=line.ca), 401)
    assert requests.get(line.lan + "/api/ping", verify=line.ca).json() == {"status": "ok"}
    assert requests.get(line.lan + "/healthz", verify=line.ca).status_code == 200


def test_unknown_paths_and_methods(line, person):
    problem(person.get(line.lan + "/api/nothing"), 404)
    problem(person.get(line.lan + "/api/faxes/01hzzzzzzzzzzzzzzzzzzzzzzz"), 404)
    assert person.get(line.lan + "/api/faxes/..%2f..%2fetc").status_code == 404
    answer = person.put(line.lan + "/api/faxes", json={})
    problem(answer, 405)
    assert "POST" in answer.headers["Allow"] and "GET" in answer.headers["Allow"]
    problem(requests.put(line.lan + "/api/faxes", json={}, verify=line.ca), 405)


def test_bad_faxes_each_with_its_own_answer(line, person, documents):
    def send(to, *paths):
        return line.send(person, to, *paths)
    assert problem(send("+12125551212"), 400)["field"] == "file"
    assert problem(person.post(line.lan + "/api/faxes", files={"file": ("a.pdf", open(documents["letter"], "rb"))}), 400)["field"] == "to"
    assert problem(send("", documents["letter"]), 400)["field"] == "to"
    assert problem(send("+12125551212", documents["empty"]), 422)["field"] == "file"
    problem(send("+12125551212", documents["page"]), 415)
    for nonsense in ("hello", "12", "+", "00000000000000000000000", "; rm -rf /"):
        assert problem(send(nonsense, documents["letter"]), 422)["field"] == "to"
    for emergency in ("911", "112"):
        assert "emergency" in problem(send(emergency, documents["letter"]), 422)["detail"].lower()
    assert "premium" in problem(send("+1 900 555 1234", documents["letter"]), 422)["detail"].lower()
    morocco = problem(send("+2125551212", documents["letter"]), 422)
    assert "+1 212-555-1212" in morocco["detail"] or "+1 212 555 1212" in morocco["detail"], morocco


def test_malformed_multipart_is_a_clear_400_and_ends_no_program(line, person):
    url = line.lan + "/api/faxes"
    cookie = {"__Host-faxline": person.cookies["__Host-faxline"]}
    bodies = [
        ("multipart/form-data; boundary=x", b"--x\r\n Content-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.4 cut off"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data", b"--x--\r\n"),
        ("multipart/form-data; boundary=" + "b" * 100, b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nno colon here\r\n\r\nb\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"\r\n" * 5000),
    ]
    for content_type, body in bodies:
        answer = requests.post(url, data=body, headers={"Content-Type": content_type, "Origin": line.lan}, cookies=cookie, verify=line.ca)
        problem(answer, 400)
    assert requests.get(line.lan + "/api/ping", verify=line.ca).status_code == 200
    problem(requests.post(url, data="a=b", headers={"Origin": line.lan}, cookies=cookie, verify=line.ca), 415)
    problem(requests.post(url, data="{", headers={"Origin": line.lan, "Content-Type": "application/json"}, cookies=cookie, verify=line.ca), 400)


def test_too_large_is_said_with_the_limit_and_costs_no_upload(line, person):
    limit = 52428800
    head = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.4\n"
    answer = person.post(line.lan + "/api/documents", data=(head + b"0" * (limit + 1000) + b"\r\n--x--\r\n"), headers={"Content-Type": "multipart/form-data; boundary=x"})
    said = problem(answer, 413)
    assert "50" in said["detail"] and "MB" in said["detail"]


def test_a_12_mb_upload_is_taken(line, person, documents):
    with open(documents["scan"], "rb") as file:
        whole = file.read()
    answer = person.post(line.lan + "/api/documents", files={"file": ("big.pdf", whole + b"\n%" + os.urandom(12_000_000).hex().encode()[:12_000_000] + b"\n", "application/pdf")})
    assert answer.status_code == 202, answer.text
    state = wait_until(lambda: (lambda it: it if it["state"] in ("ready", "refused") else None)(person.get(f"{line.lan}/api/documents/{answer.json()['id']}").json()))
    assert state["state"] == "ready" and state["pages"] == 1


def test_an_idempotency_key_makes_one_fax(line, person, documents):
    headers = {"Idempotency-Key": "press-1"}
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: line.send(person, "+12125551299", documents["letter"], **headers), range(6)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert line.send(person, "+1 (212) 555-1299", documents["letter"], **headers).json()["id"] == answers[0].json()["id"]
    problem(line.send(person, "+12125551298", documents["letter"], **headers), 422)
    problem(line.send(person, "+12125551299", documents["scan"], **headers), 422)
    problem(line.send(person, "+12125551299", documents["letter"], **{"Idempotency-Key": "x" * 256}), 400)


def test_the_key_of_a_deleted_fax_makes_no_other_one(line, person, documents):
    headers = {"Idempotency-Key": "press-2"}
    fax = line.send(person, "+12125551297", documents["letter"], **headers).json()
    line.final(person, fax["id"])
    assert person.delete(f"{line.lan}/api/faxes/{fax['id']}").status_code == 204
    refused = problem(line.send(person, "+12125551297", documents["letter"], **headers), 409)
    assert refused["field"] == "Idempotency-Key" and "deleted" in refused["detail"], refused
    assert not [it for it in person.get(line.lan + "/api/faxes?q=2125551297").json()["faxes"]]


def test_documents_first_then_a_fax_of_them(line, person, documents):
    with open(documents["letter"], "rb") as file:
        uploaded = person.post(line.lan + "/api/documents", files={"file": ("Brief ü.pdf", file)})
    assert uploaded.status_code == 202 and uploaded.json()["state"] in ("queued", "converting", "ready")
    made = person.post(line.lan + "/api/faxes", json={"to": "212 555 1212", "documents": [uploaded.json()["id"]]})
    assert made.status_code == 202 and made.json()["to"] == "+12125551212"
    problem(person.post(line.lan + "/api/faxes", json={"to": "+12125551212", "documents": ["01hzzzzzzzzzzzzzzzzzzzzzzz"]}), 404)
    assert problem(person.post(line.lan + "/api/faxes", json={"to": "+12125551212", "documents": []}), 400)["field"] in ("file", "documents")
    problem(person.post(line.lan + "/api/faxes", json={"to": 5, "documents": [1]}), 400)
    assert line.final(person, made.json()["id"])["status"] == "delivered"


def test_numbers(line, person):
    def ask(text):
        return person.get(line.lan + "/api/numbers", params={"q": text}).json()
    assert ask("(212) 555-1212")["e164"] == "+12125551212" and ask("(212) 555-1212")["valid"] is True
    assert ask("+49 30 123456")["country"] == "Germany"
    odd = ask("+2125551212")
    assert odd["valid"] is False and "212" in odd["text"]
    assert ask("+15005550006")["valid"] is True
    assert ask("911")["valid"] is False and "emergency" in ask("911")["text"].lower()
    problem(person.get(line.lan + "/api/numbers"), 400)


def test_lists_page_and_filter(line, person, documents):
    ids = [line.send(person, f"+1212555{1300 + i}", documents["letter"]).json()["id"] for i in range(5)]
    seen, before = [], None
    while True:
        answer = person.get(line.lan + "/api/faxes", params={"limit": 2, "direction": "outbound", **({"before": before} if before else {})}).json()
        seen += [fax["id"] for fax in answer["faxes"]]
        before = answer["next"]
        if before is None:
            break
    assert seen == sorted(seen, reverse=True) and set(ids) <= set(seen) and len(seen) == len(set(seen))
    assert [fax["id"] for fax in person.get(line.lan + "/api/faxes", params={"q": "5551303"}).json()["faxes"]] == [ids[3]]
    assert all(fax["status"] in ("failed", "canceled") for fax in person.get(line.lan + "/api/faxes", params={"status": "failed,canceled"}).json()["faxes"])
    for bad in ({"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"status": "lost"}, {"direction": "sideways"}, {"before": "not-one"}):
        problem(person.get(line.lan + "/api/faxes", params=bad), 400)


def test_cancel_resend_delete(line, person, documents):
    made = line.send(person, "+15005550004", documents["letter"]).json()
    problem(person.post(f"{line.lan}/api/faxes/{made['id']}/resend"), 409)
    problem(person.delete(f"{line.lan}/api/faxes/{made['id']}"), 409)
    answer = person.post(f"{line.lan}/api/faxes/{made['id']}/cancel")
    assert answer.status_code == 200 and answer.json()["cancel_requested"] is True
    fax = line.final(person, made["id"], 90)
    assert fax["status"] in ("canceled", "delivered")
    problem(person.post(f"{line.lan}/api/faxes/{made['id']}/cancel"), 409)
    again = person.post(f"{line.lan}/api/faxes/{made['id']}/resend")
    assert again.status_code == 202 and again.json()["resend_of"] == made["id"] and again.headers["Location"].endswith(again.json()["id"])
    person.post(f"{line.lan}/api/faxes/{again.json()['id']}/cancel")
    assert person.delete(f"{line.lan}/api/faxes/{made['id']}").status_code == 204
    problem(person.get(f"{line.lan}/api/faxes/{made['id']}"), 404)


def test_the_seeds_own_routes(line, person, documents):
    made = line.send(person, "+12125551212", documents["letter"]).json()
    fax = line.final(person, made["id"])
    for name in (made["id"], fax["provider_id"]):
        assert person.get(f"{line.lan}/api/fax/{name}").json() == {"status": "delivered", "pages": fax["pages"]}


def test_documents_are_served_with_ranges_and_safe_headers(line, person, documents):
    made = line.send(person, "+12125551212", documents["scan"]).json()
    line.final(person, made["id"])
    url = f"{line.lan}/api/faxes/{made['id']}/document.pdf"
    with open(documents["scan"], "rb") as file:
        whole = file.read()
    answer = person.get(url)
    assert answer.content == whole and answer.headers["X-Content-Type-Options"] == "nosniff"
    part = person.get(url, headers={"Range": "bytes=10-19"})
    assert part.status_code == 206 and part.content == whole[10:20] and part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
    head = person.head(url)
    assert head.status_code == 200 and head.content == b"" and int(head.headers["Content-Length"]) == len(whole)


def test_the_page_is_served_with_strict_headers(line):
    answer = requests.get(line.lan + "/", verify=line.ca)
    assert answer.status_code == 200 and "text/html" in answer.headers["Content-Type"]
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Server"] == "nginx"


def test_the_description_names_every_route_that_is_answered(line, person):
    text = requests.get(line.lan + "/openapi.yaml", verify=line.ca)
    assert text.status_code == 200
    for path in ("/api/session", "/api/documents", "/api/documents/{id}", "/api/faxes", "/api/faxes/{id}", "/api/faxes/{id}/cancel", "/api/faxes/{id}/resend", "/api/faxes/{id}/read", "/api/faxes/{id}/document.pdf",
                 "/api/numbers", "/api/fax/{id}", "/api/ping", "/api/line", "/healthz"):
        assert f"\n  {path}:" in text.text, path
