#!/bin/sh
# Written by: habeas topics access --format kafka-acls. What each of Habeas' users may do
# on the cluster; it can be run again. An administrator runs it:
#   KAFKA_ACLS='kafka-acls.sh --bootstrap-server kafka:9093 --command-config admin.properties' sh acls.sh
set -eu
grant() {
    user=$1
    shift
    ${KAFKA_ACLS:-kafka-acls.sh --bootstrap-server localhost:9092} --add --allow-principal "User:$user" "$@"
}

grant habeas-intake --operation Read --topic dsar.requests
grant habeas-intake --operation Read --group habeas.intake
grant habeas-intake --operation Write --topic dsar.rejected

grant habeas-coordinator --operation Read --topic dsar.reports
grant habeas-coordinator --operation Read --group habeas.coordinator
grant habeas-coordinator --operation Read --topic dsar.events
grant habeas-coordinator --operation Read --group habeas.watch
grant habeas-coordinator --operation Write --topic dsar.tasks.aggregator
grant habeas-coordinator --operation Write --topic dsar.tasks.account
grant habeas-coordinator --operation Write --topic dsar.tasks.advertising
grant habeas-coordinator --operation Write --topic dsar.tasks.billing
grant habeas-coordinator --operation Write --topic dsar.tasks.communications
grant habeas-coordinator --operation Write --topic dsar.tasks.community
grant habeas-coordinator --operation Write --topic dsar.tasks.credit
grant habeas-coordinator --operation Write --topic dsar.tasks.events
grant habeas-coordinator --operation Write --topic dsar.tasks.marketo
grant habeas-coordinator --operation Write --topic dsar.tasks.marketplace
grant habeas-coordinator --operation Write --topic dsar.tasks.partner
grant habeas-coordinator --operation Write --topic dsar.tasks.paymentech
grant habeas-coordinator --operation Write --topic dsar.tasks.salesforce
grant habeas-coordinator --operation Write --topic dsar.tasks.support
grant habeas-coordinator --operation Write --topic dsar.tasks.training
grant habeas-coordinator --operation Write --topic dsar.events
grant habeas-coordinator --operation Write --topic dsar.rejected

grant habeas-aggregator --operation Read --topic dsar.tasks.aggregator
grant habeas-aggregator --operation Read --group habeas.aggregator
grant habeas-aggregator --operation Write --topic dsar.reports
grant habeas-aggregator --operation Write --topic dsar.rejected

grant habeas-letters --operation Read --topic dsar.events
grant habeas-letters --operation Read --group habeas.letters

grant habeas-console --operation Describe --topic dsar.tasks. --resource-pattern-type prefixed
grant habeas-console --operation Describe --group habeas.worker. --resource-pattern-type prefixed

grant habeas-topics --operation Create --topic dsar. --resource-pattern-type prefixed
grant habeas-topics --operation Describe --topic dsar. --resource-pattern-type prefixed
grant habeas-topics --operation DescribeConfigs --topic dsar. --resource-pattern-type prefixed

grant habeas-producer --operation Write --topic dsar.requests

grant habeas-follower --operation Read --topic dsar.events
grant habeas-follower --operation Read --group follower. --resource-pattern-type prefixed

grant habeas-operator --operation Read --topic dsar.rejected
grant habeas-operator --operation Read --group operator. --resource-pattern-type prefixed
grant habeas-operator --operation Describe --topic dsar. --resource-pattern-type prefixed
grant habeas-operator --operation Describe --group habeas. --resource-pattern-type prefixed

grant habeas-reconciler --operation Read --topic dsar.requests
grant habeas-reconciler --operation Read --topic dsar.events
grant habeas-reconciler --operation Write --topic dsar.events

grant habeas-worker-account --operation Read --topic dsar.tasks.account
grant habeas-worker-account --operation Read --group habeas.worker.account
grant habeas-worker-account --operation Write --topic dsar.reports
grant habeas-worker-account --operation Write --topic dsar.rejected

grant habeas-worker-advertising --operation Read --topic dsar.tasks.advertising
grant habeas-worker-advertising --operation Read --group habeas.worker.advertising
grant habeas-worker-advertising --operation Write --topic dsar.reports
grant habeas-worker-advertising --operation Write --topic dsar.rejected

grant habeas-worker-billing --operation Read --topic dsar.tasks.billing
grant habeas-worker-billing --operation Read --group habeas.worker.billing
grant habeas-worker-billing --operation Write --topic dsar.reports
grant habeas-worker-billing --operation Write --topic dsar.rejected

grant habeas-worker-communications --operation Read --topic dsar.tasks.communications
grant habeas-worker-communications --operation Read --group habeas.worker.communications
grant habeas-worker-communications --operation Write --topic dsar.reports
grant habeas-worker-communications --operation Write --topic dsar.rejected

grant habeas-worker-community --operation Read --topic dsar.tasks.community
grant habeas-worker-community --operation Read --group habeas.worker.community
grant habeas-worker-community --operation Write --topic dsar.reports
grant habeas-worker-community --operation Write --topic dsar.rejected

grant habeas-worker-credit --operation Read --topic dsar.tasks.credit
grant habeas-worker-credit --operation Read --group habeas.worker.credit
grant habeas-worker-credit --operation Write --topic dsar.reports
grant habeas-worker-credit --operation Write --topic dsar.rejected

grant habeas-worker-events --operation Read --topic dsar.tasks.events
grant habeas-worker-events --operation Read --group habeas.worker.events
grant habeas-worker-events --operation Write --topic dsar.reports
grant habeas-worker-events --operation Write --topic dsar.rejected

grant habeas-worker-marketo --operation Read --topic dsar.tasks.marketo
grant habeas-worker-marketo --operation Read --group habeas.worker.marketo
grant habeas-worker-marketo --operation Write --topic dsar.reports
grant habeas-worker-marketo --operation Write --topic dsar.rejected

grant habeas-worker-marketplace --operation Read --topic dsar.tasks.marketplace
grant habeas-worker-marketplace --operation Read --group habeas.worker.marketplace
grant habeas-worker-marketplace --operation Write --topic dsar.reports
grant habeas-worker-marketplace --operation Write --topic dsar.rejected

grant habeas-worker-partner --operation Read --topic dsar.tasks.partner
grant habeas-worker-partner --operation Read --group habeas.worker.partner
grant habeas-worker-partner --operation Write --topic dsar.reports
grant habeas-worker-partner --operation Write --topic dsar.rejected

grant habeas-worker-paymentech --operation Read --topic dsar.tasks.paymentech
grant habeas-worker-paymentech --operation Read --group habeas.worker.paymentech
grant habeas-worker-paymentech --operation Write --topic dsar.reports
grant habeas-worker-paymentech --operation Write --topic dsar.rejected

grant habeas-worker-salesforce --operation Read --topic dsar.tasks.salesforce
grant habeas-worker-salesforce --operation Read --group habeas.worker.salesforce
grant habeas-worker-salesforce --operation Write --topic dsar.reports
grant habeas-worker-salesforce --operation Write --topic dsar.rejected

grant habeas-worker-support --operation Read --topic dsar.tasks.support
grant habeas-worker-support --operation Read --group habeas.worker.support
grant habeas-worker-support --operation Write --topic dsar.reports
grant habeas-worker-support --operation Write --topic dsar.rejected

grant habeas-worker-training --operation Read --topic dsar.tasks.training
grant habeas-worker-training --operation Read --group habeas.worker.training
grant habeas-worker-training --operation Write --topic dsar.reports
grant habeas-worker-training --operation Write --topic dsar.rejected
