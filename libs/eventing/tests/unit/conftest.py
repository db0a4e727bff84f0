import importlib.util
import sys
from pathlib import Path

_spec = importlib.util.spec_from_file_location("eventing_test_records", Path(__file__).with_name("records.py"))
_module = importlib.util.module_from_spec(_spec)
sys.modules["eventing_test_records"] = _module
_spec.loader.exec_module(_module)
