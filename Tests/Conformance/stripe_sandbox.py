"""Runs the unmodified stripe-python against the sandbox: `stripe_sandbox.py BASE_URL`.

Exits 0 and prints one line a check, or fails at the first difference.
"""

import sys
import urllib.request
import json

import stripe


def control(base, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        base + path, data=data, method=method, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def check(name, condition):
    if not condition:
        raise SystemExit(f"FAILED: {name}")
    print(f"ok {name}")


def main(base):
    client = stripe.StripeClient(
        "sk_test_conformance", base_addresses={"api": base}, max_network_retries=3)
    intents = client.v1.payment_intents

    intent = intents.create(
        params={
            "amount": 1250, "currency": "eur", "payment_method": "tok_visa", "capture_method": "manual",
            "confirm": True, "metadata": {"payment_id": "conf-1"},
        },
        options={"idempotency_key": "conf-1/auth/g0"})
    check("create and confirm, manual capture", intent.status == "requires_capture" and intent.amount_capturable == 1250)
    check("metadata comes back", intent.metadata["payment_id"] == "conf-1")

    again = intents.create(
        params={
            "amount": 1250, "currency": "eur", "payment_method": "tok_visa", "capture_method": "manual",
            "confirm": True, "metadata": {"payment_id": "conf-1"},
        },
        options={"idempotency_key": "conf-1/auth/g0"})
    check("same key, same intent", again.id == intent.id)

    try:
        intents.create(
            params={"amount": 1, "currency": "eur"}, options={"idempotency_key": "conf-1/auth/g0"})
        check("key with other parameters", False)
    except stripe.IdempotencyError:
        check("key with other parameters", True)

    captured = intents.capture(
        intent.id, params={"amount_to_capture": 1000, "expand": ["latest_charge.balance_transaction"]})
    check("partial capture", captured.status == "succeeded" and captured.amount_received == 1000)
    check("fee in the expanded charge", captured.latest_charge.balance_transaction.fee == 59)

    refund = client.v1.refunds.create(params={"payment_intent": intent.id, "amount": 400})
    check("refund", refund.status == "succeeded" and refund.amount == 400)
    try:
        client.v1.refunds.create(params={"payment_intent": intent.id, "amount": 601})
        check("too large a refund", False)
    except stripe.InvalidRequestError as error:
        check("too large a refund", error.code == "amount_too_large")

    try:
        intents.create(
            params={"amount": 5, "currency": "eur", "payment_method": "tok_chargeDeclined", "confirm": True})
        check("declined card", False)
    except stripe.CardError as error:
        check("declined card", error.code == "card_declined" and error.http_status == 402)
        check("decline code and advice", error.error.decline_code == "generic_decline"
              and error.error.advice_code == "do_not_try_again")

    secure = intents.create(
        params={"amount": 5, "currency": "eur", "payment_method": "tok_threeDSecureRequired", "confirm": True})
    check("3-D Secure", secure.status == "requires_action" and secure.next_action.type == "redirect_to_url")
    canceled = intents.cancel(secure.id)
    check("cancel", canceled.status == "canceled")

    control(base, "POST", "/_ctl/faults",
            {"match": "POST /v1/payment_intents", "action": "status", "status": 500, "stored": False})
    retried = intents.create(params={"amount": 7, "currency": "eur"})
    check("a 500 is tried again with the same key", retried.amount == 7)
    control(base, "POST", "/_ctl/faults", {"match": "POST /v1/payment_intents", "action": "drop_after"})
    dropped = intents.create(params={"amount": 8, "currency": "eur"})
    check("a lost answer is tried again with the same key", dropped.amount == 8)

    check("get", intents.retrieve(intent.id).id == intent.id)
    found = intents.search(params={"query": "metadata['payment_id']:'conf-1'"})
    check("search by metadata", [one.id for one in found.data] == [intent.id])
    everything = list(intents.list(params={"limit": 2}).auto_paging_iter())
    check("paging", len(everything) == len({one.id for one in everything}) >= 5)
    check("balance transactions", len(client.v1.balance_transactions.list().data) == 2)
    check("events", any(event.type == "payment_intent.succeeded" for event in client.v1.events.list().data))

    endpoint = client.v1.webhook_endpoints.create(
        params={"url": base + "/_ctl/health", "enabled_events": ["*"]})
    check("webhook endpoint", endpoint.secret.startswith("whsec_"))

    try:
        stripe.StripeClient("sk_bad", base_addresses={"api": base}).v1.payment_intents.list()
        check("bad key", False)
    except stripe.AuthenticationError:
        check("bad key", True)

    body = sys.argv[2] if len(sys.argv) > 2 else None
    if body:
        event = stripe.Webhook.construct_event(body, sys.argv[3], sys.argv[4], tolerance=None)
        check("webhook signature", event.id == json.loads(body)["id"])


main(sys.argv[1])
