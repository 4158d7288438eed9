"""The one HTML shell: every page that the toolkit writes is self-contained, and legible in the dark and on a phone."""

from __future__ import annotations

from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#1c1e21;--paper:#fff;--quiet:#5c6370;--line:#8884;--soft:#8881;--blue:#2f6db3;
--red:#c4572e}
@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#16181c;--quiet:#a0a7b4;--blue:#6ea8e6;--red:#e8845c}
img:not(.photo){filter:invert(.9) hue-rotate(180deg)}}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,sans-serif;max-width:66rem;margin:0 auto;padding:1.5rem;color:var(--ink);
background:var(--paper)}
h1{font-size:1.6rem;margin-bottom:.2rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin-top:2rem}
.quiet{color:var(--quiet)}h1+.quiet{margin-top:0}a{color:var(--blue)}
.wide{overflow-x:auto}figure{margin:1rem 0}figcaption{color:var(--quiet);font-size:.9rem}
img{max-width:100%;height:auto;background:#fff;border-radius:4px}.wide img{max-width:none;width:max(100%,36rem)}
svg{display:block}svg text{fill:var(--ink);font-family:system-ui,sans-serif}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.3rem .7rem;border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:bottom}
th{font-weight:600}th:first-child,td:first-child{text-align:left;padding-left:0}
.facts th,.facts td,.words td,.words th{text-align:left;white-space:normal;vertical-align:top;overflow-wrap:anywhere}
.facts th{min-width:7rem}
.examples{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:1rem}
.examples figure{margin:0}.examples img{width:6rem;image-rendering:pixelated;background:none}
pre{background:var(--soft);padding:.8rem;overflow-x:auto;font-size:.85rem;line-height:1.25;border-radius:4px}
details{margin-top:1rem}summary{cursor:pointer}
@media(max-width:40rem){body{padding:1rem}th,td{padding:.3rem .5rem}}
"""


def page(title: str, body: str) -> str:
    """A whole page.

    Args:
        title: as text.
        body: as HTML. Tables and wide pictures are in `<div class="wide">`, which scrolls; photographs have the class
            `photo`, since dark mode inverts the colours of all other pictures.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} – qiskit_hqnn</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    )
