# SPDX-License-Identifier: Apache-2.0
"""A private httpd with mod_auth_clerk, its clients and its neighbours, for the tests in tests/httpd."""

from .apxs import Apxs
from .client import Connection, Response, request
from .httpd import Httpd, HttpdError, free_port
from .log import ErrorLog

__all__ = ["Apxs", "Connection", "ErrorLog", "Httpd", "HttpdError", "Response", "free_port", "request"]
