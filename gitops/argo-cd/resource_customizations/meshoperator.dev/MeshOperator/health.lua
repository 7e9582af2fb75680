-- A MeshOperator's status follows kstatus: Reconciling and Stalled are there only while they are true, every condition
-- has the generation that it speaks of, and status.observedGeneration moves when the operator is done with one.
-- Degraded is only what a person must mend; whatever may pass by itself is Progressing.
local generation = obj.metadata.generation or 0
local status = obj.status or {}

local function condition(type)
  for _, candidate in ipairs(status.conditions or {}) do
    if candidate.type == type then
      return candidate
    end
  end
  return {}
end

local ready = condition("Ready")
local stalled = condition("Stalled")

if (ready.observedGeneration or -1) < generation then
  return { status = "Progressing", message = "Waiting for the operator to see the newest spec" }
end
if stalled.status == "True" then
  return { status = "Degraded", message = stalled.message }
end
if ready.reason == "Paused" then
  return { status = "Suspended", message = ready.message }
end
if ready.status == "True" and status.observedGeneration == generation then
  return { status = "Healthy", message = ready.message }
end
return { status = "Progressing", message = ready.message }
