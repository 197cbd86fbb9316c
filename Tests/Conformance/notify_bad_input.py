"""Hostile notifications over HTTP: each is refused with the field named, nothing is stored, nothing is sent.

    notify_bad_input.py READY_FILE SINK_JOURNAL [NAME]

READY_FILE is what `aloft server start-dev --ready-file` wrote; SINK_JOURNAL is the journal of the mail server (`smtp_sink.py`) that
the workers of that server send to.
"""
import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone

from harness import unique
from stage import POSTGRES

TENANT = unique("bad").lower()
TABLES = ["wf_ntf.notification", "wf_ntf.delivery", "wf_ntf.receipt", "wf_ntf.preference", "wf_ntf.suppression", "wf_dlq.dlq_entry"]
# The secrets of `start-dev`.
SMS_A, SMS_B, MAIL = "sk_sms_a", "sk_sms_b", "whsec_dev_smtp"
GOOD = {
    "tenant": TENANT, "recipient": {"email": "ok@example.com"}, "template": {"id": "hello"}, "variables": {"name": "Ann"},
    "category": "transactional", "channels": ["email"],
}


class World:
    def __init__(self, ready: dict, journal: str):
        self.http = ready["http"]
        self.sandbox = ready["sandbox"]
        self.database = ready["databaseURL"]
        self.journal = journal

    def ask(self, method: str, path: str, body=None, headers: dict | None = None, base: str | None = None):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} | (headers or {})
        request = urllib.request.Request((base or self.http) + path, data=data, method=method, headers=given)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def sql(self, text: str) -> str:
        return subprocess.run(
            [f"{POSTGRES}/psql", "-X", "-A", "-t", "-d", self.database, "-c", text], check=True, capture_output=True, text=True,
            timeout=30).stdout.strip()

    def traces(self) -> tuple:
        """What exists of messages: rows, runs, SMS and WeChat messages, mails."""
        counts = self.sql("select " + " || ' ' || ".join(f"(select count(*) from {table})" for table in TABLES))
        runs = self.sql("select count(*) from aloft.runs where workflow_id like 'ntf:%' or workflow_id like 'digest:%'")
        entries = self.ask("GET", "/_ctl/journal", base=self.sandbox)[1]["entries"]
        sent = sum(1 for entry in entries for effect in entry["effects"] if effect["kind"] in ("sms.sent", "wechat.sent"))
        return counts, runs, sent, len(self.mails())

    def mails(self) -> list[dict]:
        with open(self.journal) as file:
            return [line for line in map(json.loads, file) if line["event"] in ("message", "rcpt")]

    def refused(self, change, pointer: str, status: tuple[int, ...] = (422,), path: str = "/v1/notifications") -> None:
        body = change if isinstance(change, bytes) else GOOD | change
        code, answer = self.ask("POST", path, body)
        shown = f"{str(change)[:100]}: {code} {str(answer)[:400]}"
        assert code in status, f"expected {status}: {shown}"
        assert any(error["pointer"].startswith(pointer) for error in answer.get("errors", [])), f"expected {pointer}: {shown}"


def test_header_injection_in_addresses(w: World):
    for address in [
        "a@b.example\r\nBcc: x@y.example", "a\n@b.example", "a\r@b.example", "a@b.example\0", "a@b.example\u2028Bcc: x@y.example",
        "a@b.example\u2029", "a@b.example\u0085", "a@b\u202ec.example", "a b@c.example", "<a@b.example>", "a@b.example>,<c@d.example",
        "\"a\r\nb\"@c.example", "a@b.example, c@d.example", "a@b@c.example", "@b.example", "a@", "a@localhost", "a@10.0.0.1", "a..b@c.example",
        "RCPT TO:<a@b.example>", "a" * 65 + "@b.example", "a@" + "b" * 64 + ".example",
    ]:
        w.refused({"recipient": {"email": address}}, "/recipient/email")
    for name in ["u\r\nX: y", "u\0", "u\u2028", "u\u0085", "u\u202e"]:
        w.refused({"recipient": {"user_id": name}}, "/recipient/user_id")
    w.refused({"callback_url": "https://x.example/\r\nX: y"}, "/callback_url")
    w.refused({"digest": {"key": "k\r\nX: y", "every": "PT1H"}}, "/digest/key")


