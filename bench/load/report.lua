-- wrk: a prediction to PATH, or to a random one of COUNT deployments; the figures as one line of JSON at the end.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"data":{"ndarray":[[5.1,3.5,1.4,0.2]]}}'

local count = tonumber(os.getenv("BENCH_RANDOM") or "0")
if count > 0 then
  local requests = {}
  function init(args)
    math.randomseed(7)
    for i = 1, 4096 do
      requests[i] = wrk.format(nil, string.format("/seldon/seldon/iris-%05d/api/v1.0/predictions", math.random(0, count - 1)))
    end
  end
  local turn = 0
  function request()
    turn = turn % 4096 + 1
    return requests[turn]
  end
end

function done(summary, latency, requests)
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"max_us":%d,"errors":%d,"statuses":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency.max,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout, summary.errors.status))
end
