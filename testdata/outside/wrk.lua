-- What wrk sends: the list of medications, each connection pausing PAUSE_MS
-- between two requests, users taking turns, for each has 100 requests an hour.
-- TOKENS names a file with a user's token per line. Times are microseconds.
local tokens, n = {}, 0
for line in io.lines(os.getenv("TOKENS")) do tokens[#tokens + 1] = line end

function delay() return tonumber(os.getenv("PAUSE_MS")) end

function request()
  n = n + 1
  local token = tokens[(n - 1) % #tokens + 1]
  return wrk.format("GET", "/api/v1/medications?active_only=true&page_size=20", { Authorization = "Bearer " .. token })
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("wrk: requests %d seconds %.3f p50 %d p95 %d errors %d\n", summary.requests,
    summary.duration / 1e6, latency:percentile(50), latency:percentile(95),
    e.connect + e.read + e.write + e.status + e.timeout))
end
