"""Topic files: what they declare, what they refuse, and that they agree with the record types."""

import dataclasses

import pytest

from contracts import record_types
from contracts.consistency import inconsistencies
from contracts.topics import Declared, Grant, TopicsFileError, load_topics

DEFAULTS = """
partitions: 6
replication: 3
min_insync: 2
cleanup: delete
retention_days: 7
"""


@pytest.fixture(scope="module")
def declared():
    return load_topics()


SERVICE = 'about = "x"\nports = {http = %d, ops = %d}\n'


@pytest.fixture
def checkout(tmp_path):
    """Two services, a and b; each test adds to what they say."""
    (tmp_path / "deploy" / "kafka").mkdir(parents=True)
    (tmp_path / "deploy" / "kafka" / "defaults.yaml").write_text(DEFAULTS)

    def write(a="", b=""):
        for number, (name, more) in enumerate({"a": a, "b": b}.items()):
            (tmp_path / "services" / name).mkdir(parents=True, exist_ok=True)
            text = SERVICE % (1100 + number, 1200 + number) + more
            (tmp_path / "services" / name / "service.toml").write_text(text)
        return tmp_path

    return write


def test_record_types_and_topic_files_agree(declared):
    assert inconsistencies(record_types(), declared) == []


def test_a_missing_topic_and_an_unused_one_are_both_named(declared):
    broken = Declared(
        tuple(
            dataclasses.replace(topic, name="public.auth.nobody.v1") if topic.name == "public.auth.user.v1" else topic
            for topic in declared.topics
        )
    )
    found = inconsistencies(record_types(), broken)
    assert any("UserRegistered: public.auth.user.v1 is declared by no service" in line for line in found)
    assert "public.auth.nobody.v1: declared, but no record type travels on it" in found


def test_a_record_on_anothers_topic_is_named(declared):
    records = dict(record_types())
    name = "sampan.auth.v1.UserDeleted"
    records[name] = dataclasses.replace(records[name], topic="public.commerce.order.v1", key="nothing")
    found = inconsistencies(records, declared)
    assert any("owned by auth, but public.commerce.order.v1 is owned by commerce" in line for line in found)
    assert any("its key 'nothing'" in line for line in found)


def test_every_service_has_its_dead_letters_and_replies(declared):
    assert len(declared.services) >= 6
    for service in declared.services:
        assert {f"private.{service}.dlq.v1", f"private.{service}.replies.v1"} <= declared.names()


def test_who_may_do_what(declared):
    grants = declared.grants()

    def allowed(service, operation, topic):
        return Grant(f"User:{service}", "TOPIC", topic, "LITERAL", operation) in grants

    assert allowed("orchestrator", "WRITE", "private.payment.commands.v1")
    assert allowed("auth", "WRITE", "private.notification.commands.v1")
    assert allowed("orchestrator", "READ", "private.commerce.replies.v1")
    assert not allowed("commerce", "WRITE", "private.payment.commands.v1")
    assert not allowed("auth", "READ", "private.notification.commands.v1")
    assert not allowed("commerce", "WRITE", "public.auth.user.v1")
    assert not allowed("auth", "READ", "private.payment.dlq.v1")


def test_a_service_only_joins_groups_of_its_own_name(declared):
    groups = {
        (grant.name, grant.pattern)
        for grant in declared.grants("x.")
        if grant.principal == "User:payment" and grant.resource == "GROUP"
    }
    assert groups == {("x.payment", "LITERAL"), ("x.payment.", "PREFIXED")}


def test_replication_is_capped_by_the_brokers_there_are(declared):
    topic = declared.topics[0]
    assert (topic.on(brokers=1, prefix="").replication, topic.on(brokers=1, prefix="").min_insync) == (1, 1)
    assert (topic.on(brokers=5, prefix="").replication, topic.on(brokers=5, prefix="").min_insync) == (3, 2)


OWN = '[topics.own."%s.a.b.v1"]\nabout = "x"\n'


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        ("[topics.own]\n\"public.z.b.v1\" = {about = 'x'}", "", "is not public.a"),
        ('[topics.own]\n"public.a.b.v1" = {}', "", "about is missing"),
        ("[topics.own]\n\"public.a.b.v1\" = {about = 'x', partition = 3}", "", "unknown partition"),
        (OWN % "public" + 'readers = ["b"]', "", "is public"),
        (OWN % "private" + 'readers = ["z"]', "", "z is no service"),
        (OWN % "private" + 'readers = ["b"]', "", "does not ask for it"),
        (OWN % "private", '[topics]\nreads = ["private.a.b.v1"]', "b asks for it and is not among its readers"),
        (OWN % "private" + 'writers = ["b"]', "", "does not ask for it"),
        (OWN % "public", '[topics]\nwrites = ["public.a.b.v1"]', "b asks for it and is not among its writers"),
        ("", '[topics]\nreads = ["public.a.b.v1"]', "a topic that nobody owns"),
    ],
)
def test_a_wrong_file_is_refused_with_its_fault(checkout, a, b, sentence):
    with pytest.raises(TopicsFileError, match=sentence):
        load_topics(checkout(a, b))


def test_a_public_topic_is_read_by_who_says_so_and_a_private_one_by_who_is_named_too(checkout):
    both = '[topics]\nreads = ["public.a.c.v1", "private.a.b.v1"]'
    own = OWN % "private" + 'readers = ["b"]\n' + '[topics.own."public.a.c.v1"]\nabout = "x"\n'
    topics = {topic.name: topic for topic in load_topics(checkout(own, both)).topics}
    assert topics["private.a.b.v1"].readers == topics["public.a.c.v1"].readers == {"b"}
