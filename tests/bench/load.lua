-- SPDX-License-Identifier: Apache-2.0
-- wrk script: sends the headers of a file in turn. Environment: BENCH_HEADERS, a file with one header line a request;
-- BENCH_ONCE=1 to stop at its end instead of beginning again. Prints one JSON object when done.

local ffi = require("ffi")
ffi.cdef("int kill(int process, int signal); int getpid(void);")

local FEW = 5000 -- up to here requests are made beforehand, and from here while the file is read

local path = os.getenv("BENCH_HEADERS")
local once = os.getenv("BENCH_ONCE") == "1"
local prepared, position, source = {}, 0, nil

-- wrk's main thread sleeps through the whole -d unless it is interrupted.
local function finish()
  if once then
    once = false
    wrk.thread:stop()
    ffi.C.kill(ffi.C.getpid(), 2)
  end
end

local function make(line)
  local name, value = line:match("^([^:]+): (.*)$")
  return wrk.format("GET", nil, { Host = wrk.headers["Host"], [name] = value })
end

-- A single line needs no function a request, which leaves more of wrk's time for the server's answers.
local lines = io.lines(path)
local first, second = lines(), lines()

if not second then
  local name, value = first:match("^([^:]+): (.*)$")
  wrk.headers[name] = value
else
  function init()
    local number = 0
    for line in io.lines(path) do
      number = number + 1
      if number > FEW then
        prepared, source = {}, io.open(path)
        return
      end
      prepared[number] = make(line)
    end
  end

  function request()
    if source then
      local line = source:read("*l")
      if not line then
        finish()
        source:seek("set")
        line = source:read("*l")
      end
      return make(line)
    end
    position = position + 1
    if position > #prepared then
      finish()
      position = 1
    end
    return prepared[position]
  end
end

function done(summary, latency)
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %f, "refused": %d, "failed": %d, "p50": %f, "p99": %f}\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
