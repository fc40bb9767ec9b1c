/* SPDX-License-Identifier: ISC */
/*
 * What the workers of each owner use up of the engine.  Engine, unprivileged.
 */
#include "engine/control/report.h"

#include "base/clock.h"

static json_t *
owners_owner(struct owner_quota *quota)
{
	char text[OWNER_QUOTA_TEXT];
	json_t *waiting = json_null(), *sentence = json_null();

	owner_quota_count(quota);
	if (quota->since_ms != 0) {
		owner_quota_describe(quota, text, sizeof(text));
		sentence = json_string(text);
		waiting =
		    json_integer((json_int_t)(clock_ms() - quota->since_ms));
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "uid",
	    (json_int_t)quota->uid, "workers", (json_int_t)quota->worker_count,
	    "unread", (json_int_t)(quota->unread + quota->claimed),
	    "unreceipted", (json_int_t)quota->held, "waits",
	    (json_int_t)quota->waits, "rests", (json_int_t)quota->links.rests,
	    "waiting_ms", waiting, "text", sentence);
}

json_t *
report_owners(const struct owner_quotas *quotas)
{
	json_t *all = json_array();
	struct owner_quota *quota;

	TAILQ_FOREACH (quota, &quotas->head, entry)
		json_array_append_new(all, owners_owner(quota));
	return all;
}

void
report_owner_metrics(FILE *file, const struct owner_quotas *quotas)
{
	struct owner_quota *quota;

	report_metric_head(file, "in_flight_limit", "", "gauge",
	    "Descriptors that may be sent and not yet received");
	fprintf(file, "portbroker_in_flight_limit %llu\n",
	    (unsigned long long)quotas->in_flight.limit);
	report_metric_head(file, "owner_unread", "", "gauge",
	    "Descriptors in mailboxes of an owner that nobody has read");
	TAILQ_FOREACH (quota, &quotas->head, entry) {
		owner_quota_count(quota);
		fprintf(file, "portbroker_owner_unread{uid=\"%u\"} %llu\n",
		    quota->uid,
		    (unsigned long long)(quota->unread + quota->claimed));
	}
	report_metric_head(file, "owner_unreceipted", "", "gauge",
	    "Connections that workers of an owner have not confirmed");
	TAILQ_FOREACH (quota, &quotas->head, entry)
		fprintf(file, "portbroker_owner_unreceipted{uid=\"%u\"} %llu\n",
		    quota->uid, (unsigned long long)quota->held);
	report_metric_head(file, "owner_waits", "_total", "counter",
	    "Times that an owner was over its share and had to wait");
	TAILQ_FOREACH (quota, &quotas->head, entry)
		fprintf(file, "portbroker_owner_waits_total{uid=\"%u\"} %llu\n",
		    quota->uid, (unsigned long long)quota->waits);
	report_metric_head(file, "owner_rests", "_total", "counter",
	    "Times that messages of an owner that confirm nothing had to wait");
	TAILQ_FOREACH (quota, &quotas->head, entry)
		fprintf(file, "portbroker_owner_rests_total{uid=\"%u\"} %llu\n",
		    quota->uid, (unsigned long long)quota->links.rests);
}
