"""The broker as a service's own user, from the settings every service has."""

from __future__ import annotations

from chassis.settings import ServiceSettings
from eventing import KafkaConfig


def kafka_config(settings: ServiceSettings, service: str, *, session_timeout_s: float = 8.0) -> KafkaConfig:
    """``session_timeout_s`` as in ``eventing.KafkaConfig``."""
    password = settings.kafka_password
    return KafkaConfig(
        bootstrap=settings.kafka_bootstrap,
        username=settings.kafka_username,
        password=password.get_secret_value() if password else None,
        topic_prefix=settings.kafka_topic_prefix,
        instance=settings.kafka_instance,
        client_id=service,
        session_timeout_s=session_timeout_s,
    )