def test_header_injection_in_variables_of_the_subject(w: World):
    for name in [
        "Ann\r\nBcc: x@y.example", "Ann\nX: y", "Ann\r", "Ann\0", "Ann\u2028X: y", "Ann\u2029", "Ann\u0085X: y", "Ann\u202e", "\u2066Ann", "\x7f",
    ]:
        w.refused({"variables": {"name": name}}, "/variables/name")
    w.refused({"variables": {"name": ["a", "b\r\nBcc: x@y.example"]}}, "/variables/name")
    w.refused({"variables": {"name": "Ann", "other": {"deep": ["\0"]}}}, "/variables/other/deep/0")


def test_homographs(w: World):
    for domain in [
        "p\u0430ypal.example", "xn--pypal-4ve.example", "\u0430\u0440\u0440\u04cf\u0435.com", "xn--80ak6aa92e.com", "g\u03bfogle.example",
        "xn--.example", "xn--a-b.example", "xn--a", "ex\u00admple.example", "b\u200dc.example", "\u217aom.example", "-b.example", "b-.example",
        "a\u3002b.example.", "p\u0430\u0443.xn--p1ai.com",
    ]:
        w.refused({"recipient": {"email": f"a@{domain}"}}, "/recipient/email")
    w.refused({"recipient": {"email": "\u0430nn@example.com"}}, "/recipient/email")


def test_numbers_that_are_none(w: World):
    for number in ["0151123456", "+0151123456", "+4915112345678901", "+49 151 123456", "+49-151-123456", "+\u0664\u0669\u0661\u0665\u0661\u0661\u0662\u0663", "+", "+49151\r\n12345", "tel:+49151123456", "+49151123456,+49151123457"]:
        w.refused({"recipient": {"phone": number}, "channels": ["sms"]}, "/recipient/phone")
    w.refused({"recipient": {"wechat_openid": "o\r\nb"}, "channels": ["wechat"]}, "/recipient/wechat_openid")
    w.refused({"recipient": {}}, "/recipient")


def test_templates_that_reach_out(w: World):
    for text in [
        "{{> other}}", "{{{name}}}", "{{& name}}", "{{=<% %>=}}", "{{% CONTENT_TYPE:TEXT}}", "{{$ block}}x{{/ block}}", "{{< parent}}{{/ parent}}",
        "{{# a}}", "{{/ a}}", "{{# a}}{{/ b}}", "{{ a(b) }}", "{{ a | upper }}", "{{ a b }}", "{{", "{{ name", "{{}}", "{{ .. }}", "{{ a..b }}",
        "{{# a}}" * 40 + "{{/ a}}" * 40,
    ]:
        for part in ["subject", "text", "html"]:
            body = {"channel": "email", "subject": "s", "text": "t"} | {part: text}
            code, answer = w.ask("PUT", f"/v1/templates/evil?tenant={TENANT}", {"bodies": [body]})
            assert code == 422, f"{part} {text[:60]}: {code} {answer}"
            assert answer["errors"][0]["pointer"] == f"/bodies/0/{part}", f"{text[:60]}: {answer}"
    assert w.sql(f"select count(*) from wf_ntf.template where tenant = '{TENANT}' and id = 'evil'") == "0"
    code, answer = w.ask("PUT", f"/v1/templates/e%20vil?tenant={TENANT}", {"bodies": []})
    assert code == 422 and answer["errors"][0]["pointer"] == "/id", answer
    w.refused({"template": {"id": "../hello"}}, "/template/id")
    w.refused({"template": {"id": "{{hello}}"}}, "/template/id")


def test_variables_that_are_too_much(w: World):
    huge = json.dumps(GOOD | {"variables": {"name": "x" * (10 << 20)}}).encode()
    w.refused(huge, "/variables", (413,))
    w.refused({"variables": {"name": "Ann", "v": "x" * (65 << 10)}}, "/variables")
    w.refused({"variables": [1]}, "/variables")
    deep: object = 1
    for _ in range(20):
        deep = {"a": deep}
    w.refused({"variables": {"name": "Ann", "deep": deep}}, "/variables")
    good = json.dumps(GOOD).encode()
    w.refused(good.replace(b'"Ann"', b"[" * 100 + b"]" * 100), "/variables", (400, 422))


