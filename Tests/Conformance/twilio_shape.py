"""Runs the unmodified twilio client against the sandbox's SMS carrier: `twilio_shape.py SANDBOX_URL`.

Prints one line a check and fails at the first difference.
"""
import http.server
import json
import sys
import threading
import time
import urllib.parse
import urllib.request

from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from harness import unique

ACCOUNT, TOKEN = "ACa", "sk_sms_a"
FROM = "+15005550006"


class Redirected(TwilioHttpClient):
    """The client's own transport, with the sandbox in place of api.twilio.com."""

    def __init__(self, base: str):
        super().__init__(max_retries=0)
        self.base = base
        self.key: str | None = None

    def request(self, method, url, params=None, data=None, headers=None, auth=None, timeout=None, allow_redirects=False):
        parts = urllib.parse.urlsplit(url)
        assert parts.netloc == "api.twilio.com", url
        headers = dict(headers or {})
        if self.key:
            headers["Idempotency-Key"] = self.key
        there = self.base + parts.path + (f"?{parts.query}" if parts.query else "")
        return super().request(method, there, params, data, headers, auth, timeout, allow_redirects)


class Receiver:
    """Takes status callbacks."""

    def __init__(self):
        self.calls: list[tuple[str, dict, str]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                url = f"http://{self.headers['host']}{self.path}"
                fields = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
                receiver.calls.append((url, fields, self.headers["x-twilio-signature"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/status"

    def wait(self, sid: str) -> tuple[str, dict, str]:
        end = time.monotonic() + 20
        while True:
            for call in self.calls:
                if call[1].get("MessageSid") == sid:
                    return call
            assert time.monotonic() < end, f"no callback for {sid}"
            time.sleep(0.02)


def check(name: str, condition) -> None:
    if not condition:
        raise SystemExit(f"FAILED: {name}")
    print(f"ok {name}")


def refused(call) -> TwilioRestException:
    try:
        call()
    except TwilioRestException as error:
        return error
    raise SystemExit("FAILED: it was accepted")


def control(base: str, method: str, path: str, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data=data, method=method, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def main(base: str) -> None:
    transport = Redirected(base)
    client = Client(ACCOUNT, TOKEN, http_client=transport)
    receiver = Receiver()

    sent = client.messages.create(to="+4917011112222", from_=FROM, body="Grüße", status_callback=receiver.url)
    check("a message is queued", sent.status == "queued" and sent.sid.startswith("SM") and sent.account_sid == ACCOUNT)
    check("its parts", sent.num_segments == "1" and sent.direction == "outbound-api" and sent.to == "+4917011112222")
    check("fetched again", client.messages(sent.sid).fetch().body == "Grüße")
    check("in the list", sent.sid in [one.sid for one in client.messages.list(limit=50)])
    check("long text has segments", client.messages.create(to="+4917011112222", from_=FROM, body="x" * 161).num_segments == "2")
    check("other alphabets too", client.messages.create(to="+4917011112222", from_=FROM, body="щ" * 71).num_segments == "2")

    url, fields, signature = receiver.wait(sent.sid)
    check("the callback says delivered", fields["MessageStatus"] == "delivered" and fields["AccountSid"] == ACCOUNT)
    check("its signature", RequestValidator(TOKEN).validate(url, fields, signature))
    check("nobody else's signature", not RequestValidator("sk_sms_b").validate(url, fields, signature))
    check("not for other fields", not RequestValidator(TOKEN).validate(url, fields | {"MessageStatus": "failed"}, signature))
    check("not for another address", not RequestValidator(TOKEN).validate(url + "x", fields, signature))

    for name, numbers, code in [
        ("no number", {"to": "0170"}, 21211), ("a number that is not given out", {"to": "+15005550001"}, 21211),
        ("no mobile", {"to": "+15005550009"}, 21614), ("unsubscribed", {"to": "+15005550004"}, 21610),
    ]:
        error = refused(lambda: client.messages.create(from_=FROM, body="x", **numbers))
        check(f"{name}: {code}", error.status == 400 and error.code == code and error.uri)
    check("no sender: 21603", refused(lambda: client.messages.create(to="+4917011112222", body="x")).code == 21603)
    check("no text: 21602", refused(lambda: client.messages.create(to="+4917011112222", from_=FROM, body="")).code == 21602)
    check("too long: 21617", refused(lambda: client.messages.create(to="+4917011112222", from_=FROM, body="x" * 1601)).code == 21617)
    check("unknown message: 20404", refused(lambda: client.messages("SMnone").fetch()).code == 20404)
    stranger = Client(ACCOUNT, "guessed", http_client=Redirected(base))
    error = refused(lambda: stranger.messages.create(to="+4917011112222", from_=FROM, body="x"))
    check("a wrong token: 20003", error.status == 401 and error.code == 20003)

    lost = client.messages.create(to="+15005553005", from_=FROM, body="x", status_callback=receiver.url)
    _, fields, _ = receiver.wait(lost.sid)
    check("undelivered: 30005", fields["MessageStatus"] == "undelivered" and fields["ErrorCode"] == "30005")
    check("and fetched so", client.messages(lost.sid).fetch().error_code == 30005)

    match = "POST /2010-04-01/Accounts/*/Messages.json"
    control(base, "POST", "/_ctl/faults", {"match": match, "action": "status", "status": 429, "retry_after": 2})
    error = refused(lambda: client.messages.create(to="+4917011112222", from_=FROM, body="x"))
    check("too many: 20429", error.status == 429 and error.code == 20429)
    control(base, "POST", "/_ctl/faults", {"match": match, "action": "status", "status": 500})
    error = refused(lambda: client.messages.create(to="+4917011112222", from_=FROM, body="x"))
    check("broken: 500", error.status == 500)
    control(base, "DELETE", "/_ctl/faults")

    transport.key = unique("key")
    first = client.messages.create(to="+4917011112222", from_=FROM, body="once")
    check("the same key is the same message", client.messages.create(to="+4917011112222", from_=FROM, body="once").sid == first.sid)
    print("twilio: all checks passed")


main(sys.argv[1])
