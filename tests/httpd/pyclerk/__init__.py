# SPDX-License-Identifier: Apache-2.0
"""For the tests in tests/httpd: an httpd with mod_auth_clerk, clients, and the applications behind it."""

from .apxs import Apxs
from .client import Connection, Response, request
from .httpd import Httpd, HttpdError, free_port
from .log import ErrorLog

__all__ = ["Apxs", "Connection", "ErrorLog", "Httpd", "HttpdError", "Response", "free_port", "request"]
