# SPDX-License-Identifier: Apache-2.0
"""Path patterns of path-to-regexp by chance, and paths that nearly match them."""

import random

NAMES = ["id", "id", "id", "slug", "slug", "slug", "slug", "org", "lang", "rest", "a_1"]
WORDS = ["orgs", "o", "team", "a", "ab", "x", "v1", "en", "me"]
SEGMENTS = ["acme", "a", "org_1X", "a-b", "x.y", "ab", "aab", "b", "1", "12", "-", "_", "a%2Fb", "Acme", "org_x", "~u"]
LITERALS = list("abcxyzAZ019_") + ["-", "~", "!", "@", ",", "=", "&", "'", ";", "/", "]", "%41", " "]
ESCAPED = [".", "-", "/", "$", "(", ")", "*", "+", "?", "[", "|", "^"]
SHORTHANDS = {"d": "059", "w": "aZ_5", "s": " ", "D": "a-/", "W": "-./", "S": "a-5"}
CLASSES = {
    "[a-z]": "amz", "[^/]": "a.-", "[^/.]+?": "ab", "[\\d\\-_a-c.]": "5-_b.", "[-a]": "-a", "[a-]": "-a", "[^\\d]": "a-", "[\\D]": "x",
    "[Z-a]": "Zza_", "[^Z-a]": "b5", "[+--]": "+,-", "[\\w-z]": "-z", "[^\\W]": "a5", "[]": "", "[^]": "a/", "[\\]]": "]", "[/#?]": "/",
    "[[:alpha:]]": "a]", "[^a-c]": "dx", "[.*+]": ".*+", "[$^]": "$", "[{}]": "x", "[a\\/b]": "a/b",
}
QUANTIFIERS = [("*", 0, 3), ("+", 1, 3), ("?", 0, 1), ("{2}", 2, 2), ("{1,}", 1, 4), ("{0,2}", 0, 2), ("{1,3}", 1, 3), ("{0}", 0, 0)]
# What JavaScript does not have, or has with another meaning than PCRE2, or what is wrong in both.
ODD = [
    "(*ACCEPT)", "(?:*ACCEPT)", "(*COMMIT)", "(?R)", "(?0)", "(?1)", "(?&n)", "(?P<n>a)", "(?P>n)", "(?<n>a)", "(?'n'a)", "(?>a)", "(?|a|b)",
    "(?#c)", "(?i)", "(?i:a)", "(?-i:a)", "(?(1)a|b)", "(?C1)", "(?^:a)", "(?:a", "a)", "\\K", "\\A", "\\Z", "\\z", "\\G", "\\Qa\\E", "\\E", "\\R",
    "\\h", "\\H", "\\v", "\\V", "\\N", "\\X", "\\C", "\\e", "\\a", "\\1", "\\2", "\\g1", "\\g{-1}", "\\k<n>", "\\k", "\\0", "\\07", "\\x41", "\\x{41}",
    "\\u0041", "\\u{41}", "\\cA", "\\p{L}", "\\P{L}", "\\t", "\\n", "\\q", "a++", "a*+", "a?+", "a{1}+", "a**", "a+*", "*", "+", "?", "{1}", "a{,3}", "a{",
    "a{x}", "a{1", "a{ 1 }", "a{2,1}", "a{99999}", "{", "}", "[a", "[z-a]", "[a-\\d]", "[\\b]", "[\\B]", "[\\q]", "[[.a.]]", "[[=a=]]", "[(]", "[)]",
    "[(?]", "^*", "$+", "\\b?", "(?=a)*", "(?!a){2}", "(?<=a)?", "(?<=a+)b", "(a)", "(", ")", "\u00e9", "[^\u00e9]", "(?:|a)*", "(?:a*?)*", "(?:a*|b)*",
    "(?:a??){0,3}", "(?:^|a)+", "(?:(?:a*)*)*", "(?:a?){3}", "(?:a|b?)*", "(?:(?=a))*",
]


