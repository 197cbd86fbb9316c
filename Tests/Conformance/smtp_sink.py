"""A mail server for tests: takes everything, and misbehaves by the recipient's name.

    nouser@   RCPT 550 5.1.1          full@    RCPT 452 4.2.2
    grey@     RCPT 451 twice          busy@    RCPT 451 always
    spam@     DATA 554 5.7.1          drop@    takes the message, then the connection ends without a reply, once each
    dropall@  the same, always        slow@    replies after two seconds

A word after a plus or a digit tells recipients apart: grey+7@ is greylisted by itself. Every command that matters is one line of
JSON in the journal: {"at", "event": "rcpt"|"message", "to", "code", "message_id", "bytes"}.
"""

import argparse
import asyncio
import base64
import email
import json
import os
import ssl
import time

from aiosmtpd.smtp import SMTP, AuthResult


def dkim_record(path):
    """The DNS record of a private key's other half."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    form = serialization.PublicFormat
    with open(path, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None).public_key()
    if isinstance(key, ed25519.Ed25519PublicKey):
        kind, public = b"ed25519", key.public_bytes(serialization.Encoding.Raw, form.Raw)
    else:
        kind, public = b"rsa", key.public_bytes(serialization.Encoding.DER, form.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=" + kind + b"; p=" + base64.b64encode(public)


class Sink:
    def __init__(self, journal, dkim_key=None):
        self.journal = open(journal, "a", buffering=1)
        self.record = dkim_record(dkim_key) if dkim_key else None
        self.seen = {}
        self.dropped = set()
        self.peers = {}

    def note(self, **fields):
        self.journal.write(json.dumps({"at": time.time(), **fields}) + "\n")

    @staticmethod
    def name(address):
        return address.split("@")[0].split("+")[0].rstrip("0123456789")

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = self.name(address)
        count = self.seen[address] = self.seen.get(address, 0) + 1
        reply = "250 OK"
        if name == "nouser":
            reply = f"550 5.1.1 <{address}>: no such user here"
        elif name == "full":
            reply = "452 4.2.2 mailbox full"
        elif name == "busy" or (name == "grey" and count <= 2):
            reply = "451 4.7.1 greylisted, come back later"
        self.note(event="rcpt", to=address, code=int(reply[:3]))
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    def check_signature(self, content):
        """What dkimpy says of a mail, and of the same mail with other links to leave, or none."""
        if self.record is None:
            return None
        import dkim

        def verify(mail):
            return dkim.verify(mail, dnsfunc=lambda name, timeout=5: self.record)

        changed = [
            content.replace(b"List-Unsubscribe: <https://", b"List-Unsubscribe: <https://evil.", 1),
            content.replace(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b"", 1), b"From: <x@evil.example>\r\n" + content,
            content[:-6] + b"x" + content[-5:],
        ]
        is_refused = all(mail != content and not verify(mail) for mail in changed)
        return ["valid" if verify(content) else "invalid", "changed refused" if is_refused else "changed taken"]

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0]
        message = email.message_from_bytes(envelope.content)
        name = self.name(to)
        if name == "spam":
            self.note(event="refused", to=to, code=554)
            return "554 5.7.1 looks like spam"
        self.note(
            event="message", to=to, code=250, dkim=self.check_signature(envelope.content), message_id=message["Message-ID"], bytes=len(envelope.content),
            headers={key: str(value) for key, value in message.items()}, tls=session.ssl is not None,
            user=getattr(session, "auth_data", None) and session.auth_data.decode())
        if name == "slow":
            await asyncio.sleep(2)
        if name == "dropall" or (name == "drop" and to not in self.dropped):
            self.dropped.add(to)
            server.transport.abort()
            return "451 gone"
        return "250 2.0.0 taken"


def authenticator(wanted):
    def check(server, session, envelope, mechanism, data):
        login = data.login.decode() + ":" + data.password.decode()
        return AuthResult(success=login == wanted, auth_data=data.login, handled=False)

    return check


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--journal", required=True)
    parser.add_argument("--ready-file", required=True)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--login", help="name:password that must be given")
    parser.add_argument("--dkim-key", help="private key whose signature every mail must have; the journal says whether it has")
    options = parser.parse_args()
    sink = Sink(options.journal, options.dkim_key)
    settings = {"enable_SMTPUTF8": True, "hostname": "sink.test"}
    if options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
        settings.update(tls_context=context, require_starttls=True)
    if options.login:
        settings.update(
            authenticator=authenticator(options.login), auth_required=True,
            auth_require_tls=bool(options.certificate))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, **settings), "127.0.0.1", options.port)
    port = server.sockets[0].getsockname()[1]
    part = options.ready_file + ".part"
    with open(part, "w") as file:
        json.dump({"port": port}, file)
    os.rename(part, options.ready_file)
    await server.serve_forever()


asyncio.run(main())
