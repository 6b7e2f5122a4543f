"""A real mail server for tests: aiosmtpd, with STARTTLS, TLS from the first byte, or neither.

Prints its port, then a line of JSON for each message that it takes. Ends when its standard input does.
"""

import argparse
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

arguments = argparse.ArgumentParser()
arguments.add_argument("--security", choices=["starttls", "tls", "none"], required=True)
arguments.add_argument("--certificate")
arguments.add_argument("--key")
arguments.add_argument("--login", help="user:password, asked for before any mail")
options = arguments.parse_args()


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def authenticate(server, session, envelope, mechanism, data):
    given = f"{data.login.decode()}:{data.password.decode()}"
    return AuthResult(success=given == options.login, handled=False)


class Inbox:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("nobody"):
            return f"550 5.1.1 <{address}>: Recipient address rejected"
        if address.startswith("later"):
            return f"450 4.2.0 <{address}>: Greylisted, try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        say(json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "message": envelope.content.decode("ascii"),
            "hello": session.host_name,
            "encrypted": session.ssl is not None or options.security == "tls",
            "authenticated": session.authenticated,
        }))
        return f"250 2.0.0 OK: queued as {self.count}"


async def main():
    tls = None
    if options.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.certificate, options.key)
    inbox = Inbox()

    def connection():
        return SMTP(
            inbox,
            enable_SMTPUTF8=False,
            tls_context=tls if options.security == "starttls" else None,
            require_starttls=options.security == "starttls",
            authenticator=authenticate if options.login else None,
            auth_required=options.login is not None,
            auth_require_tls=options.security == "starttls",
        )

    wrapped = tls if options.security == "tls" else None
    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0, ssl=wrapped)
    say(str(server.sockets[0].getsockname()[1]))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
