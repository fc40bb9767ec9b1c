-- SPDX-License-Identifier: ISC
-- For wrk: what it has found, as one line of JSON at the end.
done = function(summary, latency)
	local errors = summary.errors
	io.write(string.format('\n{"requests": %d, "us": %d, "p50": %d, ' ..
	    '"p99": %d, "p999": %d, "refused": %d, "reset": %d, ' ..
	    '"error": %d, "timeout": %d}\n', summary.requests,
	    summary.duration, latency:percentile(50), latency:percentile(99),
	    latency:percentile(99.9), errors.connect,
	    errors.read + errors.write, errors.status, errors.timeout))
end
