"""What nobody said in time: it is looked for, compared, and in the end a person decides."""
import concurrent.futures

import pytest
import requests

import fake_provider
from line import Line, sha256, wait_until


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request):
    return request.param


@pytest.fixture(scope="module")
def provider(database):
    it = fake_provider.Provider()
    yield it
    it.close()


@pytest.fixture(scope="module")
def line(provider, database):
    it = Line(database=database, FAX_PROVIDER="twilio", PROVIDER_URL=provider.url, TWILIO_FAX_NUMBER="+15005550006", CHECK_SECONDS="1", RECONCILE_SECONDS="3600").start()
    provider.ca = it.ca
    yield it
    it.close()


@pytest.fixture(scope="module")
def person(line):
    return line.browser_session()


def test_reconcile_brings_in_what_the_provider_alone_has(line, person, provider, documents):
    with open(documents["letter"], "rb") as file:
        document = file.read()
    sid = provider.receive("+12125550177", document)
    done = line.command("reconcile", "--since", "2025-12-01", check=False)
    assert done.returncode == 0 and "1 fax found at the provider alone" in done.stdout and "0 faxes differ still" in done.stdout, done.stdout + done.stderr
    fax = next(fax for fax in line.received(person) if fax["provider_id"] == sid)
    assert fax["status"] == "received"
    assert sha256(person.get(f"{line.lan}/api/faxes/{fax['id']}/document.pdf").content) == sha256(document)
    wait_until(lambda: any(sid in path for path in provider.deleted))
    again = line.command("reconcile", "--since", "2025-12-01")
    assert "0 faxes found at the provider alone" in again.stdout
    # One whose document cannot be had differs still.
    lost = provider.receive("+12125550178", b"")
    provider.documents["/media/" + lost] = b"no PDF at all"
    done = line.command("reconcile", "--since", "3650d", check=False)
    assert done.returncode == 1 and "1 fax differ" in done.stdout, done.stdout + done.stderr
    del provider.faxes[lost]


def test_several_ask_for_a_comparison_at_once(line, provider):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda since: line.command("reconcile", *since, check=False), [[], [], ["--since", "1d"], ["--since", "2d"]]))
    assert [it.returncode for it in done] == [0] * 4, [it.stdout + it.stderr for it in done]
    assert all("0 faxes differ still" in it.stdout for it in done)


def test_reconcile_says_what_is_wrong(line, provider):
    assert line.command("reconcile", "--since", "yesterday", check=False).returncode == 64
    provider.mode = "no list"
    done = line.command("reconcile", check=False)
    provider.mode = "ok"
    assert done.returncode == 69 and "list could not be read: The connection broke" in done.stderr, done.stderr


def test_a_person_settles_what_nobody_knows_and_the_provider_corrects_it(line, person, provider, documents):
    provider.mode = "fetch and drop"
    made = line.send(person, "+12125551212", documents["letter"]).json()
    fax = line.final(person, made["id"], 60)
    provider.mode = "ok"
    assert fax["status"] == "unresolved" and fax["cause"]["code"] == "unknown_outcome" and "mark it" in fax["cause"]["advice"]
    path = f"{line.lan}/api/faxes/{made['id']}/settle"
    assert person.post(path, json={"as": "perhaps"}).status_code == 400
    settled = person.post(path, json={"as": "delivered"}).json()
    assert settled["status"] == "delivered" and settled["final"] and settled["events"][-1]["why"] == "By fax."
    assert person.post(path, json={"as": "failed"}).status_code == 409
    # The provider's word comes late, by a callback on the attempt's own token.
    call = provider.calls[-1]
    sid = "FX" + "7" * 32
    provider.faxes[sid] = {"sid": sid, "account_sid": "AC", "from": call["From"], "to": call["To"], "status": "busy", "direction": "outbound", "num_pages": 1, "date_created": "2026-01-01T00:00:00Z", "media_url": None}
    assert requests.post(call["StatusCallback"], data={"FaxSid": sid, "FaxStatus": "busy"}, verify=line.ca).status_code == 200
    fax = wait_until(lambda: (lambda it: it if it["status"] == "failed" else None)(line.fax(person, made["id"])))
    assert fax["cause"]["code"] == "busy" and "Corrected" in fax["events"][-1]["why"]
    assert len(provider.calls) == 1
