"""Runs the unmodified wechatpy client against the sandbox's WeChat: `wechat_shape.py SANDBOX_URL`.

Prints one line a check and fails at the first difference.
"""
import json
import sys
import urllib.parse
import urllib.request
import warnings

from wechatpy.client import WeChatClient
from wechatpy.exceptions import APILimitedException, WeChatClientException

warnings.simplefilter("ignore", DeprecationWarning)
DATA = {"thing1": {"value": "Order A-1"}, "date2": {"value": "2026-11-21"}}


class SandboxClient(WeChatClient):
    """Goes to the sandbox instead of api.weixin.qq.com."""

    def __init__(self, base: str, appid: str = "wx1", secret: str = "sk_wx", **options):
        super().__init__(appid, secret, **options)
        send = self._http.request

        def redirected(method, url, **kwargs):
            parts = urllib.parse.urlsplit(url)
            assert parts.netloc == "api.weixin.qq.com", url
            if kwargs.get("data"):
                kwargs.setdefault("headers", {})["Content-Type"] = "application/json"
            return send(method, base + parts.path, **kwargs)

        # `get` and `post` of the library's HTTP session both go through this.
        self._http.request = redirected


def check(name: str, condition) -> None:
    if not condition:
        raise SystemExit(f"FAILED: {name}")
    print(f"ok {name}")


def refused(call) -> WeChatClientException:
    try:
        call()
    except WeChatClientException as error:
        return error
    raise SystemExit("FAILED: it was accepted")


def control(base: str, method: str, path: str, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data=data, method=method, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def main(base: str) -> None:
    client = SandboxClient(base)
    token = client.fetch_access_token()
    check("an access token with its time", token["access_token"] and token["expires_in"] == 7200)
    check("the client keeps it", client.access_token == token["access_token"])

    sent = client.wxa.send_subscribe_message("o1", "tpl1", DATA)
    check("a message is taken", sent["errcode"] == 0 and sent["errmsg"] == "ok" and sent["msgid"] > 0)

    for user, code in [("nofollow1", 43004), ("unsub1", 43101), ("bad1", 40003)]:
        check(f"{user}: {code}", refused(lambda: client.wxa.send_subscribe_message(user, "tpl1", DATA)).errcode == code)
    check("no template: 40037", refused(lambda: client.wxa.send_subscribe_message("o1", "", DATA)).errcode == 40037)
    check("no recipient: 47003", refused(lambda: client.wxa.send_subscribe_message("", "tpl1", DATA)).errcode == 47003)
    check("no application: 40013", refused(SandboxClient(base, appid="x").fetch_access_token).errcode == 40013)
    check("a wrong secret: 40125", refused(SandboxClient(base, secret="x").fetch_access_token).errcode == 40125)

    # An expired token is fetched again by the client itself.
    control(base, "POST", "/_ctl/wechat")
    fresh = SandboxClient(base, access_token="wxtoken_0")
    check("a token that is over is refreshed", fresh.wxa.send_subscribe_message("o2", "tpl1", DATA)["errcode"] == 0)
    check("and is another one", fresh.access_token not in ("wxtoken_0", token["access_token"]))
    strict = SandboxClient(base, access_token="wxtoken_0", auto_retry=False)
    check("without that: 40001", refused(lambda: strict.wxa.send_subscribe_message("o2", "tpl1", DATA)).errcode == 40001)

    match = "POST /cgi-bin/message/subscribe/send"
    for code in (-1, 45011):
        control(base, "POST", "/_ctl/faults", {"match": match, "action": "status", "status": 200, "code": code})
        check(f"fault {code}", refused(lambda: fresh.wxa.send_subscribe_message("o3", "tpl1", DATA)).errcode == code)
    control(base, "POST", "/_ctl/faults", {"match": match, "action": "status", "status": 200, "code": 45009})
    error = refused(lambda: fresh.wxa.send_subscribe_message("o3", "tpl1", DATA))
    check("the day's quota: 45009", error.errcode == 45009 and isinstance(error, APILimitedException))
    control(base, "DELETE", "/_ctl/faults")
    check("and after that as before", fresh.wxa.send_subscribe_message("o3", "tpl1", DATA)["errcode"] == 0)
    print("wechat: all checks passed")


main(sys.argv[1])
