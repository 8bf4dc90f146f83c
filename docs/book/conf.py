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
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_theme_options = {
    # Debian 12's package of the theme has dark code blocks only: its dark colors count for those who ask by a button.
    "dark_css_variables": {
        "color-problematic": "#ff8a80",
        "color-foreground-primary": "#dfe2ea",
        "color-foreground-secondary": "#a9afbd",
        "color-foreground-muted": "#8a91a1",
        "color-foreground-border": "#5c6270",
        "color-background-primary": "#14161c",
        "color-background-secondary": "#1b1e26",
        "color-background-hover": "#232733",
        "color-background-hover--transparent": "#23273300",
        "color-background-border": "#2e3340",
        "color-background-item": "#3a4050",
        "color-brand-primary": "#8fa8ff",
        "color-brand-content": "#8fa8ff",
        "color-highlighted-background": "#26407a",
        "color-highlight-on-target": "#3a3510",
    },
}
html_use_index = False
html_title = f"mod_auth_clerk {version}"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
