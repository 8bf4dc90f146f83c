# SPDX-License-Identifier: Apache-2.0
"""The emulated instances as the tests use them, and the directives that point the module at them."""

import time

PARTY = "https://app.example.test"  # authorized party and azp, wherever a test does not say otherwise

NAVIGATION = {"Sec-Fetch-Dest": "document", "Accept": "text/html,application/xhtml+xml"}
XHR = {"Sec-Fetch-Dest": "empty", "Accept": "*/*"}


def token(instance, user="alice", org=None, **options):
    """A session token with the authorized party of the tests."""
    options.setdefault("origin", PARTY)
    return instance.mint(user, org=org, **options)


def bearer(instance, user="alice", org=None, **options):
    return {"Authorization": "Bearer " + token(instance, user, org, **options)}


def cookie_header(cookies):
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def session_cookies(instance, value, suffixed=True, uat="1", plain=True):
    """`__session` and `__client_uat`, in the spelling(s) of this instance."""
    cookies = {"__session": value, "__client_uat": uat} if plain else {}
    if suffixed:
        cookies |= {f"{name}_{instance.cookie_suffix}": value for name, value in
                    (("__session", value), ("__client_uat", uat))}
    if not instance.production:
        cookies |= {"__clerk_db_jwt": "dvb_test"}
    return cookies


def browser(instance, user="alice", org=None, **options):
    """The Cookie header of a signed-in browser."""
    return cookie_header(session_cookies(instance, token(instance, user, org, **options)))


def asked(instance, endpoint):
    """The requests to `endpoint` of the instance, after all that have arrived were recorded."""
    deadline = time.monotonic() + 5
    while len(records := instance.requests(endpoint)) < instance.count(endpoint) and time.monotonic() < deadline:
        time.sleep(0.01)
    return records


def directives(server, instance, keys="public", parties=(PARTY,)):
    """Server directives for an instance. `keys`: "public" (its public JWKS URL), "api" (Backend API, with the secret
    key), "frontend" (only the publishable key and the address of its host), "pem"."""
    lines = [f"ClerkPublishableKey {instance.publishable_key}"]
    name = "SECRET_" + instance.cookie_suffix.replace("-", "_")
    if keys == "public":
        lines.append(f"ClerkJWKSURL {instance.jwks_url}")
    elif keys == "api":
        server.env[name] = instance.secret_key
        lines += [f"ClerkSecretKey env:{name}", f"ClerkAPIURL {instance.url}"]
    elif keys == "frontend":
        lines.append(f"ClerkFrontendAPI {instance.url}")
    elif keys == "pem":
        path = server.write(f"clerk-{name}.pem", instance.public_key_pem, 0o640, server.root / "conf")
        lines.append(f"ClerkJWTKey file:{path}")
    else:
        raise ValueError(keys)
    if parties:
        lines.append("ClerkAuthorizedParties " + " ".join(parties))
    return "\n".join(lines) + "\n"


def protect(path, requires=("valid-user",), *more, kind="Location"):
    """A protected section."""
    inner = ["AuthType Clerk", 'AuthName "test"', *(f"Require {one}" for one in requires), *more]
    return f"<{kind} {path}>\n" + "".join(f"    {line}\n" for line in inner) + f"</{kind}>\n"
