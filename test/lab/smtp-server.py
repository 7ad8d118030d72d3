"""A mail server of Debian's python3-aiosmtpd: STARTTLS and login required; each mail is parsed on arrival.

Arguments: port, certificate, key, user, password, folder for what arrives.
"""

import json
import os
import ssl
import sys
import time
from email import message_from_bytes
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

PORT, CERT, KEY, USER, PASSWORD, FOLDER = sys.argv[1:7]


class Keep:
    """Writes what a mail reader would see, whole or not at all."""

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=default)
        seen = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "defects": [str(part.defects) for part in mail.walk() if part.defects],
            "parts": {
                part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()
            },
        }
        path = os.path.join(FOLDER, str(time.time_ns()))
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(seen, file)
        os.rename(path + ".new", path + ".json")
        return "250 2.0.0 kept"


def check(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login.decode() == USER and data.password.decode() == PASSWORD), handled=False)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERT, KEY)
os.makedirs(FOLDER, exist_ok=True)
Controller(
    Keep(),
    hostname="127.0.0.1",
    port=int(PORT),
    tls_context=context,
    require_starttls=True,
    authenticator=check,
    auth_required=True,
).start()
while True:
    time.sleep(3600)
