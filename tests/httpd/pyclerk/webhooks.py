# SPDX-License-Identifier: Apache-2.0
"""Webhook messages, signed as Svix does it for Clerk."""

import base64
import hashlib
import hmac
import itertools
import time

SECRETS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_b3RoZXIgaW5zdGFuY2Ugb2YgQ2xlcms="]
EVENT = b'{"type":"session.ended","object":"event","data":{"id":"sess_1","user_id":"user_1"}}'
_number = itertools.count(1)


def signed(body=EVENT, secret=SECRETS[0], at=None, message=None, family="svix", version="v1"):
    message = message or f"msg_{next(_number)}"
    at = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(key, f"{message}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    return {f"{family}-id": message, f"{family}-timestamp": at, f"{family}-signature": f"{version},{mac}", "Content-Type": "application/json"}
