"""Types of the package: where each public name comes from (at run time __getattr__ in __init__.py finds it)."""

from typing import TypeVar

from . import given as given
from .change import patch as patch
from .checks import MARK as MARK
from .faults import wanted as wanted
from .reader import parse_json as parse_json
from .rules import defaults as defaults
from .rules import validate as validate
from .schema import Field as Field
from .schema import fields as fields
from .schema import find as find
from .schema import is_open as is_open
from .schema import sections as sections
from .show import redact as redact
from .ssid import ssid_bytes as ssid_bytes
from .stamp import load as load
from .stamp import trial as trial
from .store import drop as drop
from .store import dropped as dropped
from .store import promote as promote
from .store import reset as reset
from .store import save as save
from .store import stage as stage
from .text import from_text as from_text
from .text import parse as parse
from .words import help_of as help_of
from .words import section_help as section_help
from .writer import to_text as to_text

_T = TypeVar("_T")

def const(value: _T) -> _T: ...
def release(only: str = ...) -> None: ...
