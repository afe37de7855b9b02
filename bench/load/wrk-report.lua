-- Ends wrk's output with one line of JSON; asks for distinct paths, with a body and headers, as the arguments say.
-- Arguments after `--`: method, path, number of distinct paths, bytes of body, then header names and values in turn.
local paths, path = 1, "/"
local count = 0

function init(args)
  wrk.method = args[1]
  path = args[2]
  paths = tonumber(args[3])
  local bytes = tonumber(args[4])
  if bytes > 0 then wrk.body = string.rep("x", bytes) end
  for i = 5, #args - 1, 2 do wrk.headers[args[i]] = args[i + 1] end
  wrk.path = path
  if paths == 1 then
    local fixed = wrk.format()
    request = function() return fixed end
  else
    local all = {}
    for i = 1, paths do all[i] = wrk.format(nil, path .. "?page=" .. i) end
    request = function()
      count = count % paths + 1
      return all[count]
    end
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"bytes":%d,"durationMicros":%d,"p50Micros":%d,"p99Micros":%d,"p999Micros":%d,"errors":%d}\n',
    summary.requests, summary.bytes, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    e.connect + e.read + e.write + e.status + e.timeout))
end
