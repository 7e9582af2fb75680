-- Argo CD gives an Application in an Application no health of its own, so sync waves would not wait for one. Between its
-- sync and the next comparison an Application can be Healthy while most of its objects are still missing: it counts as
-- such when it is also Synced.
local status = obj.status or {}
local health = status.health or {}
local sync = status.sync or {}

if health.status == "Healthy" and sync.status ~= "Synced" then
  return { status = "Progressing", message = "Waiting until it is Synced" }
end
return { status = health.status or "Progressing", message = health.message or "" }
