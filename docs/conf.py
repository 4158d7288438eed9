"""The documentation site. Its sources are the repository's own pages, so a link works on the site as in the repository.

`make docs` runs `sphinx-build -W -c docs . build/html`; nothing is fetched, and no notebook is executed.
"""

from __future__ import annotations

import gc
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "_ext")]

from qiskit_hqnn import __version__  # noqa: E402

gc.disable()  # to look for garbage in a process that soon ends is a quarter of the time of a build

project = "qiskit_hqnn"
author = "The qiskit_hqnn developers"
copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "qiskit_sphinx_theme",
    "reference_pages",
    "docstrings",
    "one_navigation",
]

root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "circuits/*.md",
    "jobs/README.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
]
exclude_patterns = [
    ".venv",
    ".git",
    "build",
    "runs",
    "docs/results/*.md",  # parts of docs/results.md, which has taken them over
    "docs/_*",
    "**/.ipynb_checkpoints",
]
templates_path = [str(ROOT / "docs" / "_templates")]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4  # the anchors that GitHub gives headings
# The name of an attribute (`channels`) becomes a link by itself, and two classes may have one of that name.
suppress_warnings = ["ref.python"]
nb_execution_mode = "off"  # tests/tutorials runs the notebooks; the site shows what they stored
default_role = "literal"  # docstrings mark code with one backtick, as the pages do

autosummary_generate = True
autosummary_context = {
    "doors": {  # of the names that the library itself exports: the package that each is described with
        name.strip(): door
        for door, names in re.findall(
            r"^from \.(\w+) import \(?([^()]+?)\)?$",
            (ROOT / "qiskit_hqnn/__init__.pyi").read_text(),
            re.MULTILINE,
        )
        for name in names.split(",")
        if name.strip()
    }
}
autosummary_ignore_module_all = False  # the doors' __all__ is what is public
autosummary_imported_members = True
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # attributes as one list

html_theme = "qiskit-ecosystem"
html_title = f"qiskit_hqnn {version}"
html_static_path = ["_static"]
html_extra_path = ["_extra"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {"sidebar_qiskit_ecosystem_member": False}
pygments_style = "default"
highlight_language = "text"  # blocks without a language are commands, trees and outputs
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
