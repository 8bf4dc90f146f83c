# SPDX-License-Identifier: Apache-2.0
"""The Set-Cookie values of handshakes, refreshes and Frontend API answers."""

import email.utils
import ipaddress
import urllib.parse

_EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"
_TEN_YEARS = 315360000
_ONE_YEAR = 31536000


def _page_domain(redirect_url):
    """The domain clerk-js would give `__client_uat` on that page; "" for an address."""
    host = urllib.parse.urlsplit(redirect_url).hostname or ""
    try:
        ipaddress.ip_address(host)
        return ""
    except ValueError:
        return ".".join(host.split(".")[-2:])


class Directives:
    """Builds cookies for one instance."""

    def __init__(self, instance, domain, secure):
        self._instance = instance
        self._domain = domain
        self.secure = secure

    @property
    def domain(self):
        """Production: the domain the application and the Frontend API share."""
        if self._domain is not None:
            return self._domain
        return self._instance.host.split(":")[0].partition(".")[2]

    def names(self, name, suffixed):
        return [name] + ([f"{name}_{self._instance.cookie_suffix}"] if suffixed else [])

    def _cookie(self, name, value, *attributes, domain="", http_only=False):
        parts = [f"{name}={value}", "Path=/"]
        parts += [f"Domain={domain}"] if domain else []
        parts += attributes
        parts += ["HttpOnly"] if http_only else []
        parts += ["Secure"] if self.secure else []
        return "; ".join(parts + ["SameSite=Lax"])

    def _expires(self, seconds):
        return "Expires=" + email.utils.formatdate(self._instance.now() + seconds, usegmt=True)

    def client_uat(self, client, domain, suffixed=True):
        """A deletion without Domain, then the value: one cookie results wherever the earlier one came from."""
        value = client.updated_at // 1000 if client.active_session() else 0
        result = []
        for name in self.names("__client_uat", suffixed):
            result.append(f"{name}=; Path=/; Expires={_EPOCH}")
            result.append(self._cookie(name, value, f"Max-Age={_TEN_YEARS}", domain=domain))
        return result

    def client_uat_answer(self, client):
        """What the Frontend API of a production instance sets by itself."""
        value = client.updated_at // 1000 if client.active_session() else 0
        return [
            self._cookie(name, value, f"Max-Age={_TEN_YEARS}", domain=self.domain)
            for name in self.names("__client_uat", True)
        ]

    def client_cookie(self, client):
        domain = self._instance.host.split(":")[0] if self.domain else ""
        return self._cookie("__client", client.id, f"Max-Age={_TEN_YEARS}", domain=domain, http_only=True)

    def session(self, token, suffixed=True):
        """`__session` with a token, or its deletion for an empty one."""
        lifetime = self._expires(_ONE_YEAR) if token else f"Expires={_EPOCH}"
        return [self._cookie(name, token, lifetime) for name in self.names("__session", suffixed)]

    def refresh(self, session):
        if not self._instance.issue_refresh_cookies:
            return []
        name = f"__refresh_{self._instance.cookie_suffix}"
        if session is None:
            return [self._cookie(name, "", f"Expires={_EPOCH}", http_only=True)]
        return [self._cookie(name, self._instance.refresh_token(session), self._expires(_ONE_YEAR), http_only=True)]

    def handshake_carrier(self, name, value):
        """The production cookie with the result of a handshake."""
        return self._cookie(
            name, value, f"Max-Age={self._instance.handshake_cookie_ttl}", domain=self.domain, http_only=True
        )

    def handshake(self, client, session, token, redirect_url, suffixed, carrier):
        """The whole payload in the order Clerk uses."""
        instance = self._instance
        result = []
        if instance.production and instance.handshake_deletes:
            result.append(self._cookie(carrier, "", f"Expires={_EPOCH}", domain=self.domain, http_only=True))
        domain = self.domain if instance.production else _page_domain(redirect_url)
        result += self.client_uat(client, domain, suffixed)
        result += self.session(token, suffixed)
        result += self.refresh(session)
        if not instance.production:
            for name in self.names("__clerk_db_jwt", suffixed):
                result.append(self._cookie(name, client.id, self._expires(_ONE_YEAR)))
        return result + list(instance.handshake_extra_directives)
