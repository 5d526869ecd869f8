-- Rendered by Dayfly beside haproxy.cfg, which asks for these two only where a map names the app.
local POLL_MS = 15
local MOST_MS = @HOLD_SECONDS@ * 1000 -- more is left only where the clock was set back
local holds = Map.new("maps/holds.map", Map._str)
local closed = Map.new("maps/closed.map", Map._str)

local function held(txn)
  local till = tonumber(holds:lookup(txn:get_var("txn.app")) or "")
  local left = till and till - txn.f:date(0, "ms")
  return left and left > 0 and left <= MOST_MS
end

-- Where the client goes away HAProxy ends this in its sleep, and goes on with the next rule.
core.register_action("hold", { "http-req" }, function(txn)
  txn:set_var("txn.held", "yes")
  while held(txn) do
    core.msleep(POLL_MS)
  end
  txn:unset_var("txn.held")
  txn:unset_var("txn.slot") -- another may serve by now
end)

local function content(name)
  local file = name and io.open(name, "rb") or io.open("closed.html", "rb")
  local text = file and file:read("a") or ""
  if file then file:close() end
  return text
end

local function wants_json(headers)
  local accept = (headers["accept"] or {})[0] or ""
  return accept:find("json", 1, true) and not accept:find("html", 1, true)
end

core.register_service("closed", "http", function(applet)
  local kind, body = "text/html; charset=utf-8", nil
  if wants_json(applet.headers) then
    kind, body = "application/json", '{"error": "closed for maintenance"}\n'
  else
    body = content(closed:lookup(applet:get_var("txn.app")))
  end
  applet:set_status(503)
  applet:add_header("Cache-Control", "no-store")
  applet:add_header("Retry-After", "@RETRY_SECONDS@")
  applet:add_header("Content-Type", kind)
  applet:add_header("Content-Length", tostring(#body))
  applet:start_response()
  if applet.method ~= "HEAD" then applet:send(body) end
end)
