#!/bin/bash
# Kafka in a container as it runs without Docker: one KRaft node, SCRAM users, ACLs, no topic made by itself.
# KAFKA_USERS is a list of name=password; `admin` is in it and may do everything.
set -euo pipefail
home=${KAFKA_HOME:-/opt/kafka} data=${KAFKA_DATA:-/var/lib/kafka/data} properties=${KAFKA_PROPERTIES:-/tmp/server.properties}
admin_password=
scram=()
for user in $KAFKA_USERS; do
    scram+=(--add-scram "SCRAM-SHA-256=[name=${user%%=*},password=${user#*=}]")
    [ "${user%%=*}" != admin ] || admin_password=${user#*=}
done
login="username=\"admin\" password=\"$admin_password\""
security=org.apache.kafka.common.security
cat >"$properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:9093
listeners=INSIDE://:9092,OUTSIDE://:9094,CONTROLLER://127.0.0.1:9093
advertised.listeners=INSIDE://kafka:9092,OUTSIDE://127.0.0.1:$KAFKA_OUTSIDE_PORT,CONTROLLER://127.0.0.1:9093
inter.broker.listener.name=INSIDE
controller.listener.names=CONTROLLER
listener.security.protocol.map=INSIDE:SASL_PLAINTEXT,OUTSIDE:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-256
sasl.mechanism.controller.protocol=PLAIN
listener.name.inside.sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.inside.scram-sha-256.sasl.jaas.config=$security.scram.ScramLoginModule required $login;
listener.name.outside.sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.outside.scram-sha-256.sasl.jaas.config=$security.scram.ScramLoginModule required $login;
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=$security.plain.PlainLoginModule required $login user_admin="$admin_password";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:admin
log.dirs=$data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=2000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
END
chmod 600 "$properties"
if [ ! -f "$data/meta.properties" ]; then
    cluster=$("$home/bin/kafka-storage.sh" random-uuid)
    "$home/bin/kafka-storage.sh" format --standalone -t "$cluster" -c "$properties" "${scram[@]}"
fi
exec "$home/bin/kafka-server-start.sh" "$properties"
