# SPDX-License-Identifier: Apache-2.0
"""How Sphinx makes a book of the pages; scripts/book runs it on a copy of them, with the version in CLERK_VERSION."""

import os

project = "mod_auth_clerk"
author = "the authors of mod_auth_clerk"
project_copyright = author
version = release = os.environ["CLERK_VERSION"]
extensions = ["myst_parser"]
root_doc = "index"
exclude_patterns = ["docs/book"]
myst_heading_anchors = 5  # links name headings as GitHub does
highlight_language = "none"
suppress_warnings = ["myst.header"]  # pages may leave out a level
html_theme = "furo"
html_title = f"mod_auth_clerk {version}"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