def test_text_that_is_no_text(w: World):
    good = json.dumps(GOOD).encode()
    for bad in [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x28\xa1", b"A\xc3"]:
        w.refused(good.replace(b"Ann", bad), "/variables/name")
        w.refused(good.replace(b"ok@", bad + b"@"), "/recipient/email")
    w.refused(good.replace(b'"Ann"', b'"\\ud800"'), "/variables/name", (400, 422))


def test_keys_twice(w: World):
    good = json.dumps(GOOD)
    for text, pointer in [
        (good[:-1] + ', "tenant": "other"}', "/tenant"), (good[:-1] + ', "ten\\u0061nt": "other"}', "/tenant"),
        (good.replace('"email": "ok@example.com"', '"email": "ok@example.com", "email": "x@y.example"'), "/recipient/email"),
        (good.replace('"name": "Ann"', '"name": "Ann", "name": "Bob"'), "/variables/name"),
    ]:
        w.refused(text.encode(), pointer, (400, 422))


def test_times_that_cannot_be(w: World):
    now = datetime.now(timezone.utc)

    def at(**span):
        return (now + timedelta(**span)).isoformat(timespec="seconds")

    for change, pointer in [
        ({"send_at": at(days=368)}, "/send_at"), ({"send_at": "tomorrow"}, "/send_at"), ({"send_at": "2027-02-30T00:00:00Z"}, "/send_at"),
        ({"send_at": at(hours=2), "expires_at": at(hours=1)}, "/expires_at"), ({"expires_at": at(hours=-1)}, "/expires_at"),
        ({"window": {"from": "09:00", "until": "09:00"}}, "/window/until"), ({"window": {"days": []}}, "/window/days"),
        ({"window": {"from": "25:00"}}, "/window/from"), ({"window": {"from": "09:00", "until": "17:00", "tz": "Mars/Olympus"}}, "/window/tz"),
        ({"window": {"from": "09:00", "until": "17:00", "tz": "../../../etc/passwd"}}, "/window/tz"), ({"fallback_after": "PT0S"}, "/fallback_after"),
        ({"digest": {"key": "k", "every": "P9999D"}}, "/digest/every"),
    ]:
        w.refused(change, pointer)


def test_what_the_tables_refuse(w: World):
    for change, pointer in [
        ({"template": {"id": "unknown"}}, "/template"), ({"template": {"id": "hello", "version": 99}}, "/template"),
        ({"template": {"id": "hello", "version": "ab", "locale": "not a tag"}}, "/template/locale"), ({"variables": {}}, "/variables/name"),
        ({"category": "marketing"}, "/category"), ({"channels": ["wechat"], "recipient": {"wechat_openid": "o1"}}, "/template"),
        ({"channels": ["fax"]}, "/channels"), ({"tenant": "a:b"}, "/tenant"), ({"tenant": "nobody-here"}, "/template"), ({"surprise": 1}, "/surprise"),
    ]:
        w.refused(change, pointer)


def test_batches(w: World):
    shared = {name: value for name, value in GOOD.items() if name != "recipient"}
    ok = {"recipient": {"email": "ok@example.com"}}

    def batch(*recipients):
        return json.dumps(shared | {"recipients": list(recipients)}).encode()

    for body, pointer in [
        (batch(ok, {"recipient": {"email": "a@b.example\r\nBcc: x"}}), "/recipients/1/recipient/email"),
        (batch({"recipient": {"email": "a@p\u0430ypal.example"}}, ok), "/recipients/0/recipient/email"),
        (batch(ok, ok | {"surprise": 1}), "/recipients/1/surprise"), (batch(), "/recipients"), (batch(*[ok] * 10_001), "/recipients"),
        (batch(7), "/recipients/0"),
    ]:
        w.refused(body, pointer, path="/v1/notifications:bulk")
    # An upload is read line by line: each bad line is a refused row.
    lines = [
        json.dumps(GOOD | {"recipient": {"email": "a@b.example\r\nBcc: x"}}).encode(), b"{", b"\xff", json.dumps(GOOD | {"tenant": "other"}).encode(),
        json.dumps(GOOD | {"variables": {"name": "x" * (200 << 10)}}).encode(), b'{"a":1,"a":2}',
    ]
    code, answer = w.ask(
        "POST", f"/v1/notifications:bulk?tenant={TENANT}", b"\n".join(lines), {"Content-Type": "application/x-ndjson"})
    assert code == 202 and answer["accepted"] == 0 and answer["refused"] == len(lines), f"{code} {answer}"
    rows = w.ask("GET", answer["links"]["batch"])[1]["faults"]
    pointers = [row["errors"][0]["pointer"] for row in rows]
    assert pointers[0] == "/recipient/email" and pointers[3] == "/tenant" and pointers[4] == "/variables", rows


# Reports of providers

def form_signature(url: str, fields: dict, secret: str) -> str:
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def callback(w: World, fields: dict, secret: str, provider: str = "sms-a", url: str | None = None, **headers):
    path = f"/v1/hooks/ntf/{provider}"
    given = {"Content-Type": "application/x-www-form-urlencoded"}
    given["X-Twilio-Signature"] = form_signature(url or w.http + path, fields, secret)
    return w.ask("POST", path, urllib.parse.urlencode(fields).encode(), given | headers)


def report(w: World, body: dict, secret: str = MAIL, age: int = 0, provider: str = "smtp", header: str | None = None):
    data = json.dumps(body).encode()
    stamp = int(time.time()) - age
    code = hmac.new(secret.encode(), f"{stamp}.".encode() + data, hashlib.sha256).hexdigest()
    headers = {"webhook-signature": f"t={stamp},v1={code}" if header is None else header}
    return w.ask("POST", f"/v1/hooks/ntf/{provider}", data, headers)


def test_reports_that_are_forged(w: World):
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered", "AccountSid": "ACa"}
    body = {"id": unique("r"), "type": "email.bounced", "reference": "x@localhost", "bounce_type": "permanent"}
    for name, (code, answer) in {
        "no signature": w.ask("POST", "/v1/hooks/ntf/sms-a", urllib.parse.urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"}),
        "a wrong secret": callback(w, fields, "sk_guess"), "another provider's secret": callback(w, fields, SMS_B),
        "another address": callback(w, fields, SMS_A, url="http://elsewhere.example/v1/hooks/ntf/sms-a"),
        "another field": w.ask(
            "POST", "/v1/hooks/ntf/sms-a", urllib.parse.urlencode(fields | {"MessageStatus": "failed"}).encode(),
            {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": form_signature(w.http + "/v1/hooks/ntf/sms-a", fields, SMS_A)}),
        "no base64": callback(w, fields, SMS_A, **{"X-Twilio-Signature": "%%%"}), "an empty one": callback(w, fields, SMS_A, **{"X-Twilio-Signature": ""}),
        "mail: a wrong secret": report(w, body, "whsec_guess"), "mail: an SMS secret": report(w, body, SMS_A),
        "mail: ten minutes old": report(w, body, age=600), "mail: from the future": report(w, body, age=-600),
        "mail: no time": report(w, body, header="v1=00"), "mail: nonsense": report(w, body, header="\u00e4"), "mail: nothing": report(w, body, header=""),
    }.items():
        assert code in (400, 401), f"{name}: {code} {answer}"
        assert "signature" in json.dumps(answer).lower(), f"{name}: {answer}"
    for provider in ["nobody", "..%2f", "sms-a%00"]:
        code, answer = report(w, body, provider=provider)
        assert code in (400, 404), f"{provider}: {code} {answer}"
    # Well signed, and wrong all the same.
    for wrong, pointer in [({"type": "x"}, "/id"), ({"id": "a\r\nb", "type": "x"}, "/id"), ({"id": "", "type": "x"}, "/id")]:
        code, answer = report(w, wrong)
        assert code == 422 and answer["errors"][0]["pointer"] == pointer, f"{wrong}: {code} {answer}"
    code, answer = callback(w, {"MessageStatus": "delivered"}, SMS_A)
    assert code == 422 and answer["errors"][0]["pointer"] == "/MessageSid", answer
    # Of a message that nobody sent: taken, and without effect.
    code, answer = callback(w, fields | {"MessageSid": "SMnobody"}, SMS_A)
    assert code == 200 and not answer["duplicate"], answer


def test_links_to_leave_that_are_forged(w: World):
    for token in ["x", "a.b.c.d", "YWNtZQ.dXNlcjph.bWFya2V0aW5n.AAAA", "." * 10, "A" * 3000]:
        code, answer = w.ask("POST", f"/u/{token}")
        assert code == 404, f"{token[:30]}: {code} {answer}"


# The other side: what looks dangerous and is not, arrives as it was written, once.

def wait_for(what: str, check, seconds: float = 60):
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, f"{what} did not come true in {seconds} s"
        time.sleep(0.1)
    return found


def state(w: World, number: str) -> str:
    return w.sql(f"select state from wf_ntf.notification where tenant = '{TENANT}' and id = '{number}'")


def good_ones(w: World) -> None:
    """Tags in values stay text; a status callback makes it delivered; the callback once more changes nothing."""
    text = "{{secret}} {{#x}}{{/x}} {{> p}} <b>&amp;"
    code, answer = w.ask("POST", "/v1/notifications", GOOD | {"variables": {"name": text, "secret": "never seen"}, "recipient": {"email": "tags@example.com"}})
    assert code == 202, answer
    mail = wait_for("the mail", lambda: [line for line in w.mails() if line["event"] == "message" and line["to"] == "tags@example.com"])
    assert len(mail) == 1 and "never seen" not in json.dumps(mail), mail
    code, answer = w.ask("POST", "/v1/notifications", GOOD | {"channels": ["sms"], "recipient": {"phone": "+491701234567"}, "variables": {"name": text, "secret": "never seen"}})
    assert code == 202, answer
    wait_for("delivered", lambda: state(w, answer["notification_id"]) == "DELIVERED")
    key = base64.b64encode(f"ACa:{SMS_A}".encode()).decode()
    listed = w.ask("GET", "/2010-04-01/Accounts/ACa/Messages.json", headers={"Authorization": f"Basic {key}"}, base=w.sandbox)[1]["messages"]
    message = next(one for one in listed if one["to"] == "+491701234567")
    assert message["body"] == f"Hi {text}", message
    before = w.traces()
    fields = {"MessageSid": message["sid"], "MessageStatus": "delivered", "AccountSid": "ACa"}
    for _ in range(3):
        code, again = callback(w, fields, SMS_A)
        assert code == 200 and again["duplicate"], again
    # A later "failed" with a good signature is a report of its own; without one it is nothing.
    code, again = callback(w, fields | {"MessageStatus": "failed"}, SMS_B)
    assert code in (400, 401), again
    assert w.traces() == before, f"{before} became {w.traces()}"
    assert state(w, answer["notification_id"]) == "DELIVERED"


def prepare(w: World) -> None:
    bodies = [
        {"channel": "email", "subject": "Hello {{name}}", "text": "Dear {{name}}", "html": "<p>Dear {{name}}</p>"},
        {"channel": "sms", "text": "Hi {{name}}"},
    ]
    code, answer = w.ask("PUT", f"/v1/templates/hello?tenant={TENANT}", {"bodies": bodies})
    assert code == 201, answer
    code, answer = w.ask("POST", f"/v1/templates/hello/versions/1/activate?tenant={TENANT}")
    assert code == 200, answer


def main() -> int:
    world = World(json.loads(open(sys.argv[1]).read()), sys.argv[2])
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    prepare(world)
    passed = failed = 0
    tests = [(name, test) for name, test in list(globals().items()) if name.startswith("test_")]
    for name, function in [*tests, ("good_ones", good_ones)]:
        if only not in name:
            continue
        begun = time.monotonic()
        before = world.traces()
        try:
            function(world)
            if name.startswith("test_"):
                assert world.traces() == before, f"something was stored or sent: {before} became {world.traces()}"
            assert world.ask("GET", "/healthz")[0] == 200
            passed += 1
            print(f"ok      {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {name}\n{traceback.format_exc(limit=3)}", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not (passed or only) else 0


if __name__ == "__main__":
    sys.exit(main())