class Piece:
    """A piece of a pattern, and a function that makes text which it is likely to match."""

    def __init__(self, text, sample):
        self.text, self.sample = text, sample


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def one(self, choices):
        return self.random.choice(choices)

    def often(self, probability):
        return self.random.random() < probability

    # Regular expressions

    def _group(self, depth):
        opening = self.one(["?:", "?:", "?:", "?=", "?!", "?<=", "?<!"])
        inner = self._alternatives(depth - 1)
        return Piece(f"({opening}{inner.text})", inner.sample if opening == "?:" else lambda: "")

    def _atom(self, depth):
        kind = self.random.random()
        if kind < 0.45:
            literal = self.one(LITERALS[: 12 if self.often(0.7) else None])
            return Piece(literal, lambda: literal)
        if kind < 0.52:
            escaped = self.one(ESCAPED)
            return Piece("\\" + escaped, lambda: escaped)
        if kind < 0.62:
            return Piece(".", lambda: self.one("ab-/."))
        if kind < 0.72:
            shorthand = self.one(list(SHORTHANDS))
            return Piece("\\" + shorthand, lambda: self.one(SHORTHANDS[shorthand]))
        if kind < 0.84:
            text = self.one(list(CLASSES))
            return Piece(text, lambda: self.one(CLASSES[text] or "a"))
        if kind < 0.97 and depth > 0:
            return self._group(depth)
        return Piece(self.one(["^", "$", "\\b", "\\B"]), lambda: "")

    def _quantified(self, depth):
        atom = self._atom(depth)
        if self.often(0.6):
            return atom
        text, least, most = self.one(QUANTIFIERS)
        lazy = "?" if self.often(0.3) else ""
        return Piece(atom.text + text + lazy, lambda: "".join(atom.sample() for _ in range(self.random.randint(least, most))))

    def _sequence(self, depth):
        atoms = [self._quantified(depth) for _ in range(self.one([0, 1, 1, 2, 2, 3]))]
        return Piece("".join(atom.text for atom in atoms), lambda: "".join(atom.sample() for atom in atoms))

    def _alternatives(self, depth):
        ways = [self._sequence(depth) for _ in range(self.one([1, 1, 1, 2, 3]))]
        return Piece("|".join(way.text for way in ways), lambda: self.one(ways).sample())

    def _regex(self, odd):
        if odd and self.often(0.5):
            piece = self._alternatives(1)
            position = self.random.randint(0, len(piece.text))
            return Piece(piece.text[:position] + self.one(ODD) + piece.text[position:], piece.sample)
        if self.often(0.25):
            return Piece(".*", lambda: "/".join(self.one(SEGMENTS) for _ in range(self.random.randint(0, 3))))
        return self._alternatives(2)

    # Patterns

    def _parameter(self, odd, repeats):
        name = ":" + self.one(["rest"] if repeats and self.often(0.9) else NAMES) if self.often(0.85) else ""
        if name and self.often(0.6):
            return Piece(name, lambda: self.one(SEGMENTS))
        regex = self._regex(odd)
        return Piece(f"{name}({regex.text})", regex.sample)

    def _times(self, modifier):
        return {"": 1, "?": self.random.randint(0, 1), "*": self.random.randint(0, 3), "+": self.random.randint(1, 3)}[modifier]

    def _part(self, odd):
        kind = self.random.random()
        if kind < 0.3:
            word = self.one(["/", "/", "/", ".", "-", ""]) + self.one(WORDS)
            return Piece(word, lambda: word)
        modifier = self.one(["", "", "", "", "?", "*", "+"])
        parameter = self._parameter(odd, modifier in ("*", "+"))
        if kind < 0.8:
            # path-to-regexp wants a / or . before what repeats, and some text before most others.
            before, after = self.one(["/", "/", "/", "/", "/", "."] if modifier or self.often(0.8) else ["-", "@", ""]), ""
            text = before + parameter.text + modifier
        else:
            before, after = self.one(["/", "/x-", "-", "."]), self.one(["", "", "-", "/"])
            if self.often(0.2):
                parameter = Piece("", lambda: "")
            if self.often(0.1):
                before = ""
            text = "{" + before + parameter.text + after + "}" + modifier
        return Piece(text, lambda: "".join(before + parameter.sample() + after for _ in range(self._times(modifier))))

    def pattern(self, odd=False):
        """A pattern; `odd`: there may be something in it that JavaScript does not have."""
        parts = [self._part(odd) for _ in range(self.one([1, 2, 2, 3, 3, 4]))]
        text = "".join(part.text for part in parts)
        if odd and self.often(0.3):
            position = self.random.randint(0, len(text))
            text = text[:position] + self.one(list("*+?{}()\\:|") + ODD) + text[position:]
        return Piece(text, lambda: "".join(part.sample() for part in parts))

    # Paths

    def path(self, pattern, spoilers="a/-.1Z_"):
        """A path that is likely to match, or would but for a little."""
        path = pattern.sample()
        if not path.startswith("/") and self.often(0.8):
            path = "/" + path
        if self.often(0.2):
            path += "/"
        if self.often(0.15):
            path = path.swapcase()
        if self.often(0.25):
            position = self.random.randint(0, len(path))
            path = path[:position] + self.one(["", *spoilers]) + path[position + self.one([0, 0, 1]):]
        return path
